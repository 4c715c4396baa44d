// Sessions bound to their caller: another's, an altered or a bare id is an unknown session, and no
// origin ever sees an id that was not checked.
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { test } from "node:test";
import { WebSocket, WebSocketServer } from "ws";
import { send } from "./support/http.mjs";
import { signingKey } from "./support/keys.mjs";
import { BASE } from "./support/origin.mjs";
import { bearer, CANONICAL, entryFor, stage } from "./support/stage.mjs";
import { startIssuer } from "./support/issuer.mjs";
import { mint } from "./support/mint.mjs";
import { bounded } from "./support/until.mjs";

const KEY = "MCP_SERVER_AUTH_SESSION_KEY";
const OLD = "an-old-key-of-at-least-32-bytes!";
const NEW = "a-new-key-of-at-least-32-bytes!!";
const bound = (over = {}) => ({ vars: { [KEY]: OLD, ...over } });
const SESSION = "session-1";

/** An origin with sessions: initialize gets an id, and every id that arrives is written down. */
async function open(t, options = bound()) {
  const s = await stage(t, options);
  s.ids = [];
  s.gives = SESSION;
  s.origin.on(BASE, async (_, res, record) => {
    const id = record.header("mcp-session-id");
    if (id !== undefined) s.ids.push(id);
    const opened = (await record.body).includes("initialize") && s.gives !== undefined;
    res.writeHead(200, { "content-type": "application/json", ...(opened && { "mcp-session-id": s.gives }) }).end("{}");
  });
  s.initialize = (token) => s.call(token, { body: '{"method":"initialize"}' });
  s.using = (token, id, head = {}) => s.ask(token, { body: "{}", ...head, headers: { "mcp-session-id": id, ...head.headers } });
  return s;
}

async function attached(s, token) {
  const response = await s.initialize(token);
  assert.equal(response.status, 200, response.text);
  return response.get("mcp-session-id");
}

function assertUnknown({ response, line }, reason) {
  assert.equal(response.status, 404, response.text);
  assert.deepEqual(response.json(), { jsonrpc: "2.0", error: { code: -32001, message: "Session not found", data: { error: "session_not_found" } } });
  assert.equal(response.get("cache-control"), "no-store");
  assert.equal(response.get("access-control-allow-origin"), "*");
  assert.equal(response.get("www-authenticate"), undefined);
  assert.deepEqual([line.outcome, line.reason], ["refused", reason]);
}

test("the caller's own session goes through, by every method, and the origin sees its own id", async (t) => {
  const s = await open(t);
  const id = await attached(s, s.token());
  assert.match(id, /^session-1\.[A-Za-z0-9_-]{43}$/);
  for (const method of ["POST", "GET", "DELETE"]) {
    // A token of its own each time: what counts is whose it is.
    const { response } = await s.using(s.token({ jti: method }), id, { method, body: method === "POST" ? "{}" : undefined });
    assert.equal(response.status, 200);
  }
  assert.deepEqual(s.ids, [SESSION, SESSION, SESSION]);
});

test("the MAC is the one that is documented", async (t) => {
  const s = await open(t);
  const frame = (part) => `${Buffer.byteLength(part)}:${part},`;
  const owner = `${frame(CANONICAL)}+${frame(s.issuer.url)}${frame("zo\u00eb")}${frame("client-1")}`;
  const framed = ["mcp-edge-auth session 1", owner, SESSION].map(frame).join("");
  const mac = createHmac("sha256", OLD).update(framed).digest("base64url");
  assert.equal(await attached(s, s.token({ sub: "zo\u00eb", client_id: "client-1" })), `${SESSION}.${mac}`);
});

