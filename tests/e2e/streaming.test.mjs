// Contract section 5, streams: nothing is held back in either direction, and a client that leaves
// is seen by the origin. Each step is only taken after the other side has shown the one before, so
// a buffer anywhere would stop the test for good.
import assert from "node:assert/strict";
import { test } from "node:test";
import { WebSocket, WebSocketServer } from "ws";
import { open, whole } from "./support/http.mjs";
import { BASE, eventStream } from "./support/origin.mjs";
import { assertUnauthorized, bearer, stage } from "./support/stage.mjs";
import { bounded, until } from "./support/until.mjs";

/** Opens a stream through the Worker: { message, request, received() }. */
async function stream(s, { method = "GET", headers = {} } = {}) {
  const { request, response } = open(s.worker.port, { method, path: "/mcp", headers: { ...bearer(s.token()), accept: "text/event-stream", ...headers } });
  request.end();
  const message = await response;
  let text = "";
  message.on("data", (chunk) => (text += chunk));
  message.on("error", () => {});
  return { message, request, received: () => text };
}

for (const method of ["GET", "POST"]) {
  test(`an event stream over ${method} arrives event by event`, async (t) => {
    const s = await stage(t);
    const events = eventStream();
    s.origin.on(BASE, events.answer);
    // The head is here before the first event is written.
    const client = await stream(s, { method });
    assert.equal(client.message.statusCode, 200);
    assert.equal(client.message.headers["content-type"], "text/event-stream");
    const source = await events.opened;
    for (let n = 1; n <= 5; n++) {
      source.event(`event ${n}`);
      await until(`event ${n} at the client`, () => client.received().endsWith(`data: event ${n}\n\n`));
    }
    source.end();
    await bounded("the end of the stream", new Promise((resolve) => client.message.once("end", resolve)));
    assert.equal(client.received().match(/data: /g).length, 5);
  });
}

test("the log line of a stream is there while it still runs", async (t) => {
  const s = await stage(t);
  const events = eventStream();
  s.origin.on(BASE, events.answer);
  await stream(s);
  const line = await until("its line", () => s.worker.lines("request")[0]);
  assert.deepEqual([line.outcome, line.reason, line.status], ["forwarded", "ok", 200]);
});

test("a client that leaves is seen by the origin", async (t) => {
  const s = await stage(t);
  const events = eventStream();
  s.origin.on(BASE, events.answer);
  const client = await stream(s);
  const source = await events.opened;
  source.event("first");
  await until("the first event", () => client.received().includes("first"));
  assert.equal(source.left(), false);
  client.request.destroy();
  // A closed connection may only show at the next write, as in any proxy.
  await until("the origin to see it", () => {
    source.event("more");
    return source.left();
  });
  // The Worker lives on.
  s.origin.on(BASE, (_, res) => res.end("ok"));
  assert.equal((await s.call(s.token())).status, 200);
});

test("many streams at once do not wait for each other", async (t) => {
  const s = await stage(t);
  const all = Array.from({ length: 10 }, () => eventStream());
  let next = 0;
  s.origin.on(BASE, (req, res) => all[next++].answer(req, res));
  const clients = await Promise.all(all.map(() => stream(s)));
  const sources = await Promise.all(all.map((events) => events.opened));
  // The last stream first: none is behind another.
  for (const [n, source] of [...sources.entries()].reverse()) source.event(`to ${n}`);
  await until("one event each", () => clients.every((client) => /data: to \d\n\n/.test(client.received())));
  const targets = clients.map((client) => client.received()).sort();
  assert.deepEqual(targets, all.map((_, n) => `data: to ${n}\n\n`).sort());
});

test("an upload is seen by the origin while it is still half sent", async (t) => {
  const s = await stage(t);
  const { request, response } = open(s.worker.port, { method: "POST", path: "/mcp", headers: { ...bearer(s.token()), "content-type": "text/plain" } });
  request.write("first half, ");
  await until("the first half at the origin", () => s.origin.last()?.received === 12);
  request.write("second half");
  await until("the second half at the origin", () => s.origin.last().received === 23);
  request.end();
  const answer = await whole(await response);
  assert.equal(answer.json().body, "first half, second half");
});

test("an upload without a good token never reaches the origin", async (t) => {
  const s = await stage(t);
  const { request, response } = open(s.worker.port, { method: "POST", path: "/mcp", headers: { "content-type": "text/plain" } });
  request.on("error", () => {}); // the Worker may hang up on a body that it does not want
  request.write("never ending");
  assertUnauthorized(await whole(await response));
  request.destroy();
  assert.equal(s.origin.seen.length, 0);
});

test("an origin that answers before the upload has ended is heard at once", async (t) => {
  const s = await stage(t);
  const events = eventStream();
  s.origin.on(BASE, events.answer);
  const { request, response } = open(s.worker.port, { method: "POST", path: "/mcp", headers: bearer(s.token()) });
  request.on("error", () => {});
  request.write("{");
  const message = await response;
  assert.equal(message.statusCode, 200);
  request.destroy();
});

test("an answer that breaks off breaks off at the client too", async (t) => {
  const s = await stage(t);
  s.origin.on(BASE, (req, res) => {
    res.writeHead(200, { "content-length": "100" });
    res.write("half", () => req.socket.destroy());
  });
  const { request, response } = open(s.worker.port, { method: "GET", path: "/mcp", headers: bearer(s.token()) });
  request.end();
  const message = await response;
  message.resume();
  const ended = new Promise((resolve) => message.once("end", () => resolve("whole")).once("error", () => resolve("broken")).once("close", () => resolve("broken")));
  assert.equal(await bounded("its end", ended), "broken");
});

test("a WebSocket passes both ways once its token is good", async (t) => {
  const s = await stage(t);
  const sockets = new WebSocketServer({ server: s.origin.server, path: BASE });
  t.after(() => sockets.close());
  let upgrade;
  sockets.on("connection", (socket, req) => {
    upgrade = req.headers;
    socket.on("message", (data) => socket.send(`echo ${data}`));
  });
  const url = `ws://127.0.0.1:${s.worker.port}/mcp`;
  const client = new WebSocket(url, { headers: { ...bearer(s.token()), "x-mcp-auth-user-id": "evil" } });
  t.after(() => client.terminate());
  await bounded("101", new Promise((resolve, reject) => client.once("open", resolve).once("error", reject)));
  for (const text of ["one", "two"]) {
    const answer = new Promise((resolve) => client.once("message", resolve));
    client.send(text);
    assert.equal(String(await bounded("the echo", answer)), `echo ${text}`);
  }
  assert.equal(upgrade["x-mcp-auth-user-id"], "user-1");
  assert.equal(upgrade.authorization, undefined);
  const refused = new WebSocket(url);
  const status = new Promise((resolve) => {
    refused.once("unexpected-response", (_, response) => resolve(response.statusCode)).once("error", () => {}).once("open", () => resolve(101));
  });
  assert.equal(await bounded("a refusal", status), 401);
  refused.terminate();
  assert.equal(sockets.clients.size, 1);
});
