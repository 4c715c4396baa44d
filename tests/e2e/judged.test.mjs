// What was judged is what is sent: for every method and every odd header, the request that the
// Worker decided on is compared with the one that its origin received, and a WebSocket is opened
// only by a GET of somebody whom no policy watches.
import assert from "node:assert/strict";
import { test } from "node:test";
import { WebSocketServer } from "ws";
import { raw } from "./support/http.mjs";
import { BASE } from "./support/origin.mjs";
import { call } from "./support/policy.mjs";
import { stage } from "./support/stage.mjs";

const METHODS = ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "PURGE", "QUERY", "PROPFIND", "PROPPATCH", "MKCOL", "COPY", "MOVE", "LOCK", "UNLOCK", "SEARCH", "REPORT", "CONNECT", "post"];

const KEY = "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
const ODD = {
  none: "",
  websocket: `Connection: Upgrade\r\nUpgrade: websocket\r\n${KEY}`,
  "websocket in another case": `Connection: upgrade\r\nUPGRADE: WebSocket\r\n${KEY}`,
  "websocket and a blank": `Connection: Upgrade\r\nUpgrade: websocket \r\n${KEY}`,
  "websocket with a version": `Connection: Upgrade\r\nUpgrade: websocket/13\r\n${KEY}`,
  "websocket in a list": `Connection: Upgrade\r\nUpgrade: h2c, websocket\r\n${KEY}`,
  "websocket in a second line": `Connection: Upgrade\r\nUpgrade: h2c\r\nUpgrade: websocket\r\n${KEY}`,
  "websocket without Connection": `Upgrade: websocket\r\n${KEY}`,
  h2c: "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n",
  "another method": "X-HTTP-Method-Override: DELETE\r\nX_HTTP_Method_Override: DELETE\r\nX.HTTP-Method: PUT\r\nX-Method_Override: PUT\r\n",
  "another name": "Mcp_Name: delete_all\r\nMcp.Method: ping\r\nMCP_Protocol_Version: 2026-07-28\r\n",
  "another type": "Content_Type: application/x-www-form-urlencoded\r\nContent.Encoding: gzip\r\n",
  "another identity": "X_MCP_Auth_User_Id: root\r\nX.MCP.Auth.User.Id: root\r\nX-MCP~Auth!User-Id: root\r\n",
  "another end": "Transfer_Encoding: chunked\r\nContent_Length: 1\r\n",
  nominated: "Connection: close, X-Nominated, Mcp-Name\r\nX-Nominated: 1\r\n",
};
const BODY = JSON.stringify(call("echo", { params: { name: "echo" } }));

/** Every method with every odd header and, where `framings` says so, every way to bring a body. */
async function everything(s, token) {
  const framings = { none: ["", ""], length: [`Content-Length: ${BODY.length}\r\n`, BODY], chunked: ["Transfer-Encoding: chunked\r\n", `${BODY.length.toString(16)}\r\n${BODY}\r\n0\r\n\r\n`] };
  const outcomes = [];
  for (const method of METHODS) {
    for (const [odd, headers] of Object.entries(ODD)) {
      for (const [framing, [length, body]] of Object.entries(framings)) {
        const [seen, logged] = [s.origin.seen.length, s.worker.lines("request").length];
        const authorization = token === undefined ? "" : `Authorization: Bearer ${token}\r\n`;
        const { status } = await raw(s.worker.port, `${method} /mcp/x?q=1 HTTP/1.1\r\nHost: mcp.example.com\r\nContent-Type: application/json\r\n${authorization}${headers}${length}\r\n${body}`);
        const arrived = s.origin.seen.slice(seen);
        outcomes.push({ method, odd, framing, status, arrived, body: framing === "none" ? "" : BODY, line: s.worker.lines("request").slice(logged) });
      }
    }
  }
  return outcomes;
}

async function assertSame({ method, odd, framing, status, arrived, body }, { judged }) {
  const what = `${method}, ${odd}, body: ${framing}, status ${status}`;
  assert.equal(arrived.length, 1, what);
  const [request] = arrived;
  assert.deepEqual([request.method, request.url], [method, `${BASE}/x?q=1`], what);
  assert.equal((await request.body).toString(), body, what);
  assert.equal(request.header("content-type"), "application/json", what);
  const folded = request.lines.map(([name]) => name.replaceAll(/[^a-z0-9]/g, "-"));
  for (const name of ["connection", "upgrade", "http2-settings", "x-nominated"]) if (!odd.startsWith("websocket")) assert.ok(!folded.includes(name) || (name === "connection" && request.header(name) === "keep-alive"), `${name}: ${what}`);
  for (const name of ["x-mcp-auth-user-id", "transfer-encoding"]) assert.ok(folded.filter((one) => one === name).length <= 1, `${name}: ${what}`);
  assert.notEqual(request.header("x-mcp-auth-user-id"), "root", what);
  if (!judged) return;
  for (const name of ["x-http-method-override", "x-http-method", "x-method-override", "mcp-name", "mcp-method", "mcp-protocol-version", "content-encoding"]) assert.ok(!folded.includes(name), `${name}: ${what}`);
  for (const name of ["content-type", "content-length"]) assert.ok(folded.filter((one) => one === name).length <= 1, `${name}: ${what}`);
}

