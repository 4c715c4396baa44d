// Steps that the tests of key sets over time share: what one request sees of them, and what the log
// says of them.
import assert from "node:assert/strict";
import { reply } from "./issuer.mjs";
import { seconds } from "./mint.mjs";
import { assertUnavailable } from "./stage.mjs";
import { until } from "./until.mjs";

export const HOUR = 3600;

/** A token that outlives every journey of the clock. */
export const lasting = (s, rest) => s.token({ exp: seconds() + 1000 * HOUR }, rest);

/** A token with a `kid` that no set has. */
export const madeUp = (s, name = "made-up") => lasting(s, { header: { kid: name } });

/** 200, with keys from there. */
export async function assertKeys(s, from, token = lasting(s)) {
  const { response, line } = await s.ask(token);
  assert.equal(response.status, 200, `${response.text} ${line.reason}`);
  assert.equal(line.keys, from);
  assert.equal("stale_for" in line, from === "stale", "only what is stale has an end");
}

/** Refused for that reason; gives the answer. */
export async function assertReason(s, token, reason) {
  const { response, line } = await s.ask(token);
  assert.equal(line.reason, reason);
  return response;
}

/** 503, to be tried again after exactly that many seconds. */
export async function assertRetry(s, seconds, token = lasting(s)) {
  const response = await assertReason(s, token, "keys_unavailable");
  assertUnavailable(response);
  assert.equal(response.get("retry-after"), String(seconds));
}

/** The results of the log's lines about key sets, in order. */
export const results = (s) => s.worker.lines("keys").map((line) => line.result);

export const count = (s, result) => results(s).filter((r) => r === result).length;

/** The details of the lines with that result. */
export const details = (s, result) => s.worker.lines("keys").filter((line) => line.result === result).map((line) => line.detail);

/** The issuer saw exactly so many fetches of its key set. */
export const assertFetches = (s, times, path = "/jwks") => assert.equal(s.issuer.hits(path), times, `fetches of ${path}`);

/**
 * Holds the issuer's next answers back; gives the release. `keys`: what they bring, then and from
 * there on.
 */
export function hold(s, keys, path = "/jwks") {
  const held = reply.held(reply.json({ keys: keys.map((key) => key.jwk()) }));
  s.issuer.on(path, held);
  return held.release;
}

/**
 * Waits for the fetch, then for whatever was sent before it: the Worker takes requests in their
 * order.
 */
export async function underWay(s, fetches) {
  await until("the fetch", () => s.issuer.hits("/jwks") >= fetches);
  await s.worker.send({ path: "/healthz" });
}
