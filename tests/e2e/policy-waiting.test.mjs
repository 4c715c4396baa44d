// Requests whose bodies are being read, or that are decided on, wait in the Worker's memory, and
// there is room for so many of each kind (limits.rs, PENDING). Whoever fills it pushes out only
// others of the same kind, and what failed leaves its place.
import assert from "node:assert/strict";
import http from "node:http";
import net from "node:net";
import { test } from "node:test";
import { open, raw, send, whole } from "./support/http.mjs";
import { closed, listen } from "./support/issuer.mjs";
import { call, guarded, post } from "./support/policy.mjs";
import { bearer } from "./support/stage.mjs";
import { until } from "./support/until.mjs";

const PLACES = 1024;
const SOME_AT_A_TIME = 32;

/**
 * A request of which half a body was sent and is being read; `end()` sends the rest and gives the
 * answer.
 */
function begun(s, token, body) {
  const headers = { ...bearer(token), "content-type": "application/json", "content-length": Buffer.byteLength(body) };
  const { request, response } = open(s.worker.port, { method: "POST", path: "/mcp", headers });
  request.on("error", () => {});
  request.write(body.slice(0, 5));
  return async () => {
    request.end(body.slice(5));
    return whole(await response);
  };
}

/** Does it `times` times, some at a time. */
async function repeated(times, task) {
  let left = times;
  const worker = async () => {
    while (left-- > 0) await task();
  };
  await Promise.all(Array.from({ length: SOME_AT_A_TIME }, worker));
}

test("a request whose body cannot be read leaves its place", { timeout: 120_000 }, async (t) => {
  const s = await guarded(t);
  const token = s.token({ scope: "mcp tools" });
  const call1 = JSON.stringify(call("echo"));
  assert.equal((await s.call(token, { body: call1, headers: { "content-type": "application/json" } })).status, 200);
  const end = begun(s, token, call1);
  const head = `POST /mcp HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n`;
  await repeated(PLACES + 1, () => raw(s.worker.port, `${head}no length\r\n`));
  assert.equal((await end()).status, 200);
});

test("nobody's requests do not push out a user's", { timeout: 120_000 }, async (t) => {
  const s = await guarded(t, { anonymous_methods: ["ping"], rules: [{ methods: ["tools/call"], names: ["x"], deny: true }] });
  const ping = '{"jsonrpc":"2.0","id":1,"method":"ping"}';
  const token = s.token();
  assert.equal((await s.call(token, { body: ping, headers: { "content-type": "application/json" } })).status, 200);
  const end = begun(s, token, ping);
  const sockets = [];
  t.after(() => sockets.forEach((socket) => socket.destroy()));
  // The Worker is asked for its health on the same connection first: its answer says that the rest
  // has come, too.
  const health = "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n";
  const half = `POST /mcp HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${ping.length}\r\n\r\n{`;
  const first = begun(s, undefined, ping);
  await repeated(PLACES + SOME_AT_A_TIME, async () => {
    const socket = net.connect(s.worker.port, "127.0.0.1");
    sockets.push(socket);
    socket.on("error", () => {});
    let answered = false;
    socket.once("data", () => (answered = true));
    socket.write(health + half);
    await until("its health", () => answered);
  });
  assert.equal((await end()).status, 200);
  // And there is a bound: the oldest of nobody's had to go.
  assert.equal((await first()).status, 500);
});

/** An entry in which nothing that is waited for is too late, however slow the machine is. */
const patient = (main) => `import worker from "./${main}";
AbortSignal.timeout = () => new AbortController().signal;
export default worker;`;

test("nor where they wait for a decision", { timeout: 120_000 }, async (t) => {
  const held = [];
  const decider = http.createServer((_, response) => held.push(response));
  const port = await listen(decider, 0);
  t.after(() => closed(decider));
  const s = await guarded(t, { anonymous_methods: ["ping"], decide: { url: `http://127.0.0.1:${port}/x`, timeout_ms: 10 } }, { stage: { around: patient } });
  const ping = (token) => send(s.worker.port, { method: "POST", path: "/mcp", ...post({ jsonrpc: "2.0", id: 1, method: "ping" }, token && bearer(token)) });
  const asked = (count) => until(`question ${count}`, () => held.length === count);
  const user = ping(s.token());
  await asked(1);
  const first = ping();
  await asked(2);
  const others = Array.from({ length: PLACES }, () => ping());
  await asked(PLACES + 2);
  for (const response of held) response.end('{"decision":true}');
  assert.equal((await user).status, 200);
  assert.equal((await first).status, 500);
  const statuses = (await Promise.all(others)).map(({ status }) => status);
  assert.deepEqual(new Set(statuses), new Set([200]));
});
