// Follows the daemon's events. A hidden tab has no stream, because a browser has only six
// connections to one server; later it continues where it stopped.

import { Problem, ended } from "./patch.js";

const patience = 35000; // a heartbeat comes every 15 s

export class Stream {
  /** @param {string} base @param {number} seq
   * @param {{event: (e: any) => void, fleet: () => void, alive: () => void, lost: (p: Problem) => void, gone: () => void}} on */
  constructor(base, seq, on) {
    Object.assign(this, { base, seq, on, wait: 250, stopped: true });
  }

  start() {
    if (!this.stopped) return;
    this.stopped = false;
    this.follow();
  }

  stop() {
    this.stopped = true;
    clearTimeout(this.again);
    this.abort?.abort();
  }

  async follow() {
    const abort = this.abort = new AbortController();
    try {
      await this.read(abort);
      this.wait = 250;
    } catch (problem) {
      if (abort.signal.aborted && this.stopped) return;
      if (problem.status === 410) {
        this.stop();
        return this.on.gone();
      }
      this.on.lost(problem instanceof Problem ? problem : ended());
    }
    if (this.stopped || abort !== this.abort) return;
    this.again = setTimeout(() => this.follow(), this.wait);
    this.wait = Math.min(4000, 2 * this.wait);
  }

  async read(abort) {
    const reply = await fetch(`${this.base}api/events?follow=1&since=${this.seq}`, { signal: abort.signal, cache: "no-store" });
    if (!reply.ok) throw await problemOf(reply);
    this.alive(abort);
    this.wait = 250;
    const reader = reply.body.pipeThrough(new TextDecoderStream()).getReader();
    let text = "";
    try {
      for (;;) {
        const { value, done } = await reader.read().catch(() => { throw broken(); });
        if (done) throw new Problem("the daemon ended the connection", "it may be restarting; see: systemctl status providerd");
        this.alive(abort);
        const lines = (text + value).split("\n");
        text = lines.pop();
        for (const line of lines) if (line && this.line(JSON.parse(line))) return;
      }
    } finally {
      clearTimeout(this.watch);
      reader.cancel().catch(() => {});
    }
  }

  /** @returns {boolean} whether the stream has ended in order */
  line(e) {
    if (e.seq) this.seq = e.seq;
    if (!e.type) this.on.event(e);
    if (e.type === "fleet") this.on.fleet();
    if (e.type === "gap") this.on.gone();
    if (e.type !== "end") return false;
    if (e.reason === "shutting_down") throw new Problem("the daemon is shutting down", "start it again, or wait if it restarts");
    if (e.reason === "store_failing") throw new Problem("the daemon cannot read its events", "see: providerctl health");
    return true;
  }

  /** Notes a sign of life. If the next one is overdue, the stream is opened again. */
  alive(abort) {
    clearTimeout(this.watch);
    this.watch = setTimeout(() => abort.abort(), patience);
    this.on.alive();
  }
}

const broken = () => new Problem("nothing more is heard of the daemon", "it may be stopped or stuck; see: providerctl health");

/** @param {Response} reply @returns {Promise<Problem>} */
export async function problemOf(reply) {
  try {
    const { error } = await reply.json();
    return new Problem(error.message, error.hint, reply.status);
  } catch {
    return new Problem(`the dashboard answered ${reply.status}`, "start it again: providerctl dashboard", reply.status);
  }
}
