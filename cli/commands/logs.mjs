// `logs`: the deployment's log as it happens, through `wrangler tail`.
//
// It promises: on a terminal each line is one for people, elsewhere (or with --json) the Worker's
// own JSON with the time at its head, as `serve` prints it; what the Worker did not write, such as
// an exception, goes to stderr. Ctrl-C ends it, exit code 0.

import { spawn } from "node:child_process";

import { SETTINGS_OPTIONS } from "../command.mjs";
import { findWrangler, here, QUIET_WRANGLER } from "../place.mjs";
import { plain, plainLines } from "../plain.mjs";
import { printer } from "../serve/people.mjs";

export const logs = {
  does: "shows the deployment's log as it happens, through wrangler tail",
  more: "A line of it is one for people on a terminal, and JSON elsewhere. What follows `--` is wrangler's.",
  takes: "[-- WRANGLER'S OPTIONS]",
  options: {
    ...SETTINGS_OPTIONS,
    json: { type: "boolean", says: "JSON on a terminal, too" },
  },
  async run({ json, config, env }, others) {
    const { bin } = await findWrangler();
    const given = Object.entries({ config: config && here(config), env });
    const args = given.flatMap(([name, value]) => (value === undefined ? [] : [`--${name}`, value]));
    const child = spawn(process.execPath, [bin, "tail", ...others, ...args, "--format", "json"], {
      env: { ...process.env, ...QUIET_WRANGLER },
      stdio: ["inherit", "pipe", "pipe"],
    });
    let ending = false;
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
      process.on(signal, () => {
        ending = true;
        child.kill(signal);
      });
    }
    const print = printer({ json });
    const read = reader((event) => tell(event, print), (line) => console.error(plain(line)));
    child.stdout.setEncoding("utf8").on("data", read);
    child.stderr.setEncoding("utf8").on("data", (text) => console.error(plainLines(text.trimEnd())));
    return new Promise((resolve) => {
      child.once("error", (error) => {
        console.error(plain(error.message));
        resolve(1);
      });
      child.once("close", (code) => resolve(ending ? 0 : (code ?? 1)));
    });
  },
};

/**
 * Takes what wrangler prints, in whatever pieces: JSON objects, each on one line or on several that
 * end with a brace at their head. `heard(event)` gets each; `other(line)` what is none.
 */
export function reader(heard, other) {
  let rest = "";
  let object = "";
  return (chunk) => {
    const lines = (rest + chunk).split("\n");
    rest = lines.pop();
    for (const line of lines) {
      if (!object && !line.startsWith("{")) {
        if (line.trim()) other(line);
        continue;
      }
      object += `${line}\n`;
      if (!line.startsWith("}") && !(line.startsWith("{") && line.trimEnd().endsWith("}"))) continue;
      const event = parsed(object);
      if (event === undefined) for (const odd of object.trimEnd().split("\n")) other(odd);
      else heard(event);
      object = "";
    }
  };
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** One event of a tail: the lines that the Worker wrote, and what went wrong beside. */
function tell({ logs = [], exceptions = [], outcome, eventTimestamp }, print) {
  for (const { message, level, timestamp } of logs ?? []) {
    const text = [message].flat().map((part) => (typeof part === "string" ? part : JSON.stringify(part))).join(" ");
    if (!print(text, new Date(timestamp ?? eventTimestamp ?? Date.now()))) console.error(plainLines(`${level ?? "log"}: ${text}`));
  }
  for (const { name, message } of exceptions ?? []) console.error(plainLines(`${name}: ${message}`));
  if (outcome && outcome !== "ok") console.error(plain(`The runtime ended a request: ${outcome}`));
}
