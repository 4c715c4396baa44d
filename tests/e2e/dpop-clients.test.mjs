// DPoP with parts of others: tokens that oidc-provider binds, and the clients that send them: the
// official TypeScript client, oauth4webapi and npm's dpop. What each of them reads in the
// challenges; what the Python SDK does, tests/origins/python.test.mjs shows.
import assert from "node:assert/strict";
import { randomBytes, randomUUID } from "node:crypto";
import { createServer } from "node:http";
import { test } from "node:test";
import { Client, ClientCredentialsProvider, DpopSession, StreamableHTTPClientTransport, extractWWWAuthenticateParams, isDpopNonceChallenge } from "@modelcontextprotocol/client";
import * as dpop from "dpop";
import * as oauth from "oauth4webapi";
import { Provider } from "oidc-provider";
import { signingKey } from "./support/keys.mjs";
import { startMcpServer } from "./support/mcp-server.mjs";
import { byDpop, challenges } from "./support/proofs.mjs";
import { CANONICAL, METADATA, stage } from "./support/stage.mjs";
import { until } from "./support/until.mjs";
import { startWorker } from "./support/worker.mjs";

const KEY = randomBytes(32).toString("base64url");
const machine = { client_id: "nightly", client_secret: randomUUID(), grant_types: ["client_credentials"], redirect_uris: [], response_types: [], scope: "mcp" };

/** oidc-provider, which binds a token to the key of the proof that it was asked for with. */
async function binder(t) {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const key = signingKey("rsa", "binder");
  const provider = new Provider(issuer, {
    clients: [machine],
    jwks: { keys: [{ ...key.privateKey.export({ format: "jwk" }), kid: key.kid, use: "sig", alg: "RS256" }] },
    scopes: ["mcp"],
    enabledJWA: { dPoPSigningAlgValues: ["ES256", "RS256", "PS256"] },
    features: {
      clientCredentials: { enabled: true },
      devInteractions: { enabled: false },
      dPoP: { enabled: true },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => CANONICAL,
        getResourceServerInfo: () => ({ audience: CANONICAL, scope: "mcp", accessTokenFormat: "jwt", jwt: { sign: { alg: "RS256" } } }),
      },
    },
  });
  server.on("request", provider.callback());
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  return issuer;
}

/** All parts; `reach` is a fetch that reaches the Worker under its public name. */
async function parts(t, entry = {}) {
  const issuer = await binder(t);
  const worker = await startWorker(t, {
    vars: {
      MCP_SERVER_AUTH_CANONICAL_URL: CANONICAL,
      MCP_SERVER_AUTH_AUTHORIZATION_SERVERS: [{ authorization_server_url: issuer, dpop: "require", dpop_nonce: true, ...entry }],
      MCP_SERVER_AUTH_DEFAULT_CHALLENGE_SCOPES: ["mcp"],
      MCP_SERVER_AUTH_DPOP_NONCE_KEY: KEY,
      ORIGIN_URL: (await startMcpServer(t, { tools: { echo: "Echo: hello" } })).url,
    },
  });
  const reach = (input, init) => fetch(String(input.url ?? input).replace(new URL(CANONICAL).origin, worker.url), init);
  return { issuer, worker, reach };
}

const reasons = (worker) => worker.lines("request").filter(({ outcome }) => outcome !== "served").map(({ reason }) => reason);
const claimsOf = (token) => JSON.parse(Buffer.from(token.split(".")[1], "base64url"));

for (const [name, entry, first] of [["with nonces", {}, "proof_nonce"], ["without", { dpop: "accept", dpop_nonce: false }, "ok"]]) {
  test(`the TypeScript client gets a bound token and calls a tool with it, ${name}`, async (t) => {
    const { issuer, worker, reach } = await parts(t, entry);
    const session = await DpopSession.create();
    const { client_id: clientId, client_secret: clientSecret } = machine;
    const provider = new ClientCredentialsProvider({ clientId, clientSecret, expectedIssuer: issuer });
    provider.dpop = () => session;
    const transport = new StreamableHTTPClientTransport(new URL(CANONICAL), { authProvider: provider, fetch: reach });
    const client = new Client({ name: "nightly", version: "1.0.0" }, { versionNegotiation: { mode: "auto" } });
    await client.connect(transport);
    t.after(() => client.close());
    const tokens = await provider.tokens();
    assert.equal(tokens.token_type, "DPoP");
    assert.equal(claimsOf(tokens.access_token).cnf.jkt, session.thumbprint);
    assert.match((await client.callTool({ name: "echo", arguments: {} })).content[0].text, /hello/);
    const seen = await until("the lines of the first three requests", () => reasons(worker).length > 2 && reasons(worker));
    assert.deepEqual(seen.slice(0, 2), ["credentials_missing", first], seen.join(" "));
    assert.deepEqual([...new Set(seen.slice(2))], ["ok"], "with the nonce nothing is refused any more");
  });
}

