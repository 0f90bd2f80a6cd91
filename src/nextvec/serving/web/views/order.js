// One's own sentences, in the order in which a model expects them after a text.

import { rerank } from "../api.js";
import { bar } from "../charts.js";
import { announce, field, h, linkTo, select, waiting } from "../dom.js";
import { duration, number, percent, plural } from "../format.js";
import { LIGHTHOUSE, chosenAtFirst, heldOut, lasting, submitting } from "../served.js";
import { trouble } from "../trouble.js";
import { unknown } from "../unknown.js";

const GENERAL = [
  {
    context: LIGHTHOUSE,
    candidates: [
      "The recipe calls for two eggs and a pinch of salt.",
      "An electric lamp took his place after the war.",
      "The island has four villages and a harbour.",
      "The harvest was poor in most of the country.",
    ],
  },
];

const MOST = 4;

let examples = GENERAL;
let example = 0;
let draft = examples[0]; // what the user wrote outlives a change of the models

export const show = lasting("Order", "No model to order sentences with yet", build);

function build(models) {
  const form = h(
    "form",
    { class: "bench panel", "aria-label": "Text and candidates" },
    area("context", "What was written so far", 5, draft.context, "A blank line at its end: a new paragraph."),
    area("candidates", "What may come next", 6, draft.candidates.join("\n"), "One sentence a line."),
    modelField(models),
    amongField(),
    h(
      "div",
      { class: "field actions" },
      h("button", { class: "primary" }, "Order them"),
      h("p", { class: "hint" }, "Ctrl + Enter in a text does the same. ", anotherExample()),
    ),
  );
  const results = h("section", { class: "readings", "aria-label": "Order" }, idle());
  const { context, candidates } = form.elements;
  takeExamples(chosenAtFirst(models), form);
  form.addEventListener("input", () => (draft = { context: context.value, candidates: lines(candidates) }));
  submitting(form, runner(form, results));
  const update = (models) => form.elements.model.closest(".field").replaceWith(modelField(models, form.elements.model.value));
  return { content: [h("h1", {}, "Order"), h("div", { class: "lab" }, form, results)], update };
}

/** From now on test documents of that model's corpus, if there are any: what follows each, and a sentence of another. */
async function takeExamples(model, form) {
  const own = (await heldOut(model)).filter(({ following }) => following.length > 1);
  if (!own.length) return;
  const { context, candidates } = form.elements;
  const shown = examples[example];
  const untouched = context.value === shown.context && candidates.value === shown.candidates.join("\n");
  const strange = (number) => own[(number + 1) % own.length].following.slice(0, own.length > 1 ? 1 : 0);
  examples = own.map(({ text, following }, number) => ({
    context: text,
    candidates: [...following.slice(0, MOST - 1), ...strange(number)].toSorted(),
    came: following[0],
  }));
  example = 0;
  if (untouched) write(form, examples[0]);
}

function write(form, written) {
  draft = written;
  form.elements.context.value = draft.context;
  form.elements.candidates.value = draft.candidates.join("\n");
}

const lines = (field) =>
  field.value
    .split("\n")
    .map((line) => line.trim())
    .filter(Boolean);

const idle = () =>
  h(
    "p",
    { class: "hint idle" },
    "The sentences appear here in the order in which the model expects them after the text, the likeliest first.",
  );

function area(name, label, rows, value, hint) {
  const told = `${name}-hint`;
  const attributes = { id: name, name, rows, required: true, spellcheck: "false", "aria-describedby": told };
  return field(name, label, h("textarea", attributes, value), h("p", { class: "hint", id: told }, hint));
}

function modelField(models, before) {
  const first = models.find(({ id }) => id === before) ?? chosenAtFirst(models);
  const options = models.map(({ id }) => [id, id]);
  return field("model", "Model", select("model", options, { chosen: first.id }));
}

function amongField() {
  const options = [
    ["either", "either"],
    ["document", "the same document"],
    ["anywhere", "anywhere"],
  ];
  return field("among", "They are from", select("among", options));
}

function anotherExample() {
  const change = ({ target: { form } }) => {
    example = (example + 1) % examples.length;
    write(form, examples[example]);
    form.elements.context.focus();
  };
  return h("button", { type: "button", class: "link", on: { click: change } }, "Another example");
}

/** Asks for the order of what the form holds, and shows it; what is asked later takes the place of what was before. */
function runner(form, results) {
  let asked = new AbortController();
  return async function run() {
    asked.abort();
    asked = new AbortController();
    const { signal } = asked;
    const { context, candidates, model, among } = form.elements;
    const request = { model: model.value, query: context.value, documents: lines(candidates), among: among.value };
    results.setAttribute("aria-busy", "true");
    results.replaceChildren(waiting("working …"));
    try {
      const answer = await rerank(request, signal);
      results.replaceChildren(ranking(answer));
      announce(`Ordered by ${answer.model}. First: ${answer.results[0].document.text}`);
    } catch (error) {
      if (error.name !== "AbortError") results.replaceChildren(trouble(error, run, 2));
    } finally {
      if (!signal.aborted) results.removeAttribute("aria-busy");
    }
  };
}

function ranking({ model, results, nextvec: told }) {
  const status = [
    `${plural(results.length, "candidate")} in ${duration(told.milliseconds)}`,
    `after ${plural(told.own, "chunk")} of yours`,
    told.left_out ? `${told.left_out} earlier left out` : null,
  ];
  return h(
    "article",
    { class: "reading panel", "aria-label": model },
    h(
      "header",
      {},
      h("h2", {}, linkTo("models", model)),
      h("p", { class: "status" }, status.filter(Boolean).join(" · ")),
    ),
    unknown(told.familiarity),
    h(
      "ol",
      { class: "steps ranking" },
      results.map((result) => h("li", {}, candidate(result, results[0], told.temperature !== null))),
    ),
    notes(told).map((words) => h("p", { class: "hint" }, words)),
  );
}

/** Of a model without a fitted temperature the scores alone mean something. */
function candidate({ document, index, relevance_score: share, nextvec: { score } }, first, fitted) {
  const words = [fitted ? percent(share, 1) : null, `score ${number(score, 3)}`, `your no. ${index + 1}`];
  if (document.text === draft.came) words.push("this one came");
  return [
    h("p", { class: "utterance" }, document.text),
    h(
      "p",
      { class: "meta" },
      fitted ? bar(share / first.relevance_score) : null,
      h("span", {}, words.filter(Boolean).join(" · ")),
    ),
  ];
}

function notes({ ranked_by: by, temperature }) {
  return [
    `Ranked by its ${by}${by.startsWith("point") ? ": this model has no query of its own" : ""}.`,
    temperature === null
      ? "Scores, not probabilities: no temperature was fitted for it yet. nextvec compare does that."
      : `Probabilities, if one of these comes next, at temperature ${number(temperature, 3)}, fitted on validation documents.`,
  ];
}
