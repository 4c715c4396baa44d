// The entry module's promise: after a panic the next request meets a fresh instance of the wasm. It
// rests on internals of wasm-bindgen (`__wbg_reset_state`), so this is what notices when an upgrade
// breaks them.
import assert from "node:assert/strict";
import { test } from "node:test";
import { asserting } from "./support/assertion.mjs";
import { open, send, whole } from "./support/http.mjs";
import { introspecting, opaque } from "./support/introspection.mjs";
import { reply } from "./support/issuer.mjs";
import { startKv } from "./support/kv.mjs";
import { BASE } from "./support/origin.mjs";
import { ON, readsOf } from "./support/revocations.mjs";
import { assertUnavailable, bearer, CANONICAL, stage } from "./support/stage.mjs";
import { until } from "./support/until.mjs";

// A panic cannot be caused from outside, so the event by which the runtime reports one is raised
// instead.
const around = (main) => `import worker from "./${main}";
export default {
  async fetch(request, env, context) {
    if (!request.url.endsWith("/test/panic")) return worker.fetch(request, env, context);
    dispatchEvent(new ErrorEvent("error", { error: new WebAssembly[request.headers.get("kind")]("unreachable") }));
    return new Response("raised");
  },
};
`;

const raise = async (s, kind) => {
  assert.equal((await send(s.worker.port, { path: "/test/panic", headers: { kind } })).text, "raised");
};

test("after a panic the next request is served by a fresh instance", async (t) => {
  const s = await stage(t, { around });
  assert.equal((await s.ask(s.token())).line.keys, "issuer");
  assert.equal((await s.ask(s.token())).line.keys, "memory");
  for (let n = 2; n <= 4; n++) {
    await raise(s, "RuntimeError");
    const { response, line } = await s.ask(s.token());
    assert.equal(response.status, 200, response.text);
    assert.equal(line.keys, "issuer", "nothing of the old instance's memory is used");
    assert.equal(s.worker.lines("start").length, n, "it starts like a new isolate");
    assert.equal((await s.ask(s.token({ aud: "https://other.example.com" }))).line.reason, "aud_mismatch");
    assert.equal((await s.ask(s.token())).line.keys, "memory");
  }
});

test("a panic that only the entry hears of, as an exception, leads to a fresh instance, too", async (t) => {
  const s = await stage(t, {
    around: (main) => `import worker from "./${main}";
// What the Worker is given throws what a panic throws, from within wasm; and who called the entry
// keeps it from the runtime.
const trap = { get(name) { if (name === "access-control-request-headers") throw new WebAssembly.RuntimeError("unreachable"); return null; } };
export default {
  async fetch(request, env, context) {
    if (!request.url.endsWith("/test/panic")) return worker.fetch(request, env, context);
    const options = { method: "OPTIONS", url: "https://mcp.example.com/mcp", headers: trap };
    return worker.fetch(options, env, context).catch((error) => new Response(error.constructor.name));
  },
};
`,
  });
  await s.ask(s.token());
  assert.equal((await s.ask(s.token())).line.keys, "memory");
  assert.equal((await send(s.worker.port, { path: "/test/panic" })).text, "RuntimeError");
  assert.equal((await s.ask(s.token())).line.keys, "issuer", "nothing of the old instance's memory is used");
  assert.equal(s.worker.lines("start").length, 2);
});

