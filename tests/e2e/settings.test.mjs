// Contract section 1, settings that are sound: both forms, both spellings, strings and JSON values,
// and what each default is.
import assert from "node:assert/strict";
import { test } from "node:test";
import { signingKey } from "./support/keys.mjs";
import { assertInvalid, assertUnauthorized, CANONICAL, challenge, entryFor, NOT_FOR_US, stage } from "./support/stage.mjs";
import { kvStore } from "./support/worker.mjs";

const SINGLE = (over = {}) => (issuer) => ({
  MCP_SERVER_AUTH_AUTHORIZATION_SERVERS: undefined,
  MCP_SERVER_AUTH_JWKS_URI: `${issuer.url}/jwks`,
  MCP_SERVER_AUTH_ISSUER: issuer.url,
  MCP_SERVER_AUTH_AUDIENCE: CANONICAL,
  ...over,
});

/** The request is forwarded, which shows that the settings were read as meant. */
async function assertForwarded(s, token = s.token()) {
  const { response, line } = await s.ask(token);
  assert.equal(response.status, 200, response.text);
  assert.equal(line.reason, "ok");
}

test("the entries may be a JSON value or a JSON string", async (t) => {
  for (const write of [(value) => value, JSON.stringify]) {
    const s = await stage(t, { vars: (issuer) => ({ MCP_SERVER_AUTH_AUTHORIZATION_SERVERS: write([entryFor(issuer)]) }) });
    await assertForwarded(s);
  }
});

test("every name may be spelled MCP_RESOURCE_SERVER_*", async (t) => {
  const s = await stage(t, {
    vars: (issuer) => ({
      MCP_SERVER_AUTH_CANONICAL_URL: undefined,
      MCP_SERVER_AUTH_AUTHORIZATION_SERVERS: undefined,
      MCP_RESOURCE_SERVER_CANONICAL_URL: CANONICAL,
      MCP_RESOURCE_SERVER_AUTHORIZATION_SERVERS: [entryFor(issuer)],
      MCP_RESOURCE_SERVER_DEFAULT_CHALLENGE_SCOPES: "mcp:use",
      MCP_RESOURCE_SERVER_SCOPES_SUPPORTED: ["mcp:use", "mcp:admin"],
      MCP_RESOURCE_SERVER_ALLOWED_ORIGINS: ["https://app.example.com"],
      MCP_RESOURCE_SERVER_CACHE_TTL: 600,
    }),
  });
  await assertForwarded(s);
  assertUnauthorized(await s.call(), { scope: "mcp:use" });
  const document = await s.worker.send({ path: "/.well-known/oauth-protected-resource" });
  assert.deepEqual(document.json().scopes_supported, ["mcp:use", "mcp:admin"]);
  const refused = await s.call(s.token(), { headers: { origin: "https://other.example.com" } });
  assert.equal(refused.status, 403);
});

test("the single-issuer form has a second spelling too", async (t) => {
  const s = await stage(t, {
    vars: (issuer) => ({
      MCP_SERVER_AUTH_AUTHORIZATION_SERVERS: undefined,
      MCP_RESOURCE_SERVER_JWKS_URI: `${issuer.url}/jwks`,
      MCP_RESOURCE_SERVER_ISSUER: issuer.url,
      MCP_RESOURCE_SERVER_AUDIENCE: "api://tools",
      MCP_RESOURCE_SERVER_ALGORITHM: "ES256",
    }),
    keys: [signingKey("p256")],
  });
  await assertForwarded(s, s.token({ aud: "api://tools" }, { alg: "ES256" }));
});

test("both spellings may be set if they say the same", async (t) => {
  const s = await stage(t, { vars: { MCP_RESOURCE_SERVER_CANONICAL_URL: CANONICAL } });
  await assertForwarded(s);
});

test("the single-issuer form verifies without discovery and without a document", async (t) => {
  const s = await stage(t, { vars: SINGLE() });
  await assertForwarded(s);
  assert.deepEqual(s.issuer.log.map((entry) => entry.path), ["/jwks"]);
  assertUnauthorized(await s.call(), { metadata: null });
  assertInvalid(await s.call(s.token({ aud: "https://other.example.com" })), NOT_FOR_US, { metadata: null });
});

