// A comparison: every row with its interval, what may be said against the best baseline, and what it was measured on.

import { get } from "../api.js";
import { axis, scale, whisker } from "../charts.js";
import { announce, disclosure, empty, facts, h, scrollable } from "../dom.js";
import { count, date, figureName, number, plural, short, signed, signedPercent, span } from "../format.js";

const SHOWN = [
  "cosine",
  "cosine_centred",
  "mrr[document]",
  "mrr[foreign-10k]",
  "recall@10[document]",
  "rank_norm[document]",
  "spread",
];
const LOWER_IS_BETTER = /^rank_norm/;
const MARKS = { better: "▲", worse: "▼", "cannot tell": "●" };

export async function show(study, signal) {
  const board = await get(`/v1/leaderboard${study ? `?study=${encodeURIComponent(study)}` : ""}`, signal);
  if (!board.comparison) return { title: "Leaderboard", content: [h("h1", {}, "Leaderboard"), nothing()] };
  return { title: "Leaderboard", content: page(board.comparison, board.recorded) };
}

function nothing() {
  return empty(
    "Nothing has been compared yet",
    "Train at least one model, then set it against every baseline on documents that it has not seen:",
    ["nextvec train gru --corpus NAME", "nextvec compare gru-NAME"],
  );
}

function page(comparison, recorded) {
  const figures = SHOWN.filter((figure) => comparison.rows.some((row) => figure in row.figures));
  const place = h("div", {});
  const draw = (figure) => place.replaceChildren(table(comparison, figure));
  draw(figures[0]);
  const options = figures.map((figure) => h("option", { value: figure }, figureName(figure)));
  const chooser = h("select", { id: "figure", on: { change: (event) => draw(event.target.value) } }, options);
  return [
    h("h1", {}, "Leaderboard"),
    headline(comparison),
    comparison.caution ? caution(comparison.caution) : null,
    h(
      "div",
      { class: "controls" },
      h("label", { for: "figure" }, "Figure"),
      chooser,
      recorded.length > 1 ? others(comparison, recorded) : null,
    ),
    place,
    h("p", { class: "caption" }, measuredOn(comparison)),
    verdicts(comparison),
    origin(comparison),
  ].filter(Boolean);
}

function headline({ rows, contrasts }) {
  const best = rows.find((row) => row.kind === "model");
  const contrast = best && standing(contrasts, best.name, "cosine");
  if (!contrast)
    return h(
      "p",
      { class: "lead" },
      best ? `${best.name} has the highest cosine; it was set against no baseline.` : "Only baselines were measured.",
    );
  const words = {
    better: `${best.name} predicts the next vector better than ${contrast.right}, the best baseline.`,
    worse: `No model here beats the best baseline: even ${best.name} is worse than ${contrast.right}.`,
    "cannot tell": `${best.name} has the highest cosine of the models, and cannot be told from ${contrast.right}, the best baseline.`,
  };
  return h("p", { class: "lead" }, words[contrast.verdict]);
}

function caution(few) {
  return h(
    "p",
    { class: "caution", role: "note" },
    h("strong", {}, `Caution: ${few}. `),
    "The intervals are wide; another draw of test documents could change the order. Doubt small differences.",
  );
}

function others(comparison, recorded) {
  const options = recorded.map((entry) =>
    h(
      "option",
      { value: entry.id, selected: entry.id === comparison.id },
      `${date(entry.date)} · ${entry.title.split(" (")[0].split(", ").slice(0, 1)}`,
    ),
  );
  const change = (event) => (location.hash = `#/leaderboard/${event.target.value}`);
  return [h("label", { for: "study" }, "Comparison"), h("select", { id: "study", on: { change } }, options)];
}

const standing = (contrasts, name, figure) =>
  contrasts.find((c) => c.left === name && c.role === "best baseline" && c.figure === figure);

