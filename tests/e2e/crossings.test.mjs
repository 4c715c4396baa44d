// Between wasm and the runtime: a verdict that is not `true` is a no, and never another token's,
// however late, in whatever order and across whatever panic it comes; what the runtime throws is an
// answer all the same.
import assert from "node:assert/strict";
import { test } from "node:test";
import { send } from "./support/http.mjs";
import { tampered } from "./support/mint.mjs";
import { assertInvalid, assertOwn, bearer, stage } from "./support/stage.mjs";
import { until } from "./support/until.mjs";

// The runtime's own functions, bent: /test/mode says how, for the requests that follow.
const around = (main) => `import worker from "./${main}";
const { subtle } = crypto;
const verify = subtle.verify.bind(subtle);
const realFetch = globalThis.fetch;
let mode = "real";
let held = 0;
const hold = async (check, during) => { held++; while (during.includes(mode)) await pause(10); held--; return check; };
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const modes = {
  real: (check) => check,
  reject: () => Promise.reject(new Error("broken")),
  throw: () => { throw new TypeError("broken"); },
  one: () => Promise.resolve(1),
  text: () => Promise.resolve("true"),
  object: () => Promise.resolve({}),
  nothing: () => Promise.resolve(undefined),
  shuffled: async (check) => { await pause(200 * Math.random()); return check; },
  // Each waits by its own timer, until the mode is another.
  hold: (check) => hold(check, ["hold", "hold-more"]),
  "hold-more": (check) => hold(check, ["hold-more", "release"]),
};
subtle.verify = (...given) => modes[mode](verify(...given));
globalThis.fetch = (...given) => {
  if (mode === "fetch-throws") throw new TypeError("broken");
  if (mode === "used-body") return realFetch(...given).then(async (response) => { await response.text(); return response; });
  return realFetch(...given);
};
modes.release = modes["fetch-throws"] = modes["used-body"] = modes.real;
export default {
  async fetch(request, env, context) {
    const url = new URL(request.url);
    if (url.pathname === "/test/held") return new Response(String(held));
    if (url.pathname === "/test/mode") mode = url.searchParams.get("to");
    else if (url.pathname === "/test/panic") dispatchEvent(new ErrorEvent("error", { error: new WebAssembly.RuntimeError("unreachable") }));
    else return worker.fetch(request, env, context);
    return new Response(mode);
  },
};
`;

const set = async (s, mode) => assert.equal((await send(s.worker.port, { path: `/test/mode?to=${mode}` })).text, mode);

const post = (s, token) => send(s.worker.port, { method: "POST", path: "/mcp", headers: bearer(token) });
const heldAre = (s, count) => until(`${count} checks held`, async () => (await send(s.worker.port, { path: "/test/held" })).text === String(count));

test("only true is a yes", async (t) => {
  const s = await stage(t, { around });
  assert.equal((await s.ask(s.token())).response.status, 200);
  const before = s.origin.seen.length;
  for (const mode of ["reject", "throw", "one", "text", "object", "nothing"]) {
    await set(s, mode);
    const { response, line } = await s.ask(s.token());
    assertInvalid(response, "The access token is invalid");
    assert.equal(line.reason, "signature_invalid", mode);
  }
  assert.equal(s.origin.seen.length, before, "nothing was forwarded");
  await set(s, "real");
  assert.equal((await s.ask(s.token())).response.status, 200);
});

test("what fetch throws is a 502, and so is a response that cannot be passed on", async (t) => {
  const s = await stage(t, { around });
  await s.ask(s.token());
  for (const [mode, reason] of [["fetch-throws", "origin_unreachable"], ["used-body", "origin_unreachable"]]) {
    await set(s, mode);
    const { response, line } = await s.ask(s.token());
    assertOwn(response, 502, { error: "bad_gateway" });
    assert.equal(response.get("access-control-allow-origin"), "*");
    assert.deepEqual([line.outcome, line.reason, line.status], ["refused", reason, 502], mode);
  }
});

test("verdicts that come in any order are each their own token's", async (t) => {
  const s = await stage(t, { around });
  await s.ask(s.token());
  await set(s, "shuffled");
  const asked = Array.from({ length: 60 }, (_, i) => ({ sub: `user-${i}`, good: i % 3 !== 0 }));
  await Promise.all(asked.map(async ({ sub, good }) => {
    const token = good ? s.token({ sub }) : tampered(s.token({ sub }));
    assert.equal((await post(s, token)).status, good ? 200 : 401, sub);
  }));
  const forwarded = s.origin.seen.slice(1).map((request) => request.header("x-mcp-auth-user-id")).sort();
  assert.deepEqual(forwarded, asked.filter(({ good }) => good).map(({ sub }) => sub).sort());
});

test("a verdict that comes after a panic lets nobody in, whoever has asked since", async (t) => {
  const s = await stage(t, { around });
  await s.ask(s.token());
  await set(s, "hold");
  const before = s.origin.seen.length;
  const early = Array.from({ length: 5 }, () => post(s, s.token({ sub: "early" })));
  await heldAre(s, 5);
  await send(s.worker.port, { path: "/test/panic" });
  // A fresh instance, whose passages wait while the old one's verdicts come in.
  await set(s, "hold-more");
  const since = Array.from({ length: 5 }, () => post(s, tampered(s.token({ sub: "since" }))));
  await heldAre(s, 10);
  await set(s, "release");
  for (const response of await Promise.all(early)) assert.equal(response.status, 500);
  await set(s, "real");
  for (const response of await Promise.all(since)) assert.equal(response.status, 401);
  assert.equal(s.origin.seen.length, before, "nothing was forwarded");
  assert.equal((await s.ask(s.token())).response.status, 200);
});

test("of more requests than may wait for a verdict, the oldest are let go", async (t) => {
  const s = await stage(t, { around });
  await s.ask(s.token());
  await set(s, "hold");
  const waiting = Array.from({ length: 1030 }, (_, i) => post(s, s.token({ sub: `user-${i}` })));
  await heldAre(s, 1030);
  await set(s, "real");
  const statuses = (await Promise.all(waiting)).map((response) => response.status);
  assert.deepEqual([200, 500].map((status) => statuses.filter((s) => s === status).length), [1024, 6]);
  assert.equal((await s.ask(s.token())).response.status, 200);
});
