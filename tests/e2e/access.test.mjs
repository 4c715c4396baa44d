// `token_from = "cf-access"`: behind Cloudflare Access only its assertion is a credential, on
// whatever way a request comes, and nothing of Access reaches the origin.
import assert from "node:assert/strict";
import { test } from "node:test";
import { WebSocketServer } from "ws";
import { doctor, inFront, OWN, speaks } from "./support/doctor.mjs";
import { raw } from "./support/http.mjs";
import { signingKey } from "./support/keys.mjs";
import { mint, seconds } from "./support/mint.mjs";
import { BASE, startOrigin } from "./support/origin.mjs";
import { assertUnauthorized, bearer, CANONICAL, entryFor, stage } from "./support/stage.mjs";

const AUD = "0".repeat(63) + "1";
const ISS = "https://example.cloudflareaccess.com";
const HEADER = "cf-access-jwt-assertion";
const rsa = signingKey("rsa");
const access = (issuer, over = {}) => ({ provider: "cloudflare-access", team: "example", jwks_uri: `${issuer.url}/jwks`, expected_audiences: [AUD], token_from: "cf-access", ...over });

/** The Worker behind Access, for people and for service tokens. */
async function behind(t, rest = {}) {
  const s = await stage(t, { keys: [rsa], entries: (issuer) => [access(issuer), access(issuer, { subject: "common_name" })], ...rest });
  s.assertion = (claims = {}, more = {}) => mint({ key: rsa, claims: { iss: ISS, aud: [AUD], type: "app", sub: "user-1", email: "u@example.com", iat: seconds() - 10, exp: seconds() + 600, ...claims }, ...more });
  /** What comes of a request with these headers. */
  s.with = (headers) => s.ask(undefined, { headers });
  return s;
}

test("the assertion is the credential, and nothing else is", async (t) => {
  const s = await behind(t);
  const good = s.assertion();
  const rows = [
    ["a user", { [HEADER]: good }, "ok"],
    ["a service token", { [HEADER]: s.assertion({ sub: "", common_name: "e3.access", email: undefined }) }, "ok"],
    ["both headers: only the assertion counts", { [HEADER]: good, ...bearer("not.a.token") }, "ok"],
    ["managed OAuth's opaque token beside it", { [HEADER]: good, authorization: "Bearer oauth:CvNoo" }, "ok"],
    ["both headers, and the assertion is bad", { [HEADER]: s.assertion({ exp: 1 }), ...bearer(good) }, "token_expired"],
    ["Authorization only", bearer(good), "access_assertion_missing"],
    ["a route without Access", {}, "access_assertion_missing"],
    ["an empty header", { [HEADER]: "" }, "access_assertion_missing"],
    ["the cookie only", { cookie: `CF_Authorization=${good}` }, "access_assertion_missing"],
    ["another header of Access", { "cf-access-token": good }, "access_assertion_missing"],
    ["another spelling", { cf_access_jwt_assertion: good }, "access_assertion_missing"],
    ["two lines", { [HEADER]: [good, good] }, "credentials_malformed"],
    ["with a scheme", { [HEADER]: `Bearer ${good}` }, "credentials_malformed"],
    ["forged: another key", { [HEADER]: s.assertion({}, { key: signingKey("rsa", "stranger"), header: { kid: rsa.kid } }) }, "signature_invalid"],
    ["forged: an unknown key", { [HEADER]: s.assertion({}, { key: signingKey("rsa", "stranger") }) }, "kid_unknown"],
    ["forged: no algorithm", { [HEADER]: s.assertion({}, { header: { alg: "none" } }) }, "alg_not_allowed"],
    ["another application's audience", { [HEADER]: s.assertion({ aud: ["f".repeat(64)] }) }, "aud_mismatch"],
    ["for the canonical URL", { [HEADER]: s.assertion({ aud: CANONICAL }) }, "aud_mismatch"],
    ["another team's", { [HEADER]: s.assertion({ iss: "https://other.cloudflareaccess.com" }) }, "issuer_untrusted"],
    ["a session of the whole team", { [HEADER]: s.assertion({ type: "org" }) }, "claim_mismatch"],
    ["nobody's", { [HEADER]: s.assertion({ sub: "" }) }, "sub_missing"],
  ];
  let forwarded = 0;
  for (const [name, headers, reason] of rows) {
    const { response, line } = await s.with(headers);
    assert.equal(line.reason, reason, name);
    if (reason === "ok") forwarded += 1;
    else if (/^(access|credentials)/.test(reason)) assertUnauthorized(response, { metadata: null });
    else assert.deepEqual([response.status, response.json().error], [401, "invalid_token"], name);
    assert.equal(s.origin.seen.length, forwarded, name);
  }
  const names = s.origin.seen.map(({ header }) => header("x-mcp-auth-user-id"));
  assert.deepEqual(names, ["user-1", "e3.access", "user-1", "user-1"]);
  assert.equal(s.origin.seen[1].header("x-mcp-auth-client-id"), "e3.access");
});

