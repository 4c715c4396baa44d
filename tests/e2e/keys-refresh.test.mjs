// Contract section 4 and docs/keys.md: when the issuer is asked, to the second and to the fetch.
// Refreshing ahead, backing off, unknown kids, many requests at once, and clients that leave in the
// middle of it.
import assert from "node:assert/strict";
import { test } from "node:test";
import { open } from "./support/http.mjs";
import { reply } from "./support/issuer.mjs";
import { assertFetches, assertKeys, assertReason, assertRetry, count, hold, HOUR, lasting, madeUp, results, underWay } from "./support/key-steps.mjs";
import { signingKey } from "./support/keys.mjs";
import { bearer, stage } from "./support/stage.mjs";
import { bounded, until } from "./support/until.mjs";
import { testClock } from "./support/worker.mjs";

const rsa = signingKey("rsa");
const next = signingKey("rsa", "next");
const times = (length, make) => Array.from({ length }, (_, i) => make(i));

async function begin(t, options = {}) {
  const clock = testClock();
  return { clock, s: await stage(t, { clock, ...options }) };
}

/** A Worker that holds a fresh set. */
async function warm(t, options) {
  const begun = await begin(t, options);
  await assertKeys(begun.s, "issuer");
  return begun;
}

const assertAll = ({ responses, lines }, status, member) => {
  for (const response of responses) assert.equal(response.status, status, response.text);
  for (const line of lines) for (const [name, value] of Object.entries(member)) assert.equal(line[name], value);
};

const cacheControl = (value) => (_, res) =>
  res.writeHead(200, { "content-type": "application/json", "cache-control": value }).end(JSON.stringify({ keys: [rsa.jwk()] }));

// Cache-Control of the issuer, seconds that its set is fresh, CACHE_TTL if not the default
const FRESHNESS = [
  ["max-age=600", 600],
  ["public, max-age=600, must-revalidate", 600],
  ["PUBLIC,MAX-AGE=600", 600],
  ['max-age="600"', 600],
  ["max-age=900, max-age=600", 600],
  ["max-age=3599", 3599],
  ["max-age=7200", HOUR],
  ["max-age=61", 61],
  ["max-age=59", 60],
  ["max-age=0", 60],
  ["no-store", 60],
  ["no-cache, max-age=600", 60],
  ["max-age=-1", HOUR],
  ["max-age=soon", HOUR],
  ["s-maxage=600", HOUR],
  ["private", HOUR],
  ["max-age=600", 120, 120],
  ["max-age=90", 90, 120],
  ["no-store", 60, 60],
  ["max-age=86400", 86400, 86400],
];

for (const [header, fresh, ttl] of FRESHNESS) {
  test(`${header} with a CACHE_TTL of ${ttl ?? "an hour"}: fresh for ${fresh} s`, async (t) => {
    const { clock, s } = await begin(t, { vars: { MCP_SERVER_AUTH_CACHE_TTL: ttl } });
    s.issuer.on("/jwks", cacheControl(header));
    await assertKeys(s, "issuer");
    s.issuer.on("/jwks", reply.status(500));
    const ahead = Math.floor(fresh / 5);
    clock.forward(fresh - ahead - 1);
    for (let i = 0; i < 3; i++) await assertKeys(s, "memory");
    clock.forward(1);
    await assertKeys(s, "memory");
    await until("the refresh ahead", () => count(s, "fetch_failed") === 1);
    assertFetches(s, 2); // and none before
    clock.forward(ahead - 1);
    await assertKeys(s, "memory");
    clock.forward(1);
    await assertKeys(s, "stale");
  });
}

test("a failed fetch is tried again after 15 s, then twice as long each time up to 5 min, less a fifth at most; a success starts over", async (t) => {
  const { clock, s } = await begin(t);
  s.issuer.on("/jwks", reply.status(500));
  let fetches = 0;
  const retry = async () => Number((await assertReason(s, lasting(s), "keys_unavailable")).get("retry-after"));
  const outage = async (steps) => {
    const waited = [];
    for (const step of steps) {
      const least = step === 15 ? 15 : step * 0.8;
      const wait = await retry();
      assertFetches(s, ++fetches);
      assert.ok(least <= wait && wait <= step, `${wait} s, not ${least} to ${step}`);
      clock.forward(least - 1);
      assert.equal(await retry(), wait - least + 1, "Retry-After is the time until the next try");
      clock.forward(wait - least);
      await assertRetry(s, 1);
      assertFetches(s, fetches);
      clock.forward(1);
      waited.push(wait);
    }
    return waited;
  };
  const steps = [15, 30, 60, 120, 240, 300, 300, 300];
  const waited = await outage(steps);
  assert.ok(waited.some((wait, i) => wait < steps[i] - 1), "isolates that failed in step spread out");
  s.issuer.serve([rsa]);
  await assertKeys(s, "issuer");
  assertFetches(s, ++fetches);
  s.issuer.on("/jwks", reply.status(500));
  clock.forward(25 * HOUR);
  await outage([15, 30]);
});

