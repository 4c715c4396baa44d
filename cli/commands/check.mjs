// `npm run check [-- --env NAME] [--config FILE] [--json]`: finds the faults of the settings before
// a deploy does.
//
// Wrangler reads its own file, wrangler.json, wrangler.jsonc or wrangler.toml: the one that it
// would deploy. The check itself is cli/src/check.rs, with the Worker's own code. Exit code 1 means
// faults.

import { resolve } from "node:path";
// By its default: a named import that an old Node lacks fails before its version is looked at.
import util from "node:util";

import { loadCore } from "../core.mjs";
import { plainJson } from "../plain.mjs";
import { readSettings } from "../wrangler/settings.mjs";
import { requireNode, stop, usage } from "../../scripts/setup.mjs";

const USAGE = usage("usage: npm run check -- [--env NAME] [--config FILE] [--json]");
const SIGNS = { info: "", warning: "warning: ", fault: "- " };

requireNode();
const { json, ...given } = options();
const core = await loadCore();
const found = core.check(await readSettings(given));
if (json) console.log(plainJson(found));
else if (found.error) console.error(found.error);
else for (const { level, says } of found.lines) console.log(SIGNS[level] + says);
process.exitCode = found.ok ? 0 : 1;

function options() {
  const string = { type: "string" };
  try {
    const { env, config, json } = util.parseArgs({ options: { env: { ...string, short: "e" }, config: { ...string, short: "c" }, json: { type: "boolean" } } }).values;
    // npm starts this in the repository's folder; a file is named from where the caller is.
    return { env, config: config === undefined ? undefined : resolve(process.env.INIT_CWD ?? process.cwd(), config), json };
  } catch (error) {
    return stop(`${error.message}\n${USAGE}`);
  }
}
