// Contract section 3: every row of its table with the exact challenge and body, and the order in
// which checks are made.
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  assertInvalid, assertOwn, assertUnauthorized, assertUnavailable, CANONICAL, EXPIRED, INVALID, MALFORMED, NOT_FOR_US, stage, UNTRUSTED,
} from "./support/stage.mjs";
import { reply } from "./support/issuer.mjs";
import { seconds } from "./support/mint.mjs";

const SCOPES = { MCP_SERVER_AUTH_DEFAULT_CHALLENGE_SCOPES: ["mcp:read", "mcp:write"] };
const SINGLE = (issuer) => ({
  MCP_SERVER_AUTH_AUTHORIZATION_SERVERS: undefined,
  MCP_SERVER_AUTH_JWKS_URI: `${issuer.url}/jwks`,
  MCP_SERVER_AUTH_ISSUER: issuer.url,
  MCP_SERVER_AUTH_AUDIENCE: CANONICAL,
});

// Each way of settings, and what it changes in every challenge.
const FORMS = [
  ["without scopes", {}, {}],
  ["with scopes", SCOPES, { scope: "mcp:read mcp:write" }],
  ["in the single-issuer form", SINGLE, { metadata: null }],
  ["in the single-issuer form with scopes", (issuer) => ({ ...SINGLE(issuer), ...SCOPES }), { metadata: null, scope: "mcp:read mcp:write" }],
];

for (const [form, vars, parameters] of FORMS) {
  test(`every 401 ${form}`, async (t) => {
    const s = await stage(t, { vars });
    assertUnauthorized(await s.call(), parameters);
    assertUnauthorized(await s.call(undefined, { headers: { authorization: "Basic dXNlcjpwYXNz" } }), parameters);
    assertInvalid(await s.call("not-a-token"), MALFORMED, parameters);
    assertInvalid(await s.call(s.token({ iss: "https://other.example.com" })), UNTRUSTED, parameters);
    assertInvalid(await s.call(s.token({ exp: seconds() - 3600 })), EXPIRED, parameters);
    assertInvalid(await s.call(s.token({ aud: "https://other.example.com" })), NOT_FOR_US, parameters);
    assertInvalid(await s.call(s.token({ sub: undefined })), INVALID, parameters);
    assert.equal(s.origin.seen.length, 0);
  });
}

// name, the Authorization header lines (undefined: none), reason
const CREDENTIALS = [
  ["no header", undefined, "credentials_missing"],
  ["another scheme", "Basic dXNlcjpwYXNz", "scheme_not_bearer"],
  ["DPoP", "DPoP abc.def.ghi", "dpop_not_accepted"],
  ["a scheme that only starts like Bearer", "Bearerx abc", "scheme_not_bearer"],
  ["the token alone", "abc.def.ghi", "scheme_not_bearer"],
  ["a scheme and nothing", "Bearer", "token_empty"],
  ["a scheme and a space", "Bearer ", "token_empty"],
  ["two header lines", ["Bearer abc.def.ghi", "Bearer abc.def.ghi"], "credentials_malformed"],
  ["two in one line", "Bearer abc.def.ghi, Bearer abc.def.ghi", "credentials_malformed"],
  ["two tokens", "Bearer abc.def.ghi abc.def.ghi", "credentials_malformed"],
  ["a comma in the token", "Bearer abc,def", "credentials_malformed"],
  ["a quoted token", 'Bearer "abc.def.ghi"', "credentials_malformed"],
  ["a character that token68 lacks", "Bearer abc!def.ghi", "credentials_malformed"],
  ["padding that is not at the end", "Bearer abc=.def.ghi", "credentials_malformed"],
  ["a percent sign", "Bearer abc%2edef", "credentials_malformed"],
  ["a character outside ASCII", "Bearer abc.d\u00e9f.ghi", "credentials_malformed"],
];

