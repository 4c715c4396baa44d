// The compatibility switches, over the wire: off by default, each alone, and none of them lets
// anybody in.
import assert from "node:assert/strict";
import { test } from "node:test";
import { open, send, whole } from "./support/http.mjs";
import { reply } from "./support/issuer.mjs";
import { assertInvalid, assertOwn, assertUnauthorized, bearer, challenge, stage } from "./support/stage.mjs";
import { bounded, until } from "./support/until.mjs";
import { testClock } from "./support/worker.mjs";

const WELL_KNOWN = "/.well-known/oauth-authorization-server";
const PLACES = [WELL_KNOWN, `${WELL_KNOWN}/mcp`, `${WELL_KNOWN}/mcp/`];
const switched = (words, vars = {}) => ({ vars: { MCP_SERVER_AUTH_COMPATIBILITY: words, ...vars } });

// As it may come: blanks, an order, members that we know nothing of.
const document = (issuer) => `{ "authorization_endpoint": "${issuer}/authorize",\n "issuer": "${issuer}", "x": [1.0, "\\u00e9"] }`;

test("off: there is no copy, the challenge has no error, Accept goes through", async (t) => {
  const s = await stage(t);
  for (const path of PLACES) assert.equal((await s.worker.send({ path })).status, 404);
  assertUnauthorized(await s.worker.send({ method: "POST", path: "/mcp" }));
  await s.call(s.token(), { headers: { accept: "*/*" } });
  assert.equal(s.origin.last().header("accept"), "*/*");
  assert.equal(s.issuer.hits(WELL_KNOWN), 0);
});

test("a copy of the authorization server's metadata, byte for byte, asked for once", async (t) => {
  const s = await stage(t, switched("authorization-server-metadata"));
  s.issuer.on(WELL_KNOWN, reply.text(document(s.issuer.url)));
  for (const path of PLACES) {
    const { response, line } = await s.worker.logged(() => send(s.worker.port, { path, headers: { origin: "https://any.example" } }));
    assert.deepEqual([response.status, response.text], [200, document(s.issuer.url)]);
    assert.deepEqual([response.get("content-type"), response.get("cache-control"), response.get("access-control-allow-origin")], ["application/json", "public, max-age=600", "*"]);
    assert.deepEqual([line.outcome, line.reason, line.status], ["served", "authorization_server_metadata", 200]);
  }
  const head = await s.worker.send({ method: "HEAD", path: WELL_KNOWN });
  assert.deepEqual([head.status, head.text], [200, ""]);
  assert.equal((await s.worker.send({ method: "OPTIONS", path: WELL_KNOWN, headers: { origin: "https://any.example" } })).status, 204);
  assertOwn(await s.worker.send({ method: "POST", path: WELL_KNOWN }), 405, { error: "method_not_allowed" });
  assert.equal(s.issuer.hits(WELL_KNOWN), 1);
  assert.equal(s.issuer.hits("/jwks"), 0);
  const { headers } = s.issuer.log[0];
  assert.deepEqual([headers.authorization, headers.origin, headers.cookie], [undefined, undefined, undefined]);
  assert.equal(s.origin.seen.length, 0);
});

test("it is fetched again after ten minutes, and serves on while that fails", async (t) => {
  const clock = testClock();
  const s = await stage(t, { ...switched("authorization-server-metadata"), clock });
  s.issuer.on(WELL_KNOWN, reply.text(document(s.issuer.url)));
  const got = async () => (await s.worker.send({ path: WELL_KNOWN })).status;
  assert.equal(await got(), 200);
  clock.forward(599);
  assert.deepEqual([await got(), s.issuer.hits(WELL_KNOWN)], [200, 1]);
  s.issuer.on(WELL_KNOWN, reply.status(500));
  clock.forward(2);
  assert.deepEqual([await got(), s.issuer.hits(WELL_KNOWN)], [200, 2]);
  assert.deepEqual([await got(), s.issuer.hits(WELL_KNOWN)], [200, 2], "not tried again so soon");
  clock.forward(24 * 3600);
  assert.deepEqual([await got(), s.issuer.hits(WELL_KNOWN)], [503, 3], "too old to be served");
  clock.forward(15);
  s.issuer.on(WELL_KNOWN, reply.text(document(s.issuer.url)));
  assert.equal(await got(), 200);
});

