// Contract section 2, discovery: the protected resource metadata document, at its three paths,
// without keys or network.
import assert from "node:assert/strict";
import { test } from "node:test";
import { assertOwn, assertUnauthorized, bearer, CANONICAL, entryFor, METADATA, stage } from "./support/stage.mjs";

const PATHS = [
  "/.well-known/oauth-protected-resource/mcp",
  "/.well-known/oauth-protected-resource",
  "/mcp/.well-known/oauth-protected-resource",
];

// Written out, so that a change of a name or a value shows here. The order of members is no part of
// JSON.
const GOLDEN = {
  resource: "https://mcp.example.com/mcp",
  authorization_servers: ["https://login.example.com/", "https://eu.login.example.com"],
  bearer_methods_supported: ["header"],
  scopes_supported: ["mcp:read", "mcp:write"],
};

const TWO_SERVERS = () => [
  { authorization_server_url: "https://login.example.com/", jwks_uri: "https://login.example.com/jwks" },
  { authorization_server_url: "https://eu.login.example.com", issuer: "https://login.example.com/", jwks_uri: "https://login.example.com/jwks" },
  { authorization_server_url: "https://login.example.com/", issuer: "https://second.example.com", jwks_uri: "https://login.example.com/second" },
];

test("the document is the golden one at all three paths", async (t) => {
  const s = await stage(t, { entries: TWO_SERVERS, vars: { MCP_SERVER_AUTH_SCOPES_SUPPORTED: "mcp:read mcp:write" } });
  for (const path of PATHS) {
    const response = await s.worker.send({ path });
    assert.equal(response.status, 200);
    assert.deepEqual(response.json(), GOLDEN);
    assert.doesNotMatch(response.text, /\s/, "compact");
    assert.match(response.get("content-type"), /^application\/json\b/);
    assert.deepEqual(response.all("cache-control"), ["public, max-age=3600"]);
    assert.deepEqual(response.all("access-control-allow-origin"), ["*"]);
    assert.equal(response.get("access-control-allow-credentials"), undefined);
  }
});

test("what is not set is left out, never null or empty", async (t) => {
  const s = await stage(t);
  const response = await s.worker.send({ path: PATHS[0] });
  assert.deepEqual(response.json(), {
    resource: CANONICAL,
    authorization_servers: [s.issuer.url],
    bearer_methods_supported: ["header"],
  });
});

test("HEAD is GET without the body", async (t) => {
  const s = await stage(t);
  for (const path of PATHS) {
    const response = await s.worker.send({ method: "HEAD", path });
    assert.equal(response.status, 200);
    assert.equal(response.text, "");
    assert.match(response.get("content-type"), /^application\/json\b/);
    assert.deepEqual(response.all("cache-control"), ["public, max-age=3600"]);
    assert.deepEqual(response.all("access-control-allow-origin"), ["*"]);
  }
});

test("OPTIONS is answered for browsers, other methods get 405 with Allow", async (t) => {
  const s = await stage(t);
  for (const path of PATHS) {
    const headers = { origin: "https://app.example.com", "access-control-request-method": "GET", "access-control-request-headers": "mcp-protocol-version" };
    const options = await s.worker.send({ method: "OPTIONS", path, headers });
    assert.equal(options.status, 204);
    assert.equal(options.text, "");
    assert.deepEqual(options.all("access-control-allow-origin"), ["*"]);
    assert.deepEqual(options.all("cache-control"), ["no-store"]);
    assert.match(options.get("access-control-allow-methods"), /\bGET\b/);
    // The official clients send MCP-Protocol-Version with discovery, which is not a simple header.
    assert.match(options.get("access-control-allow-headers"), /mcp-protocol-version/i);
    for (const method of ["POST", "PUT", "DELETE", "PATCH", "QUERY"]) {
      const { response, line } = await s.worker.logged(() => s.worker.send({ method, path, headers: bearer(s.token()) }));
      assert.equal(response.status, 405, `${method} ${path}`);
      assert.deepEqual(response.get("allow").split(/, */).sort(), ["GET", "HEAD", "OPTIONS"]);
      assert.equal(line.reason, "method_not_allowed");
      assert.deepEqual(response.all("cache-control"), ["no-store"]);
    }
  }
  assert.equal(s.origin.seen.length, 0, "a method that discovery does not have is not the MCP server's either");
});

test("any browser origin may read it, where the MCP endpoint is limited too", async (t) => {
  const s = await stage(t, { vars: { MCP_SERVER_AUTH_ALLOWED_ORIGINS: ["https://app.example.com"] } });
  for (const origin of ["https://other.example.com", "null"]) {
    const response = await s.worker.send({ path: PATHS[0], headers: { origin } });
    assert.equal(response.status, 200);
    assert.deepEqual(response.all("access-control-allow-origin"), ["*"]);
  }
});

