// `npm run check [-- --env NAME] [--config FILE]`: finds the faults of the settings before a deploy
// does.
//
// Wrangler reads its own file, wrangler.json, wrangler.jsonc or wrangler.toml: the one that it
// would deploy. The check itself is cli/src/check.rs, with the Worker's own code. Exit code 1 means
// faults.

import { resolve } from "node:path";
// By its default: a named import that an old Node lacks fails before its version is looked at.
import util from "node:util";

import { readSettings } from "../wrangler/settings.mjs";
import { requireNode, requireRust, run, stop, usage } from "../../scripts/setup.mjs";

const USAGE = usage("usage: npm run check -- [--env NAME] [--config FILE]");

requireNode();
requireRust();
const input = JSON.stringify(await readSettings(options()));
process.exit(await run("cargo", ["run", "--quiet", "--package", "cli", "--no-default-features", "--bin", "check"], { input }));

function options() {
  try {
    const { env, config } = util.parseArgs({ options: { env: { type: "string", short: "e" }, config: { type: "string", short: "c" } } }).values;
    // npm starts this in the repository's folder; a file is named from where the caller is.
    return { env, config: config === undefined ? undefined : resolve(process.env.INIT_CWD ?? process.cwd(), config) };
  } catch (error) {
    return stop(`${error.message}\n${USAGE}`);
  }
}
