// The entry module's promise: after a panic the next request meets a fresh instance of the wasm. It rests on internals of
// wasm-bindgen (`__wbg_reset_state`), so this is what notices when an upgrade breaks them.
import assert from "node:assert/strict";
import { test } from "node:test";
import { send } from "./support/http.mjs";
import { stage } from "./support/stage.mjs";

// A panic cannot be caused from outside, so the event by which the runtime reports one is raised instead.
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
