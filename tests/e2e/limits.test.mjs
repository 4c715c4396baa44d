// How often: the policy's limits, from outside. What is counted and by which name are rows in
// tests/native/policy_limits.rs; here the built Worker asks rate limiters, those of the tests, that
// of `npx mcp-edge-auth serve` and that of miniflare, which is what `wrangler dev` has.
import assert from "node:assert/strict";
import { test } from "node:test";

import { send } from "./support/http.mjs";
import { signingKey } from "./support/keys.mjs";
import { startKv } from "./support/kv.mjs";
import { mint } from "./support/mint.mjs";
import { call, guarded, post } from "./support/policy.mjs";
import { boundToken, byDpop, proof } from "./support/proofs.mjs";
import { KEY, ON, revocations, revoked } from "./support/revocations.mjs";
import { assertInvalid, bearer, stage } from "./support/stage.mjs";
import { until } from "./support/until.mjs";
import { testClock } from "./support/worker.mjs";

/** Counts without a period, and says in the log what it was asked. */
const counting = (most) => `const counts = new Map();
export default () => ({
  async limit(options) {
    const count = (counts.get(options.key) ?? 0) + 1;
    counts.set(options.key, count);
    console.log(JSON.stringify({ event: "counted", ...options }));
    return { success: count <= ${most} };
  },
});`;

/** A policy of these limits, all of which are counted by CALLS. */
const limited = (limits, rest = {}) => ({ limits: limits.map((limit) => ({ binding: "CALLS", ...limit })), ...rest });
const behind = (t, policy, limiter, rest = {}) => guarded(t, policy, { stage: { limiters: { CALLS: limiter }, ...rest } });

function assertLimited(response, { id = 1, period = 60 } = {}) {
  assert.equal(response.status, 429, response.text);
  assert.deepEqual(response.all("retry-after"), [String(period)]);
  assert.deepEqual(response.all("www-authenticate"), []);
  assert.deepEqual(response.all("cache-control"), ["no-store"]);
  assert.equal(response.get("access-control-allow-origin"), "*");
  const error = { code: 429, message: "Too many requests", data: { error: "rate_limited" } };
  assert.deepEqual(response.json(), { jsonrpc: "2.0", ...(id !== null && { id }), error });
}

test("each user has so many calls; who has had them gets 429, the time to wait, and the request's id", async (t) => {
  const s = await behind(t, limited([{ by: "client", methods: ["no/such"] }, { by: "user", period: 10 }]), counting(2));
  const body = Buffer.from(' {"method":"tools/call", "params":{"name":"echo","arguments":{"a":1.10}},"id":"a b"}\t');
  for (const _ of [1, 2]) {
    const { response, line } = await s.ask(s.token(), post(body));
    assert.equal(response.status, 200);
    assert.deepEqual(await s.origin.last().body, body);
    assert.deepEqual([line.outcome, line.rpc_name, line.limit], ["forwarded", "echo", undefined]);
  }
  const before = s.origin.seen.length;
  const { response, line } = await s.ask(s.token(), post(body));
  assertLimited(response, { id: "a b", period: 10 });
  assert.deepEqual([line.outcome, line.reason, line.limit, line.rule], ["refused", "rate_limited", 1, undefined]);
  assert.equal(s.origin.seen.length, before);

  assert.equal((await s.call(s.token({ sub: "user-2" }), post(body))).status, 200);
  // What has no body counts, too, and has no id.
  assertLimited(await s.call(s.token(), { method: "GET" }), { id: null, period: 10 });
  assert.equal(s.origin.seen.length, before + 1);
});

test("what a rate limiter is told is a hash, and no name", async (t) => {
  const names = ["user", "client", "tool", "user+tool", "ip"];
  const s = await behind(t, limited(names.map((by) => ({ by }))), counting(9));
  assert.equal((await s.call(s.token({ client_id: "client-1" }), post(call("echo")))).status, 200);
  const asked = s.worker.lines("counted");
  assert.equal(asked.length, names.length);
  assert.equal(new Set(asked.map(({ key }) => key)).size, names.length);
  for (const { event, ...options } of asked) {
    assert.deepEqual(Object.keys(options), ["key"]);
    assert.match(options.key, /^[0-9a-f]{64}$/);
  }
  // Another request for the same counts by the same names.
  await s.call(s.token({ client_id: "client-1" }), post(call("echo")));
  assert.deepEqual(s.worker.lines("counted").slice(names.length), asked);
});

