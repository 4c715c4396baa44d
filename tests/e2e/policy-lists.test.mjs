// filter_lists: lists lose what the token could not call, as JSON and in streams, and nothing else
// changes. The cutting itself is rows in tests/native/policy_lists.rs.
import assert from "node:assert/strict";
import { test } from "node:test";
import { deflateSync, gzipSync } from "node:zlib";
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

const listOf = (...names) => JSON.stringify({ jsonrpc: "2.0", id: 1, result: { tools: tools(...names) } });
const BOTH = listOf("delete_all", "echo");
const LESS = listOf("echo");
const event = (data) => `data: ${data}\n\n`;
const LIMIT = 8 * 1024 * 1024;

/** The answers to a POST that asks for a list, and to a GET: each with its line in the log. */
const asked = async (s) => {
  const token = s.token({ scope: "mcp tools" });
  return [await s.ask(token, post(LIST)), await s.ask(token, { method: "GET" })];
};

test("what can be filtered is, whatever its successful status; an error passes as it came", async (t) => {
  const s = await guarded(t, FILTERING);
  const rows = [
    [200, ["Content-Type", "application/json"], BOTH, LESS],
    [201, ["Content-Type", "Application/JSON; Charset=\"UTF-8\""], BOTH, LESS],
    [202, ["Content-Type", "application/json"], BOTH, LESS],
    [203, ["Content-Type", "application/json", "Content-Encoding", "identity"], BOTH, LESS],
    [200, ["Content-Type", "application/vnd.example+json;charset=utf-8"], BOTH, LESS],
    [200, ["Content-Type", "text/event-stream"], event(BOTH), event(LESS)],
    [201, ["Content-Type", "text/event-stream; charset=utf-8"], event(BOTH), event(LESS)],
    [202, ["Content-Type", "text/event-stream"], event(BOTH), event(LESS)],
    // What has no body has no list, and a receipt is none.
    [204, [], undefined, ""],
    [204, ["Content-Type", "text/event-stream"], undefined, ""],
    [202, ["Content-Length", "0"], undefined, ""],
    [202, ["Content-Type", "application/json"], undefined, ""],
    [200, ["Content-Type", "text/plain"], undefined, ""],
    [202, [], "Accepted", "Accepted"],
    [202, ["Content-Type", "text/plain"], "Accepted", "Accepted"],
    // No client takes a list from these.
    [400, ["Content-Type", "text/plain"], BOTH, BOTH],
    [404, ["Content-Type", "application/json"], BOTH, BOTH],
    [500, [], BOTH, BOTH],
  ];
  for (const [status, headers, body, expected] of rows) {
    s.origin.on(BASE, (req, res) => res.writeHead(status, headers).end(body));
    for (const { response, line } of await asked(s)) {
      const name = `${status} ${headers} to ${line.method}`;
      assert.equal(response.status, status, name);
      assert.equal(response.text, expected, name);
      assert.equal(line.reason, "ok", name);
    }
  }
});

test("a successful answer that cannot be filtered is refused", async (t) => {
  const s = await guarded(t, FILTERING);
  const type = (...types) => types.flatMap((one) => ["Content-Type", one]);
  const json = type("application/json");
  const stream = type("text/event-stream");
  const rows = [
    [200, []],
    [201, []],
    ...["", "text/plain", "text/html; charset=utf-8", "text/json", "application/json-rpc", "application/json-seq", "application/x-ndjson", "application/octet-stream"].map((one) => [200, type(one)]),
    ...["application/json; charset=utf-16", "application/json; charset=utf-7", "application/json, text/plain", "multipart/mixed; boundary=x"].map((one) => [200, type(one)]),
    ...["text/event-stream; charset=utf-7", "text/event-stream, application/json", "text/event-streams"].map((one) => [200, type(one), event(BOTH)]),
    [200, type("application/json", "text/plain")],
    [200, type("text/plain", "application/json")],
    [200, type("application/json", "application/json")],
    [200, type("application/json", "text/event-stream"), event(BOTH)],
    [200, type("text/event-stream", "text/event-stream"), event(BOTH)],
    [202, type("text/plain")],
    [202, type("application/json", "text/plain")],
    [206, json],
    [206, [...json, "Content-Range", `bytes 0-${BOTH.length - 1}/${BOTH.length}`]],
    [206, stream, event(BOTH)],
    [207, json],
    [226, json],
    [299, stream, event(BOTH)],
    ...["deflate", "zstd", "x-gzip", "GZIP", "aws-chunked"].flatMap((encoding) => [
      [200, [...json, "Content-Encoding", encoding]],
      [200, [...stream, "Content-Encoding", encoding], event(BOTH)],
    ]),
    [200, [...json, "Content-Encoding", "deflate"], deflateSync(BOTH)],
    [200, [...stream, "Content-Encoding", "deflate"], deflateSync(event(BOTH))],
    [200, [...json, "Content-Encoding", "gzip", "Content-Encoding", "gzip"], gzipSync(gzipSync(BOTH))],
    [200, json, gzipSync(BOTH)],
    [200, json, Buffer.from(`\ufeff${BOTH}`)],
    [200, json, Buffer.from(BOTH, "utf16le")],
    [200, type("application/vnd.example+json"), `${BOTH}${BOTH}`],
    [200, json, BOTH + " ".repeat(LIMIT + 1 - BOTH.length)],
    [200, type("application/vnd.example+json"), BOTH + " ".repeat(LIMIT + 1 - BOTH.length)],
  ];
  for (const [status, headers, body = BOTH] of rows) {
    s.origin.on(BASE, (req, res) => res.writeHead(status, headers).end(body));
    for (const { response, line } of await asked(s)) {
      const name = `${status} ${headers} to ${line.method}`;
      assert.equal(response.status, 502, name);
      assert.equal(response.text, '{"error":"bad_gateway"}', name);
      assert.equal(line.reason, "list_unreadable", name);
    }
  }
  s.origin.on(BASE, (req, res) => res.writeHead(200, json).end(BOTH + " ".repeat(LIMIT - BOTH.length)));
  for (const { response } of await asked(s)) assert.equal(response.text, LESS + " ".repeat(LIMIT - BOTH.length));
});

test("no part of a list is asked for", async (t) => {
  const s = await guarded(t, FILTERING);
  s.origin.on(BASE, (req, res) => res.writeHead(200, { "content-type": "application/json" }).end(BOTH));
  const headers = { range: "bytes=0-9", "if-range": '"x"', if_range: '"x"', "request-range": "bytes=0-9", "if-none-match": '"y"' };
  const seen = () => Object.keys(headers).filter((name) => s.origin.last().header(name) !== undefined);
  const token = s.token({ scope: "mcp tools" });
  await s.call(token, { body: JSON.stringify(LIST), headers: { ...headers, "content-type": "application/json" } });
  assert.deepEqual(seen(), ["if-none-match"]);
  await s.call(token, { method: "GET", headers });
  assert.deepEqual(seen(), ["if-none-match"]);
  await s.call(token, { body: JSON.stringify(call("echo")), headers: { ...headers, "content-type": "application/json" } });
  assert.deepEqual(seen(), Object.keys(headers));
});
