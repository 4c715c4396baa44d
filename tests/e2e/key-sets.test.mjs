// Contract section 4, one key set: which keys are usable, which of them fits a token, and every
// answer of an issuer that is not a key set.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { reply } from "./support/issuer.mjs";
import { signingKey } from "./support/keys.mjs";
import { assertInvalid, assertUnavailable, INVALID, stage } from "./support/stage.mjs";

const rsa = signingKey("rsa");
const other = signingKey("rsa", "b");
const p256 = signingKey("p256");
const good = JSON.stringify({ keys: [rsa.jwk()] });
const bytes = (text) => Buffer.from(text, "base64url");

/** A Worker whose issuer serves these JWKs. */
async function serving(t, jwks, options = {}) {
  const s = await stage(t, options);
  s.issuer.on("/jwks", reply.json({ keys: jwks }));
  return s;
}

async function assertReason(s, token, reason) {
  const { response, line } = await s.ask(token);
  assert.equal(line.reason, reason);
  assert.equal(response.status, reason === "ok" ? 200 : 401);
}

const UNUSABLE = [
  null, 7, "key", [], {}, { kty: null, kid: "x" }, { kty: "oct", kid: "x", k: "AAAA" }, { kty: "RSA", kid: "x" }, { kty: "RSA", kid: "x", n: "", e: "AQAB" },
  { kty: "RSA", kid: "x", n: "!!!!", e: "AQAB" }, { kty: "RSA", kid: "x", n: 7, e: "AQAB" }, { kty: "EC", kid: "x", crv: "P-256", x: "AA", y: "AA" },
  { kty: "EC", kid: "x", crv: "secp256k1", x: p256.jwk().x, y: p256.jwk().y }, { kty: "OKP", kid: "x", crv: "Ed25519", x: "AA" },
  { kty: "OKP", kid: "x", crv: "X25519", x: signingKey("ed25519").jwk().x }, { kty: "AKP", alg: "ML-DSA-44", kid: "x", pub: "AAAA" },
  signingKey("rsa1024").jwk(),
];

test("keys that cannot be used are passed over", async (t) => {
  const s = await serving(t, [...UNUSABLE, rsa.jwk(), ...UNUSABLE]);
  await assertReason(s, s.token(), "ok");
  await assertReason(s, s.token({}, { key: signingKey("rsa1024") }), "key_unfit");
});

test("RSA keys have 2048 to 8192 bits", async (t) => {
  const modulus = (bits) => {
    const n = Buffer.alloc(Math.ceil(bits / 8), 0xa5);
    n[0] = 1 << ((bits - 1) % 8);
    return { kty: "RSA", kid: "sized", e: "AQAB", n: n.toString("base64url") };
  };
  for (const [bits, usable] of [[2047, false], [2048, true], [8192, true], [8193, false], [16384, false]]) {
    const s = await serving(t, [modulus(bits), rsa.jwk()]);
    await assertReason(s, s.token({}, { header: { kid: "sized" } }), usable ? "signature_invalid" : "key_unfit");
    await assertReason(s, s.token(), "ok");
    const alone = await serving(t, [modulus(bits)]);
    assert.equal((await alone.call(alone.token({}, { header: { kid: "sized" } }))).status, usable ? 401 : 503, `${bits} bits`);
  }
});

test("a set without a usable key is no set", async (t) => {
  for (const keys of [[], [{ kty: "oct", kid: "x", k: "AAAA" }], [signingKey("rsa1024").jwk()], UNUSABLE]) {
    const s = await serving(t, keys);
    assertUnavailable(await s.call(s.token()));
  }
});

test("a point that is not on its curve never verifies and never breaks anything", async (t) => {
  const jwk = { ...p256.jwk(), y: createHash("sha256").update("elsewhere").digest("base64url") };
  const s = await serving(t, [jwk, rsa.jwk()], { entry: { algorithm: ["ES256", "RS256"] } });
  const response = await s.call(s.token({}, { alg: "ES256", key: p256 }));
  assert.equal(response.status, 401);
  await assertReason(s, s.token(), "ok");
});

// name, members of the key, reason for an RS256 token with its kid
const FITS = [
  ["no use, key_ops or alg", {}, "ok"],
  ["use sig", { use: "sig" }, "ok"],
  ["use enc", { use: "enc" }, "key_unfit"],
  ["key_ops verify", { key_ops: ["verify"] }, "ok"],
  ["key_ops with more than verify", { key_ops: ["encrypt", "verify"] }, "ok"],
  ["key_ops without verify", { key_ops: ["encrypt"] }, "key_unfit"],
  ["key_ops empty", { key_ops: [] }, "key_unfit"],
  ["alg RS256", { alg: "RS256" }, "ok"],
  ["alg RS512", { alg: "RS512" }, "key_unfit"],
  ["alg PS256", { alg: "PS256" }, "key_unfit"],
  ["alg of encryption", { alg: "RSA-OAEP" }, "key_unfit"],
  ["x5c and what else real sets carry", { x5c: ["AAAA"], x5t: "AA", "x5t#S256": "AA", issuer: "x", nbf: 1 }, "ok"],
];

for (const [name, members, reason] of FITS) {
  test(`a key fits or not: ${name}`, async (t) => {
    const s = await serving(t, [rsa.jwk(members), other.jwk()]);
    await assertReason(s, s.token(), reason);
  });
}

test("a member of a key that is null has the wrong type, not no value", async (t) => {
  for (const member of ["use", "key_ops", "alg"]) {
    const s = await serving(t, [rsa.jwk({ [member]: null }), other.jwk()]);
    const { response } = await s.ask(s.token());
    assert.equal(response.status, 401, member);
  }
});

