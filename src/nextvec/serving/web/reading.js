// One model's continuation as it comes: the column of the playground.

import { bar, segments, strip } from "./charts.js";
import { announce, disclosure, facts, h, linkTo } from "./dom.js";
import { duration, number, percent, plural, signed } from "./format.js";
import { trouble } from "./trouble.js";
import { unknown } from "./unknown.js";

const STAGES = ["chunk", "encode", "recognise", "fill", "predict", "draw", "snap", "decode", "weigh"];
const ENDINGS = {
  length: "complete",
  repetition: "stopped: it began to repeat itself",
  drift: "stopped: it drifted away from the topic",
  time: "stopped: out of time",
  exhausted: "stopped: the corpus has nothing new to say",
};

/** `element` is the column; `take` adds what the server sent, `retry` asks it again. `place` is {number, of} of one among
 * several by its model: it shows its sentences first, and what led to them on demand. */
export class Reading {
  constructor(model, retry, place = null) {
    this.name = place ? `${model}, ${place.number} of ${place.of}` : model;
    this.retry = retry;
    this.short = place !== null;
    this.repeats = place !== null && place.number > 1; // what its first one has said already
    this.status = h("p", { class: "status" });
    this.note = h("p", { class: "status" });
    this.body = h("div", {});
    const title = place
      ? h("h3", {}, `${place.number} of ${place.of}`)
      : h("h2", {}, linkTo("models", model));
    this.element = h(
      "article",
      { class: "reading panel", "aria-label": this.name },
      h("header", {}, title, this.status, this.short ? this.note : null),
      this.body,
    );
  }

  begin() {
    this.kinds = [];
    this.texts = [];
    this.values = [];
    this.finished = false;
    this.sentences = h("ol", { class: "steps" });
    this.context = h("div", {});
    this.notice = h("div", {});
    const parts = this.short ? [this.sentences, this.context] : [this.context, this.sentences];
    this.body.replaceChildren(this.notice, ...parts);
    this.note.textContent = "";
    this.element.classList.remove("likeliest");
    this.element.classList.add("running");
    this.say("working …");
  }

  /** Mean log-probability, or log density, of its sentences; null without any. */
  get likeliness() {
    return this.values.length ? this.values.reduce((sum, value) => sum + value, 0) / this.values.length : null;
  }

  /** An event of the stream: any of the context, sentences, and the reason for the end. */
  take(event) {
    const { context, sentences = [], finish, seed } = event.choices[0]?.nextvec ?? {};
    this.seed = seed;
    if (context) this.open(context);
    for (const step of sentences) this.add(step);
    if (finish) this.finish(finish);
  }

  open({ chunks, own, filled, left_out: left, heading, familiarity, times = {} }) {
    this.kinds = chunks.map((_, i) => (i < chunks.length - own ? "filled" : "own"));
    this.texts = [...chunks];
    const words = [
      plural(own, "chunk") + " of yours",
      filled ? `${filled} retrieved` : null,
      left ? `${left} earlier left out` : null,
      heading ? `under the heading “${heading}”` : null,
    ].filter(Boolean);
    const list = h(
      "ol",
      { class: "chunks" },
      chunks.map((chunk, i) =>
        h("li", { class: this.kinds[i] }, chunk, this.kinds[i] === "filled" ? h("small", {}, "retrieved") : null),
      ),
    );
    this.context.replaceChildren(disclosure(`Context: ${words.join(", ")}`, list, stageBar(times)));
    this.notice.replaceChildren(this.repeats ? "" : unknown(familiarity));
  }

  add(step) {
    const count = step.context_cosines.length;
    const parts = sentence(step, this.kinds.slice(-count), this.texts.slice(-count));
    this.sentences.append(h("li", {}, this.short ? shortened(parts) : parts));
    if (step.likelihood) this.values.push(step.likelihood.value);
    this.kinds.push("said");
    this.texts.push(step.text);
    this.say(`${plural(step.number, "sentence")} …`);
    announce(`${this.name}, sentence ${step.number}: ${step.text}`);
  }

  finish({ reason, detail, milliseconds, sentences }) {
    this.element.classList.remove("running");
    this.finished = true;
    const why = reason === "length" ? ENDINGS.length : `${ENDINGS[reason] ?? reason} (${detail})`;
    const seed = this.seed === undefined || this.short ? "" : ` · seed ${this.seed}`;
    this.say(`${plural(sentences, "sentence")} in ${duration(milliseconds)} · ${why}${seed}`);
    announce(`${this.name}: ${plural(sentences, "sentence")}, ${why}`);
  }

  stopped() {
    this.element.classList.remove("running");
    this.say("stopped by you");
  }

  failed(error) {
    this.element.classList.remove("running");
    this.say("failed");
    this.body.append(trouble(error, error.status !== 422 && this.retry, 3));
  }

  say(words) {
    this.status.textContent = words;
  }
}

/** The sentence and how likely it was, and the rest behind a summary. */
const shortened = ([text, likely, ...rest]) => [text, likely, disclosure("What led to it", rest)];

function sentence(step, kinds, texts) {
  return [
    h("p", { class: "utterance" }, step.text),
    likely(step.likelihood),
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
      step.snap ? `${plural(step.neighbours.length, "neighbour")} and snap` : "No snap",
      snapReport(step),
      neighbours(step.neighbours),
    ),
    instead(step.likelihood),
  ];
}

/** How likely the model held a sentence, as a bar where that is a probability. */
function likely(told) {
  if (!told) return null;
  return h(
    "p",
    { class: "meta likely" },
    told.kind === "candidates" ? bar(Math.exp(told.value)) : null,
    h("span", {}, chance(told.kind, told.value)),
  );
}

const chance = (kind, value) =>
  kind === "candidates"
    ? `${percent(Math.exp(value), 1)} · ${number(value, 2)} nats`
    : `log density ${signed(value, 1)} nats`;

/** What else might have come. */
function instead(told) {
  if (!told?.alternatives.length) return null;
  const others = told.alternatives.map(({ text, value }) =>
    h("li", {}, h("p", {}, text), h("p", { class: "hint" }, chance(told.kind, value))),
  );
  return disclosure(`${plural(others.length, "other")} that might have come`, h("ol", { class: "neighbours" }, others));
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

function snapReport({ snap, times }) {
  if (!snap && "draw" in times) return h("p", { class: "hint" }, "What was drawn was decoded as it was.");
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
