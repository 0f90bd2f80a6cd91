// Small drawings in SVG. Coordinates are percentages of the box, so a drawing is sharp at every width without scaling
// its letters; every drawing says in its label what it shows, and figures stand beside it as text.

import { h, s, scrollable, unique } from "./dom.js";
import { ends, number } from "./format.js";

const pct = (value) => `${(100 * value).toFixed(2)}%`;

/** A linear scale from [low, high] to [0, 1]; a point when both are equal. */
export function scale(low, high) {
  return (value) => (high > low ? (value - low) / (high - low) : 0.5);
}

/** About `wanted` round numbers from low to high. */
function ticks(low, high, wanted = 5) {
  const rough = (high - low) / wanted || 1;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map((factor) => factor * power).find((size) => size >= 0.8 * rough);
  const found = [];
  for (let n = Math.ceil(low / step - 1e-9); n * step <= high + step * 1e-9; n += 1) found.push(n * step);
  return found;
}

/** The fewest decimals that write every mark exactly. */
function decimals(marks) {
  const exact = (digits) => marks.every((mark) => Math.abs(mark - Number(mark.toFixed(digits))) < 1e-9);
  return [0, 1, 2, 3, 4, 5, 6, 7].find(exact) ?? 8;
}

/** An estimate with its interval on a shared scale; hollow for a baseline, a thin line at `reference`. */
export function whisker(interval, toUnit, { hollow = false, reference = null } = {}) {
  const at = (value) => pct(toUnit(value));
  const both = ends(interval);
  return s(
    "svg",
    { class: "whisker", "aria-hidden": "true" },
    reference === null
      ? null
      : s("line", { class: "reference", x1: at(reference), x2: at(reference), y1: "0", y2: "100%" }),
    both.slice(1).map((high) => s("line", { x1: at(both[0]), x2: at(high), y1: "50%", y2: "50%" })),
    both.map((end) => s("line", { x1: at(end), x2: at(end), y1: "32%", y2: "68%" })),
    s("circle", { class: hollow ? "dot hollow" : "dot", cx: at(interval.estimate), cy: "50%", r: hollow ? 4 : 4.5 }),
  );
}

/** The scale of a column of whiskers, for its heading. */
export function axis(low, high, wanted = 3) {
  const marks = ticks(low, high, wanted);
  const toUnit = scale(low, high);
  const digits = decimals(marks);
  return s(
    "svg",
    { class: "axis", "aria-hidden": "true" },
    marks.map((mark) => s("text", { x: pct(toUnit(mark)), y: "11" }, number(mark, digits))),
    marks.map((mark) => s("line", { x1: pct(toUnit(mark)), x2: pct(toUnit(mark)), y1: "15", y2: "20" })),
  );
}

/**
 * A line chart with its legend and, for those who do not see it, a table.
 * series: [{name, points: [[x, y], ...], kind: "main" | "other", dots}]; `levels`: [{name, y}] across.
 */
export function lineChart({ title, label, xName, yName, series, levels = [], xMarks = null }) {
  const xs = series.flatMap((line) => line.points.map(([x]) => x));
  const ys = [...series.flatMap((line) => line.points.map(([, y]) => y)), ...levels.map((level) => level.y)];
  const [left, right] = [Math.min(...xs), Math.max(...xs)];
  const room = (Math.max(...ys) - Math.min(...ys) || Math.abs(ys[0]) * 0.01 || 1) * 0.08;
  const [bottom, top] = [Math.min(...ys) - room, Math.max(...ys) + room];
  const toX = scale(left, right);
  const toY = (y) => 1 - scale(bottom, top)(y);
  const yTicks = ticks(bottom, top, 4);
  const caption = unique("caption");
  return h(
    "figure",
    { class: "chart", "aria-labelledby": caption },
    h("figcaption", { id: caption }, title),
    s(
      "svg",
      { class: "plot", role: "img", "aria-label": label },
      yTicks.map((y) => gridLine(y, toY, decimals(yTicks))),
      (xMarks ?? ticks(left, right, 5)).map((x) => tickBelow(x, toX)),
      levels.map((level) =>
        s("line", { class: "level", x1: "0", x2: "100%", y1: pct(toY(level.y)), y2: pct(toY(level.y)) }),
      ),
      series.map((line) => drawn(line, toX, toY)),
    ),
    h("p", { class: "axes" }, h("span", {}, `↑ ${yName}`), h("span", {}, `${xName} →`)),
    legend(series, levels),
    numbers(title, xName, series),
  );
}

function gridLine(y, toY, digits) {
  const at = pct(toY(y));
  return [
    s("line", { class: "grid", x1: "0", x2: "100%", y1: at, y2: at }),
    s("text", { class: "y", x: "-8", y: at }, number(y, digits)),
  ];
}