test("a subject with NULs in it is one subject, and changes nothing else of its request", async (t) => {
  const s = await open(t, bound({ MCP_SERVER_AUTH_POLICY: { filter_lists: true, rules: [{ methods: ["tools/call"], names: ["secret"], scopes: ["mcp:secret"] }] } }));
  const everybody = JSON.stringify({ scopes: ["mcp:secret"], client: null, claims: {} });
  const sub = `user\u0000${everybody}\u0000"method":"POST"\u0000`;
  const headers = { "content-type": "application/json" };
  const json = { "content-type": "application/json", "mcp-session-id": SESSION };
  const list = { jsonrpc: "2.0", id: 1, result: { tools: [{ name: "secret" }, { name: "open" }] } };
  s.origin.on(BASE, (_, res) => res.writeHead(200, json).end(JSON.stringify(list)));
  const { response, line } = await s.ask(s.token({ sub }), { body: '{"jsonrpc":"2.0","id":1,"method":"tools/list"}', headers });
  assert.deepEqual(response.json().result.tools, [{ name: "open" }]);
  assert.deepEqual([line.outcome, line.reason, line.rpc_method], ["forwarded", "ok", "tools/list"]);
  assert.equal(s.origin.last().header("x-mcp-auth-user-id"), sub.replaceAll("\u0000", "%00"));
  const id = response.get("mcp-session-id");
  assert.match(id, /^session-1\.[\w-]{43}$/);
  const using = async (token) => (await s.ask(token, { body: '{"jsonrpc":"2.0","id":2,"method":"ping"}', headers: { ...headers, "mcp-session-id": id } })).line.reason;
  assert.equal(await using(s.token({ sub })), "ok");
  assert.equal(await using(s.token({ sub: "user" })), "session_mismatch");
});

test("a stolen id with another's token is an unknown session", async (t) => {
  const s = await open(t);
  const id = await attached(s, s.token({ client_id: "client-1" }));
  for (const thief of [{ sub: "user-2", client_id: "client-1" }, { client_id: "client-2" }, { azp: "client-2" }, {}]) {
    assertUnknown(await s.using(s.token(thief), id), "session_mismatch");
  }
  assert.deepEqual(s.ids, []);
  assert.equal((await s.using(s.token({ client_id: "client-1" }), id)).response.status, 200);
});

test("the same subject of another issuer is another caller", async (t) => {
  const other = await startIssuer(t, { keys: [signingKey("rsa")] });
  const s = await open(t, { ...bound(), entries: (issuer) => [entryFor(issuer), entryFor(other)] });
  const id = await attached(s, s.token());
  assertUnknown(await s.using(mint({ key: signingKey("rsa"), claims: s.claims({ iss: other.url }) }), id), "session_mismatch");
  assert.deepEqual(s.ids, []);
});

test("altered, bare and malformed ids are unknown sessions", async (t) => {
  const s = await open(t);
  const id = await attached(s, s.token());
  const [, mac] = id.split(".");
  const flipped = (mac.startsWith("A") ? "B" : "A") + mac.slice(1);
  const rows = [
    ["session-1", "session_malformed"],
    ["session-1.", "session_malformed"],
    [`.${mac}`, "session_malformed"],
    [mac, "session_malformed"],
    [`session-1.${mac}=`, "session_malformed"],
    [`session-1.${mac.slice(1)}`, "session_malformed"],
    [`session-1.${mac}A`, "session_malformed"],
    [`session-1.${flipped}`, "session_mismatch"],
    [`session-2.${mac}`, "session_mismatch"],
    [`Session-1.${mac}`, "session_mismatch"],
    [`session-1..${mac}`, "session_mismatch"],
    [`${id}.${mac}`, "session_mismatch"],
    [`session-1 .${mac}`, "session_malformed"],
    [`${"x".repeat(1100)}.${mac}`, "session_malformed"],
    ["", "session_malformed"],
    [[id, id], "session_malformed"],
    [["session-1", id], "session_malformed"],
    [[id, "session-1"], "session_malformed"],
  ];
  for (const [sent, reason] of rows) assertUnknown(await s.using(s.token(), sent), reason);
  assert.deepEqual(s.ids, []);
});

test("spellings that some servers take for the header never arrive", async (t) => {
  const s = await open(t);
  const id = await attached(s, s.token());
  for (const name of ["Mcp_Session_Id", "mcp-session_id", "MCP_SESSION-ID"]) {
    const { status } = await s.call(s.token(), { body: "{}", headers: { [name]: SESSION } });
    assert.equal(status, 200);
    assert.deepEqual(s.origin.last().lines.filter(([key]) => key.includes("session")), []);
    assert.equal((await s.using(s.token(), id, { headers: { [name]: "session-of-a-victim" } })).response.status, 200);
    assert.deepEqual(s.origin.last().lines.filter(([key]) => key.includes("session")), [["mcp-session-id", SESSION]]);
  }
});

