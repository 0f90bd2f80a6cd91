// One model's continuation as it comes: the column of the playground.

import { bar, segments, strip } from "./charts.js";
import { announce, disclosure, facts, h } from "./dom.js";
import { duration, number, percent, plural } from "./format.js";
import { trouble } from "./trouble.js";

const STAGES = ["chunk", "encode", "fill", "predict", "snap", "decode"];
const ENDINGS = {
  length: "complete",
  repetition: "stopped: it began to repeat itself",
  drift: "stopped: it drifted away from the topic",
  time: "stopped: out of time",
  exhausted: "stopped: the corpus has nothing new to say",
};

/** `element` is the column; `take` adds what the server sent, `retry` asks it again. */
export class Reading {
  constructor(model, retry) {
    this.model = model;
    this.retry = retry;
    this.status = h("p", { class: "status" });
    this.body = h("div", {});
    this.element = h(
      "article",
      { class: "reading panel", "aria-label": model },
      h("header", {}, h("h2", {}, h("a", { href: `#/models/${encodeURIComponent(model)}` }, model)), this.status),
      this.body,
    );
  }

  begin() {
    this.kinds = [];
    this.texts = [];
    this.sentences = h("ol", { class: "steps" });
    this.context = h("div", {});
    this.body.replaceChildren(this.context, this.sentences);
    this.element.classList.add("running");
    this.say("working …");
  }

  /** An event of the stream: any of the context, sentences, and the reason for the end. */
  take(event) {
    const { context, sentences = [], finish } = event.choices[0]?.nextvec ?? {};
    if (context) this.open(context);
    for (const step of sentences) this.add(step);
    if (finish) this.finish(finish);
  }

  open({ chunks, own, filled, left_out: left, times = {} }) {
    this.kinds = chunks.map((_, i) => (i < chunks.length - own ? "filled" : "own"));
    this.texts = [...chunks];
    const words = [
      plural(own, "chunk") + " of yours",
      filled ? `${filled} retrieved` : null,
      left ? `${left} earlier left out` : null,
    ].filter(Boolean);
    const list = h(
      "ol",
      { class: "chunks" },
      chunks.map((chunk, i) =>
        h("li", { class: this.kinds[i] }, chunk, this.kinds[i] === "filled" ? h("small", {}, "retrieved") : null),
      ),
    );
    this.context.replaceChildren(disclosure(`Context: ${words.join(", ")}`, list, stageBar(times)));
  }

  add(step) {
    const count = step.context_cosines.length;
    this.sentences.append(h("li", {}, sentence(step, this.kinds.slice(-count), this.texts.slice(-count))));
    this.kinds.push("said");
    this.texts.push(step.text);
    this.say(`${plural(step.number, "sentence")} …`);
    announce(`${this.model}, sentence ${step.number}: ${step.text}`);
  }

  finish({ reason, detail, milliseconds, sentences }) {
    this.element.classList.remove("running");
    const why = reason === "length" ? ENDINGS.length : `${ENDINGS[reason] ?? reason} (${detail})`;
    this.say(`${plural(sentences, "sentence")} in ${duration(milliseconds)} · ${why}`);
    announce(`${this.model}: ${plural(sentences, "sentence")}, ${why}`);
  }

  stopped() {
    this.element.classList.remove("running");
    this.say("stopped by you");
  }

  failed(error) {
    this.element.classList.remove("running");
    this.say("failed");
    this.body.append(trouble(error, this.retry, 3));
  }

  say(words) {
    this.status.textContent = words;
  }
}

function sentence(step, kinds, texts) {
  return [
    h("p", { class: "utterance" }, step.text),
    badges(step),
    facts(
      [
        ["round trip", number(step.round_trip, 3)],
        ["topic", number(step.topic_cosine, 3)],
        ["decoder steps", step.steps ? String(step.steps) : null],
      ],
      { class: "gauges" },
    ),
    h(
      "figure",
      { class: "similarity" },
      h("figcaption", {}, "Prediction against its context"),
      strip(step.context_cosines, kinds, texts),
      key(kinds),
    ),
    stageBar(step.times),
    disclosure(
      `${plural(step.neighbours.length, "neighbour")} and snap`,
      snapReport(step.snap),
      neighbours(step.neighbours),
    ),
  ];
}

/** Marks in words: a text that passed no check, and where an extract is from. */
function badges({ degraded, passed, reasons, document, title }) {
  const marks = [
    degraded ? h("span", { class: "badge warn" }, "degraded: an extract, for want of a better text") : null,
    !passed && !degraded ? h("span", { class: "badge warn" }, "did not pass") : null,
    document
      ? h("span", { class: "badge" }, `stored text from “${title || document}”`)
      : h("span", { class: "badge" }, "written by the decoder"),
  ];
  return h("p", { class: "badges" }, marks, reasons.length ? h("small", {}, reasons.join("; ")) : null);
}

function key(kinds) {
  const names = { filled: "retrieved", own: "yours", said: "continued" };
  const present = Object.keys(names).filter((kind) => kinds.includes(kind));
  return h(
    "ul",
    { class: "key" },
    present.map((kind) => h("li", { class: kind }, names[kind])),
  );
}

function stageBar(times) {
  const parts = STAGES.filter((stage) => stage in times).map((stage) => [stage, times[stage]]);
  if (!parts.length) return null;
  const total = parts.reduce((sum, [, value]) => sum + value, 0);
  const words = parts.map(([stage, value]) => `${stage} ${duration(value)}`);
  return h(
    "figure",
    { class: "stages" },
    h("figcaption", {}, `Stages, ${duration(total)}`),
    segments(parts, `Time by stage: ${words.join(", ")}`),
    h(
      "ul",
      {},
      parts.map(([stage, value]) => h("li", { class: stage }, `${stage} `, h("span", {}, duration(value)))),
    ),
  );
}

function snapReport(snap) {
  if (!snap) return h("p", { class: "hint" }, "Snap was off: the prediction was decoded as it was.");
  return facts(
    [
      ["moved by", number(snap.moved, 3)],
      ["distance to stored text", number(snap.distance, 3)],
      ["cosine to your text", number(snap.query_cosine, 3)],
      ["cosine to the context", number(snap.context_cosine, 3)],
      ["held to the topic", snap.clamped ? "yes, it had drifted" : "not needed"],
    ],
    { class: "pairs" },
  );
}

function neighbours(list) {
  return h(
    "ol",
    { class: "neighbours" },
    list.map((near) =>
      h(
        "li",
        {},
        h("p", {}, near.text),
        h(
          "p",
          { class: "meta" },
          bar(near.weight / list[0].weight || 0),
          h(
            "span",
            {},
            `weight ${percent(near.weight, 1)} · cosine ${number(near.similarity, 3)} · ${near.title || near.document}`,
          ),
        ),
      ),
    ),
  );
}
