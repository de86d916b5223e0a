// Keeps the view live: fetches again what has changed according to the stream, at most once a
// frame.

import { patch, patchRows, sortRows, view, Problem } from "./patch.js";
import { Stream } from "./stream.js";

const body = document.body;
export const base = body.dataset.base;
const rows = document.querySelector("#rows tbody");
const most = 50; // rows in one request: as many as a frame has time for

/* The clock is the daemon's. */
let began = performance.now(), then = Number(body.dataset.now);
const now = () => then + performance.now() - began;

/* What has to be fetched. */
const dirty = new Set();
let all = false, whole = false, head = false, busy = false, unsorted = false;
const listeners = new Set();

/** Calls a function after each update of the view. */
export const updated = (listener) => listeners.add(listener);

/** Notes that a provider has changed; without an id, that anything may have. A view of another
 * provider, of the fleet or of the daemon only counts it. */
export function changed(id) {
  const own = document.getElementById("card")?.dataset.id;
  if (id !== undefined && rows) dirty.add(id);
  else if (id !== undefined && (own !== undefined ? id !== own : ["daemon", "fleet"].includes(body.dataset.view))) head = true;
  else all = true;
  update();
}

/** Shows the view at another address instead, without leaving the page. */
export function turnTo(url) {
  history.replaceState(null, "", url);
  all = whole = true;
  update();
}

async function update() {
  if (busy) return;
  busy = true;
  try {
    while (all || head || dirty.size > 0) {
      await new Promise((next) => document.hidden ? setTimeout(next, 250) : requestAnimationFrame(next));
      const url = new URL(location.href);
      if (all && !whole && rows?.rows.length > 4 * most) { // one after the other: a provider that is new or gone has an event
        for (const row of rows.rows) dirty.add(row.dataset.id);
        all = false;
      }
      const asked = all || dirty.size === 0 ? null : [...dirty].slice(0, most);
      url.searchParams.delete("said");
      url.hash = "";
      if (asked) for (const id of asked) { dirty.delete(id); url.searchParams.append("id", id); }
      else if (all) { dirty.clear(); all = whole = false; }
      else url.href = `${url.origin}${base}?id=`; // no row: only the head of each view
      head = false;
      await apply(await view(url.href), asked);
      if (!rows) await new Promise((next) => setTimeout(next, 250));
    }
    if (unsorted) sortRows(rows);
    unsorted = false;
  } catch (problem) {
    if (problem.status === 404) location.assign(base); // the provider is gone
    else lost(problem);
  } finally {
    busy = false;
  }
}

/** Shows a view that was fetched. */
export async function apply(doc, asked = null) {
  began = performance.now();
  then = Number(doc.body.dataset.now);
  const acting = document.querySelector("#action[data-running]");
  for (const id of ["census", "pick", "shows", "none"]) {
    const old = document.getElementById(id), fresh = doc.getElementById(id);
    if (old && fresh) patch(old, fresh);
  }
  const table = doc.querySelector("#rows");
  if (rows && table) {
    const { order } = doc.body.dataset, grid = rows.parentElement;
    if (asked && (order !== body.dataset.order || table.className !== grid.className)) changed(); // a reload moved them, or there are other columns
    body.dataset.order = order;
    grid.className = table.className;
    patch(grid.tHead, table.tHead);
    unsorted = await patchRows(rows, doc, asked) || unsorted;
    if (!busy && unsorted) sortRows(rows);
  } else if (doc.title === document.title) {
    patch(document.getElementById("main"), doc.getElementById("main"));
  }
  tick();
  if (acting && !acting.hasAttribute("data-running")) document.getElementById("news").textContent = acting.querySelector(".lead")?.textContent ?? "";
  for (const listener of listeners) listener();
}

/* Times run in the page. */
const units = [[172800, 86400, "d"], [3600, 3600, "h"], [60, 60, "m"], [0, 1, "s"]];

function span(seconds) {
  const [, unit, name] = units.find(([from]) => seconds >= from) ?? units[3];
  return Math.max(0, Math.floor(seconds / unit)) + name;
}

function countdown(seconds) {
  const left = Math.max(0, Math.ceil(seconds)), two = (n) => String(n).padStart(2, "0");
  if (left >= 3600) return `${Math.floor(left / 3600)}:${two(Math.floor(left / 60) % 60)}:${two(left % 60)}`;
  return `${two(Math.floor(left / 60))}:${two(left % 60)}`;
}

