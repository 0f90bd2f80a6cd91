// Models of the workspace, and one model: what it is, what it was made from, how it learnt, what it scores.

import { get } from "../api.js";
import { measured } from "../board.js";
import { axis, lineChart, scale, whisker } from "../charts.js";
import { disclosure, facts, h, linkTo, scrollable, trail } from "../dom.js";
import { MEANINGS, count, date, figureName, number, plural, short, signedPercent } from "../format.js";
import { render } from "../markdown.js";
import { noModel, served } from "../served.js";

const UNPLOTTED = /^(copy_ratio|spread)/; // not confined to 0..1
const POOLS = {
  document: "the other chunks of its document",
  ahead: "the chunks after it in its document",
  "document+context": "the chunks of its document, its context too",
  "foreign-10k": "chunks of other documents",
};

export async function show(name, signal) {
  return name ? one(await get(`/v1/models/${encodeURIComponent(name)}`, signal)) : all(await served(signal));
}

function all({ models, faults }) {
  const heading = h("h1", {}, "Models");
  if (!models.length) return { title: "Models", content: [heading, noModel("No model yet", faults)] };
  const head = [
    ["Model"],
    ["Architecture", "wide"],
    ["Corpus", "wide"],
    ["Encoder", "wide"],
    ["Parameters", "figure wide"],
    ["Cosine", "figure"],
    ["Skill", "figure"],
  ];
  const heads = head.map(([name, kind]) => h("th", { scope: "col", class: kind ?? null }, name));
  const table = h(
    "table",
    {},
    h("caption", { class: "unseen" }, "Models"),
    h("thead", {}, h("tr", {}, heads)),
    h("tbody", {}, models.map(row)),
  );
  const hint =
    "Cosine is on validation documents; skill is the share of the best baseline's error that is gone. Intervals are on each model's own page and on the leaderboard.";
  return {
    title: "Models",
    content: [
      heading,
      h("p", { class: "lead" }, `${plural(models.length, "model")} served here.`),
      scrollable("Models", table),
      h("p", { class: "caption" }, hint),
    ],
  };
}

function row({ id, nextvec: m }) {
  const marks = [
    ...(m.aliases ?? []).map((alias) => h("span", { class: "tag" }, alias)),
    m.ready === false ? h("span", { class: "tag faint" }, "not loaded") : null,
  ];
  const origin = h("small", { class: "narrow" }, [m.architecture, m.corpus].filter(Boolean).join(" · "));
  return h(
    "tr",
    {},
    h("th", { scope: "row" }, linkTo("models", id), marks, origin),
    h("td", { class: "wide" }, m.architecture),
    h("td", { class: "wide" }, m.corpus ?? "–"),
    h("td", { class: "wide" }, m.encoder ?? "–"),
    h("td", { class: "figure wide" }, m.parameters ? short(m.parameters) : "0"),
    h("td", { class: "figure" }, number(m.cosine ?? null)),
    h("td", { class: "figure" }, m.skill === null || m.skill === undefined ? "–" : signedPercent(m.skill)),
  );
}

function one(model) {
  const m = model.nextvec;
  const content = [
    trail("models", "Models"),
    h(
      "h1",
      {},
      model.id,
      (m.aliases ?? []).map((alias) => h("span", { class: "tag" }, alias)),
    ),
    facts([
      ["architecture", m.architecture],
      ["starts at", startOf(m)],
      ["context", m.context === null ? "all chunks so far" : plural(m.context, "chunk")],
      ["trained parameters", count(m.parameters)],
      ["fitted in closed form", count(m.fitted)],
      ["corpus", m.corpus && linkTo("corpora", m.corpus.split("@")[0], m.corpus)],
      ["encoder", m.encoder && `${m.encoder}, ${m.dim} numbers a vector`],
      ["saved", date(new Date(model.created * 1000).toISOString())],
    ]),
    m.damaged?.length
      ? h("p", { class: "caution" }, `Damaged, so it cannot be shown: ${m.damaged.join(", ")}. Restore it from a copy.`)
      : null,
    m.metrics.warning && h("p", { class: "caution" }, m.metrics.warning),
    h("section", { class: "charts" }, validation(m), loss(m)),
    ...evaluations(m.evaluations, m.name),
    lineage(m.lineage),
    history(m.history ?? []),
    disclosure("Model card", h("div", { class: "card" }, render(m.card, 2))),
    disclosure("Configuration", h("pre", { tabindex: "0" }, h("code", {}, JSON.stringify(m.config, null, 2)))),
  ];
  return { title: model.id, content: content.filter(Boolean) };
}

/** What it comes from and what became of it, as nested lists. */
function lineage(root) {
  const node = ({ what, said, below }) =>
    h("li", {}, h("b", {}, what), " ", said, below.length ? h("ul", {}, below.map(node)) : null);
  return h("section", {}, h("h2", {}, "Lineage"), h("ul", { class: "lineage" }, node(root)));
}

function startOf({ kind, anchor }) {
  if (kind === "baseline") return null;
  return anchor === "none" ? "nothing (no anchor)" : `${anchor}, may only improve on it`;
}

