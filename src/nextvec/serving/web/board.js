// The leaderboard's table. A column knows what it sorts by and how it draws its cell.

import { axis, scale, whisker } from "./charts.js";
import { announce, h, scrollable } from "./dom.js";
import { between, duration, ends, figureName, number, short, signed, signedPercent, span } from "./format.js";

const LOWER_IS_BETTER = /^rank_norm/;
const MARKS = { better: "▲", worse: "▼", "cannot tell": "●" };

/** What may be said of a model against the best baseline. */
export const standing = (contrasts, name, figure) =>
  contrasts.find((c) => c.left === name && c.role === "best baseline" && c.figure === figure);

/** The rows of a comparison in one figure, the best first; headings with a button sort. */
export function board(comparison, figure) {
  const rows = comparison.rows.filter((row) => figure in row.figures);
  const columns = columnsOf(comparison, rows, figure);
  const body = h("tbody", { role: "rowgroup" });
  const heads = columns.map((column) => heading(column, (rising) => sort(column, rising)));
  const show = (column, rising) => {
    body.replaceChildren(...ordered(rows, column.key, rising).map((row) => line(row, columns)));
    const order = rising ? "ascending" : "descending";
    heads.forEach((head, i) => head.setAttribute("aria-sort", columns[i] === column ? order : "none"));
    return order;
  };
  const sort = (column, rising) => announce(`Sorted by ${column.name}, ${show(column, rising)}`);
  show(columns[1], columns[1].rising);
  const caption = h("caption", { class: "unseen" }, `${figureName(figure)} of models and baselines`);
  const head = h("thead", { role: "rowgroup" }, h("tr", { role: "row" }, heads));
  return scrollable("Leaderboard", h("table", { class: "board", role: "table" }, caption, head, body));
}

/** Sorted by a key; rows without one come last either way. */
function ordered(rows, key, rising) {
  const known = rows.filter((row) => key(row) !== undefined);
  const compare = (a, b) => (typeof a === "string" ? a.localeCompare(b) : a - b);
  const sorted = known.toSorted((a, b) => (rising ? 1 : -1) * compare(key(a), key(b)));
  return [...sorted, ...rows.filter((row) => key(row) === undefined)];
}

function columnsOf({ contrasts, latencies = {} }, rows, figure) {
  const best = contrasts.find((c) => c.role === "best baseline" && c.figure === figure)?.right;
  const reference = rows.find((row) => row.name === best)?.figures[figure].estimate ?? null;
  const both = reach(rows.map((row) => row.figures[figure]));
  const value = (row) => row.figures[figure];
  const against = (row) => standing(contrasts, row.name, figure);
  const plot = (row) => whisker(value(row), scale(...both), { hollow: row.kind === "baseline", reference });
  const milliseconds = (row) => latencies[row.name]?.single_ms;
  const columns = [
    { name: "Model", key: (row) => row.name, cell: (row) => named(row, best), rising: true },
    {
      name: figureName(figure),
      kind: "figure",
      key: (row) => value(row).estimate,
      cell: (row) => measured(value(row)),
    },
    { name: "95 % interval", kind: "plotted", head: axis(...both), cell: plot },
    { name: "Skill", kind: "figure wide", key: (row) => skillOf(row)?.estimate, cell: (row) => skill(skillOf(row)) },
    {
      name: "Against the best baseline",
      kind: "verdicts",
      key: (row) => against(row)?.difference.estimate,
      cell: (row) => verdict(against(row)),
    },
    { name: "Parameters", kind: "figure wide", key: ({ subject }) => subject.parameters + subject.fitted, cell: size },
    {
      name: "One prediction",
      kind: "figure wide",
      key: milliseconds,
      cell: (row) => time(milliseconds(row)),
      rising: true,
    },
  ];
  columns[1].rising = LOWER_IS_BETTER.test(figure);
  return rows.some((row) => milliseconds(row)) ? columns : columns.slice(0, -1);
}

/** From a little below the lowest end to a little above the highest. */
function reach(intervals) {
  const all = intervals.flatMap((one) => [one.estimate, ...ends(one)]);
  const [low, high] = [Math.min(...all), Math.max(...all)];
  const room = (high - low) * 0.04 || 0.01;
  return [low - room, high + room];
}

/** A first press sorts from the best on, a second the other way round. */
function heading(column, sort) {
  const head = h("th", { scope: "col", role: "columnheader", class: column.kind });
  const press = () => {
    const now = head.getAttribute("aria-sort");
    sort(now === "none" ? Boolean(column.rising) : now === "descending");
  };
  if (column.key) head.append(h("button", { type: "button", class: "sort", on: { click: press } }, column.name));
  else head.append(h("span", { class: "unseen" }, column.name), column.head);
  return head;
}

function line(row, [first, ...others]) {
  const cells = others.map(({ kind, cell }) => h("td", { role: "cell", class: kind }, cell(row)));
  return h(
    "tr",
    { role: "row", class: row.kind },
    h("th", { scope: "row", role: "rowheader" }, first.cell(row)),
    cells,
  );
}

function named({ name, kind, subject }, best) {
  if (kind === "baseline") return [name, h("small", {}, name === best ? "best baseline" : "baseline")];
  const origin = [subject.architecture, subject.variant, subject.trained_on].filter(Boolean).join(" · ");
  const link = name.includes(" ") ? name : h("a", { href: `#/models/${name}` }, name); // "NAME (2 seeds)"
  return [link, h("small", {}, origin)];
}

export const measured = (interval) => [h("strong", {}, number(interval.estimate)), h("small", {}, span(interval))];

const skillOf = (row) => (row.kind === "model" ? (row.skill ?? undefined) : undefined);

const skill = (interval) =>
  interval ? [signedPercent(interval.estimate), h("small", {}, between(interval, signedPercent))] : null;

function verdict(contrast) {
  if (!contrast) return null;
  const { difference: d, verdict: words } = contrast;
  const digits = Math.abs(d.estimate) < 0.001 ? 5 : 4;
  const write = (value) => signed(value, digits);
  return h(
    "span",
    { class: `verdict ${words.replace(" ", "-")}` },
    h("span", { "aria-hidden": "true" }, MARKS[words]),
    ` ${words}`,
    h("small", {}, `${write(d.estimate)}, ${between(d, write)}`),
  );
}

const size = ({ subject }) =>
  subject.parameters
    ? short(subject.parameters)
    : h("span", { title: "fitted in closed form, not trained" }, `(${short(subject.fitted)})`);

const time = (milliseconds) => (milliseconds === undefined ? null : duration(milliseconds));
