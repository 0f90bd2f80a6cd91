// What the server has loaded: its models, and why there may be none.

import { get, readiness } from "./api.js";
import { empty, h } from "./dom.js";

export const LIGHTHOUSE =
  "The lighthouse stands at the northern tip of the island. It was built of granite blocks that were shipped across the bay in winter. For ninety years a keeper lit the lamp by hand every evening.";

const PAUSE = 1000;

/** {models, faults}: waits while the server is still loading; `faults` says what is wrong. */
export async function served(signal) {
  for (;;) {
    const { status, faults = [] } = await readiness(signal);
    if (status !== "loading") return { models: (await get("/v1/models", signal)).data, faults };
    const note = document.querySelector("main .loading");
    if (note) note.textContent = "The server is loading its models …";
    await new Promise((resolve) => setTimeout(resolve, PAUSE));
    signal.throwIfAborted();
  }
}

/** A view of the models, built once, {content, update}: text, results and a running stream survive a look at another
 * view, and `update` takes other models. `missing` is its heading without any. */
export function lasting(title, missing, build) {
  let root;
  return async function show(_, signal) {
    const { models, faults } = await served(signal);
    if (!models.length) return { title, content: [h("h1", {}, title), noModel(missing, faults)] };
    if (root) root.update(models);
    else root = build(models);
    return { title, content: root.content };
  };
}

/** Ctrl + Enter submits a form, too. */
export function submitting(form, run) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    run();
  });
  form.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
  });
}

/** The model in production, else the one with the best cosine. */
export function chosenAtFirst(models) {
  const production = models.find((model) => model.nextvec.aliases?.includes("production"));
  const byCosine = models.toSorted((a, b) => (b.nextvec.cosine ?? -1) - (a.nextvec.cosine ?? -1));
  return production ?? byCosine[0];
}

/** Test documents of the corpus that a model is trained on, {text, following}; none where nobody knows. */
export async function heldOut({ nextvec: { corpus } }) {
  if (!corpus) return [];
  const detail = await get(`/v1/corpora/${encodeURIComponent(corpus.split("@")[0])}`).catch(() => ({ examples: [] }));
  return detail.examples;
}

/** The empty state, with the commands to run or what stood in the way. */
export function noModel(title, faults) {
  if (faults.length)
    return h(
      "section",
      { class: "empty panel" },
      h("h2", {}, "No model could be loaded"),
      h(
        "ul",
        { class: "sentences" },
        faults.map((fault) => h("li", {}, fault)),
      ),
    );
  return empty(
    title,
    "Ingest text and train a model; the server finds it by itself. The manual that comes with Python needs no download, and training on it takes a few minutes:",
    ["nextvec corpus ingest pydocs: --corpus demo", "nextvec train --corpus demo"],
  );
}
