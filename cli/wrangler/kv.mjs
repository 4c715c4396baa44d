// The Worker's KV namespace as wrangler reaches it, for the commands that look into it: the local
// one of `wrangler dev`, or with --remote the deployment's.
//
// It promises: where wrangler cannot do what it is asked to, its own words are printed, and the
// command ends with exit code 1. A value that is not there is no such failure.

import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";

import { SETTINGS_OPTIONS } from "../command.mjs";
import { findWrangler, here, QUIET_WRANGLER } from "../place.mjs";
import { stop } from "../terminal.mjs";

const BINDING = "JWKS_CACHE";
const VALUE_BYTES = 25 * 1024 * 1024; // of KV

/** The options that say which store is meant. */
export const STORE_OPTIONS = {
  remote: { type: "boolean", says: "the deployment's KV, and not the local one of `wrangler dev`" },
  ...SETTINGS_OPTIONS,
  "persist-to": { type: "string", value: "DIR", says: "where `wrangler dev` keeps the local one, if told so" },
};

/**
 * The store that these options name: { is, names(prefix), get(name), find(name), put(name, text),
 * delete(name) }, where `is` says which it is, and `find` gives null for what is not there.
 */
export async function storeOf({ remote, env, config: asGiven, "persist-to": persistTo }) {
  const { bin } = await findWrangler();
  const config = asGiven && here(asGiven);
  const folder = persistTo && here(persistTo);
  const where = ["--binding", BINDING, remote ? "--remote" : "--local"];
  for (const [name, value] of Object.entries({ env, config, "persist-to": folder })) if (value) where.push(`--${name}`, value);
  const run = (...args) => {
    const environment = { ...process.env, ...QUIET_WRANGLER };
    return spawnSync(process.execPath, [bin, "kv", "key", ...args, ...where], { encoding: "utf8", env: environment, maxBuffer: 2 * VALUE_BYTES });
  };
  const said = (result) => {
    if (result.status !== 0) stop(`wrangler could not do it:\n${(result.stderr || result.stdout).trim()}`);
    return result.stdout;
  };
  const names = (prefix) => JSON.parse(said(run("list", "--prefix", prefix))).map(({ name }) => name);
  return {
    is: describe({ remote, env, config, folder }, asGiven),
    names,
    get: (name) => said(run("get", name, "--text")),
    find(name) {
      const result = run("get", name, "--text");
      // Wrangler's words for it: of the local store, and of Cloudflare's.
      const isMissing = result.status === 0 ? result.stdout.trim() === "Value not found" : / - 404: /.test(result.stderr + result.stdout);
      if (!isMissing) return said(result);
      if (names(name).includes(name)) stop(`KV lists ${name}, and does not give it. Try again in a minute.`);
      return null;
    },
    put(name, text) {
      const temporary = mkdtempSync(join(tmpdir(), "mcp-edge-auth-kv-"));
      try {
        writeFileSync(join(temporary, "value"), text);
        said(run("put", name, "--path", join(temporary, "value")));
      } finally {
        rmSync(temporary, { recursive: true, force: true });
      }
    },
    delete: (name) => said(run("delete", name)),
  };
}

/** Which store it is: each namespace has a local one and one at Cloudflare. */
function describe({ remote, env, config, folder }, asGiven) {
  const of = `KV namespace ${BINDING}${config ? ` of ${asGiven}` : ""}${env ? `, environment ${env}` : ""}`;
  if (remote) return `${of}: the deployment's, at Cloudflare`;
  // Where wrangler keeps it.
  const state = folder ?? resolve(dirname(config ?? ""), ".wrangler", "state");
  return `${of}: the local one of \`wrangler dev\`, in ${join(state, "v3", "kv")}`;
}
