// The keyboard. Each key presses a button or a link on the page, so nothing needs a keyboard. Keys
// in text fields and keys with a modifier are left alone.

import { send } from "./act.js";
import { base, turnTo, updated } from "./live.js";

const list = () => [...document.querySelectorAll("#rows tbody tr, table[data-filtered] tbody tr, #events li")].filter((row) => !row.hidden);
const link = (row) => row.querySelector("th a") ?? row.querySelector("a");
const current = () => document.activeElement?.closest("#rows tbody tr, table[data-filtered] tbody tr, #events li");

/** Moves to another row. One row at a time can be reached with Tab: the current one. */
function move(step) {
  const rows = list();
  if (rows.length === 0) return;
  const at = rows.indexOf(current());
  const next = rows[at < 0 ? (step > 0 ? 0 : rows.length - 1) : Math.max(0, Math.min(rows.length - 1, at + step))];
  rove(next);
  const target = link(next);
  target?.focus({ preventScroll: true });
  next.scrollIntoView({ block: "nearest" });
}

let chosen; // the row that Tab reaches

function rove(to) {
  for (const node of document.querySelectorAll("#rows tbody :is(a, button):not([tabindex])")) node.tabIndex = -1;
  const next = to?.closest("#rows") ? to : chosen?.isConnected && !chosen.hidden ? chosen : list()[0];
  if (next === chosen) return;
  for (const [row, tab] of [[chosen, -1], [next, 0]]) {
    for (const node of row?.querySelectorAll("a, button") ?? []) node.tabIndex = tab;
  }
  chosen = next;
}

let filtered = false;

/** Hides the rows that the filter does not match, as the server would. Rows that the server left
 * out are fetched. */
function filter() {
  const field = document.getElementById("q"), url = new URL(location.href);
  if (field && url.searchParams.has("q") && url.searchParams.get("q") !== field.value) {
    url.searchParams.delete("q");
    turnTo(url.href);
  }
  if (!field || !field.value && !filtered) return;
  for (const link of document.querySelectorAll("#shows a")) {
    const to = new URL(link.href);
    if (field.value) to.searchParams.set("q", field.value);
    else to.searchParams.delete("q");
    link.href = to.href;
  }
  filtered = field.value !== "";
  const rows = document.querySelectorAll("#rows tbody tr, table[data-filtered] tbody tr");
  const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
  let any = false;
  for (const row of rows) {
    const { id, state = "", reason = "", find = "" } = row.dataset;
    const text = `${id} ${state} ${reason} ${find}`.toLowerCase();
    const hidden = !words.every((word) => text.includes(word));
    if (row.hidden !== hidden) row.hidden = hidden;
    any ||= !hidden;
  }
  const none = document.getElementById("none");
  if (none && rows.length > 0) none.hidden = any;
}

function theme() {
  const root = document.documentElement;
  const next = { "": "light", light: "dark", dark: "" }[root.dataset.theme ?? ""];
  if (next) root.dataset.theme = next;
  else delete root.dataset.theme;
  try {
    localStorage.setItem("theme", next);
  } catch { /* it lasts until the page is left */ }
  name();
}

function name() {
  const button = document.getElementById("theme");
  const word = document.documentElement.dataset.theme ?? "system";
  button.textContent = { system: "Auto", light: "Light", dark: "Dark" }[word];
  button.setAttribute("aria-label", `Theme: ${word}`);
}

const press = (selector) => document.querySelector(selector)?.click();
const inRow = (selector) => (current() ?? document).querySelector(selector)?.click();

/** Opens the current row's provider, and presses a key there. */
function openAnd(pressed) {
  const target = current() && link(current());
  if (!target) return;
  sessionStorage.setItem("press", pressed);
  location.assign(target.href);
}

/** Pauses the current row's provider, or resumes it. */
function pause() {
  const row = current(), form = document.getElementById("one")?.cloneNode(true);
  if (!row?.closest("#rows") || !form) return;
  form.dataset.act = "paused" in row.dataset ? "resume" : "pause";
  form.action = `${base}do/${form.dataset.act}`;
  send(form, row.dataset.id);
}

const keys = {
  "/": () => document.getElementById("q")?.select(),
  j: () => move(1),
  k: () => move(-1),
  r: () => document.getElementById("card") ? press('[data-key="r"]') : inRow(".c-do button"),
  R: () => press('[data-key="R"]'),
  d: () => document.getElementById("card") ? press('[data-key="d"]') : openAnd("d"),
  p: () => document.getElementById("card") ? press('[data-key="p"]') : pause(),
  c: () => [...document.querySelectorAll('[data-key="c"]')].at(-1)?.click(),
  t: theme,
  "?": () => document.getElementById("help").showModal(),
  Escape: back,
};

function back() {
  const field = document.getElementById("q");
  const asking = document.querySelector(".sure[open]");
  if (asking) asking.removeAttribute("open");
  else if (document.querySelector("#toasts .toast")) document.querySelector("#toasts .close").click();
  else if (field?.value) { field.value = ""; filter(); }
  else if (document.body.dataset.view !== "overview" || document.getElementById("card")) location.assign(base);
  else document.activeElement?.blur();
}

let going = 0;

function key(e) {
  if (e.ctrlKey || e.altKey || e.metaKey || e.isComposing || document.querySelector("dialog[open]")) return;
  const field = e.target.closest("input, select, textarea");
  if (field) {
    if (e.key === "Escape") { back(); field.blur(); }
    else if (e.key === "Enter" && field.id === "q" && document.querySelector("#rows")) { e.preventDefault(); move(1); }
    return;
  }
  if (performance.now() < going) {
    going = 0;
    press(`nav [data-go="${CSS.escape(e.key)}"]`);
  } else if (e.key === "g") {
    going = performance.now() + 1500;
  } else if (Object.hasOwn(keys, e.key)) {
    keys[e.key]();
  } else {
    return;
  }
  e.preventDefault();
}

export function begin() {
  document.addEventListener("keydown", key);
  document.getElementById("theme").addEventListener("click", theme);
  document.getElementById("keys").addEventListener("click", keys["?"]);
  document.getElementById("q")?.addEventListener("input", () => { filter(); rove(); });
  document.getElementById("filter")?.addEventListener("change", (e) => { if (e.target.nodeName === "SELECT") e.currentTarget.submit(); });
  document.getElementById("rows")?.addEventListener("focusin", (e) => rove(e.target.closest("tbody tr")));
  updated(() => { filter(); rove(); });
  name();
  filter();
  rove();
  const wanted = sessionStorage.getItem("press");
  sessionStorage.removeItem("press");
  if (wanted && document.getElementById("card")) press(`[data-key="${CSS.escape(wanted)}"]`);
}