test("an outage past the freshness backs off in the same steps, and requests wait for none of it", async (t) => {
  const { clock, s } = await warm(t);
  clock.forward(HOUR);
  s.issuer.on("/jwks", reply.status(500));
  let fetches = 1;
  for (const [least, most] of [[15, 15], [24, 30], [48, 60], [96, 120], [192, 240], [240, 300], [240, 300]]) {
    await assertKeys(s, "stale");
    assertFetches(s, ++fetches);
    clock.forward(least - 1);
    await assertKeys(s, "stale");
    assertFetches(s, fetches);
    clock.forward(most - least + 1);
  }
});

test("an outage ends the kept set 24 h past its freshness, to the second", async (t) => {
  const { clock, s } = await warm(t);
  s.issuer.on("/jwks", reply.status(500));
  clock.forward(25 * HOUR - 1);
  await assertKeys(s, "stale");
  clock.forward(1);
  await assertRetry(s, 14);
  assertFetches(s, 2);
});

test("a cold burst: one fetch, and every request has its answer from it", async (t) => {
  const { s } = await begin(t);
  const release = hold(s, [rsa]);
  const burst = s.together(times(20, () => lasting(s)));
  await underWay(s, 1);
  release();
  assertAll(await burst, 200, { reason: "ok" });
  await assertKeys(s, "memory");
  assertFetches(s, 1);
});

test("a cold burst at an issuer that fails: one fetch, and every request is told when to come again", async (t) => {
  const { s } = await begin(t);
  const held = reply.held(reply.status(500));
  s.issuer.on("/jwks", held);
  const burst = s.together(times(20, () => lasting(s)));
  await underWay(s, 1);
  held.release();
  const { responses, lines } = await burst;
  assertAll({ responses, lines }, 503, { reason: "keys_unavailable" });
  for (const response of responses) assert.equal(response.get("retry-after"), "15");
  assertFetches(s, 1);
});

test("a burst past the freshness: one asks the issuer, the others use the kept set meanwhile", async (t) => {
  const { clock, s } = await warm(t);
  clock.forward(HOUR);
  const release = hold(s, [rsa]);
  const first = s.together([lasting(s)]);
  await until("the fetch", () => s.issuer.hits("/jwks") === 2);
  for (let i = 0; i < 10; i++) {
    const { status } = await s.call(lasting(s));
    assert.equal(status, 200, "while the issuer has not answered");
  }
  assert.deepEqual(s.worker.lines("request").slice(1).map((line) => line.keys), times(10, () => "stale"));
  release();
  assertAll({ ...(await first), lines: [] }, 200, {});
  await assertKeys(s, "memory");
  assertFetches(s, 2);
});

test("an unknown kid fetches once per 30 s, to the second, and a key that was published is found at once", async (t) => {
  const { clock, s } = await warm(t);
  s.issuer.serve([rsa, next]);
  await assertKeys(s, "issuer", lasting(s, { key: next }));
  assertFetches(s, 2);
  const third = signingKey("rsa", "third");
  s.issuer.serve([rsa, next, third]);
  clock.forward(29);
  await assertReason(s, lasting(s, { key: third }), "kid_unknown");
  assertFetches(s, 2);
  clock.forward(1);
  await assertKeys(s, "issuer", lasting(s, { key: third }));
  assertFetches(s, 3);
});

test("fifty made-up kids, one after another or at once, are one fetch", async (t) => {
  const { clock, s } = await warm(t);
  for (let i = 0; i < 25; i++) await assertReason(s, madeUp(s, `made-up-${i}`), "kid_unknown");
  assertAll(await s.together(times(25, (i) => madeUp(s, `made-up-more-${i}`))), 401, { reason: "kid_unknown" });
  assertFetches(s, 2);
  clock.forward(30);
  assertAll(await s.together(times(50, (i) => madeUp(s, `made-up-later-${i}`))), 401, { reason: "kid_unknown" });
  assertFetches(s, 3);
  await assertKeys(s, "memory");
});

