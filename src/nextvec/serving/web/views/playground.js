// Text in; each chosen model's continuation beside the others, sentence by sentence, with everything that led to it.

import { complete } from "../api.js";
import { announce, field, h, select } from "../dom.js";
import { Draws } from "../draws.js";
import { number, signedPercent } from "../format.js";
import { Reading } from "../reading.js";
import { LIGHTHOUSE, chosenAtFirst, heldOut, lasting, submitting } from "../served.js";

const GENERAL = [`${LIGHTHOUSE} The light could be seen from a distance of twenty miles.`];

const DRAWS = { samples: "draws samples", candidates: "draws stored sentences" };
const MOST_CHOICES = 16;
const ALTERNATIVES = 3;

let examples = GENERAL;
let example = 0;
let draft = examples[0]; // what the user wrote outlives a change of the models

export const show = lasting("Playground", "No model to continue a text with yet", build);

function build(models) {
  const form = h(
    "form",
    { class: "bench panel", "aria-label": "Text and models" },
    textField(chosenAtFirst(models)),
    modelField(models),
    howField(),
    chanceField(),
    moreField(models),
    buttons(),
  );
  const results = h(
    "section",
    { class: "readings", "aria-label": "Continuations" },
    h(
      "p",
      { class: "hint idle" },
      "Each chosen model will predict the vector of the next sentence, and the stored text nearest to it appears here, with what led to it.",
    ),
  );
  const run = new Run(form, results, models);
  submitting(form, () => run.start());
  form.elements.stop.addEventListener("click", () => run.stop());
  const update = (models) => {
    const ticked = [...form.querySelectorAll("input[name=model]:checked")].map((box) => box.value);
    form.querySelector("fieldset").replaceWith(modelField(models, ticked));
    run.known = known(models);
  };
  return { content: [h("h1", {}, "Playground"), h("div", { class: "lab" }, form, results)], update };
}

/** From now on the beginnings of held-out documents of that model's corpus, if there are any. */
async function takeExamples(model, area) {
  const own = (await heldOut(model)).map(({ text }) => text);
  if (!own.length) return;
  const untouched = area.value === examples[example];
  [examples, example] = [own, 0];
  if (untouched) area.value = draft = own[0];
}

function textField(model) {
  const area = h(
    "textarea",
    { id: "text", name: "text", rows: "8", required: true, "aria-describedby": "text-hint", spellcheck: "false" },
    draft,
  );
  area.addEventListener("input", () => (draft = area.value));
  const another = () => {
    example = (example + 1) % examples.length;
    area.value = draft = examples[example];
    area.focus();
  };
  takeExamples(model, area);
  return field(
    "text",
    "Beginning of a text",
    area,
    h(
      "p",
      { class: "hint", id: "text-hint" },
      "A few sentences work best. ",
      h("button", { type: "button", class: "link", on: { click: another } }, "Another example"),
    ),
  );
}

function modelField(models, ticked = []) {
  const first = chosenAtFirst(models);
  const chosen = ticked.length ? ticked : [first.id];
  const listed = [first, ...models.filter((model) => model !== first)];
  const described = ({ architecture, corpus, skill, draws }) =>
    [architecture, corpus, skill == null ? null : `skill ${signedPercent(skill)}`, DRAWS[draws]]
      .filter(Boolean)
      .join(" · ");
  const choice = ({ id, nextvec: m }) =>
    h(
      "label",
      { class: "choice" },
      h("input", { type: "checkbox", name: "model", value: id, checked: chosen.includes(id) }),
      h(
        "span",
        {},
        id,
        (m.aliases ?? []).map((alias) => h("span", { class: "tag" }, alias)),
        h("small", {}, described(m)),
      ),
    );
  return h(
    "fieldset",
    { class: "field" },
    h("legend", {}, "Models"),
    h("div", { class: "options" }, listed.map(choice)),
  );
}

function howField() {
  const count = { id: "sentences", name: "sentences", type: "number", min: "1", max: "64", value: "4", required: true };
  return h(
    "div",
    { class: "field pair" },
    field("sentences", "Sentences", h("input", count)),
    field("feedback", "Feed back", select("feedback", Object.entries({ vector: "its vector", text: "its text, encoded" }))),
  );
}

/** Several continuations need a temperature: without one all would be the same. */
function chanceField() {
  const count = { id: "choices", name: "choices", type: "number", min: "1", max: MOST_CHOICES, value: "1" };
  const choices = h("input", { ...count, required: true });
  const heat = { id: "temperature", name: "temperature", type: "range", min: "0", max: "2", step: "0.1", value: "0" };
  const temperature = h("input", { ...heat, "aria-describedby": "temperature-hint" });
  const told = h("output", { for: "temperature" });
  const hint = h("p", { class: "hint", id: "temperature-hint" });
  const tell = () => {
    const value = Number(temperature.value);
    told.textContent = number(value, 1);
    hint.textContent = meaning(value);
  };
  choices.addEventListener("input", () => {
    if (choices.value > 1 && temperature.value === "0") temperature.value = "1";
    tell();
  });
  temperature.addEventListener("input", () => {
    if (temperature.value === "0") choices.value = "1";
    tell();
  });
  tell();
  return h(
    "div",
    { class: "field" },
    h(
      "div",
      { class: "pair" },
      field("choices", "How many", choices),
      field("temperature", ["Temperature ", told], temperature),
    ),
    hint,
  );
}

function meaning(temperature) {
  if (temperature === 0) return "At 0 nothing is left to chance: each sentence goes on from the model’s mean.";
  if (temperature === 1) return "At 1 each sentence is drawn as likely as the model holds it.";
  return temperature < 1
    ? "Below 1 what is drawn lies closer to the model’s mean."
    : "Above 1 what is drawn strays further than the model says.";
}

