// Contract section 4: whatever an issuer does, a client sees 200 or 503, a good set is never lost,
// and the issuer is asked exactly as often as the policy says. Every answer is met cold (nothing in
// memory or KV) and warm (a good set, past its freshness).
import assert from "node:assert/strict";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { reply } from "./support/issuer.mjs";
import { assertFetches, assertKeys, assertReason, assertRetry, count, details, HOUR, lasting, madeUp, results } from "./support/key-steps.mjs";
import { signingKey } from "./support/keys.mjs";
import { stage } from "./support/stage.mjs";
import { until } from "./support/until.mjs";
import { kvStore, testClock } from "./support/worker.mjs";

const rsa = signingKey("rsa");
const next = signingKey("rsa", "next");
const p256 = signingKey("p256");
const set = (...keys) => JSON.stringify({ keys });
const good = set(rsa.jwk());
const many = (length, make) => Array.from({ length }, (_, i) => ({ ...make(i), kid: `k${i}` }));
const small = () => signingKey("ed25519").jwk();
const leaked = { ...rsa.privateKey.export({ format: "jwk" }), kid: rsa.kid };
const chain = { x5c: ["AAAA".repeat(500), "BBBB".repeat(500)], x5t: "AA", "x5t#S256": "AA" };
const UNKNOWN = [{ kty: "AKP", alg: "ML-DSA-44", kid: "pq", pub: "AAAA" }, { kty: "LMS", kid: rsa.kid }, { kty: 7, kid: "x" }];

const json = { "content-type": "application/json" };
const raw = (body, headers = {}) => (_, res) => res.writeHead(200, headers).end(body);
const resetInBody = (_, res) => res.writeHead(200, json).write(good.slice(0, 20), () => res.socket.resetAndDestroy());

/** A good set, one space after it every now and then, and no end. */
const trickle = (_, res) => {
  res.writeHead(200, json).write(good);
  const timer = setInterval(() => res.write(" "), 100);
  res.on("close", () => clearInterval(timer));
};

const UNREACHABLE = "unreachable, or no answer within 5 s";
const LARGE = "larger than 64 KiB";

// name, the issuer's answer ("closed": it does not listen), what the log says of it
const FAILING = [
  ["refuses connections", "closed", UNREACHABLE],
  ["resets before the head", reply.reset(), UNREACHABLE],
  ["resets in the body", resetInBody, UNREACHABLE],
  ["500, with a good set", reply.status(500, { keys: [rsa.jwk()] }), "status 500"],
  ["429", reply.status(429), "status 429"],
  ["a redirect to a good set", reply.redirect("/moved"), "status 302"],
  ["a redirect that keeps the method", reply.redirect("/moved", 308), "status 308"],
  ["200 with HTML", reply.html(), "not a JWK Set"],
  ["half a set", reply.text(good.slice(0, -2)), "not a JWK Set"],
  ["bytes that are not UTF-8", raw(Buffer.concat([Buffer.from(good), Buffer.from([0xff])])), "not UTF-8"],
  ["an endless body", reply.endless(), LARGE],
  ["5 MB, a good set first", reply.text(good + " ".repeat(5_000_000)), LARGE],
  ["5 MB that came as a few KB", raw(gzipSync(good + " ".repeat(5_000_000)), { "content-encoding": "gzip" }), LARGE],
  ["500 keys of RSA, 200 KB", reply.text(set(rsa.jwk(), ...many(500, () => next.jwk()))), LARGE],
  ["chains of 100 KB", reply.text(set(rsa.jwk({ x5c: ["AAAA".repeat(25_000)] }))), LARGE],
  ["empty keys", reply.json({ keys: [] }), "no usable key"],
  ["only kty that nobody knows", reply.json({ keys: UNKNOWN }), "no usable key"],
  ["only keys with their private half", reply.json({ keys: [leaked] }), "no usable key"],
  ["only keys for encryption", reply.json({ keys: [rsa.jwk({ use: "enc" })] }), "no usable key"],
];

