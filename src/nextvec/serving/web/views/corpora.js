// Corpora: how each grew, whether its order carries anything, and what its text looks like.

import { get } from "../api.js";
import { bar, lineChart } from "../charts.js";
import { empty, facts, h, linkTo, scrollable, trail } from "../dom.js";
import { between, bytes, count, date, number, percent, plural, span } from "../format.js";

export async function show(name, signal) {
  return name
    ? one(await get(`/v1/corpora/${encodeURIComponent(name)}`, signal))
    : all((await get("/v1/corpora", signal)).data);
}

function all(corpora) {
  const heading = h("h1", {}, "Corpora");
  if (!corpora.length) return { title: "Corpora", content: [heading, nothing()] };
  return {
    title: "Corpora",
    content: [
      heading,
      h("p", { class: "lead" }, `${plural(corpora.length, "corpus", "corpora")} in this workspace.`),
      h("ul", { class: "cards" }, corpora.map(card)),
    ],
  };
}

function nothing() {
  return empty(
    "No corpus yet",
    "Ingest a file, a folder or a dump; or, without any download, the manual that comes with Python:",
    ["nextvec corpus ingest pydocs: --corpus demo", "nextvec corpus ingest articles.jsonl.gz --corpus mine"],
  );
}

function card(corpus) {
  const tags = Object.keys(corpus.tags);
  return h(
    "li",
    { class: "panel" },
    h("h2", {}, linkTo("corpora", corpus.name)),
    facts([
      ["documents", count(corpus.documents)],
      ["chunks", count(corpus.chunks)],
      ["generations", tags.length ? tags.join(", ") : "none tagged"],
      ["encoder", `${corpus.encoder.name}, ${corpus.encoder.dim}`],
      ["chunker", chunkerName(corpus.chunker)],
      ["on disk", bytes(corpus.stored_bytes)],
    ]),
  );
}

function chunkerName({ name, ...options }) {
  const told = Object.entries(options).map(([key, value]) => `${key} ${value}`);
  return told.length ? `${name} (${told.join(", ")})` : name;
}

function one(corpus) {
  const content = [
    trail("corpora", "Corpora"),
    h("h1", {}, corpus.name),
    facts([
      ["documents", count(corpus.documents)],
      ["chunks", count(corpus.chunks)],
      ["headings", corpus.headings === null ? "not kept" : count(corpus.headings)],
      ["encoder", `${corpus.encoder.name}, ${corpus.encoder.dim} numbers a vector`],
      ["fingerprint of the encoder", h("code", {}, corpus.encoder.fingerprint)],
      ["chunker", chunkerName(corpus.chunker)],
      [
        "held out",
        `${percent(corpus.split.test / 1000)} test, ${percent((corpus.split.validation - corpus.split.test) / 1000)} validation, by document`,
      ],
      ...measured(corpus.measured),
      ["on disk", `${bytes(corpus.stored_bytes)}, ${corpus.dtype}`],
      ["last written", date(corpus.modified)],
    ]),
    generations(corpus),
    corpus.coherence ? coherence(corpus.coherence) : null,
    samples(corpus.samples),
  ];
  return { title: corpus.name, content: content.filter(Boolean) };
}

function measured(found) {
  if (!found) return [];
  const parts = Object.entries(found.parts).map(([name, part]) => `${name} ${count(part.documents)}`);
  return [
    ["windows", `${count(found.windows)} targets with five chunks before them`],
    ["documents by part", parts.join(", ")],
    [
      "neighbouring chunks",
      found.lag_1 === null ? null : `mean cosine ${number(found.lag_1)}, in random order ${number(found.shuffled)}`,
    ],
    ["index", found.recall === null ? found.index : `${found.index}, finds ${percent(found.recall)} of the 16 nearest`],
  ].filter(([, text]) => text !== null);
}