test("OpenID Connect metadata serves where there is no RFC 8414 document", async (t) => {
  const s = await stage(t, switched("authorization-server-metadata"));
  s.issuer.on("/.well-known/openid-configuration", reply.text(document(s.issuer.url)));
  assert.equal((await s.worker.send({ path: WELL_KNOWN })).text, document(s.issuer.url));
});

const UNUSABLE = [
  ["no document", undefined],
  ["500", reply.status(500)],
  ["HTML", reply.html()],
  ["another issuer's", reply.json({ issuer: "https://other.example.com" })],
  ["the issuer with a slash more", (req, res) => reply.json({ issuer: `http://${req.headers.host}/` })(req, res)],
  ["duplicate members", (req, res) => reply.text(`{"issuer":"x","issuer":"http://${req.headers.host}"}`)(req, res)],
  ["a redirect to a good one", reply.redirect("/moved")],
  ["a body without an end", reply.endless()],
  ["a reset", reply.reset()],
];

for (const [name, answer] of UNUSABLE) {
  test(`no copy is served of what cannot be used, and tokens are verified all the same: ${name}`, async (t) => {
    const s = await stage(t, switched("authorization-server-metadata"));
    if (answer) s.issuer.on(WELL_KNOWN, answer);
    s.issuer.on("/moved", reply.text(document(s.issuer.url)));
    const { response, line } = await s.worker.logged(() => send(s.worker.port, { path: WELL_KNOWN }));
    assertOwn(response, 503, { error: "temporarily_unavailable" });
    assert.match(response.get("retry-after"), /^([1-9]|1[0-5])$/);
    assert.deepEqual([response.get("access-control-allow-origin"), response.all("www-authenticate")], ["*", []]);
    assert.deepEqual([line.outcome, line.reason], ["refused", "metadata_unavailable"]);
    assert.equal(s.worker.lines("copy").length, 1, "the operator is told why");
    assert.equal((await s.worker.send({ path: WELL_KNOWN })).status, 503);
    assert.equal(s.issuer.hits(WELL_KNOWN), 1, "however many ask, the issuer is asked once");
    assert.equal(s.issuer.hits("/moved"), 0);
    assert.equal((await s.call(s.token())).status, 200);
  });
}

test("many who ask at once are one question, and keys are not waited for behind it", async (t) => {
  const s = await stage(t, switched("authorization-server-metadata"));
  const held = reply.held((req, res) => reply.text(document(s.issuer.url))(req, res));
  s.issuer.on(WELL_KNOWN, held);
  const asking = Array.from({ length: 20 }, () => send(s.worker.port, { path: WELL_KNOWN }));
  await until("the question", () => s.issuer.hits(WELL_KNOWN) === 1);
  assert.equal((await send(s.worker.port, { method: "POST", path: "/mcp", headers: bearer(s.token()) })).status, 200);
  held.release();
  for (const response of await Promise.all(asking)) assert.deepEqual([response.status, response.text], [200, document(s.issuer.url)]);
  assert.equal(s.issuer.hits(WELL_KNOWN), 1);
});

