// MCP_SERVER_AUTH_LOG and MCP_SERVER_AUTH_LOG_SAMPLE: which requests the log has a line of. What is
// not there is shown by what comes after it: a line of the same isolate is never written before
// that of an earlier answer.
import assert from "node:assert/strict";
import { test } from "node:test";
import { send } from "./support/http.mjs";
import { BASE } from "./support/origin.mjs";
import { call, guarded, post, RULES } from "./support/policy.mjs";
import { bearer, CANONICAL, stage } from "./support/stage.mjs";
import { until } from "./support/until.mjs";

const logging = (lines, sample, rest = {}) => ({ MCP_SERVER_AUTH_LOG: lines, MCP_SERVER_AUTH_LOG_SAMPLE: sample, ...rest });

/** What is asked without waiting for a line. */
const silently = (s, token, head = {}) =>
  send(s.worker.port, { method: "POST", path: "/mcp", ...head, headers: { ...bearer(token), ...head.headers } });

const reasons = (s) => s.worker.lines("request").map(({ reason }) => reason);

/** One of each end: forwarded, served three times, refused. */
async function each(s) {
  assert.equal((await silently(s, s.token())).status, 200);
  assert.equal((await silently(s, undefined, { method: "GET", path: "/healthz" })).status, 200);
  assert.equal((await silently(s, undefined, { method: "GET", path: "/.well-known/oauth-protected-resource" })).status, 200);
  assert.equal((await silently(s, undefined, { method: "OPTIONS" })).status, 204);
  assert.equal((await silently(s, s.token(), { headers: { origin: "https://app.example.com" } })).status, 200);
  assert.equal((await silently(s, s.token({ exp: 1 }))).status, 401);
}

const ALL = ["ok", "health", "metadata", "preflight", "ok", "token_expired"];

test("all requests have a line, or refusals, or none", async (t) => {
  for (const [vars, expected] of [
    [{}, ALL], [logging("all"), ALL], [logging("all", 1), ALL], [logging("all", "1.0"), ALL], [logging("", ""), ALL],
    [logging("refusals"), ["token_expired"]], [logging("refusals", 1), ["token_expired"]], [logging("all", 0), ["token_expired"]],
    [logging("all", "0"), ["token_expired"]], [logging("none"), []], [logging("none", 1), []],
  ]) {
    const s = await stage(t, { vars });
    await each(s);
    await until("what they have", () => reasons(s).length >= expected.length);
    await s.worker.stop();
    assert.deepEqual(reasons(s), expected, JSON.stringify(vars));
    // The lines about the Worker itself are no requests'.
    assert.equal(s.worker.lines("start").length, 1);
    assert.equal(s.worker.lines("keys").length, 1);
  }
});

/** `Math.random()` gives these, in turn. */
const drawing = (numbers) => (main) => `import worker from "./${main}";
const numbers = ${JSON.stringify(numbers)};
Math.random = () => numbers.shift() ?? 0.999;
export default { fetch: (...all) => worker.fetch(...all) };
`;

test("of what is not refused, the sample is drawn for each request; refusals always have a line", async (t) => {
  const s = await stage(t, { around: drawing([0.24, 0.25, 0.9, 0, 0.2499]), vars: logging("all", "0.25") });
  for (let i = 0; i < 3; i++) {
    assert.equal((await silently(s, s.token())).status, 200);
    assert.equal((await silently(s, s.token({ exp: 1 }))).status, 401);
  }
  assert.equal((await silently(s, undefined, { method: "GET", path: "/healthz" })).status, 200);
  assert.equal((await silently(s, s.token())).status, 200);
  assert.equal((await silently(s, s.token())).status, 200);
  assert.equal((await silently(s, s.token({ exp: 1 }))).status, 401);
  await until("the last one's", () => reasons(s).length >= 7);
  assert.deepEqual(reasons(s), ["ok", "token_expired", "token_expired", "token_expired", "health", "ok", "token_expired"]);
});

