// Requirements on docs/conformance.md that no other file shows: what clients send before they have
// a token, and whose answers are whose.
import assert from "node:assert/strict";
import { test } from "node:test";
import { assertUnauthorized, challenge, stage } from "./support/stage.mjs";
import { BASE } from "./support/origin.mjs";

// Seen of real clients: docs/clients.md, and issue reports for those that are no packages.
const PROBES = [
  ["GET before POST", { method: "GET", headers: { accept: "text/event-stream" } }],
  ["GET for no event stream", { method: "GET", headers: { accept: "*/*" } }],
  ["POST that accepts anything", { method: "POST", headers: { accept: "*/*", "content-type": "application/json" }, body: "{}" }],
  ["POST that accepts nothing in particular", { method: "POST" }],
  ["POST of the 2026-07-28 revision", { headers: { "mcp-protocol-version": "2026-07-28", "mcp-method": "server/discover" }, body: '{"method":"server/discover"}' }],
  ["POST of a version that nobody knows", { headers: { "mcp-protocol-version": "v999.0.0" }, body: "{}" }],
  ["POST with an id of a session", { headers: { "mcp-session-id": "session-1" }, body: "{}" }],
  ["DELETE of a session", { method: "DELETE", headers: { "mcp-session-id": "session-1" } }],
  ["an empty credential", { headers: { authorization: "Bearer" }, body: "{}" }],
  ["a slash at the end", { path: "/mcp/", body: "{}" }],
];

test("whatever a client asks first, without a token it gets the one challenge that leads to the login", async (t) => {
  const s = await stage(t);
  for (const [name, head] of PROBES) {
    const response = await s.call(undefined, head);
    assert.doesNotThrow(() => assertUnauthorized(response), name);
  }
  const head = await s.call(undefined, { method: "HEAD" });
  assert.deepEqual([head.status, head.text, head.all("www-authenticate")], [401, "", [challenge()]]);
  const page = await s.call(undefined, { method: "GET", headers: { accept: "text/html,*/*" } });
  assert.deepEqual([page.status, page.all("www-authenticate")], [401, [challenge()]], "people get a page with it");
  assert.equal(s.origin.seen.length, 0);
});

test("an answer is never kept: each request has the origin's own, whatever its Cache-Control says", async (t) => {
  const s = await stage(t);
  let count = 0;
  s.origin.on(BASE, (req, res) => res.writeHead(200, { "cache-control": "public, max-age=3600", "content-type": "text/plain" }).end(String(++count)));
  for (const sub of ["alice", "bob", "alice"]) {
    const response = await s.call(s.token({ sub }), { method: "GET" });
    assert.equal(response.text, String(count), "it is the latest answer");
  }
  assert.equal(count, 3);
});

test("headers of an MCP request that nobody knows yet reach the origin, and come back", async (t) => {
  const s = await stage(t);
  s.origin.on(BASE, (req, res) => res.writeHead(200, { "x-accel-buffering": "no", "mcp-something-new": "kept" }).end());
  const response = await s.call(s.token(), { headers: { "mcp-param-region": "=?base64?ZXU=?=", "mcp-something-new": "1" }, body: "{}" });
  assert.deepEqual([response.get("x-accel-buffering"), response.get("mcp-something-new")], ["no", "kept"]);
  assert.deepEqual([s.origin.last().header("mcp-param-region"), s.origin.last().header("mcp-something-new")], ["=?base64?ZXU=?=", "1"]);
});