test("a request of 2026-07-28 is untouched, and an id that it brings does not get past the check", async (t) => {
  const s = await open(t);
  const modern = { "mcp-protocol-version": "2026-07-28" };
  const before = await s.call(s.token(), { body: "{}", headers: modern });
  assert.equal(before.status, 200);
  const id = await attached(s, s.token());
  for (const version of ["2026-07-28", "2027-01-01", "DRAFT-2026-v1", "2026-07-28, 2025-11-25"]) {
    for (const sent of [SESSION, id, "session-of-a-victim"]) {
      const { response } = await s.using(s.token(), sent, { headers: { "mcp-protocol-version": version } });
      assert.equal(response.status, 200);
      assert.equal(s.origin.last().header("mcp-session-id"), undefined, `${version} ${sent}`);
      assert.equal(s.origin.last().header("mcp-protocol-version"), version);
    }
  }
  for (const version of ["2025-11-25", "2025-06-18", "", " 2026-07-27"]) {
    assertUnknown(await s.using(s.token(), SESSION, { headers: { "mcp-protocol-version": version } }), "session_malformed");
  }
  assert.deepEqual(s.ids, []);
});

test("an id on any answer is bound, and one that cannot be is not passed on", async (t) => {
  const s = await open(t);
  for (const gives of ["x".repeat(1023 - 44), "!~", "a.b.c", "0"]) {
    s.gives = gives;
    const id = await attached(s, s.token());
    assert.ok(id.length < 1024 && id.startsWith(`${gives}.`), id);
    assert.equal((await s.using(s.token(), id)).response.status, 200);
    assert.equal(s.ids.at(-1), gives);
  }
  for (const gives of ["x".repeat(1024 - 44), "two words", "", ["a", "b"], "caf\u00e9"]) {
    s.gives = gives;
    const { response, line } = await s.ask(s.token(), { body: '{"method":"initialize"}' });
    assert.deepEqual([response.status, response.get("mcp-session-id"), line.reason], [502, undefined, "session_unbindable"], `${gives}`);
  }
  s.origin.on(BASE, (_, res) => res.writeHead(400, { "mcp-session-id": "on-an-error" }).end());
  const response = await s.call(s.token());
  assert.equal(response.status, 400);
  assert.match(response.get("mcp-session-id"), /^on-an-error\./);
});

test("a WebSocket, whose answer cannot be changed, brings no session id along", async (t) => {
  for (const [vars, outcome] of [[bound().vars, "Unexpected server response: 502"], [{}, "open"]]) {
    const s = await stage(t, { vars });
    const sockets = new WebSocketServer({ server: s.origin.server });
    sockets.on("headers", (headers) => headers.push(`Mcp-Session-Id: ${SESSION}`));
    const socket = new WebSocket(`ws://127.0.0.1:${s.worker.port}/mcp`, { headers: bearer(s.token()) });
    const came = new Promise((resolve) => {
      socket.once("open", () => resolve("open"));
      socket.once("error", ({ message }) => resolve(message));
    });
    assert.equal(await bounded("the WebSocket", came), outcome);
    socket.terminate();
    sockets.close();
  }
});

test("an event stream is bound before its first event, and streams", async (t) => {
  const s = await open(t);
  s.origin.on(BASE, (_, res) => res.writeHead(200, { "content-type": "text/event-stream", "mcp-session-id": SESSION }).end("data: 1\n\n"));
  const response = await s.initialize(s.token());
  assert.match(response.get("mcp-session-id"), /^session-1\./);
  assert.equal(response.text, "data: 1\n\n");
});

