// Contract section 5, the rest of what the origin gets and what comes back: method, body, query and
// headers as they were, and the origin's answer as it came.
import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { test } from "node:test";
import { gunzipSync, gzipSync } from "node:zlib";
import { BASE } from "./support/origin.mjs";
import { open, raw, whole } from "./support/http.mjs";
import { assertOwn, bearer, CANONICAL, stage } from "./support/stage.mjs";

const sha = (data) => createHash("sha256").update(data).digest("hex");

test("Authorization stays at the Worker, Host is the origin's", async (t) => {
  const s = await stage(t);
  const token = s.token();
  await s.call(token, { headers: { host: "mcp.example.com" } });
  const seen = s.origin.last();
  assert.equal(seen.header("authorization"), undefined);
  assert.equal(seen.header("host"), `127.0.0.1:${s.origin.port}`);
  assert.ok(!seen.lines.some(([, value]) => value.includes(token.split(".")[2])), "the token is in no other header either");
});

test("the client's other headers arrive as they were", async (t) => {
  const s = await stage(t);
  const headers = {
    accept: "application/json, text/event-stream",
    "content-type": "application/json; charset=utf-8",
    "user-agent": "client/1.0",
    cookie: "a=1; b=2",
    "if-none-match": '"etag"',
    range: "bytes=0-10",
    "x-empty": "",
    "x-custom": "value with spaces, commas; and \"quotes\"",
    "last-event-id": "42",
    "x-forwarded-for": "192.0.2.7",
  };
  await s.call(s.token(), { headers, body: "{}" });
  for (const [name, value] of Object.entries(headers)) assert.equal(s.origin.last().header(name) ?? "", value, name);
});

test("no header is added but the identity", async (t) => {
  const s = await stage(t);
  const names = () => s.origin.last().lines.map(([name]) => name).filter((name) => !name.startsWith("x-mcp-auth-")).sort();
  await s.call(s.token(), { body: "{}" });
  assert.deepEqual(names(), ["content-length", "host"]);
  await s.call(s.token(), { method: "GET" });
  // Without Authorization a shared cache would take one caller's answer for everybody's, so reads
  // ask to go past it.
  assert.deepEqual(names(), ["cache-control", "host", "pragma"]);
  assert.equal(s.origin.last().header("cache-control"), "no-cache");
  await s.call(s.token(), { method: "GET", headers: { "cache-control": "max-age=5" } });
  assert.equal(s.origin.last().header("cache-control"), "max-age=5", "what the client says of it stays");
});

test("every method arrives as it was, with its body", async (t) => {
  const s = await stage(t);
  for (const method of ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "QUERY", "PROPFIND", "REPORT", "SEARCH", "MKCOL"]) {
    const body = method === "HEAD" ? undefined : `{"method":"${method}"}`;
    const response = await s.call(s.token(), { method, body });
    assert.equal(response.status, 200, method);
    assert.equal(s.origin.last().method, method);
    assert.equal((await s.origin.last().body).toString(), body ?? "", method);
  }
});

test("TRACE is refused, for an origin that echoes would hand out what the Worker adds", async (t) => {
  const s = await stage(t, { vars: { ORIGIN_HEADERS: { "X-Shared": "s3cret" } } });
  for (const token of [s.token(), undefined]) {
    const { response, line } = await s.ask(token, { method: "TRACE" });
    assertOwn(response, 405, { error: "method_not_allowed" });
    assert.equal(response.get("allow"), "GET, POST, DELETE, OPTIONS");
    assert.equal(line.reason, "method_not_allowed");
  }
  assert.equal(s.origin.seen.length, 0);
});

test("headers that are meant for the connection to the Worker stay there", async (t) => {
  const s = await stage(t);
  const ofConnection = {
    "keep-alive": "timeout=5",
    "proxy-connection": "keep-alive",
    "proxy-authorization": "Basic abc",
    te: "trailers",
    trailer: "X-Checksum",
    "http2-settings": "AAMAAABkAAQAAP__",
    "x-nominated": "1",
    "x-nominated-too": "1",
    content_length: "1",
    transfer_encoding: "chunked",
  };
  for (const upgrade of [undefined, "h2c", "TLS/1.0, HTTP/3.0"]) {
    const headers = { ...ofConnection, ...(upgrade && { upgrade }) };
    const lines = Object.entries({ ...headers, connection: "close, X-Nominated, x_nominated_too, Content-Length", "x-kept": "1" });
    const text = lines.map(([name, value]) => `${name}: ${value}\r\n`).join("");
    const { status } = await raw(s.worker.port, `POST /mcp HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${s.token()}\r\nContent-Length: 2\r\n${text}\r\n{}`);
    assert.equal(status, 200);
    for (const name of Object.keys(headers)) assert.equal(s.origin.last().header(name), undefined, name);
    assert.equal(s.origin.last().header("x-kept"), "1");
    assert.equal((await s.origin.last().body).toString(), "{}");
  }
});

