// `npm run doctor [-- --env NAME] [--config FILE] [--url URL] [--resource URL] [--token FILE]
// [--json]`: why does nobody get in?
//
// The judging is cli/src/doctor, with the Worker's own code; it asks for HTTP exchanges, and
// `cli/exchange.mjs` makes them. A token comes from a file or, with `--token -`, from stdin: never
// from the command line, which shells remember. Exit code 1 means that something failed.

import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
// By its default: a named import that an old Node lacks fails before its version is looked at.
import util from "node:util";

import { loadCore } from "../core.mjs";
import { exchange } from "../exchange.mjs";
import { plain, plainJson } from "../plain.mjs";
import { readSettings } from "../wrangler/settings.mjs";
import { requireNode, stop, usage } from "../../scripts/setup.mjs";

const USAGE = usage("usage: npm run doctor -- [--env NAME] [--config FILE] [--url URL] [--resource URL] [--token FILE, - for stdin] [--json]");

requireNode();
const { url, resource, token, json, given } = options();
const core = await loadCore();
const deployment = await readSettings(given);
const lines = [];
const tell = (line) => {
  lines.push(line);
  if (!json) print(line);
};
const ok = await core.doctor({ deployment, url, resource, token }, { exchange, tell });
if (json) console.log(plainJson({ ok, lines }));
else summary();
process.exitCode = ok ? 0 : 1;

function options() {
  const here = (file) => resolve(process.env.INIT_CWD ?? process.cwd(), file);
  const string = { type: "string" };
  try {
    const names = { env: { ...string, short: "e" }, config: { ...string, short: "c" }, url: string, resource: string, token: string, json: { type: "boolean" } };
    const { token, json = false, env, config, url, resource } = util.parseArgs({ options: names }).values;
    const given = { env, config: config === undefined ? undefined : here(config) };
    return { url, resource, token: token === undefined ? null : read(token, here), json, given };
  } catch (error) {
    return stop(`${error.message}\n${USAGE}`);
  }
}

function read(file, here) {
  if (/^(Bearer )?[\w-]+\.[\w-]+\.[\w-]*/.test(file) && !existsSync(here(file))) {
    stop("A token is never an argument, where shells and process lists keep it: put it into a file, or pipe it to `--token -`.");
  }
  try {
    const token = readFileSync(file === "-" ? 0 : here(file), "utf8").trim().replace(/^Bearer\s+/i, "");
    return token || stop("There is no token in what was given.");
  } catch (error) {
    return stop(`The token cannot be read: ${error.message}`);
  }
}

function print({ level, check, says, todo }) {
  console.log(plain(`${level.padEnd(5)} ${check}: ${says}`));
  if (todo) console.log(plain(`      → ${todo}`));
}

function summary() {
  const count = (level) => lines.filter((line) => line.level === level).length;
  console.log(`\n${count("ok")} ok, ${count("warn")} to look at, ${count("FAIL")} failed.`);
  const left = [url === undefined && "a deployment (--url URL)", token === null && "a token (--token FILE)"].filter(Boolean);
  if (left.length && lines.some(({ level, check }) => check === "settings" && level === "ok")) console.log(`Not looked at: ${left.join(", ")}.`);
}
