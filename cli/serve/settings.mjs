// The settings that `serve` and `dev` give to workerd, and what the Worker itself says of them.

import { COMPATIBILITY_DATE } from "../place.mjs";
import { plain } from "../plain.mjs";
import { stop } from "../terminal.mjs";
import { readSettings } from "../wrangler/settings.mjs";
import { startWorkerd } from "./workerd.mjs";

/**
 * What wrangler's file and `.dev.vars` come to: { variables, limiters, compatibilityDate,
 * compatibilityFlags, beside }, where the last are the faults of files that lie side by side. Ends
 * the command where there are none, or where they cannot be served outside Cloudflare. `otherwise`
 * is given where no file is there, and none was named.
 */
export async function settingsToServe({ config, env }, otherwise) {
  const { file, isMissing, error, taken, ignored, variables, origin, settings } = await readSettings({ config, env, secrets: true });
  if (isMissing && otherwise) return otherwise;
  const beside = (ignored ?? []).map((other) => `${other} lies beside ${taken}, which wrangler takes: keep one of the two`);
  if (error) stop([`${file} cannot be read: ${error}`, ...beside].map(plain).join("\n"));
  const { compatibility_date: compatibilityDate, compatibility_flags: compatibilityFlags } = settings;
  if (!compatibilityDate) stop(`${file} has no compatibility_date, which says how the runtime behaves: add compatibility_date = "${COMPATIBILITY_DATE}".`);
  if (origin) stop(`Outside Cloudflare there is nothing to bind as ORIGIN; take it out of ${file}, and say ORIGIN_URL.`);
  const older = settings.unsafe?.bindings?.filter(({ type }) => type === "ratelimit");
  const limiters = [...(settings.ratelimits ?? []), ...(older ?? [])].map(({ name, simple }) => ({ name, ...simple }));
  return { beside, variables, limiters, compatibilityDate, compatibilityFlags: compatibilityFlags ?? [] };
}

/**
 * What the Worker itself says of its settings, on a port of its own, without network or KV: ends
 * the command with all faults if there are any.
 */
export async function refuseFaults(binary, settings) {
  const faults = [...settings.beside, ...(await judge(binary, settings))];
  if (faults.length) stop(`The settings have faults:\n${faults.map((fault) => `- ${plain(fault)}`).join("\n")}`);
}

async function judge(binary, settings) {
  const lines = [];
  const heard = (line) => line.startsWith("{") && lines.push(JSON.parse(line));
  const workerd = startWorkerd(settings, { binary, address: "127.0.0.1:0", heard });
  try {
    const { status } = await fetch(`http://127.0.0.1:${await workerd.listening}/healthz`);
    await workerd.stop();
    if (status === 200) return [];
    return lines.find(({ event }) => event === "misconfigured")?.faults ?? [`the Worker answers ${status} to /healthz`];
  } catch (error) {
    return stop(error.message);
  }
}
