// Contract section 4 and docs/keys.md, `jwks_uri` left out: a key set that moves is found again,
// and the issuer's metadata is read no more often than it takes.
import assert from "node:assert/strict";
import { test } from "node:test";
import { reply } from "./support/issuer.mjs";
import { assertKeys, assertReason, assertRetry, details, HOUR, lasting, madeUp } from "./support/key-steps.mjs";
import { signingKey } from "./support/keys.mjs";
import { stage } from "./support/stage.mjs";
import { testClock } from "./support/worker.mjs";

const METADATA = "/.well-known/oauth-authorization-server";
const OIDC = "/.well-known/openid-configuration";
const rsa = signingKey("rsa");
const next = signingKey("rsa", "next");
const third = signingKey("rsa", "third");

/**
 * A Worker that holds the set at /jwks; `asked` gives the paths that the issuer was asked for since
 * the last time.
 */
async function begin(t) {
  const clock = testClock();
  const s = await stage(t, { clock, entries: (issuer) => [{ authorization_server_url: issuer.url }] });
  let seen = 0;
  const asked = () => s.issuer.log.slice(seen, (seen = s.issuer.log.length)).map(({ path }) => path);
  const move = (path, keys) => {
    s.issuer.on(METADATA, reply.json(s.issuer.metadata({ jwks_uri: s.issuer.url + path })));
    if (keys) s.issuer.serve(keys, path);
  };
  move("/jwks");
  await assertKeys(s, "issuer");
  assert.deepEqual(asked(), [METADATA, "/jwks"]);
  return { s, clock, asked, move, with: (key) => lasting(s, { key }) };
}

test("the set moves: an unknown kid leads to the old place, the metadata and the new place, and from there on to the new place", async (t) => {
  const { s, clock, asked, move, with: token } = await begin(t);
  move("/moved", [rsa, next]);
  await assertKeys(s, "memory");
  assert.deepEqual(asked(), []);
  await assertKeys(s, "issuer", token(next));
  assert.deepEqual(asked(), ["/jwks", METADATA, "/moved"]);
  await assertKeys(s, "memory");
  await assertReason(s, madeUp(s), "kid_unknown");
  assert.deepEqual(asked(), [], "within the 30 s");
  s.issuer.serve([rsa, next, third], "/moved");
  clock.forward(30);
  await assertKeys(s, "issuer", token(third));
  assert.deepEqual(asked(), ["/moved"]);
  clock.forward(HOUR);
  await assertKeys(s, "issuer");
  assert.deepEqual(asked(), ["/moved"]);
});

test("made-up kids read the metadata once in 10 minutes, to the second", async (t) => {
  const { s, clock, asked } = await begin(t);
  await assertReason(s, madeUp(s), "kid_unknown");
  assert.deepEqual(asked(), ["/jwks", METADATA], "it is where it was, and not fetched twice");
  for (let passed = 30; passed < 600; passed += 30) {
    clock.forward(30);
    await assertReason(s, madeUp(s, `made-up-${passed}`), "kid_unknown");
    assert.deepEqual(asked(), ["/jwks"]);
  }
  clock.forward(29);
  await assertReason(s, madeUp(s), "kid_unknown");
  assert.deepEqual(asked(), []);
  clock.forward(1);
  await assertReason(s, madeUp(s), "kid_unknown");
  assert.deepEqual(asked(), ["/jwks", METADATA]);
});

test("a set that moved within those 10 minutes is found after them", async (t) => {
  const { s, clock, asked, move, with: token } = await begin(t);
  await assertReason(s, madeUp(s), "kid_unknown");
  move("/moved", [rsa, next]);
  clock.forward(570);
  await assertReason(s, token(next), "kid_unknown");
  clock.forward(30);
  await assertKeys(s, "issuer", token(next));
  assert.deepEqual(asked(), ["/jwks", METADATA, "/jwks", "/jwks", METADATA, "/moved"]);
});

test("an unknown kid that the old place has needs no metadata", async (t) => {
  const { s, asked, with: token } = await begin(t);
  s.issuer.serve([rsa, next]);
  await assertKeys(s, "issuer", token(next));
  assert.deepEqual(asked(), ["/jwks"]);
});

// name, what becomes of the metadata; the old place still serves
const UNREADABLE = [
  ["is gone", reply.status(404)],
  ["resets", reply.reset()],
  ["is a page", reply.html()],
  ["is another issuer's", reply.json({ issuer: "https://other.example.com", jwks_uri: "https://other.example.com/jwks" })],
  ["leads to another scheme", (_, res, issuer) => reply.json(issuer.metadata({ jwks_uri: "data:application/json,{}" }))(_, res)],
];

for (const [name, answer] of UNREADABLE) {
  test(`metadata that ${name} when it is read again spoils nothing`, async (t) => {
    const { s, clock, with: token } = await begin(t);
    s.issuer.on(METADATA, (req, res) => answer(req, res, s.issuer));
    await assertReason(s, madeUp(s), "kid_unknown");
    await assertKeys(s, "memory");
    s.issuer.serve([rsa, next]);
    clock.forward(30);
    await assertKeys(s, "issuer", token(next));
    assert.deepEqual(details(s, "fetch_failed"), []);
  });
}

test("after a failed fetch the metadata is read anew: the old place may be gone", async (t) => {
  const { s, clock, asked, move, with: token } = await begin(t);
  move("/moved", [rsa, next]);
  s.issuer.off("/jwks");
  clock.forward(HOUR);
  await assertKeys(s, "stale");
  assert.deepEqual(asked(), ["/jwks"]);
  assert.deepEqual(details(s, "fetch_failed"), ["key set: status 404"]);
  clock.forward(14);
  await assertRetry(s, 1, token(next));
  assert.deepEqual(asked(), []);
  clock.forward(1);
  await assertKeys(s, "issuer", token(next));
  assert.deepEqual(asked(), [METADATA, "/moved"]);
});

test("a new place that does not answer keeps what is held, and is tried again after the back-off", async (t) => {
  const { s, clock, asked, move, with: token } = await begin(t);
  move("/moved");
  s.issuer.on("/moved", reply.status(500));
  await assertRetry(s, 15, token(next));
  assert.deepEqual(asked(), ["/jwks", METADATA, "/moved"]);
  await assertKeys(s, "memory");
  s.issuer.serve([rsa, next], "/moved");
  clock.forward(15);
  await assertKeys(s, "issuer", token(next));
  assert.deepEqual(asked(), [METADATA, "/moved"]);
});

test("an outage of the metadata: both places of it are asked at each try, the set at none, and a kept set serves", async (t) => {
  const { s, clock, asked, with: token } = await begin(t);
  s.issuer.off(METADATA);
  s.issuer.off("/jwks");
  clock.forward(HOUR);
  await assertKeys(s, "stale");
  assert.deepEqual(asked(), ["/jwks"]);
  clock.forward(15);
  await assertKeys(s, "stale");
  assert.deepEqual(asked(), [METADATA, OIDC]);
  for (let i = 0; i < 3; i++) await assertKeys(s, "stale");
  assert.deepEqual(asked(), []);
  const gave = [METADATA, OIDC].map((place) => `${s.issuer.url}${place}: status 404`).join("; ");
  assert.deepEqual(details(s, "fetch_failed"), ["key set: status 404", `issuer metadata: ${gave}`]);
  s.issuer.on(OIDC, reply.json(s.issuer.metadata()));
  s.issuer.serve([rsa, next]);
  clock.forward(30);
  await assertKeys(s, "issuer", token(next));
  assert.deepEqual(asked(), [METADATA, OIDC, "/jwks"]);
});