test("a kid that only an unusable key has is not fetched for", async (t) => {
  const { s } = await begin(t);
  s.issuer.on("/jwks", reply.json({ keys: [rsa.jwk(), next.jwk({ use: "enc" })] }));
  for (let i = 0; i < 3; i++) await assertReason(s, lasting(s, { key: next }), "key_unfit");
  assertFetches(s, 1);
});

test("requests with a rotated key wait for the refetch that one of them started; the others do not", async (t) => {
  const { s } = await warm(t);
  const release = hold(s, [rsa, next]);
  const burst = s.together(times(10, () => lasting(s, { key: next })));
  await underWay(s, 2);
  await s.call(lasting(s));
  const before = s.worker.lines("request").length;
  assert.equal(before, 3, "the first, the one for /healthz and the one with a known key; the ten wait");
  release();
  const { responses } = await burst;
  for (const response of responses) assert.equal(response.status, 200, response.text);
  await assertKeys(s, "memory", lasting(s, { key: next }));
  assertFetches(s, 2);
});

test("in an outage an unknown kid is 503, never 401, and known ones go on; the next try comes after the back-off, not after 30 s", async (t) => {
  const { clock, s } = await warm(t);
  s.issuer.on("/jwks", reply.status(500));
  await assertRetry(s, 15, lasting(s, { key: next }));
  assertFetches(s, 2);
  clock.forward(14);
  for (let i = 0; i < 3; i++) await assertRetry(s, 1, madeUp(s, `made-up-${i}`));
  await assertKeys(s, "memory");
  assertFetches(s, 2);
  s.issuer.serve([rsa, next]);
  clock.forward(1);
  await assertKeys(s, "issuer", lasting(s, { key: next }));
  assertFetches(s, 3);
  await assertReason(s, madeUp(s), "kid_unknown"); // the refetch that succeeded counts for the 30 s
  assertFetches(s, 3);
});

test("in an outage made-up kids bring no fetch forward, and past the freshness too known kids go on", async (t) => {
  const { clock, s } = await warm(t);
  clock.forward(HOUR);
  s.issuer.on("/jwks", reply.status(500));
  for (let i = 0; i < 5; i++) await assertRetry(s, 15, madeUp(s, `made-up-${i}`));
  await assertKeys(s, "stale");
  assertFetches(s, 2);
});

// Local workerd lets a request go on whose client is gone, so these alone do not need waitUntil;
// the refreshes ahead do.

/** A request whose client leaves while the issuer is being asked. */
async function leaving(s, token, fetches) {
  const { request } = open(s.worker.port, { method: "POST", path: "/mcp", headers: bearer(token) });
  request.on("error", () => {}).end();
  await until("its fetch", () => s.issuer.hits("/jwks") === fetches);
  return async () => {
    const closed = new Promise((resolve) => request.once("close", resolve));
    request.destroy();
    await bounded("the client's end", closed);
    await s.worker.send({ path: "/healthz" });
  };
}

// name, whether a set is held, the key of the tokens
const LEAVERS = [
  ["cold", false, rsa],
  ["for an unknown kid", true, next],
];

for (const [name, held, key] of LEAVERS) {
  test(`the client that started the fetch leaves: the others have their answer from it (${name})`, async (t) => {
    const { s } = await (held ? warm : begin)(t);
    const fetches = held ? 2 : 1;
    const release = hold(s, [rsa, next]);
    const leave = await leaving(s, lasting(s, { key }), fetches);
    const waiting = s.together(times(5, () => lasting(s, { key })));
    await underWay(s, fetches);
    await leave();
    release();
    for (const response of (await waiting).responses) assert.equal(response.status, 200, response.text);
    assertFetches(s, fetches);
    assert.equal(count(s, "fetched"), fetches);
  });

  test(`the only client leaves: its fetch serves those who come later (${name})`, async (t) => {
    const { s } = await (held ? warm : begin)(t);
    const fetches = held ? 2 : 1;
    const release = hold(s, [rsa, next]);
    await (await leaving(s, lasting(s, { key }), fetches))();
    release();
    await until("the end of its fetch", () => count(s, "fetched") === fetches);
    // The client that left may leave its line at any time now, so this one is told from it by its
    // method.
    assert.equal((await s.call(lasting(s, { key }), { method: "GET" })).status, 200);
    const { keys } = await until("its line", () => s.worker.lines("request").find((line) => line.method === "GET" && line.reason === "ok"));
    assert.equal(keys, "memory");
    assertFetches(s, fetches);
    assert.equal(results(s).length, fetches);
  });
}
