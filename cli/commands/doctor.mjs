// `doctor`: why does nobody get in?
//
// The judging is cli/src/doctor, with the Worker's own code; it asks for HTTP exchanges, and
// `cli/exchange.mjs` makes them. A token comes from a file or, with `--token -`, from stdin: never
// from the command line, which shells remember. Exit code 1 means that something failed.

import { existsSync, readFileSync } from "node:fs";

import { JUDGING_OPTIONS, Misuse } from "../command.mjs";
import { loadCore } from "../core.mjs";
import { exchange } from "../exchange.mjs";
import { here } from "../place.mjs";
import { plain, plainJson } from "../plain.mjs";
import { stop } from "../terminal.mjs";
import { readSettings } from "../wrangler/settings.mjs";

export const doctor = {
  does: "finds out why nobody gets in, and says what to do",
  more:
    "It looks at the settings, the authorization servers with their keys, and your server; with --url at a deployment, with --token at an access token.",
  options: {
    ...JUDGING_OPTIONS,
    url: { type: "string", value: "URL", says: "a deployment to look at" },
    resource: { type: "string", value: "URL", says: "which one, where the settings name several servers" },
    token: { type: "string", value: "FILE", says: "an access token to look at; - for stdin" },
  },
  async run({ config, env, "dev-vars": secrets, url, resource, token: file, json }) {
    const token = file === undefined ? null : readToken(file);
    const tell = json ? () => {} : printLine;
    const found = await examineDeployment({ config: config && here(config), env, secrets }, { url, resource, token }, tell);
    if (json) console.log(plainJson(found));
    else summary(found, { url, token });
    return found.ok ? 0 : 1;
  },
};

/** Everything that the core looks at: { ok, lines }, each of which `tell` gets when it is found. */
export async function examineDeployment(given, { url, resource, token = null }, tell) {
  const core = await loadCore();
  const deployment = await readSettings(given);
  const lines = [];
  const ok = await core.doctor({ deployment, url, resource, token }, {
    exchange,
    tell: (line) => {
      lines.push(line);
      tell(line);
    },
  });
  return { ok, lines };
}

function readToken(file) {
  if (/^(Bearer )?[\w-]+\.[\w-]+\.[\w-]*/.test(file) && !existsSync(here(file))) {
    throw new Misuse("A token is never an argument, where shells and process lists keep it: put it into a file, or pipe it to `--token -`.");
  }
  try {
    const token = readFileSync(file === "-" ? 0 : here(file), "utf8").trim().replace(/^Bearer\s+/i, "");
    return token || stop("There is no token in what was given.");
  } catch (error) {
    // Its message has the name of the file, which may be a token.
    return stop(`The token cannot be read: ${error.code ?? "it is no text"}.`);
  }
}

/** A line for people. */
export function printLine({ level, check, says, todo }) {
  console.log(plain(`${level.padEnd(5)} ${check}: ${says}`));
  if (todo) console.log(plain(`      → ${todo}`));
}

function summary({ lines }, { url, token }) {
  const count = (level) => lines.filter((line) => line.level === level).length;
  console.log(`\n${count("ok")} ok, ${count("warn")} to look at, ${count("FAIL")} failed.`);
  const left = [url === undefined && "a deployment (--url URL)", token === null && "a token (--token FILE)"].filter(Boolean);
  if (left.length && lines.some(({ level, check }) => check === "settings" && level === "ok")) console.log(`Not looked at: ${left.join(", ")}.`);
}
