// Bare workerd with one Worker in it, for measurements of the process itself: how soon it answers,
// how much memory it holds. The configuration is written once and started many times. What the
// Worker logs goes nowhere unless somebody asks for it.
import { spawn } from "node:child_process";
import { copyFileSync, readFileSync, rmSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

import { ROOT, bundle, workerdPath } from "../../../tests/e2e/support/bundle.mjs";
import { bounded } from "../../../tests/e2e/support/until.mjs";

/**
 * The least that a Worker in this place can be: it passes everything at /mcp on, unread; any other
 * path has a constant answer.
 */
const BASE = `export default {
  fetch(request, env) {
    if (new URL(request.url).pathname !== "/mcp") return new Response("{}", { headers: { "content-type": "application/json" } });
    return fetch(env.ORIGIN_URL, request);
  },
};
`;

const START_MS = 20_000;
export const DATE = /^compatibility_date = "(.*)"/m.exec(readFileSync(join(ROOT, "wrangler.toml"), "utf8"))[1];

/** Modules, main first: { name, kind, path | text }. */
export const ours = async () => (await bundle()).files;
export const base = async () => [{ name: "base.mjs", kind: "esModule", text: BASE }];

/**
 * { start(), remove() }; each start() gives { port, pid, spawned, listening, stop() }, times as of
 * performance.now(). v8Flags: for the engine; heard(chunk): gets what the process prints.
 */
export function prepare(modules, vars, { v8Flags = [], heard } = {}) {
  const folder = mkdtempSync(join(tmpdir(), "mcp-edge-auth-bench-"));
  for (const { name, path, text } of modules) {
    if (path) copyFileSync(path, join(folder, name));
    else writeFileSync(join(folder, name), text);
  }
  const bindings = Object.entries(vars).map(([name, value], index) => {
    writeFileSync(join(folder, `var${index}`), typeof value === "string" ? value : JSON.stringify(value));
    return `(name = "${name}", ${typeof value === "string" ? "text" : "json"} = embed "var${index}")`;
  });
  writeFileSync(join(folder, "config.capnp"), `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  v8Flags = ${JSON.stringify(v8Flags)},
  services = [
    (name = "main", worker = .worker),
    (name = "internet", network = (allow = ["public", "private", "local"])),
  ],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "main")]
);
const worker :Workerd.Worker = (
  modules = [${modules.map(({ name, kind }) => `(name = "${name}", ${kind} = embed "${name}")`).join(", ")}],
  compatibilityDate = "${DATE}",
  bindings = [${bindings.join(", ")}]
);
`);
  return { start: () => start(folder, heard), remove: () => rmSync(folder, { recursive: true, force: true }) };
}

async function start(folder, heard) {
  const spawned = performance.now();
  const stdio = ["ignore", heard ? "pipe" : "ignore", "pipe", "pipe"];
  const child = spawn(workerdPath(), ["serve", join(folder, "config.capnp"), "--control-fd=3"], { stdio });
  const kill = () => child.kill("SIGKILL"); // SIGTERM would let workerd wait for open connections
  process.once("exit", kill);
  child.stdout?.on("data", heard);
  let refusal = "";
  child.stderr.on("data", (chunk) => (refusal = (refusal + chunk).slice(-2000)));
  child.once("error", (error) => (refusal += error.message));
  const ended = new Promise((resolve) => child.once("close", resolve));
  const ready = new Promise((resolve, reject) => {
    createInterface({ input: child.stdio[3] }).on("line", (line) => {
      const message = JSON.parse(line);
      if (message.event === "listen") resolve({ port: message.port, listening: performance.now() });
    });
    ended.then(() => reject(new Error(`workerd ended: ${refusal}`)));
  });
  const stop = async () => {
    kill();
    await bounded("workerd's end", ended);
    process.off("exit", kill);
  };
  try {
    return { pid: child.pid, spawned, stop, ...(await bounded("workerd's port", ready, START_MS)) };
  } catch (error) {
    await stop();
    throw error;
  }
}
