// Sends the forms, which change something, without leaving the page. A refresh shows its progress.

import { apply, base, changed } from "./live.js";
import { Problem, ended, view } from "./patch.js";
import { problemOf } from "./stream.js";

const pause = (ms) => new Promise((next) => setTimeout(next, ms));

/** @param {string} name @param {string} [className] @param {string} [text] */
function make(name, className, text) {
  const node = document.createElement(name);
  if (className) node.className = className;
  if (text !== undefined) node.textContent = text;
  return node;
}

function isolated(text) {
  const node = make("bdi", "", text);
  node.dir = "auto";
  return node;
}

/** Shows a message. One about a failure stays until it is closed.
 * @param {{text: string, bad?: boolean, items?: {id?: string, text: string, hint?: string}[], more?: number}} message */
export function toast({ text, bad, items = [], more }) {
  const box = make("div", bad ? "toast bad" : "toast");
  const close = make("button", "close", "×");
  close.type = "button";
  close.setAttribute("aria-label", "Close");
  const title = make("p"), strong = make("b");
  strong.append(isolated(text));
  title.append(strong);
  box.append(close, title);
  const list = make("ul");
  for (const { id, text, hint } of items) {
    const line = make("li");
    if (id) {
      const who = make("b");
      who.append(isolated(id));
      line.append(who, ": ");
    }
    line.append(isolated(text));
    if (hint) {
      const what = make("span", "hint", " → ");
      what.append(isolated(hint));
      line.append(what);
    }
    list.append(line);
  }
  if (more) list.append(make("li", "", `and ${more} more`));
  if (list.firstChild) box.append(list);
  show(box);
}

function show(box) {
  const toasts = document.getElementById("toasts");
  while (toasts.children.length > 2) toasts.firstElementChild.remove();
  toasts.append(box);
  if (!box.classList.contains("bad")) setTimeout(() => box.remove(), 6000);
}

const failed = (what, problem) => toast({ text: what, bad: true, items: [{ text: problem.message, hint: problem.hint }] });

/** Asks the daemon through the dashboard. @returns {Promise<any>} */
async function api(method, path) {
  let reply;
  try {
    reply = await fetch(base + path, { method, headers: method === "GET" ? {} : { "X-Providerd": "1" }, cache: "no-store" });
  } catch {
    throw ended();
  }
  if (!reply.ok) throw await problemOf(reply);
  return reply.json();
}

const row = (id) => document.querySelector(`[data-id="${CSS.escape(id)}"]`);
const everybody = () => [...document.querySelectorAll("#rows tbody tr, #card")];

/** Probes one provider, or all, and shows meanwhile which have answered. */
async function refresh(id, button) {
  const query = id ? `?provider_id=${encodeURIComponent(id)}` : "";
  const label = button.textContent;
  const busy = new Set(id ? [row(id)].filter(Boolean) : everybody());
  for (const node of busy) node.setAttribute("aria-busy", "true");
  button.setAttribute("aria-busy", "true");
  try {
    const { generation } = await api("POST", `api/providers/refresh${query}`);
    const only = id ? `&id=${encodeURIComponent(id)}` : "";
    const deadline = performance.now() + 20000;
    let progress;
    for (let wait = 150; ; wait = Math.min(1000, 1.5 * wait)) {
      progress = await api("GET", `progress.json?generation=${generation}${only}`);
      const waiting = new Set(progress.waiting);
      for (const node of busy) {
        if (waiting.has(node.dataset.id)) continue;
        node.removeAttribute("aria-busy");
        busy.delete(node);
        changed(node.dataset.id);
      }
      if (waiting.size === 0 || performance.now() > deadline) break;
      if (!id) button.textContent = `Refreshing: ${progress.done} of ${progress.total}`;
      button.title = `waiting for ${progress.waiting.slice(0, 5).join(", ")}`;
      await pause(wait);
    }
    for (const late of progress.waiting.slice(0, 5)) {
      (progress.items ??= []).push({ id: late, text: "no answer yet: its probe is still in progress" });
    }
    toast(progress);
  } catch (problem) {
    failed(id ? `could not refresh ${id}` : "could not refresh", problem);
  } finally {
    for (const node of busy) node.removeAttribute("aria-busy");
    button.removeAttribute("aria-busy");
    button.removeAttribute("title");
    if (!id) button.textContent = label;
  }
}

/** Sends any other form as it is, or for a provider, and shows the view and the message that come back. */
export async function send(form, id) {
  form.setAttribute("aria-busy", "true");
  try {
    const fields = new URLSearchParams(new FormData(form));
    if (id) fields.set("provider_id", id);
    const doc = await view(form.action, fields);
    await apply(doc);
    for (const box of doc.querySelectorAll("#toasts .toast")) show(document.importNode(box, true));
  } catch (problem) {
    failed(`could not ${form.dataset.act}`, problem);
  } finally {
    form.removeAttribute("aria-busy");
    form.closest("details")?.removeAttribute("open");
  }
}

document.addEventListener("submit", (e) => {
  const form = e.target;
  if (!form.dataset?.act) return;
  e.preventDefault();
  const button = e.submitter ?? form.querySelector("button");
  if (button.getAttribute("aria-busy") || form.getAttribute("aria-busy")) return;
  if (form.dataset.act === "refresh") refresh(button.value || form.elements.namedItem("provider_id")?.value, button);
  else send(form);
});

document.addEventListener("click", async (e) => {
  const close = e.target.closest(".toast .close");
  if (close) return close.parentElement.remove();
  const button = e.target.closest("[data-copy], [data-copy-from]");
  if (!button) return;
  const from = button.dataset.copyFrom;
  const text = from ? document.getElementById(from).textContent : button.dataset.copy;
  try {
    await navigator.clipboard.writeText(text);
    toast({ text: from ? "copied" : `copied ${text}` });
  } catch {
    failed("could not copy", new Problem("the browser does not allow it", "select the text, and copy it yourself"));
  }
});

for (const box of document.querySelectorAll("#toasts .toast:not(.bad)")) setTimeout(() => box.remove(), 6000);
