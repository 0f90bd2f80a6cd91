// Several continuations that one model has drawn for a text, side by side, the likeliest marked.

import { h, linkTo } from "./dom.js";
import { number, plural } from "./format.js";
import { Reading } from "./reading.js";
import { trouble } from "./trouble.js";

/** Used as a `Reading` is. */
export class Draws {
  constructor(model, n, retry) {
    this.retry = retry;
    this.readings = Array.from({ length: n }, (_, i) => new Reading(model, retry, { number: i + 1, of: n }));
    this.status = h("p", { class: "status" });
    this.columns = h("div", { class: "columns" });
    this.element = h(
      "section",
      { class: "draws", "aria-label": `${n} continuations by ${model}` },
      h("header", {}, h("h2", {}, linkTo("models", model)), this.status),
      this.columns,
    );
  }

  begin() {
    this.status.textContent = plural(this.readings.length, "continuation");
    this.columns.replaceChildren(...this.readings.map((reading) => reading.element));
    for (const reading of this.readings) reading.begin();
  }

  take({ choices }) {
    for (const choice of choices) this.readings[choice.index].take({ choices: [choice] });
    const [{ seed }] = this.readings;
    if (seed !== undefined) this.status.textContent = `${plural(this.readings.length, "continuation")} · seed ${seed}`;
    if (this.readings.every((reading) => reading.finished)) this.mark();
  }

  /** The continuation with the largest mean, where there is one: they may have unequally many sentences. */
  mark() {
    const known = this.readings.filter((reading) => reading.likeliness !== null);
    if (!known.length) return;
    const best = known.reduce((a, b) => (b.likeliness > a.likeliness ? b : a));
    best.element.classList.add("likeliest");
    for (const reading of known) {
      const words = `${number(reading.likeliness, 2)} nats a sentence`;
      reading.note.textContent = reading === best ? `the likeliest: ${words}` : words;
    }
  }

  stopped() {
    for (const reading of this.readings) if (!reading.finished) reading.stopped();
  }

  failed(error) {
    this.status.textContent = "failed";
    if (this.readings.some((reading) => reading.sentences.childElementCount))
      for (const reading of this.readings) reading.finished || reading.failed(error);
    else {
      const told = trouble(error, error.status !== 422 && this.retry, 3);
      this.columns.replaceChildren(h("div", { class: "reading panel" }, told));
    }
  }
}
