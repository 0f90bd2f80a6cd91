"use strict";

const root = document.documentElement;

/* Strings that name a CSS variable become its value, so that plots follow the page's colours. */
function themed(value, css = getComputedStyle(root)) {
  if (typeof value === "string") return value.startsWith("--") ? css.getPropertyValue(value).trim() : value;
  if (Array.isArray(value)) return value.map((item) => themed(item, css));
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, themed(item, css)]));
}

const plots = JSON.parse(document.getElementById("plots").textContent);
const chosen = {};
const resized = new ResizeObserver((entries) => entries.forEach((entry) => Plotly.Plots.resize(entry.target)));

function draw(key) {
  const view = themed(plots[key][chosen[key] ?? 0]);
  Plotly.react(key, view.data, view.layout, { displayModeBar: false });
}

function drawAll() {
  Object.keys(plots).forEach(draw);
}

for (const select of document.querySelectorAll("select[data-plot]")) {
  select.addEventListener("change", () => {
    chosen[select.dataset.plot] = Number(select.value);
    draw(select.dataset.plot);
  });
}

function cellValue(row, column) {
  const cell = row.cells[column];
  if (cell.dataset.value !== undefined) return Number(cell.dataset.value);
  return cell.classList.contains("number") ? NaN : cell.textContent;
}

/* Missing values stay at the end in either direction. */
function byColumn(column, sign) {
  return (left, right) => {
    const [a, b] = [cellValue(left, column), cellValue(right, column)];
    if (typeof a === "string") return sign * a.localeCompare(b);
    if (Number.isNaN(a) || Number.isNaN(b)) return Number.isNaN(a) - Number.isNaN(b);
    return sign * (a - b);
  };
}

function sortBy(head) {
  const first = head.dataset.first ?? "ascending";
  const other = first === "ascending" ? "descending" : "ascending";
  const direction = head.ariaSort === first ? other : first;
  for (const each of head.parentElement.cells) each.removeAttribute("aria-sort");
  head.setAttribute("aria-sort", direction);
  const body = head.closest("table").tBodies[0];
  body.append(...[...body.rows].sort(byColumn(head.cellIndex, direction === "ascending" ? 1 : -1)));
}

for (const button of document.querySelectorAll("th button")) {
  button.addEventListener("click", () => sortBy(button.closest("th")));
}

matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAll);
for (const [event, light] of [["beforeprint", true], ["afterprint", false]]) {
  addEventListener(event, () => {
    root.classList.toggle("light", light);
    drawAll();
  });
}
drawAll();
Object.keys(plots).forEach((key) => resized.observe(document.getElementById(key)));