test("each limit asks the rate limiter that it names", async (t) => {
  const limits = [{ by: "user", binding: "CALLS" }, { by: "client", binding: "BURSTS", period: 10 }];
  const s = await guarded(t, { limits }, { stage: { limiters: { CALLS: counting(9), BURSTS: counting(1) } } });
  assert.equal((await s.call(s.token(), post(call("echo")))).status, 200);
  const { response, line } = await s.ask(s.token(), post(call("echo")));
  assertLimited(response, { period: 10 });
  assert.equal(line.limit, 1);
});

test("a batch costs what its messages cost, each by itself", async (t) => {
  const s = await behind(t, limited([{ by: "user+tool", names: ["a*"] }]), counting(10));
  const batch = (...names) => post(JSON.stringify(names.map((name, at) => ({ ...call(name), id: at + 7 }))));
  assert.equal((await s.call(s.token(), batch(...Array(10).fill("a1"), "b", "b"))).status, 200);
  assert.equal(s.worker.lines("counted").length, 10);
  assertLimited(await s.call(s.token(), batch("b", "a1")), { id: 7 });
  assert.equal((await s.call(s.token(), batch(...Array(10).fill("a2")))).status, 200, "another tool");
  assert.equal((await s.call(s.token(), batch("b", "b"))).status, 200, "what no limit matches");
  assert.equal(s.origin.seen.length, 3);
});

test("what the rules refuse is not counted, and what is not permitted is not said to be too much", async (t) => {
  const rules = [{ methods: ["tools/call"], names: ["no"], deny: true }];
  const s = await behind(t, limited([{ by: "user" }], { rules }), counting(1));
  for (const _ of [1, 2, 3]) assert.equal((await s.call(s.token(), post(call("no")))).status, 403);
  assert.equal((await s.call(s.token(), post("no JSON"))).status, 400);
  assert.equal(s.worker.lines("counted").length, 0);
  assert.equal((await s.call(s.token(), post(call("echo")))).status, 200);
  assert.equal((await s.call(s.token(), post(call("no")))).status, 403);
  assertLimited(await s.call(s.token(), post(call("echo"))));
});

test("with limits alone, a body is read as it is with rules", async (t) => {
  const s = await behind(t, limited([{ by: "user" }]), counting(9));
  assert.equal((await s.call(s.token(), post("no JSON"))).status, 400);
  assert.equal((await s.call(s.token(), post('{"method":"ping","id":1,"id":2}'))).status, 400);
  assert.equal((await s.call(s.token(), { ...post("{}"), method: "PUT" })).status, 405);
  assert.equal((await s.call(s.token(), { ...post("{}"), method: "DELETE" })).status, 400);
  assert.equal(s.origin.seen.length, 0);
});

test("report mode counts, says what it would refuse, and lets through", async (t) => {
  const s = await behind(t, limited([{ by: "user" }], { mode: "report" }), counting(1));
  assert.equal((await s.ask(s.token(), post(call("echo")))).line.would_refuse, undefined);
  for (const body of [post(call("echo")), post("no JSON")]) {
    const { response, line } = await s.ask(s.token(), body);
    assert.equal(response.status, 200);
    assert.deepEqual([line.outcome, line.reason], ["forwarded", "ok"]);
    // A body that cannot be read comes first.
    assert.deepEqual([line.would_refuse, line.limit], body.body === "no JSON" ? ["body_malformed", undefined] : ["rate_limited", 0]);
  }
  assert.equal(s.worker.lines("counted").length, 3);
});

