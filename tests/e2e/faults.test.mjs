// Contract section 1, settings that are not sound: every path answers 503, and the log names every
// fault, never a secret.
import assert from "node:assert/strict";
import { test } from "node:test";
import { assertOwn, CANONICAL, stage } from "./support/stage.mjs";
import { until } from "./support/until.mjs";

const SERVERS = "MCP_SERVER_AUTH_AUTHORIZATION_SERVERS";
const URL = "MCP_SERVER_AUTH_CANONICAL_URL";
const vars = (over) => () => over;
const entry = (fields) => (issuer) => ({
  [SERVERS]: [{ authorization_server_url: issuer.url, jwks_uri: `${issuer.url}/jwks`, ...fields }],
});
const single = (over) => (issuer) => ({
  [SERVERS]: undefined,
  MCP_SERVER_AUTH_JWKS_URI: `${issuer.url}/jwks`,
  MCP_SERVER_AUTH_ISSUER: issuer.url,
  MCP_SERVER_AUTH_AUDIENCE: CANONICAL,
  ...over,
});

// name, the settings changed, what the one fault must name
const FAULTS = [
  ["no canonical URL", vars({ [URL]: undefined }), [URL]],
  ["an empty canonical URL", vars({ [URL]: "" }), [URL]],
  ["a canonical URL that is not one", vars({ [URL]: "mcp.example.com/mcp" }), [URL]],
  ["http off loopback", vars({ [URL]: "http://mcp.example.com/mcp" }), [URL]],
  ["http on a name that only starts like loopback", vars({ [URL]: "http://127.0.0.1.example.com/mcp" }), [URL]],
  ["http on a name that only ends like localhost", vars({ [URL]: "http://notlocalhost/mcp" }), [URL]],
  ["another scheme", vars({ [URL]: "ftp://mcp.example.com/mcp" }), [URL]],
  ["a fragment", vars({ [URL]: "https://mcp.example.com/mcp#top" }), [URL]],
  ["an empty fragment", vars({ [URL]: "https://mcp.example.com/mcp#" }), [URL]],
  ["userinfo", vars({ [URL]: "https://user@mcp.example.com/mcp" }), [URL]],
  ["a space in it", vars({ [URL]: "https://mcp.example.com/m cp" }), [URL]],
  ["a space around it", vars({ [URL]: " https://mcp.example.com/mcp" }), [URL]],
  ["a line break after it", vars({ [URL]: "https://mcp.example.com/mcp\n" }), [URL]],
  ["a canonical URL that is no string", vars({ [URL]: 8787 }), [URL]],
  ["no entries", vars({ [SERVERS]: undefined }), [SERVERS]],
  ["entries that are not JSON", vars({ [SERVERS]: "https://login.example.com" }), [SERVERS]],
  ["entries that are no array", vars({ [SERVERS]: { authorization_server_url: "https://login.example.com" } }), [SERVERS]],
  ["an empty array", vars({ [SERVERS]: [] }), [SERVERS]],
  ["an entry that is no object", vars({ [SERVERS]: ["https://login.example.com"] }), [SERVERS]],
  ["an entry that is null", vars({ [SERVERS]: [null] }), [SERVERS]],
  ["no authorization_server_url", entry({ authorization_server_url: undefined }), [SERVERS, "authorization_server_url"]],
  ["an http authorization_server_url", entry({ authorization_server_url: "http://login.example.com" }), [SERVERS, "authorization_server_url"]],
  ["an http issuer", entry({ issuer: "http://login.example.com", jwks_uri: undefined }), [SERVERS, "issuer"]],
  ["an http jwks_uri", entry({ jwks_uri: "http://login.example.com/jwks" }), [SERVERS, "jwks_uri"]],
  ["a jwks_uri that is null", entry({ jwks_uri: null }), [SERVERS, "jwks_uri"]],
  ["an unknown field", entry({ audience: CANONICAL }), [SERVERS, "audience"]],
  ["an unknown algorithm", entry({ algorithm: "RS1" }), [SERVERS, "algorithm"]],
  ["the algorithm none", entry({ algorithm: "none" }), [SERVERS, "algorithm"]],
  ["a symmetric algorithm", entry({ algorithm: ["RS256", "HS256"] }), [SERVERS, "algorithm"]],
  ["an algorithm in lower case", entry({ algorithm: "rs256" }), [SERVERS, "algorithm"]],
  ["no algorithm in the array", entry({ algorithm: [] }), [SERVERS, "algorithm"]],
  ["an algorithm that is a number", entry({ algorithm: 256 }), [SERVERS, "algorithm"]],
  ["no audience in the array", entry({ expected_audiences: [] }), [SERVERS, "expected_audiences"]],
  ["an audience that is a number", entry({ expected_audiences: [1] }), [SERVERS, "expected_audiences"]],
  ["an empty audience", entry({ expected_audiences: [""] }), [SERVERS, "expected_audiences"]],
  ["options that are no object", entry({ validation_options: true }), [SERVERS, "validation_options"]],
  ["an unknown option", entry({ validation_options: { verify_aud: false } }), [SERVERS, "verify_aud"]],
  ["switching the signature off", entry({ validation_options: { verify_signature: false } }), [SERVERS, "verify_signature"]],
  ["an option that is text", entry({ validation_options: { verify_exp: "true" } }), [SERVERS, "verify_exp"]],
  ["a negative leeway", entry({ validation_options: { leeway: -1 } }), [SERVERS, "leeway"]],
  ["a leeway over 300", entry({ validation_options: { leeway: 301 } }), [SERVERS, "leeway"]],
  ["a leeway that is null", entry({ validation_options: { leeway: null } }), [SERVERS, "leeway"]],
  ["both forms", (issuer) => single({ [SERVERS]: [{ authorization_server_url: issuer.url }] })(issuer), ["MCP_SERVER_AUTH_JWKS_URI"]],
  ["the single form without its jwks_uri", single({ MCP_SERVER_AUTH_JWKS_URI: undefined }), ["MCP_SERVER_AUTH_JWKS_URI"]],
  ["the single form without its issuer", single({ MCP_SERVER_AUTH_ISSUER: undefined }), ["MCP_SERVER_AUTH_ISSUER"]],
  ["the single form without its audience", single({ MCP_SERVER_AUTH_AUDIENCE: undefined }), ["MCP_SERVER_AUTH_AUDIENCE"]],
  ["the single form with an unknown algorithm", single({ MCP_SERVER_AUTH_ALGORITHM: "none" }), ["MCP_SERVER_AUTH_ALGORITHM"]],
  ["the single form with an http jwks_uri", single({ MCP_SERVER_AUTH_JWKS_URI: "http://a.example.com/jwks" }), ["MCP_SERVER_AUTH_JWKS_URI"]],
  ["a cache time that is too short", vars({ MCP_SERVER_AUTH_CACHE_TTL: 59 }), ["MCP_SERVER_AUTH_CACHE_TTL"]],
  ["a cache time that is too long", vars({ MCP_SERVER_AUTH_CACHE_TTL: "86401" }), ["MCP_SERVER_AUTH_CACHE_TTL"]],
  ["a cache time in words", vars({ MCP_SERVER_AUTH_CACHE_TTL: "1h" }), ["MCP_SERVER_AUTH_CACHE_TTL"]],
  ["a scope with a quote", vars({ MCP_SERVER_AUTH_DEFAULT_CHALLENGE_SCOPES: 'mcp", error="none' }), ["MCP_SERVER_AUTH_DEFAULT_CHALLENGE_SCOPES"]],
  ["a scope that is a number", vars({ MCP_SERVER_AUTH_SCOPES_SUPPORTED: [1] }), ["MCP_SERVER_AUTH_SCOPES_SUPPORTED"]],
  ["an allowed origin that is none", vars({ MCP_SERVER_AUTH_ALLOWED_ORIGINS: ["app.example.com"] }), ["MCP_SERVER_AUTH_ALLOWED_ORIGINS"]],
  ["an empty policy", vars({ MCP_SERVER_AUTH_POLICY: "" }), ["MCP_SERVER_AUTH_POLICY"]],
  ["a policy of white space, in the second spelling", vars({ MCP_RESOURCE_SERVER_POLICY: "\u00a0\n" }), ["MCP_RESOURCE_SERVER_POLICY"]],
  ["a policy that is null", vars({ MCP_SERVER_AUTH_POLICY: null }), ["MCP_SERVER_AUTH_POLICY"]],
  ["an empty session key", vars({ MCP_SERVER_AUTH_SESSION_KEY: "" }), ["MCP_SERVER_AUTH_SESSION_KEY"]],
  ["an empty switch for sessions", vars({ MCP_SERVER_AUTH_BIND_SESSIONS: "" }), ["MCP_SERVER_AUTH_BIND_SESSIONS"]],
  ["an assertion of white space", vars({ MCP_SERVER_AUTH_ASSERTION: " " }), ["MCP_SERVER_AUTH_ASSERTION:"]],
  ["an empty key for assertions", vars({ MCP_SERVER_AUTH_ASSERTION_KEY: "" }), ["MCP_SERVER_AUTH_ASSERTION_KEY"]],
  ["empty headers for the origin", vars({ ORIGIN_HEADERS: "" }), ["ORIGIN_HEADERS"]],
  [
    "an empty policy of one of several servers",
    vars({
      [URL]: undefined,
      ORIGIN_URL: undefined,
      MCP_SERVER_AUTH_POLICY: { required_scopes: ["mcp"] },
      MCP_SERVER_AUTH_RESOURCES: [{ canonical_url: CANONICAL, origin_url: "http://127.0.0.1:1/mcp", policy: "" }],
    }),
    ["MCP_SERVER_AUTH_RESOURCES[0].policy"],
  ],
  ["no origin URL", vars({ ORIGIN_URL: undefined }), ["ORIGIN_URL"]],
  ["an origin URL that is not one", vars({ ORIGIN_URL: "internal:8080/mcp/" }), ["ORIGIN_URL"]],
  ["an origin URL of another scheme", vars({ ORIGIN_URL: "ftp://internal.example.net" }), ["ORIGIN_URL"]],
  ["two spellings that disagree", vars({ MCP_RESOURCE_SERVER_CANONICAL_URL: "https://other.example.com/mcp" }), [URL, "MCP_RESOURCE_SERVER_CANONICAL_URL"]],
  [
    "one issuer with two key sets",
    (issuer) => ({
      [SERVERS]: [
        { authorization_server_url: `${issuer.url}/eu`, issuer: issuer.url, jwks_uri: `${issuer.url}/jwks` },
        { authorization_server_url: `${issuer.url}/us`, issuer: issuer.url, jwks_uri: `${issuer.url}/other`, algorithm: "ES256" },
      ],
    }),
    [SERVERS],
  ],
];

