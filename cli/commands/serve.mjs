// `npm run serve`: the Worker without Cloudflare, in workerd on this machine. docs/self-hosting.md.
//
// It promises: the settings are those of wrangler's own file and `.dev.vars`, as wrangler reads
// them; the Worker judges them before a port is opened, and with a fault none is; from then on
// stdout has the Worker's log, with times, and nothing else; SIGTERM, SIGINT and SIGHUP end it,
// exit code 0.
//
// npm run serve -- [--host 127.0.0.1] [--port 8787] [--kv FOLDER] [--config FILE] [--env NAME]
// [--no-build]

import { existsSync, mkdirSync, statSync } from "node:fs";
import { isIPv6 } from "node:net";
import { join, resolve } from "node:path";
// By its default: a named import that an old Node lacks fails before its version is looked at.
import util from "node:util";

import { plain } from "../plain.mjs";
import { timed } from "../serve/log.mjs";
import { startWorkerd } from "../serve/workerd.mjs";
import { readSettings } from "../wrangler/settings.mjs";
import { buildWorker, ensurePackages, requireNode, requireRust, ROOT, stop, usage } from "../../scripts/setup.mjs";

const USAGE = usage("usage: npm run serve -- [--host ADDRESS] [--port N] [--kv FOLDER] [--config FILE] [--env NAME] [--no-build]");
const KV = join(".wrangler", "serve", "kv");
const WRITABLE_BY_OTHERS = 0o022;

requireNode();
const options = readOptions();
await ensurePackages({ quiet: true });
if (options.build) {
  requireRust();
  if ((await buildWorker()) !== 0) stop("The Worker could not be built; cargo said why above.");
} else if (!existsSync(join(ROOT, "build", "entry.mjs"))) {
  stop("build/ has no Worker; run `npm run build` first, or leave out --no-build.");
}

const settings = await settingsToServe();
const faults = [...settings.beside, ...(await judge())];
if (faults.length) stop(`The settings have faults:\n${faults.map((fault) => `- ${plain(fault)}`).join("\n")}`);
await serve();

async function settingsToServe() {
  const { file, error, taken, ignored, variables, origin, settings } = await readSettings({ ...options, secrets: true });
  const beside = (ignored ?? []).map((other) => `${other} lies beside ${taken}, which wrangler takes: keep one of the two`);
  if (error) stop([`${file} cannot be read: ${error}`, ...beside].map(plain).join("\n"));
  const { compatibility_date: compatibilityDate, compatibility_flags: compatibilityFlags } = settings;
  if (!compatibilityDate) stop(`${file} has no compatibility_date, which says how the runtime behaves: add compatibility_date = "2026-04-26".`);
  if (origin) stop(`Outside Cloudflare there is nothing to bind as ORIGIN; take it out of ${file}, and say ORIGIN_URL.`);
  return { beside, variables, compatibilityDate, compatibilityFlags: compatibilityFlags ?? [] };
}

/**
 * What the Worker itself says of its settings, on a port of its own, without network or KV: its
 * faults.
 */
async function judge() {
  const lines = [];
  const heard = (line) => line.startsWith("{") && lines.push(JSON.parse(line));
  const workerd = startWorkerd(settings, { address: "127.0.0.1:0", heard });
  try {
    const { status } = await fetch(`http://127.0.0.1:${await workerd.listening}/healthz`);
    await workerd.stop();
    if (status === 200) return [];
    return lines.find(({ event }) => event === "misconfigured")?.faults ?? [`the Worker answers ${status} to /healthz`];
  } catch (error) {
    return stop(error.message);
  }
}

async function serve() {
  const kv = prepareKv();
  const host = isIPv6(options.host) ? `[${options.host}]` : options.host;
  const heard = (line) => (timed(line) ? process.stdout.write(`${timed(line)}\n`) : console.error(plain(line)));
  const workerd = startWorkerd(settings, { address: `${host}:${options.port}`, kv, heard });
  let ending = false;
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
    process.on(signal, () => {
      if (ending) return workerd.child.kill("SIGKILL"); // asked twice
      ending = true;
      console.error("Stopping: running requests may end, for 10 seconds.");
      return workerd.stop();
    });
  }
  // Nothing stays behind, whatever ends this process.
  process.once("exit", () => workerd.child.kill("SIGKILL"));
  const port = await workerd.listening.catch((error) => (ending ? 0 : stop(error.message)));
  // On stderr: stdout is the Worker's log.
  if (!ending) console.error(`Listening on http://${host}:${port}. Key sets are kept in ${kv}.`);
  const how = await workerd.ended;
  if (!ending) stop(`workerd ended by itself (${how}).`);
  console.error("Stopped.");
  process.exit(0);
}

/** The folder of the key sets. Whoever can write there says whose tokens are good. */
function prepareKv() {
  mkdirSync(options.kv, { recursive: true, mode: 0o700 });
  const { mode, uid } = statSync(options.kv);
  if (process.platform === "win32") return options.kv;
  if (mode & WRITABLE_BY_OTHERS || uid !== process.getuid()) {
    stop(`Others can write to ${options.kv}, and with it decide whose tokens are good: chmod 700 it, and let it be this user's own.`);
  }
  return options.kv;
}

function readOptions() {
  try {
    const string = (value) => ({ type: "string", default: value });
    const { values } = util.parseArgs({
      options: {
        host: string("127.0.0.1"), port: string("8787"), kv: string(join(ROOT, KV)),
        config: { type: "string", short: "c" }, env: { type: "string", short: "e" }, "no-build": { type: "boolean", default: false },
      },
    });
    if (!/^\d{1,5}$/.test(values.port) || Number(values.port) > 65535) stop(`--port takes a port from 0 to 65535, not "${values.port}".`);
    return { ...values, build: !values["no-build"], kv: resolve(values.kv), config: values.config && resolve(values.config) };
  } catch (error) {
    return stop(`${error.message}\n${USAGE}`);
  }
}