const FAILING = {
  throws: "limit() { throw new Error('down'); }",
  rejects: "async limit() { throw new Error('down'); }",
  "says nothing": "async limit() {}",
  "says it in a text": "async limit() { return { success: 'false' }; }",
  "never answers": "limit() { return new Promise((resolve) => setTimeout(resolve, 60_000)); }",
};
for (const [how, method] of Object.entries(FAILING)) {
  test(`a rate limiter that ${how} lets through, and the log says so once`, async (t) => {
    const s = await behind(t, limited([{ by: "user" }]), `export default () => ({ ${method} });`);
    const began = Date.now();
    const answers = await Promise.all(Array.from({ length: 5 }, () => send(s.worker.port, { method: "POST", path: "/mcp", ...post(call("echo")), headers: { ...post("").headers, ...bearer(s.token()) } })));
    assert.deepEqual(answers.map(({ status }) => status), [200, 200, 200, 200, 200]);
    assert.equal((await s.call(s.token(), post(call("echo")))).status, 200);
    assert.ok(Date.now() - began < 8000, "each waits for half a second at most");
    const said = s.worker.lines("limit");
    assert.deepEqual(said.map(({ binding, result }) => [binding, result]), [["CALLS", "no_answer"]]);
  });
}

test("of a rate limiter that goes on failing, the log says so once a minute", async (t) => {
  const clock = testClock();
  const s = await behind(t, limited([{ by: "user" }]), `export default () => ({ ${FAILING.rejects} });`, { clock });
  for (const [seconds, lines] of [[0, 1], [59, 1], [1, 2], [1, 2]]) {
    clock.forward(seconds);
    assert.equal((await s.call(s.token(), post(call("echo")))).status, 200);
    assert.equal(s.worker.lines("limit").length, lines, `${seconds} seconds later`);
  }
});

test("requests at the same time get each its own answer", async (t) => {
  const s = await behind(t, limited([{ by: "user" }]), counting(3));
  const asked = Array.from({ length: 40 }, (_, at) => `user-${at % 8}`);
  const answers = await Promise.all(asked.map((sub, at) => send(s.worker.port, {
    method: "POST", path: "/mcp", body: JSON.stringify({ ...call("echo"), id: at }), headers: { ...post("").headers, ...bearer(s.token({ sub })) },
  })));
  for (const sub of new Set(asked)) {
    const of = answers.filter((_, at) => asked[at] === sub);
    assert.deepEqual(of.map(({ status }) => status).sort(), [200, 200, 200, 429, 429], sub);
  }
  for (const [at, answer] of answers.entries()) {
    const body = answer.json();
    if (answer.status === 429) assert.equal(body.id, at);
    else assert.equal(JSON.parse(body.body).id, at);
  }
});

// workerd by itself says whose socket it is; Cloudflare says it in a header, and this entry leaves
// nothing but that.
const cloudflare = (main) => `import worker from "./${main}";
export default { fetch: (request, env, context) => worker.fetch(new Request(request, { cf: {} }), env, context) };`;

test("an address counts as Cloudflare says it; of IPv6, the network", async (t) => {
  const s = await behind(t, limited([{ by: "ip", methods: ["tools/call"] }]), counting(1), { around: cloudflare });
  const from = (address) => s.call(s.token(), { ...post(call("echo")), headers: { ...post("").headers, ...(address && { "cf-connecting-ip": address }) } });
  for (const [address, status] of [
    ["192.0.2.1", 200], ["192.0.2.1", 429], ["192.0.2.2", 200], ["::ffff:192.0.2.2", 429],
    ["2001:db8:0:1::1", 200], ["2001:DB8:0:1:ffff::2", 429], ["2001:db8:0:2::1", 200],
    [undefined, 200], [undefined, 429],
  ]) assert.equal((await from(address)).status, status, address);
});

test("outside Cloudflare the header is nobody's word, and the socket counts", async (t) => {
  const s = await behind(t, limited([{ by: "ip", methods: ["tools/call"] }]), counting(1));
  const from = (address) => s.call(s.token(), { ...post(call("echo")), headers: { ...post("").headers, "cf-connecting-ip": address } });
  assert.equal((await from("192.0.2.1")).status, 200);
  assertLimited(await from("192.0.2.2"));
});

