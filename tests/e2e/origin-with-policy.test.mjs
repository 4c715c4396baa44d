// What an origin is told, where a policy reads the body first: assertions over a body that was
// read, sessions of nobody's, and lists that are filtered.
import assert from "node:assert/strict";
import { test } from "node:test";
import { ASSERTION, asserting, carried, published, verified } from "./support/assertion.mjs";
import { BASE } from "./support/origin.mjs";
import { stage } from "./support/stage.mjs";

const POLICY = {
  anonymous_methods: ["initialize", "ping"],
  filter_lists: true,
  rules: [{ methods: ["tools/call"], names: ["secret"], scopes: ["mcp:secret"] }],
};
const SESSIONS = { MCP_SERVER_AUTH_SESSION_KEY: "k".repeat(32) };
const message = (method, params) => JSON.stringify({ jsonrpc: "2.0", id: 1, method, ...(params && { params }) });
const json = { "content-type": "application/json" };

async function guarded(t, vars) {
  const s = await stage(t, { vars: { MCP_SERVER_AUTH_POLICY: POLICY, ...vars } });
  s.ids = [];
  s.origin.on(BASE, async (_, res, record) => {
    const id = record.header("mcp-session-id");
    if (id !== undefined) s.ids.push(id);
    const opened = (await record.body).includes("initialize");
    res.writeHead(200, { ...json, ...(opened && { "mcp-session-id": `session-${s.origin.seen.length}` }) }).end('{"jsonrpc":"2.0","id":1,"result":{}}');
  });
  s.post = (token, body, headers = {}) => s.ask(token, { body, headers: { ...json, ...headers } });
  return s;
}

for (const mode of ["header", "bearer"]) {
  test(`an assertion goes with a body that was read, as ${mode}, and nobody has none`, async (t) => {
    const s = await guarded(t, asserting(mode));
    const keys = await published(s.worker);
    const body = message("tools/call", { name: "echo", arguments: { text: "é" } });
    for (const name of ["signed", "kept"]) {
      assert.equal((await s.post(s.token(), body)).response.status, 200, name);
      assert.equal((await s.origin.last().body).toString(), body, name);
      assert.equal((await verified(carried(s), keys)).payload.sub, "user-1", name);
    }
    const { response, line } = await s.post(undefined, message("ping"), { [ASSERTION]: "evil" });
    assert.deepEqual([response.status, line.anonymous], [200, true]);
    for (const name of [ASSERTION, "authorization", "x-mcp-auth-user-id"]) assert.equal(s.origin.last().header(name), undefined, name);
    const before = s.origin.seen.length;
    assert.equal((await s.post(s.token(), message("tools/call", { name: "secret" }))).response.status, 403);
    assert.equal(s.origin.seen.length, before);
  });
}

test("a session of nobody's is no user's, and a user's is not nobody's", async (t) => {
  const s = await guarded(t, SESSIONS);
  const opened = async (token) => (await s.post(token, message("initialize"))).response.get("mcp-session-id");
  const [nobodys, users] = [await opened(undefined), await opened(s.token())];
  assert.match(nobodys, /^session-1\.[\w-]{43}$/);
  const using = async (token, id) => (await s.post(token, message("ping"), { "mcp-session-id": id })).line;
  assert.equal((await using(undefined, nobodys)).outcome, "forwarded");
  assert.equal((await using(s.token(), users)).outcome, "forwarded");
  assert.deepEqual(s.ids, ["session-1", "session-2"]);
  for (const [token, id, reason] of [
    [undefined, users, "session_mismatch"],
    [s.token(), nobodys, "session_mismatch"],
    [s.token({ sub: "user-2" }), users, "session_mismatch"],
    [undefined, "session-2", "session_malformed"],
  ]) {
    const line = await using(token, id);
    assert.deepEqual([line.outcome, line.status, line.reason], ["refused", 404, reason]);
  }
  assert.equal(s.ids.length, 2);
});

test("an answer whose list is filtered keeps its session bound, whole or as a stream", async (t) => {
  const s = await guarded(t, SESSIONS);
  const list = '{"jsonrpc":"2.0","id":1,"result":{"tools":[{"name":"echo"},{"name":"secret"}]}}';
  for (const [type, text, left] of [
    ["application/json", list, /^\{.*"echo".*\}$/],
    ["text/event-stream", `event: message\ndata: ${list}\n\n`, /^event: message\ndata: .*"echo"/],
  ]) {
    s.origin.on(BASE, (_, res) => res.writeHead(200, { "content-type": type, "mcp-session-id": "session-1" }).end(text));
    const { response } = await s.post(s.token(), message("tools/list"));
    assert.equal(response.status, 200, response.text);
    assert.match(response.text, left);
    assert.ok(!response.text.includes("secret"), response.text);
    assert.deepEqual(response.all("mcp-session-id").map((id) => id.replace(/\.[\w-]{43}$/, ".mac")), ["session-1.mac"]);
  }
});

test("operator's headers and the binding are there after a body was read, too", async (t) => {
  const s = await stage(t, {
    services: (origin) => ({ ORIGIN: `127.0.0.1:${origin.port}` }),
    vars: { MCP_SERVER_AUTH_POLICY: POLICY, ORIGIN_URL: `http://origin.internal.example${BASE}`, ORIGIN_HEADERS: { "X-Shared": "s3cret" } },
  });
  for (const token of [s.token(), undefined]) {
    const { response } = await s.ask(token, { body: message("ping"), headers: { ...json, X_Shared: "evil" } });
    assert.equal(response.status, 200);
    assert.deepEqual(s.origin.last().lines.filter(([name]) => name.replaceAll("_", "-") === "x-shared"), [["x-shared", "s3cret"]]);
    assert.equal(s.origin.last().header("host"), "origin.internal.example");
  }
});