function tickBelow(x, toX) {
  return s("text", { class: "x", x: pct(toX(x)), y: "100%", dy: "18" }, String(x));
}

function drawn({ points, kind, dots }, toX, toY) {
  const at = points.map(([x, y]) => [pct(toX(x)), pct(toY(y))]);
  const lines = at.slice(1).map(([x, y], i) => s("line", { x1: at[i][0], y1: at[i][1], x2: x, y2: y }));
  const marks = dots ? at.map(([cx, cy]) => s("circle", { cx, cy, r: 3.5 })) : [];
  return s("g", { class: `line ${kind}` }, lines, marks);
}

function legend(series, levels) {
  const sample = (kind) =>
    s(
      "svg",
      { class: "sample", "aria-hidden": "true" },
      s("g", { class: `line ${kind}` }, s("line", { x1: 0, x2: 24, y1: 6, y2: 6 })),
    );
  const level = () =>
    s("svg", { class: "sample", "aria-hidden": "true" }, s("line", { class: "level", x1: 0, x2: 24, y1: 6, y2: 6 }));
  const entries = [
    ...series.map((line) => [sample(line.kind), line.name]),
    ...levels.map((line) => [level(), line.name]),
  ];
  return entries.length < 2
    ? null
    : h(
        "ul",
        { class: "legend" },
        entries.map(([mark, name]) => h("li", {}, mark, name)),
      );
}

function numbers(title, xName, series) {
  const xs = [...new Set(series.flatMap((line) => line.points.map(([x]) => x)))].sort((a, b) => a - b);
  const shown = xs.filter((_, i) => i % Math.ceil(xs.length / 40) === 0 || i === xs.length - 1);
  const cell = (line, x) => line.points.find(([at]) => at === x)?.[1] ?? null;
  const rows = shown.map((x) =>
    h(
      "tr",
      {},
      h("th", { scope: "row" }, String(x)),
      series.map((line) => h("td", {}, number(cell(line, x), 5))),
    ),
  );
  const head = h(
    "tr",
    {},
    h("th", { scope: "col" }, xName),
    series.map((line) => h("th", { scope: "col" }, line.name)),
  );
  const table = scrollable(
    `${title}, as a table`,
    h("table", { class: "plain" }, h("thead", {}, head), h("tbody", {}, rows)),
  );
  return h("details", { class: "numbers" }, h("summary", {}, "As a table"), table);
}

const FEWEST_BARS = 6; // so that a single bar does not fill the line

/** Bars of equal width, one a chunk of the context, as high as its cosine; `kinds` says where each chunk came from. */
export function strip(cosines, kinds, texts) {
  const width = 1 / Math.max(cosines.length, FEWEST_BARS);
  const best = cosines.indexOf(Math.max(...cosines));
  const label =
    `Cosine of the prediction to each of ${cosines.length} context chunks, in reading order: ` +
    `${cosines.map((value) => number(value, 2)).join(", ")}. Closest: chunk ${best + 1}.`;
  return s(
    "svg",
    { class: "strip", role: "img", "aria-label": label },
    s("line", { class: "ground", x1: "0", x2: "100%", y1: "100%", y2: "100%" }),
    cosines.map((value, i) => {
      const height = Math.max(0.03, Math.min(1, value));
      const gap = cosines.length > 40 ? 0.02 : 0.12;
      const place = {
        x: pct((i + gap / 2) * width),
        width: pct(width * (1 - gap)),
        y: pct(1 - height),
        height: pct(height),
      };
      return s(
        "rect",
        { class: `bar ${kinds[i]}`, ...place },
        s("title", {}, `${i + 1}: ${number(value, 3)} · ${texts[i] ?? ""}`),
      );
    }),
  );
}

/** Shares of a whole as segments in a row, in order; the name of each is its class. */
export function segments(parts, label) {
  const total = parts.reduce((sum, [, value]) => sum + value, 0) || 1;
  let from = 0;
  return s(
    "svg",
    { class: "segments", role: "img", "aria-label": label },
    parts.map(([name, value]) => {
      const segment = s(
        "rect",
        { class: `part ${name}`, x: pct(from), width: pct(value / total), y: "0", height: "100%" },
        s("title", {}, name),
      );
      from += value / total;
      return segment;
    }),
  );
}

/** One bar of a share of 1, for lists. */
export function bar(share) {
  return s(
    "svg",
    { class: "share", "aria-hidden": "true" },
    s("rect", { x: "0", y: "0", height: "100%", width: pct(Math.max(0, Math.min(1, share))) }),
  );
}