for (const [name, authorization, reason] of CREDENTIALS) {
  test(`credentials: ${name}`, async (t) => {
    const s = await stage(t);
    const { response, line } = await s.ask(undefined, { headers: authorization === undefined ? {} : { authorization } });
    assertUnauthorized(response);
    assert.deepEqual([line.outcome, line.reason, line.status], ["refused", reason, 401]);
    assert.equal(s.origin.seen.length, 0);
    assert.equal(s.issuer.log.length, 0, "nothing was asked of the issuer");
  });
}

test("two good tokens are not one", async (t) => {
  const s = await stage(t);
  const token = s.token();
  assertUnauthorized(await s.call(undefined, { headers: { authorization: [`Bearer ${token}`, `Bearer ${token}`] } }));
  assertUnauthorized(await s.call(undefined, { headers: { authorization: [`Bearer ${token}`, "Basic dXNlcjpwYXNz"] } }));
  assert.equal(s.origin.seen.length, 0);
});

test("the scheme is read without regard to case", async (t) => {
  const s = await stage(t);
  for (const scheme of ["Bearer", "bearer", "BEARER", "bEaReR"]) {
    const response = await s.call(undefined, { headers: { authorization: `${scheme} ${s.token()}` } });
    assert.equal(response.status, 200, scheme);
  }
  assertInvalid(await s.call(undefined, { headers: { authorization: "bEARER abc" } }), MALFORMED);
});

test("a token in the query, the body, a cookie or another header is never read", async (t) => {
  const s = await stage(t);
  const token = s.token();
  const attempts = [
    { path: `/mcp?access_token=${token}` },
    { path: `/mcp?access_token=${token}&authorization=Bearer%20${token}` },
    { body: `access_token=${token}`, headers: { "content-type": "application/x-www-form-urlencoded" } },
    { body: JSON.stringify({ access_token: token }), headers: { "content-type": "application/json" } },
    { headers: { cookie: `access_token=${token}` } },
    { headers: { "x-authorization": `Bearer ${token}`, "proxy-authorization": `Bearer ${token}`, "x-forwarded-authorization": `Bearer ${token}` } },
    { headers: { "sec-websocket-protocol": `bearer, ${token}` } },
  ];
  for (const head of attempts) assertUnauthorized(await s.call(undefined, head));
  assert.equal(s.origin.seen.length, 0);
});

test("every method is authenticated", async (t) => {
  const s = await stage(t);
  for (const method of ["GET", "POST", "PUT", "PATCH", "DELETE", "QUERY", "PROPFIND", "REPORT"]) {
    assertUnauthorized(await s.call(undefined, { method }));
    assertInvalid(await s.call("abc", { method }), MALFORMED);
  }
  const head = await s.call(undefined, { method: "HEAD" });
  assert.equal(head.status, 401);
  assert.equal(head.all("www-authenticate").length, 1);
  assert.equal(s.origin.seen.length, 0);
});

test("a refused Origin is 403 without a challenge", async (t) => {
  const s = await stage(t, { vars: { MCP_SERVER_AUTH_ALLOWED_ORIGINS: ["https://app.example.com"] } });
  for (const origin of ["https://other.example.com", "null", "https://app.example.com.evil.example", "http://app.example.com", "https://app.example.com:8443", "garbage"]) {
    const { response, line } = await s.ask(s.token(), { headers: { origin } });
    assertOwn(response, 403, { error: "origin_not_allowed" });
    assert.deepEqual(response.all("www-authenticate"), []);
    assert.deepEqual([line.outcome, line.reason], ["refused", "origin_not_allowed"]);
  }
  assert.equal(s.origin.seen.length, 0);
});

