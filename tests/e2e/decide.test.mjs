// A decision from outside: the policy's `decide`, from outside. What is asked and what an answer
// means are rows in tests/native/policy_decision.rs; here the built Worker asks policy decision
// points, of the tests' own and the one of docs/policy.md, which is Cedar.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import http from "node:http";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { test } from "node:test";

import { ROOT } from "./support/bundle.mjs";
import { send } from "./support/http.mjs";
import { closed, listen } from "./support/issuer.mjs";
import { call, guarded, post } from "./support/policy.mjs";
import { assertUnauthorized, bearer, CANONICAL } from "./support/stage.mjs";
import { bounded } from "./support/until.mjs";
import { testClock } from "./support/worker.mjs";

/** A decision point that answers as `answer(question, response)` says; it records its questions. */
async function startDecider(t, answer) {
  const seen = [];
  const server = http.createServer(async (request, response) => {
    let body = "";
    for await (const piece of request.setEncoding("utf8")) body += piece;
    const question = { method: request.method, url: request.url, headers: request.headers, body };
    seen.push(question);
    answer(JSON.parse(body), response);
  });
  const port = await listen(server, 0);
  t.after(() => closed(server));
  return { seen, port, url: `http://127.0.0.1:${port}/access/v1/evaluation` };
}

const saying = (decision, context) => (_, response) => response.setHeader("content-type", "application/json").end(JSON.stringify({ decision, context }));

const decided = (decider, rest = {}, policy = {}) => ({ decide: { url: decider.url, ...rest }, ...policy });

function assertRpc(response, status, error, id = 1) {
  assert.equal(response.status, status, response.text);
  const body = response.json();
  assert.deepEqual([body.jsonrpc, body.id, body.error.code, body.error.data], ["2.0", id, status, { error }]);
  assert.deepEqual(response.all("www-authenticate"), []);
  assert.deepEqual(response.all("cache-control"), ["no-store"]);
}

test("what the rules permit is asked about, as AuthZEN has it, and a yes lets it arrive byte for byte", async (t) => {
  const decider = await startDecider(t, saying(true));
  const s = await guarded(t, decided(decider, { arguments: true }, { rules: [{ names: ["no"], deny: true }] }));
  const token = s.token({ scope: "mcp tools", client_id: "client-1" });
  const body = '{"params":{"name":"echo","arguments":{"a":1.10,"b":"\\u00e9é"}},\n"method":"tools/call","id":7}';
  assert.equal((await s.call(token, post(body))).status, 200);
  assert.equal((await s.origin.last().body).toString(), body);

  const [asked] = decider.seen;
  assert.deepEqual([asked.method, asked.url, asked.headers["content-type"], asked.headers.authorization], ["POST", "/access/v1/evaluation", "application/json", undefined]);
  assert.ok(asked.body.includes('"arguments":{"a":1.10,"b":"\\u00e9é"}'), asked.body);
  assert.deepEqual(JSON.parse(asked.body), {
    subject: { type: "user", id: "user-1", properties: { issuer: s.issuer.url, client: "client-1" } },
    action: { name: "tools/call" },
    resource: { type: "tool", id: "echo" },
    context: { resource: CANONICAL, scopes: ["mcp", "tools"], client: "client-1", arguments: { a: 1.1, b: "éé" } },
  });
  assert.equal((await s.call(token, post(call("no")))).status, 403);
  assert.equal((await s.call("no.good.token", post(call("echo")))).status, 401);
  assert.equal(decider.seen.length, 1, "what is refused anyway is nobody's to decide");
  assert.equal((await s.call(token, { method: "GET" })).status, 200);
  const { action, resource } = JSON.parse(decider.seen.at(-1).body);
  assert.deepEqual([action, resource], [{ name: "GET" }, { type: "mcp_server", id: CANONICAL }]);
});

