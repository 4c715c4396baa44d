// `revoke`: refuses tokens before their exp, shows what is refused, and undoes it: the list that
// the Worker reads from KV. docs/revocation.md.
//
// It promises: what is written is read by the Worker's own code (cli/src/revoke.rs); nothing is
// written where the settings do not heed the list, and no list is lost because it cannot be read.
// KV knows no "only if nobody else has written": what was written is read back, and where it is not
// there, that is an error.

import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { Misuse } from "../command.mjs";
import { loadCore } from "../core.mjs";
import { here } from "../place.mjs";
import { plain, plainJson, plainLines } from "../plain.mjs";
import { stop } from "../terminal.mjs";
import { STORE_OPTIONS, storeOf } from "../wrangler/kv.mjs";
import { readSettings } from "../wrangler/settings.mjs";

const KEY = "revocations"; // src/token/revocation.rs

export const revoke = {
  does: "refuses tokens before their exp, shows what is refused, or undoes it",
  more: "Of an issuer: the tokens of one subject, one client, one token by its jti, or all of them. In force everywhere within 90 s.",
  options: {
    issuer: { type: "string", value: "ISSUER", says: "whose tokens: one of the issuers of the settings" },
    subject: { type: "string", value: "SUB", says: "those with this sub" },
    client: { type: "string", value: "ID", says: "those that were given to this client" },
    jti: { type: "string", value: "ID", says: "the one with this jti" },
    all: { type: "boolean", says: "every token of the issuer" },
    before: { type: "string", value: "TIME", says: "those that were issued until then, such as 2026-01-31T12:00:00Z; by default now" },
    for: { type: "string", value: "DURATION", says: "for how long, such as 90m, 12h or 30d: as long as the longest token lasts; by default 30d" },
    list: { type: "boolean", says: "shows what is in force, with numbers" },
    undo: { type: "string", value: "N", says: "takes the entry with this number off the list" },
    ...STORE_OPTIONS,
    kv: { type: "string", value: "FOLDER", says: "the KV of `serve`, which names its folder when it starts" },
    json: { type: "boolean", says: "the same as JSON" },
  },
  async run({ json, remote, config, env, kv, "persist-to": persistTo, ...ask }) {
    if (kv !== undefined && (remote || persistTo)) throw new Misuse("--kv is the store of `serve`: neither --remote nor --persist-to goes with it.");
    const core = await loadCore();
    const given = { read: await readSettings({ config: config && here(config), env }), served: kv !== undefined, ask };
    outcome(core.revoke(given)); // nobody is asked for a login for nothing
    const store = kv === undefined ? await storeOf({ remote, config, env, "persist-to": persistTo }) : folder(kv);
    const done = outcome(core.revoke({ ...given, document: store.find(KEY) }));
    if (done.document) {
      store.put(KEY, done.document);
      confirm(outcome(core.revoke({ ...given, ask: { list: true }, document: store.find(KEY) })), done, ask);
    }
    const { entry, entries, notes } = done;
    const found = { store: store.is, action: ask.list ? "list" : ask.undo ? "undo" : "revoke", entry, entries, notes };
    if (json) console.log(plainJson({ ...found, entry: entry && dated(entry), entries: entries.map(dated) }));
    else print(found);
    return 0;
  },
};

/** What the core says, where something comes of it. */
function outcome(said) {
  if (said.misuse) throw new Misuse(said.misuse);
  if (said.error) stop(said.error);
  return said;
}

/** Whether what was written is what KV gives. */
function confirm({ entries }, { entry }, { undo }) {
  const is = entries.some((other) => JSON.stringify(other) === JSON.stringify(entry));
  if (is === (undo === undefined)) return;
  stop(`What was written is not what KV gives: somebody else has written at the same time, or KV is still behind.
Look with --list in a minute, and type it again if it is not there.`);
}

/** The KV of `serve`: a file for each name. */
function folder(asGiven) {
  const path = here(asGiven);
  if (!existsSync(path)) stop(`There is no folder ${path}. \`serve\` makes it, and names it when it starts.`);
  const file = (name) => join(path, name);
  return {
    is: `KV of \`serve\`, in ${path}`,
    find: (name) => (existsSync(file(name)) ? readFileSync(file(name), "utf8") : null),
    put(name, text) {
      // Whoever reads meanwhile gets the one or the other, and never a half.
      const next = file(`${name}.${process.pid}`);
      writeFileSync(next, text);
      renameSync(next, file(name));
    },
  };
}

const time = (seconds) => new Date(seconds * 1000).toISOString().replace(".000Z", "Z");

const dated = ({ before, until, ...entry }) => ({ ...entry, before: time(before), until: time(until) });

function print({ store, action, entry, entries, notes }) {
  console.log(plain(store));
  if (action === "list") {
    for (const entry of entries) console.log(shown(entry));
    console.log(entries.length ? `${entries.length} in force.` : "No token is revoked.");
  } else {
    console.log(shown(entry));
    console.log(action === "undo" ? "Undone, everywhere within 90 s." : "Revoked, everywhere within 90 s. A refresh token still gets new ones: end that at the authorization server.");
  }
  for (const note of notes) console.log(plainLines(note));
}

/** An entry, on two lines. */
function shown({ number, kind, value, issuer, before, until }) {
  const what = kind === "all" ? "every token" : `${kind} ${value}`;
  return plainLines(`${number}  ${plain(what)}, of ${plain(issuer)}\n   issued until ${time(before)}; in force until ${time(until)}`);
}
