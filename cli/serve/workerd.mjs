// One workerd with the built Worker in it.
//
// It promises: what workerd is told, secrets included, stands in a folder that only this user can
// enter, and is gone as soon as workerd has read it; `listening` resolves to the port, or fails
// with one sentence on what workerd said; `stop` lets running requests end, for a while.

import { spawn } from "node:child_process";
import { copyFileSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { extname, join, sep } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

import { findWrangler, WORKER } from "../place.mjs";
import { plain } from "../plain.mjs";

const MAIN = "entry.mjs";
const KINDS = { ".mjs": "esModule", ".js": "esModule", ".wasm": "wasm" };
const LIMITER = fileURLToPath(new URL("limiter.mjs", import.meta.url));
const LIMITER_MODULE = "mcp-edge-auth:limiter";
const DRAIN_MS = 10_000;

/** The workerd that wrangler brings. */
export async function findWorkerd() {
  const { require } = await findWrangler();
  return createRequire(require.resolve("miniflare"))("workerd").default;
}

/**
 * settings: { variables, limiters, compatibilityDate, compatibilityFlags }. binary: of
 * findWorkerd. address: `host:port`. kv: the folder of the key sets, or none. heard: gets each line
 * of the Worker's console. What workerd itself says goes to stderr, but for its stacks. Gives {
 * child, listening, ended, stop() }.
 */
export function startWorkerd(settings, { binary, address, kv, heard }) {
  const folder = mkdtempSync(join(tmpdir(), "mcp-edge-auth-serve-")); // 0700
  const forget = () => rmSync(folder, { recursive: true, force: true });
  process.once("exit", forget);
  const config = join(folder, "config.capnp");
  writeFileSync(config, describe(folder, settings, address, kv));
  const child = spawn(binary, ["serve", config, "--control-fd=3"], { stdio: ["ignore", "pipe", "pipe", "pipe"] });
  createInterface({ input: child.stdout }).on("line", heard);
  let isListening = false;
  let refusal = "";
  createInterface({ input: child.stderr }).on("line", (line) => {
    if (line.startsWith("stack:")) return; // addresses in workerd's own code
    if (isListening) console.error(plain(line));
    else refusal ||= line;
  });
  const ended = new Promise((resolve) => {
    child.once("error", (error) => resolve(error.message));
    child.once("close", (code, signal) => resolve(signal ?? `exit code ${code}`));
  });
  const listening = new Promise((resolve, reject) => {
    createInterface({ input: child.stdio[3] }).on("line", (line) => {
      const { event, port } = JSON.parse(line);
      if (event !== "listen") return;
      isListening = true;
      resolve(port);
    });
    ended.then((how) => reject(new Error(refusal ? sentence(refusal, address) : `workerd ended (${how}).`)));
  });
  listening.then(forget, forget);
  const stop = async () => {
    child.kill("SIGTERM");
    const timer = setTimeout(() => child.kill("SIGKILL"), DRAIN_MS);
    await ended;
    clearTimeout(timer);
  };
  return { child, listening, ended, stop };
}

/** What workerd refuses, for whoever typed the command. */
function sentence(refusal, address) {
  if (/Address already in use/.test(refusal)) return `${address} is in use: stop what listens there, or choose another port with --port.`;
  if (/Permission denied/.test(refusal)) return `This user may not listen on ${address}: choose a port above 1023 with --port.`;
  if (/Cannot assign requested address|DNS lookup failed/.test(refusal)) return `${address} is no address of this machine: choose one with --host.`;
  const said = refusal.replace(/^\*\*\* Fatal uncaught kj::Exception: \S+: failed: /, "").replace(/^service \w+: /, "");
  return `workerd does not start: ${said}`;
}

/** workerd's configuration. Values are files beside it: nothing has to be escaped. */
function describe(folder, { variables, limiters = [], compatibilityDate, compatibilityFlags }, address, kv) {
  // In folders, too: a crate may bring JavaScript of its own.
  const paths = readdirSync(WORKER, { recursive: true }).filter((path) => extname(path) in KINDS);
  paths.sort((a, b) => Number(b === MAIN) - Number(a === MAIN)); // the main module leads
  const modules = paths.map((path, i) => {
    const name = path.split(sep).join("/");
    copyFileSync(join(WORKER, path), join(folder, `module${i}`));
    return `(name = "${name}", ${KINDS[extname(path)]} = embed "module${i}")`;
  });
  const bindings = Object.entries(variables).map(([name, value], i) => {
    const text = typeof value === "string";
    writeFileSync(join(folder, `value${i}`), text ? value : JSON.stringify(value));
    return `(name = ${JSON.stringify(name)}, ${text ? "text" : "json"} = embed "value${i}")`;
  });
  // There is no `request.cf`.
  bindings.push(`(name = "MCP_EDGE_AUTH_OUTSIDE_CLOUDFLARE", text = "yes")`);
  if (kv) bindings.push(`(name = "JWKS_CACHE", kvNamespace = "kv")`);
  if (limiters.length) copyFileSync(LIMITER, join(folder, "limiter"));
  for (const { name, limit, period } of limiters) {
    const inner = Object.entries({ limit, period }).map(([name, value]) => `(name = "${name}", json = "${Number(value)}")`);
    bindings.push(`(name = ${JSON.stringify(name)}, wrapped = (moduleName = "${LIMITER_MODULE}", innerBindings = [${inner.join(", ")}]))`);
  }
  // An origin, and an issuer, may well be on this machine or in this network: what is asked is what
  // the settings name.
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "worker", worker = (
      modules = [${modules.join(", ")}],
      bindings = [${bindings.join(", ")}],
      compatibilityDate = ${JSON.stringify(compatibilityDate)},
      compatibilityFlags = ${JSON.stringify(compatibilityFlags)}
    )),
    (name = "internet", network = (allow = ["public", "private"], tlsOptions = (trustBrowserCas = true)))${kv ? `,
    (name = "kv", disk = (path = ${JSON.stringify(kv)}, writable = true))` : ""}
  ],
  sockets = [(name = "http", address = ${JSON.stringify(address)}, http = (), service = "worker")],
  extensions = [${limiters.length ? `(modules = [(name = "${LIMITER_MODULE}", esModule = embed "limiter", internal = true)])` : ""}]
);
`;
}