test("nothing of Access reaches the origin, and other cookies do", async (t) => {
  const s = await behind(t);
  const good = s.assertion();
  const of = ["cf-access-client-id", "cf-access-client-secret", "cf-access-token", "cf-access-authenticated-user-email", "CF_Access_Jwt_Assertion", "cf.access.jwt.assertion"];
  const headers = { [HEADER]: good, ...bearer("a.b.c"), ...Object.fromEntries(of.map((name) => [name, "secret"])), "cf-ray": "ray" };
  for (const [sent, kept] of [
    [undefined, undefined],
    ["a=1; b=2", "a=1; b=2"],
    [`CF_Authorization=${good}`, undefined],
    [`a=1; CF_Authorization=${good}; CF_AppSession=x`, "a=1; CF_AppSession=x"],
    [`CF_Binding=y; a=1, CF_Authorization=${good}`, "a=1"],
    [[`a=1; CF_Authorization=${good}`, `CF_Authorization=${good}; b=2`], /^a=1[;,] b=2$/],
  ]) {
    const { response } = await s.with({ ...headers, ...(sent && { cookie: sent }) });
    assert.equal(response.status, 200, response.text);
    const seen = s.origin.last();
    if (kept instanceof RegExp) assert.match(seen.header("cookie"), kept);
    else assert.equal(seen.header("cookie"), kept, JSON.stringify(sent));
    const all = JSON.stringify(seen);
    assert.ok(!all.includes(good) && !all.includes("secret") && !/cf.access/i.test(all), all);
    assert.deepEqual([seen.header("authorization"), seen.header("cf-ray")], [undefined, "ray"]);
  }
});

test("cookies that the operator sets, or that are for this connection only", async (t) => {
  const s = await behind(t, { vars: { ORIGIN_HEADERS: { Cookie: "own=1", "CF-Access-Client-Id": "ours" } } });
  const good = s.assertion();
  const cookie = `a=1; CF_Authorization=${good}`;
  assert.equal((await s.with({ [HEADER]: good, cookie })).response.status, 200);
  assert.deepEqual(["cookie", "cf-access-client-id"].map((name) => s.origin.last().header(name)), ["own=1", "ours"]);
  const plain = await behind(t);
  assert.equal((await plain.with({ [HEADER]: plain.assertion(), cookie, connection: "close, cookie" })).response.status, 200);
  assert.equal(plain.origin.last().header("cookie"), undefined);
});