function moreField(models) {
  const toggle = (name, label, hint) =>
    h(
      "label",
      { class: "choice" },
      h("input", { type: "checkbox", name, checked: true }),
      h("span", {}, label, h("small", {}, hint)),
    );
  const decoders = [...new Set(models.flatMap((model) => model.nextvec.decoders ?? []))];
  const open = ({ target }) => (target.closest("details").open = true);
  return h(
    "details",
    { class: "field" },
    h("summary", {}, "More options"),
    h(
      "div",
      { class: "disclosed" },
      h("label", { for: "decoder" }, "Decoder"),
      select("decoder", [["", "each model's own"], ...decoders.map((name) => [name, name])], {
        "aria-describedby": "decoder-hint",
      }),
      h("p", { class: "hint", id: "decoder-hint" }, "nearest gives a stored sentence; a trained decoder writes one."),
      h("label", { for: "seed" }, "Seed"),
      h("input", { id: "seed", name: "seed", type: "number", "aria-describedby": "seed-hint", on: { invalid: open } }),
      h("p", { class: "hint", id: "seed-hint" }, "The same number draws the same again; empty takes a new one."),
      toggle("snap", "Snap to stored text", "draws each prediction to where real sentences lie, and to the topic"),
      toggle("fill", "Fill a short context", "with stored sentences near the text, before the text's own"),
    ),
  );
}

function buttons() {
  return h(
    "div",
    { class: "field actions" },
    h("button", { class: "primary", name: "go" }, "Continue the text"),
    h("button", { type: "button", name: "stop", disabled: true }, "Stop"),
    h("p", { class: "hint" }, "Ctrl + Enter in the text does the same."),
  );
}

/** What the numbers of a reading mean. */
function guide() {
  const terms = {
    "round trip":
      "cosine of the vector that was decoded and its text, encoded again: 1 says that the text is exactly what was meant",
    topic: "cosine of the sentence and the mean of your own text; a continuation that drifts too far is stopped",
    "prediction against its context":
      "cosine of the prediction and each chunk that it was made from, in reading order, one bar a chunk; the height of the box is 1",
    stages: "time in the server: predict the next vector, snap it to stored text, decode it",
    "probability in % and nats":
      "that this sentence would come, if it is one of the stored ones nearest to the prediction, and its natural logarithm; a model with a density tells that instead, against chance: above 0 is likelier than by chance",
    weight: "share of a stored neighbour in the snapped vector",
  };
  return h(
    "details",
    { class: "guide" },
    h("summary", {}, "How to read this"),
    h(
      "dl",
      { class: "disclosed" },
      Object.entries(terms).map(([term, words]) => h("div", {}, h("dt", {}, term), h("dd", {}, words))),
    ),
  );
}

const known = (models) => new Map(models.map(({ id, nextvec }) => [id, nextvec]));

/** One press of the button: a request and a column of results for each chosen model. */
class Run {
  constructor(form, results, models) {
    this.known = known(models);
    this.form = form;
    this.results = results;
    this.controller = new AbortController();
    this.running = 0;
  }

  stop() {
    this.controller.abort();
    this.controller = new AbortController();
  }

  start() {
    const models = [...this.form.querySelectorAll("input[name=model]:checked")].map((box) => box.value);
    if (!models.length) {
      this.results.querySelector(".caution, .idle")?.remove();
      this.results.prepend(h("p", { class: "caution", role: "alert" }, "Choose at least one model."));
      return;
    }
    this.stop();
    const readings = models.map((model) => this.reading(this.request(model)));
    const elements = readings.map((reading) => reading.element);
    const alone = readings[0] instanceof Reading;
    this.results.replaceChildren(guide(), ...(alone ? [h("div", { class: "columns" }, elements)] : elements));
    announce(`Running ${models.join(", ")}`);
    readings.forEach((reading) => reading.retry());
  }

  /** A column, or several, that ask for their continuation when they are told to, the first time as again. */
  reading(request) {
    const retry = () => this.read(reading, request);
    const { model, n } = request;
    const reading = n === 1 ? new Reading(model, retry) : new Draws(model, n, retry);
    return reading;
  }

  async read(reading, request) {
    const { signal } = this.controller;
    this.count(1);
    const left = reading.element.contains(document.activeElement);
    reading.begin();
    if (left) this.form.elements.stop.focus();
    try {
      for await (const event of complete(request, signal)) reading.take(event);
    } catch (error) {
      if (error.name === "AbortError") reading.stopped();
      else reading.failed(error);
    } finally {
      this.count(-1);
    }
  }

  request(model) {
    const { text, sentences, feedback, decoder, snap, fill, choices, temperature, seed } = this.form.elements;
    return {
      model,
      n: Number(choices.value),
      temperature: Number(temperature.value),
      seed: seed.value === "" ? null : Number(seed.value),
      logprobs: this.known.get(model).tells ? ALTERNATIVES : null,
      prompt: text.value,
      sentences: Number(sentences.value),
      feedback: feedback.value,
      decoder: decoder.value || null,
      snap: snap.checked,
      fill: fill.checked,
    };
  }

  /** One stream more or fewer. */
  count(change) {
    this.running += change;
    const busy = this.running > 0;
    const { stop, go } = this.form.elements;
    if (!busy && document.activeElement === stop) go.focus();
    stop.disabled = !busy;
    go.textContent = busy ? "Run again" : "Continue the text";
    this.results.setAttribute("aria-busy", String(busy));
  }
}
