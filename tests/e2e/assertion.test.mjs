// The assertion: a JWT that the origin verifies by itself, with the key set that the Worker
// publishes.
import assert from "node:assert/strict";
import { test } from "node:test";
import { calculateJwkThumbprint } from "jose";
import { ASSERTION, asserting, carried, JWKS, pem, privateJwk, published, verified } from "./support/assertion.mjs";
import { signingKey } from "./support/keys.mjs";
import { seconds } from "./support/mint.mjs";
import { assertOwn, stage } from "./support/stage.mjs";

const KEY = "MCP_SERVER_AUTH_ASSERTION_KEY";
const CLAIMS = { sub: "user-1", client_id: "client-1", scope: "mcp:read mcp:write", email: "user@example.com" };

for (const [mode, header, other] of [["header", ASSERTION, "authorization"], ["bearer", "authorization", ASSERTION]]) {
  for (const kind of ["p256", "ed25519"]) {
    test(`${mode}, ${kind}: the origin's own verifier says who is calling`, async (t) => {
      const s = await stage(t, { vars: asserting(mode, { [KEY]: privateJwk(kind, "ours") }) });
      const before = seconds();
      assert.equal((await s.call(s.token(CLAIMS))).status, 200);
      assert.ok(s.origin.last().header(header));
      assert.equal(s.origin.last().header(other), undefined);
      const keys = await published(s.worker);
      const audience = s.settings.ORIGIN_URL;
      const { payload, protectedHeader } = await verified(carried(s), keys, { issuer: "https://mcp.example.com", audience });
      assert.deepEqual(protectedHeader, { typ: "at+jwt", alg: kind === "p256" ? "ES256" : "EdDSA", kid: `${kind}-ours` });
      const { iat, exp, jti, ...rest } = payload;
      assert.deepEqual(rest, {
        iss: "https://mcp.example.com", aud: audience, sub: "user-1", client_id: "client-1", scope: "mcp:read mcp:write", idp: s.issuer.url,
      });
      assert.ok(iat >= before && iat <= seconds() && exp === iat + 60, `${iat} ${exp}`);
      assert.match(jti, /^[0-9a-f-]{36}$/);
      assert.equal(s.origin.last().header("x-mcp-auth-user-id"), "user-1", "the plain headers stay");
    });
  }
}

test("what the token does not say, the assertion does not say", async (t) => {
  const s = await stage(t, { vars: asserting() });
  await s.call(s.token({ scope: "", email: "user@example.com" }));
  const { payload } = await verified(carried(s), await published(s.worker));
  assert.deepEqual(Object.keys(payload).sort(), ["aud", "exp", "iat", "idp", "iss", "jti", "sub"]);
});

test("claims are passed on by name, and under another name", async (t) => {
  const said = { email: "zo\u00eb@example.com", groups: ["a", { b: [1.5, null] }], "https://example.com/role": "admin", employee: 9007199254740993n };
  const claims = JSON.stringify(said, (_, value) => (typeof value === "bigint" ? "BIG" : value)).replace('"BIG"', String(said.employee));
  const raw = (s) => `${JSON.stringify(s.claims()).slice(0, -1)},${claims.slice(1)}`;
  for (const [form, expected] of [
    [["email", "groups", "absent"], { email: said.email, groups: said.groups }],
    [{ email: "mail", "https://example.com/role": "role", sub: "user" }, { mail: said.email, role: "admin", user: "user-1" }],
    ['["groups"]', { groups: said.groups }],
  ]) {
    const s = await stage(t, { vars: asserting("header", { MCP_SERVER_AUTH_ASSERTION_CLAIMS: form }) });
    await s.call(s.token({}, { claims: raw(s) }));
    const { payload } = await verified(carried(s), await published(s.worker));
    const { aud, exp, iat, idp, iss, jti, sub, ...rest } = payload;
    assert.deepEqual(rest, expected);
  }
  const s = await stage(t, { vars: asserting("header", { MCP_SERVER_AUTH_ASSERTION_CLAIMS: ["employee"] }) });
  await s.call(s.token({}, { claims: raw(s) }));
  const [, payload] = carried(s).split(".");
  assert.match(Buffer.from(payload, "base64url").toString(), /"employee":9007199254740993[,}]/, "no digit is lost");
});

test("issuer and audience as set", async (t) => {
  const s = await stage(t, {
    vars: asserting("bearer", { MCP_SERVER_AUTH_ASSERTION_ISSUER: "https://edge.example.com", MCP_SERVER_AUTH_ASSERTION_AUDIENCE: ["my-origin", "other"] }),
  });
  await s.call(s.token());
  const { payload } = await verified(carried(s), await published(s.worker), { issuer: "https://edge.example.com", audience: "my-origin" });
  assert.deepEqual(payload.aud, ["my-origin", "other"]);
});

