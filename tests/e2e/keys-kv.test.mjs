// Contract section 4 and docs/keys.md: KV is written sparingly, shared by Workers, and may fail in
// every way: that is the same as KV empty, said in the log, and never an error to a client.
import assert from "node:assert/strict";
import { test } from "node:test";
import { reply } from "./support/issuer.mjs";
import { assertFetches, assertKeys, assertReason, assertRetry, count, details, hold, HOUR, lasting, madeUp, results, underWay } from "./support/key-steps.mjs";
import { signingKey } from "./support/keys.mjs";
import { startKv } from "./support/kv.mjs";
import { stage } from "./support/stage.mjs";
import { until } from "./support/until.mjs";
import { kvStore, testClock } from "./support/worker.mjs";

const rsa = signingKey("rsa");
const next = signingKey("rsa", "next");
const third = signingKey("rsa", "third");

async function begin(t, options = {}) {
  const clock = testClock();
  const kv = options.kv ?? (await startKv(t));
  return { clock, kv, s: await stage(t, { clock, kv, ...options }) };
}

const written = (kv, times) => until(`write ${times} of KV`, () => kv.writes().length === times && kv.writes().at(-1).text);

/** The key that KV holds. */
const only = (kv) => [...kv.values.keys()][0];

test("the first fetch is written to KV, until its set can serve no more; reads may be a minute old", async (t) => {
  const { kv, s } = await begin(t);
  await assertKeys(s, "issuer");
  const record = JSON.parse(await written(kv, 1));
  assert.deepEqual(JSON.parse(record.jwks), { keys: [rsa.jwk()] });
  assert.equal(kv.writes()[0].query.expiration_ttl, String(25 * HOUR));
  assert.deepEqual(kv.reads().map(({ query }) => query.cache_ttl), ["60"]);
  await assertKeys(s, "memory");
  assert.equal(kv.log.length, 2, "memory answers without KV");
});

test("a cold burst reads KV once, and asks the issuer once", async (t) => {
  const { kv, s } = await begin(t);
  const release = hold(s, [rsa]);
  const burst = s.together(Array.from({ length: 20 }, () => lasting(s)));
  await underWay(s, 1);
  release();
  for (const { status } of (await burst).responses) assert.equal(status, 200);
  await written(kv, 1);
  assert.equal(kv.reads().length, 1);
  assertFetches(s, 1);
});

test("KV is written at most once a minute, and only after a fetch", async (t) => {
  const { clock, kv, s } = await begin(t);
  await assertKeys(s, "issuer");
  await written(kv, 1);
  s.issuer.serve([rsa, next]);
  await assertKeys(s, "issuer", lasting(s, { key: next }));
  clock.forward(31);
  s.issuer.serve([rsa, next, third]);
  await assertKeys(s, "issuer", lasting(s, { key: third }));
  assertFetches(s, 3);
  clock.forward(29);
  await assertReason(s, madeUp(s), "kid_unknown"); // 60 s after the write, but nothing was fetched
  assertFetches(s, 3);
  assert.deepEqual(JSON.parse(JSON.parse(kv.values.get(only(kv))).jwks), { keys: [rsa.jwk()] }, "still the first");
  clock.forward(2);
  await assertReason(s, madeUp(s), "kid_unknown");
  assertFetches(s, 4);
  const { jwks } = JSON.parse(await written(kv, 2));
  assert.deepEqual(JSON.parse(jwks), { keys: [rsa.jwk(), next.jwk(), third.jwk()] });
  assert.equal(kv.reads().length, 1, "an unknown kid goes past KV");
});

test("the minute counts for a set that another Worker wrote, too", async (t) => {
  const { clock, kv, s } = await begin(t);
  await assertKeys(s, "issuer");
  await written(kv, 1);
  const second = await s.another();
  await assertKeys(second, "kv");
  clock.forward(31);
  s.issuer.serve([rsa, next]);
  await assertKeys(second, "issuer", lasting(s, { key: next }));
  clock.forward(31);
  s.issuer.serve([rsa, third]);
  await assertKeys(second, "issuer", lasting(s, { key: third }));
  assert.ok((await written(kv, 2)).includes(third.kid), "the write of 31 s after the first was left out");
  assertFetches(s, 3);
});

test("a fetch that fails leaves KV's set alone", async (t) => {
  const { clock, kv, s } = await begin(t);
  await assertKeys(s, "issuer");
  const text = await written(kv, 1);
  s.issuer.on("/jwks", reply.json({ keys: [] }));
  clock.forward(HOUR);
  await assertKeys(s, "stale");
  s.issuer.serve([rsa, next]);
  clock.forward(15);
  assert.equal(kv.values.get(only(kv)), text);
  await assertKeys(s, "issuer");
  await written(kv, 2);
});

