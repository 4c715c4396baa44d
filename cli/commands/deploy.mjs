// `deploy`: wrangler's own, once the settings have no fault.

import { spawn } from "node:child_process";

import { Misuse, SETTINGS_OPTIONS } from "../command.mjs";
import { findWrangler, here } from "../place.mjs";
import { examineSettings, printFound } from "./check.mjs";

export const deploy = {
  does: "checks the settings, and deploys with wrangler if they have no fault",
  takes: "[-- WRANGLER'S OPTIONS]",
  options: {
    ...SETTINGS_OPTIONS,
    "dry-run": { type: "boolean", says: "build what would be deployed, and deploy nothing" },
  },
  async run({ config, env, "dry-run": isDry }, others) {
    requireUnjudged(others);
    const given = { config: config && here(config), env };
    const found = await examineSettings(given);
    printFound(found);
    if (!found.ok) {
      console.error("Nothing was deployed.");
      return 1;
    }
    const { bin } = await findWrangler();
    const args = Object.entries(given).flatMap(([name, value]) => (value === undefined ? [] : [`--${name}`, value]));
    return run([bin, "deploy", ...args, ...(isDry ? ["--dry-run"] : []), ...others]);
  },
};

/** What wrangler is told by itself must not change what was checked. */
function requireUnjudged(others) {
  const judged = others.find((argument) => /^(--(config|env|var|name|cwd)\b|-[ce])/.test(argument));
  if (judged !== undefined) {
    throw new Misuse(`${judged} would deploy something else than what was checked: --config and --env go before --, and variables into wrangler's file.`);
  }
}

/** Node with this terminal; its exit code. */
function run(args) {
  const child = spawn(process.execPath, args, { stdio: "inherit" });
  // A Ctrl-C reaches both, and wrangler ends first.
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
  return new Promise((resolve) => {
    child.once("error", (error) => {
      console.error(error.message);
      resolve(1);
    });
    child.once("close", (code) => resolve(code ?? 1));
  });
}
