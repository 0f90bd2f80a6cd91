// Elements without markup: text always stays text, so nothing a server or a model says can become HTML.

const SVG = "http://www.w3.org/2000/svg";

/** An HTML element. Attributes: `on` holds listeners, true sets, false and null leave out; children may be nested. */
export function h(tag, attributes = {}, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

/** An SVG element, made as `h` makes HTML. */
export function s(tag, attributes = {}, ...children) {
  return fill(document.createElementNS(SVG, tag), attributes, children);
}

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "on") for (const [event, listener] of Object.entries(value)) element.addEventListener(event, listener);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, value);
  }
  element.append(
    ...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false),
  );
  return element;
}

let counter = 0;

/** An id nobody else has, to tie labels to what they label. */
export function unique(stem) {
  counter += 1;
  return `${stem}-${counter}`;
}

const SPOKEN = 20;

/** Says something to a screen reader, politely: each call is an addition of its own to the log, old ones go. */
export function announce(words) {
  const log = document.getElementById("live");
  log.append(h("p", {}, words));
  while (log.childElementCount > SPOKEN) log.firstElementChild.remove();
}

/** A box that scrolls sideways by itself instead of the page, reachable by keyboard. */
export function scrollable(label, ...children) {
  return h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": label }, ...children);
}

/** A closed disclosure. */
export function disclosure(title, ...children) {
  return h("details", {}, h("summary", {}, title), h("div", { class: "disclosed" }, ...children));
}

/** Pairs of term and description; pairs without a description are left out. */
export function facts(pairs, attributes = { class: "facts" }) {
  const known = pairs.filter(([, value]) => value !== null && value !== undefined && value !== "");
  return h(
    "dl",
    attributes,
    known.map(([term, value]) => h("div", {}, h("dt", {}, term), h("dd", {}, value))),
  );
}

/** What stands where an answer will. */
export const waiting = (words) => h("p", { class: "loading", role: "status" }, words);

/** The empty state of a view: what is missing, and the commands that bring it. */
export function empty(title, words, commands) {
  return h(
    "section",
    { class: "empty panel" },
    h("h2", {}, title),
    h("p", {}, words),
    h("pre", { tabindex: "0" }, h("code", {}, commands.join("\n"))),
  );
}

/** A field of a form: its label and what it is for. */
export const field = (name, label, ...parts) => h("div", { class: "field" }, h("label", { for: name }, label), parts);

/** A choice among [value, label] pairs. */
export const select = (name, options, { chosen, ...attributes } = {}) =>
  h(
    "select",
    { id: name, name, ...attributes },
    options.map(([value, label]) => h("option", { value, selected: value === chosen }, label)),
  );

/** A link to a view of the page. */
export const linkTo = (view, id, words = id) => h("a", { href: `#/${view}/${encodeURIComponent(id)}` }, words);

/** The way back from one of many. */
export const trail = (view, words) => h("p", { class: "trail" }, h("a", { href: `#/${view}` }, words));