test("a no is 403 with the request's id; its reason is in the log and not in the answer", async (t) => {
  const decider = await startDecider(t, saying(false, { reason_admin: { en: "on\nleave" }, reason_user: "no" }));
  const s = await guarded(t, decided(decider));
  const { response, line } = await s.ask(s.token(), post(call("echo", { id: "a" })));
  assertRpc(response, 403, "decision_denied", "a");
  assert.ok(!response.text.includes("leave"));
  assert.deepEqual([line.outcome, line.reason, line.decision], ["refused", "decision_denied", "onleave"]);
  assert.deepEqual(s.worker.lines("decision"), [], "a no is an answer");
  assert.equal(s.origin.seen.length, 0);
});

test("it decides on what it is to decide on, and is told of no arguments unless it is to be", async (t) => {
  const decider = await startDecider(t, saying(false));
  const s = await guarded(t, decided(decider, { methods: ["tools/call"], names: ["pay*"] }));
  assert.equal((await s.call(s.token(), post(call("echo")))).status, 200);
  assert.equal((await s.call(s.token(), { method: "GET" })).status, 200);
  assert.equal(decider.seen.length, 0);
  assertRpc(await s.call(s.token(), post(call("pay_all"))), 403, "decision_denied");
  assert.equal(JSON.parse(decider.seen[0].body).context.arguments, undefined);
});

test("of a batch each message is asked about, and all have to be permitted", async (t) => {
  const decider = await startDecider(t, ({ resource }, response) => saying(resource.id !== "b")(undefined, response));
  const s = await guarded(t, decided(decider, { arguments: true }));
  const batch = (...names) => post(JSON.stringify(names.map((name, at) => ({ ...call(name), id: at + 1, params: { name, arguments: { at } } }))));
  assert.equal((await s.call(s.token(), batch("a", "c"))).status, 200);
  assert.deepEqual(decider.seen.map(({ body }) => JSON.parse(body).context.arguments.at).sort(), [0, 1]);
  assertRpc(await s.call(s.token(), batch("a", "c", "b")), 403, "decision_denied");
  assert.equal(s.origin.seen.length, 1);
});

