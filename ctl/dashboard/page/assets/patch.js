// Patches the page with the same view, fetched again. Nodes stay in place, and with them focus,
// selection and scrolling; only what differs is changed. Texts are set as text: all markup comes
// from the server.

/** Attributes that only the scripts set, unknown to the server. */
const ours = new Set(["hidden", "tabindex", "aria-busy", "open", "data-fresh"]);

/** Fetches a view. An XMLHttpRequest parses it without running or loading anything.
 * @param {string} url @param {URLSearchParams} [form] sent by POST
 * @returns {Promise<Document>} rejected with a Problem */
export function view(url, form) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open(form ? "POST" : "GET", url);
    request.responseType = "document";
    request.timeout = 30000;
    request.onload = () => {
      const doc = request.response;
      if (request.status === 200 && doc?.body?.dataset.view !== undefined) return resolve(doc);
      const said = doc?.querySelector("#main .problem");
      reject(new Problem(said?.querySelector("h1")?.textContent ?? `the dashboard answered ${request.status}`,
        said?.querySelector(".hint")?.textContent.replace(/^→ /, ""), request.status));
    };
    request.onerror = () => reject(ended());
    request.ontimeout = () => reject(new Problem("the daemon did not answer within 30 s", "see: providerctl health"));
    request.send(form);
  });
}

/** Why something could not be done, and what to do about it. */
export class Problem extends Error {
  /** @param {string} message @param {string} [hint] @param {number} [status] of HTTP */
  constructor(message, hint, status) {
    super(message);
    this.hint = hint;
    this.status = status;
  }
}

export const ended = () => new Problem("this dashboard has ended", "start it again: providerctl dashboard");

/** @param {Node} old @param {Node} now */
export function patch(old, now) {
  if (old.nodeName !== now.nodeName) {
    old.replaceWith(document.importNode(now, true));
  } else if (old instanceof Element) {
    attributes(old, now);
    if (old instanceof HTMLInputElement || old instanceof HTMLSelectElement) return; // somebody may be typing
    children(old, now);
  } else if (old.data !== now.data) {
    old.data = now.data;
  }
}

function attributes(old, now) {
  for (const { name, value } of now.attributes) {
    if (!ours.has(name) && old.getAttribute(name) !== value) old.setAttribute(name, value);
  }
  if (old.attributes.length === now.attributes.length) return;
  for (const { name } of [...old.attributes]) {
    if (!ours.has(name) && !now.hasAttribute(name)) old.removeAttribute(name);
  }
}

const key = (node) => node.dataset?.id ?? node.dataset?.seq;

/** Children with a key are recognised wherever they are; others by their place. */
function children(old, now) {
  const known = new Map();
  for (const child of old.children) {
    if (key(child)) known.set(key(child), child);
  }
  let at = old.firstChild;
  for (const child of now.childNodes) {
    const same = known.size > 0 && key(child) ? known.get(key(child)) : at;
    if (!same || same !== at && !key(child)) {
      old.insertBefore(document.importNode(child, true), at);
      continue;
    }
    if (same !== at) old.insertBefore(same, at);
    else at = at.nextSibling;
    patch(same, child);
  }
  while (at) {
    const next = at.nextSibling;
    at.remove();
    at = next;
  }
}

/** Brings the table's rows up to date, a few at a time, so that no frame is late.
 * @param {HTMLTableSectionElement} body @param {Document} doc
 * @param {string[] | null} asked the rows that were asked for; null for all
 * @returns {Promise<boolean>} whether they have to be sorted again */
export async function patchRows(body, doc, asked) {
  const slice = 50, few = 10; // more than a few changes at once are not marked
  const known = new Map();
  for (const row of body.rows) known.set(row.dataset.id, row);
  const rows = [...doc.querySelectorAll("#rows tbody tr")];
  const gone = new Set(asked ?? known.keys());
  for (const row of rows) gone.delete(row.dataset.id);
  for (const id of gone) known.get(id)?.remove();
  let moved = false;
  for (let i = 0; i < rows.length; i++) {
    if (i > 0 && i % slice === 0) await new Promise(requestAnimationFrame);
    const now = rows[i], old = known.get(now.dataset.id);
    if (!old) {
      body.append(document.importNode(now, true));
      moved = true;
      continue;
    }
    const { state, rank, place } = old.dataset;
    patch(old, now);
    if (state !== now.dataset.state && rows.length <= few) old.dataset.fresh = "";
    moved ||= rank !== now.dataset.rank || place !== now.dataset.place;
  }
  return moved;
}

/** Puts rows in order with few moves, but not while somebody points at one of them. */
export function sortRows(body) {
  if (body.matches(":hover")) {
    body.dataset.unsorted = "";
    return;
  }
  delete body.dataset.unsorted;
  const number = (row) => [Number(row.dataset.rank), Number(row.dataset.place)];
  const keyed = [...body.rows].map((row) => ({ row, at: number(row) }));
  keyed.sort((a, b) => a.at[0] - b.at[0] || a.at[1] - b.at[1]);
  const focused = document.activeElement;
  let at = body.firstElementChild;
  for (const { row } of keyed) {
    if (row === at) at = at.nextElementSibling;
    else if (at && row === at.nextElementSibling) at = row.nextElementSibling; // the previous one moves later
    else body.insertBefore(row, at);
  }
  if (focused !== document.activeElement && focused?.isConnected) focused.focus({ preventScroll: true });
}