const textual = (text) => reply.text(text, "application/octet-stream");
const record = (change) => ({ edit: (text) => JSON.stringify({ ...JSON.parse(text), ...change }) });
const UNREADABLE = "not a key set of this format and source";

// name, what KV answers to a read (or what becomes of its value), the log's result and detail
const BROKEN = [
  ["throws", reply.status(500), "kv_failed", /500/],
  ["is limited", reply.status(429), "kv_failed", /429/],
  ["resets", reply.reset(), "kv_failed", /./],
  ["hangs", reply.hang(), "kv_failed", /^no answer within 1 s$/],
  ["hangs in a value", reply.hangInBody(), "kv_failed", /^no answer within 1 s$/],
  ["holds garbage", textual("\u0000\u0001{"), "kv_unreadable", UNREADABLE],
  ["holds nothing of length", textual(""), "kv_unreadable", UNREADABLE],
  ["holds bytes that are not UTF-8", (_, res) => res.writeHead(200).end(Buffer.from([0xff, 0xfe])), "kv_unreadable", UNREADABLE],
  ["holds a bare key set", textual(JSON.stringify({ keys: [rsa.jwk()] })), "kv_unreadable", UNREADABLE],
  ["holds an array", textual("[1,\"\",0,0,\"\"]"), "kv_unreadable", UNREADABLE],
  ["holds an older format", record({ format: 0 }), "kv_unreadable", UNREADABLE],
  ["holds a newer format", record({ format: 2 }), "kv_unreadable", UNREADABLE],
  ["holds another source's set", record({ source: "jwks_uri https://other.example.com/jwks" }), "kv_unreadable", UNREADABLE],
  ["holds a set without a usable key", record({ jwks: '{"keys":[]}' }), "kv_unreadable", UNREADABLE],
  ["holds a time that is none", record({ fetched_at: "yesterday" }), "kv_unreadable", UNREADABLE],
];

test("a variable under the name of the KV binding: said in the log, and keys come from the issuer", async (t) => {
  const s = await stage(t, { vars: { JWKS_CACHE: "a text" } });
  const { response, line } = await s.ask(s.token());
  assert.deepEqual([response.status, line.keys], [200, "issuer"]);
  const said = s.worker.lines("keys").filter(({ result }) => result === "kv_failed").map(({ detail }) => detail);
  assert.deepEqual(said, ["the binding JWKS_CACHE is no KV namespace"]);
});

/** One Worker through a cold start, a refresh and an outage, with KV broken all along. */
async function withBrokenKv(t, answer, result, detail) {
  const { clock, kv, s: writer } = await begin(t);
  await assertKeys(writer, "issuer");
  const text = await written(kv, 1);
  kv.on("GET", answer.edit ? textual(answer.edit(text)) : answer);
  const s = await writer.another();
  const assertSaid = (times) => {
    assert.equal(count(s, result), times);
    for (const said of details(s, result)) typeof detail === "string" ? assert.equal(said, detail) : assert.match(said, detail);
  };
  await assertKeys(s, "issuer");
  assertFetches(s, 2);
  assertSaid(1);
  await written(kv, 2);
  clock.forward(HOUR);
  await assertKeys(s, "issuer");
  assertFetches(s, 3);
  assertSaid(2);
  await written(kv, 3);
  s.issuer.on("/jwks", reply.status(500));
  clock.forward(HOUR);
  await assertKeys(s, "stale");
  await assertKeys(s, "stale");
  assertFetches(s, 4);
  assertSaid(3);
  const cold = await s.another();
  await assertRetry(cold, 15);
  assertFetches(s, 5);
  assert.deepEqual(results(cold), [result, "fetch_failed"]);
}

test("KV that fails a read is KV empty, and said in the log", { concurrency: true }, async (t) => {
  // Side by side, since those that hang take the Worker a second each time.
  const slow = BROKEN.filter(([name]) => name.startsWith("hangs"));
  const others = BROKEN.filter((row) => !slow.includes(row));
  const run = ([name, ...rest]) => t.test(`KV ${name}`, (t) => withBrokenKv(t, ...rest));
  const hanging = slow.map(run);
  for (const row of others) await run(row);
  await Promise.all(hanging);
});

// name, what KV answers to a write, whether the log says it
const UNWRITABLE = [
  ["throws", reply.status(500), true],
  ["is limited", reply.status(429), true],
  ["resets", reply.reset(), true],
  ["hangs", reply.hang(), false],
];