test("a caller without a token is counted by its address, and is no user's", async (t) => {
  const s = await behind(t, limited([{ by: "user" }], { anonymous_methods: ["tools/list"] }), counting(1), { around: cloudflare });
  const list = (token, address) => s.call(token, { ...post({ jsonrpc: "2.0", id: 1, method: "tools/list" }), headers: { ...post("").headers, "cf-connecting-ip": address } });
  assert.equal((await list(undefined, "192.0.2.1")).status, 200);
  assertLimited(await list(undefined, "192.0.2.1"));
  assert.equal((await list(undefined, "192.0.2.2")).status, 200);
  assert.equal((await list(s.token(), "192.0.2.1")).status, 200);
});

test("a flood of bad tokens costs its sender 429 and no signature check; others of its address go on", async (t) => {
  const s = await behind(t, limited([{ by: "ip" }]), counting(2), { around: cloudflare });
  const from = (address, token) => s.ask(token, { ...post(call("echo")), headers: { ...post("").headers, "cf-connecting-ip": address } });
  const expired = () => s.token({ exp: 1 });
  const colleague = s.token({ sub: "colleague" });
  assert.equal((await from("192.0.2.1", colleague)).response.status, 200);

  for (const token of [expired(), "no.good.token"]) assert.equal((await from("192.0.2.1", token)).response.status, 401);
  const third = await from("192.0.2.1", expired());
  assertLimited(third.response, { id: null });
  assert.deepEqual([third.line.outcome, third.line.reason, third.line.limit], ["refused", "rate_limited", 0]);

  // From here on nothing of a token is looked at: neither its issuer, nor its keys, nor the count.
  const [fetched, counted] = [s.issuer.hits("/jwks"), s.worker.lines("counted").length];
  const stranger = mint({ key: signingKey("rsa", "stranger"), claims: s.claims() });
  for (const token of [expired(), stranger, s.token({ sub: "new" })]) {
    const { response, line } = await from("192.0.2.1", token);
    assertLimited(response, { id: null });
    assert.deepEqual([line.reason, line.issuer, line.kid], ["rate_limited", undefined, undefined]);
  }
  assert.deepEqual([s.issuer.hits("/jwks"), s.worker.lines("counted").length], [fetched, counted]);
  assert.equal(s.origin.seen.length, 1);

  // Who shares the address goes on with a token that was good before; it is verified again.
  assert.equal((await from("192.0.2.1", colleague)).response.status, 200);
  const altered = colleague.replace(/.$/, (last) => (last === "A" ? "Q" : "A"));
  assertLimited((await from("192.0.2.1", altered)).response, { id: null });
  // Another address is another's.
  assertInvalid((await from("192.0.2.2", expired())).response, "The access token expired");
  assert.equal((await from("192.0.2.2", s.token({ sub: "new" }))).response.status, 200);
});

test("a revoked token is a bad one; with a good one, who shares its address goes on", async (t) => {
  const kv = await startKv(t);
  const s = await guarded(t, limited([{ by: "ip" }]), { vars: ON, stage: { kv, limiters: { CALLS: counting(2) } } });
  kv.values.set(KEY, revocations(1, [revoked(s.issuer, { value: "gone" })]));
  const [good, gone] = [s.token({ sub: "colleague" }), s.token({ sub: "gone" })];
  assert.equal((await s.call(good, post(call("echo")))).status, 200);
  for (const status of [401, 401, 429]) assert.equal((await s.call(gone, post(call("echo")))).status, status);
  const counted = s.worker.lines("counted").length;
  assertLimited(await s.call(gone, post(call("echo"))), { id: null });
  assertLimited(await s.call(s.token({ sub: "new" }), post(call("echo"))), { id: null });
  assert.equal(s.worker.lines("counted").length, counted, "nobody takes it for one that was good");
  assert.equal((await s.call(good, post(call("echo")))).status, 200);
});