test("a key that has bound until now is accepted while it is listed, and no longer", async (t) => {
  const s = await open(t);
  const id = await attached(s, s.token());
  const using = (other, sent) => other.ask(s.token(), { body: "{}", headers: { "mcp-session-id": sent } });
  const rotating = await s.another({ vars: { ...s.settings, [KEY]: [NEW, OLD] } });
  assert.equal((await using(rotating, id)).line.outcome, "forwarded");
  const renewed = await attached({ initialize: (token) => rotating.call(token, { body: '{"method":"initialize"}' }) }, s.token());
  assert.notEqual(renewed, id, "the first key attaches");
  const rotated = await s.another({ vars: { ...s.settings, [KEY]: JSON.stringify([NEW]) } });
  assert.equal((await using(rotated, renewed)).line.outcome, "forwarded");
  assertUnknown(await using(rotated, id), "session_mismatch");
  assert.deepEqual(s.ids, [SESSION, SESSION]);
});

test("a session of one resource is none of another", async (t) => {
  const s = await open(t);
  const id = await attached(s, s.token());
  const aud = "https://mcp.example.com/mcp";
  const other = await s.another({ vars: { ...s.settings, MCP_SERVER_AUTH_CANONICAL_URL: "https://mcp.example.com/other" } });
  const { line } = await other.ask(s.token({ aud: ["https://mcp.example.com/other", aud] }), { path: "/other", headers: { "mcp-session-id": id } });
  assert.equal(line.reason, "session_mismatch");
});

test("off, ids pass as they are", async (t) => {
  for (const vars of [{}, { [KEY]: OLD, MCP_SERVER_AUTH_BIND_SESSIONS: "false" }]) {
    const s = await open(t, { vars });
    assert.equal(await attached(s, s.token()), SESSION);
    assert.equal((await s.using(s.token({ sub: "user-2" }), SESSION)).response.status, 200);
    assert.deepEqual(s.ids, [SESSION]);
  }
});

test("on without a key, or with one that is too short, nothing is served", async (t) => {
  for (const vars of [{ MCP_SERVER_AUTH_BIND_SESSIONS: true }, { [KEY]: "s3cret-too-short" }, { [KEY]: [OLD, "s3cret-too-short"] }, { [KEY]: [] }]) {
    const s = await stage(t, { vars });
    assert.equal((await s.worker.send({ path: "/healthz" })).status, 503);
    assert.match(s.worker.lines("misconfigured")[0].faults.join(), new RegExp(`^${KEY}: `));
    assert.ok(!s.worker.output().includes("s3cret"));
  }
});

test("a session id never stands in for a token", async (t) => {
  const s = await open(t);
  const id = await attached(s, s.token());
  const { line } = await s.using(undefined, id);
  assert.deepEqual([line.status, line.reason], [401, "credentials_missing"]);
  assert.deepEqual(s.ids, []);
});

// A module before the bundle remembers what wasm memory there is, and one around it tells.
const memory = (main) => `import { memories } from "./memories.mjs";
import worker from "./${main}";
export default {
  fetch(request, env, context) {
    if (!request.url.endsWith("/test/memory")) return worker.fetch(request, env, context);
    return new Response(String(memories.reduce((sum, memory) => sum + memory.buffer.byteLength, 0)));
  },
};
`;
const MEMORIES = `export const memories = [];
const Real = WebAssembly.Instance;
WebAssembly.Instance = class extends Real {
  constructor(...args) {
    super(...args);
    memories.push(this.exports.memory);
  }
};
`;

test("10 000 sessions take no memory", async (t) => {
  const s = await open(t, { ...bound(), around: memory, modules: { "memories.mjs": MEMORIES } });
  const held = async () => Number((await send(s.worker.port, { path: "/test/memory" })).text);
  let count = 0;
  s.origin.on(BASE, (_, res) => res.writeHead(200, { "mcp-session-id": `session-${++count}` }).end());
  const tokens = Array.from({ length: 20 }, (_, i) => s.token({ sub: `user-${i}` }));
  const some = async (total) => {
    const ids = new Set();
    for (let left = total; left > 0; left -= tokens.length) {
      const asked = tokens.map((token) => send(s.worker.port, { method: "POST", path: "/mcp", headers: bearer(token) }));
      for (const response of await Promise.all(asked)) ids.add(response.get("mcp-session-id"));
    }
    assert.equal(ids.size, total);
  };
  await some(500);
  const before = await held();
  assert.ok(before > 0);
  await some(10_000);
  assert.equal(await held(), before);
});