test("oauth4webapi and npm's dpop: a bound token, a nonce, each algorithm", async (t) => {
  const { issuer, worker, reach } = await parts(t);
  const options = { [oauth.allowInsecureRequests]: true };
  const as = await oauth.processDiscoveryResponse(new URL(issuer), await oauth.discoveryRequest(new URL(issuer), options));
  const client = { client_id: machine.client_id };
  for (const alg of ["ES256", "RS256", "PS256"]) {
    const pair = await dpop.generateKeyPair(alg);
    const handle = oauth.DPoP(client, pair);
    const asked = await oauth.clientCredentialsGrantRequest(as, client, oauth.ClientSecretBasic(machine.client_secret), { resource: CANONICAL, scope: "mcp" }, { ...options, DPoP: handle });
    const { access_token: token, token_type: type } = await oauth.processClientCredentialsResponse(as, client, asked);
    assert.equal(type, "dpop");
    assert.equal(claimsOf(token).cnf.jkt, await dpop.calculateThumbprint(pair.publicKey));
    const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "ping" });
    const headers = () => new Headers({ "content-type": "application/json", accept: "application/json, text/event-stream" });
    const call = () => oauth.protectedResourceRequest(token, "POST", new URL(CANONICAL), headers(), body, { DPoP: handle, [oauth.customFetch]: reach });
    // The library takes the challenge apart, finds the error, and keeps the nonce.
    const refused = await call().then(() => assert.fail("a nonce was wanted"), (error) => error);
    assert.ok(oauth.isDPoPNonceError(refused), refused.message);
    assert.deepEqual(refused.cause.map(({ scheme }) => scheme), ["dpop"]);
    assert.equal(refused.cause[0].parameters.resource_metadata, METADATA);
    assert.notEqual((await call()).status, 401);
    // The other library, by hand.
    const nonce = refused.response.headers.get("dpop-nonce");
    const by = async (...more) => reach(CANONICAL, { method: "POST", body, headers: { ...Object.fromEntries(headers()), authorization: `DPoP ${token}`, dpop: await dpop.generateProof(pair, CANONICAL, "POST", ...more) } });
    assert.notEqual((await by(nonce, token)).status, 401);
    for (const [more, reason] of [[[undefined, token], "proof_nonce"], [[nonce, "another"], "proof_ath"], [[nonce], "proof_ath"]]) {
      const before = reasons(worker).length;
      const response = await by(...more);
      await response.arrayBuffer();
      assert.equal(response.status, 401);
      assert.equal(await until("its line", () => reasons(worker)[before]), reason);
    }
  }
});

test("npm's dpop names EdDSA by its new name, Ed25519 (RFC 9864), which oidc-provider does not know yet", async (t) => {
  const s = await stage(t, { entry: { dpop: "accept" } });
  const pair = await dpop.generateKeyPair("Ed25519");
  const token = s.token({ cnf: { jkt: await dpop.calculateThumbprint(pair.publicKey) } });
  const shown = await dpop.generateProof(pair, CANONICAL, "POST", undefined, token);
  assert.equal((await s.ask(undefined, { headers: byDpop(token, shown) })).line.reason, "ok");
});

test("what clients read in the challenges", async (t) => {
  for (const use of ["accept", "require"]) {
    for (const { name, response, error } of await challenges(t, use)) {
      const line = response.headers.get("www-authenticate");
      const schemes = use === "accept" ? ["bearer", "dpop"] : ["dpop"];
      const wantsNonce = error === "use_dpop_nonce";
      // The official client, 2.x: discovery, step-up and the retry for a nonce.
      const read = extractWWWAuthenticateParams(response);
      assert.deepEqual([String(read.resourceMetadataUrl), read.scope, read.error], [METADATA, "mcp", error], `${use}, ${name}: ${line}`);
      assert.equal(isDpopNonceChallenge(response), wantsNonce, line);
      assert.equal(response.headers.has("dpop-nonce"), wantsNonce);
      // oauth4webapi, by the grammar of RFC 9110.
      const challenged = await oauth.protectedResourceRequest("x", "POST", new URL(CANONICAL), undefined, undefined, { [oauth.customFetch]: async () => response }).catch((caught) => caught);
      assert.deepEqual(challenged.cause?.map(({ scheme }) => scheme), schemes, line);
      const [first, last] = [challenged.cause[0].parameters, challenged.cause.at(-1).parameters];
      assert.equal(first.resource_metadata, METADATA);
      assert.match(last.algs, /^ES256 EdDSA /);
      assert.equal([first, last].find((parameters) => parameters.error)?.error, error);
    }
  }
});