test("a page of another site cannot act with its visitor's Access cookie", async (t) => {
  const s = await behind(t);
  const good = { [HEADER]: s.assertion() };
  const own = new URL(CANONICAL).origin;
  const evil = { origin: "https://evil.example", "sec-fetch-site": "cross-site" };
  const rows = [
    ["no-cors POST of a page", {}, { ...evil, "content-type": "text/plain" }, "origin_not_allowed"],
    ["POST of an old browser's page", {}, { origin: evil.origin }, "origin_not_allowed"],
    ["POST of a sandbox", {}, { origin: "null" }, "origin_not_allowed"],
    ["POST of the next host", {}, { origin: "https://other.example.com", "sec-fetch-site": "same-site" }, "origin_not_allowed"],
    ["an image or a link", { method: "GET" }, { "sec-fetch-site": "cross-site" }, "origin_not_allowed"],
    ["a link at the next host", { method: "GET" }, { "sec-fetch-site": "same-site" }, "origin_not_allowed"],
    ["two lines", { method: "GET" }, { "sec-fetch-site": ["none", "cross-site"] }, "origin_not_allowed"],
    ["a user's own navigation", { method: "GET" }, { "sec-fetch-site": "none" }, "ok"],
    ["its own page", {}, { origin: own, "sec-fetch-site": "same-origin" }, "ok"],
    ["its own page, by GET", { method: "GET" }, { "sec-fetch-site": "same-origin" }, "ok"],
    ["no browser", {}, {}, "ok"],
    ["no browser, by GET", { method: "GET" }, {}, "ok"],
  ];
  let forwarded = 0;
  for (const [name, head, headers, reason] of rows) {
    const { response, line } = await s.ask(undefined, { ...head, headers: { ...good, ...headers } });
    assert.deepEqual([response.status, line.reason], [reason === "ok" ? 200 : 403, reason], name);
    assert.equal(response.get("access-control-allow-credentials"), undefined, name);
    if (headers.origin) assert.equal(response.get("access-control-allow-origin"), reason === "ok" ? own : undefined, name);
    forwarded += reason === "ok" ? 1 : 0;
    assert.equal(s.origin.seen.length, forwarded, name);
  }
  const preflight = await s.call(undefined, { method: "OPTIONS", headers: { origin: evil.origin, "access-control-request-method": "POST" } });
  assert.deepEqual(["origin", "credentials"].map((what) => preflight.get(`access-control-allow-${what}`)), [undefined, undefined]);
});

test("a page of another site opens no WebSocket, and its own page does", async (t) => {
  const s = await behind(t);
  const sockets = new WebSocketServer({ noServer: true });
  s.origin.server.on("upgrade", (req, socket, head) => sockets.handleUpgrade(req, socket, head, (client) => client.on("error", () => {})));
  t.after(() => sockets.clients.forEach((client) => client.terminate()));
  const open = async (origin) => {
    const head = ["GET /mcp HTTP/1.1", "Host: x", `${HEADER}: ${s.assertion()}`, ...origin, "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="];
    return (await raw(s.worker.port, `${head.join("\r\n")}\r\n\r\n`)).status;
  };
  assert.equal(await open(["Origin: https://evil.example", "Sec-Fetch-Site: cross-site"]), 403);
  assert.equal(await open(["Origin: https://evil.example"]), 403);
  assert.equal(await open([`Origin: ${new URL(CANONICAL).origin}`, "Sec-Fetch-Site: same-origin"]), 101);
  assert.equal(await open([]), 101);
});

test("which pages may call: a list, and never all of them", async (t) => {
  const s = await behind(t, { vars: { MCP_SERVER_AUTH_ALLOWED_ORIGINS: "https://app.example.com" } });
  const of = (origin) => s.with({ [HEADER]: s.assertion(), origin, "sec-fetch-site": "cross-site" });
  assert.equal((await of("https://app.example.com")).line.reason, "ok");
  assert.equal((await of(new URL(CANONICAL).origin)).line.reason, "origin_not_allowed");
  const all = await behind(t, { vars: { MCP_SERVER_AUTH_ALLOWED_ORIGINS: "*" } });
  assert.equal((await all.call(undefined, { headers: { [HEADER]: all.assertion() } })).status, 503);
  assert.equal(all.origin.seen.length, 0);
});

