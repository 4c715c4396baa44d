// What a deployment of a wrangler.toml would get, read by wrangler itself: its variables, and the secrets that `wrangler dev` reads
// (`.dev.vars`, or `.dev.vars.NAME` for an environment; without either, `.env`).
//
// A process of its own, which sends one message and ends: wrangler takes more memory to load than the server to run.

import { createRequire } from "node:module";

const [config, env] = process.argv.slice(2);
const { unstable_readConfig: readConfig, unstable_getVarsForDev: getVarsForDev } = createRequire(import.meta.url)("wrangler");

// The binding that leads to the origin, of whatever kind: bare workerd has nothing for it, and another way is not what was meant.
const ORIGIN = "ORIGIN";

process.send(read(), () => process.exit());

function read() {
  try {
    const settings = readConfig({ config, env }, { hideWarnings: true });
    if (env && !settings.definedEnvironments?.includes(env)) return { error: `${config} has no environment [env.${env}]` };
    const variables = getVarsForDev(settings.configPath, undefined, settings.vars, env, true, settings.secrets);
    return {
      variables: Object.fromEntries(Object.entries(variables).map(([name, { value }]) => [name, value])),
      compatibilityDate: settings.compatibility_date,
      compatibilityFlags: settings.compatibility_flags,
      origin: Object.values(settings).some((all) => Array.isArray(all) && all.some((entry) => entry?.binding === ORIGIN)),
    };
  } catch (error) {
    return { error: error.message };
  }
}