test("the checks run in the contract's order", async (t) => {
  const s = await stage(t, { vars: { MCP_SERVER_AUTH_ALLOWED_ORIGINS: ["https://app.example.com"] } });
  s.issuer.on("/jwks", reply.status(500));
  const evil = { origin: "https://other.example.com" };
  // path, before preflight and Origin
  assertOwn(await s.worker.send({ method: "OPTIONS", path: "/other", headers: evil }), 404, { error: "not_found" });
  assertOwn(await s.call(undefined, { path: "/other", headers: evil }), 404, { error: "not_found" });
  // preflight, before Origin and credentials
  assert.equal((await s.worker.send({ method: "OPTIONS", path: "/mcp", headers: evil })).status, 204);
  // Origin, before credentials
  assertOwn(await s.call(undefined, { headers: evil }), 403, { error: "origin_not_allowed" });
  assertOwn(await s.call("abc", { headers: evil }), 403, { error: "origin_not_allowed" });
  // credentials, before the token; the token, before its keys
  assertUnauthorized(await s.call(undefined, { headers: { authorization: ["Bearer abc", `Bearer ${s.token()}`] } }));
  assertInvalid(await s.call(s.token({ iss: "https://other.example.com" })), UNTRUSTED);
  assert.equal(s.issuer.log.length, 0);
  // keys, before the claims: what cannot be verified is not judged
  assertUnavailable(await s.call(s.token({ exp: 1, aud: "x" })));
});

test("expired is only said of a token whose signature was found good", async (t) => {
  const s = await stage(t);
  const expired = s.token({ exp: seconds() - 3600 });
  assertInvalid(await s.call(expired), EXPIRED);
  const [head, body] = expired.split(".");
  const forged = `${head}.${body}.${s.token().split(".")[2]}`;
  assertInvalid(await s.call(forged), INVALID);
});

test("nothing of the token is echoed", async (t) => {
  const s = await stage(t);
  const marker = "ECHO-ME-zq7";
  const tokens = [
    s.token({ iss: `https://${marker}.example.com` }), s.token({ aud: marker }), s.token({ sub: 7, [marker]: marker }),
    s.token({}, { header: { kid: marker } }), s.token({}, { header: { typ: marker } }), s.token({}, { header: { alg: marker } }), marker,
  ];
  for (const token of tokens) {
    const { response, line } = await s.ask(token);
    assert.equal(response.status, 401);
    assert.ok(!response.text.includes(marker));
    assert.ok(!response.get("www-authenticate").includes(marker));
    assert.ok(!JSON.stringify({ ...line, kid: undefined, iss: undefined }).includes(marker), "the log has the kid, the iss that is nobody's, and nothing else of the token");
  }
});

test("keys that cannot be had are 503 with Retry-After, and no challenge", async (t) => {
  const s = await stage(t);
  s.issuer.on("/jwks", reply.status(500));
  const { response, line } = await s.ask(s.token());
  assertUnavailable(response);
  assert.deepEqual([line.outcome, line.reason, line.status], ["refused", "keys_unavailable", 503]);
  assert.equal(s.origin.seen.length, 0);
});

test("an origin that cannot be reached is 502", async (t) => {
  const s = await stage(t);
  await s.origin.close();
  const { response, line } = await s.ask(s.token());
  assertOwn(response, 502, { error: "bad_gateway" });
  assert.deepEqual(response.all("www-authenticate"), []);
  assert.deepEqual([line.reason, line.status], ["origin_unreachable", 502]);
});

test("an origin's own 401 is 502, and its challenge stays behind", async (t) => {
  const s = await stage(t);
  s.origin.on("/upstream", (_, res) => res.writeHead(401, { "www-authenticate": 'Bearer resource_metadata="https://wrong.example.com"', "x-origin": "yes" }).end("no"));
  const { response, line } = await s.ask(s.token());
  assertOwn(response, 502, { error: "bad_gateway" });
  assert.deepEqual(response.all("www-authenticate"), []);
  assert.equal(response.get("x-origin"), undefined);
  assert.deepEqual([line.reason, line.status], ["origin_unauthorized", 502]);
});
