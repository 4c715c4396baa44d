// Signed introspection answers (RFC 9701): whose they must be, and for whom.
import assert from "node:assert/strict";
import { test } from "node:test";
import { active, CLIENT, introspecting, opaque, told } from "./support/introspection.mjs";
import { signingKey } from "./support/keys.mjs";
import { b64u, mint, seconds, tampered } from "./support/mint.mjs";
import { assertInvalid, assertUnavailable, CANONICAL, INVALID } from "./support/stage.mjs";
import { testClock } from "./support/worker.mjs";

const rsa = signingKey("rsa");
const other = signingKey("rsa", "other");
const TYPE = "application/token-introspection+jwt";

/** A signed answer; `members` are the JWT's own, `rest` goes to mint(). */
const signed = (s, members = {}, { header = {}, ...rest } = {}) => mint({
  key: rsa,
  header: { typ: "token-introspection+jwt", ...header },
  claims: { iss: s.issuer.url, aud: CLIENT.id, iat: seconds(), token_introspection: active(), ...members },
  ...rest,
});

const tells = (s, text, type = TYPE) => s.tells((_, res) => res.writeHead(200, { "content-type": type }).end(text));

test("a signed answer is read as the same one without a signature", async (t) => {
  const s = await introspecting(t);
  for (const [members, rest, type] of [
    [{}, {}, TYPE],
    [{ aud: ["x", CLIENT.id] }, {}, `${TYPE}; charset=utf-8`],
    [{}, { header: { typ: "application/Token-Introspection+JWT" } }, TYPE.toUpperCase()],
  ]) {
    tells(s, signed(s, members, rest), type);
    const { response, line } = await s.ask(opaque());
    assert.deepEqual([response.status, line.introspection, "kid" in line], [200, "server", false]);
  }
  assert.equal(s.origin.last().header("x-mcp-auth-user-id"), "user-1");
  for (const [said, reason] of [
    [{ active: false }, "token_inactive"], [active({ exp: 1 }), "token_expired"], [active({ aud: "x" }), "aud_mismatch"], [active({ sub: 1 }), "sub_not_string"],
  ]) {
    tells(s, signed(s, { token_introspection: said }));
    assert.equal((await s.ask(opaque())).line.reason, reason);
  }
  assert.deepEqual(told(s), []);
});

// name, the answer, and the detail that the log gives
const UNBELIEVED = [
  ["another key", (s) => signed(s, {}, { key: { ...other, kid: rsa.kid } }), "a signed answer: signature_invalid"],
  ["a kid that nobody knows", (s) => signed(s, {}, { key: other }), "a signed answer: kid_unknown"],
  ["a bit turned", (s) => tampered(signed(s)), "a signed answer: signature_invalid"],
  ["no signature", (s) => signed(s, {}, { header: { alg: "none" }, edit: (h, p) => `${h}.${p}.` }), "a signed answer: alg_not_allowed"],
  ["the secret that both share", (s) => signed(s, {}, { alg: "HS256", key: { kid: rsa.kid, secret: CLIENT.secret } }), "a signed answer: alg_not_allowed"],
  ["RS512", (s) => signed(s, {}, { alg: "RS512" }), "a signed answer: alg_not_allowed"],
  ["other claims under the signature", (s) => signed(s, {}, { edit: (h, p, x) => `${h}.${b64u(JSON.stringify({ iss: s.issuer.url, aud: CLIENT.id, token_introspection: active({ sub: "admin" }) }))}.${x}` }), "a signed answer: signature_invalid"],
  ["typ JWT", (s) => signed(s, {}, { header: { typ: "JWT" } }), "a signed answer: typ_not_allowed"],
  ["typ at+jwt", (s) => signed(s, {}, { header: { typ: "at+jwt" } }), "a signed answer: typ_not_allowed"],
  ["no typ", (s) => signed(s, {}, { header: { typ: undefined } }), "a signed answer: typ_not_allowed"],
  ["crit", (s) => signed(s, {}, { header: { crit: ["x"] } }), "a signed answer: crit_present"],
  ["an access token of the issuer's", (s) => s.token({ token_introspection: active() }), "a signed answer: typ_not_allowed"],
  ["another iss", (s) => signed(s, { iss: "https://other.example.com" }), "a signed answer whose iss is not the issuer of the entry"],
  ["no iss", (s) => signed(s, { iss: undefined }), "a signed answer whose iss is not the issuer of the entry"],
  ["another aud", (s) => signed(s, { aud: "other" }), "a signed answer whose aud is not client_id"],
  ["this resource for aud", (s) => signed(s, { aud: CANONICAL }), "a signed answer whose aud is not client_id"],
  ["no aud", (s) => signed(s, { aud: undefined }), "a signed answer whose aud is not client_id"],
  ["no token_introspection", (s) => signed(s, { token_introspection: undefined, active: true, sub: "user-1" }), "a signed answer without token_introspection"],
  ["token_introspection as text", (s) => signed(s, { token_introspection: JSON.stringify(active()) }), "a signed answer without token_introspection"],
  ["token_introspection without active", (s) => signed(s, { token_introspection: active({ active: undefined }) }), "active is neither true nor false"],
  ["token_introspection twice", (s) => signed(s, {}, { claims: `{"iss":"${s.issuer.url}","aud":"${CLIENT.id}","token_introspection":{"active":false},"token_introspection":${JSON.stringify(active())}}` }), "a signed answer: token_json"],
  ["active twice", (s) => signed(s, {}, { claims: `{"iss":"${s.issuer.url}","aud":"${CLIENT.id}","token_introspection":{"active":false,"active":true}}` }), "a signed answer: token_json"],
  ["a JWE", () => "a.b.c.d.e", "a signed answer: token_parts"],
  ["JSON of this type", () => JSON.stringify(active()), "a signed answer: token_encoding"],
];

