// An origin that believes assertions and nothing else, with a stock verifier that fetches the
// Worker's key set: what it must take, and what not, whoever sends it.
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { test } from "node:test";
import { createRemoteJWKSet, jwtVerify } from "jose";
import { ASSERTION, asserting, carried, JWKS, privateJwk } from "./support/assertion.mjs";
import { send } from "./support/http.mjs";
import { signingKey } from "./support/keys.mjs";
import { b64u, mint, seconds } from "./support/mint.mjs";
import { BASE } from "./support/origin.mjs";
import { stage } from "./support/stage.mjs";
import { testClock } from "./support/worker.mjs";

const KEY = "MCP_SERVER_AUTH_ASSERTION_KEY";
const ISSUER = "https://mcp.example.com";
const ours = (extra) => ({ header: { typ: "at+jwt", kid: "p256-ours", ...extra } });

/**
 * The origin's own check; s.who(headers) asks it directly, past the Worker, as anybody may who
 * reaches it.
 */
async function believing(t, options = { vars: asserting() }) {
  const s = await stage(t, options);
  const audience = s.settings.ORIGIN_URL;
  s.keySet = (worker = s.worker) => createRemoteJWKSet(new URL(`http://127.0.0.1:${worker.port}${JWKS}`));
  let keys = s.keySet();
  s.refetch = (worker) => (keys = s.keySet(worker));
  s.origin.on(BASE, async (_, res, record) => {
    const token = record.header(ASSERTION) ?? record.header("authorization")?.slice(7) ?? "";
    const checked = jwtVerify(token, keys, { issuer: ISSUER, audience, typ: "at+jwt", algorithms: ["ES256", "EdDSA"] });
    const [status, said] = await checked.then(({ payload }) => [200, payload.sub], (error) => [403, error.code]);
    res.writeHead(status).end(said);
  });
  s.past = (assertion) => send(s.origin.port, { method: "POST", path: BASE, headers: assertion === undefined ? {} : { [ASSERTION]: assertion } });
  s.good = (over = {}) => ({ iss: ISSUER, aud: audience, sub: "user-1", iat: seconds(), exp: seconds() + 60, jti: "1", idp: s.issuer.url, ...over });
  return s;
}

test("through the Worker the caller is known; past it nobody is", async (t) => {
  const s = await believing(t);
  const response = await s.call(s.token());
  assert.deepEqual([response.status, response.text], [200, "user-1"]);
  assert.equal((await s.past(undefined)).status, 403);
  assert.equal((await s.past(s.token())).status, 403, "the client's own token is none");
  const control = await s.past(mint({ key: signingKey("p256", "ours"), alg: "ES256", ...ours(), claims: s.good() }));
  assert.deepEqual([control.status, control.text], [200, "user-1"], "what the next rows spoil is good");
});