const reported = (s) => until("the line with the faults", () => s.worker.lines("misconfigured")[0]);

for (const [name, change, named] of FAULTS) {
  test(`fault: ${name}`, async (t) => {
    const s = await stage(t, { vars: change });
    assertOwn(await s.call(s.token()), 503, { error: "server_misconfigured" });
    const { faults } = await reported(s);
    assert.equal(faults.length, 1, faults.join("\n"));
    for (const word of named) assert.ok(faults[0].includes(word), `${word} in: ${faults[0]}`);
    assert.equal(s.origin.seen.length, 0);
    assert.equal(s.issuer.log.length, 0, "the settings are judged without the network");
  });
}

test("with a fault every path answers 503, metadata and health included", async (t) => {
  const s = await stage(t, { vars: { ORIGIN_URL: undefined } });
  const requests = [
    ["GET", "/.well-known/oauth-protected-resource/mcp"],
    ["GET", "/.well-known/oauth-protected-resource"],
    ["OPTIONS", "/.well-known/oauth-protected-resource"],
    ["GET", "/mcp/.well-known/oauth-protected-resource"],
    ["OPTIONS", "/mcp"],
    ["POST", "/mcp"],
    ["GET", "/healthz"],
    ["GET", "/elsewhere"],
  ];
  for (const [method, path] of requests) {
    const { response, line } = await s.worker.logged(() => s.worker.send({ method, path, headers: { origin: "https://a.example.com" } }));
    assertOwn(response, 503, { error: "server_misconfigured" });
    assert.equal(line.reason, "server_misconfigured");
    assert.equal(line.outcome, "refused");
  }
  const head = await s.worker.send({ method: "HEAD", path: "/healthz" });
  assert.equal(head.status, 503);
});