/** The table of one figure, sorted by it; headings with a button sort. */
function table(comparison, figure) {
  const rows = comparison.rows.filter((row) => figure in row.figures);
  const bestBaseline =
    comparison.contrasts.find((c) => c.role === "best baseline" && c.figure === figure)?.right ?? null;
  const ends = rows.flatMap((row) => [row.figures[figure].low, row.figures[figure].high]);
  const room = (Math.max(...ends) - Math.min(...ends)) * 0.04 || 0.01;
  const [low, high] = [Math.min(...ends) - room, Math.max(...ends) + room];
  const reference = rows.find((row) => row.name === bestBaseline)?.figures[figure].estimate ?? null;
  const body = h("tbody", { role: "rowgroup" });
  const columns = [
    { name: "Model", key: (row) => row.name, rising: true },
    {
      name: figureName(figure),
      key: (row) => row.figures[figure].estimate,
      rising: LOWER_IS_BETTER.test(figure),
      kind: "figure",
    },
    { name: "95 % interval", kind: "plotted" },
    { name: "Skill", key: (row) => row.skill?.estimate ?? -Infinity, kind: "figure wide" },
    {
      name: "Against the best baseline",
      key: (row) => standing(comparison.contrasts, row.name, figure)?.difference.estimate ?? -Infinity,
      kind: "verdicts",
    },
    { name: "Parameters", key: (row) => row.subject.parameters + row.subject.fitted, kind: "figure wide" },
  ];
  const draw = (row) => line(row, { comparison, figure, bestBaseline, reference, toUnit: scale(low, high) });
  const heads = columns.map((column) => heading(column, axis(low, high), (rising) => sort(column, rising)));
  const sort = (column, rising, quiet = false) => {
    const sign = rising ? 1 : -1;
    const compare = (a, b) => sign * (typeof a === "string" ? a.localeCompare(b) : a - b);
    body.replaceChildren(...rows.toSorted((a, b) => compare(column.key(a), column.key(b))).map(draw));
    heads.forEach((head, i) =>
      head.setAttribute("aria-sort", columns[i] === column ? (rising ? "ascending" : "descending") : "none"),
    );
    if (!quiet) announce(`Sorted by ${column.name}, ${rising ? "ascending" : "descending"}`);
  };
  sort(columns[1], columns[1].rising, true);
  return scrollable(
    "Leaderboard",
    h(
      "table",
      { class: "board", role: "table" },
      h("caption", { class: "unseen" }, `${figureName(figure)} of models and baselines`),
      h("thead", { role: "rowgroup" }, h("tr", { role: "row" }, heads)),
      body,
    ),
  );
}

/** A sortable heading: a first press sorts from the best on, a second the other way round. */
function heading(column, scaleDrawn, sort) {
  if (!column.key)
    return h(
      "th",
      { scope: "col", role: "columnheader", class: column.kind },
      h("span", { class: "unseen" }, column.name),
      scaleDrawn,
    );
  const head = h("th", { scope: "col", role: "columnheader", class: column.kind });
  const press = () =>
    sort(
      head.getAttribute("aria-sort") === "none"
        ? Boolean(column.rising)
        : head.getAttribute("aria-sort") === "descending",
    );
  head.append(h("button", { type: "button", class: "sort", on: { click: press } }, column.name));
  return head;
}

function line(row, { comparison, figure, bestBaseline, reference, toUnit }) {
  const interval = row.figures[figure];
  const baseline = row.kind === "baseline";
  const { parameters, fitted, trained_on: made } = row.subject;
  const name = baseline ? row.name : h("a", { href: `#/models/${encodeURIComponent(row.name)}` }, row.name);
  const origin = baseline
    ? row.name === bestBaseline
      ? "best baseline"
      : "baseline"
    : [row.subject.architecture, made].filter(Boolean).join(" · ");
  const skill =
    row.skill && !baseline
      ? [
          signedPercent(row.skill.estimate),
          h("small", {}, `${signedPercent(row.skill.low)} to ${signedPercent(row.skill.high)}`),
        ]
      : null;
  const cell = (kind, ...content) => h("td", { role: "cell", class: kind }, content);
  return h(
    "tr",
    { role: "row", class: row.kind },
    h("th", { scope: "row", role: "rowheader" }, name, h("small", {}, origin)),
    cell("figure", h("strong", {}, number(interval.estimate)), h("small", {}, span(interval))),
    cell("plotted", whisker(interval, toUnit, { hollow: baseline, reference })),
    cell("figure wide", skill),
    cell("verdicts", verdictOf(standing(comparison.contrasts, row.name, figure))),
    cell(
      "figure wide",
      parameters ? short(parameters) : h("span", { title: "fitted in closed form, not trained" }, `(${short(fitted)})`),
    ),
  );
}

function verdictOf(contrast) {
  if (!contrast) return null;
  const { difference: d, verdict } = contrast;
  const digits = Math.abs(d.estimate) < 0.001 ? 5 : 4;
  return h(
    "span",
    { class: `verdict ${verdict.replace(" ", "-")}` },
    h("span", { "aria-hidden": "true" }, MARKS[verdict]),
    ` ${verdict}`,
    h("small", {}, `${signed(d.estimate, digits)}, ${signed(d.low, digits)} to ${signed(d.high, digits)}`),
  );
}

function measuredOn({ targets, documents, corpus, encoder, fingerprint }) {
  return (
    `Measured on ${plural(targets, "target")} in ${plural(documents, "test document")} of ${corpus} that no model was trained on, ` +
    `encoded with ${encoder}; test set ${fingerprint}. Intervals are 95 %, by bootstrap over documents; hollow dots are baselines, ` +
    `the thin line is the best of them. Skill is the share of the best baseline's cosine error that is gone. ` +
    `Numbers in brackets were fitted in closed form, not trained.`
  );
}

function verdicts({ contrasts }) {
  const sentences = [...new Set(contrasts.filter((c) => c.figure === "cosine").map((c) => c.sentence))];
  return sentences.length
    ? disclosure(
        `Every verdict in words (${count(sentences.length)})`,
        h(
          "ul",
          { class: "sentences" },
          sentences.map((sentence) => h("li", {}, sentence)),
        ),
      )
    : null;
}

function origin({ provenance = {}, date: written }) {
  return disclosure(
    "Where these figures come from",
    facts([["recorded", date(written)], ...Object.entries(provenance)]),
  );
}
