// The origin's own challenges: a 403 tells the client what scope is missing and where the Worker's
// document is; a 401 never reaches it.
import assert from "node:assert/strict";
import { test } from "node:test";
import { extractWWWAuthenticateParams } from "@modelcontextprotocol/client";
import { BASE } from "./support/origin.mjs";
import { CANONICAL, METADATA, stage } from "./support/stage.mjs";

const OWN = "https://origin.internal.example/.well-known/oauth-protected-resource";
const SCOPE = 'error="insufficient_scope", scope="files:write"';

// what the origin sends (one line or several), what the client gets
const ROWS = [
  [`Bearer resource_metadata="${OWN}", ${SCOPE}`, `Bearer resource_metadata="${METADATA}", ${SCOPE}`],
  [`Bearer ${SCOPE}`, `Bearer resource_metadata="${METADATA}", ${SCOPE}`],
  [[`Bearer ${SCOPE}`, 'Basic realm="origin"'], `Bearer resource_metadata="${METADATA}", ${SCOPE}`],
  [['Bearer error="invalid_token"', `bearer ${SCOPE}`], `Bearer resource_metadata="${METADATA}", ${SCOPE}`],
  [`Bearer x_scope="admin", realm="scope=admin", title="SCOPE = admin", ${SCOPE}`, `Bearer resource_metadata="${METADATA}", ${SCOPE}`],
  [`Bearer realm="resource_metadata=${OWN}", ${SCOPE}`, `Bearer resource_metadata="${METADATA}", ${SCOPE}`],
  [`Bearer ${SCOPE}, error_description="missing scope"`, `Bearer resource_metadata="${METADATA}", ${SCOPE}, error_description="missing scope"`],
  ['Basic realm="origin"', undefined],
  ["Bearer", `Bearer resource_metadata="${METADATA}"`],
];

async function forbidden(t, vars = {}) {
  const s = await stage(t, { vars });
  s.says = (header) =>
    s.origin.on(BASE, (_, res) => res.writeHead(403, { "content-type": "application/json", ...(header && { "www-authenticate": header }) }).end('{"why":"scope"}'));
  return s;
}

test("a 403 challenge passes, with our document and no other", async (t) => {
  const s = await forbidden(t);
  for (const [sent, expected] of ROWS) {
    s.says(sent);
    const { response, line } = await s.ask(s.token(), { headers: { origin: "https://app.example.com" } });
    assert.deepEqual([response.status, response.text], [403, '{"why":"scope"}']);
    assert.deepEqual(response.all("www-authenticate"), expected === undefined ? [] : [expected], `${sent}`);
    assert.equal(response.get("access-control-allow-origin"), "*");
    assert.match(response.get("access-control-expose-headers"), /WWW-Authenticate/);
    assert.deepEqual([line.outcome, line.status], ["forwarded", 403]);
  }
});

test("a 403 without a challenge passes unchanged", async (t) => {
  const s = await forbidden(t);
  s.says(undefined);
  const response = await s.call(s.token());
  assert.deepEqual([response.status, response.text, response.all("www-authenticate")], [403, '{"why":"scope"}', []]);
});

test("without a document, a challenge names none", async (t) => {
  const s = await forbidden(t, (issuer) => ({
    MCP_SERVER_AUTH_AUTHORIZATION_SERVERS: undefined,
    MCP_SERVER_AUTH_JWKS_URI: `${issuer.url}/jwks`,
    MCP_SERVER_AUTH_ISSUER: issuer.url,
    MCP_SERVER_AUTH_AUDIENCE: CANONICAL,
  }));
  s.says(`Bearer resource_metadata="${OWN}", ${SCOPE}`);
  assert.deepEqual((await s.call(s.token())).all("www-authenticate"), [`Bearer ${SCOPE}`]);
  s.says(`Bearer realm="resource_metadata=${OWN}", x_scope="admin", ${SCOPE}`);
  const response = await s.call(s.token());
  assert.deepEqual(response.all("www-authenticate"), [`Bearer ${SCOPE}`]);
  const found = extractWWWAuthenticateParams({ headers: new Headers({ "www-authenticate": response.get("www-authenticate") }) });
  assert.deepEqual([found.resourceMetadataUrl, found.scope, found.error], [undefined, "files:write", "insufficient_scope"], "as the official client reads it");
});

test("a challenge and a bound session go on together", async (t) => {
  const s = await forbidden(t, { MCP_SERVER_AUTH_SESSION_KEY: "k".repeat(32) });
  s.origin.on(BASE, (_, res) => res.writeHead(403, { "www-authenticate": `Bearer ${SCOPE}`, "mcp-session-id": "a" }).end());
  const response = await s.call(s.token());
  assert.deepEqual(response.all("www-authenticate"), [`Bearer resource_metadata="${METADATA}", ${SCOPE}`]);
  assert.match(response.get("mcp-session-id"), /^a\.[\w-]{43}$/);
});

test("what is no 403 keeps what it says", async (t) => {
  const s = await stage(t);
  s.origin.on(BASE, (_, res) => res.writeHead(400, { "www-authenticate": "Basic" }).end());
  assert.equal((await s.call(s.token())).get("www-authenticate"), "Basic");
});
