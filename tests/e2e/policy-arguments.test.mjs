// Rules that say "only these": except, arguments and conditions of claims, from outside. The
// conditions themselves are rows in tests/native/policy_arguments.rs and beside it.
import assert from "node:assert/strict";
import { test } from "node:test";
import { BASE } from "./support/origin.mjs";
import { call, guarded, post } from "./support/policy.mjs";

const RULES = [
  { methods: ["tools/call"], except: ["search", "write*", "pay"], deny: true },
  { methods: ["tools/call"], names: ["write*"], arguments: { path: ["/safe/*"], "options.force": { present: false } } },
  { methods: ["tools/call"], names: ["pay"], arguments: { amount: { min: 1, max: 100 }, note: { max_length: 5 } }, scopes: ["pay"] },
  { methods: ["prompts/get"], claims: { level: { min: 2 }, suspended: { present: false }, auth_time: { min: "2026-01-31T12:00:00Z" } } },
];
const POLICY = { rules: RULES };
const calling = (name, args, rest = {}) => call(name, { params: { name, ...(args !== undefined && { arguments: args }) }, ...rest });
/** The same with this text for the arguments. */
const written = (name, text) => `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"${name}","arguments":${text}}}`;
const prompt = { jsonrpc: "2.0", id: 1, method: "prompts/get", params: { name: "x", arguments: { path: "/etc" } } };

/** A refusal that names an argument, and in the log the rule, too. */
function assertUnmet({ response, line }, argument, rule, id = 1) {
  assert.equal(response.status, 403, response.text);
  const error = { code: 403, message: "An argument is not accepted", data: { error: "argument_not_met", argument } };
  assert.deepEqual(response.json(), { jsonrpc: "2.0", id, error });
  assert.deepEqual(response.all("www-authenticate"), [], "a login would not help");
  assert.deepEqual(response.all("cache-control"), ["no-store"]);
  assert.equal(response.get("access-control-allow-origin"), "*");
  assert.deepEqual([line.outcome, line.reason, line.rule, line.argument], ["refused", "argument_not_met", rule, argument]);
}

test("only these tools: all others are denied, and lists follow", async (t) => {
  const s = await guarded(t, { ...POLICY, filter_lists: true });
  const { response, line } = await s.ask(s.token(), post(calling("delete")));
  assert.equal(response.status, 403);
  assert.deepEqual([line.reason, line.rule, line.rpc_name], ["rule_denies", 0, "delete"]);
  assert.equal(s.origin.seen.length, 0);
  assert.equal((await s.call(s.token(), post(calling("search")))).status, 200);
  const tools = (...names) => JSON.stringify({ jsonrpc: "2.0", id: 1, result: { tools: names.map((name) => ({ name })) } });
  s.origin.on(BASE, (req, res) => res.writeHead(200, { "content-type": "application/json" }).end(tools("search", "delete", "write_file", "pay")));
  const list = { jsonrpc: "2.0", id: 1, method: "tools/list" };
  assert.equal((await s.call(s.token(), post(list))).text, tools("search", "write_file"), "what is demanded of arguments hides no tool");
  assert.equal((await s.call(s.token({ scope: "pay" }), post(list))).text, tools("search", "write_file", "pay"));
});

