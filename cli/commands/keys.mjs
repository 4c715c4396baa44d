// `keys show|purge [SOURCE]`: what KV holds of the issuers' key sets, and its removal, through
// wrangler. docs/keys.md.
//
// It promises: `show` names each key set's source, age, freshness and kids; `purge` removes all of
// them, or those whose source contains the words after it. Without --remote it looks into the local
// KV of `wrangler dev`. It never touches another key of the namespace.

import { Misuse } from "../command.mjs";
import { plain, plainJson } from "../plain.mjs";
import { STORE_OPTIONS, storeOf } from "../wrangler/kv.mjs";

const PREFIX = "jwks:"; // what the Worker puts before the hash of a source's name
const FORMAT = 1; // src/keys/stored.rs

export const keys = {
  does: "shows what KV holds of the issuers' key sets, or removes it",
  more: "`show` names each key set; `purge` removes all, or those whose source contains SOURCE.",
  takes: "show|purge [SOURCE]",
  options: {
    ...STORE_OPTIONS,
    json: { type: "boolean", says: "the same as JSON" },
  },
  async run({ json, ...given }, [action, wanted, ...rest]) {
    if (!["show", "purge"].includes(action) || rest.length) throw new Misuse("`keys` takes show or purge, and perhaps a part of a source.");
    const store = await storeOf(given);
    const records = store.names(PREFIX).map((name) => ({ name, ...read(store.get(name)) }));
    const chosen = records.filter(({ source = "unreadable" }) => !wanted || source.includes(wanted));
    if (action === "purge") for (const { name } of chosen) store.delete(name);
    const found = { store: store.is, action, key_sets: chosen.map(shown) };
    if (json) console.log(plainJson(found));
    else print(found, wanted);
    return 0;
  },
};

/** A record of the Worker's, or an empty object if the Worker takes it for no key set. */
function read(text) {
  try {
    const { format, source, fetched_at, fresh_for, jwks } = JSON.parse(text);
    if (format !== FORMAT || typeof source !== "string") throw new Error("another format");
    const age = Math.floor(Date.now() / 1000) - fetched_at;
    const kids = JSON.parse(jwks).keys.map(({ kid }) => kid ?? "(no kid)");
    return { source, age, fresh_for: fresh_for - age, kids };
  } catch {
    return {};
  }
}

/** The query of a source may hold a key of its own; the Worker's log leaves it out, too. */
const shown = ({ source, age, fresh_for, kids }) =>
  source === undefined ? { source: null } : { source: source.split("?")[0], age_seconds: age, fresh_for_seconds: fresh_for, kids };

function print({ store, action, key_sets }, wanted) {
  console.log(plain(store));
  for (const { source, age_seconds: age, fresh_for_seconds: left, kids } of key_sets) {
    const is = source === null ? "unreadable: the Worker takes it for no key set" : source;
    console.log(plain(`${action === "purge" ? "removed " : ""}${is}`));
    if (source === null) continue;
    console.log(`  fetched ${age} s ago, ${left > 0 ? `fresh for ${left} s more` : `stale for ${-left} s`}`);
    console.log(plain(`  kids: ${kids.join(" ")}`));
  }
  if (!key_sets.length) console.log(wanted ? plain(`KV holds no key set whose source contains "${wanted}".`) : "KV holds no key set.");
  if (action === "purge" && key_sets.length) {
    console.log("\nRunning isolates still have what they hold in memory. `npx wrangler deploy` starts new ones.");
  }
}