/** An origin that opens every WebSocket it is asked for, and counts them. */
function opening(t, s) {
  const sockets = new WebSocketServer({ noServer: true });
  const opened = [];
  s.origin.server.on("upgrade", (req, socket, head) => sockets.handleUpgrade(req, socket, head, (client) => {
    opened.push(req);
    client.on("error", () => {}); // what follows as a body is no frame
  }));
  t.after(() => sockets.clients.forEach((client) => client.terminate()));
  return opened;
}

const isWebsocket = (odd) => odd.startsWith("websocket");
const POLICY = { rules: [{ methods: ["tools/call"], names: ["delete_*"], deny: true }] };

test("without a policy: the method, the path and the body that came are what is sent", { timeout: 120_000 }, async (t) => {
  const s = await stage(t);
  const opened = opening(t, s);
  for (const outcome of await everything(s, s.token())) {
    const { method, odd, status, arrived } = outcome;
    const what = `${method}, ${odd}, body: ${outcome.framing}, status ${status}`;
    if (["OPTIONS", "TRACE", "CONNECT", "post"].includes(method) || (isWebsocket(odd) && method !== "GET")) {
      assert.deepEqual(arrived, [], what);
      if (isWebsocket(odd) && !["OPTIONS", "TRACE", "CONNECT", "post"].includes(method)) assert.equal(status, 403, what);
    } else if (status !== 101) {
      await assertSame(outcome, { judged: false });
    }
  }
  assert.ok(opened.length > 0 && opened.every(({ method, url }) => method === "GET" && url === `${BASE}/x?q=1`));
});

test("with rules: only what they can see arrives, and no WebSocket is opened", { timeout: 120_000 }, async (t) => {
  const s = await stage(t, { vars: { MCP_SERVER_AUTH_POLICY: POLICY } });
  const opened = opening(t, s);
  let forwarded = 0;
  for (const outcome of await everything(s, s.token())) {
    const { method, odd, framing, status, arrived, line } = outcome;
    const what = `${method}, ${odd}, body: ${framing}, status ${status}`;
    if (isWebsocket(odd)) {
      assert.deepEqual(arrived, [], what);
      if (["GET", "POST", "DELETE"].includes(method)) assert.deepEqual([status, line[0].reason], [403, "upgrade_not_allowed"], what);
    } else if (arrived.length) {
      forwarded += 1;
      assert.ok(method === "POST" ? framing !== "none" : ["GET", "DELETE"].includes(method) && framing === "none", what);
      await assertSame(outcome, { judged: true });
      assert.deepEqual([line[0].method, line[0].rpc_method, line[0].rpc_name], method === "POST" ? [method, "tools/call", "echo"] : [method, undefined, undefined], what);
    } else {
      assert.ok(status >= 400 || method === "OPTIONS", what);
    }
  }
  assert.equal(opened.length, 0);
  assert.equal(forwarded, 4 * Object.keys(ODD).filter((odd) => !isWebsocket(odd)).length, "GET, DELETE, and POST in two framings");
});

test("where some methods are anonymous, nobody opens anything but those", { timeout: 120_000 }, async (t) => {
  const s = await stage(t, { vars: { MCP_SERVER_AUTH_POLICY: { anonymous_methods: ["tools/call"] } } });
  const opened = opening(t, s);
  let forwarded = 0;
  for (const outcome of await everything(s, undefined)) {
    const { method, odd, framing, status, arrived } = outcome;
    if (method === "POST" && framing !== "none" && !isWebsocket(odd)) {
      forwarded += 1;
      await assertSame(outcome, { judged: true });
    } else {
      assert.deepEqual(arrived, [], `${method}, ${odd}, body: ${framing}, status ${status}`);
    }
  }
  assert.equal(opened.length, 0);
  assert.ok(forwarded > 10);
});

test("report mode lets a WebSocket of a GET pass, and of nothing else", async (t) => {
  const s = await stage(t, { vars: { MCP_SERVER_AUTH_POLICY: { ...POLICY, mode: "report" } } });
  const opened = opening(t, s);
  const ask = async (method) => {
    const logged = s.worker.lines("request").length;
    const { status } = await raw(s.worker.port, `${method} /mcp HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${s.token()}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n${KEY}\r\n`);
    const [line] = s.worker.lines("request").slice(logged);
    return [status, line.outcome, line.would_refuse];
  };
  assert.deepEqual(await ask("GET"), [101, "forwarded", "upgrade_not_allowed"]);
  for (const method of ["POST", "DELETE", "HEAD"]) assert.deepEqual((await ask(method)).slice(0, 2), [403, "refused"], method);
  assert.equal(opened.length, 1);
});
