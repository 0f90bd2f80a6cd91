// How numbers are written: true minus signs, thin spaces, as many digits as mean something.

const MINUS = "\u2212";
const THIN = "\u202f";

const proper = (text) => text.replace(/-/g, MINUS);

/** A dash for what is not known; what rounds to zero has no sign. */
export function number(value, digits = 4) {
  if (value === null || value === undefined) return "–";
  const text = value.toFixed(digits);
  return proper(Number(text) === 0 ? text.replace("-", "") : text);
}

export const signed = (value, digits = 4) => (Number(value.toFixed(digits)) > 0 ? "+" : "") + number(value, digits);

export const count = (value) => value.toLocaleString("en-GB");

/** 6701952 as "6.70 M". */
export function short(value) {
  for (const [size, unit] of [
    [1e9, "G"],
    [1e6, "M"],
    [1e3, "k"],
  ])
    if (value >= 0.9995 * size) return `${(value / size).toPrecision(3)}${THIN}${unit}`;
  return String(value);
}

export function bytes(value) {
  for (const [size, unit] of [
    [1e9, "GB"],
    [1e6, "MB"],
    [1e3, "kB"],
  ])
    if (value >= size) return `${(value / size).toPrecision(3)}${THIN}${unit}`;
  return `${value}${THIN}B`;
}

export const percent = (share, digits = 0) => `${number(100 * share, digits)}${THIN}%`;

export const signedPercent = (share, digits = 2) => `${signed(100 * share, digits)}${THIN}%`;

/** Milliseconds, in seconds from one second on. */
export const duration = (ms) =>
  ms >= 1000 ? `${(ms / 1000).toFixed(2)}${THIN}s` : `${ms.toPrecision(ms >= 100 ? 3 : 2)}${THIN}ms`;

/** Of an interval; none of one document. */
export const ends = ({ low, high }) => (low === null ? [] : [low, high]);

/** "0.5065 to 0.5375". */
export const between = (interval, write) => ends(interval).map((end) => write(end)).join(" to ") || "n/a";

export const span = (interval, digits = 4) => between(interval, (end) => number(end, digits));

export const plural = (amount, one, many = `${one}s`) => `${count(amount)} ${amount === 1 ? one : many}`;

/** "2026-11-21T11:00:00+00:00" as "21 Nov 2026, 11:00 UTC". */
export function date(text) {
  const options = {
    day: "numeric",
    month: "short",
    year: "numeric",
    hour: "2-digit",
    minute: "2-digit",
    timeZone: "UTC",
  };
  return `${new Intl.DateTimeFormat("en-GB", options).format(new Date(text))} UTC`;
}

const NAMES = {
  cosine: "Cosine",
  cosine_centred: "Centred cosine",
  mrr: "Mean reciprocal rank",
  rank_norm: "Normalised rank",
  copy_ratio: "Copy ratio",
  spread: "Spread",
  pool_size: "Pool size",
  shuffled_context: "Cosine, context shuffled",
  ordered_context: "Cosine, context in order",
};

/** What a figure is, in a few words. */
export const MEANINGS = {
  cosine: "of prediction and truth, mean over targets",
  cosine_centred: "after the mean of the training vectors is taken away from both",
  shuffled_context: "what is left when the context is out of order",
  ordered_context: "the same targets, context as it was written",
  copy_ratio: "closeness to the context, over the author's own; 1 is as repetitive as the author",
  spread: "variance of the predictions over that of the truth; near 0 is one answer for everything",
  mrr: "mean of 1 / rank of the true next chunk",
  rank_norm: "0 is first, 0.5 is chance; lower is better",
  "recall@1": "the true next chunk is the nearest",
  "recall@5": "it is among the 5 nearest",
  "recall@10": "it is among the 10 nearest",
};

/** "mrr[document]" as "Mean reciprocal rank, pool: document". */
export function figureName(figure) {
  const [, base, pool] = /^([^[]*)(?:\[(.*)\])?$/.exec(figure);
  const name = NAMES[base] ?? base.replace(/_/g, " ").replace(/^./, (letter) => letter.toUpperCase());
  return pool ? `${name}, pool: ${pool}` : name;
}
