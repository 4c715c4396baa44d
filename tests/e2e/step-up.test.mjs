// Step-up with real parts: the official TypeScript client, the demo's authorization server, the
// built Worker with a policy, and behind it the MCP project's own server (protocol 2025-11-25) or
// one of 2026-07-28. The client logs in with the scope of the entry challenge, is refused one tool,
// reads from the challenge what that takes, gets it, and calls the tool.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { createServer } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { Client, ClientCredentialsProvider, StreamableHTTPClientTransport, UnauthorizedError } from "@modelcontextprotocol/client";
import { startAuthorizationServer } from "../../demo/authorization-server.mjs";
import { connect, logIn } from "../../demo/client.mjs";
import { ROOT } from "./support/bundle.mjs";
import { send } from "./support/http.mjs";
import { startMcpServer } from "./support/mcp-server.mjs";
import { CANONICAL, METADATA, challenge } from "./support/stage.mjs";
import { bounded, until } from "./support/until.mjs";
import { startWorker } from "./support/worker.mjs";

const POLICY = {
  required_scopes: ["mcp"],
  rules: [{ methods: ["tools/call"], names: ["get-sum"], scopes: ["tools:write"] }],
};
const START_MS = 30_000;
const FREE = { name: "echo", arguments: { message: "hello" } };
const GUARDED = { name: "get-sum", arguments: { a: 20, b: 22 } };

async function freePort() {
  const server = createServer();
  await new Promise((resolve, reject) => server.once("error", reject).listen(0, "127.0.0.1", resolve));
  const { port: found } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return found;
}

/** The MCP project's own server, as the demo starts it. */
async function everything(t) {
  const own = await freePort();
  const child = spawn(process.execPath, [join(ROOT, "demo", "origin.mjs")], { cwd: ROOT, env: { PATH: process.env.PATH, PORT: String(own) }, stdio: "ignore" });
  const ended = new Promise((resolve) => child.once("close", resolve));
  t.after(() => {
    child.kill("SIGKILL");
    return bounded("the origin's end", ended);
  });
  await until("the origin's first answer", () => send(own, { path: "/mcp" }).then(() => true, () => false), START_MS);
  return `http://127.0.0.1:${own}/mcp`;
}

const modern = async (t) => (await startMcpServer(t, { tools: { echo: "Echo: hello", "get-sum": "The sum is 42." } })).url;

/**
 * Authorization server, origin and Worker; `fetch` reaches the Worker under its public name, and
 * keeps what it refused.
 */
async function parts(t, origin) {
  const machine = { client_id: "nightly", client_secret: randomUUID(), grant_types: ["client_credentials"], redirect_uris: [], response_types: [] };
  const port = await freePort();
  const server = await startAuthorizationServer({ port, resource: CANONICAL, scopes: ["mcp", "tools:write"], clients: [machine] });
  t.after(() => server.close());
  const worker = await startWorker(t, {
    vars: {
      MCP_SERVER_AUTH_CANONICAL_URL: CANONICAL,
      MCP_SERVER_AUTH_AUTHORIZATION_SERVERS: [{ authorization_server_url: server.issuer }],
      MCP_SERVER_AUTH_DEFAULT_CHALLENGE_SCOPES: ["mcp"],
      MCP_SERVER_AUTH_POLICY: POLICY,
      ORIGIN_URL: await origin(t),
    },
  });
  const refused = [];
  const reach = async (input, init) => {
    const response = await fetch(String(input).replace(new URL(CANONICAL).origin, worker.url), init);
    if (response.status === 403) refused.push({ response: response.clone(), request: JSON.parse(init.body), headers: new Headers(init.headers) });
    return response;
  };
  return { issuer: server.issuer, machine, worker, refused, reach };
}

const claimsOf = (token) => JSON.parse(Buffer.from(token.split(".")[1], "base64url"));
/** Without offline_access, which is the client's own wish: a refresh token. */
const sorted = (scope) => scope.split(" ").filter((one) => one !== "offline_access").sort();
const askedOf = ({ authorizationUrl }) => sorted(new URL(authorizationUrl).searchParams.get("scope"));
const scopesOf = (tokens) => sorted(claimsOf(tokens.access_token).scope);

/** What the Worker refused: once, the guarded call, with everything that a client needs. */
async function assertChallenged({ refused, worker }, protocol) {
  assert.equal(refused.length, 1, "one refusal, one challenge");
  const [{ response, request, headers }] = refused;
  assert.equal(request.params.name, GUARDED.name);
  assert.equal(headers.get("mcp-protocol-version"), protocol);
  assert.equal(headers.get("mcp-name"), protocol === "2025-11-25" ? null : GUARDED.name);
  assert.equal(response.headers.get("www-authenticate"), challenge({ metadata: METADATA, error: "insufficient_scope", scope: "mcp tools:write" }));
  const body = await response.json();
  assert.deepEqual([body.jsonrpc, body.id, typeof body.error.code], ["2.0", request.id, "number"]);
  const line = await until("its log line", () => worker.lines("request").find(({ status }) => status === 403));
  assert.deepEqual([line.outcome, line.rpc_method, line.rpc_name], ["refused", "tools/call", GUARDED.name]);
}

for (const [protocol, origin] of [["2025-11-25", everything], ["2026-07-28", modern]]) {
  test(`${protocol}: a user's client asks the authorization server for the wider scope by itself, and the call succeeds`, async (t) => {
    const p = await parts(t, origin);
    const { client, transport, provider, tokens } = await connect(CANONICAL, { user: "alice", fetch: p.reach });
    t.after(() => client.close());
    assert.deepEqual(askedOf(provider), ["mcp"], "the entry challenge's scope");
    assert.deepEqual(scopesOf(tokens), ["mcp"]);
    assert.match((await client.callTool(FREE)).content[0].text, /hello/);

    await assert.rejects(client.callTool(GUARDED), UnauthorizedError, "it needs its user, and has already said for what:");
    assert.deepEqual(askedOf(provider), ["mcp", "tools:write"]);
    await assertChallenged(p, protocol);
    const callback = await logIn(provider.authorizationUrl, { user: "alice" });
    await transport.finishAuth(callback.searchParams);
    assert.deepEqual(scopesOf(provider.tokens()), ["mcp", "tools:write"]);
    assert.match((await client.callTool(GUARDED)).content[0].text, /42/);
    assert.match((await client.callTool(FREE)).content[0].text, /hello/, "what it could do before, it still can");
    assert.equal(p.refused.length, 1);
  });

  test(`${protocol}: a client without a user steps up within one call`, async (t) => {
    const p = await parts(t, origin);
    const { client_id: clientId, client_secret: clientSecret } = p.machine;
    const provider = new ClientCredentialsProvider({ clientId, clientSecret, expectedIssuer: p.issuer });
    const transport = new StreamableHTTPClientTransport(new URL(CANONICAL), { authProvider: provider, fetch: p.reach });
    const client = new Client({ name: "nightly", version: "1.0.0" }, { versionNegotiation: { mode: "auto" } });
    await client.connect(transport);
    t.after(() => client.close());
    assert.deepEqual(scopesOf(provider.tokens()), ["mcp"], "the entry challenge's scope");
    assert.match((await client.callTool(FREE)).content[0].text, /hello/);
    assert.match((await client.callTool(GUARDED)).content[0].text, /42/);
    await assertChallenged(p, protocol);
    assert.deepEqual(scopesOf(provider.tokens()), ["mcp", "tools:write"]);
  });
}
