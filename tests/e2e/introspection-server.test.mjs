// Opaque tokens of a real authorization server, the npm package oidc-provider: its tokens, its
// introspection endpoint, its revocation, and its signed answers (RFC 9701).
import assert from "node:assert/strict";
import http from "node:http";
import { test } from "node:test";
import Provider from "oidc-provider";
import { assertSilent, CLIENT, opaque, SECRET, told } from "./support/introspection.mjs";
import { closed, listen } from "./support/issuer.mjs";
import { signingKey } from "./support/keys.mjs";
import { minted } from "./support/mint.mjs";
import { BASE, startOrigin } from "./support/origin.mjs";
import { assertInvalid, assertUnavailable, bearer, CANONICAL, INVALID } from "./support/stage.mjs";
import { startWorker } from "./support/worker.mjs";

const rsa = signingKey("rsa", "of-the-provider");
const APP = "app";
const SCOPE = "mcp:use";

/**
 * The server, and the Worker that asks it. `format`: of access tokens. `signed`: the endpoint is
 * asked for signed answers, whatever the Worker asks for, as a gateway in between may do.
 */
async function start(t, { format = "opaque", introspection = {}, signed = false, audience = CANONICAL } = {}) {
  const server = http.createServer();
  const port = await listen(server, 0);
  t.after(() => closed(server));
  const issuer = `http://127.0.0.1:${port}`;
  const resourceServer = () => ({ scope: SCOPE, audience, accessTokenFormat: format, jwt: { sign: { alg: "RS256" } } });
  const secretly = { redirect_uris: [], response_types: [], grant_types: ["client_credentials"] };
  const provider = new Provider(issuer, {
    cookies: { keys: ["of-the-test"] },
    ttl: { AccessToken: 3600, Grant: 3600, RefreshToken: 3600 },
    jwks: { keys: [{ ...rsa.privateKey.export({ format: "jwk" }), kid: rsa.kid, use: "sig", alg: "RS256" }] },
    clients: [
      { client_id: CLIENT.id, client_secret: CLIENT.secret, introspection_signed_response_alg: "RS256", ...secretly },
      { client_id: APP, client_secret: "of-the-app", redirect_uris: ["https://app.example.com/callback"], grant_types: ["authorization_code", "refresh_token"] },
    ],
    scopes: ["openid", "offline_access", SCOPE],
    clientAuthMethods: ["client_secret_basic", "client_secret_post", "none"],
    findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      introspection: { enabled: true, allowedPolicy: (_, client) => client.clientId === CLIENT.id },
      jwtIntrospection: { enabled: true },
      revocation: { enabled: true, allowedPolicy: () => true },
      resourceIndicators: { enabled: true, defaultResource: () => CANONICAL, useGrantedResource: () => true, getResourceServerInfo: resourceServer },
    },
  });
  const handle = provider.callback();
  server.on("request", (req, res) => {
    if (signed && req.url === "/token/introspection") req.headers.accept = "application/token-introspection+jwt";
    handle(req, res);
  });
  const origin = await startOrigin(t);
  const worker = await startWorker(t, { vars: {
    MCP_SERVER_AUTH_CANONICAL_URL: CANONICAL,
    ORIGIN_URL: `${origin.url}${BASE}`,
    MCP_SERVER_AUTH_AUTHORIZATION_SERVERS: [{ authorization_server_url: issuer, introspection: { client_id: CLIENT.id, client_secret: SECRET, ...introspection } }],
    [SECRET]: CLIENT.secret,
  } });
  const app = await provider.Client.find(APP);
  const grant = new provider.Grant({ accountId: "alice", clientId: APP });
  grant.addResourceScope(CANONICAL, SCOPE);
  const grantId = await grant.save();
  const common = { accountId: "alice", client: app, grantId, gty: "authorization_code", scope: SCOPE };
  const kept = async (token) => {
    const text = await token.save();
    minted.add(text);
    return text;
  };
  const accessToken = (members = {}) => {
    const token = new provider.AccessToken({ ...common, ...members });
    token.resourceServer = new provider.ResourceServer(CANONICAL, resourceServer());
    return kept(token);
  };
  return {
    issuer, origin, worker, accessToken,
    refreshToken: () => kept(new provider.RefreshToken({ ...common, scope: SCOPE, resource: CANONICAL })),
    ask: (token) => worker.logged(() => worker.send({ method: "POST", path: "/mcp", headers: bearer(token) })),
    async revoke(token) {
      const { status } = await fetch(`${issuer}/token/revocation`, { method: "POST", body: new URLSearchParams({ token, client_id: APP, client_secret: "of-the-app" }) });
      assert.equal(status, 200);
    },
  };
}