test("Expect: 100-continue is answered by the Worker's own server, and the origin's answer arrives once", async (t) => {
  const s = await stage(t);
  const body = "x".repeat(2 ** 21);
  const { request, response } = open(s.worker.port, { method: "POST", path: "/mcp", headers: { ...bearer(s.token()), expect: "100-continue", "content-length": body.length } });
  request.flushHeaders();
  request.end(body);
  const answer = await whole(await response);
  assert.equal(answer.status, 200);
  assert.equal(answer.json().body.length, body.length);
  assert.deepEqual([s.origin.seen.length, s.origin.last().header("expect")], [1, undefined]);
});

test("the query goes on byte for byte", async (t) => {
  const s = await stage(t);
  for (const query of ["?a=1&b=2", "?a=%20+%2B&a=2&&=", "?redirect=https://x.example.com/../y?z=1", "?%E2%82%AC=%zz", "?a[]=1&b={c}|d"]) {
    await s.call(s.token(), { path: `/mcp/x${query}` });
    assert.equal(s.origin.last().url, `${BASE}/x${query}`);
  }
});

test("a body of any bytes arrives unchanged, and so does its answer", async (t) => {
  const s = await stage(t);
  const bytes = Buffer.from(Array.from({ length: 512 }, (_, i) => i % 256));
  s.origin.on(BASE, async (_, res, record) => res.writeHead(200, { "content-type": "application/octet-stream" }).end(await record.body));
  const response = await s.call(s.token(), { body: bytes, headers: { "content-type": "application/octet-stream" } });
  assert.deepEqual(response.body, bytes);
  assert.equal(s.origin.last().header("content-length"), "512");
});

test("8 MB up and 8 MB down arrive whole", async (t) => {
  const s = await stage(t);
  const up = randomBytes(8 << 20);
  const down = randomBytes(8 << 20);
  let arrived;
  s.origin.on(BASE, async (_, res, record) => {
    arrived = sha(await record.body);
    res.writeHead(200, { "content-type": "application/octet-stream" }).end(down);
  });
  const response = await s.call(s.token(), { body: up });
  assert.equal(arrived, sha(up));
  assert.equal(sha(response.body), sha(down));
});

test("statuses without a body pass: 204, 304, and HEAD", async (t) => {
  const s = await stage(t);
  s.origin.on(BASE, (_, res) => res.writeHead(204, { "x-origin": "yes" }).end());
  const empty = await s.call(s.token());
  assert.deepEqual([empty.status, empty.text, empty.get("x-origin")], [204, "", "yes"]);
  s.origin.on(BASE, (_, res) => res.writeHead(304, { etag: '"1"' }).end());
  const unchanged = await s.call(s.token(), { method: "GET", headers: { "if-none-match": '"1"' } });
  assert.deepEqual([unchanged.status, unchanged.text, unchanged.get("etag")], [304, "", '"1"']);
  s.origin.on(BASE, (_, res) => res.writeHead(200, { "content-type": "application/json", "content-length": "1234" }).end());
  const head = await s.call(s.token(), { method: "HEAD" });
  assert.deepEqual([head.status, head.text, head.get("content-length")], [200, "", "1234"]);
});

test("a part of a resource passes as a part", async (t) => {
  const s = await stage(t);
  s.origin.on(BASE, (_, res) => res.writeHead(206, { "content-range": "bytes 2-4/10", "content-length": "3", "accept-ranges": "bytes" }).end("cde"));
  const response = await s.call(s.token(), { method: "GET", headers: { range: "bytes=2-4" } });
  assert.deepEqual([response.status, response.get("content-range"), response.get("content-length"), response.text], [206, "bytes 2-4/10", "3", "cde"]);
  assert.equal(s.origin.last().header("range"), "bytes=2-4");
});

test("redirects are the client's to follow", async (t) => {
  const s = await stage(t);
  for (const status of [301, 302, 303, 307, 308]) {
    const before = s.origin.seen.length;
    s.origin.on(BASE, (_, res) => res.writeHead(status, { location: "/upstream/elsewhere?x=1" }).end("moved"));
    const response = await s.call(s.token(), { body: "{}" });
    // The public address of the place that the origin names.
    assert.deepEqual([response.status, response.get("location"), response.text], [status, `${CANONICAL}/elsewhere?x=1`, "moved"]);
    assert.equal(s.origin.seen.length, before + 1);
  }
});

