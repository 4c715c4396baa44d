// Contract section 4, key sets over time: memory, KV, issuer; freshness, rotation, cool-downs and
// outages. The clock is the test's own, so that hours pass without waiting.
import assert from "node:assert/strict";
import { test } from "node:test";
import { open, whole } from "./support/http.mjs";
import { reply, startIssuer } from "./support/issuer.mjs";
import { assertKeys, assertReason, count, hold, HOUR, lasting } from "./support/key-steps.mjs";
import { signingKey } from "./support/keys.mjs";
import { mint } from "./support/mint.mjs";
import { assertUnavailable, bearer, entryFor, goodClaims, stage } from "./support/stage.mjs";
import { bounded, until } from "./support/until.mjs";
import { kvStore, startWorker, testClock } from "./support/worker.mjs";

const rsa = signingKey("rsa");
const next = signingKey("rsa", "next");

test("the first request asks the issuer, the others memory", async (t) => {
  const s = await stage(t);
  await assertKeys(s, "issuer");
  for (let i = 0; i < 5; i++) await assertKeys(s, "memory");
  assert.equal(s.issuer.hits("/jwks"), 1);
  const [{ method, headers }] = s.issuer.log;
  assert.equal(method, "GET");
  assert.ok(headers["user-agent"], "firewalls drop requests without one");
  assert.equal(headers.authorization, undefined, "the issuer is never shown a caller's token");
});

test("requests at the same time each get their answer while the keys are fetched", async (t) => {
  const s = await stage(t);
  const held = reply.held((_, res) => reply.json({ keys: [rsa.jwk()] })(_, res));
  s.issuer.on("/jwks", held);
  const calls = Array.from({ length: 8 }, () => s.call(s.token()));
  await until("the fetch", () => s.issuer.hits("/jwks") > 0);
  held.release();
  for (const response of await bounded("eight answers", Promise.all(calls))) assert.equal(response.status, 200, response.text);
});

test("a second Worker on the same KV starts without a fetch", async (t) => {
  const kv = kvStore(t);
  const s = await stage(t, { kv });
  await assertKeys(s, "issuer");
  await until("the set in KV", () => kv.entries().length === 1);
  const second = await s.another();
  await assertKeys(second, "kv");
  await assertKeys(second, "memory");
  assert.equal(s.issuer.hits("/jwks"), 1);
});

test("KV holds public keys only, and one entry a key set", async (t) => {
  const kv = kvStore(t);
  const s = await stage(t, { kv });
  await assertKeys(s, "issuer");
  const [entry] = await until("the set in KV", () => kv.entries().length === 1 && kv.entries());
  assert.ok(entry.name.length <= 512, "KV's own limit");
  assert.ok(entry.text.includes(rsa.kid));
  assert.doesNotMatch(entry.text, /user-1|"d"/);
});

test("KV behaves as Cloudflare's does: the simulator takes the times that the Worker gives", async (t) => {
  // Bare workerd takes any expiry; the simulator refuses what the real KV refuses.
  const kv = kvStore(t);
  const s = await stage(t, { kv, runtime: "miniflare" });
  await assertKeys(s, "issuer");
  const namespace = await s.worker.kvNamespace();
  await until("the set in KV", async () => (await namespace.list()).keys.length === 1);
  await s.worker.stop();
  const again = await s.another();
  await assertKeys(again, "kv");
  assert.equal(s.issuer.hits("/jwks"), 1);
});

test("what KV holds is not trusted: garbage in it is passed over", async (t) => {
  for (const text of ["", "null", "{", "[]", '{"keys":[]}', '{"fetched_at":0}', '"x"', "\u0000", '{"fetched_at":"x","keys":[{}]}', "9".repeat(70_000)]) {
    const kv = kvStore(t);
    const s = await stage(t, { kv });
    await assertKeys(s, "issuer");
    await until("the set in KV", () => kv.entries().length === 1);
    kv.edit(() => text);
    const second = await startWorker(t, { vars: s.settings, kv });
    const { response, line } = await second.logged(() => second.send({ method: "POST", path: "/mcp", headers: bearer(s.token()) }));
    assert.equal(response.status, 200, JSON.stringify(text.slice(0, 40)));
    assert.equal(line.keys, "issuer");
  }
});

test("a key set that stands under another issuer's name in KV is nobody's", async (t) => {
  const kv = kvStore(t);
  const second = await startIssuer(t, { keys: [{ ...next.jwk(), kid: rsa.kid }] });
  const s = await stage(t, { kv, entries: (first) => [entryFor(first), entryFor(second)] });
  await assertKeys(s, "issuer");
  await assertKeys(s, "issuer", mint({ key: { ...next, kid: rsa.kid }, claims: goodClaims(second) }));
  const [one, other] = await until("both sets in KV", () => kv.entries().length === 2 && kv.entries());
  kv.edit((text) => (text === one.text ? other.text : one.text));
  const again = await startWorker(t, { vars: s.settings, kv });
  const forged = mint({ key: { ...next, kid: rsa.kid }, claims: goodClaims(s.issuer) });
  assert.equal((await again.send({ method: "POST", path: "/mcp", headers: bearer(forged) })).status, 401);
  assert.equal((await again.send({ method: "POST", path: "/mcp", headers: bearer(s.token()) })).status, 200);
});