function validation({ curve, metrics }) {
  const points = curve.epochs.map((epoch) => [epoch.epoch, epoch.validation_cosine]);
  if (points.length < 2) return null;
  const [first, last] = [points[0][1], points.at(-1)[1]];
  const best = metrics.best_baseline_cosine;
  return lineChart({
    title: "Cosine on validation documents",
    label: `Validation cosine by epoch, from ${number(first)} to ${number(last)} in ${plural(points.length - 1, "epoch")}.${best ? ` The best baseline, ${metrics.best_baseline}, has ${number(best)}.` : ""}`,
    xName: "epoch",
    yName: "cosine",
    xMarks: points.map(([epoch]) => epoch).filter((epoch) => epoch % Math.ceil(points.length / 12) === 0),
    series: [{ name: "this model", kind: "main", dots: true, points }],
    levels: best ? [{ name: `${metrics.best_baseline}, the best baseline`, y: best }] : [],
  });
}

function loss({ curve }) {
  const steps = curve.steps.map((step) => [step.step, step.loss]);
  const epochs = curve.epochs.filter((epoch) => epoch.epoch > 0).map((epoch) => [epoch.step, epoch.loss]);
  if (steps.length < 2) return null;
  return lineChart({
    title: "Training loss",
    label: `Training loss by step, from ${number(steps[0][1], 3)} to ${number(steps.at(-1)[1], 3)} in ${count(steps.at(-1)[0])} steps.`,
    xName: "step",
    yName: "loss",
    series: [
      { name: "of single batches", kind: "other", points: steps },
      { name: "mean of an epoch", kind: "main", dots: true, points: epochs },
    ],
  });
}

/** The figures of one test set, those of vectors first, then ranks by the pool that they were ranked in. */
function evaluation(measured) {
  const { corpus, documents, targets, fingerprint, leakage, caution, figures } = measured;
  const names = Object.keys(figures).filter((name) => !name.startsWith("pool_size"));
  const plain = names.filter((name) => !name.includes("["));
  const ranked = Object.entries(POOLS).map(([pool, words]) => [
    pool,
    words,
    names.filter((name) => name.endsWith(`[${pool}]`)),
  ]);
  const sections = [
    section(
      "The vector itself",
      plain.toSorted((a, b) => b.startsWith("cosine") - a.startsWith("cosine")),
      figures,
    ),
    ...ranked.map(([pool, words, own]) =>
      section(
        `The true next chunk among ${count(Math.round(figures[`pool_size[${pool}]`]?.estimate ?? 0))} (on average): ${words}`,
        own,
        figures,
      ),
    ),
  ];
  const column = (kind, ...said) => h("th", { scope: "col", role: "columnheader", class: kind }, ...said);
  const head = h(
    "tr",
    { role: "row" },
    column("", "Figure"),
    column("figure", "Value, 95 % interval"),
    column("plotted", h("span", { class: "unseen" }, "Drawn"), axis(0, 1, 2)),
    column("figure wide", "Chance"),
  );
  return [
    h(
      "p",
      { class: "caption" },
      `${plural(targets, "target")} in ${plural(documents, "document")}${leakage ? "" : " that the model has not seen"}; test set ${fingerprint}. The thin line is chance.`,
    ),
    leakage && h("p", { class: "caution" }, leakage),
    caution && h("p", { class: "caution" }, `Caution: ${caution}. Expect wide intervals.`),
    scrollable(
      `Figures on ${corpus}`,
      h("table", { class: "board figures", role: "table" }, h("thead", { role: "rowgroup" }, head), sections),
    ),
  ];
}

function section(title, names, figures) {
  const heading = h(
    "tr",
    { role: "row", class: "section" },
    h("th", { scope: "rowgroup", role: "rowheader", colspan: 4 }, title),
  );
  return names.length
    ? h(
        "tbody",
        { role: "rowgroup" },
        heading,
        names.map((name) => figure(name, figures[name])),
      )
    : null;
}

function figure(name, interval) {
  const base = name.replace(/\[.*/, "");
  const drawn = UNPLOTTED.test(name) ? null : whisker(interval, scale(0, 1), { reference: interval.chance });
  return h(
    "tr",
    { role: "row" },
    h("th", { scope: "row", role: "rowheader" }, figureName(base), h("small", {}, MEANINGS[base])),
    h("td", { role: "cell", class: "figure" }, measured(interval)),
    h("td", { role: "cell", class: "plotted" }, drawn),
    h("td", { role: "cell", class: "figure wide" }, interval.chance === null ? null : number(interval.chance)),
  );
}

/** The newest evaluation is open, older ones closed. */
function evaluations([newest, ...older], id) {
  if (!newest) return [h("p", { class: "panel" }, "Not evaluated yet: ", h("code", {}, `nextvec compare ${id}`))];
  return [
    h("section", {}, h("h2", {}, `On test documents of ${newest.corpus}`), evaluation(newest)),
    ...older.map((measured) =>
      disclosure(
        `Earlier: on ${plural(measured.documents, "test document")} of ${measured.corpus}`,
        evaluation(measured),
      ),
    ),
  ];
}

function history(entries) {
  if (!entries.length) return null;
  const items = entries.toReversed().map((entry) => h("li", {}, entry.sentence));
  return h("section", {}, h("h2", {}, "Aliases"), h("ol", { class: "history" }, items));
}