test("a sender of bad tokens may come again after the period", async (t) => {
  const limiter = `let refused = 0;
export default () => ({ async limit() { return { success: ++refused !== 1 }; } });`;
  const clock = testClock();
  const s = await behind(t, limited([{ by: "ip", period: 10 }]), limiter, { clock });
  assertLimited(await s.call("no.good.token", post(call("echo"))), { id: null, period: 10 });
  clock.forward(9);
  assertLimited(await s.call(s.token(), post(call("echo"))), { id: null, period: 10 });
  clock.forward(1);
  assert.equal((await s.call(s.token(), post(call("echo")))).status, 200);
});

test("report mode says of bad tokens that they are too many, and refuses them as ever", async (t) => {
  const s = await behind(t, limited([{ by: "ip" }], { mode: "report" }), counting(1));
  assert.equal((await s.ask("no.good.token", post(call("echo")))).line.would_refuse, undefined);
  for (const _ of [1, 2]) {
    const { response, line } = await s.ask("no.good.token", post(call("echo")));
    assert.equal(response.status, 401);
    assert.deepEqual([line.reason, line.would_refuse, line.limit], ["token_encoding", "rate_limited", 0]);
  }
  assert.equal((await s.call(s.token(), post(call("echo")))).status, 200);
});

test("a bad proof counts as a bad token does, and one that only lacks a nonce does not", async (t) => {
  const vars = { MCP_SERVER_AUTH_DPOP_NONCE_KEY: "a key of nonces, of thirty-nine letters" };
  const dpop = { dpop: "require", dpop_nonce: true };
  const s = await behind(t, limited([{ by: "ip" }]), counting(1), { around: cloudflare, entry: dpop, vars: { MCP_SERVER_AUTH_POLICY: limited([{ by: "ip" }]), ...vars } });
  const token = boundToken(s);
  const ask = async (shown) => (await s.ask(undefined, { ...post(call("echo")), headers: { ...post("").headers, ...byDpop(token, shown) } })).line.reason;
  for (const _ of [1, 2]) assert.equal(await ask(proof(token)), "proof_nonce");
  assert.equal(s.worker.lines("counted").length, 0);
  const other = proof(token, { claims: { htm: "GET" } });
  assert.deepEqual([await ask(other), await ask(other)], ["proof_htm", "rate_limited"]);
});

test("an issuer that is down is nobody's flood", async (t) => {
  const s = await behind(t, limited([{ by: "ip" }]), counting(1), { entries: () => [{ authorization_server_url: "https://as.example.com", jwks_uri: "http://127.0.0.1:9/jwks" }] });
  const token = mint({ key: signingKey("rsa"), claims: s.claims({ iss: "https://as.example.com" }) });
  for (const _ of [1, 2, 3]) assert.equal((await s.call(token, post(call("echo")))).status, 503);
  assert.equal(s.worker.lines("counted").length, 0);
});

// The windows of real rate limiters begin with a minute.
const earlyInTheMinute = () => until("the beginning of a minute", () => Date.now() % 60_000 < 50_000, 20_000);

for (const runtime of ["workerd", "miniflare"]) {
  test(`the rate limiter of ${runtime === "workerd" ? "serve" : "miniflare"} counts`, async (t) => {
    const s = await behind(t, limited([{ by: "user" }]), { limit: 2, period: 60 }, { runtime });
    await earlyInTheMinute();
    for (const [sub, status] of [["a", 200], ["a", 200], ["a", 429], ["b", 200]]) {
      assert.equal((await s.call(s.token({ sub }), post(call("echo")))).status, status);
    }
  });
}

test("without the rate limiter that a limit names, nothing is served", async (t) => {
  const s = await stage(t, { vars: { MCP_SERVER_AUTH_POLICY: limited([{ by: "user" }]) } });
  assert.equal((await s.call(s.token(), post(call("echo")))).status, 503);
  const [{ faults }] = s.worker.lines("misconfigured");
  assert.match(faults.join(), /^MCP_SERVER_AUTH_POLICY\.limits\[0\]\.binding: /);
});
