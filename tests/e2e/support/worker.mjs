// The built Worker, running on loopback: started in tens of milliseconds, so that every test has
// its own settings and an empty memory. The default runtime is bare workerd, where the Worker gets
// exactly the bytes that the client sent; `runtime: "miniflare"` puts it behind wrangler's own
// simulator, which normalises requests but checks KV calls as the real KV does.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { copyFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { bundle, loadMiniflare, ROOT, workerdPath } from "./bundle.mjs";
import { send } from "./http.mjs";
import { minted } from "./mint.mjs";
import { bounded, until } from "./until.mjs";

// A test process that is cut short takes its Workers and their folders with it.
const running = new Map();
process.once("exit", () => running.forEach(remove));

function remove(folder, child) {
  child.kill("SIGKILL"); // SIGTERM would let workerd wait for open connections
  rmSync(folder, { recursive: true, force: true });
}

const SERVED_LIMITER = join(ROOT, "cli", "serve", "limiter.mjs");
const COMPATIBILITY_DATE = "2026-04-26";

/**
 * A KV namespace that outlives a Worker and can be given to several: a folder, one file per key.
 */
export function kvStore(t) {
  const folder = mkdtempSync(join(tmpdir(), "mcp-edge-auth-kv-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const names = () => readdirSync(folder, { recursive: true }).filter((name) => statSync(join(folder, name)).isFile());
  return {
    folder,
    entries: () => names().map((name) => ({ name, text: readFileSync(join(folder, name), "utf8") })),
    /** Replaces every value by edit(value). */
    edit(edit) {
      for (const name of names()) writeFileSync(join(folder, name), edit(readFileSync(join(folder, name), "utf8")));
    },
  };
}

/** The clock of every Worker started with { clock }: stopped, and only moved by the test. */
export function testClock(start = Date.now()) {
  let now = Math.floor(start / 1000) * 1000;
  const clock = {
    files: new Set(),
    seconds: () => now / 1000,
    forward(seconds) {
      now += seconds * 1000;
      for (const file of clock.files) writeFileSync(file, String(now));
    },
  };
  return clock;
}

/**
 * vars: variables, strings or JSON values. kv: a kvStore, or false for no binding. In bare workerd
 * also: kv, a startKv; clock, a testClock; around(main), the text of an entry module to put around
 * the bundle's own; rewrite(text), the text of the bundle's own in its place; modules, texts by
 * name that it imports; services, bindings to what listens at an address; limiters, rate limiters
 * by name, each as { limit, period } or as the text of a module that makes one; port, where it is
 * to listen (0: anywhere); cfHeader, a header whose JSON is `request.cf`; audit, the text of a
 * module that makes the binding AUDIT. In miniflare also: cf, that object; audit, whether there is
 * one. Gives { port, url, logs, lines(event), output(), send(head), stop() }; logs are the JSON
 * lines of the Worker's console.
 */
export async function startWorker(t, { vars = {}, kv = false, clock, around, rewrite, modules = {}, services = {}, limiters = {}, audit, port = 0, cfHeader, cf, runtime = "workerd" } = {}) {
  const worker = { logs: [], stdout: "", stderr: "" };
  const heard = (out, err) => {
    createInterface({ input: out }).on("line", (line) => {
      worker.stdout += `${line}\n`;
      if (line.startsWith("{")) worker.logs.push(JSON.parse(line));
    });
    err.on("data", (chunk) => (worker.stderr += chunk));
  };
  const start = runtime === "miniflare" ? startMiniflare : startWorkerd;
  Object.assign(worker, await start({ vars, kv, clock, around, rewrite, modules, services, limiters, audit, port, cfHeader, cf, heard }));
  worker.url = `http://127.0.0.1:${worker.port}`;
  worker.output = () => worker.stdout + worker.stderr;
  worker.lines = (event) => worker.logs.filter((line) => line.event === event);
  /**
   * One exchange. It ends when its log line is there too, so that lines and answers are never mixed
   * up.
   */
  worker.send = async (head) => (await worker.logged(() => send(worker.port, head))).response;
  /** Does `exchange` and gives its answer with the one request line that it left in the log. */
  worker.logged = async (exchange) => {
    const before = worker.lines("request").length;
    const response = await exchange();
    const line = await until("the request's log line", () => worker.lines("request")[before]);
    return { response, line };
  };
  let stopped;
  const { stop } = worker;
  worker.stop = () => (stopped ??= bounded("the Worker's end", stop()));
  t.after(async () => {
    await worker.stop();
    assert.doesNotMatch(worker.output(), /panick|Rust panic|RuntimeError|had hung/, "the Worker must never panic");
    for (const token of minted) assert.ok(!worker.output().includes(token), "a token must never be logged");
  });
  return worker;
}

async function startWorkerd({ vars, kv, clock, around = clock && clockMain, rewrite, modules: extra, services: bound, limiters, audit, port, cfHeader, heard }) {
  const built = await bundle();
  const folder = mkdtempSync(join(tmpdir(), "mcp-edge-auth-workerd-"));
  const modules = built.files.map(({ name, kind }) => ({ name, kind }));
  for (const [name, text] of Object.entries(extra)) {
    modules.push({ name, kind: "esModule" });
    await writeFile(join(folder, name), text);
  }
  await Promise.all(built.files.map(({ name, path }) => copyFile(path, join(folder, name))));
  if (rewrite) {
    const main = join(folder, built.main);
    await writeFile(main, rewrite(readFileSync(main, "utf8")));
  }
  if (around) {
    modules.unshift({ name: "around.mjs", kind: "esModule" });
    await writeFile(join(folder, "around.mjs"), around(built.main));
  }
  if (clock) {
    modules.push({ name: "clock.mjs", kind: "esModule" });
    await writeFile(join(folder, "clock.mjs"), CLOCK);
    mkdirSync(join(folder, "clock"));
    clock.files.add(join(folder, "clock", "now"));
    clock.forward(0);
  }
  const bindings = Object.entries(vars).map(([name, value], index) => {
    const text = typeof value === "string";
    writeFileSync(join(folder, `var${index}`), text ? value : JSON.stringify(value));
    return `(name = "${name}", ${text ? "text" : "json"} = embed "var${index}")`;
  });
  if (kv) bindings.push(`(name = "JWKS_CACHE", kvNamespace = "kv")`);
  if (clock) bindings.push(`(name = "TEST_CLOCK", service = "clock")`);
  for (const name of Object.keys(bound)) bindings.push(`(name = "${name}", service = "bound-${name}")`);
  const extensions = [];
  if (audit) {
    writeFileSync(join(folder, "audit-binding.mjs"), audit);
    extensions.push(`(modules = [(name = "test:audit", esModule = embed "audit-binding.mjs", internal = true)])`);
    bindings.push(`(name = "AUDIT", wrapped = (moduleName = "test:audit"))`);
  }
  for (const [name, limiter] of Object.entries(limiters)) {
    const text = typeof limiter === "string" ? limiter : readFileSync(SERVED_LIMITER, "utf8");
    writeFileSync(join(folder, `limiter-${name}`), text);
    const inner = Object.entries(typeof limiter === "string" ? {} : limiter).map(([name, value]) => `(name = "${name}", json = "${value}")`);
    extensions.push(`(modules = [(name = "test:${name}", esModule = embed "limiter-${name}", internal = true)])`);
    bindings.push(`(name = "${name}", wrapped = (moduleName = "test:${name}", innerBindings = [${inner.join(", ")}]))`);
  }
  const services = [
    `(name = "main", worker = .worker)`,
    `(name = "internet", network = (allow = ["public", "private", "local"]))`,
    kv && `(name = "kv", ${kv.address ? `external = (address = "${kv.address}", http = ())` : `disk = (path = "${kv.folder}", writable = true)`})`,
    ...Object.entries(bound).map(([name, address]) => `(name = "bound-${name}", external = (address = "${address}", http = ()))`),
    clock && `(name = "clock", disk = "${join(folder, "clock")}")`,
  ];
  await writeFile(join(folder, "config.capnp"), `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [${services.filter(Boolean).join(", ")}],
  sockets = [(name = "http", address = "127.0.0.1:${port}", http = (${cfHeader ? `cfBlobHeader = "${cfHeader}"` : ""}), service = "main")],
  extensions = [${extensions.join(", ")}]
);
const worker :Workerd.Worker = (
  modules = [${modules.map(({ name, kind }) => `(name = "${name}", ${kind} = embed "${name}")`).join(", ")}],
  compatibilityDate = "${COMPATIBILITY_DATE}",
  bindings = [${bindings.join(", ")}]
);
`);
  const stdio = ["ignore", "pipe", "pipe", "pipe"];
  const child = spawn(workerdPath(), ["serve", join(folder, "config.capnp"), "--control-fd=3"], { stdio });
  running.set(child, folder);
  let refusal = "";
  child.stderr.on("data", (chunk) => (refusal += chunk));
  heard(child.stdout, child.stderr);
  const ended = new Promise((resolve) => child.once("close", resolve));
  const listening = new Promise((resolve, reject) => {
    createInterface({ input: child.stdio[3] }).on("line", (line) => {
      const message = JSON.parse(line);
      if (message.event === "listen") resolve(message.port);
    });
    ended.then((code) => reject(new Error(`workerd ended with ${code}: ${refusal}`)));
  });
  const stop = async () => {
    clock?.files.delete(join(folder, "clock", "now"));
    remove(folder, child);
    await ended;
    running.delete(child);
  };
  return { port: await bounded("workerd's port", listening), stop };
}

// workerd has no clock that a test could set, so this one entry module around the untouched bundle
// gives it one.
const CLOCK = `const Real = Date;
export let now = Real.now();
export const set = (ms) => { now = ms; };
globalThis.Date = class extends Real {
  constructor(...args) { if (args.length) super(...args); else super(now); }
  static now() { return now; }
};
`;
const clockMain = (main) => `import { set } from "./clock.mjs";
import worker from "./${main}";
export default {
  async fetch(request, env, context) {
    const { TEST_CLOCK, ...rest } = env;
    set(Number(await (await TEST_CLOCK.fetch("http://clock/now")).text()));
    return worker.fetch(request, rest, context);
  },
};
`;

async function startMiniflare({ vars, kv, clock, around, limiters, cf = false, audit, heard }) {
  assert.ok(!clock && !around, "only bare workerd takes these");
  const { Miniflare } = loadMiniflare();
  const built = await bundle();
  const type = { esModule: "ESModule", wasm: "CompiledWasm" };
  const miniflare = new Miniflare({
    modules: built.files.map(({ name, path, kind }) => ({
      type: type[kind], path: name, contents: kind === "wasm" ? readFileSync(path) : readFileSync(path, "utf8"),
    })),
    compatibilityDate: COMPATIBILITY_DATE,
    host: "127.0.0.1",
    port: 0,
    cf, // `true` asks the network
    bindings: vars,
    ratelimits: Object.fromEntries(Object.entries(limiters).map(([name, simple]) => [name, { simple }])),
    ...(kv && { kvNamespaces: ["JWKS_CACHE"], kvPersist: kv.folder }),
    ...(audit && { analyticsEngineDatasets: { AUDIT: { dataset: "test" } } }),
    handleRuntimeStdio: heard,
  });
  const port = Number((await bounded("Miniflare's port", miniflare.ready)).port);
  return { port, stop: () => miniflare.dispose(), kvNamespace: () => miniflare.getKVNamespace("JWKS_CACHE") };
}
