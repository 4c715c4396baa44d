// One part of what is started together: a child process in a process group of its own.
//
// It promises: `ready` asks, within a bound, until the part answers or has died; `stop` ends the
// whole group (wrangler starts workerd and the build), with SIGTERM and then, if need be, SIGKILL;
// what the part said is kept for the day it fails, and only lines that `show` wants reach the
// terminal.

import { spawn } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";

import { ROOT } from "../place.mjs";
import { plainLines } from "../plain.mjs";

const KEPT_LINES = 60;
const POLL_MS = 100;
const WRONG_ANSWER_MS = 10_000;
const TERM_MS = 5_000;

export class Part {
  #tail = [];
  #stopping = false;

  /** `show(line, fromStderr)` says whether a line is printed, or what in its place. */
  constructor({ name, args, env = process.env, show = () => false }) {
    this.name = name;
    this.child = spawn(process.execPath, args, {
      cwd: ROOT,
      env,
      // Its own group: a Ctrl-C reaches the starter only, which then stops the parts in order.
      detached: true,
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.exited = new Promise((resolve) => {
      this.child.once("error", (error) => resolve(error.message));
      this.child.once("exit", (code, signal) => resolve(signal ?? `exit code ${code}`));
    });
    // Whatever ends the starter, even a fault of its own, nothing may stay behind.
    process.once("exit", () => this.#signal("SIGKILL"));
    this.#read(this.child.stdout, (line) => show(line, false));
    this.#read(this.child.stderr, (line) => show(line, true));
  }

  /** The last lines it wrote. */
  get output() {
    return this.#tail.join("\n");
  }

  /**
   * Resolves once `url` answers with `status`; throws when the part dies first or `seconds` have
   * passed.
   */
  async ready({ url, status, seconds }) {
    let until = Date.now() + seconds * 1000;
    let last;
    let died;
    this.exited.then((how) => (died = how));
    while (Date.now() < until) {
      if (died !== undefined) this.#fail(`did not start (${died})`);
      try {
        const response = await fetch(url, { signal: AbortSignal.timeout(3_000) });
        const body = await response.text();
        if (response.status === status) return;
        // It is up and says no: a fault that waiting longer does not cure.
        if (!last) until = Math.min(until, Date.now() + WRONG_ANSWER_MS);
        last = `${response.status} ${body.split("\n")[0].slice(0, 200)}`;
      } catch {
        // Not listening yet.
      }
      await sleep(POLL_MS);
    }
    this.#fail(last ? `is not ready: ${url} answered ${last}` : `did not answer within ${seconds} s at ${url}`);
  }

  /** Resolves when no process of the group is left. */
  async stop() {
    this.#stopping = true;
    if (!this.#signal("SIGTERM")) return;
    for (const until = Date.now() + TERM_MS; Date.now() < until; await sleep(50)) {
      if (!this.#signal(0)) return;
    }
    this.#signal("SIGKILL");
  }

  #fail(how) {
    throw Object.assign(new Error(`The ${this.name} ${how}.`), { part: this });
  }

  #signal(signal) {
    if (!this.child.pid) return false;
    try {
      process.kill(-this.child.pid, signal);
      return true;
    } catch {
      return false; // ESRCH: the group is empty
    }
  }

  #read(stream, show) {
    let rest = "";
    stream.setEncoding("utf8").on("data", (chunk) => {
      const lines = (rest + chunk).split("\n");
      rest = lines.pop();
      for (const line of lines) {
        this.#tail.push(line);
        if (this.#tail.length > KEPT_LINES) this.#tail.shift();
        const shown = !this.#stopping && show(line);
        if (shown) console.log(plainLines(typeof shown === "string" ? shown : line));
      }
    });
  }
}