test("several keys of one kid: the one that fits is found", async (t) => {
  const s = await serving(t, [{ ...p256.jwk(), kid: rsa.kid }, { ...other.jwk(), kid: rsa.kid }, rsa.jwk()]);
  await assertReason(s, s.token(), "ok");
});

test("of several keys that fit at most four are tried", async (t) => {
  const same = (key) => ({ ...key.jwk(), kid: rsa.kid });
  const others = ["b", "c", "d", "e"].map((name) => signingKey("rsa", name));
  const fourth = await serving(t, [...others.slice(0, 3).map(same), rsa.jwk()]);
  await assertReason(fourth, fourth.token(), "ok");
  const fifth = await serving(t, [...others.map(same), rsa.jwk()]);
  const { response, line } = await fifth.ask(fifth.token());
  assertInvalid(response, INVALID);
  assert.match(line.reason, /^(signature_invalid|key_ambiguous)$/);
});

test("without a kid only a single key that fits serves", async (t) => {
  const nameless = (s, rest = {}) => s.token({}, { header: { kid: undefined }, ...rest });
  const one = await serving(t, [p256.jwk(), rsa.jwk(), signingKey("ed25519").jwk()]);
  await assertReason(one, nameless(one), "ok");
  const two = await serving(t, [rsa.jwk(), other.jwk()]);
  await assertReason(two, nameless(two), "key_ambiguous");
  const told = await serving(t, [rsa.jwk({ alg: "RS256" }), other.jwk({ alg: "RS512" })]);
  await assertReason(told, nameless(told), "ok");
  const none = await serving(t, [p256.jwk()]);
  await assertReason(none, nameless(none), "key_unfit");
});

test("a key without a kid serves a token without one", async (t) => {
  const s = await serving(t, [rsa.jwk({ kid: undefined })].map(({ kid, ...rest }) => rest));
  await assertReason(s, s.token({}, { header: { kid: undefined } }), "ok");
  await assertReason(s, s.token(), "kid_unknown");
});

test("a key that was published with its private half is no key: anyone could sign with it", async (t) => {
  for (const key of [rsa, p256, signingKey("ed25519")]) {
    const leaked = { ...key.privateKey.export({ format: "jwk" }), kid: key.kid };
    const s = await serving(t, [leaked, other.jwk()], { entry: { algorithm: ["RS256", "ES256", "EdDSA"] } });
    const alg = { rsa: "RS256", p256: "ES256", ed25519: "EdDSA" }[key.kind];
    await assertReason(s, s.token({}, { key, alg }), "key_unfit");
    await assertReason(s, s.token({}, { key: other }), "ok");
  }
});

test("64 keys are read", async (t) => {
  const few = { kty: "EC", crv: "P-256", x: p256.jwk().x, y: p256.jwk().y };
  const s = await serving(t, [...Array.from({ length: 63 }, (_, i) => ({ ...few, kid: `k${i}` })), rsa.jwk()]);
  await assertReason(s, s.token(), "ok");
});

test("64 KiB are read, and no more", async (t) => {
  const padded = (size) => good + " ".repeat(size - good.length);
  const full = await stage(t);
  full.issuer.on("/jwks", reply.text(padded(64 * 1024)));
  await assertReason(full, full.token(), "ok");
  const over = await stage(t);
  over.issuer.on("/jwks", reply.text(padded(64 * 1024 + 1)));
  assertUnavailable(await over.call(over.token()));
});

// name, the issuer's answer; each is an outage. The two that hang are bounded by the Worker's own 5
// s.
const NO_SET = [
  ["500", reply.status(500, { keys: [rsa.jwk()] })],
  ["404", reply.status(404, { keys: [rsa.jwk()] })],
  ["201", reply.status(201, { keys: [rsa.jwk()] })],
  ["304", (_, res) => res.writeHead(304).end()],
  ["204", (_, res) => res.writeHead(204).end()],
  ["a redirect to the real set", reply.redirect("/moved")],
  ["a permanent redirect", reply.redirect("/moved", 308)],
  ["HTML", reply.html()],
  ["nothing", reply.text("")],
  ["half a set", reply.text(good.slice(0, -2))],
  ["a set twice", reply.text(good + good)],
  ["an array", reply.json([rsa.jwk()])],
  ["null", reply.text("null")],
  ["keys that are an object", reply.json({ keys: { [rsa.kid]: rsa.jwk() } })],
  ["a single key", reply.json(rsa.jwk())],
  ["five megabytes", reply.text(good + " ".repeat(5_000_000))],
  ["a body without an end", reply.endless()],
  ["a reset", reply.reset()],
  ["a hang before the head", reply.hang()],
  ["a hang in the body", reply.hangInBody()],
  ["a hang after a whole set", reply.hangInBody(good)],
];

test("what is not a key set is an outage", { concurrency: true }, async (t) => {
  // Side by side, because those that hang take the Worker its whole five seconds.
  await Promise.all(NO_SET.map(([name, answer]) =>
    t.test(name, async (t) => {
      const s = await stage(t);
      s.issuer.on("/jwks", answer);
      s.issuer.serve([rsa], "/moved");
      const { response, line } = await s.ask(s.token());
      assertUnavailable(response);
      assert.equal(line.reason, "keys_unavailable");
      assert.equal(s.issuer.hits("/moved"), 0, "no redirect is followed");
      assert.equal(s.origin.seen.length, 0);
    })));
});

test("an RSA key with a leading zero in n, as some issuers write it, is a key or is passed over", async (t) => {
  const jwk = rsa.jwk({ n: Buffer.concat([Buffer.alloc(1), bytes(rsa.jwk().n)]).toString("base64url") });
  const s = await serving(t, [jwk, other.jwk()]);
  const { response } = await s.ask(s.token());
  assert.ok([200, 401].includes(response.status));
  await assertReason(s, s.token({}, { key: other }), "ok");
});