function generations({ name, generations: versions }) {
  const largest = Math.max(...versions.map((version) => version.chunks), 1);
  const row = (version) =>
    h(
      "tr",
      {},
      h("th", { scope: "row" }, `${name}@${version.tag ?? `v${version.version}`}`),
      h("td", { class: "figure wide" }, String(version.version)),
      h("td", { class: "figure wide" }, count(version.documents)),
      h("td", { class: "figure" }, count(version.chunks)),
      h("td", { class: "plotted wide" }, bar(version.chunks / largest)),
      h(
        "td",
        { class: "models" },
        version.models.length
          ? version.models.map((model, i) => [i ? ", " : "", linkTo("models", model)])
          : "none",
      ),
    );
  const head = [
    ["Generation"],
    ["Version", "figure wide"],
    ["Documents", "figure wide"],
    ["Chunks", "figure"],
    ["Size", "plotted wide"],
    ["Models trained on it", "models"],
  ].map(([title, kind]) => h("th", { scope: "col", class: kind }, title));
  return h(
    "section",
    {},
    h("h2", {}, "Generations"),
    scrollable("Generations", h("table", {}, h("thead", {}, h("tr", {}, head)), h("tbody", {}, versions.map(row)))),
    h(
      "p",
      { class: "caption" },
      "A generation never changes: ",
      h("code", {}, `nextvec corpus tag ${name} TAG`),
      " names the newest version.",
    ),
  );
}

function coherence(c) {
  const verdict = c.passed ? "The order carries something to learn." : `Not sequential: ${c.reasons.join("; ")}.`;
  const measured = `Measured on the beginnings of ${plural(c.documents, "document")} of ${c.label} (${plural(c.chunks, "chunk")}); intervals are 95 %. In full: `;
  return h(
    "section",
    {},
    h("h2", {}, "Coherence"),
    h("p", { class: c.passed ? "lead" : "caution" }, verdict),
    h("div", { class: "beside" }, c.lags.length > 1 ? lagCurve(c) : null, order(c)),
    h("p", { class: "caption" }, measured, h("code", {}, `nextvec corpus check ${c.label}`)),
  );
}

function lagCurve({ lags, across }) {
  const told = lags.map((p) => `lag ${p.lag} ${number(p.ordered, 3)}, in random order ${number(p.shuffled, 3)}`);
  const line = (name, kind, of) => ({ name, kind, dots: true, points: lags.map((p) => [p.lag, of(p)]) });
  return lineChart({
    title: "How close chunks are, by distance in the document",
    label: `Mean cosine by lag: ${told.join("; ")}.`,
    xName: "chunks apart",
    yName: "mean cosine",
    xMarks: lags.map((p) => p.lag),
    series: [
      line("in order", "main", (p) => p.ordered),
      line("same documents, random order", "other", (p) => p.shuffled),
    ],
    levels: across === null ? [] : [{ name: "chunks of different documents", y: across }],
  });
}

function order({ excess, order: closer, duplicates, too_short: short, list_likeness: likeness }) {
  const told = (estimate, note) => [h("strong", {}, estimate), h("small", {}, note)];
  const range = closer && `${between(closer, percent)}; chance is 50 %`;
  return facts([
    ["excess at lag 1", excess && told(number(excess.estimate, 3), span(excess, 3))],
    ["next chunk closer than another of its document", closer && told(percent(closer.estimate), range)],
    ["duplicates", percent(duplicates, 1)],
    ["documents too short to learn from", percent(short, 1)],
    ["chunks that look like lists", likeness && percent(likeness.total, 1)],
  ]);
}

function samples(documents) {
  if (!documents.length) return null;
  const shown = documents.map((document, i) =>
    h(
      "details",
      { class: "document", open: i === 0 },
      h("summary", {}, document.title || document.document),
      h(
        "ol",
        { class: "chunks" },
        document.chunks.map((chunk) => h("li", {}, chunk)),
      ),
      h("p", { class: "caption" }, [document.source, document.licence].filter(Boolean).join(" · ")),
    ),
  );
  return h(
    "section",
    {},
    h("h2", {}, "How documents begin"),
    h("p", { class: "caption" }, "Each line is one chunk, and one vector to the models."),
    shown,
  );
}
