// `npm start`: an authorization server, an MCP server as origin, and the Worker between them, in
// one terminal.
//
// It promises: what is missing is installed or named; busy ports are named before anything is
// started; it says how to connect only when all three answer; then the terminal shows the Worker's
// log, one line per request: for people, or JSON with --json and where it is no terminal. Ctrl-C,
// SIGTERM, a closed terminal, a failed start or the death of one part stops the others: nothing is
// left behind.
//
// It shows the Worker's page for people in a browser, where there is one and somebody sits at the
// terminal.
//
// npm start -- --port 8787 --as-port 8788 --origin-port 8789 --no-open --json   (0: any free port)

import { rmSync } from "node:fs";
import { join } from "node:path";
// By its default: a named import that an old Node lacks fails before its version is looked at.
import util from "node:util";

import { plainLines } from "../cli/plain.mjs";
import { Part } from "../cli/serve/part.mjs";
import { printer } from "../cli/serve/people.mjs";
import { choosePorts } from "../cli/serve/ports.mjs";
import { buildWorker, ensurePackages, requireNode, requireRust, ROOT, stop, usage } from "../scripts/setup.mjs";
import { openInBrowser } from "./open.mjs";

const DEFAULTS = { port: 8787, "as-port": 8788, "origin-port": 8789 };
const PARTS_START_S = 30;
const WORKER_START_S = 180; // wrangler builds once more; with nothing to do that takes a second

const USAGE = usage("usage: npm start -- [--port N] [--as-port N] [--origin-port N] [--no-open] [--json]   (0: any free port)");

requireNode();
requireRust();
const { noOpen, json, ...wanted } = readOptions();
// One more for wrangler's inspector.
const ports = await choosePorts({ ...wanted, inspector: 0 }, (name, sentence) =>
  stop(`${sentence}; choose another one with \`npm start -- --${name} N\` (0: any free port).`));
await ensurePackages();
if ((await buildWorker()) !== 0) stop("The Worker could not be built; cargo said why above.");

const urls = {
  client: `http://127.0.0.1:${ports.port}/mcp`,
  issuer: `http://127.0.0.1:${ports["as-port"]}`,
  origin: `http://127.0.0.1:${ports["origin-port"]}/mcp`,
};
const settings = {
  MCP_SERVER_AUTH_CANONICAL_URL: urls.client,
  MCP_SERVER_AUTH_AUTHORIZATION_SERVERS: JSON.stringify([{ authorization_server_url: urls.issuer }]),
  ORIGIN_URL: urls.origin,
};
const changed = [
  ...(ports.port === DEFAULTS.port ? [] : ["MCP_SERVER_AUTH_CANONICAL_URL"]),
  ...(ports["as-port"] === DEFAULTS["as-port"] ? [] : ["MCP_SERVER_AUTH_AUTHORIZATION_SERVERS"]),
  ...(ports["origin-port"] === DEFAULTS["origin-port"] ? [] : ["ORIGIN_URL"]),
];
// Two demos at once must not share one KV database, and a port that was free by chance is not worth
// keeping one for.
const state = join(ROOT, ".wrangler", "demo", String(ports.port));
const temporary = wanted.port === 0;

const print = printer({ json });
const parts = [];
let ending = false;
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => end(0, "Stopped."));

try {
  await startAll();
} catch (error) {
  await end(1, `${error.part?.output ?? ""}\n${error.message}`);
}
if (!ending) announce();
if (!ending && !noOpen) openInBrowser(urls.client);

async function startAll() {
  const authorizationServer = add(new Part({
    name: "authorization server",
    args: ["demo/authorization-server.mjs", "--port", String(ports["as-port"]), "--resource", urls.client],
  }));
  const origin = add(new Part({
    name: "origin",
    args: ["demo/origin.mjs"],
    // Its get-env tool shows the whole environment to whoever logs in, and any name logs in here.
    env: { PATH: process.env.PATH, PORT: String(ports["origin-port"]) },
  }));
  const worker = add(new Part({
    name: "Worker",
    args: [
      "node_modules/wrangler/bin/wrangler.js", "dev", "--config", "demo/wrangler.toml",
      "--ip", "127.0.0.1", "--port", String(ports.port),
      "--inspector-ip", "127.0.0.1", "--inspector-port", String(ports.inspector),
      "--show-interactive-dev-session=false", "--persist-to", state,
      ...changed.flatMap((name) => ["--var", `${name}:${settings[name]}`]),
    ],
    env: {
      ...process.env,
      WRANGLER_SEND_METRICS: "false", // these three: nothing leaves this machine
      CLOUDFLARE_CF_FETCH_ENABLED: "false",
      WRANGLER_HIDE_BANNER: "true",
      // Else a file per start in the home folder.
      WRANGLER_LOG_PATH: join(ROOT, ".wrangler", "logs"),
    },
    show: (line, fromStderr) => !print(line) && fromStderr && line.trim() !== "",
  }));
  await Promise.all([
    authorizationServer.ready({
      url: `${urls.issuer}/.well-known/oauth-authorization-server`, status: 200, seconds: PARTS_START_S,
    }),
    // A GET without a session: refused, so alive.
    origin.ready({ url: urls.origin, status: 400, seconds: PARTS_START_S }),
    worker.ready({ url: new URL("/healthz", urls.client), status: 200, seconds: WORKER_START_S }),
  ]);
  for (const part of parts) {
    part.exited.then((how) => end(1, `${part.output}\nThe ${part.name} stopped by itself (${how}), so the demo ends.`));
  }
}

function add(part) {
  parts.push(part);
  return part;
}

function announce() {
  if (changed.length) {
    console.log("\nOther ports than the usual ones, so these settings differ from demo/wrangler.toml:");
    for (const name of changed) console.log(`  ${name} = ${settings[name]}`);
  }
  console.log(`
URL for an MCP client:   ${urls.client}
How to add it to one:    ${urls.client}   (in a browser)
See the 401:             curl -i ${urls.client}
Get a token, list tools: npm run client -- ${urls.client}
`);
}

async function end(code, words) {
  if (ending) return;
  ending = true;
  await Promise.all(parts.map((part) => part.stop()));
  if (temporary) rmSync(state, { recursive: true, force: true });
  (code ? console.error : console.log)(`\n${plainLines(words.trim())}`);
  process.exit(code);
}

function readOptions() {
  const chosen = {};
  try {
    const options = Object.fromEntries(Object.keys(DEFAULTS).map((name) => [name, { type: "string" }]));
    const { values } = util.parseArgs({ options: { ...options, "no-open": { type: "boolean" }, json: { type: "boolean" } } });
    chosen.noOpen = values["no-open"] ?? false;
    chosen.json = values.json ?? false;
    for (const [name, usual] of Object.entries(DEFAULTS)) {
      const text = values[name] ?? String(usual);
      if (!/^\d{1,5}$/.test(text) || Number(text) > 65535) stop(`--${name} takes a port from 0 to 65535, not "${text}".`);
      chosen[name] = Number(text);
    }
  } catch (error) {
    stop(`${error.message}\n${USAGE}`);
  }
  return chosen;
}
