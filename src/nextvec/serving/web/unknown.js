import { announce, h } from "./dom.js";
import { number } from "./format.js";

/** A caution where the corpus holds nothing like the text, by its `familiarity`. */
export function unknown(told) {
  if (!told || told.known) return "";
  const [nearest, usual, least] = [told.nearest, told.usual, told.least].map((value) => number(value, 2));
  const words =
    "The corpus knows nothing like this text, so do not expect much. " +
    `Its nearest chunks have cosine ${nearest}; for held-out texts of the corpus that is ${usual}, seldom below ${least}.`;
  announce(words);
  return h("p", { class: "caution" }, words);
}
