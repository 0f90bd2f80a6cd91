// A comparison: every row with its interval, what may be said against the best baseline, and what it was measured on.

import { get } from "../api.js";
import { board, standing } from "../board.js";
import { disclosure, empty, facts, h } from "../dom.js";
import { count, date, figureName, plural } from "../format.js";

const SHOWN = [
  "cosine",
  "cosine_centred",
  "mrr[document]",
  "mrr[ahead]",
  "mrr[foreign-10k]",
  "recall@10[document]",
  "rank_norm[document]",
  "spread",
];

export async function show(study, signal) {
  const board = await get(`/v1/leaderboard${study ? `?study=${encodeURIComponent(study)}` : ""}`, signal);
  if (!board.comparison) return { title: "Leaderboard", content: [h("h1", {}, "Leaderboard"), nothing()] };
  return { title: "Leaderboard", content: page(board.comparison, board.recorded) };
}

function nothing() {
  return empty(
    "Nothing has been compared yet",
    "Train at least one model, then set it against every baseline on documents that it has not seen:",
    ["nextvec train --corpus NAME", "nextvec compare recommended-NAME"],
  );
}

function page(comparison, recorded) {
  const figures = SHOWN.filter((figure) => comparison.rows.some((row) => figure in row.figures));
  const place = h("div", {});
  const draw = (figure) => place.replaceChildren(board(comparison, figure));
  draw(figures[0]);
  const options = figures.map((figure) => h("option", { value: figure }, figureName(figure)));
  const chooser = h("select", { id: "figure", on: { change: (event) => draw(event.target.value) } }, options);
  return [
    h("h1", {}, "Leaderboard"),
    headline(comparison),
    comparison.warning ? caution(comparison.warning) : null,
    comparison.caution ? few(comparison.caution) : null,
    h(
      "div",
      { class: "controls" },
      h("label", { for: "figure" }, "Figure"),
      chooser,
      recorded.length > 1 ? others(comparison, recorded) : null,
    ),
    place,
    h("p", { class: "caption" }, measuredOn(comparison)),
    ...comparison.worth.map((sentence) => h("p", { class: "worth" }, sentence)),
    answers(comparison.answers ?? []),
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

const caution = (...words) => h("p", { class: "caution", role: "note" }, words);

const few = (documents) =>
  caution(
    h("strong", {}, `Caution: ${documents}. `),
    "Another draw of test documents could change the order. Doubt small differences.",
  );

function others(comparison, recorded) {
  const named = ({ id, date: written, models, corpus }) =>
    [date(written), `${plural(models, "model")} on ${corpus}`, id.startsWith("compare-") ? null : id]
      .filter(Boolean)
      .join(" · ");
  const options = recorded.map((entry) =>
    h("option", { value: entry.id, selected: entry.id === comparison.id }, named(entry)),
  );
  const change = (event) => (location.hash = `#/leaderboard/${event.target.value}`);
  return [h("label", { for: "study" }, "Comparison"), h("select", { id: "study", on: { change } }, options)];
}

function measuredOn({ title, warning }) {
  return (
    `Measured on ${title}${warning ? "" : ", which no model was trained on"}. ` +
    `Intervals are 95 %, by bootstrap over documents; hollow dots are baselines, ` +
    `the thin line is the best of them. Skill is the share of the best baseline's cosine error that is gone. ` +
    `Numbers in brackets were fitted in closed form, not trained. A prediction's time is the median of single ones.`
  );
}

/** What a study asked of all its models together. */
function answers(given) {
  if (!given.length) return null;
  const one = ({ question, short, evidence }) => [
    h("h3", {}, question),
    h("p", {}, short),
    evidence.length
      ? h(
          "ul",
          { class: "sentences" },
          evidence.map((finding) => h("li", {}, finding)),
        )
      : null,
  ];
  return h("section", { class: "answers" }, h("h2", {}, "What the models answer together"), given.map(one));
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