test("a client that leaves while it is fetched leaves the answer to those who come later", async (t) => {
  const s = await stage(t, switched("authorization-server-metadata"));
  const held = reply.held((req, res) => reply.text(document(s.issuer.url))(req, res));
  s.issuer.on(WELL_KNOWN, held);
  const first = open(s.worker.port, { path: WELL_KNOWN });
  first.request.on("error", () => {}).end();
  await until("the question", () => s.issuer.hits(WELL_KNOWN) === 1);
  const closed = new Promise((resolve) => first.request.once("close", resolve));
  first.request.destroy();
  await bounded("the client's end", closed);
  await send(s.worker.port, { path: "/healthz" });
  held.release();
  const second = await send(s.worker.port, { path: WELL_KNOWN });
  assert.deepEqual([second.status, second.text], [200, document(s.issuer.url)]);
  assert.equal(s.issuer.hits(WELL_KNOWN), 1, "it is the same fetch");
});

test("the challenge has an error without a token, too, and a refused token's stays as it is", async (t) => {
  const s = await stage(t, switched("invalid-token-challenge", { MCP_SERVER_AUTH_DEFAULT_CHALLENGE_SCOPES: "mcp" }));
  const scope = "mcp";
  for (const headers of [{}, { authorization: "Bearer" }, { authorization: "Basic YTpi" }, { accept: "text/html" }]) {
    for (const method of ["GET", "POST"]) {
      const response = await s.worker.send({ method, path: "/mcp", headers });
      assert.equal(response.status, 401);
      assert.deepEqual(response.all("www-authenticate"), [challenge({ error: "invalid_token", scope })]);
    }
  }
  assertInvalid(await s.call("a.b.c"), "The access token is malformed", { scope });
  assert.equal((await s.call(s.token())).status, 200);
});

const BOTH = "application/json, text/event-stream";
// name, the request, what the origin sees
const ACCEPTS = [
  ["a wildcard", { headers: { accept: "*/*" } }, BOTH],
  ["none", {}, BOTH],
  ["only one", { headers: { accept: "application/json" } }, BOTH],
  ["both, in their own way", { headers: { accept: "text/event-stream;q=0.5,application/json" } }, "text/event-stream;q=0.5,application/json"],
  ["a slash at the end", { path: "/mcp/", headers: { accept: "*/*" } }, BOTH],
  ["below the endpoint", { path: "/mcp/below", headers: { accept: "*/*" } }, "*/*"],
  ["GET", { method: "GET", headers: { accept: "*/*" } }, "*/*"],
  ["DELETE", { method: "DELETE", headers: { accept: "*/*" } }, "*/*"],
];

test("Accept is repaired for messages to the endpoint, and the identity stays", async (t) => {
  const s = await stage(t, switched("accept-header"));
  for (const [name, head, expected] of ACCEPTS) {
    assert.equal((await s.call(s.token(), { body: head.method ? undefined : "{}", ...head })).status, 200, name);
    assert.equal(s.origin.last().header("accept"), expected, name);
    assert.equal(s.origin.last().header("x-mcp-auth-user-id"), "user-1", name);
    assert.equal(s.origin.last().header("authorization"), undefined, name);
  }
  assertUnauthorized(await s.worker.send({ method: "POST", path: "/mcp", headers: { accept: "*/*" } }));
});

test("Accept is repaired where a policy reads the body and filters lists, and where nobody is logged in", async (t) => {
  const policy = { rules: [{ methods: ["tools/call"], names: ["secret_*"], scopes: ["secret"] }], filter_lists: true, anonymous_methods: ["ping"] };
  const s = await stage(t, switched("accept-header", { MCP_SERVER_AUTH_POLICY: policy }));
  const post = (method, token) => s.call(token, { body: JSON.stringify({ jsonrpc: "2.0", id: 1, method }), headers: { accept: "*/*", "content-type": "application/json" } });
  for (const [method, token] of [["tools/list", s.token()], ["ping", undefined]]) {
    await post(method, token);
    assert.equal(s.origin.last().header("accept"), BOTH, method);
  }
  assert.equal(s.origin.seen.at(-2).header("accept-encoding"), "identity");
  assert.equal(s.origin.seen.at(-2).header("x-mcp-auth-user-id"), "user-1");
  assert.deepEqual(s.origin.last().named("x-mcp-auth-"), {});
});