test("its opaque tokens are accepted, and refused once they are revoked", async (t) => {
  const s = await start(t);
  const token = await s.accessToken();
  const { response, line } = await s.ask(token);
  assert.deepEqual([response.status, line.introspection, line.client], [200, "server", APP]);
  assert.deepEqual(s.origin.last().named("x-mcp-auth-"), {
    "x-mcp-auth-user-id": "alice", "x-mcp-auth-issuer": s.issuer, "x-mcp-auth-client-id": APP, "x-mcp-auth-scopes": SCOPE,
  });
  await s.revoke(token);
  const revoked = await s.ask(token);
  assertInvalid(revoked.response, INVALID);
  assert.equal(revoked.line.reason, "token_inactive");
  assertSilent(s);
});

test("with cache_seconds, a revoked token lives that long", async (t) => {
  const s = await start(t, { introspection: { cache_seconds: 60 } });
  const token = await s.accessToken();
  assert.equal((await s.ask(token)).response.status, 200);
  await s.revoke(token);
  const { response, line } = await s.ask(token);
  assert.deepEqual([response.status, line.introspection], [200, "memory"]);
});

test("its refresh tokens, which it calls active too, open nothing", async (t) => {
  const s = await start(t);
  const { response, line } = await s.ask(await s.refreshToken());
  assert.equal(response.status, 401);
  assert.equal(line.reason, "aud_missing");
});

test("its tokens for another server open nothing", async (t) => {
  const s = await start(t, { audience: "https://other.example.com/mcp" });
  assert.equal((await s.ask(await s.accessToken())).line.reason, "aud_mismatch");
});

test("its sender-constrained tokens open nothing by themselves", async (t) => {
  const s = await start(t);
  const token = await s.accessToken({ jkt: "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I" });
  const { response } = await s.ask(token);
  assert.equal(response.status, 401);
  assert.deepEqual(s.origin.seen, []);
});

test("with wrong credentials it tells nothing, and the log says so", async (t) => {
  for (const introspection of [{ client_id: "nobody" }, { auth_method: "client_secret_post", client_id: "nobody" }]) {
    const s = await start(t, { introspection });
    assertUnavailable((await s.ask(await s.accessToken())).response);
    assert.deepEqual(told(s), [{ source: s.issuer, result: "failed", detail: "status 401: it does not accept the credentials of the entry" }]);
  }
});

test("its JWTs are accepted as ever; with jwt = true, only those that it still calls active", async (t) => {
  for (const jwt of [false, true]) {
    const s = await start(t, { format: "jwt", introspection: { jwt } });
    const token = await s.accessToken();
    const { response, line } = await s.ask(token);
    // It keeps nothing of its JWTs, so it knows none.
    assert.deepEqual([response.status, line.introspection, line.reason], jwt ? [401, "server", "token_inactive"] : [200, undefined, "ok"]);
  }
});

test("its signed answers are believed", async (t) => {
  const s = await start(t, { signed: true });
  const { response, line } = await s.ask(await s.accessToken());
  assert.deepEqual([response.status, line.introspection, line.keys], [200, "server", "issuer"]);
  assert.equal(s.origin.last().header("x-mcp-auth-user-id"), "alice");
  assert.equal((await s.ask(opaque())).line.reason, "token_inactive");
  assert.equal((await s.ask(await s.refreshToken())).line.reason, "aud_missing");
});
