// Models of the workspace, and one model: what it is, what it was made from, how it learnt, what it scores.

import { get } from "../api.js";
import { axis, lineChart, scale, whisker } from "../charts.js";
import { disclosure, empty, facts, h, scrollable } from "../dom.js";
import { count, date, figureName, number, plural, short, signedPercent, span } from "../format.js";
import { render } from "../markdown.js";

const UNPLOTTED = /^(pool_size|copy_ratio|spread)/;

export async function show(name, signal) {
  return name ? one(await get(`/v1/models/${encodeURIComponent(name)}`, signal)) : all((await get("/v1/models", signal)).data);
}

function all(models) {
  const heading = h("h1", {}, "Models");
  if (!models.length) return { title: "Models", content: [heading, nothing()] };
  const head = ["Model", "Architecture", "Corpus", "Encoder", "Parameters", "Cosine", "Skill"].map((name, i) => h("th", { scope: "col", class: i > 3 ? "figure" : null }, name));
  const table = h("table", { class: "listing" }, h("caption", { class: "unseen" }, "Models of this workspace"), h("thead", {}, h("tr", {}, head)), h("tbody", {}, models.map(row)));
  const hint = "Cosine is on validation documents; skill is the share of the best baseline's error that is gone. Intervals are on each model's own page and on the leaderboard.";
  return { title: "Models", content: [heading, h("p", { class: "lead" }, `${plural(models.length, "model")} in this workspace.`), scrollable("Models", table), h("p", { class: "caption" }, hint)] };
}

function nothing() {
  return empty("No model yet", "Ingest text, train a model, and reload this page:", [
    "nextvec corpus ingest articles.jsonl.gz --corpus mine",
    "nextvec train gru --corpus mine",
  ]);
}

function row({ id, nextvec: m }) {
  const marks = [...(m.aliases ?? []).map((alias) => h("span", { class: "tag" }, alias)), m.ready === false ? h("span", { class: "tag faint" }, "not loaded") : null];
  return h(
    "tr",
    {},
    h("th", { scope: "row" }, h("a", { href: `#/models/${encodeURIComponent(id)}` }, id), marks),
    h("td", {}, m.architecture),
    h("td", {}, m.corpus ?? "–"),
    h("td", {}, m.encoder ?? "–"),
    h("td", { class: "figure" }, m.parameters ? short(m.parameters) : "0"),
    h("td", { class: "figure" }, number(m.cosine ?? null)),
    h("td", { class: "figure" }, m.skill === null || m.skill === undefined ? "–" : signedPercent(m.skill)),
  );
}

function one(model) {
  const m = model.nextvec;
  const content = [
    h("p", { class: "trail" }, h("a", { href: "#/models" }, "Models")),
    h("h1", {}, model.id, (m.aliases ?? []).map((alias) => h("span", { class: "tag" }, alias))),
    facts([
      ["architecture", m.architecture],
      ["starts at", m.anchor === "none" ? "nothing (no anchor)" : `${m.anchor}, may only improve on it`],
      ["context", m.context === null ? "all chunks so far" : plural(m.context, "chunk")],
      ["trained parameters", count(m.parameters)],
      ["fitted in closed form", count(m.fitted)],
      ["corpus", m.corpus && h("a", { href: `#/corpora/${encodeURIComponent(m.corpus.split("@")[0])}` }, m.corpus)],
      ["encoder", m.encoder && `${m.encoder}, ${m.dim} numbers a vector`],
      ["saved", date(new Date(model.created * 1000).toISOString())],
    ]),
    h("section", { class: "charts" }, validation(m), loss(m)),
    ...m.evaluations.map(figures),
    m.evaluations.length ? null : h("p", { class: "panel quiet-panel" }, "Not evaluated yet: ", h("code", {}, `nextvec compare ${model.id}`)),
    history(m.history ?? []),
    disclosure("Model card", h("div", { class: "card" }, render(m.card, 2))),
    disclosure("Configuration", h("pre", { tabindex: "0" }, h("code", {}, JSON.stringify(m.config, null, 2)))),
  ];
  return { title: model.id, content: content.filter(Boolean) };
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
  const points = curve.steps.map((step) => [step.step, step.loss]);
  if (points.length < 2) return null;
  return lineChart({
    title: "Training loss",
    label: `Training loss by step, from ${number(points[0][1], 3)} to ${number(points.at(-1)[1], 3)} in ${count(points.at(-1)[0])} steps.`,
    xName: "step",
    yName: "loss",
    series: [{ name: "loss", kind: "main", points }],
  });
}

/** Every figure of one test set: those between 0 and 1 drawn on one scale. */
function figures({ corpus, documents, targets, fingerprint, caution, figures: measured }) {
  const rows = Object.entries(measured).map(([name, interval]) =>
    h(
      "tr",
      {},
      h("th", { scope: "row" }, figureName(name)),
      h("td", { class: "figure" }, h("strong", {}, number(interval.estimate, /^pool_size/.test(name) ? 0 : 4)), h("small", {}, span(interval, /^pool_size/.test(name) ? 0 : 4))),
      h("td", { class: "plotted" }, UNPLOTTED.test(name) ? null : whisker(interval, scale(0, 1), { reference: interval.chance })),
      h("td", { class: "figure wide" }, interval.chance === null ? "" : number(interval.chance)),
    ),
  );
  const head = h("tr", {}, h("th", { scope: "col" }, "Figure"), h("th", { scope: "col", class: "figure" }, "Value, 95 % interval"), h("th", { scope: "col", class: "plotted" }, h("span", { class: "unseen" }, "Drawn"), axis(0, 1, 2)), h("th", { scope: "col", class: "figure wide" }, "Chance"));
  return h(
    "section",
    {},
    h("h2", {}, `On test documents of ${corpus}`),
    h("p", { class: "caption" }, `${plural(targets, "target")} in ${plural(documents, "document")} that the model has not seen; test set ${fingerprint}. The thin line is chance.${caution ? ` Caution, ${caution}: expect wide intervals.` : ""}`),
    scrollable(`Figures on ${corpus}`, h("table", { class: "board" }, h("thead", {}, head), h("tbody", {}, rows))),
  );
}

function history(entries) {
  if (!entries.length) return null;
  const items = entries.toReversed().map((entry) => h("li", {}, entry.sentence));
  return h("section", {}, h("h2", {}, "Aliases"), h("ol", { class: "history" }, items));
}
