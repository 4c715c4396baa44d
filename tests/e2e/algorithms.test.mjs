// Contract sections 1 and 4, signatures: all ten algorithms verify in workerd, and no signature of
// one passes for another.
import assert from "node:assert/strict";
import { test } from "node:test";
import { ALGORITHMS, kindFor, signingKey } from "./support/keys.mjs";
import { b64u, tampered } from "./support/mint.mjs";
import { assertInvalid, entryFor, INVALID, stage } from "./support/stage.mjs";

const KINDS = ["rsa", "p256", "p384", "p521", "ed25519"];
const keyFor = (alg) => signingKey(kindFor(alg));
const everything = (t) => stage(t, { entry: { algorithm: ALGORITHMS }, keys: KINDS.map((kind) => signingKey(kind)) });
const tokenWith = (s, alg, rest = {}) => s.token({}, { alg, key: keyFor(alg), ...rest });

async function assertRefused(s, token, reason) {
  const { response, line } = await s.ask(token);
  assert.equal(line.reason, reason);
  assertInvalid(response, INVALID);
}

test("all ten algorithms are accepted where they are allowed, and logged", async (t) => {
  const s = await everything(t);
  for (const alg of ALGORITHMS) {
    const { response, line } = await s.ask(tokenWith(s, alg));
    assert.equal(response.status, 200, `${alg}: ${line.reason}`);
    assert.equal(line.alg, alg);
    assert.equal(line.kid, keyFor(alg).kid);
  }
});

test("a signature with one bit turned is refused, whatever the algorithm", async (t) => {
  const s = await everything(t);
  for (const alg of ALGORITHMS) await assertRefused(s, tampered(tokenWith(s, alg)), "signature_invalid");
  assert.equal(s.origin.seen.length, 0);
});

test("an entry allows its own algorithm and no other", async (t) => {
  const s = await stage(t, {
    keys: KINDS.map((kind) => signingKey(kind)),
    entries: (issuer) => ALGORITHMS.map((alg) => entryFor(issuer, {
      authorization_server_url: `${issuer.url}/${alg}`, issuer: `https://${alg.toLowerCase()}.example.com`, algorithm: alg,
    })),
  });
  for (const allowed of ALGORITHMS) {
    for (const alg of ALGORITHMS) {
      const token = s.token({ iss: `https://${allowed.toLowerCase()}.example.com` }, { alg, key: keyFor(alg) });
      const { response, line } = await s.ask(token);
      assert.equal(line.reason, alg === allowed ? "ok" : "alg_not_allowed", `${alg} at an entry for ${allowed}`);
      assert.equal(response.status, alg === allowed ? 200 : 401);
    }
  }
});

test("RS256 is the only algorithm where none is set", async (t) => {
  const s = await stage(t, { keys: KINDS.map((kind) => signingKey(kind)) });
  for (const alg of ALGORITHMS) {
    const { line } = await s.ask(tokenWith(s, alg));
    assert.equal(line.reason, alg === "RS256" ? "ok" : "alg_not_allowed", alg);
  }
});

test("a signature made with one algorithm never passes for another of the same key", async (t) => {
  const s = await everything(t);
  const RSA = ALGORITHMS.filter((alg) => kindFor(alg) === "rsa");
  for (const claimed of RSA) {
    for (const made of RSA.filter((alg) => alg !== claimed)) {
      await assertRefused(s, s.token({}, { alg: made, key: signingKey("rsa"), header: { alg: claimed } }), "signature_invalid");
    }
  }
});

test("a key only serves the algorithms of its kind and curve", async (t) => {
  const s = await everything(t);
  for (const alg of ALGORITHMS) {
    for (const kind of KINDS.filter((other) => other !== kindFor(alg))) {
      await assertRefused(s, s.token({}, { alg, key: { ...keyFor(alg), kid: signingKey(kind).kid } }), "key_unfit");
    }
  }
});

test("ECDSA signatures are r and s side by side, never DER, never zero, never of another length", async (t) => {
  const s = await everything(t);
  for (const [alg, size] of [["ES256", 64], ["ES384", 96], ["ES512", 132]]) {
    await assertRefused(s, tokenWith(s, alg, { dsaEncoding: "der" }), "signature_invalid");
    for (const length of [size, size - 1, size + 1, 0]) {
      await assertRefused(s, tokenWith(s, alg, { edit: (h, p) => `${h}.${p}.${b64u(Buffer.alloc(length))}` }), "signature_invalid");
    }
    const longer = (h, p, x) => `${h}.${p}.${b64u(Buffer.concat([Buffer.from(x, "base64url"), Buffer.alloc(1)]))}`;
    await assertRefused(s, tokenWith(s, alg, { edit: longer }), "signature_invalid");
  }
});

test("a PSS salt is as long as the hash", async (t) => {
  const s = await everything(t);
  for (const [alg, hash] of [["PS256", 32], ["PS384", 48], ["PS512", 64]]) {
    for (const saltLength of [0, 20, hash - 1, hash + 1]) await assertRefused(s, tokenWith(s, alg, { saltLength }), "signature_invalid");
    assert.equal((await s.call(tokenWith(s, alg, { saltLength: hash }))).status, 200, `${alg} with its own salt length`);
  }
});

test("Ed25519 is EdDSA in the settings, in a key and in a header", async (t) => {
  const key = signingKey("ed25519");
  for (const algorithm of ["EdDSA", "Ed25519", ["RS256", "Ed25519"]]) {
    for (const member of [undefined, "EdDSA", "Ed25519"]) {
      const s = await stage(t, { entry: { algorithm }, keys: [key] });
      s.issuer.serve([key.jwk({ alg: member })]);
      for (const alg of ["EdDSA", "Ed25519"]) {
        const response = await s.call(s.token({}, { alg: "EdDSA", header: { alg } }));
        assert.equal(response.status, 200, `set ${algorithm}, key ${member}, header ${alg}`);
      }
    }
  }
});

test("an Ed448 key or a token that asks for it is nothing to us", async (t) => {
  const s = await stage(t, { entry: { algorithm: ["EdDSA", "RS256"] } });
  s.issuer.serve([signingKey("rsa"), { kty: "OKP", crv: "Ed448", kid: "ed448", x: b64u(Buffer.alloc(57, 7)) }]);
  for (const alg of ["Ed448", "ES256K", "RS1", "HS256", "none", "A256KW", "ML-DSA-44"]) {
    await assertRefused(s, s.token({}, { header: { alg } }), "alg_not_allowed");
  }
  const { response } = await s.ask(s.token({}, { alg: "EdDSA", key: { ...signingKey("ed25519"), kid: "ed448" } }));
  assert.equal(response.status, 401);
});