test("it needs no issuer, no keys and no token", async (t) => {
  const s = await stage(t);
  await s.issuer.close();
  for (const path of PATHS) {
    const { response, line } = await s.worker.logged(() => s.worker.send({ path, headers: { authorization: "Bearer not.a.token" } }));
    assert.equal(response.status, 200);
    assert.equal(line.outcome, "served");
    assert.equal(line.reason, "metadata");
  }
  assert.equal(s.issuer.log.length, 0);
  assert.equal(s.origin.seen.length, 0);
});

test("the challenge leads to the document", async (t) => {
  const canonicals = [
    ["https://mcp.example.com/mcp", METADATA],
    ["https://mcp.example.com:8443/a/b/mcp", "https://mcp.example.com:8443/.well-known/oauth-protected-resource/a/b/mcp"],
    ["https://mcp.example.com", "https://mcp.example.com/.well-known/oauth-protected-resource"],
    ["https://mcp.example.com/", "https://mcp.example.com/.well-known/oauth-protected-resource"],
    ["http://127.0.0.1:8787/mcp", "http://127.0.0.1:8787/.well-known/oauth-protected-resource/mcp"],
  ];
  for (const [canonical, expected] of canonicals) {
    const s = await stage(t, { vars: { MCP_SERVER_AUTH_CANONICAL_URL: canonical } });
    const refused = await s.call(undefined, { path: new URL(canonical).pathname });
    const [, address] = /resource_metadata="([^"]*)"/.exec(refused.get("www-authenticate"));
    assert.equal(address, expected);
    const response = await s.worker.send({ path: new URL(address).pathname });
    assert.equal(response.json().resource, canonical, "the canonical URL exactly as it was set");
  }
});

test("neither Host nor a forwarding header changes what the challenge and the document say", async (t) => {
  const s = await stage(t);
  const headers = {
    host: "evil.example.com", forwarded: "host=evil.example.com;proto=http", "x-forwarded-host": "evil.example.com", "x-forwarded-proto": "http",
    "x-forwarded-prefix": "/evil", "x-original-host": "evil.example.com",
  };
  assertUnauthorized(await s.call(undefined, { headers }));
  assert.equal((await s.worker.send({ path: PATHS[0], headers })).json().resource, CANONICAL);
});

test("a slash at the end of the canonical path is accepted here too", async (t) => {
  const s = await stage(t);
  assert.equal((await s.worker.send({ path: `${PATHS[0]}/` })).json().resource, CANONICAL);
});

test("URLs are served as the operator wrote them", async (t) => {
  const written = ["https://LOGIN.example.com:443/Tenant/../x", "https://login.example.com", "https://login.example.com/%7Eme"];
  const s = await stage(t, {
    vars: { MCP_SERVER_AUTH_CANONICAL_URL: "https://MCP.example.com:443/mcp" },
    entries: () => written.map((url) => ({ authorization_server_url: url, jwks_uri: "https://login.example.com/jwks" })),
  });
  const response = await s.worker.send({ path: PATHS[0] });
  assert.equal(response.json().resource, "https://MCP.example.com:443/mcp");
  assert.deepEqual(response.json().authorization_servers, written);
});

test("the single-issuer form has no document", async (t) => {
  const s = await stage(t, {
    vars: (issuer) => ({
      MCP_SERVER_AUTH_AUTHORIZATION_SERVERS: undefined,
      MCP_SERVER_AUTH_JWKS_URI: `${issuer.url}/jwks`,
      MCP_SERVER_AUTH_ISSUER: issuer.url,
      MCP_SERVER_AUTH_AUDIENCE: CANONICAL,
    }),
  });
  for (const path of PATHS) {
    for (const headers of [{}, bearer(s.token())]) {
      const { response, line } = await s.worker.logged(() => s.worker.send({ path, headers }));
      assertOwn(response, 404, { error: "not_found" });
      assert.equal(line.reason, "not_found");
    }
  }
  assert.equal(s.origin.seen.length, 0);
});

test("many servers are listed once each, in the order of the settings", async (t) => {
  const s = await stage(t, {
    entries: (issuer) => ["/b", "/a", "/b", "/c", "/a"].map((path) => entryFor(issuer, { authorization_server_url: issuer.url + path, issuer: issuer.url })),
  });
  const response = await s.worker.send({ path: PATHS[1] });
  assert.deepEqual(response.json().authorization_servers, ["/b", "/a", "/c"].map((path) => s.issuer.url + path));
});
