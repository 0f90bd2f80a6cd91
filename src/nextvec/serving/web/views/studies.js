// Studies: what each trains and has found, followed while it runs.

import { get, getChanged } from "../api.js";
import { bar } from "../charts.js";
import { announce, empty, h, linkTo, scrollable, trail } from "../dom.js";
import { date, number, plural, span } from "../format.js";

const RUNNING = 2000;
const RESTING = 15000;
const LIST = [["Study"], ["Where it stands"], ["Last recorded", "wide"]];
const NUMBERS = [["State"], ["Epochs"], ["Validation", "figure"], ["Left", "wide"]];
const TRIALS = [["Trial"], ...NUMBERS, ["Settings"]];
const RUNS = [["Run"], ...NUMBERS, ["Test"]];

export async function show(id, signal) {
  if (!id) return all((await get("/v1/studies", signal)).data);
  const path = `/v1/studies/${encodeURIComponent(id)}`;
  const { tag, value } = await getChanged(path, null, signal);
  const page = one(value);
  follow(path, tag, value, page.draw, signal);
  return { title: id, content: page.content };
}

function all(studies) {
  const heading = h("h1", {}, "Studies");
  if (!studies.length) return { title: "Studies", content: [heading, nothing()] };
  const rows = studies.map((study) =>
    row(LIST, [linkTo("studies", study.id), summary(study), date(study.date)]),
  );
  const table = h("table", {}, head(LIST), h("tbody", {}, rows));
  return { title: "Studies", content: [heading, scrollable("Studies", table)] };
}

function nothing() {
  return empty("No study yet", "Train many models from one plan, and read one answer:", [
    "nextvec study run examples/reference-study.toml",
    "nextvec study run examples/sweeps/gru.toml",
  ]);
}

/** "Running: 3 of 27 trials, 1 of 3 runs done". */
function summary({ running, counts, planned, trials, looks }) {
  const runs = Object.values(counts).reduce((sum, count) => sum + count, 0);
  const parts = [
    planned && `${trials} of ${plural(planned, "trial")}`,
    runs && `${counts.done} of ${plural(runs, "run")} done`,
    counts.failed && `${counts.failed} failed`,
    looks && `test documents looked at for ${plural(looks, "model")}`,
  ];
  return `${running ? "Running" : "Not running"}: ${parts.filter(Boolean).join(", ") || "nothing yet"}`;
}

/** The page of one study, and what draws it anew: the places stay, so that focus and scrolling do. */
function one(study) {
  const lead = h("p", { class: "lead" });
  const trials = part("Trials", TRIALS);
  const runs = part("Runs", RUNS);
  const board = h("p", {}, linkTo("leaderboard", study.id, "Leaderboard and answers"));
  const draw = (now) => {
    lead.textContent = words(now);
    board.hidden = !now.compared;
    fill(trials, now.search.trials.map((trial) => trialRow(trial, now.search.pace)).reverse());
    fill(runs, now.runs.map(runRow));
  };
  draw(study);
  return { content: [trail("studies", "Studies"), h("h1", {}, study.id), lead, board, runs.section, trials.section], draw };
}

function words({ running, counts, looks, search }) {
  const trials = search.trials.filter((trial) => ["done", "pruned", "failed"].includes(trial.state)).length;
  return `${summary({ running, counts, looks, planned: search.planned, trials })}.`;
}

function part(title, columns) {
  const body = h("tbody", {});
  const section = h("section", {}, h("h2", {}, title), scrollable(title, h("table", {}, head(columns), body)));
  return { section, body };
}

function fill({ section, body }, rows) {
  const focused = body.contains(document.activeElement) ? document.activeElement.hash : null;
  body.replaceChildren(...rows);
  section.hidden = !rows.length;
  if (focused) [...body.querySelectorAll("a")].find((anchor) => anchor.hash === focused)?.focus();
}

function trialRow(trial, pace) {
  const at = trial.state === "running" ? pace : null;
  const settings = Object.entries(trial.options).map(([key, value]) => `${key} ${plain(value)}`);
  const epochs = at ? progress(at) : trial.epochs || "";
  const told = trial.reason ? `${settings.join(", ")}: ${trial.reason}` : settings.join(", ");
  return row(TRIALS, [String(trial.trial + 1), trial.state, epochs, score(trial.validation), left(at), told]);
}

function runRow(run) {
  const name = run.state === "done" ? linkTo("models", run.model) : run.model;
  const test = run.cosine ? `${score(run.cosine.estimate)} [${span(run.cosine)}]` : "";
  const failed = run.state === "failed" ? `failed: ${run.note}` : run.state;
  return row(RUNS, [name, failed, run.pace ? progress(run.pace) : "", score(run.validation_cosine), left(run.pace), test]);
}

function progress({ epoch, epochs, step, steps }) {
  return [h("span", { class: "wide" }, bar(step / Math.max(steps, 1))), ` ${Math.min(epoch + 1, epochs)} of ${epochs}`];
}

const score = (value) => (value === null || value === undefined ? "" : number(value));
const plain = (value) => (typeof value === "number" ? String(Number(value.toPrecision(3))) : String(value));

function left(pace) {
  if (!pace || pace.seconds_left === null) return "";
  const minutes = pace.seconds_left / 60;
  return minutes < 1.5 ? `about ${Math.ceil(pace.seconds_left)} s` : `about ${Math.round(minutes)} min`;
}

function head(columns) {
  const cells = columns.map(([name, kind]) => h("th", { scope: "col", class: kind }, name));
  return h("thead", {}, h("tr", {}, cells));
}

function row(columns, [first, ...rest]) {
  const cells = rest.map((cell, i) => h("td", { class: columns[i + 1][1] }, cell));
  return h("tr", {}, h("th", { scope: "row" }, first), cells);
}

/** Draws what has changed until the view is left; says so when a run or the study has ended. */
async function follow(path, tag, value, draw, signal) {
  let said = words(value);
  while (await pause(value.running ? RUNNING : RESTING, signal)) {
    if (document.hidden) continue;
    const fresh = await getChanged(path, tag, signal).catch(() => ({ tag: null, value: null }));
    if (signal.aborted) return;
    if (!fresh.value) continue;
    ({ tag, value } = fresh);
    draw(value);
    if (words(value) !== said) announce((said = words(value)));
  }
}

/** False once the view is left. */
function pause(milliseconds, signal) {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(!signal.aborted), milliseconds);
    signal.addEventListener("abort", () => (clearTimeout(timer), resolve(false)), { once: true });
  });
}