test("arguments: what is accepted arrives byte for byte, and a refusal names the path, never the value", async (t) => {
  const s = await guarded(t, POLICY);
  const token = s.token({ scope: "pay" });
  for (const body of [
    written("write_file", ' { "p\\u0061th" : "\\/safe\\/\\u00e9.txt", "options": {"mode": 1.50} } '), written("pay", '{"amount":1e2,"note":"é🦀é🦀é"}'),
    JSON.stringify([calling("search", { path: "/etc" }), calling("write_file", { path: "/safe/x" })]),
  ]) {
    const { response, line } = await s.ask(token, post(body));
    assert.equal(response.status, 200, body);
    assert.equal((await s.origin.last().body).toString(), body);
    assert.deepEqual([line.outcome, line.argument], ["forwarded", undefined]);
  }
  const seen = s.origin.seen.length;
  for (const [body, argument, rule, id] of [
    [calling("write_file", { path: "/s3cret/x" }), "path", 1],
    [calling("write_file", { path: "/safe/../s3cret" }), "path", 1],
    [written("write_file", '{"path":"/safe/s3cret\\u0000.txt"}'), "path", 1],
    [calling("write_file", { path: ["/safe/x"] }), "path", 1],
    [calling("write_file", { path: "/safe/x", Path: "/s3cret" }), "path", 1],
    [calling("write_file", { path: "/safe/x", options: { force: "s3cret" } }), "options.force", 1],
    [calling("write_file", { path: "/safe/x", "options.force": "s3cret" }), "options.force", 1],
    [calling("write_file", { path: "/safe/x", options: '{"force":"s3cret"}' }), "options.force", 1],
    [calling("write_file", "s3cret"), "options.force", 1],
    [calling("write_file"), "path", 1],
    [call("write_file", { params: { name: "write_file", arguments: { path: "/safe/x" }, Arguments: { path: "/s3cret" } } }), "options.force", 1],
    [written("pay", '{"amount":100.00000000000000000001,"note":""}'), "amount", 2],
    [calling("pay", { amount: "5", note: "" }), "amount", 2],
    [calling("pay", { amount: 5, note: "s3cret" }), "note", 2],
    [[calling("search", {}, { id: "a" }), calling("pay", { amount: 0, note: "" }, { id: "b" })], "amount", 2, "a"],
  ]) {
    const asked = await s.ask(token, post(body));
    assertUnmet(asked, argument, rule, id);
    assert.ok(!asked.response.text.includes("s3cret") && !JSON.stringify(asked.line).includes("s3cret"), JSON.stringify(asked.line));
  }
  for (const text of ['{"path":"/safe/x","path":"/etc"}', '{"amount":1e400}', '{"path":"\\ud800"}']) {
    const { response, line } = await s.ask(token, post(written("write_file", text)));
    assert.deepEqual([response.status, line.reason], [400, "body_malformed"], text);
  }
  assert.equal(s.origin.seen.length, seen);
  // A prompt of the same arguments is another method's.
  assert.equal((await s.call(s.token({ level: 2, auth_time: 1800000000 }), post(prompt))).status, 200);
});

test("what is demanded of arguments comes before scopes", async (t) => {
  const s = await guarded(t, POLICY);
  assertUnmet(await s.ask(s.token(), post(calling("pay", { amount: 1000, note: "" }))), "amount", 2);
  const { response, line } = await s.ask(s.token(), post(calling("pay", { amount: 10, note: "" })));
  assert.deepEqual([response.status, line.reason, line.argument], [403, "scope_insufficient", undefined]);
});

test("claims: there or not, and between bounds", async (t) => {
  const s = await guarded(t, POLICY);
  const good = { level: 2, auth_time: 1769860800 };
  assert.equal((await s.call(s.token(good), post(prompt))).status, 200);
  for (const claims of [{}, { ...good, level: 1.9 }, { ...good, level: "2" }, { ...good, suspended: false }, { ...good, suspended: null }, { ...good, auth_time: 1769860799 }, { level: 2 }]) {
    const { response, line } = await s.ask(s.token(claims), post(prompt));
    assert.deepEqual([response.status, line.reason, line.rule], [403, "claim_not_met", 3], JSON.stringify(claims));
  }
});

test("report mode lets through, and its line names rule and argument", async (t) => {
  const s = await guarded(t, { ...POLICY, mode: "report" });
  for (const [body, reason, rule, argument] of [
    [calling("write_file", { path: "/s3cret" }), "argument_not_met", 1, "path"],
    [calling("delete"), "rule_denies", 0, undefined],
    [prompt, "claim_not_met", 3, undefined],
    [calling("write_file", { path: "/safe/x" }), undefined, undefined, undefined],
  ]) {
    const { response, line } = await s.ask(s.token(), post(body));
    assert.equal(response.status, 200);
    assert.deepEqual([line.outcome, line.would_refuse, line.rule, line.argument], ["forwarded", reason, rule, argument]);
    assert.ok(!JSON.stringify(line).includes("s3cret"));
  }
});

test("without a login: arguments are told, and all else asks for a login", async (t) => {
  const s = await guarded(t, { ...POLICY, anonymous_methods: ["tools/call"] });
  assert.equal((await s.ask(undefined, post(calling("write_file", { path: "/safe/x" })))).line.anonymous, true);
  assertUnmet(await s.ask(undefined, post(calling("write_file", { path: "/etc" }))), "path", 1);
  for (const body of [calling("delete"), calling("pay", { amount: 5, note: "" })]) {
    const { response, line } = await s.ask(undefined, post(body));
    assert.deepEqual([response.status, line.reason], [401, "credentials_missing"]);
  }
});

test("a path that the operator wrote in any letters is JSON in the answer, and one line in the log", async (t) => {
  const path = 'a "quoted"\\.größe\n';
  const s = await guarded(t, { rules: [{ methods: "tools/call", arguments: { [path]: { present: true } } }] });
  assertUnmet(await s.ask(s.token(), post(calling("x", {}))), path, 0);
});
