// docs/mtls.md: a token that is bound to a certificate gets in over a connection with that
// certificate, as the runtime tells of it in `request.cf`, and over no other.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { assertInvalid, INVALID, stage } from "./support/stage.mjs";

const HEADER = "x-test-cf";
const digest = (text) => createHash("sha256").update(text).digest();
const [OWN, ANOTHER] = ["own", "another"].map(digest);
const cnf = { "x5t#S256": OWN.toString("base64url") };

/** What Cloudflare says of a good certificate. */
const told = (hash, over = {}) => ({
  tlsClientAuth: { certPresented: "1", certVerified: "SUCCESS", certRevoked: "0", certFingerprintSHA256: hash.toString("hex"), certSubjectDN: 'CN="a"\n\u0000,O=b', ...over },
});
/** What it says where the client has none. */
const NONE = { tlsClientAuth: { certPresented: "0", certVerified: "NONE", certRevoked: "0", certFingerprintSHA256: "" } };

test("the certificate of the connection is the one that the token is bound to", async (t) => {
  const rows = [
    // mtls, cnf, request.cf, reason
    ["require", cnf, told(OWN), "ok"],
    ["accept", cnf, told(OWN), "ok"],
    ["off", cnf, told(OWN), "token_bound"],
    ["require", undefined, told(OWN), "certificate_unbound"],
    ["accept", undefined, told(OWN), "ok"],
    ["accept", undefined, undefined, "ok"],
    ["accept", cnf, told(OWN, { certFingerprintSHA256: OWN.toString("hex").toUpperCase() }), "ok"],
    ["accept", cnf, told(ANOTHER), "certificate_mismatch"],
    ["require", cnf, told(ANOTHER), "certificate_mismatch"],
    ["accept", cnf, NONE, "certificate_missing"],
    ["accept", cnf, {}, "certificate_missing"],
    ["accept", cnf, { tlsClientAuth: null }, "certificate_missing"],
    ["accept", cnf, { tlsClientAuth: "1" }, "certificate_missing"],
    ["accept", cnf, { tlsClientAuth: [told(OWN)] }, "certificate_missing"],
    ["require", cnf, undefined, "certificate_missing"],
    ["accept", cnf, told(OWN, { certVerified: "FAILED:self signed certificate" }), "certificate_unverified"],
    ["accept", cnf, told(OWN, { certRevoked: "1" }), "certificate_unverified"],
    ["accept", { ...cnf, jkt: cnf["x5t#S256"] }, told(OWN), "token_bound"],
    ["accept", { ...cnf, jwk: {} }, told(OWN), "token_bound"],
    ["accept", { "x5t#S256": "x" }, told(OWN), "token_bound"],
  ];
  const s = {};
  for (const mtls of ["off", "accept", "require"]) s[mtls] = await stage(t, { entry: { mtls }, cfHeader: HEADER });
  let forwarded = 0;
  for (const [mtls, bound, cf, reason] of rows) {
    const at = s[mtls];
    const headers = cf === undefined ? {} : { [HEADER]: JSON.stringify(cf) };
    const { response, line } = await at.ask(at.token({ cnf: bound }), { headers });
    const row = JSON.stringify([mtls, bound, cf]);
    assert.equal(line.reason, reason, row);
    if (reason !== "ok") assertInvalid(response, INVALID);
    else assert.equal(response.status, 200, row);
    forwarded += reason === "ok";
  }
  const seen = Object.values(s).reduce((sum, { origin }) => sum + origin.seen.length, 0);
  assert.equal(seen, forwarded, "what is refused reaches no origin");
});

test("no header stands for a certificate", async (t) => {
  const s = await stage(t, { entry: { mtls: "accept" } });
  const text = JSON.stringify(told(OWN));
  const headers = { [HEADER]: text, "cf-blob": text, "mf-cf-blob": text, "client-cert": OWN.toString("base64"), "x-ssl-client-fingerprint": OWN.toString("hex"), "cf-client-cert-sha256": OWN.toString("hex") };
  const { response, line } = await s.ask(s.token({ cnf }), { headers });
  assert.equal(line.reason, "certificate_missing");
  assertInvalid(response, INVALID);
  assert.equal(s.origin.seen.length, 0);
});

test("miniflare's cf", async (t) => {
  const s = await stage(t, { entry: { mtls: "require" }, runtime: "miniflare", cf: told(OWN) });
  assert.equal((await s.ask(s.token({ cnf }))).response.status, 200);
  const another = await s.ask(s.token({ cnf: { "x5t#S256": ANOTHER.toString("base64url") } }));
  assert.equal(another.line.reason, "certificate_mismatch");
  assertInvalid(another.response, INVALID);
  assert.equal((await s.ask(s.token())).line.reason, "certificate_unbound");
  assert.equal(s.origin.seen.length, 1);
});

/** Says in the log whenever the certificate is read, and gives what the header `x-as` names. */
const watched = (main) => `import worker from "./${main}";
const cyclic = {};
cyclic.tlsClientAuth = cyclic;
const AS = {
  throws() { throw new Error("no certificate here"); },
  cyclic: () => cyclic,
  "throws as JSON": () => ({ toJSON() { throw new Error("no JSON"); } }),
  "nothing as JSON": () => () => {},
  null: () => null,
  number: () => 1,
};
const certificate = (as) => ({ get tlsClientAuth() {
  console.log(JSON.stringify({ event: "certificate" }));
  return as();
} });
export default {
  fetch(request, env, context) {
    const as = AS[request.headers.get("x-as") ?? "null"];
    Object.defineProperty(request, "cf", { value: as && certificate(as) });
    return worker.fetch(request, env, context);
  },
};
`;

test("the certificate is read only for a token that needs it, and whatever there is, nothing else is one", async (t) => {
  for (const mtls of ["off", "accept", "require"]) {
    const s = await stage(t, { entry: { mtls }, around: watched });
    const reads = () => s.worker.lines("certificate").length;
    assert.equal((await s.ask(s.token())).line.reason, mtls === "require" ? "certificate_unbound" : "ok");
    assert.equal((await s.ask(s.token({ cnf, aud: "x" }))).line.reason, "aud_mismatch");
    assert.equal((await s.ask(s.token({ cnf: {} }))).line.reason, "token_bound");
    assert.equal((await s.ask(undefined)).line.reason, "credentials_missing");
    assert.equal(reads(), 0, mtls);
    if (mtls === "off") continue;
    for (const as of ["throws", "cyclic", "throws as JSON", "nothing as JSON", "null", "number", "without cf"]) {
      const before = reads();
      const { response, line } = await s.ask(s.token({ cnf }), { headers: { "x-as": as } });
      assert.equal(line.reason, "certificate_missing", as);
      assertInvalid(response, INVALID);
      assert.equal(reads(), as === "without cf" ? before : before + 1, as);
    }
  }
});