test("the single-issuer form takes arrays of issuers and audiences, as values and as JSON strings", async (t) => {
  for (const write of [(value) => value, JSON.stringify]) {
    const s = await stage(t, {
      vars: (issuer) => SINGLE({
        MCP_SERVER_AUTH_ISSUER: write([issuer.url, "https://second.example.com"]),
        MCP_SERVER_AUTH_AUDIENCE: write(["api://one", "api://two"]),
      })(issuer),
    });
    await assertForwarded(s, s.token({ aud: "api://one" }));
    await assertForwarded(s, s.token({ aud: "api://two", iss: "https://second.example.com" }));
    assertInvalid(await s.call(s.token({ aud: CANONICAL })), NOT_FOR_US, { metadata: null });
  }
});

test("the single-issuer form's algorithm is RS256 unless it is set", async (t) => {
  const p256 = signingKey("p256");
  const s = await stage(t, { vars: SINGLE(), keys: [signingKey("rsa"), p256] });
  await assertForwarded(s);
  const { line } = await s.ask(s.token({}, { key: p256, alg: "ES256" }));
  assert.equal(line.reason, "alg_not_allowed");
  const both = await stage(t, { vars: SINGLE({ MCP_SERVER_AUTH_ALGORITHM: ["RS256", "ES256"] }), keys: [signingKey("rsa"), p256] });
  await assertForwarded(both);
  await assertForwarded(both, both.token({}, { key: p256, alg: "ES256" }));
});

test("scopes may be an array, a JSON string or separated by spaces", async (t) => {
  for (const value of [["mcp:read", "mcp:write"], '["mcp:read","mcp:write"]', "mcp:read mcp:write"]) {
    const s = await stage(t, { vars: { MCP_SERVER_AUTH_SCOPES_SUPPORTED: value, MCP_SERVER_AUTH_DEFAULT_CHALLENGE_SCOPES: value } });
    const document = await s.worker.send({ path: "/.well-known/oauth-protected-resource" });
    assert.deepEqual(document.json().scopes_supported, ["mcp:read", "mcp:write"]);
    const response = await s.call();
    assert.deepEqual(response.all("www-authenticate"), [challenge({ scope: "mcp:read mcp:write" })]);
  }
});

test("the cache time may be a number or its text, at both ends of its range", async (t) => {
  for (const value of [60, "60", 86400, "86400"]) {
    const s = await stage(t, { vars: { MCP_SERVER_AUTH_CACHE_TTL: value } });
    assert.equal((await s.worker.send({ path: "/healthz" })).status, 200, String(value));
  }
});

test("http is accepted on loopback, by address and by name", async (t) => {
  for (const url of ["http://127.0.0.1:8787/mcp", "http://127.8.9.10/mcp", "http://[::1]:8787/mcp", "http://localhost:8787/mcp"]) {
    const s = await stage(t, { vars: { MCP_SERVER_AUTH_CANONICAL_URL: url } });
    const document = await s.worker.send({ path: "/.well-known/oauth-protected-resource/mcp" });
    assert.equal(document.json().resource, url);
    await assertForwarded(s, s.token({ aud: url }));
  }
});

test("an entry's issuer is its authorization_server_url unless it is set", async (t) => {
  const s = await stage(t, { entry: { authorization_server_url: "https://login.example.com/tenant" } });
  await assertForwarded(s, s.token({ iss: "https://login.example.com/tenant" }));
  assert.equal((await s.ask(s.token())).line.reason, "issuer_untrusted");
  const set = await stage(t, { entry: { authorization_server_url: "https://login.example.com/tenant", issuer: "https://iss.example.com" } });
  await assertForwarded(set, set.token({ iss: "https://iss.example.com" }));
  assert.equal((await set.ask(set.token({ iss: "https://login.example.com/tenant" }))).line.reason, "issuer_untrusted");
});

test("without JWKS_CACHE the Worker works, and says once in the log that it has memory only", async (t) => {
  const s = await stage(t);
  await assertForwarded(s);
  await assertForwarded(s);
  const said = (worker) => worker.stdout.match(/memory only/g)?.length ?? 0;
  assert.equal(said(s.worker), 1);
  assert.match(s.worker.stdout, /JWKS_CACHE/);
  const bound = await stage(t, { kv: kvStore(t) });
  await assertForwarded(bound);
  assert.equal(said(bound.worker), 0);
});

test("an origin may be any host over http or https", async (t) => {
  for (const url of ["https://internal.example.net/base", "http://internal.example.net:8080"]) {
    const s = await stage(t, { vars: { ORIGIN_URL: url } });
    assert.equal((await s.worker.send({ path: "/healthz" })).status, 200);
  }
});