// Those that take the Worker its whole 5 s.
const HANGING = [
  ["hangs before the head", reply.hang(), UNREACHABLE],
  ["hangs in the body", reply.hangInBody(), UNREACHABLE],
  ["hangs after a whole set", reply.hangInBody(good), UNREACHABLE],
  ["trickles without an end", trickle, UNREACHABLE],
];

const release = (held) => ({ answer: held, release: held.release });

/** The head and half of the set at once, the rest later. */
function slowBody() {
  let finish;
  const answer = (_, res) => {
    res.writeHead(200, json).write(good.slice(0, 100));
    finish = () => res.end(good.slice(100));
  };
  return { answer, release: () => finish() };
}

// name, the issuer's answer: a set that has the key
const USABLE = [
  ["slow before the head", () => release(reply.held(reply.text(good)))],
  ["slow in the body", slowBody],
  ["500 keys, this one the first", reply.text(set(rsa.jwk(), ...many(499, small)))],
  ["500 keys, this one the 64th", reply.text(set(...many(63, small), rsa.jwk(), ...many(436, small)))],
  ["x5c chains", reply.json({ keys: [next.jwk(chain), rsa.jwk(chain), p256.jwk(chain)] })],
  ["kty that nobody knows beside it", reply.json({ keys: [...UNKNOWN, rsa.jwk(), ...UNKNOWN] })],
  ["its kid on other keys too", reply.json({ keys: [next, p256, signingKey("rsa", "b"), rsa].map((key) => ({ ...key.jwk(), kid: rsa.kid })) })],
  ["the same key twice", reply.json({ keys: [rsa.jwk(), rsa.jwk()] })],
  ["a private half beside it", reply.json({ keys: [{ ...leaked, kid: "leaked" }, rsa.jwk()] })],
  ["a member named keys in a key, and more of no meaning", reply.json({ keys: [rsa.jwk({ keys: [] })], next: null, x: [1] })],
  ["another content type", reply.text(good, "text/plain; charset=iso-8859-1")],
  ["no content type", raw(good)],
  ["compressed", raw(gzipSync(good), { "content-encoding": "gzip" })],
];

async function begin(t, keys) {
  const clock = testClock();
  const kv = kvStore(t);
  const s = await stage(t, { clock, kv, keys });
  s.issuer.serve([rsa], "/moved");
  return { s, clock, kv, lasting: (key) => lasting(s, { key }) };
}

/** Fetches are counted by the log, and by the issuer as far as it is there to count. */
function assertTries(s, answer, { good, failed }) {
  assert.equal(count(s, "fetched"), good);
  assert.equal(count(s, "fetch_failed"), failed);
  assertFetches(s, answer === "closed" ? good : good + failed);
  assertFetches(s, 0, "/moved");
}

const fail = (s, answer) => (answer === "closed" ? s.issuer.close() : s.issuer.on("/jwks", answer));

async function recover(s, answer, keys) {
  if (answer === "closed") await s.issuer.reopen();
  s.issuer.serve(keys);
}

async function failingCold(t, answer, detail) {
  const { s, clock, kv } = await begin(t, [rsa]);
  await fail(s, answer);
  await assertRetry(s, 15);
  assert.deepEqual(details(s, "fetch_failed"), [`key set: ${detail}`]);
  assertTries(s, answer, { good: 0, failed: 1 });
  clock.forward(14);
  for (let i = 0; i < 3; i++) await assertRetry(s, 1);
  await assertRetry(s, 1, madeUp(s));
  assertTries(s, answer, { good: 0, failed: 1 });
  assert.equal(s.origin.seen.length, 0);
  assert.equal(kv.entries().length, 0, "nothing to keep");
  await recover(s, answer, [rsa]);
  clock.forward(1);
  await assertKeys(s, "issuer");
  await assertKeys(s, "memory");
  assertTries(s, answer, { good: 1, failed: 1 });
  await until("the set in KV", () => kv.entries().length === 1);
}