test("a request that has no line has nothing written for it", async (t) => {
  // What wasm hands over for the line, by its length.
  const rewrite = (text) => {
    const split = 'plan.split("\\0")';
    assert.ok(text.includes(split));
    return text.replace(split, `(globalThis.lineOf = plan.split("\\0")[10], ${split})`);
  };
  const around = (main) => `import worker from "./${main}";
export default {
  async fetch(...all) {
    const response = await worker.fetch(...all);
    return new Response(response.body, { status: response.status, headers: { "x-line": globalThis.lineOf ?? "none" } });
  },
};
`;
  for (const [vars, isWritten] of [[{}, true], [logging("refusals"), false], [logging("none"), false], [logging("all", 0), false]]) {
    const s = await stage(t, { rewrite, around, vars });
    const response = await silently(s, s.token());
    assert.equal(response.status, 200);
    assert.match(response.get("x-line"), isWritten ? /^"method":"POST".*"kid":"rsa-a"/ : /^$/, JSON.stringify(vars));
  }
});

test("what is refused after it was sent on has a line all the same, with what is still known", async (t) => {
  for (const vars of [logging("refusals"), logging("all", 0)]) {
    const s = await stage(t, { vars });
    s.origin.on(BASE, (req, res) => res.writeHead(401).end());
    const { line } = await s.ask(s.token({ client_id: "app" }), { headers: { "cf-ray": "9a1b" } });
    assert.deepEqual({ ...line, ms: 0 }, {
      event: "request", method: "POST", resource: CANONICAL, credential: "none", outcome: "refused", reason: "origin_unauthorized", status: 502, ms: 0, cf_ray: "9a1b",
    });
    await s.origin.close();
    const gone = await s.ask(s.token(), { method: "DELETE" });
    assert.deepEqual([gone.line.method, gone.line.reason, gone.line.resource, typeof gone.line.detail], ["DELETE", "origin_unreachable", CANONICAL, "string"]);
    assert.doesNotMatch(s.worker.output(), /AUDIT/, "what is not bound is not written to");
  }
  const silent = await stage(t, { vars: logging("none") });
  await silent.origin.close();
  assert.equal((await silently(silent, silent.token())).status, 502);
  await silent.worker.stop();
  assert.deepEqual(silent.worker.lines("request"), []);
});

test("who waits has a line that says so, whatever the log takes", async (t) => {
  const faster = (main) => `import worker from "./${main}";
const { setTimeout: real } = globalThis;
globalThis.setTimeout = (task, ms, ...given) => real(task, ms / 100, ...given);
export default { fetch: (...all) => worker.fetch(...all) };
`;
  for (const lines of ["refusals", "none"]) {
    const s = await stage(t, { around: faster, vars: logging(lines) });
    s.origin.on(BASE, () => {});
    assert.equal((await silently(s, s.token())).status, 504);
    const waiting = await until("the line", () => s.worker.lines("waiting")[0]);
    assert.deepEqual(waiting, { event: "waiting", method: "POST", resource: CANONICAL, seconds: 10 });
  }
});

test("what report mode lets through counts as refused", async (t) => {
  const policy = { mode: "report", rules: RULES };
  for (const [vars, expected] of [[logging("refusals"), ["not_permitted"]], [logging("all", 0), ["not_permitted"]], [logging("none"), []]]) {
    const s = await guarded(t, policy, { vars });
    const token = s.token({ scope: "tools" });
    assert.equal((await silently(s, token, post(call("read")))).status, 200);
    assert.equal((await silently(s, token, post({ ...call("read"), method: "resources/read", params: { uri: "a" } }))).status, 200);
    await until("what they have", () => reasons(s).length >= expected.length);
    await s.worker.stop();
    const lines = s.worker.lines("request");
    assert.deepEqual(lines.map(({ outcome }) => outcome), expected.map(() => "forwarded"));
    for (const line of lines) assert.ok(line.would_refuse && line.client === undefined && line.rpc_method === "resources/read", JSON.stringify(line));
  }
});

test("settings with faults cannot say that nothing is written", async (t) => {
  const s = await stage(t, { vars: { ...logging("none"), MCP_SERVER_AUTH_CACHE_TTL: 1 } });
  assert.equal((await s.ask(s.token())).line.reason, "server_misconfigured");
});
