// `check`: finds the faults of the settings before a deploy does.
//
// Wrangler reads its own file, wrangler.json, wrangler.jsonc or wrangler.toml: the one that it
// would deploy. The check itself is cli/src/check.rs, with the Worker's own code. Exit code 1 means
// faults.

import { JUDGING_OPTIONS } from "../command.mjs";
import { loadCore } from "../core.mjs";
import { here } from "../place.mjs";
import { plainJson } from "../plain.mjs";
import { readSettings } from "../wrangler/settings.mjs";

const SIGNS = { info: "", warning: "warning: ", fault: "- " };

export const check = {
  does: "names every fault of the settings, or prints a summary of them",
  more: "Wrangler itself reads its file: the one that it would deploy.",
  options: JUDGING_OPTIONS,
  async run({ config, env, "dev-vars": secrets, json }) {
    const found = await examineSettings({ config: config && here(config), env, secrets });
    if (json) console.log(plainJson(found));
    else printFound(found);
    return found.ok ? 0 : 1;
  },
};

/** What the core says of the settings: { ok, lines } or { ok, error }. */
export async function examineSettings(given) {
  const core = await loadCore();
  return core.check(await readSettings(given));
}

/** The lines for people. */
export function printFound({ error, lines }) {
  if (error) console.error(error);
  else for (const { level, says } of lines) console.log(SIGNS[level] + says);
}