test("arguments that readers could disagree about are nobody's to decide", async (t) => {
  const decider = await startDecider(t, saying(true));
  const s = await guarded(t, decided(decider, { arguments: true }));
  for (const params of ['"arguments":{"a":1},"Arguments":{"a":2}', '"ARGUMENTS":{"a":2}']) {
    const response = await s.call(s.token(), post(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"t",${params}}}`));
    assert.equal(response.status, 400, params);
  }
  assert.equal((await s.call(s.token(), post('{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"t","arguments":{"a":1,"a":2}}}'))).status, 400);
  assert.deepEqual([decider.seen.length, s.origin.seen.length], [0, 0]);
});

test("a caller without a token is anonymous, and a no sends it to the login", async (t) => {
  let decision = true;
  const decider = await startDecider(t, (_, response) => saying(decision)(_, response));
  const s = await guarded(t, decided(decider, {}, { anonymous_methods: ["tools/list"] }));
  const list = post({ jsonrpc: "2.0", id: 1, method: "tools/list" });
  assert.equal((await s.call(undefined, list)).status, 200);
  assert.deepEqual(JSON.parse(decider.seen[0].body).subject, { type: "anonymous", id: "anonymous" });
  decision = false;
  assertUnauthorized(await s.call(undefined, list));
});

const large = JSON.stringify({ decision: true, context: { text: "x".repeat(64 * 1024) } });
const NO_ANSWERS = {
  "a status that is not 200": (_, response) => response.writeHead(500).end('{"decision":true}'),
  "201": (_, response) => response.writeHead(201).end('{"decision":true}'),
  "a redirect": (_, response) => response.writeHead(307, { location: "/elsewhere" }).end('{"decision":true}'),
  "no JSON": (_, response) => response.end("yes"),
  "a text": (_, response) => response.end('{"decision":"true"}'),
  "a number": (_, response) => response.end('{"decision":1}'),
  "an array": (_, response) => response.end('[{"decision":true}]'),
  "nothing of a decision": (_, response) => response.end('{"Decision":true}'),
  "a member twice": (_, response) => response.end('{"decision":false,"decision":true}'),
  "one twice further down": (_, response) => response.end('{"decision":true,"context":{"a":1,"a":2}}'),
  "something after it": (_, response) => response.end('{"decision":true}{}'),
  "more than 64 KiB": (_, response) => response.end(large),
  "no body": (_, response) => response.end(),
  "a body that breaks off": (_, response) => response.writeHead(200, { "content-length": 100 }).write('{"decision":true}', () => response.destroy()),
  "nothing in time": () => {},
  "a body that does not end in time": (_, response) => response.writeHead(200).write('{"decision":true}'),
};
test("no answer, and one that is no evaluation, is 503; or lets through, if it is to", async (t) => {
  let answer;
  const decider = await startDecider(t, (question, response) => answer(question, response));
  const closes = await guarded(t, decided(decider, { timeout_ms: 400 }));
  const opens = await guarded(t, decided(decider, { timeout_ms: 400, on_error: "allow" }));
  for (const [name, next] of Object.entries(NO_ANSWERS)) {
    answer = next;
    const { response, line } = await closes.ask(closes.token(), post(call("echo")));
    assertRpc(response, 503, "temporarily_unavailable");
    assert.equal(line.reason, "decision_unavailable", name);
    assert.match(line.decision, /./, name);
    assert.equal((await opens.call(opens.token(), post(call("echo")))).status, 200, name);
  }
  assert.equal(closes.origin.seen.length, 0);
  assert.ok(decider.seen.every(({ url }) => url === "/access/v1/evaluation"), "no redirect is followed");
  for (const { worker } of [closes, opens]) {
    assert.deepEqual(worker.lines("decision").map(({ source, result }) => [source, result]), [[decider.url, "no_answer"]]);
  }
  // Even then a no is a no, and a yes a yes.
  answer = saying(false);
  assert.equal((await opens.call(opens.token(), post(call("echo")))).status, 403);
  answer = saying(true);
  assert.equal((await closes.call(closes.token(), post(call("echo")))).status, 200);
});

test("of a decision point that goes on saying nothing, the log says so once a minute", async (t) => {
  const clock = testClock();
  const decider = await startDecider(t, NO_ANSWERS["a status that is not 200"]);
  const s = await guarded(t, decided(decider), { stage: { clock } });
  for (const [seconds, lines] of [[0, 1], [59, 1], [1, 2], [1, 2]]) {
    clock.forward(seconds);
    assert.equal((await s.call(s.token(), post(call("echo")))).status, 503);
    assert.equal(s.worker.lines("decision").length, lines, `${seconds} seconds later`);
  }
});

test("where nobody listens, it is 503, too", async (t) => {
  const s = await guarded(t, { decide: { url: "http://127.0.0.1:9/access/v1/evaluation" } });
  assertRpc(await s.call(s.token(), post(call("echo"))), 503, "temporarily_unavailable");
});

test("a batch with one no and one silence is refused, whatever is to become of silence", async (t) => {
  const decider = await startDecider(t, ({ resource }, response) => (resource.id === "b" ? saying(false)(undefined, response) : response.writeHead(500).end()));
  const s = await guarded(t, decided(decider, { on_error: "allow" }));
  assertRpc(await s.call(s.token(), post(JSON.stringify([call("a"), call("b")]))), 403, "decision_denied");
});

test("it is reached by a binding, too", async (t) => {
  const decider = await startDecider(t, ({ resource }, response) => saying(resource.id === "echo")(undefined, response));
  const s = await guarded(t, { decide: { binding: "PDP" } }, { stage: { services: { PDP: `127.0.0.1:${decider.port}` } } });
  assert.equal((await s.call(s.token(), post(call("echo")))).status, 200);
  assertRpc(await s.call(s.token(), post(call("other"))), 403, "decision_denied");
  assert.deepEqual([decider.seen[0].url, decider.seen[0].headers.host], ["/access/v1/evaluation", "authzen.internal"]);
});

test("report mode asks, says what would be refused, and lets through", async (t) => {
  const answers = [saying(false, { reason: "closed" }), (_, response) => response.writeHead(500).end(), saying(true)];
  const decider = await startDecider(t, (_, response) => answers[decider.seen.length - 1](_, response));
  const s = await guarded(t, decided(decider, {}, { mode: "report" }));
  for (const [would, said] of [["decision_denied", "closed"], ["decision_unavailable", "status 500"], [undefined, undefined]]) {
    const { response, line } = await s.ask(s.token(), post(call("echo")));
    assert.equal(response.status, 200);
    assert.deepEqual([line.outcome, line.would_refuse, line.decision], ["forwarded", would, said]);
  }
});

test("limits are counted first, and what is too much is nobody's to decide", async (t) => {
  const decider = await startDecider(t, saying(true));
  const policy = decided(decider, {}, { limits: [{ by: "user", binding: "CALLS" }] });
  const s = await guarded(t, policy, { stage: { limiters: { CALLS: "let count = 0; export default () => ({ async limit() { return { success: ++count <= 1 }; } });" } } });
  assert.equal((await s.call(s.token(), post(call("echo")))).status, 200);
  assert.equal((await s.call(s.token(), post(call("echo")))).status, 429);
  assert.equal(decider.seen.length, 1);
});

test("requests at the same time get each its own answer", async (t) => {
  const decider = await startDecider(t, ({ subject, resource }, response) => setTimeout(() => saying(subject.id === resource.id)(undefined, response), Math.random() * 50));
  const s = await guarded(t, decided(decider, { timeout_ms: 10_000 }));
  const asked = Array.from({ length: 40 }, (_, at) => [`u${at % 5}`, `u${at % 7}`]);
  const answers = await Promise.all(asked.map(([sub, tool]) => send(s.worker.port, { method: "POST", path: "/mcp", ...post(call(tool)), headers: { ...post("").headers, ...bearer(s.token({ sub })) } })));
  assert.deepEqual(answers.map(({ status }) => status), asked.map(([sub, tool]) => (sub === tool ? 200 : 403)));
});

test("the decision point of docs/policy.md, with Cedar, decides as it says there", async (t) => {
  const page = readFileSync(join(ROOT, "docs", "policy.md"), "utf8");
  const [, code] = /^```js\n(import http [^]*?)^```$/m.exec(page);
  assert.ok(code.split("\n").length <= 45);
  // Below the root, where packages are found.
  const folder = join(ROOT, "dist", `pdp-${process.pid}`);
  mkdirSync(folder, { recursive: true });
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(join(folder, "pdp.mjs"), code);
  const child = spawn(process.execPath, [join(folder, "pdp.mjs")], { env: { ...process.env, PORT: "0" }, stdio: ["ignore", "pipe", "inherit"] });
  t.after(() => child.kill("SIGKILL"));
  const port = await bounded("the decision point's port", new Promise((resolve) => createInterface({ input: child.stdout }).once("line", resolve)));
  const decide = { url: `http://127.0.0.1:${port}/access/v1/evaluation`, methods: ["tools/call"], arguments: true, timeout_ms: 10_000 };
  const s = await guarded(t, { decide });
  const ask = (scope, name, parameters) => s.ask(s.token({ scope }), post(call(name, { params: { name, arguments: parameters } })));
  for (const [scope, name, parameters, status, said] of [
    ["notes:read", "read_note", { id: 1 }, 200, undefined],
    ["other", "read_note", { id: 1 }, 403, "permitted by no policy"],
    ["other", "pay", { amount: 100 }, 200, undefined],
    ["other", "pay", { amount: 101 }, 403, "permitted by no policy"],
    ["other", "pay", {}, 403, "permitted by no policy"],
    ["notes:read", "delete_note", {}, 403, "permitted by no policy"],
    // Cedar has no fractions: it says 400, and the default is to refuse.
    ["other", "pay", { amount: 1.5 }, 503, "status 400"],
  ]) {
    const { response, line } = await ask(scope, name, parameters);
    assert.deepEqual([response.status, line.decision], [status, said], `${name} ${JSON.stringify(parameters)}`);
  }
});