test("cookies keep their lines, and other headers their values", async (t) => {
  const s = await stage(t);
  s.origin.on(BASE, (_, res) =>
    res.writeHead(200, [
      ["Set-Cookie", "a=1; Path=/; Expires=Wed, 21 Oct 2026 07:28:00 GMT"], ["Set-Cookie", "b=2; HttpOnly"],
      ["Mcp-Session-Id", "session-1"], ["Cache-Control", "private, max-age=5"], ["X-Custom", "Ünïcode".normalize("NFC").replace(/[^\x20-\x7e]/g, "?")], ["Vary", "Accept"],
    ].flat()).end("ok"));
  const response = await s.call(s.token());
  assert.deepEqual(response.all("set-cookie"), ["a=1; Path=/; Expires=Wed, 21 Oct 2026 07:28:00 GMT", "b=2; HttpOnly"]);
  assert.equal(response.get("mcp-session-id"), "session-1");
  assert.deepEqual(response.all("cache-control"), ["private, max-age=5"], "the origin's answer is not the Worker's own");
  assert.match(response.get("vary"), /\bAccept\b/);
});

test("a compressed answer stays compressed", async (t) => {
  const s = await stage(t);
  const text = "compress me ".repeat(1000);
  s.origin.on(BASE, (_, res) => res.writeHead(200, { "content-type": "text/plain", "content-encoding": "gzip" }).end(gzipSync(text)));
  const response = await s.call(s.token(), { headers: { "accept-encoding": "gzip" } });
  assert.equal(response.get("content-encoding"), "gzip");
  assert.equal(gunzipSync(response.body).toString(), text);
});

test("the origin's errors are its own", async (t) => {
  const s = await stage(t);
  for (const status of [400, 403, 404, 405, 406, 409, 429, 500, 502, 503]) {
    s.origin.on(BASE, (_, res) => res.writeHead(status, { "content-type": "application/json", "x-origin": "yes" }).end(`{"status":${status}}`));
    const { response, line } = await s.ask(s.token());
    assert.deepEqual([response.status, response.json(), response.get("x-origin")], [status, { status }, "yes"]);
    assert.deepEqual([line.outcome, line.reason, line.status], ["forwarded", "ok", status]);
  }
});

test("an unusual status and its text pass", async (t) => {
  const s = await stage(t);
  s.origin.on(BASE, (_, res) => res.writeHead(299, "Quite Fine").end("x"));
  const response = await s.call(s.token());
  assert.deepEqual([response.status, response.text], [299, "x"]);
});

test("an origin that drops the connection is 502", async (t) => {
  const s = await stage(t);
  s.origin.on(BASE, (req) => req.socket.resetAndDestroy());
  const { response, line } = await s.ask(s.token());
  assert.equal(response.status, 502);
  assert.deepEqual(response.json(), { error: "bad_gateway" });
  assert.equal(line.reason, "origin_unreachable");
});

// What each era of the protocol sends beside the body. The Worker has no opinion about any of it.
const ERAS = [
  ["2025-11-25, a session", { "mcp-protocol-version": "2025-11-25", "mcp-session-id": "session-1" }],
  ["2025-03-26, a session", { "mcp-session-id": "session-1" }],
  ["2026-07-28, sessionless", { "mcp-protocol-version": "2026-07-28", "mcp-method": "tools/call", "mcp-name": "echo" }],
];

for (const [era, headers] of ERAS) {
  test(`MCP of ${era} passes untouched`, async (t) => {
    const s = await stage(t);
    const message = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/call", params: { name: "echo" } });
    s.origin.on(BASE, async (req, res, record) => {
      const body = await record.body;
      if (req.method === "DELETE") return res.writeHead(200).end();
      if (req.method === "GET") return res.writeHead(405, { allow: "POST" }).end();
      res.writeHead(200, { "content-type": "application/json", "mcp-session-id": "session-1" }).end(body);
    });
    const accept = { accept: "application/json, text/event-stream", "content-type": "application/json" };
    const posted = await s.call(s.token(), { body: message, headers: { ...accept, ...headers } });
    assert.deepEqual([posted.status, posted.text, posted.get("mcp-session-id")], [200, message, "session-1"]);
    for (const [name, value] of Object.entries({ ...accept, ...headers })) assert.equal(s.origin.last().header(name), value);
    const stream = await s.call(s.token(), { method: "GET", headers: { accept: "text/event-stream", "last-event-id": "7", ...headers } });
    assert.deepEqual([stream.status, stream.get("allow")], [405, "POST"]);
    assert.equal(s.origin.last().header("last-event-id"), "7");
    const ended = await s.call(s.token(), { method: "DELETE", headers });
    assert.equal(ended.status, 200);
    for (const [name, value] of Object.entries(headers)) assert.equal(s.origin.last().header(name), value);
  });
}

test("behind wrangler's simulator the same holds", async (t) => {
  const s = await stage(t, { runtime: "miniflare" });
  const response = await s.worker.send({ method: "POST", path: "/mcp/x?y=1", headers: { ...bearer(s.token()), "x-mcp-auth-user-id": "evil" }, body: "{}" });
  assert.deepEqual(response.json(), { method: "POST", url: `${BASE}/x?y=1`, body: "{}" });
  assert.equal(s.origin.last().header("x-mcp-auth-user-id"), "user-1");
  assert.equal(s.origin.last().header("authorization"), undefined);
});