test("no client can bring an assertion along, in no spelling", async (t) => {
  for (const vars of [{}, asserting("header"), asserting("bearer")]) {
    const s = await stage(t, { vars });
    const forged = "eyJhbGciOiJub25lIn0.e30.";
    const headers = { "X-MCP-Auth-Assertion": forged, X_MCP_Auth_Assertion: forged, "x-mcp_auth-assertion": [forged, forged] };
    assert.equal((await s.call(s.token(), { headers })).status, 200);
    assert.ok(!s.origin.last().lines.some(([, value]) => value.includes(forged)));
    const arrived = s.origin.last().lines.filter(([name]) => name.replaceAll("_", "-") === ASSERTION);
    assert.equal(arrived.length, vars.MCP_SERVER_AUTH_ASSERTION === "header" ? 1 : 0);
  }
});

test("every assertion has a jti of its own", async (t) => {
  const s = await stage(t, { vars: asserting() });
  const seen = new Set();
  for (let i = 0; i < 20; i++) {
    await s.call(s.token({ jti: `token-${i}` }));
    seen.add((await verified(carried(s), await published(s.worker))).payload.jti);
  }
  assert.equal(seen.size, 20);
});

test("two callers side by side are never told as each other", async (t) => {
  const s = await stage(t, { vars: asserting() });
  const keys = await published(s.worker);
  s.origin.on("/upstream/who", (_, res, record) => res.end(record.header(ASSERTION)));
  const names = Array.from({ length: 40 }, (_, i) => `user-${i}`);
  const answers = await Promise.all(names.flatMap((sub) => [1, 2].map(() => s.call(s.token({ sub }), { path: "/mcp/who" }))));
  const subs = await Promise.all(answers.map(async ({ text }) => (await verified(text, keys)).payload.sub));
  assert.deepEqual(subs, names.flatMap((sub) => [sub, sub]));
});

test("the key set: public values only, for any page, with a time to keep it", async (t) => {
  const s = await stage(t, { vars: asserting() });
  const get = await s.worker.send({ path: JWKS });
  const { x, y } = signingKey("p256", "ours").jwk();
  assert.deepEqual(get.json(), { keys: [{ crv: "P-256", kty: "EC", x, y, kid: "p256-ours", alg: "ES256", use: "sig" }] });
  assert.deepEqual(["content-type", "cache-control", "access-control-allow-origin"].map((name) => get.get(name)), ["application/json", "public, max-age=300", "*"]);
  const head = await s.worker.send({ method: "HEAD", path: JWKS });
  assert.deepEqual([head.status, head.text, head.get("cache-control")], [200, "", "public, max-age=300"]);
  const options = await s.worker.send({ method: "OPTIONS", path: JWKS });
  assert.deepEqual([options.status, options.get("access-control-allow-methods")], [204, "GET, HEAD, OPTIONS"]);
  const post = await s.worker.send({ method: "POST", path: JWKS });
  assertOwn(post, 405, { error: "method_not_allowed" });
  assert.equal(post.get("allow"), "GET, HEAD, OPTIONS");
  assert.equal(s.origin.seen.length, 0);
});

test("while assertions are off there is no key set, a key or not", async (t) => {
  for (const over of [{}, { MCP_SERVER_AUTH_CANONICAL_URL: "https://mcp.example.com" }, { [KEY]: privateJwk("p256"), MCP_SERVER_AUTH_ASSERTION: "off" }]) {
    const s = await stage(t, { vars: over });
    assertOwn(await s.worker.send({ path: JWKS }), 404, { error: "not_found" });
    assert.equal((await s.worker.send({ path: "/healthz" })).status, 200);
    assert.equal(s.origin.seen.length, 0);
  }
});

test("where the canonical URL has no path, the key set comes first", async (t) => {
  const s = await stage(t, { vars: asserting("header", { MCP_SERVER_AUTH_CANONICAL_URL: "https://mcp.example.com" }) });
  assert.equal((await published(s.worker)).keys.length, 1);
});

test("keys in every form", async (t) => {
  const ed = privateJwk("ed25519", "ours");
  const { kid, ...unnamed } = ed;
  const thumbprint = await calculateJwkThumbprint(signingKey("ed25519", "ours").jwk());
  for (const [name, value, kids] of [
    ["JWK as text", JSON.stringify(ed), [kid]],
    ["JWK without kid", unnamed, [thumbprint]],
    ["PEM", pem("ed25519", "ours"), [thumbprint]],
    ["PEM in one line", pem("ed25519", "ours").trim().replaceAll("\n", "\\n"), [thumbprint]],
    ["two PEMs", pem("ed25519", "ours") + pem("p256", "ours"), [thumbprint, await calculateJwkThumbprint(signingKey("p256", "ours").jwk())]],
    ["a list of all", [ed, pem("p256", "ours")], [kid, await calculateJwkThumbprint(signingKey("p256", "ours").jwk())]],
    ["a JWK Set as text", JSON.stringify({ keys: [privateJwk("p256", "ours"), unnamed] }), ["p256-ours", thumbprint]],
  ]) {
    const s = await stage(t, { vars: asserting("header", { [KEY]: value }) });
    assert.equal((await s.call(s.token())).status, 200, name);
    const set = await published(s.worker);
    assert.deepEqual(set.keys.map((key) => key.kid), kids, name);
    assert.ok(set.keys.every((key) => !("d" in key)), name);
    assert.equal((await verified(carried(s), set)).protectedHeader.kid, kids[0], name);
  }
});