test("a set is fresh for CACHE_TTL; from its last fifth on it is used, and one of several requests fetches it again after answering", async (t) => {
  for (const ttl of [undefined, 120]) {
    const clock = testClock();
    const s = await stage(t, { clock, vars: { MCP_SERVER_AUTH_CACHE_TTL: ttl } });
    const fresh = ttl ?? HOUR;
    await assertKeys(s, "issuer");
    clock.forward(fresh * 0.8 - 1);
    await assertKeys(s, "memory");
    clock.forward(1);
    const release = hold(s, [rsa, next]);
    for (let i = 0; i < 2; i++) {
      const { responses, lines } = await s.together(Array.from({ length: 5 }, () => lasting(s)));
      assert.deepEqual(responses.map(({ status }) => status), Array(5).fill(200), "while the issuer has not answered");
      assert.deepEqual(lines.map(({ keys }) => keys), Array(5).fill("memory"));
    }
    await until("the fetch", () => s.issuer.hits("/jwks") === 2);
    release();
    await until("its end", () => count(s, "fetched") === 2);
    await assertKeys(s, "memory", lasting(s, { key: next }));
    clock.forward(fresh * 0.8 - 1); // counted anew
    await assertKeys(s, "memory");
    assert.equal(s.issuer.hits("/jwks"), 2);
    clock.forward(fresh * 0.2 + 1);
    await assertKeys(s, "issuer");
    assert.equal(s.issuer.hits("/jwks"), 3);
  }
});

test("freshness is counted from the fetch, not from the reading of KV", async (t) => {
  const clock = testClock();
  const kv = kvStore(t);
  const s = await stage(t, { clock, kv });
  await assertKeys(s, "issuer");
  await until("the set in KV", () => kv.entries().length === 1);
  clock.forward(HOUR + 1);
  const second = await startWorker(t, { vars: s.settings, kv, clock });
  await second.send({ method: "POST", path: "/mcp", headers: bearer(lasting(s)) });
  await until("a fetch", () => s.issuer.hits("/jwks") === 2);
});

test("a key that the issuer withdrew stops working once the set was fetched again", async (t) => {
  const clock = testClock();
  const s = await stage(t, { clock });
  await assertKeys(s, "issuer");
  s.issuer.serve([next]);
  clock.forward(HOUR);
  await s.call(lasting(s, { key: next }));
  await until("the new set in use", async () => (await s.call(lasting(s, { key: next }))).status === 200);
  await assertReason(s, lasting(s), "kid_unknown");
});

test("an unknown kid fetches once per 30 s: a rotated key is found, a made-up one costs nothing", async (t) => {
  const clock = testClock();
  const s = await stage(t, { clock });
  await assertKeys(s, "issuer");
  clock.forward(31);
  s.issuer.serve([rsa, next]);
  await assertKeys(s, "issuer", lasting(s, { key: next }));
  assert.equal(s.issuer.hits("/jwks"), 2);
  for (let i = 0; i < 5; i++) await assertReason(s, lasting(s, { header: { kid: `made-up-${i}` } }), "kid_unknown");
  assert.equal(s.issuer.hits("/jwks"), 2, "within the cool-down");
  clock.forward(31);
  for (let i = 0; i < 5; i++) await assertReason(s, lasting(s, { header: { kid: `made-up-${i}` } }), "kid_unknown");
  assert.equal(s.issuer.hits("/jwks"), 3, "one more after it");
  await assertKeys(s, "memory");
});

test("made-up kids at the start cost one refetch, not one each", async (t) => {
  const s = await stage(t);
  for (let i = 0; i < 10; i++) await assertReason(s, lasting(s, { header: { kid: `made-up-${i}` } }), "kid_unknown");
  assert.ok(s.issuer.hits("/jwks") <= 2, `${s.issuer.hits("/jwks")} fetches: the first, and one for an unknown kid`);
  await assertKeys(s, "memory");
});

