// `keys show|purge [SOURCE]`: what KV holds of the issuers' key sets, and its removal, through
// wrangler. docs/keys.md.
//
// It promises: `show` names each key set's source, age, freshness and kids; `purge` removes all of
// them, or those whose source contains the words after it. Without --remote it looks into the local
// KV of `wrangler dev`. It never touches another key of the namespace.

import { spawnSync } from "node:child_process";
import { dirname, join, resolve } from "node:path";

import { Misuse, SETTINGS_OPTIONS } from "../command.mjs";
import { findWrangler, here, QUIET_WRANGLER } from "../place.mjs";
import { plain, plainJson } from "../plain.mjs";
import { stop } from "../terminal.mjs";

const BINDING = "JWKS_CACHE";
const PREFIX = "jwks:"; // what the Worker puts before the hash of a source's name
const FORMAT = 1; // src/keys/stored.rs

export const keys = {
  does: "shows what KV holds of the issuers' key sets, or removes it",
  more: "`show` names each key set; `purge` removes all, or those whose source contains SOURCE.",
  takes: "show|purge [SOURCE]",
  options: {
    remote: { type: "boolean", says: "the deployment's KV, and not the local one of `wrangler dev`" },
    ...SETTINGS_OPTIONS,
    "persist-to": { type: "string", value: "DIR", says: "where `wrangler dev` keeps the local one, if told so" },
    json: { type: "boolean", says: "the same as JSON" },
  },
  async run({ json, ...given }, [action, wanted, ...rest]) {
    if (!["show", "purge"].includes(action) || rest.length) throw new Misuse("`keys` takes show or purge, and perhaps a part of a source.");
    const options = { ...given, config: given.config && here(given.config), "persist-to": given["persist-to"] && here(given["persist-to"]) };
    const wrangler = await wranglerFor(options);
    const names = JSON.parse(wrangler("list", "--prefix", PREFIX)).map(({ name }) => name);
    const records = names.map((name) => ({ name, ...read(wrangler("get", name, "--text")) }));
    const chosen = records.filter(({ source = "unreadable" }) => !wanted || source.includes(wanted));
    if (action === "purge") for (const { name } of chosen) wrangler("delete", name);
    const found = { store: store(options, given.config), action, key_sets: chosen.map(shown) };
    if (json) console.log(plainJson(found));
    else print(found, wanted);
    return 0;
  },
};

/** Which store was read: each namespace has a local one and one at Cloudflare. */
function store({ remote, env, config, "persist-to": folder }, asGiven) {
  const of = `KV namespace ${BINDING}${config ? ` of ${asGiven}` : ""}${env ? `, environment ${env}` : ""}`;
  if (remote) return `${of}: the deployment's, at Cloudflare`;
  // Where wrangler keeps it.
  const state = folder ?? resolve(dirname(config ?? ""), ".wrangler", "state");
  return `${of}: the local one of \`wrangler dev\`, in ${join(state, "v3", "kv")}`;
}

/** A record of the Worker's, or an empty object if the Worker takes it for no key set. */
function read(text) {
  try {
    const { format, source, fetched_at, fresh_for, jwks } = JSON.parse(text);
    if (format !== FORMAT || typeof source !== "string") throw new Error("another format");
    const age = Math.floor(Date.now() / 1000) - fetched_at;
    const kids = JSON.parse(jwks).keys.map(({ kid }) => kid ?? "(no kid)");
    return { source, age, fresh_for: fresh_for - age, kids };
  } catch {
    return {};
  }
}

/** The query of a source may hold a key of its own; the Worker's log leaves it out, too. */
const shown = ({ source, age, fresh_for, kids }) =>
  source === undefined ? { source: null } : { source: source.split("?")[0], age_seconds: age, fresh_for_seconds: fresh_for, kids };

function print({ store, action, key_sets }, wanted) {
  console.log(plain(store));
  for (const { source, age_seconds: age, fresh_for_seconds: left, kids } of key_sets) {
    const is = source === null ? "unreadable: the Worker takes it for no key set" : source;
    console.log(plain(`${action === "purge" ? "removed " : ""}${is}`));
    if (source === null) continue;
    console.log(`  fetched ${age} s ago, ${left > 0 ? `fresh for ${left} s more` : `stale for ${-left} s`}`);
    console.log(plain(`  kids: ${kids.join(" ")}`));
  }
  if (!key_sets.length) console.log(wanted ? plain(`KV holds no key set whose source contains "${wanted}".`) : "KV holds no key set.");
  if (action === "purge" && key_sets.length) {
    console.log("\nRunning isolates still have what they hold in memory. `npx wrangler deploy` starts new ones.");
  }
}

/** Runs one `wrangler kv key` command, and gives its output. */
async function wranglerFor(options) {
  const { bin } = await findWrangler();
  const where = ["--binding", BINDING, options.remote ? "--remote" : "--local"];
  for (const name of ["env", "config", "persist-to"]) if (options[name]) where.push(`--${name}`, options[name]);
  return (...args) => {
    const env = { ...process.env, ...QUIET_WRANGLER };
    const result = spawnSync(process.execPath, [bin, "kv", "key", ...args, ...where], { encoding: "utf8", env });
    if (result.status !== 0) stop(`wrangler could not do it:\n${(result.stderr || result.stdout).trim()}`);
    return result.stdout;
  };
}
