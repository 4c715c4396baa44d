// What a deployment would get, read by wrangler itself from its wrangler.json, wrangler.jsonc or
// wrangler.toml: the settings, and, if they are asked for, the variables with the secrets that
// `wrangler dev` reads (`.dev.vars`, or `.dev.vars.NAME` for an environment; without either,
// `.env`).
//
// A process of its own, which sends one message and ends: wrangler takes more memory to load than
// the server to run.

import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, dirname, join, relative } from "node:path";

// Wrangler asks that variable, too.
const { wrangler, config, env = process.env.CLOUDFLARE_ENV, secrets } = JSON.parse(process.argv[2]);
const { unstable_readConfig: readConfig, unstable_getVarsForDev: getVarsForDev } = createRequire(import.meta.url)(wrangler);

// In the order in which wrangler looks for them; it takes the first, in this folder or above it.
const NAMES = ["wrangler.json", "wrangler.jsonc", "wrangler.toml"];
// The binding that leads to the origin, of whatever kind: bare workerd has nothing for it, and
// another way is not what was meant.
const ORIGIN = "ORIGIN";

process.send(read(), () => process.exit());

function read() {
  try {
    // As `wrangler deploy` does: a build tool may have written another file and the way to it.
    const settings = readConfig({ config, env }, { hideWarnings: true, useRedirectIfAvailable: true });
    const file = settings.configPath;
    if (!file) return { file: "the configuration file", isMissing: true, error: `there is no ${NAMES.join(", no ")} here` };
    const redirected = file !== settings.userConfigPath;
    if (env && !redirected && !settings.definedEnvironments?.includes(env)) throw new Error("No environment found");
    return {
      file: shown(file),
      ...sideBySide(settings.userConfigPath),
      settings: JSON.parse(JSON.stringify(settings)),
      ...(secrets && forDev(settings)),
    };
  } catch (error) {
    return { file: shown(config ?? found()[0] ?? NAMES[2]), ...sideBySide(), error: reason(error) };
  }
}

function forDev(settings) {
  const variables = getVarsForDev(settings.configPath, undefined, settings.vars, env, true, settings.secrets);
  return {
    variables: Object.fromEntries(Object.entries(variables).map(([name, { value }]) => [name, value])),
    origin: Object.values(settings).some((all) => Array.isArray(all) && all.some((entry) => entry?.binding === ORIGIN)),
  };
}

/** The configuration files in the folder where one is looked for. */
function found() {
  const folder = config ? dirname(config) : process.cwd();
  return NAMES.map((name) => join(folder, name)).filter(existsSync);
}

/**
 * The file that wrangler takes, and those that it ignores; nothing if there is one, or another name
 * was given.
 */
function sideBySide(taken) {
  if (config && !NAMES.includes(basename(config))) return {};
  const here = found();
  const winner = (config ? here[0] : taken) ?? here[0];
  const ignored = here.filter((file) => file !== winner).map(shown);
  return ignored.length ? { taken: shown(winner), ignored } : {};
}

/** A path as one would write it here. */
function shown(file) {
  const path = relative(process.cwd(), file);
  return path.startsWith("..") ? file : path;
}

/** Wrangler's own words, and the line; never a line of the file, which may hold a secret. */
function reason({ message, location, notes }) {
  if (/No environment found/.test(message)) return `it has no environment ${config?.endsWith(".toml") ?? true ? `[env.${env}]` : `env.${env}`}`;
  // Its columns are counted from 0 or from 1, as the format has it.
  const place = location ? ` (line ${location.line})` : "";
  return [`${message}${place}`, ...(notes ?? []).map(({ text }) => text)].join(": ");
}
