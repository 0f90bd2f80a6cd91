// The part of Markdown that model cards use, as elements: headings, tables, lists, code, paragraphs, emphasis, links.
// There is no way from text to markup here: HTML in a card is shown as the letters it is.

import { h, scrollable } from "./dom.js";

/** A list of elements for a card. Its front matter is left out; headings begin at `level`. */
export function render(text, level = 2) {
  const lines = withoutFrontMatter(text.replaceAll("\r\n", "\n")).split("\n");
  const blocks = [];
  while (lines.length) {
    const line = lines[0];
    if (!line.trim()) lines.shift();
    else if (/^```/.test(line)) blocks.push(fenced(lines));
    else if (/^ {4}/.test(line)) blocks.push(code(take(lines, /^( {4}|\s*$)/).map((row) => row.slice(4))));
    else if (/^#{1,6} /.test(line)) blocks.push(heading(lines.shift(), level));
    else if (/^\s*\|/.test(line)) blocks.push(table(take(lines, /^\s*\|/)));
    else if (/^[-*] /.test(line))
      blocks.push(
        h(
          "ul",
          {},
          take(lines, /^[-*] /).map((row) => h("li", {}, inline(row.slice(2)))),
        ),
      );
    else blocks.push(h("p", {}, inline(paragraph(lines))));
  }
  return blocks.filter(Boolean);
}

const withoutFrontMatter = (text) => text.replace(/^---\n[\s\S]*?\n---\n/, "");

/** The first line, and those after it that match. */
function take(lines, pattern) {
  const taken = [lines.shift()];
  while (lines.length && pattern.test(lines[0])) taken.push(lines.shift());
  return taken;
}

const paragraph = (lines) => take(lines, /^(?!#{1,6} |```|\s*\||[-*] |\s*$)/).join(" ");

function fenced(lines) {
  lines.shift();
  const end = lines.findIndex((line) => /^```/.test(line));
  const inside = lines.splice(0, end < 0 ? lines.length : end);
  lines.shift();
  return code(inside);
}

const code = (lines) => h("pre", { tabindex: "0" }, h("code", {}, lines.join("\n").trim()));

function heading(line, level) {
  const [, marks, words] = /^(#+) (.*)$/.exec(line);
  return h(`h${Math.min(6, level + marks.length - 1)}`, {}, inline(words));
}

function table(rows) {
  const [head, ...body] = rows.filter((row) => !/^[\s|:-]+$/.test(row) || !row.includes("-")).map(cells);
  const named = head.some((cell) => cell);
  const top = named
    ? h(
        "thead",
        {},
        h(
          "tr",
          {},
          head.map((cell) => h("th", { scope: "col" }, inline(cell))),
        ),
      )
    : null;
  const line = ([first, ...rest]) =>
    h(
      "tr",
      {},
      h("th", { scope: "row" }, inline(first)),
      rest.map((cell) => h("td", {}, inline(cell))),
    );
  return scrollable("Table", h("table", { class: "plain" }, top, h("tbody", {}, body.map(line))));
}

const cells = (row) =>
  row
    .trim()
    .replace(/^\||\|$/g, "")
    .split(/(?<!\\)\|/)
    .map((cell) => cell.trim().replaceAll("\\|", "|"));

/** Code, strong, emphasis and links to http(s) addresses; everything else is text. */
function inline(text) {
  const parts = text.split(/(`[^`]+`|\*\*[^*]+\*\*|\*[^*\s][^*]*\*|\[[^\]]+\]\(https?:\/\/[^)\s]+\))/);
  return parts.map((part, i) => (i % 2 ? marked(part) : part));
}

function marked(part) {
  if (part.startsWith("`")) return h("code", {}, part.slice(1, -1));
  if (part.startsWith("**")) return h("strong", {}, part.slice(2, -2));
  if (part.startsWith("*")) return h("em", {}, part.slice(1, -1));
  const [, words, address] = /^\[(.*)\]\((.*)\)$/.exec(part);
  return h("a", { href: address, rel: "noreferrer" }, words);
}
