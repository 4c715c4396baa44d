// Opaque tokens (RFC 7662): who is asked, in which words, and what becomes of the answer.
import assert from "node:assert/strict";
import { test } from "node:test";
import { asserting, carried, published, verified } from "./support/assertion.mjs";
import { active, assertSilent, CLIENT, introspecting, opaque, PATH, SECRET, told } from "./support/introspection.mjs";
import { reply, startIssuer } from "./support/issuer.mjs";
import { b64u, seconds } from "./support/mint.mjs";
import { assertInvalid, assertOwn, assertUnavailable, CANONICAL, entryFor, INVALID, MALFORMED, NOT_FOR_US, stage } from "./support/stage.mjs";

const formed = (text) => new URLSearchParams([["", text]]).toString().slice(1);
const basic = () => `Basic ${Buffer.from(`${formed(CLIENT.id)}:${formed(CLIENT.secret)}`).toString("base64")}`;

test("an opaque token is asked about, and its caller is who the server says", async (t) => {
  const s = await introspecting(t);
  s.tells(active({ sub: "zoë", scope: "mcp:use mcp:read", email: "z@example.com", username: "z" }));
  const token = opaque();
  const { response, line } = await s.ask(token);
  assert.equal(response.status, 200);
  const { lines: _, ...seen } = s.origin.last().named("x-mcp-auth-");
  assert.deepEqual(seen, {
    "x-mcp-auth-user-id": "zo%C3%AB", "x-mcp-auth-issuer": s.issuer.url, "x-mcp-auth-client-id": "client-1",
    "x-mcp-auth-email": "z@example.com", "x-mcp-auth-scopes": "mcp:use mcp:read",
  });
  assert.equal(s.origin.last().header("authorization"), undefined);
  assert.deepEqual({ ...line, ms: 0 }, {
    event: "request", method: "POST", resource: CANONICAL, issuer: s.issuer.url, introspection: "server", client: "client-1",
    outcome: "forwarded", reason: "ok", status: 200, ms: 0,
  });
  const [{ method, form, authorization, headers }, ...more] = s.asked;
  assert.deepEqual([method, form, authorization, more], ["POST", { token, token_type_hint: "access_token" }, basic(), []]);
  assert.deepEqual([headers.accept, headers["content-type"]], ["application/json", "application/x-www-form-urlencoded"]);
  assert.match(headers["user-agent"], /^mcp-edge-auth\//);
  assert.equal(s.issuer.hits("/jwks"), 0, "no key has to do with it");
  assertSilent(s, basic(), token);
});

for (const [auth_method, members, expected] of [
  ["client_secret_post", {}, { client_id: CLIENT.id, client_secret: CLIENT.secret }],
  ["none", { client_secret: undefined }, { client_id: CLIENT.id }],
  ["none", { client_secret: undefined, client_id: undefined }, {}],
]) {
  test(`auth_method ${auth_method}, ${Object.keys(expected).length} members of the form`, async (t) => {
    const s = await introspecting(t, { introspection: { auth_method, ...members } });
    const token = opaque("~a+b/c==".replace("==", ""));
    assert.equal((await s.call(token)).status, 200);
    assert.deepEqual(s.asked[0].form, { token, token_type_hint: "access_token", ...expected });
    assert.equal(s.asked[0].authorization, undefined);
    assertSilent(s);
  });
}

test("every opaque token is asked about again, by default", async (t) => {
  const s = await introspecting(t);
  const token = opaque();
  for (let i = 1; i <= 3; i++) {
    assert.equal((await s.ask(token)).line.introspection, "server");
    assert.equal(s.asked.length, i);
  }
  s.tells({ active: false });
  const { response, line } = await s.ask(token);
  assertInvalid(response, INVALID);
  assert.deepEqual([line.reason, line.introspection], ["token_inactive", "server"]);
  assert.equal(s.origin.seen.length, 3);
});

test("without introspection, opaque tokens are what they were", async (t) => {
  const s = await stage(t);
  const { response, line } = await s.ask(opaque());
  assertInvalid(response, MALFORMED);
  assert.equal(line.reason, "token_parts");
});

// What is a compact JWS by its looks is never shown to anybody.
for (const [name, token, reason] of [
  ["a JWT of another issuer", (s) => s.token({ iss: "https://other.example.com" }), "issuer_untrusted"],
  ["a JWT with broken claims", (s) => s.token({}, { claims: "{" }), "token_json"],
  ["a JWT with a member twice in its header", (s) => s.token({}, { header: '{"alg":"RS256","alg":"RS256"}' }), "token_json"],
  ["a JWT with a broken signature", (s) => `${s.token()}==`, "token_encoding"],
  ["a JWT with white space around its header", (s) => s.token({}, { header: ' {"alg":"RS256"}\n' }), "accepted"],
  ["a token that is too large", () => opaque("x".repeat(16 * 1024)), "token_too_large"],
]) {
  test(`${name} is no opaque token`, async (t) => {
    const s = await introspecting(t);
    const { response, line } = await s.ask(token(s));
    assert.equal(line.reason, reason === "accepted" ? "ok" : reason);
    assert.equal(response.status, reason === "accepted" ? 200 : 401);
    assert.deepEqual(s.asked, []);
  });
}

for (const [name, token] of [
  ["one part", () => opaque()],
  ["two parts", () => opaque(`${b64u('{"alg":"RS256"}')}.`)],
  ["three parts, the first of which is no JSON", () => opaque("ory_at_abc.def.")],
  ["three parts, the first of which is an array", () => opaque(`${b64u('["a"]')}.def.`)],
  ["five parts", () => opaque(`${b64u('{"alg":"dir","enc":"A256GCM"}')}..a.b.`)],
  ["dots", () => opaque("....")],
  ["padding", () => `${opaque()}==`],
]) {
  test(`${name}: an opaque token`, async (t) => {
    const s = await introspecting(t);
    const text = token();
    assert.equal((await s.call(text)).status, 200);
    assert.equal(s.asked[0].form.token, text);
  });
}

test("beside opaque tokens, JWTs are verified as ever, and nobody is asked about them", async (t) => {
  const s = await introspecting(t);
  s.tells({ active: false });
  const { line } = await s.ask(s.token());
  assert.deepEqual([line.outcome, line.keys, "introspection" in line], ["forwarded", "issuer", false]);
  assert.deepEqual(s.asked, []);
});

test("of several issuers, only the one is shown the token that the settings name", async (t) => {
  const other = await startIssuer(t);
  const s = await introspecting(t, {
    entries: (issuer) => [
      entryFor(other),
      entryFor(issuer, { introspection: { url: `${issuer.url}${PATH}`, client_id: CLIENT.id, client_secret: SECRET } }),
    ],
  });
  const token = opaque();
  assert.equal((await s.call(token)).status, 200);
  s.tells((_, res) => res.writeHead(500).end());
  assertUnavailable(await s.call(token));
  assert.deepEqual(other.log, []);
  const shown = s.issuer.log.filter(({ path, headers }) => path.includes(token) || JSON.stringify(headers).includes(token));
  assert.deepEqual(shown, [], "the token is in the body only");
});

test("the endpoint is found in the issuer's metadata, once", async (t) => {
  const s = await introspecting(t, { introspection: { url: undefined }, path: "/found?x=1" });
  s.issuer.on("/.well-known/oauth-authorization-server", reply.json(s.issuer.metadata({ introspection_endpoint: `${s.issuer.url}/found?x=1` })));
  for (let i = 0; i < 3; i++) assert.equal((await s.call(opaque())).status, 200);
  assert.equal(s.asked.length, 3);
  assert.equal(s.issuer.hits("/.well-known/oauth-authorization-server"), 1);
});

for (const [name, metadata] of [
  ["of another issuer", (s) => ({ ...s.issuer.metadata(), issuer: "https://other.example.com", introspection_endpoint: `${s.issuer.url}${PATH}` })],
  ["without an endpoint", (s) => s.issuer.metadata()],
  ["with an endpoint by http", (s) => s.issuer.metadata({ introspection_endpoint: "http://as.example.com/introspect" })],
]) {
  test(`metadata ${name}: nobody is asked, and the log says why, once`, async (t) => {
    const s = await introspecting(t, { introspection: { url: undefined } });
    s.issuer.on("/.well-known/oauth-authorization-server", reply.json(metadata(s)));
    for (let i = 0; i < 3; i++) {
      const { response, line } = await s.ask(opaque());
      assertUnavailable(response);
      assert.ok(Number(response.get("retry-after")) > 5, "when it is looked for again");
      assert.deepEqual([line.reason, line.introspection], ["introspection_unavailable", undefined]);
    }
    assert.deepEqual(s.asked, []);
    assert.equal(s.issuer.hits("/.well-known/oauth-authorization-server"), 1);
    assert.deepEqual(told(s).map(({ source, result }) => [source, result]), [[s.issuer.url, "no_endpoint"]]);
  });
}

test("a service binding reaches the endpoint, and url says what is asked for", async (t) => {
  const endpoint = await startIssuer(t);
  const s = await introspecting(t, {
    introspection: { url: "https://as.internal.example/introspect", binding: "AS" },
    services: () => ({ AS: `127.0.0.1:${endpoint.port}` }),
  });
  endpoint.on("/introspect", reply.json(active()));
  assert.equal((await s.call(opaque())).status, 200);
  assert.deepEqual(endpoint.log.map(({ method, path, headers }) => [method, path, headers.host, headers.authorization]), [["POST", "/introspect", "as.internal.example", basic()]]);
  await endpoint.close();
  const { response, line } = await s.ask(opaque());
  assertUnavailable(response);
  assert.equal(line.reason, "introspection_unavailable");
});

test("another member may name the subject", async (t) => {
  const s = await introspecting(t, { introspection: { subject: "username" } });
  s.tells(active({ sub: undefined, username: "alice" }));
  assert.equal((await s.call(opaque())).status, 200);
  assert.equal(s.origin.last().header("x-mcp-auth-user-id"), "alice");
  s.tells(active());
  assert.equal((await s.ask(opaque())).line.reason, "sub_missing");
});

test("where a server names no audience, expected_clients stand for it", async (t) => {
  const s = await introspecting(t, { entry: { expected_clients: ["client-1"] } });
  for (const [over, reason] of [
    [{ aud: undefined }, "ok"], [{}, "ok"], [{ aud: undefined, client_id: "client-2" }, "client_mismatch"],
    [{ aud: undefined, client_id: undefined }, "client_missing"], [{ client_id: "client-2" }, "client_mismatch"],
    [{ aud: "https://other.example.com" }, "aud_mismatch"], [{ aud: null }, "aud_malformed"],
  ]) {
    s.tells(active(over));
    assert.equal((await s.ask(opaque())).line.reason, reason, JSON.stringify(over));
  }
});

test("assertions say what the server said, and serve again only while it says the same", async (t) => {
  const s = await introspecting(t, { vars: asserting("header", { MCP_SERVER_AUTH_ASSERTION_CLAIMS: ["groups", "employee"] }) });
  const token = opaque();
  const said = async (over) => {
    s.tells((_, res) => res.writeHead(200, { "content-type": "application/json" }).end(`${JSON.stringify(active(over, 1_900_000_000)).slice(0, -1)},"employee":9007199254740993}`));
    assert.equal((await s.call(token)).status, 200);
    return (await verified(carried(s), await published(s.worker))).payload;
  };
  const iat = { iat: undefined };
  const first = await said({ ...iat, groups: ["a"] });
  assert.deepEqual([first.sub, first.client_id, first.scope, first.groups, first.idp], ["user-1", "client-1", "mcp:use", ["a"], s.issuer.url]);
  assert.match(Buffer.from(carried(s).split(".")[1], "base64url").toString(), /"employee":9007199254740993\b/);
  assert.equal((await said({ ...iat, groups: ["a"] })).jti, first.jti);
  const other = await said({ ...iat, groups: ["b"] });
  assert.deepEqual([other.groups, other.jti === first.jti], [["b"], false]);
  assert.equal((await said({ ...iat, scope: "" })).scope, undefined);
});

test("the policy judges what the server says", async (t) => {
  const s = await introspecting(t, { vars: { MCP_SERVER_AUTH_POLICY: { required_scopes: ["mcp:use"], rules: [{ claims: { "org.id": ["7"] } }] } } });
  const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/list" });
  const call = () => s.ask(opaque(), { body, headers: { "content-type": "application/json" } });
  s.tells(active({ org: { id: "7" } }));
  assert.equal((await call()).response.status, 200);
  s.tells(active({ org: { id: "8" } }));
  assert.equal((await call()).line.reason, "claim_not_met");
  s.tells(active({ org: { id: "7" }, scope: "other" }));
  assert.equal((await call()).line.reason, "scope_insufficient");
});

test("several servers: each asks its own, and takes no other's word", async (t) => {
  const s = await introspecting(t);
  const second = await startIssuer(t);
  second.on(PATH, reply.json(active({ aud: "https://mcp.example.com/b", sub: "of-b" })));
  const entry = (issuer) => ({ ...s.settings.MCP_SERVER_AUTH_AUTHORIZATION_SERVERS[0], authorization_server_url: issuer.url, introspection: { url: `${issuer.url}${PATH}`, client_id: "x", client_secret: SECRET, cache_seconds: 60 } });
  const both = await s.another({ vars: {
    [SECRET]: CLIENT.secret,
    MCP_SERVER_AUTH_RESOURCES: [
      { canonical_url: CANONICAL, origin_url: `${s.origin.url}/a`, authorization_servers: [entry(s.issuer)] },
      { canonical_url: "https://mcp.example.com/b", origin_url: `${s.origin.url}/b`, authorization_servers: [entry(second)] },
    ],
  } });
  const token = opaque();
  for (let i = 0; i < 2; i++) {
    assert.equal((await both.call(token)).status, 200);
    assert.equal((await both.call(token, { path: "/b" })).status, 200);
    assert.equal(s.origin.last().header("x-mcp-auth-user-id"), "of-b");
  }
  assert.deepEqual([s.issuer.hits(PATH), second.hits(PATH)], [1, 1]);
});

test("a missing secret is a fault, and no secret is in it", async (t) => {
  for (const [name, vars] of [["not set", { [SECRET]: undefined }], ["empty", { [SECRET]: " " }], ["no text", { [SECRET]: { a: 1 } }]]) {
    const s = await introspecting(t, { vars });
    assertOwn(await s.worker.send({ path: "/healthz" }), 503, { error: "server_misconfigured" });
    const { faults } = s.worker.lines("misconfigured")[0];
    assert.match(faults.join(), /^MCP_SERVER_AUTH_AUTHORIZATION_SERVERS\[0\]\.introspection\.client_secret: expected the name of a secret variable that is set/, name);
  }
});

test("exp, iat and the like are not demanded, and count where they are", async (t) => {
  const s = await introspecting(t);
  s.tells({ active: true, sub: "user-1", aud: [CANONICAL] });
  assert.equal((await s.ask(opaque())).line.reason, "ok");
  s.tells(active({ exp: seconds() - 61 }));
  assert.equal((await s.ask(opaque())).line.reason, "token_expired");
  s.tells(active({ aud: undefined }));
  const { response, line } = await s.ask(opaque());
  assertInvalid(response, NOT_FOR_US);
  assert.equal(line.reason, "aud_missing");
});
