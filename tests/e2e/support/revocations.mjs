// The list of revoked tokens, written by hand, so that no code of the Worker's stands between a
// test and what an isolate reads.
import { seconds } from "./mint.mjs";

/** Under this name KV holds it. */
export const KEY = "revocations";

export const ON = { MCP_SERVER_AUTH_REVOCATION: true };

/** The document of these entries; `over` replaces members of it. */
export const revocations = (version, entries, over = {}) =>
  JSON.stringify({ format: 1, version, next: entries.length + 1, entries: entries.map((entry, at) => ({ number: at + 1, ...entry })), ...over });

/** An entry that is in force, whatever a clock does in a test. */
export const revoked = (issuer, over = {}) => ({ issuer: issuer.url, kind: "subject", value: "user-1", before: seconds() + 500_000, until: seconds() + 600_000, ...over });

/** The reads of the list that a startKv has seen. */
export const readsOf = (kv) => kv.reads().filter(({ key }) => key === KEY).length;