test("what nobody vouches for is no answer", async (t) => {
  const s = await introspecting(t);
  for (const [name, answer, detail] of UNBELIEVED) {
    tells(s, answer(s));
    const before = told(s).length;
    const { response, line } = await s.ask(opaque());
    assertUnavailable(response);
    assert.equal(line.reason, "introspection_unavailable", name);
    assert.deepEqual(told(s).slice(before).map((line) => line.detail), [detail], name);
  }
  assert.deepEqual(s.origin.seen, []);
});

test("a signed answer in JSON's type is no JSON", async (t) => {
  const s = await introspecting(t);
  tells(s, signed(s), "application/json");
  assertUnavailable(await s.call(opaque()));
});

test("a signed answer is no token", async (t) => {
  const s = await introspecting(t);
  assert.equal((await s.ask(signed(s, { ...s.claims() }))).line.reason, "typ_not_allowed");
});

test("without a client_id nothing can be for this client", async (t) => {
  const s = await introspecting(t, { introspection: { auth_method: "none", client_id: undefined, client_secret: undefined } });
  tells(s, signed(s, { aud: "" }));
  assertUnavailable(await s.call(opaque()));
  assert.deepEqual(told(s).map(({ detail }) => detail), ["a signed answer whose aud is not client_id"]);
});

test("while its keys cannot be had, a signed answer is none", async (t) => {
  const s = await introspecting(t);
  s.issuer.off("/jwks");
  tells(s, signed(s));
  const { response, line } = await s.ask(opaque());
  assertUnavailable(response);
  assert.ok(Number(response.get("retry-after")) > 5, "when the keys are fetched again");
  assert.equal(line.reason, "introspection_unavailable");
});

test("what a signed answer says is remembered as any other", async (t) => {
  const clock = testClock();
  const s = await introspecting(t, { clock, introspection: { cache_seconds: 60, jwt: true } });
  const token = opaque();
  tells(s, signed(s, { token_introspection: { active: false } }));
  assertInvalid(await s.call(token), INVALID);
  assert.equal((await s.ask(token)).line.introspection, "memory");
  tells(s, signed(s, { token_introspection: active({}, clock.seconds()) }));
  for (const good of [opaque(), s.token()]) {
    assert.equal((await s.ask(good)).line.introspection, "server");
    const { line } = await s.ask(good);
    assert.deepEqual([line.introspection, line.reason], ["memory", "ok"]);
  }
  assert.equal(s.asked.length, 3);
});
