// `doctor --url URL --token FILE`: what a client gets with a good token, from the built
// Worker and from the server behind it. No line is `ok` where a client fails.
import assert from "node:assert/strict";
import { test } from "node:test";
import { asserting } from "./support/assertion.mjs";
import { doctor, offer, OWN, speaks } from "./support/doctor.mjs";
import { reply } from "./support/issuer.mjs";
import { BASE } from "./support/origin.mjs";
import { CANONICAL, stage } from "./support/stage.mjs";

/** A stage whose origin speaks MCP. */
async function staged(t, options = {}) {
  const s = await stage(t, { entries: (issuer) => [{ authorization_server_url: issuer.url }], ...options });
  offer(s.issuer);
  speaks(s.origin);
  s.doctor = (more = {}) => doctor(t, s.settings, { url: s.worker.url, token: s.token(), ...more });
  return s;
}

const rpc = (message) => reply.json({ jsonrpc: "2.0", id: 1, ...message });
const mcp = () => rpc({ result: {} });
const rpcError = (status, code, message) => reply.status(status, { jsonrpc: "2.0", id: 1, error: { code, message } });
const tokenLines = (found) => found.lines.filter(({ check }) => check === "deployment.token");

// A name, the server's answer, the level, what the line says, what to do.
const ANSWERS = [
  ["a result", mcp(), "ok", /your server answers 200$/],
  ["an event stream", reply.text("event: message\ndata: {}\n\n", "text/event-stream"), "ok", /your server answers 200$/],
  ["nothing there", reply.status(404), "FAIL", /your server answers 404$/, /the path of ORIGIN_URL/],
  ["nothing there, in words", (_, res) => res.writeHead(404, { "content-type": "text/html" }).end("<h1>Not Found</h1>"), "FAIL", /your server answers 404$/, /the path of ORIGIN_URL/],
  ["no POST", reply.status(405), "FAIL", /answers 405 to a POST$/, /Streamable HTTP/],
  ["another host wanted", reply.status(421), "FAIL", /answers 421$/, /allow the host of ORIGIN_URL/],
  ["a refusal", reply.status(403), "FAIL", /answers 403 to a client's first request$/, /its log says why/],
  ["a refusal of the type", reply.status(415), "FAIL", /answers 415 to/, /its log says why/],
  ["a login page", reply.html(), "FAIL", /answers 200 with what is no MCP message \(text\/html\)$/, /the path of ORIGIN_URL/],
  ["other JSON", reply.json({ hello: "world" }), "FAIL", /no MCP message \(application\/json\)$/, /the path of ORIGIN_URL/],
  ["no content", (_, res) => res.writeHead(204).end(), "FAIL", /answers 204 with what is no MCP message \(no Content-Type\)$/, /the path of ORIGIN_URL/],
  ["newer clients only", rpcError(404, -32601, "Method not found"), "warn", /answers `initialize` with an error \(404\): -32601 "Method not found"$/, /2025-11-25/],
  ["an error in a 200", rpcError(200, -32603, "Internal error"), "warn", /with an error \(200\): -32603 "Internal error"$/, /speaks MCP/],
  ["broken", reply.status(500), "warn", /your server answers 500$/, /your server's own answer/],
  ["unavailable, by its own word", reply.status(503, { error: "maintenance" }), "warn", /your server answers 503$/, /your server's own answer/],
  ["a gateway of its own", reply.status(502, { error: "upstream" }), "warn", /your server answers 502$/, /your server's own answer/],
];

test("what the server answers to a good token", async (t) => {
  const s = await staged(t);
  for (const [name, answer, level, says, todo = /^$/] of ANSWERS) {
    await t.test(name, async () => {
      s.origin.on(BASE, answer);
      s.origin.on(`${BASE}/`, answer);
      const found = await s.doctor();
      const [line] = tokenLines(found);
      assert.equal(line.level, level, found.shown);
      assert.match(line.says, /^http:\S+\/mcp accepts the token; your server /);
      assert.match(line.says, says);
      assert.match(line.todo, todo);
      assert.deepEqual(found.failed(), level === "FAIL" ? ["deployment.token"] : [], found.shown);
    });
  }
});

test("redirects, as clients follow them", async (t) => {
  const s = await staged(t);
  const to = (location, status = 307) => s.origin.on(BASE, reply.redirect(location, status));
  const endpoint = async () => tokenLines(await s.doctor())[0];

  for (const [location, status] of [[`${BASE}/`, 307], [`${s.origin.url}${BASE}/`, 308], [`https://127.0.0.1:${s.origin.port}${BASE}/?a=b#c`, 307]]) {
    to(location, status);
    const line = await endpoint();
    assert.equal(line.level, "warn", "it works, each request twice");
    assert.match(line.says, /your server redirects to https:\/\/mcp\.example\.com\/mcp\/\S* and answers 200 there$/);
    assert.match(line.todo, /set ORIGIN_URL to where your server redirects to/);
  }
  for (const status of [301, 302, 303]) {
    to(`${BASE}/`, status);
    const line = await endpoint();
    assert.deepEqual([line.level, line.todo], ["FAIL", "with a trailing slash, it answers: write the path of ORIGIN_URL so"], `${status}`);
  }
  to("/login", 302);
  assert.match((await endpoint()).says, /redirects \(status 302\) to \/login$/);
  s.origin.on(`${BASE}/`, reply.redirect("/login"));
  assert.match((await endpoint()).todo, /makes their POST a GET/);
  to("http://10.0.0.9:8000/mcp");
  const elsewhere = await endpoint();
  assert.equal(elsewhere.level, "FAIL");
  assert.match(elsewhere.says, /redirects \(status 307\) to http:\/\/10\.0\.0\.9:8000\/mcp$/);
  assert.match(elsewhere.todo, /no redirect to another host/);
  to("");
  assert.equal((await endpoint()).level, "FAIL");

  s.origin.on(`${BASE}/`, reply.redirect(BASE, 307));
  to(`${BASE}/`);
  const circle = await endpoint();
  assert.match(circle.says, /redirects to https:\/\/mcp\.example\.com\/mcp\/ and redirects \(status 307\) to https:\/\/mcp\.example\.com\/mcp$/);
  assert.match(circle.todo, /in a circle: set ORIGIN_URL to where your server redirects to/);
  for (const path of [BASE, `${BASE}/`]) s.origin.on(path, reply.redirect(`https://127.0.0.1:${s.origin.port}${BASE}`, 308));
  const secure = await endpoint();
  assert.deepEqual([secure.level, /in a circle/.test(secure.todo)], ["FAIL", true], "from http to https, which the public address has already");
  to(`${BASE}/`);
  s.origin.on(`${BASE}/`, reply.status(404));
  assert.match((await endpoint()).says, /redirects to https:\S+ and answers 404$/, "it counts what is at the end");
});

test("the other spelling of the address", async (t) => {
  const s = await staged(t);
  const lines = async () => tokenLines(await s.doctor());
  const [, sound] = await lines();
  assert.deepEqual([sound.level, sound.says], ["ok", "with a trailing slash; your server answers 200"]);
  s.origin.on(`${BASE}/`, reply.redirect(BASE, 307));
  const [, followed] = await lines();
  assert.deepEqual([followed.level, followed.says], ["ok", "with a trailing slash; your server redirects to https://mcp.example.com/mcp and answers 200 there"]);
  s.origin.on(`${BASE}/`, reply.status(404));
  const [first, lost] = await lines();
  assert.equal(first.level, "ok");
  assert.deepEqual([lost.level, lost.says], ["warn", "with a trailing slash; your server answers 404"]);
  assert.match(lost.todo, /cannot call/);

  s.origin.on(BASE, reply.status(404));
  s.origin.on(`${BASE}/`, mcp());
  const [wrong] = await lines();
  assert.match(wrong.says, /your server answers 404$/);
  assert.match(wrong.todo, /^with a trailing slash, it answers: write the path of ORIGIN_URL so$/);

  const set = await staged(t, { vars: { MCP_SERVER_AUTH_CANONICAL_URL: "https://mcp.example.com/a/mcp/" } });
  const found = await set.doctor({ token: set.token({ aud: "https://mcp.example.com/a/mcp/" }) });
  assert.deepEqual(tokenLines(found).map(({ level, says }) => [level, says.replace(/^http:\S+ /, "")]), [
    ["ok", "accepts the token; your server answers 200"],
    ["ok", "without the trailing slash; your server answers 200"],
  ]);
  const root = await staged(t, { vars: { MCP_SERVER_AUTH_CANONICAL_URL: "https://mcp.example.com" } });
  const [only, ...more] = tokenLines(await root.doctor({ token: root.token({ aud: "https://mcp.example.com" }) }));
  assert.deepEqual([only.level, more], ["ok", []], "at the root both spellings are one");
});

test("a server that is not content with what the Worker shows it", async (t) => {
  const headers = { ORIGIN_HEADERS: JSON.stringify({ "X-Secret": "s3cret-value" }) };
  const KEY_SET = /key set https:\/\/mcp\.example\.com\/\.well-known\/mcp-edge-auth\/jwks\.json/;
  for (const [name, vars, says, todo] of [
    ["an assertion", asserting("bearer"), /refuses the Worker's assertion \(502\)$/, /Authorization: Bearer with issuer https:\/\/mcp\.example\.com, audience http:\/\/127\.0\.0\.1:\d+\/upstream, key set/],
    ["an assertion in its header", asserting("header", { MCP_SERVER_AUTH_ASSERTION_ISSUER: "https://us.example", MCP_SERVER_AUTH_ASSERTION_AUDIENCE: ["api://a", "api://b"] }), /refuses the Worker's assertion \(502\)$/, /X-MCP-Auth-Assertion with issuer https:\/\/us\.example, audience api:\/\/a or api:\/\/b, key set/],
    ["headers", headers, /refuses the headers that the Worker sets \(502\)$/, /is the secret in ORIGIN_HEADERS/],
    ["the client's token", { ORIGIN_AUTHORIZATION: "forward", allow_token_passthrough: "true" }, /refuses the client's token \(502\)$/, /is it to take this issuer and this audience/],
    ["nothing", {}, /your server cannot be reached from there, or asks for a token itself \(502\)$/, /let it trust the Worker/],
  ]) {
    await t.test(name, async (t) => {
      const s = await staged(t, { vars });
      s.origin.on(BASE, reply.status(401));
      const found = await s.doctor();
      const [line, ...more] = tokenLines(found);
      assert.equal(line.level, "FAIL", found.shown);
      assert.match(line.says, says);
      assert.match(line.todo, todo);
      if (name.includes("assertion")) assert.match(line.todo, KEY_SET);
      assert.match(line.todo, /origin_unreachable: is ORIGIN_URL right/);
      assert.deepEqual(more, [], "no second question where the first was no answer of the server's");
      assert.ok(!found.shown.includes("s3cret-value"));
      // To whom the Worker shows something, a 401 for this program is as it should be.
      const level = name === "nothing" ? "warn" : "ok";
      assert.match(found.line(level, "origin").says, level === "ok" ? /takes (the Worker's assertion|the headers that the Worker sets|the client's token, which the Worker passes on,) only \(401 to anybody else\)$/ : /asks for a token itself/);
    });
  }
  await t.test("a server that takes the assertion only, and takes it", async (t) => {
    const s = await staged(t, { vars: { ...OWN, ...asserting("bearer") } });
    for (const path of [BASE, `${BASE}/`]) s.origin.on(path, (req, res) => (req.headers.authorization ? mcp() : reply.status(401))(req, res));
    const found = await s.doctor({ token: s.token({ aud: OWN.MCP_SERVER_AUTH_CANONICAL_URL, scope: "mcp:use" }) });
    assert.equal(found.code, 0, found.shown);
    assert.match(found.line("ok", "origin").says, /takes the Worker's assertion only \(401 to anybody else\)$/);
    assert.deepEqual(found.warned().filter((check) => check !== "settings"), ["deployment"], found.shown);
  });
});

test("answers of the Worker's own, each told from the server's", async (t) => {
  await t.test("late", async (t) => {
    const s = await staged(t, { vars: { ORIGIN_TIMEOUT_SECONDS: 1 } });
    s.origin.on(BASE, (req, res) => (req.method === "POST" ? undefined : reply.status(405)(req, res)));
    const [line] = tokenLines(await s.doctor());
    assert.equal(line.level, "FAIL");
    assert.match(line.says, /did not begin to answer within 1 s \(504\)$/);
    assert.match(line.todo, /ORIGIN_TIMEOUT_SECONDS/);
  });
  await t.test("later than anybody waits", async (t) => {
    const s = await staged(t);
    s.origin.on(BASE, (req, res) => (req.method === "POST" ? undefined : reply.status(405)(req, res)));
    const [line] = tokenLines(await s.doctor());
    assert.equal(line.level, "FAIL");
    assert.match(line.says, /does not answer: no answer within 5 s$/);
    assert.match(line.todo, /`waiting` line/);
  });
  await t.test("a policy", async (t) => {
    const scopes = await staged(t, { vars: { MCP_SERVER_AUTH_POLICY: { required_scopes: ["mcp:use"] } } });
    const [line] = tokenLines(await scopes.doctor());
    assert.equal(line.level, "FAIL");
    assert.match(line.says, /the policy wants scopes that it lacks \(403\)$/);
    assert.match(line.todo, /scope="mcp:use"/);
    const clients = await staged(t, { vars: { MCP_SERVER_AUTH_POLICY: { clients: ["client-1"] } } });
    const [refused] = tokenLines(await clients.doctor());
    assert.equal(refused.level, "FAIL");
    assert.match(refused.todo, /client_not_allowed/);
  });
  await t.test("no key set", async (t) => {
    const s = await staged(t);
    s.issuer.on("/jwks", reply.status(500));
    const cold = await s.another({});
    const [line] = tokenLines(await doctor(t, s.settings, { url: cold.worker.url, token: s.token() }));
    assert.match(line.says, /answers 503: it has no key set$/);
  });
});

test("an ORIGIN_URL that leads to the Worker itself is a loop", async (t) => {
  const s = await staged(t);
  const self = (vars, more = {}) => doctor(t, { ...s.settings, ...vars }, more);
  for (const [name, origin] of [
    ["its endpoint", `${s.worker.url}/mcp`],
    ["below it", `${s.worker.url}/mcp/deeper`],
    ["under another name", `http://localhost:${s.worker.port}/mcp`],
    ["a path that it does not have", `${s.worker.url}/other`],
    ["no path", s.worker.url],
  ]) {
    for (const more of [{}, { url: s.worker.url, token: s.token() }]) {
      const found = await self({ ORIGIN_URL: origin }, more);
      const line = found.line("FAIL", "origin");
      assert.equal(line.says, `${origin} leads to the Worker itself: a loop`, name);
      assert.match(line.todo, /the server behind the Worker/);
      assert.ok(!found.shown.includes("origin.exposed"));
    }
  }
  const single = { MCP_SERVER_AUTH_AUTHORIZATION_SERVERS: undefined, MCP_SERVER_AUTH_JWKS_URI: `${s.issuer.url}/jwks`, MCP_SERVER_AUTH_ISSUER: s.issuer.url, MCP_SERVER_AUTH_AUDIENCE: CANONICAL };
  const plain = await staged(t, { vars: single });
  const found = await doctor(t, { ...plain.settings, ORIGIN_URL: `${plain.worker.url}/mcp` });
  assert.match(found.line("FAIL", "origin").says, /a loop$/, "without a document, too");

  // What everything is redirected to is the Worker again.
  s.origin.on("/secure", reply.redirect("https://mcp.example.com/mcp", 301));
  assert.match((await self({ ORIGIN_URL: `${s.origin.url}/secure` })).line("FAIL", "origin").says, /a loop$/);
  s.origin.on("/secure", reply.redirect("https://mcp.example.com/mcpx", 301));
  assert.equal((await self({ ORIGIN_URL: `${s.origin.url}/secure` })).line("warn", "origin").level, "warn");
});

test("a server that refuses as the Worker does, and is another one, is no loop", async (t) => {
  const s = await staged(t);
  const challenge = { "www-authenticate": 'Bearer resource_metadata="https://other.example/.well-known/oauth-protected-resource/mcp"' };
  const refuse = (body, headers) => (_, res) => res.writeHead(401, { "content-type": "application/json", ...headers }).end(JSON.stringify(body));
  const ours = { "www-authenticate": `Bearer resource_metadata="https://mcp.example.com/.well-known/oauth-protected-resource/mcp"` };
  for (const answer of [
    refuse({ error: "invalid_token", error_description: "The access token is malformed" }, challenge),
    refuse({ error: "unauthorized" }, ours),
    refuse({ error: "invalid_token" }, ours),
    reply.status(404, { error: "not_found" }),
  ]) {
    s.origin.on(BASE, answer);
    const found = await doctor(t, s.settings);
    assert.equal(found.line("warn", "origin").level, "warn", found.shown);
    assert.ok(!found.shown.includes("a loop"), found.shown);
  }
});
