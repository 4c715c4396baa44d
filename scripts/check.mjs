// `npm run check [-- --env NAME] [--config FILE]`: finds the faults in wrangler.toml's settings before a deploy does.
//
// The check itself is src/bin/check.rs: it reads the settings with the Worker's own code. Exit code 1 means faults.

import { resolve } from "node:path";
import util from "node:util"; // by its default: a named import that an old Node lacks fails before its version is looked at

import { requireNode, requireRust, run, stop, usage } from "./setup.mjs";

const USAGE = usage("usage: npm run check -- [--env NAME] [--config FILE]");

requireNode();
requireRust();
process.exit(await run("cargo", ["run", "--quiet", "--bin", "check", "--", ...options()]));

function options() {
  try {
    const { env, config } = util.parseArgs({ options: { env: { type: "string", short: "e" }, config: { type: "string", short: "c" } } }).values;
    // npm starts this in the repository's folder; a file is named from where the caller is.
    const file = config === undefined ? [] : ["--config", resolve(process.env.INIT_CWD ?? process.cwd(), config)];
    return [...(env === undefined ? [] : ["--env", env]), ...file];
  } catch (error) {
    return stop(`${error.message}\n${USAGE}`);
  }
}
