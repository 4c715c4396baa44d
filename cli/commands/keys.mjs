// `npm run keys -- show|purge`: what KV holds of the issuers' key sets, and its removal, through
// wrangler.
//
// It promises: `show` names each key set's source, age, freshness and kids; `purge` removes all of
// them, or those whose source contains the words after it. Without --remote it looks into the local
// KV of `wrangler dev`. It never touches another key of the namespace.
//
// npm run keys -- show [--remote] [--env NAME] [--config FILE] [--persist-to DIR] npm run keys --
// purge [SOURCE] [the same options]

import { spawnSync } from "node:child_process";
import { dirname, join, resolve } from "node:path";
// By its default: a named import that an old Node lacks fails before its version is looked at.
import util from "node:util";

import { plain } from "../plain.mjs";
import { ensurePackages, requireNode, ROOT, stop, usage } from "../../scripts/setup.mjs";

const USAGE = usage("usage: npm run keys -- show|purge [SOURCE] [--remote] [--env NAME] [--config FILE] [--persist-to DIR]");
const BINDING = "JWKS_CACHE";
const PREFIX = "jwks:"; // what the Worker puts before the hash of a source's name
const FORMAT = 1; // src/keys/stored.rs

requireNode();
await ensurePackages();
const { command, wanted, options } = readArguments();

const names = JSON.parse(wrangler("list", "--prefix", PREFIX)).map(({ name }) => name);
const records = names.map((name) => ({ name, ...describe(wrangler("get", name, "--text")) }));
const chosen = records.filter(({ source }) => !wanted || source.includes(wanted));
console.log(plain(store()));
for (const { name, source, more = "", details = [] } of chosen) {
  if (command === "purge") wrangler("delete", name);
  // The query may hold a key of its own; the Worker's log leaves it out, too.
  console.log(plain(`${command === "purge" ? "removed " : ""}${source.split("?")[0]}${more}`));
  for (const detail of details) console.log(plain(`  ${detail}`));
}
if (!chosen.length) console.log(wanted ? plain(`KV holds no key set whose source contains "${wanted}".`) : "KV holds no key set.");
if (command === "purge" && chosen.length) {
  console.log("\nRunning isolates still have what they hold in memory. `npx wrangler deploy` starts new ones.");
}

/** Which store was read: each namespace has a local one and one at Cloudflare. */
function store() {
  const { remote, env, config, "persist-to": folder } = options;
  const of = `KV namespace ${BINDING}${config ? ` of ${config}` : ""}${env ? `, environment ${env}` : ""}`;
  if (remote) return `${of}: the deployment's, at Cloudflare`;
  // Where wrangler keeps it.
  const state = folder ? resolve(ROOT, folder) : resolve(ROOT, dirname(config ?? ""), ".wrangler", "state");
  return `${of}: the local one of \`wrangler dev\`, in ${join(state, "v3", "kv")}`;
}

function describe(text) {
  try {
    const { format, source, fetched_at, fresh_for, jwks } = JSON.parse(text);
    if (format !== FORMAT || typeof source !== "string") throw new Error("another format");
    const age = Math.floor(Date.now() / 1000) - fetched_at;
    const kids = JSON.parse(jwks).keys.map(({ kid }) => kid ?? "(no kid)");
    const state = age < fresh_for ? `fresh for ${fresh_for - age} s more` : `stale for ${age - fresh_for} s`;
    return { source, details: [`fetched ${age} s ago, ${state}`, `kids: ${kids.join(" ")}`] };
  } catch {
    return { source: "unreadable", more: ": the Worker takes it for no key set" };
  }
}

/** One `wrangler kv key` command; its output. */
function wrangler(...args) {
  const bin = join(ROOT, "node_modules", "wrangler", "bin", "wrangler.js");
  const where = ["--binding", BINDING, options.remote ? "--remote" : "--local"];
  for (const name of ["env", "config", "persist-to"]) if (options[name]) where.push(`--${name}`, options[name]);
  const result = spawnSync(process.execPath, [bin, "kv", "key", ...args, ...where], {
    cwd: ROOT,
    encoding: "utf8",
    env: { ...process.env, WRANGLER_SEND_METRICS: "false", WRANGLER_HIDE_BANNER: "true" },
  });
  if (result.status !== 0) stop(`wrangler could not do it:\n${(result.stderr || result.stdout).trim()}`);
  return result.stdout;
}

function readArguments() {
  try {
    const string = { type: "string" };
    const { values, positionals } = util.parseArgs({
      allowPositionals: true,
      options: { remote: { type: "boolean" }, env: string, config: string, "persist-to": string },
    });
    const [command, wanted, ...rest] = positionals;
    if (!["show", "purge"].includes(command) || rest.length) stop(USAGE);
    return { command, wanted, options: values };
  } catch (error) {
    return stop(`${error.message}\n${USAGE}`);
  }
}
