// The settings of a deployment as wrangler reads them, for the commands that judge or serve what
// would be deployed.

import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";

import { findWrangler, QUIET_WRANGLER } from "../place.mjs";

const READER = fileURLToPath(new URL("reader.mjs", import.meta.url));

/**
 * Gives { file, settings }, and with `secrets` { variables, origin }: all variables, and whether a
 * binding leads to the origin. Where several configuration files lie side by side, { taken, ignored
 * }. Instead of settings, an { error }. `config` is a path, or nothing for the one that wrangler
 * finds.
 */
export async function readSettings({ config, env, secrets = false }) {
  const { folder } = await findWrangler();
  const child = fork(READER, [JSON.stringify({ wrangler: folder, config, env, secrets })], {
    env: { ...process.env, ...QUIET_WRANGLER },
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  return new Promise((done) => {
    child.once("message", done);
    child.once("close", () => done({ file: config ?? "the configuration file", error: "wrangler could not be asked for the settings" }));
  });
}
