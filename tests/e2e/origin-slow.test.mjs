// An origin that does not answer, or not in time: what the client is told, and what the log says
// for whoever looks for the cause.
import assert from "node:assert/strict";
import net from "node:net";
import { test } from "node:test";
import { open, whole } from "./support/http.mjs";
import { listen } from "./support/issuer.mjs";
import { BASE, eventStream } from "./support/origin.mjs";
import { call, guarded, post } from "./support/policy.mjs";
import { assertOwn, bearer, CANONICAL, stage } from "./support/stage.mjs";
import { until } from "./support/until.mjs";

const FASTER = 100;

// A hundred seconds pass in one: the Worker's timers run faster, and nothing else does.
const faster = (main) => `import worker from "./${main}";
const { setTimeout: real } = globalThis;
globalThis.setTimeout = (task, ms, ...given) => real(task, ms / ${FASTER}, ...given);
export default { fetch: (...all) => worker.fetch(...all) };
`;

test("after 10 s the log says who waits, after 100 s the client is told", async (t) => {
  const s = await stage(t, { around: faster, vars: { MCP_SERVER_AUTH_SESSION_KEY: "k".repeat(32) } });
  let late;
  s.origin.on(BASE, (_, res) => (late = res));
  const before = Date.now();
  const { response, line } = await s.ask(s.token());
  assertOwn(response, 504, { error: "gateway_timeout" });
  assert.equal(response.get("access-control-allow-origin"), "*");
  assert.deepEqual([line.outcome, line.reason, line.status], ["refused", "origin_timeout", 504]);
  assert.ok(Date.now() - before >= 100_000 / FASTER, "not before its time");
  const [waiting] = s.worker.lines("waiting");
  assert.deepEqual(waiting, { event: "waiting", method: "POST", resource: CANONICAL, issuer: s.issuer.url, alg: "RS256", kid: "rsa-a", keys: "issuer", seconds: 10 });
  late.end("{}");
  s.origin.on(BASE, (_, res) => res.end("{}"));
  assert.equal((await s.call(s.token())).status, 200);
  assert.equal(s.worker.lines("waiting").length, 1, "whoever is answered at once has not waited");
});

test("with rules the line of who waits names the tool", async (t) => {
  const s = await guarded(t, undefined, { stage: { around: faster } });
  s.origin.on(BASE, () => {});
  assert.equal((await s.call(s.token({ scope: "mcp tools" }), post(call("echo")))).status, 504);
  const [waiting] = s.worker.lines("waiting");
  assert.deepEqual([waiting.rpc_method, waiting.rpc_name], ["tools/call", "echo"]);
});

test("ORIGIN_TIMEOUT_SECONDS is the limit, and a short one has no line before it", async (t) => {
  const s = await stage(t, { around: faster, vars: { ORIGIN_TIMEOUT_SECONDS: "5" } });
  s.origin.on(BASE, () => {});
  const { line } = await s.ask(s.token());
  assert.equal(line.reason, "origin_timeout");
  assert.ok(line.ms < 100_000 / FASTER, `${line.ms} ms`);
  assert.equal(s.worker.lines("waiting").length, 0);
});

test("what has begun is never cut off: a stream outlives the limit", async (t) => {
  const s = await stage(t, { around: faster, vars: { ORIGIN_TIMEOUT_SECONDS: 40 } });
  const events = eventStream();
  s.origin.on(BASE, events.answer);
  const { request, response } = open(s.worker.port, { path: "/mcp", headers: bearer(s.token()) });
  request.end();
  const message = await response;
  let text = "";
  message.on("data", (chunk) => (text += chunk));
  const source = await events.opened;
  const begun = Date.now();
  await until("twice the limit", () => Date.now() - begun > 80_000 / FASTER);
  source.event("still there");
  await until("the event", () => text.includes("still there"));
  request.destroy();
});

test("origin_unreachable says what the runtime said of it", async (t) => {
  const tcp = async (answer) => {
    const server = net.createServer((socket) => {
      socket.on("error", () => {});
      socket.once("data", () => answer(socket));
    });
    t.after(() => server.close());
    return listen(server, 0);
  };
  const unused = net.createServer();
  const refusing = await listen(unused, 0);
  await new Promise((resolve) => unused.close(resolve));
  for (const [name, port, said] of [
    ["refused", refusing, /Network connection lost/],
    ["reset", await tcp((socket) => socket.resetAndDestroy()), /Network connection lost/],
    ["not HTTP", await tcp((socket) => socket.end("SSH-2.0-x\r\n\r\n")), /internal error; reference = /],
    ["an interim answer", await tcp((socket) => socket.end("HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")), /interim answer, 103/],
  ]) {
    const s = await stage(t, { vars: { ORIGIN_URL: `http://127.0.0.1:${port}/mcp` } });
    const { response, line } = await s.ask(s.token());
    assertOwn(response, 502, { error: "bad_gateway" });
    assert.equal(line.reason, "origin_unreachable", name);
    assert.match(line.detail, said, name);
  }
});

test("an origin's redirect below ORIGIN_URL leads to the public address, another one passes and is said once", async (t) => {
  const s = await stage(t);
  const path = "/mcp/there/";
  const redirect = async (location, status = 307) => {
    s.origin.on(`${BASE}/there/`, (_, res) => res.writeHead(status, { location }).end());
    const { response } = await s.ask(s.token(), { path });
    assert.equal(response.status, status);
    return response.get("location");
  };
  for (const [location, public_] of [
    [`${s.origin.url}${BASE}`, CANONICAL],
    [`${s.origin.url}${BASE}/`, `${CANONICAL}/`],
    [`${s.origin.url}${BASE}/there?a=b#c`, `${CANONICAL}/there?a=b#c`],
    [`${BASE}/there`, `${CANONICAL}/there`],
    [`//127.0.0.1:${s.origin.port}${BASE}/there`, `${CANONICAL}/there`],
    ["../x", `${CANONICAL}/x`],
    ["?page=2", `${CANONICAL}/there/?page=2`],
  ]) {
    for (const status of [301, 302, 303, 307, 308]) assert.equal(await redirect(location, status), public_, location);
  }
  assert.deepEqual(s.worker.lines("redirect"), []);
  for (const location of ["https://login.example.org/a?token=1", `${s.origin.url}/elsewhere`, "/elsewhere", "https://mcp.example.com/other", "https://", "http://[", "nonsense:1"]) {
    assert.equal(await redirect(location), location);
  }
  assert.deepEqual(s.worker.lines("redirect"), [{ event: "redirect", resource: CANONICAL, to: "https://login.example.org" }]);
});

test("a redirect keeps its session bound, and is the client's own where rules read the body", async (t) => {
  const s = await guarded(t, undefined, { vars: { MCP_SERVER_AUTH_SESSION_KEY: "k".repeat(32) } });
  s.origin.on(BASE, (_, res) => res.writeHead(307, { location: `${BASE}/`, "mcp-session-id": "one" }).end());
  const { request, response } = open(s.worker.port, { method: "POST", path: "/mcp", headers: { ...bearer(s.token({ scope: "mcp tools" })), "content-type": "application/json" } });
  request.end(JSON.stringify(call("echo")));
  const answer = await whole(await response);
  assert.deepEqual([answer.status, answer.get("location")], [307, `${CANONICAL}/`]);
  assert.match(answer.get("mcp-session-id"), /^one\.[\w-]{43}$/);
  assert.equal(s.origin.seen.length, 1);
});
