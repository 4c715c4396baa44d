// Requests whose bodies are being read, that are counted or decided on, wait in the Worker's
// memory, and there is room for so many of each kind (limits.rs, PENDING). Whoever fills it takes
// only the places of its own kind, and what failed leaves its place.
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

test("so many wait for a decision: who finds no place gets none, and is told so", { timeout: 120_000 }, async (t) => {
  const held = [];
  const decider = http.createServer((_, response) => held.push(response));
  const port = await listen(decider, 0);
  t.after(() => closed(decider));
  const s = await guarded(t, { anonymous_methods: ["ping"], decide: { url: `http://127.0.0.1:${port}/x`, timeout_ms: 10_000 } }, { stage: { around: patient } });
  const ping = (token) => send(s.worker.port, { method: "POST", path: "/mcp", ...post({ jsonrpc: "2.0", id: 1, method: "ping" }, token && bearer(token)) });
  const asked = (count) => until(`question ${count}`, () => held.length === count);
  const others = Array.from({ length: PLACES }, () => ping());
  await asked(PLACES);
  const last = await ping();
  assert.deepEqual([last.status, last.json().error.data.error], [503, "temporarily_unavailable"]);
  assert.equal(held.length, PLACES, "nobody was asked");
  const line = await until("its line", () => s.worker.lines("request").find(({ reason }) => reason === "decision_unavailable"));
  assert.match(line.decision, /1024 requests wait/);
  // Nobody's requests do not take a user's place.
  const user = ping(s.token());
  await asked(PLACES + 1);
  for (const response of held) response.end('{"decision":true}');
  assert.equal((await user).status, 200);
  const statuses = (await Promise.all(others)).map(({ status }) => status);
  assert.deepEqual(new Set(statuses), new Set([200]));
});

/** The same, on a clock that stands still. */
const timeless = (main) => `${patient(main)}
const now = Date.now();
Date.now = () => now;
globalThis.setTimeout = () => 0;`;

test("so many wait for rate limiters: who finds no place is one too many", { timeout: 120_000 }, async (t) => {
  const held = [];
  const counter = http.createServer((_, response) => held.push(response));
  const port = await listen(counter, 0);
  t.after(() => closed(counter));
  const limiter = `export default () => ({ async limit() { await fetch("http://127.0.0.1:${port}/"); return { success: false }; } });`;
  const s = await guarded(t, { limits: [{ by: "user", binding: "CALLS" }] }, { stage: { around: timeless, limiters: { CALLS: limiter } } });
  const token = s.token();
  const ask = () => send(s.worker.port, { method: "POST", path: "/mcp", ...post(call("echo"), bearer(token)) });
  assert.equal((await s.call(s.token({ exp: 1 }))).status, 401, "with the keys that all need, whose waiting has timers");
  const others = Array.from({ length: PLACES }, () => ask());
  await until("all counts", () => held.length === PLACES);
  const before = s.origin.seen.length;
  const last = await ask();
  assert.deepEqual([last.status, last.get("retry-after")], [429, "60"]);
  assert.deepEqual([held.length, s.origin.seen.length], [PLACES, before], "not counted, and not forwarded");
  for (const response of held) response.end();
  const statuses = (await Promise.all(others)).map(({ status }) => status);
  assert.deepEqual(new Set(statuses), new Set([429]));
});
