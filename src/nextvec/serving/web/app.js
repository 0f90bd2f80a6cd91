// Views by address (#/models/ID), the theme, and what to show while a view loads or fails.

import { Problem } from "./api.js";
import { announce, waiting } from "./dom.js";
import { trouble } from "./trouble.js";
import * as corpora from "./views/corpora.js";
import * as leaderboard from "./views/leaderboard.js";
import * as models from "./views/models.js";
import * as order from "./views/order.js";
import * as playground from "./views/playground.js";
import * as studies from "./views/studies.js";

const VIEWS = { playground, order, models, leaderboard, studies, corpora };
const THEMES = ["system", "light", "dark"];
const main = document.getElementById("main");
let loading = new AbortController();
let first = true;

/** Shows the view that the address names. Each view has `show(argument, signal)`, which resolves to {title, content}. */
async function route() {
  loading.abort();
  loading = new AbortController();
  const { signal } = loading;
  const wait = setTimeout(() => main.replaceChildren(waiting("Loading …")), 150);
  try {
    const [name, argument] = address();
    mark(name);
    const { title, content } = await VIEWS[name].show(argument, signal);
    if (!signal.aborted) present(title, content);
  } catch (error) {
    if (error.name === "AbortError" || signal.aborted) return;
    present("Not available", trouble(error, route));
    if (!(error instanceof Problem)) throw error;
  } finally {
    clearTimeout(wait);
  }
}

function address() {
  const [, name = "", ...rest] = location.hash.split("/");
  return [Object.hasOwn(VIEWS, name) ? name : "playground", new URLSearchParams(`=${rest.join("/")}`).get("") || null];
}

function mark(name) {
  for (const link of document.querySelectorAll("nav a"))
    if (link.hash === `#/${name}`) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
}

/** Replaces the view; moves the focus to its heading, except when the page has just been opened. */
function present(title, content) {
  main.replaceChildren(...[content].flat());
  document.title = `${title} · nextvec`;
  const heading = main.querySelector("h1");
  if (!first && heading) {
    heading.tabIndex = -1;
    heading.focus({ preventScroll: true });
    scrollTo(0, 0);
  }
  first = false;
}

function themeButton() {
  const button = document.getElementById("theme");
  const root = document.documentElement;
  const label = () => {
    const theme = root.dataset.theme ?? "system";
    button.textContent = { system: "◐ Auto", light: "○ Light", dark: "● Dark" }[theme];
    button.setAttribute("aria-label", `Theme: ${theme}. Change it`);
  };
  button.addEventListener("click", () => {
    const next = THEMES[(THEMES.indexOf(root.dataset.theme ?? "system") + 1) % THEMES.length];
    if (next === "system") delete root.dataset.theme;
    else root.dataset.theme = next;
    localStorage.setItem("theme", next);
    label();
    announce(`Theme: ${next}`);
  });
  label();
}

document.getElementById("skip").addEventListener("click", () => main.focus());
addEventListener("hashchange", route);
themeButton();
route();
