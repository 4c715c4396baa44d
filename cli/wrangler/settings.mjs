// The settings of a deployment as wrangler reads them, for the commands that judge or serve what
// would be deployed.

import { fork } from "node:child_process";
import { join } from "node:path";

import { ensurePackages, ROOT } from "../../scripts/setup.mjs";

/**
 * Gives { file, settings }, and with `secrets` { variables, origin }: all variables, and whether a
 * binding leads to the origin. Where several configuration files lie side by side, { taken, ignored
 * }. Instead of settings, an { error }. `config` is a path, or nothing for the one that wrangler
 * finds.
 */
export async function readSettings({ config, env, secrets = false }) {
  await ensurePackages({ quiet: true });
  const child = fork(join(ROOT, "cli", "wrangler", "reader.mjs"), [JSON.stringify({ config, env, secrets })], {
    cwd: ROOT,
    env: { ...process.env, WRANGLER_SEND_METRICS: "false", WRANGLER_HIDE_BANNER: "true" },
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  return new Promise((done) => {
    child.once("message", done);
    child.once("close", () => done({ file: config ?? "the configuration file", error: "wrangler could not be asked for the settings" }));
  });
}