async function failingWarm(t, answer, detail) {
  const { s, clock, kv } = await begin(t, [rsa]);
  await assertKeys(s, "issuer");
  const [{ text }] = await until("the set in KV", () => kv.entries().length === 1 && kv.entries());
  clock.forward(HOUR);
  await fail(s, answer);
  await assertKeys(s, "stale");
  assert.deepEqual(details(s, "fetch_failed"), [`key set: ${detail}`]);
  assertTries(s, answer, { good: 1, failed: 1 });
  clock.forward(14);
  for (let i = 0; i < 3; i++) await assertKeys(s, "stale");
  await assertRetry(s, 1, lasting(s, { key: next }));
  assertTries(s, answer, { good: 1, failed: 1 });
  assert.equal(kv.entries()[0].text, text, "the good set");
  await recover(s, answer, [rsa, next]);
  clock.forward(1);
  await assertKeys(s, "issuer", lasting(s, { key: next }));
  await assertKeys(s, "memory");
  assertTries(s, answer, { good: 2, failed: 1 });
  await until("the new set in KV", () => kv.entries()[0].text.includes(next.kid));
}

for (const [name, answer, detail] of FAILING) {
  test(`cold, and the issuer: ${name}`, (t) => failingCold(t, answer, detail));
  test(`warm, and the issuer: ${name}`, (t) => failingWarm(t, answer, detail));
}

test("an issuer that hangs", { concurrency: true }, (t) =>
  Promise.all(HANGING.flatMap(([name, answer, detail]) => [
    t.test(`cold, and the issuer: ${name}`, (t) => failingCold(t, answer, detail)),
    t.test(`warm, and the issuer: ${name}`, (t) => failingWarm(t, answer, detail)),
  ])));

for (const [name, given] of USABLE) {
  const prepared = () => (given.length === 0 ? given() : { answer: given, release: () => {} });

  /** One request that fetches this answer. */
  const fetched = async (s, fetches) => {
    const { answer, release } = prepared();
    s.issuer.on("/jwks", answer);
    const asked = assertKeys(s, "issuer", lasting(s, { key: rsa }));
    await until("the fetch", () => s.issuer.hits("/jwks") === fetches);
    release();
    await asked;
    for (let i = 0; i < 3; i++) await assertKeys(s, "memory", lasting(s, { key: rsa }));
    assertFetches(s, fetches);
  };

  test(`cold, and the issuer's set is used: ${name}`, async (t) => {
    const { s } = await begin(t, [rsa]);
    await fetched(s, 1);
    assert.deepEqual(results(s), ["fetched"]);
  });

  test(`warm, and the issuer's set is used: ${name}`, async (t) => {
    const { s, clock } = await begin(t, [signingKey("rsa", "former")]);
    await assertKeys(s, "issuer");
    clock.forward(HOUR);
    await fetched(s, 2);
    assert.deepEqual(results(s), ["fetched", "fetched"]);
  });
}

test("500 keys: those after the 64th are not there, and cost one refetch", async (t) => {
  const { s, clock } = await begin(t, [rsa]);
  s.issuer.on("/jwks", reply.text(set(...many(64, small), rsa.jwk(), ...many(435, small))));
  for (let i = 0; i < 4; i++) await assertReason(s, lasting(s), "kid_unknown");
  assertFetches(s, 2);
  clock.forward(30);
  for (let i = 0; i < 4; i++) await assertReason(s, lasting(s), "kid_unknown");
  assertFetches(s, 3);
});

test("a body that is too large is not read to its end", async (t) => {
  const { s } = await begin(t, [rsa]);
  let left = false;
  s.issuer.on("/jwks", (req, res) => {
    res.on("close", () => (left = true));
    reply.endless()(req, res);
  });
  await assertRetry(s, 15);
  await until("the connection's end", () => left);
});