test("all faults are reported at once", async (t) => {
  const s = await stage(t, {
    vars: {
      MCP_SERVER_AUTH_CANONICAL_URL: "http://mcp.example.com/mcp#top",
      MCP_SERVER_AUTH_AUTHORIZATION_SERVERS: [
        { authorization_server_url: "http://login.example.com", algorithm: "none", validation_options: { leeway: 9000 } },
        { authorization_server_url: "https://login.example.com", colour: "red" },
      ],
      MCP_SERVER_AUTH_CACHE_TTL: 1,
      ORIGIN_URL: undefined,
    },
  });
  await s.call();
  const { faults } = await reported(s);
  const named = ["CANONICAL_URL", "authorization_server_url", "algorithm", "leeway", "colour", "CACHE_TTL", "ORIGIN_URL"];
  for (const word of named) assert.ok(faults.some((fault) => fault.includes(word)), `${word} in:\n${faults.join("\n")}`);
});

test("a fault never shows a secret", async (t) => {
  const secret = "s3cret-of-the-operator";
  const s = await stage(t, {
    vars: (issuer) => ({
      MCP_SERVER_AUTH_CANONICAL_URL: `https://user:${secret}@mcp.example.com/mcp`,
      MCP_SERVER_AUTH_AUTHORIZATION_SERVERS: [
        { authorization_server_url: `https://client:${secret}@login.example.com`, client_secret: secret },
        { authorization_server_url: issuer.url, jwks_uri: `ftp://keys.example.com/?key=${secret}` },
      ],
      ORIGIN_URL: `gopher://user:${secret}@internal.example.net`,
    }),
  });
  const response = await s.call();
  const { faults } = await reported(s);
  assert.ok(faults.length >= 4, faults.join("\n"));
  assert.ok(!response.text.includes(secret));
  assert.ok(!s.worker.output().includes(secret), "in the log");
});
