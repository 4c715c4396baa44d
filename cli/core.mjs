// The Worker's own code in the process of a command: the crate `cli`, as wasm.
//
// It promises: where the package is installed, the wasm lies in build/ beside this file, and is
// loaded from there. In the repository it is built there where it is missing or older than a
// source; only that needs Rust.

import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";

import { ensureCommands, isRepository, ROOT } from "./place.mjs";

const WASM = join(ROOT, "cli", "build", "index_bg.wasm");
const SOURCES = ["Cargo.toml", "Cargo.lock", "src", "cli/Cargo.toml", "cli/src", "xtask"];

/** Builds the wasm if it has to be, and loads it. */
export async function loadCore() {
  if (isOld()) await ensureCommands();
  const wasm = await import("./build/index.js");
  return {
    /** Judges what `readSettings` gave: { ok, lines: [{ level, says }] }, or { ok, error }. */
    check: (settings) => JSON.parse(wasm.check(JSON.stringify(settings))),

    /**
     * The providers: [{ name, parameters, audience, clients }], with parameters [{ name, default,
     * example, expected }].
     */
    providers: () => JSON.parse(wasm.providers()),

    /**
     * Judges `{ read, served, ask }`: what `readSettings` gave, whether it is for `serve`, and the
     * options of `revoke`. Gives { error } or { misuse } if nothing comes of it. With a `document`,
     * a text or null, it carries it out: { document, entry, entries, notes }.
     */
    revoke: (given) => JSON.parse(wasm.revoke(JSON.stringify({ ...given, now: Date.now() }))),

    /** The JSON Schema of all settings, as text. */
    schema: () => wasm.schema(),

    /**
     * Examines `{ deployment, url, resource, token }`, where the deployment is what `readSettings`
     * gave; whether nothing failed. `exchange` makes { method, url, headers, body } into an answer
     * or an { error }; `tell` gets each { level, check, says, todo } as it is found.
     */
    doctor: (given, { exchange, tell }) =>
      wasm.doctor(
        JSON.stringify({ ...given, now: Math.floor(Date.now() / 1000) }),
        async (request) => JSON.stringify(await exchange(JSON.parse(request))),
        (line) => tell(JSON.parse(line)),
      ),
  };
}

/** Whether a source in the repository is newer; an installed package has none. */
function isOld() {
  if (!isRepository) return false;
  if (!existsSync(WASM)) return true;
  const built = statSync(WASM).mtimeMs;
  return SOURCES.map((path) => join(ROOT, path)).some((path) => {
    const below = statSync(path).isDirectory() ? readdirSync(path, { recursive: true }) : [];
    return [path, ...below.map((file) => join(path, file))].some((file) => statSync(file).mtimeMs > built);
  });
}
