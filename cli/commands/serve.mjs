// `serve`: the Worker without Cloudflare, in workerd on this machine. docs/self-hosting.md.
//
// It promises: the settings are those of wrangler's own file and `.dev.vars`, as wrangler reads
// them; the Worker judges them before a port is opened, and with a fault none is; from then on
// stdout has the Worker's log, with times, and nothing else: JSON, or lines for people where it is
// a terminal; SIGTERM, SIGINT and SIGHUP end it, exit code 0.

import { existsSync, mkdirSync, statSync } from "node:fs";
import { isIPv6 } from "node:net";
import { join, resolve } from "node:path";

import { Misuse, SETTINGS_OPTIONS } from "../command.mjs";
import { ensureWorker, here, isRepository, WORKER } from "../place.mjs";
import { plain } from "../plain.mjs";
import { printer } from "../serve/people.mjs";
import { refuseFaults, settingsToServe } from "../serve/settings.mjs";
import { findWorkerd, startWorkerd } from "../serve/workerd.mjs";
import { stop } from "../terminal.mjs";

const KV = join(".wrangler", "serve", "kv");
const WRITABLE_BY_OTHERS = 0o022;

export const serve = {
  does: "serves the Worker without Cloudflare, in workerd on this machine",
  more: "The settings are those of wrangler's file and .dev.vars; the log goes to stdout.",
  options: {
    host: { type: "string", value: "ADDRESS", says: "where it listens; by default 127.0.0.1" },
    port: { type: "string", value: "N", says: "on which port, 0 for any free one; by default 8787" },
    kv: { type: "string", value: "FOLDER", says: `where key sets are kept; by default ${KV}` },
    ...SETTINGS_OPTIONS,
    json: { type: "boolean", says: "the log as JSON on a terminal, too" },
    ...(isRepository && { "no-build": { type: "boolean", says: "serve what is in build/, and need no Rust" } }),
  },
  async run({ host = "127.0.0.1", port = "8787", kv, config, env, json, "no-build": isBuilt }) {
    requirePort("port", port);
    if (!isBuilt) await ensureWorker();
    else if (!existsSync(join(WORKER, "entry.mjs"))) stop("build/ has no Worker; run `npm run build` first, or leave out --no-build.");
    const binary = await findWorkerd();
    const settings = await settingsToServe({ config: config && here(config), env });
    await refuseFaults(binary, settings);
    return listen(settings, { binary, host: isIPv6(host) ? `[${host}]` : host, port, kv: prepareKv(kv === undefined ? resolve(KV) : here(kv)), json });
  },
};

/** Throws if it is no port. */
export function requirePort(option, text) {
  if (!/^\d{1,5}$/.test(text) || Number(text) > 65535) throw new Misuse(`--${option} takes a port from 0 to 65535, not "${text}".`);
}

async function listen(settings, { binary, host, port: wanted, kv, json }) {
  const print = printer({ json });
  const heard = (line) => print(line) || console.error(plain(line));
  const workerd = startWorkerd(settings, { binary, address: `${host}:${wanted}`, kv, heard });
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
  return process.exit(0);
}

/** The folder of the key sets. Whoever can write there says whose tokens are good. */
function prepareKv(folder) {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const { mode, uid } = statSync(folder);
  if (process.platform === "win32") return folder;
  if (mode & WRITABLE_BY_OTHERS || uid !== process.getuid()) {
    stop(`Others can write to ${folder}, and with it decide whose tokens are good: chmod 700 it, and let it be this user's own.`);
  }
  return folder;
}