test("a client that leaves while its keys are fetched does not hold up the others", async (t) => {
  const s = await stage(t);
  s.issuer.on("/jwks", reply.hang());
  const leaving = open(s.worker.port, { method: "POST", path: "/mcp", headers: bearer(s.token()) });
  leaving.request.on("error", () => {}).end();
  await until("its fetch", () => s.issuer.hits("/jwks") === 1);
  const waiting = open(s.worker.port, { method: "POST", path: "/mcp", headers: bearer(s.token()) });
  waiting.request.end();
  leaving.request.destroy();
  s.issuer.serve([rsa]);
  // Within the bound of one fetch there is an answer: a good one if the fetch was cancelled with
  // its client, else an outage.
  const { status } = await whole(await waiting.response);
  assert.ok([200, 503].includes(status), String(status));
});

test("a refetch for an unknown kid goes past KV to the issuer", async (t) => {
  const clock = testClock();
  const kv = kvStore(t);
  const s = await stage(t, { clock, kv });
  await assertKeys(s, "issuer");
  await until("the set in KV", () => kv.entries().length === 1);
  s.issuer.serve([rsa, next]);
  clock.forward(31);
  const second = await startWorker(t, { vars: s.settings, kv, clock });
  const ask = (token) => second.logged(() => second.send({ method: "POST", path: "/mcp", headers: bearer(token) }));
  assert.equal((await ask(lasting(s))).line.keys, "kv");
  clock.forward(31);
  const { response, line } = await ask(lasting(s, { key: next }));
  assert.equal(response.status, 200, line.reason);
  await until("the new set in KV", () => kv.entries()[0].text.includes(next.kid));
});

test("a refetch that fails keeps the set", async (t) => {
  const clock = testClock();
  const s = await stage(t, { clock });
  await assertKeys(s, "issuer");
  s.issuer.on("/jwks", reply.status(500));
  clock.forward(31);
  const { response, line } = await s.ask(lasting(s, { key: next }));
  assert.ok([401, 503].includes(response.status), "the contract has 401 for a reachable issuer and 503 for no set at all; this is neither");
  assert.ok(["kid_unknown", "keys_unavailable"].includes(line.reason));
  await assertKeys(s, "memory");
});

test("an outage: the kept set serves for 24 h past its freshness, and not longer", async (t) => {
  const clock = testClock();
  const s = await stage(t, { clock });
  await assertKeys(s, "issuer");
  s.issuer.on("/jwks", reply.status(503));
  clock.forward(HOUR + 1);
  await assertKeys(s, "stale");
  clock.forward(24 * HOUR - 10);
  await assertKeys(s, "stale");
  clock.forward(20);
  assertUnavailable(await s.call(lasting(s)));
  s.issuer.serve([rsa]);
  clock.forward(16);
  await assertKeys(s, "issuer");
});

test("an outage at the start of a Worker: a set in KV past its freshness serves", async (t) => {
  const clock = testClock();
  const kv = kvStore(t);
  const s = await stage(t, { clock, kv });
  await assertKeys(s, "issuer");
  await until("the set in KV", () => kv.entries().length === 1);
  await s.issuer.close();
  clock.forward(HOUR + 1);
  const second = await startWorker(t, { vars: s.settings, kv, clock });
  const { response, line } = await second.logged(() => second.send({ method: "POST", path: "/mcp", headers: bearer(lasting(s)) }));
  assert.equal(response.status, 200, line.reason);
  assert.equal(line.keys, "stale");
  assert.equal(line.stale_for, 24 * HOUR - 1);
});

test("an outage without a set: 503, and the next try after 15 s", async (t) => {
  const clock = testClock();
  const s = await stage(t, { clock });
  s.issuer.on("/jwks", reply.status(500));
  assertUnavailable(await s.call(lasting(s)));
  assert.equal(s.issuer.hits("/jwks"), 1);
  for (let i = 0; i < 5; i++) assertUnavailable(await s.call(lasting(s)));
  assert.equal(s.issuer.hits("/jwks"), 1, "not asked again so soon");
  s.issuer.serve([rsa]);
  clock.forward(16);
  await assertKeys(s, "issuer");
  assert.equal(s.issuer.hits("/jwks"), 2);
});

test("while an outage lasts the issuer is asked every 15 s, not at every request", async (t) => {
  const clock = testClock();
  const s = await stage(t, { clock });
  await assertKeys(s, "issuer");
  s.issuer.on("/jwks", reply.status(500));
  clock.forward(HOUR + 1);
  for (let i = 0; i < 5; i++) await assertKeys(s, "stale");
  await until("one failed fetch", () => s.issuer.hits("/jwks") === 2);
  clock.forward(16);
  for (let i = 0; i < 5; i++) await assertKeys(s, "stale");
  await until("another", () => s.issuer.hits("/jwks") === 3);
});

test("a connection that is refused or reset is an outage like any other", async (t) => {
  const s = await stage(t);
  s.issuer.on("/jwks", reply.reset());
  assertUnavailable(await s.call(s.token()));
  const closed = await stage(t);
  await closed.issuer.close();
  assertUnavailable(await closed.call(closed.token()));
});
