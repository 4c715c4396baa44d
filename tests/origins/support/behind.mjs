// A real origin with the Worker in front of it, and what can be sent to either.
import assert from "node:assert/strict";
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { ASSERTION, asserting, carried, JWKS, privateJwk } from "../../e2e/support/assertion.mjs";
import { send } from "../../e2e/support/http.mjs";
import { kindFor, signingKey } from "../../e2e/support/keys.mjs";
import { mint, seconds } from "../../e2e/support/mint.mjs";
import { bearer, stage } from "../../e2e/support/stage.mjs";
import { freePort, startServer } from "./origin.mjs";

const ISSUER = "https://mcp.example.com"; // the origin of stage()'s canonical URL
export const SECRET = "only-the-Worker-and-the-origin-know-this";

/** What a server's environment tells it. */
export const told = (carrier, audience, worker, algorithm) =>
  carrier === "secret" ? { ORIGIN_SECRET: SECRET } : { ISSUER, AUDIENCE: audience, JWKS_URI: `${worker}${JWKS}`, ALGORITHM: algorithm };

/**
 * The server behind a Worker: a stage, with { server, carrier, audience, alg, key, next, other }.
 * `key` is what the Worker signs assertions with; `next` (of the same algorithm) and `other` (of
 * another one) are published beside it. vars: other settings; port: the Worker's.
 */
export async function behind(t, { command, file, carrier, alg, vars = {}, port: listening }) {
  const port = await freePort();
  const audience = `http://127.0.0.1:${port}/mcp`;
  const otherAlg = alg === "ES256" ? "EdDSA" : "ES256";
  const keys = [[alg, "ours"], [alg, "next"], [otherAlg, "ours"]].map(([alg, name]) => ({ alg, kind: kindFor(alg), name }));
  const own = carrier === "secret"
    ? { ORIGIN_HEADERS: { "X-Origin-Secret": SECRET } }
    : asserting(carrier, { MCP_SERVER_AUTH_ASSERTION_KEY: keys.map(({ alg, kind, name }) => privateJwk(kind, name, { alg, use: "sig" })) });
  const s = await stage(t, { vars: { ...own, ORIGIN_URL: audience, ...vars }, port: listening });
  const server = await startServer(t, { command, file, port, env: told(carrier, audience, s.worker.url, alg) });
  const [key, next, other] = keys.map(({ kind, name }) => signingKey(kind, name));
  return Object.assign(s, { server, carrier, audience, alg, key, next, other });
}

/** Calls the tool `whoami` as an MCP client does, through the Worker: { who, protocol }. */
export async function whoami(s, token, { mode = "auto", headers = {}, path = "/mcp" } = {}) {
  const client = new Client({ name: "test", version: "1.0.0" }, { versionNegotiation: { mode } });
  const transport = new StreamableHTTPClientTransport(new URL(`${s.worker.url}${path}`), { requestInit: { headers: { ...bearer(token), ...headers } } });
  try {
    await client.connect(transport);
    const { tools } = await client.listTools();
    // Arcade puts the server's name in front.
    const { name } = tools.find((tool) => /whoami$/i.test(tool.name));
    const { isError, content } = await client.callTool({ name, arguments: {} });
    assert.ok(!isError, content[0]?.text);
    return { who: JSON.parse(content[0].text), protocol: client.getNegotiatedProtocolVersion() };
  } catch (error) {
    throw new Error(`${error.message}\nThe Worker:\n${s.worker.output()}\nThe origin:\n${s.server.output()}`, { cause: error });
  } finally {
    await client.close();
  }
}

const JSON_RPC = { "content-type": "application/json", accept: "application/json, text/event-stream" };
const PROTOCOL = "2025-11-25";

const message = (headers, body) => ({ method: "POST", path: "/mcp", headers: { ...JSON_RPC, ...headers }, body: JSON.stringify({ jsonrpc: "2.0", ...body }) });
const initialize = (headers) =>
  message(headers, { id: 1, method: "initialize", params: { protocolVersion: PROTOCOL, capabilities: {}, clientInfo: { name: "test", version: "1.0.0" } } });

/** A client's first request, to the origin's own port. */
export const direct = (s, headers) => send(s.server.port, initialize(headers));

/**
 * A session of the older revisions, opened through the Worker: { id, call(token) }; `id` is
 * undefined where there are none.
 */
export async function session({ worker, tool }, token) {
  const opened = await worker.send(initialize(bearer(token)));
  assert.equal(opened.status, 200, opened.text);
  const id = opened.get("mcp-session-id");
  const own = { "mcp-protocol-version": PROTOCOL, ...(id && { "mcp-session-id": id }) };
  const say = (user, body) => worker.send(message({ ...own, ...bearer(user) }, body));
  assert.equal((await say(token, { method: "notifications/initialized" })).status, 202);
  return { id, call: (user) => say(user, { id: 2, method: "tools/call", params: { name: tool, arguments: {} } }) };
}

/** The headers by which an assertion reaches the origin. */
export const carry = (s, assertion) => (s.carrier === "header" ? { [ASSERTION]: assertion } : bearer(assertion));

/**
 * What the Worker itself sends with a caller's request, as another origin of it saw it: { headers,
 * assertion }.
 */
export async function recorded(s, caller, over = {}) {
  const r = await s.another({ vars: { ...s.settings, ORIGIN_URL: `${s.origin.url}/mcp`, ...over } });
  assert.equal((await r.call(r.token(caller))).status, 200);
  await r.worker.stop();
  const own = r.origin.last().lines.filter(([name]) => name === "authorization" || name.startsWith("x-"));
  return { headers: Object.fromEntries(own), assertion: s.carrier === "secret" ? undefined : carried(r) };
}

/** An assertion that is as good as the Worker's, but for `claims` and `rest` (for mint()). */
export function assertion(s, claims = {}, rest = {}) {
  const now = seconds();
  const good = { iss: ISSUER, aud: s.audience, sub: "alice", exp: now + 60, iat: now, jti: "1", client_id: "client-1", scope: "mcp:read", idp: s.issuer.url };
  return mint({ key: s.key, alg: s.alg, header: { typ: "at+jwt" }, claims: { ...good, ...claims }, ...rest });
}