test("a forged assertion is not believed", async (t) => {
  const s = await believing(t);
  await s.call(s.token());
  const taken = carried(s);
  const [header, payload, signature] = taken.split(".");
  const changed = { ...JSON.parse(Buffer.from(payload, "base64url")), sub: "admin" };
  const secret = signingKey("p256", "ours").publicKey.export({ type: "spki", format: "pem" });
  const hmac = `${b64u('{"typ":"at+jwt","alg":"HS256","kid":"p256-ours"}')}.${b64u(JSON.stringify(changed))}`;
  const none = `${b64u('{"typ":"at+jwt","alg":"none"}')}.${b64u(JSON.stringify(changed))}`;
  for (const [name, forged] of [
    ["another subject under the old signature", `${header}.${b64u(JSON.stringify(changed))}.${signature}`],
    ["a stranger's key under our kid", mint({ key: signingKey("p256", "stranger"), alg: "ES256", ...ours(), claims: s.good() })],
    ["a stranger's key under its own kid", mint({ key: signingKey("p256", "stranger"), alg: "ES256", header: { typ: "at+jwt" }, claims: s.good() })],
    ["the issuer's key", mint({ key: signingKey("rsa"), ...ours(), claims: s.good() })],
    ["alg swapped to HS256, the public key for a secret", `${hmac}.${createHmac("sha256", secret).update(hmac).digest("base64url")}`],
    ["alg swapped to EdDSA", `${b64u('{"typ":"at+jwt","alg":"EdDSA","kid":"p256-ours"}')}.${payload}.${signature}`],
    ["alg swapped to none", `${none}.`],
    ["another typ", mint({ key: signingKey("p256", "ours"), alg: "ES256", header: { typ: "JWT", kid: "p256-ours" }, claims: s.good() })],
    ["another issuer", mint({ key: signingKey("p256", "ours"), alg: "ES256", ...ours(), claims: s.good({ iss: s.issuer.url }) })],
  ]) {
    assert.equal((await s.past(forged)).status, 403, name);
    // Nor does the Worker carry it in: the caller is the one of the token.
    const { text } = await s.call(s.token(), { headers: { [ASSERTION]: forged, X_MCP_Auth_Assertion: forged } });
    assert.equal(text, "user-1", name);
  }
  assert.equal((await s.past(taken)).text, "user-1");
});

test("an expired assertion is not believed", async (t) => {
  const clock = testClock(Date.now() - 120_000);
  const s = await believing(t, { vars: asserting(), clock });
  const response = await s.call(s.token());
  assert.deepEqual([response.status, response.text], [403, "ERR_JWT_EXPIRED"], "made two minutes ago");
  clock.forward(120);
  assert.equal((await s.call(s.token())).text, "user-1");
});

test("an assertion for one origin is none for another", async (t) => {
  const s = await believing(t);
  const other = await s.another({ vars: { ...s.settings, ORIGIN_URL: `http://localhost:${s.origin.port}${BASE}` } });
  assert.equal((await other.call(s.token())).status, 403, "the origin is reached, and the assertion is for another URL");
  const replayed = carried(s);
  assert.equal((await s.past(replayed)).text, "ERR_JWT_CLAIM_VALIDATION_FAILED");
});

test("rotation: what the old key has signed is believed while it is listed", async (t) => {
  const s = await believing(t);
  await s.call(s.token());
  const old = carried(s);
  const { settings } = s;
  const vars = (...names) => ({ ...settings, [KEY]: names.map((name) => privateJwk(...name)) });
  const [before, after] = [["p256", "ours"], ["ed25519", "new"]];
  // Announced: the new key is listed and does not sign.
  const announced = await s.another({ vars: vars(before, after) });
  s.refetch(announced.worker);
  assert.equal((await announced.call(s.token())).text, "user-1");
  assert.match(Buffer.from(carried(s).split(".")[0], "base64url").toString(), /"kid":"p256-ours"/);
  // Turned: the new key signs, the old one is listed; an origin that still has the announced set
  // takes both.
  const turned = await s.another({ vars: vars(after, before) });
  assert.equal((await turned.call(s.token())).text, "user-1");
  assert.match(Buffer.from(carried(s).split(".")[0], "base64url").toString(), /"kid":"ed25519-new"/);
  s.refetch(turned.worker);
  assert.equal((await s.past(old)).text, "user-1");
  // The same with what was published of the old key: a secret cannot be read back.
  const [, ofOld] = (await (await fetch(`${turned.worker.url}${JWKS}`)).json()).keys;
  const republished = await s.another({ vars: { ...settings, [KEY]: [privateJwk(...after), ofOld] } });
  assert.equal((await republished.call(s.token())).text, "user-1");
  s.refetch(republished.worker);
  assert.equal((await s.past(old)).text, "user-1");
  // Withdrawn.
  const withdrawn = await s.another({ vars: vars(after) });
  s.refetch(withdrawn.worker);
  assert.equal((await withdrawn.call(s.token())).text, "user-1");
  assert.equal((await s.past(old)).text, "ERR_JWKS_NO_MATCHING_KEY");
});
