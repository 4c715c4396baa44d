// filter_lists: lists lose what the token could not call, as JSON and in streams, and nothing else changes. The cutting itself is rows in tests/policy_lists.rs.
import assert from "node:assert/strict";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { open } from "./support/http.mjs";
import { BASE, eventStream } from "./support/origin.mjs";
import { POLICY, call, guarded, post } from "./support/policy.mjs";
import { until } from "./support/until.mjs";

const tools = (...names) => names.map((name) => ({ name, inputSchema: { type: "object" } }));
const FILTERING = { ...POLICY, filter_lists: true };
const LIST = { jsonrpc: "2.0", id: 1, method: "tools/list" };

test("lists without what the token could not call: as JSON", async (t) => {
  const s = await guarded(t, FILTERING);
  const answer = (names) => `{"jsonrpc":"2.0", "id":1,"result":{"tools":[${tools(...names).map((tool) => JSON.stringify(tool)).join(" , ")}],"nextCursor":"c\\u0061","x":1.50}}`;
  s.origin.on(BASE, (req, res) => res.writeHead(200, { "content-type": "application/json", etag: "x" }).end(answer(["echo", "delete_all", "add", "delete_x"])));
  const ask = (scope, body = LIST) => s.call(s.token({ scope }), post(body));
  const some = await ask("mcp tools");
  assert.equal(some.text, answer(["echo", "add"]).replace(" , ", ","));
  assert.equal(some.get("content-length"), String(some.body.length));
  assert.equal(some.get("etag"), "x");
  assert.equal(s.origin.last().header("accept-encoding"), "identity");
  assert.equal((await ask("mcp tools tools:delete")).text, answer(["echo", "delete_all", "add", "delete_x"]));
  // What is no list is not looked at.
  const free = await s.call(s.token({ scope: "mcp tools" }), post(call("echo")));
  assert.equal(free.text, answer(["echo", "delete_all", "add", "delete_x"]));
  for (const bad of ['{"jsonrpc":"2.0","id":1,"result":{"tools":[],"tools":[{"name":"delete_all"}]}}', "not json", '{"result":{"tools":[{"name":"echo","name":"delete_all"}]}}']) {
    s.origin.on(BASE, (req, res) => res.writeHead(200, { "content-type": "application/json" }).end(bad));
    const { response, line } = await s.ask(s.token({ scope: "mcp tools" }), post(LIST));
    assert.equal(response.status, 502);
    assert.equal(line.reason, "list_unreadable");
  }
});

test("a list that comes compressed, though it was not to, is filtered all the same", async (t) => {
  const s = await guarded(t, FILTERING);
  const answer = (...names) => JSON.stringify({ jsonrpc: "2.0", id: 1, result: { tools: tools(...names) } });
  for (const [type, wrap] of [["application/json", (text) => text], ["text/event-stream", (text) => `data: ${text}\n\n`]]) {
    s.origin.on(BASE, (req, res) => res.writeHead(200, { "content-type": type, "content-encoding": "gzip" }).end(gzipSync(wrap(answer("delete_all", "echo")))));
    const response = await s.call(s.token({ scope: "mcp tools" }), post(LIST));
    assert.equal(response.text, wrap(answer("echo")));
    assert.equal(response.get("content-encoding"), undefined);
  }
});

test("lists without what the token could not call: prompts, resources, batches", async (t) => {
  const s = await guarded(t, { filter_lists: true, rules: [{ methods: ["prompts/get"], names: ["secret"], deny: true }, { methods: ["resources/read"], names: ["file:///etc/*"], scopes: ["etc"] }] });
  const answer = [
    { jsonrpc: "2.0", id: 1, result: { prompts: [{ name: "secret" }, { name: "open" }] } },
    { jsonrpc: "2.0", id: 2, result: { resources: [{ uri: "file:///etc/passwd", name: "p" }, { uri: "file:///tmp", name: "t" }, { name: "no uri" }] } },
  ];
  s.origin.on(BASE, (req, res) => res.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(answer)));
  const response = await s.call(s.token(), post([{ ...LIST, method: "prompts/list" }, { ...LIST, id: 2, method: "resources/list" }]));
  answer[0].result.prompts.shift();
  answer[1].result.resources = [answer[1].result.resources[1]];
  assert.deepEqual(response.json(), answer);
});

test("lists without what the token could not call: in a stream, event by event", async (t) => {
  const s = await guarded(t, FILTERING);
  const events = eventStream();
  s.origin.on(BASE, events.answer);
  const { request, response } = open(s.worker.port, { method: "POST", path: "/mcp", headers: { authorization: `Bearer ${s.token({ scope: "mcp tools" })}`, "content-type": "application/json" } });
  request.end(JSON.stringify(LIST));
  const message = await response;
  let text = "";
  message.on("data", (chunk) => (text += chunk));
  message.on("error", () => {});
  const source = await events.opened;
  const progress = '{"jsonrpc":"2.0","method":"notifications/progress","params":{"progress":1}}';
  source.event(progress);
  await until("the first event, while the stream is open", () => text === `data: ${progress}\n\n`);
  const result = (names) => JSON.stringify({ jsonrpc: "2.0", id: 1, result: { tools: tools(...names), nextCursor: "c" } });
  source.event(result(["delete_all", "echo"]));
  await until("the filtered list", () => text === `data: ${progress}\n\ndata: ${result(["echo"])}\n\n`);
  request.destroy();
  await until("the origin to see that the client has left", () => {
    source.event(progress);
    return source.left();
  });
});

test("a stream that is taken up again by GET is filtered, too", async (t) => {
  const s = await guarded(t, FILTERING);
  const result = (...names) => JSON.stringify({ jsonrpc: "2.0", id: 1, result: { tools: tools(...names) } });
  const body = (list) => `id: 7\r\nevent: message\r\ndata: ${list}\r\n\r\n: keep-alive\r\n\r\n`;
  s.origin.on(BASE, (req, res) => res.writeHead(200, { "content-type": "text/event-stream" }).end(body(result("delete_all", "echo"))));
  const response = await s.call(s.token({ scope: "mcp" }), { method: "GET", headers: { "last-event-id": "6" } });
  const filtered = s.token({ scope: "mcp tools" });
  assert.equal(response.status, 200);
  assert.equal(response.text, `id: 7\r\nevent: message\r\ndata: ${result()}\n\r\n: keep-alive\r\n\r\n`);
  assert.equal((await s.call(filtered, { method: "GET" })).text, `id: 7\r\nevent: message\r\ndata: ${result("echo")}\n\r\n: keep-alive\r\n\r\n`);
});