for (const [name, answer, said] of UNWRITABLE) {
  test(`KV that ${name} at a write: the client has had its answer, and the next fetch is written`, async (t) => {
    const { clock, kv, s } = await begin(t);
    kv.on("PUT", answer);
    await assertKeys(s, "issuer");
    await until("the write", () => kv.log.some(({ method }) => method === "PUT"));
    await assertKeys(s, "memory");
    if (said) await until("a line about it", () => count(s, "kv_failed") === 1);
    kv.off("PUT");
    clock.forward(HOUR);
    await assertKeys(s, "issuer");
    await written(kv, 1);
    assertFetches(s, 2);
  });
}

test("two Workers, one KV folder: the second starts without a fetch, and takes the first's newer set when its own is due", async (t) => {
  const folder = kvStore(t);
  const { clock, s: first } = await begin(t, { kv: folder });
  await assertKeys(first, "issuer");
  await until("the set in KV", () => folder.entries().length === 1);
  const second = await first.another();
  await assertKeys(second, "kv");
  await assertKeys(second, "memory");
  assert.deepEqual(results(second), []);
  clock.forward(0.8 * HOUR);
  // Unfit, not gone: a kid that is gone would be asked for.
  first.issuer.on("/jwks", reply.json({ keys: [rsa.jwk({ use: "enc" }), next.jwk()] }));
  await assertKeys(first, "memory");
  await until("the newer set in KV", () => folder.entries()[0].text.includes(next.kid));
  await assertKeys(second, "memory"); // due: refreshes after this answer, from KV
  await until("the newer set in use", async () => (await second.ask(lasting(second))).line.reason === "key_unfit");
  clock.forward(0.8 * HOUR - 1);
  await assertKeys(second, "memory", lasting(second, { key: next }));
  assert.deepEqual(results(second), []);
  assertFetches(first, 2);
});

test("two Workers, one KV folder: the second takes the first's newer set when its own is no longer fresh", async (t) => {
  const folder = kvStore(t);
  const { clock, s: first } = await begin(t, { kv: folder });
  await assertKeys(first, "issuer");
  await until("the set in KV", () => folder.entries().length === 1);
  const second = await first.another();
  await assertKeys(second, "kv");
  clock.forward(HOUR);
  first.issuer.serve([rsa, next]);
  await assertKeys(first, "issuer");
  await until("the newer set in KV", () => folder.entries()[0].text.includes(next.kid));
  await assertKeys(second, "kv", lasting(second, { key: next }));
  assert.deepEqual(results(second), []);
  assertFetches(first, 2);
});

test("what the issuer's max-age shortened is short for the Worker that has it from KV, too", async (t) => {
  const { clock, kv, s } = await begin(t);
  s.issuer.on("/jwks", (_, res) => res.writeHead(200, { "cache-control": "max-age=100" }).end(JSON.stringify({ keys: [rsa.jwk()] })));
  await assertKeys(s, "issuer");
  await written(kv, 1);
  clock.forward(79);
  await assertKeys(await s.another(), "kv");
  clock.forward(1);
  await assertKeys(await s.another(), "issuer"); // due: no better than a fetch
  assertFetches(s, 2);
});

// name, Cache-Control of the newer set, seconds until it is due: with the last, the older copy is
// not due itself
const OLDER = [
  ["as fresh", "max-age=3600", 0.8 * HOUR],
  ["fresh for longer", "max-age=60", 48],
];

for (const [name, header, due] of OLDER) {
  test(`an older set in KV never replaces a newer one in memory (${name})`, async (t) => {
    const { clock, kv, s } = await begin(t);
    await assertKeys(s, "issuer");
    await written(kv, 1);
    s.issuer.on("/jwks", (_, res) => res.writeHead(200, { "cache-control": header }).end(JSON.stringify({ keys: [next.jwk()] })));
    clock.forward(30);
    await assertKeys(s, "issuer", lasting(s, { key: next })); // not written: within the minute
    s.issuer.on("/jwks", reply.status(500));
    clock.forward(due);
    await assertKeys(s, "memory", lasting(s, { key: next }));
    await until("the refresh", () => count(s, "fetch_failed") === 1);
    assert.equal(kv.reads().length, 2, "KV was looked into");
    assertFetches(s, 3);
    clock.forward(HOUR);
    await assertKeys(s, "stale", lasting(s, { key: next }));
    assert.equal(kv.reads().length, 3);
    assertFetches(s, 4);
    await assertReason(s, lasting(s), "keys_unavailable"); // the withdrawn key of the older set
    assert.equal(kv.writes().length, 1);
  });
}