test("while a fresh instance judges its signing keys, no session id reaches a client unbound", async (t) => {
  // The runtime takes its time with the keys of every instance but the first.
  const holding = (main) => `import worker from "./${main}";
let held = false;
const { importKey } = SubtleCrypto.prototype;
SubtleCrypto.prototype.importKey = async function (format, ...rest) {
  if (held && format === "pkcs8") console.log('{"event":"judging"}');
  while (held && format === "pkcs8") await new Promise((next) => setTimeout(next, 5));
  return importKey.call(this, format, ...rest);
};
export default {
  async fetch(request, env, context) {
    if (request.url.endsWith("/test/release")) held = false;
    if (!request.url.endsWith("/test/panic")) return worker.fetch(request, env, context);
    held = true;
    dispatchEvent(new ErrorEvent("error", { error: new WebAssembly.RuntimeError("unreachable") }));
    return new Response("raised");
  },
};
`;
  const s = await stage(t, { around: holding, vars: { ...asserting("header"), MCP_SERVER_AUTH_SESSION_KEY: "k".repeat(32) } });
  let answer;
  s.origin.on(BASE, (_, res) => (answer = () => res.writeHead(200, { "mcp-session-id": "session-1" }).end("{}")));
  const asked = open(s.worker.port, { method: "POST", path: "/mcp", headers: bearer(s.token()) });
  asked.request.end();
  await until("the request at the origin", () => answer);
  await raise(s, "RuntimeError");
  s.origin.on(BASE, (_, res) => res.end("{}"));
  const judging = open(s.worker.port, { method: "POST", path: "/mcp", headers: bearer(s.token()) });
  judging.request.end();
  await until("a fresh instance that judges", () => s.worker.lines("judging").length);
  answer();
  const response = await whole(await asked.response);
  assert.deepEqual([response.status, response.all("mcp-session-id")], [502, []], response.text);
  await send(s.worker.port, { path: "/test/release" });
  assert.equal((await whole(await judging.response)).status, 200);
});

test("who waits for an authorization server, or for another's read of the revoked tokens, is told to come again", async (t) => {
  const kv = await startKv(t);
  const s = await introspecting(t, { around, kv, vars: ON });
  await s.ask(s.token({ exp: 1 })); // the keys are at hand
  const begun = (token) => {
    const exchange = open(s.worker.port, { method: "POST", path: "/mcp", headers: bearer(token) });
    exchange.request.end();
    return exchange.response;
  };
  const answer = reply.held((_, res) => res.end("{}"));
  s.tells((_, res, req) => answer(req, res));
  const asking = begun(opaque());
  await until("the question", () => s.asked.length === 1);
  kv.on("GET", reply.hang());
  begun(s.token()).catch(() => {}); // its read was the old instance's, and nobody ends it
  await until("the read", () => readsOf(kv) === 1);
  const waits = begun(s.token());
  await raise(s, "RuntimeError");
  assert.equal((await s.worker.send({ path: "/healthz" })).status, 200, "a fresh instance");
  answer.release();
  for (const response of [asking, waits]) assertUnavailable(await whole(await response));
  const lines = () => s.worker.lines("request").filter(({ status }) => status === 503);
  await until("their lines", () => lines().length === 2);
  for (const { outcome, resource } of lines()) assert.deepEqual([outcome, resource], ["refused", CANONICAL]);
  assert.equal(s.origin.seen.length, 0);
});

test("an error that is no panic changes nothing", async (t) => {
  const s = await stage(t, { around });
  await s.ask(s.token());
  await raise(s, "LinkError");
  assert.equal((await s.ask(s.token())).line.keys, "memory");
});

test("settings with faults stay refused after a panic", async (t) => {
  const s = await stage(t, { around, vars: { ORIGIN_URL: undefined } });
  assert.equal((await s.call(s.token())).status, 503);
  await raise(s, "RuntimeError");
  assert.equal((await s.call(s.token())).status, 503);
  assert.equal(s.worker.lines("misconfigured").length, 2);
});

test("what JavaScript throws within wasm costs its own request and no later one", async (t) => {
  const s = await stage(t, {
    vars: { MCP_SERVER_AUTH_POLICY: { rules: [{ methods: ["tools/call"], names: ["x"], deny: true }] } },
    around: (main) => `import worker from "./${main}";
export default {
  async fetch(request, env, context) {
    if (!request.headers.has("x-trap")) return worker.fetch(request, env, context);
    const { method, url, headers } = request;
    return worker.fetch({ method, url, headers, get body() { throw new TypeError("broken"); } }, env, context).catch(() => new Response("thrown"));
  },
};
`,
  });
  assert.equal((await s.ask(s.token(), { method: "GET" })).line.keys, "issuer");
  const trap = { method: "GET", path: "/mcp", headers: { ...bearer(s.token()), "x-trap": "1" } };
  for (let n = 0; n < 3; n++) {
    assert.equal((await send(s.worker.port, trap)).text, "thrown");
    for (const pad of [10, 500, 4000]) {
      const { response } = await s.ask(s.token({ pad: "x".repeat(pad) }), { body: '{"jsonrpc":"2.0","id":1,"method":"ping"}', headers: { "content-type": "application/json" } });
      assert.equal(response.status, 200, response.text);
    }
  }
});
