// What went wrong, in words, and what to do about it.

import { setToken } from "./api.js";
import { h, unique } from "./dom.js";

/** A panel for an error, with a way to try again: the token that is wanted, or a button. `level` is its heading's. */
export function trouble(error, retry, level = 1) {
  const again = retry && h("button", { type: "button", on: { click: retry } }, "Try again");
  return h(
    "section",
    { class: "trouble panel", role: "alert" },
    h(`h${level}`, {}, error.title ?? "Something in this page failed"),
    error.status === 401 ? null : h("p", {}, error.detail || error.message),
    error.advice ? h("p", {}, error.advice) : null,
    error.status === 401 ? tokenForm(retry) : again,
  );
}

function tokenForm(retry) {
  const id = unique("token");
  const field = h("input", { type: "password", id, autocomplete: "off", required: true });
  const submit = (event) => {
    event.preventDefault();
    setToken(field.value);
    retry();
  };
  return h(
    "form",
    { class: "token", on: { submit } },
    h("label", { for: id }, "Token"),
    h("div", { class: "together" }, field, h("button", {}, "Use it")),
    h("p", { class: "hint" }, "Kept in memory until you close or reload this page, and sent to this server only."),
  );
}
