// The settings are read while the isolate starts, and what they came to is said at the first
// request. After a panic, and in a runtime that gives no variables to a module, the first request
// reads them.
import assert from "node:assert/strict";
import { test } from "node:test";
import { asserting } from "./support/assertion.mjs";
import { send } from "./support/http.mjs";
import { stage } from "./support/stage.mjs";

// Requests come without any variable: whoever reads the settings from one finds none.
const around = (main) => `import worker from "./${main}";
export default {
  async fetch(request, env, context) {
    if (!request.url.endsWith("/test/panic")) return worker.fetch(request, {}, context);
    dispatchEvent(new ErrorEvent("error", { error: new WebAssembly.RuntimeError("unreachable") }));
    return new Response("raised");
  },
};
`;

const DOCUMENT = { path: "/.well-known/oauth-protected-resource/mcp" };

test("the settings are those that the isolate started with, and the log has them once", async (t) => {
  const s = await stage(t, { around });
  for (let i = 0; i < 3; i++) assert.equal((await s.call(s.token())).status, 200);
  assert.equal((await s.worker.send(DOCUMENT)).status, 200);
  assert.equal(s.worker.lines("start").length, 1);
  assert.equal(s.worker.logs[0].event, "start", "before the line of the first request");
});

test("after a panic they are those of the first request", async (t) => {
  const s = await stage(t, { around });
  assert.equal((await s.call(s.token())).status, 200);
  assert.equal((await send(s.worker.port, { path: "/test/panic" })).text, "raised");
  const { response, line } = await s.ask(s.token());
  assert.deepEqual([response.status, line.reason], [503, "server_misconfigured"], "there are none in it");
  assert.equal(s.worker.lines("misconfigured").length, 1);
});

test("faults are said at the first request, too, and once", async (t) => {
  const s = await stage(t, { around, vars: { ORIGIN_URL: "nowhere" } });
  for (let i = 0; i < 2; i++) assert.equal((await s.ask(s.token())).line.reason, "server_misconfigured");
  const [line, ...more] = s.worker.lines("misconfigured");
  assert.match(line.faults.join(), /^ORIGIN_URL: expected an http or https URL/);
  assert.deepEqual(more, []);
});

test("keys that sign assertions are looked at by the first request, and nothing is said before", async (t) => {
  const s = await stage(t, { vars: asserting(), around });
  assert.equal((await s.call(s.token())).status, 200);
  assert.ok(s.origin.last().header("x-mcp-auth-assertion"));
  assert.equal(s.worker.lines("start").length, 1);
});

test("a runtime that gives a module no variables: the first request reads them", async (t) => {
  const rewrite = (text) => {
    const without = text.replace(/import \* as (\w+) from "cloudflare:workers";/, "const $1 = {};");
    assert.notEqual(without, text);
    return without;
  };
  const s = await stage(t, { rewrite });
  assert.equal((await s.call(s.token())).status, 200);
  assert.equal(s.worker.lines("start").length, 1);
  const empty = await stage(t, { rewrite, around });
  assert.equal((await empty.call(empty.token())).status, 503);
});