const write = (node, text) => { if (node.textContent !== text) node.textContent = text; };

function tick() {
  const at = now();
  for (const time of document.querySelectorAll("time[data-ago]")) write(time, span((at - time.dataset.ago) / 1000));
  for (const time of document.querySelectorAll("time[data-in]")) write(time, countdown((time.dataset.in - at) / 1000));
  const state = document.getElementById("live");
  if (!state.hasAttribute("data-on")) return;
  write(document.getElementById("live-text"), `live · ${span((performance.now() - heard) / 1000)} ago`);
}

/* What a screen reader says: changes of state, summed up. */
let told = [], telling;

function tell(e) {
  if (e.from === e.to) return;
  told.push(e);
  telling ??= setTimeout(() => {
    const counts = {};
    for (const { to } of told) counts[to] = (counts[to] ?? 0) + 1;
    document.getElementById("news").textContent = told.length <= 3
      ? told.map(({ id, to, reason }) => `${id} is ${to}, ${reason}`).join(". ")
      : `${told.length} changes: ${Object.entries(counts).map(([to, n]) => `${n} ${to}`).join(", ")}`;
    told = [];
    telling = undefined;
  }, 1000);
}

/* The stream. */
let heard = performance.now();
const banner = document.getElementById("banner");

const stream = new Stream(base, Number(body.dataset.seq), {
  event(e) {
    tell(e);
    if (!e.ids) return changed(e.id);
    for (const id of e.ids) changed(id); // an event of this machine, about all of them
  },
  fleet() {
    if (body.dataset.view === "fleet") changed();
  },
  alive() {
    heard = performance.now();
    if (banner.hidden && document.getElementById("live").hasAttribute("data-on")) return;
    const back = !banner.hidden;
    banner.hidden = true;
    body.removeAttribute("data-lost");
    label();
    document.getElementById("live").dataset.on = "";
    tick();
    if (back) changed(); // ages and latencies have no events
  },
  lost,
  gone() { // events are lost, or this is another database
    stream.stop();
    setTimeout(() => location.reload(), 500);
  },
});

/** Shows that the page is stale, and why. */
function lost(problem) {
  const text = problem.hint ? `${problem.message} → ${problem.hint}` : problem.message;
  if (banner.textContent !== text) banner.textContent = text;
  banner.hidden = false;
  if (!("lost" in body.dataset)) {
    body.dataset.lost = "";
    label();
  }
  document.getElementById("live").removeAttribute("data-on");
  write(document.getElementById("live-text"), "stale");
}

/** Labels each row of a lost daemon, for people who cannot see that it is grey. */
function label() {
  for (const mark of document.querySelectorAll(".mark.lost")) mark.remove();
  if (!("lost" in body.dataset)) return;
  for (const place of document.querySelectorAll("#rows tbody .c-id, #card .big")) {
    const mark = document.createElement("span");
    mark.className = "mark lost";
    mark.textContent = "stale";
    place.append(" ", mark);
  }
}

function seen() {
  if (document.hidden) {
    stream.stop();
    write(document.getElementById("live-text"), "waiting");
    document.getElementById("live").removeAttribute("data-on");
    return;
  }
  stream.start();
}

/** Begins. A page without a daemon is fetched again until there is one. */
export function begin() {
  setInterval(() => {
    if (document.hidden) return;
    tick();
    if (document.querySelector("#action[data-running]")) changed(); // a step of an action has no event
  }, 1000);
  if ("problem" in body.dataset) {
    write(document.getElementById("live-text"), "not live");
    retry();
    return;
  }
  rows?.addEventListener("pointerleave", () => { if ("unsorted" in rows.dataset) sortRows(rows); });
  rows?.addEventListener("animationend", (e) => e.target.removeAttribute("data-fresh"));
  document.addEventListener("visibilitychange", () => {
    seen();
    if (!document.hidden) changed();
  });
  tick();
  seen();
}

async function retry() {
  await new Promise((next) => setTimeout(next, 2000));
  try {
    if (!document.hidden) {
      await view(location.href);
      return location.reload();
    }
  } catch (problem) {
    if (!(problem instanceof Problem) || problem.status === 404) return;
  }
  retry();
}