test("a server beside one that is behind Access gets nothing of Access either", async (t) => {
  const beside = await startOrigin(t);
  const s = await behind(t, {
    vars: (issuer, origin) => ({
      MCP_SERVER_AUTH_CANONICAL_URL: undefined,
      MCP_SERVER_AUTH_AUTHORIZATION_SERVERS: undefined,
      ORIGIN_URL: undefined,
      MCP_SERVER_AUTH_RESOURCES: [
        { canonical_url: CANONICAL, origin_url: `${origin.url}${BASE}`, authorization_servers: [access(issuer)] },
        { canonical_url: "https://mcp.example.com/other", origin_url: `${beside.url}${BASE}`, authorization_servers: [entryFor(issuer)] },
      ],
    }),
  });
  const token = s.token({ aud: "https://mcp.example.com/other" });
  const headers = { host: "mcp.example.com", [HEADER]: "secret", "cf-access-client-secret": "secret", cookie: "a=1; CF_Authorization=secret", origin: "https://app.example.com", "sec-fetch-site": "cross-site" };
  // Its own credential is in a header, which no page has by a cookie.
  const { response } = await s.ask(token, { path: "/other", headers });
  assert.equal(response.status, 200, response.text);
  assert.equal(beside.last().header("cookie"), "a=1");
  const all = JSON.stringify(beside.last());
  assert.ok(!all.includes("secret") && !/cf.access/i.test(all), all);
  const refused = await s.ask(undefined, { headers: { ...headers, [HEADER]: s.assertion() } });
  assert.equal(refused.line.reason, "origin_not_allowed");
});

test("without the setting the header of Access is none, and goes on as ever", async (t) => {
  const s = await stage(t, { keys: [rsa], entries: (issuer) => [access(issuer, { token_from: undefined })] });
  const token = mint({ key: rsa, claims: { iss: ISS, aud: [AUD], type: "app", sub: "user-1", exp: seconds() + 600 } });
  const { response, line } = await s.ask(undefined, { headers: { [HEADER]: token } });
  assert.equal(line.reason, "credentials_missing");
  assertUnauthorized(response, { metadata: null });
  assert.equal((await s.ask(token, { headers: { [HEADER]: "x", cookie: "CF_Authorization=y" } })).response.status, 200);
  assert.deepEqual([HEADER, "cookie"].map((name) => s.origin.last().header(name)), ["x", "CF_Authorization=y"]);
});

test("the doctor knows that Access answers before the Worker", async (t) => {
  const s = await behind(t, { vars: OWN });
  speaks(s.origin);
  const token = s.assertion();
  // Around Access: the Worker itself refuses.
  const around = await doctor(t, s.settings, { url: s.worker.url });
  assert.match(around.line("FAIL", "deployment.access").says, /answered by the Worker itself: Access is not in front of it$/);
  /** Access in front, with managed OAuth or with a login page. */
  const inFrontOf = (managed) => inFront(t, s.worker.port, (req, answer) => {
    if (req.headers["cf-access-token"]) return;
    answer.body = Buffer.from("{}");
    answer.status = managed ? 401 : 302;
    answer.headers = managed ? { "www-authenticate": 'Bearer resource_metadata="https://mcp.acme.test/.well-known/oauth-protected-resource"' } : { location: `${ISS}/cdn-cgi/access/login/mcp.acme.test` };
    if (managed && req.url === "/.well-known/oauth-authorization-server") {
      answer.status = 200;
      answer.headers = { "content-type": "application/json" };
      answer.body = Buffer.from(JSON.stringify({ issuer: ISS, authorization_endpoint: `${ISS}/a`, token_endpoint: `${ISS}/t` }));
    }
  });
  const managed = await doctor(t, s.settings, { url: await inFrontOf(true), token });
  assert.match(managed.line("ok", "deployment.access").says, /^Access answers .*, and tells clients where to log in$/);
  assert.match(managed.line("ok", "deployment.metadata").says, /^Access itself answers discovery, at /);
  assert.match(managed.line("ok", "deployment.token").says, /accepts the token/);
  assert.equal(managed.code, 0, managed.shown);
  const page = await doctor(t, s.settings, { url: await inFrontOf(false) });
  assert.match(page.line("warn", "deployment.access").todo, /Managed OAuth/);
  assert.match(page.line("warn", "deployment.metadata").says, /tells of no login$/);
});
