// MCP_SERVER_AUTH_POLICY, from outside: the body decides, the mirror agrees, refusals say what a
// client can act on, and what is let through arrives byte for byte. The rules themselves are rows
// in tests/policy_*.rs.
import assert from "node:assert/strict";
import { test } from "node:test";
import { open, raw, whole } from "./support/http.mjs";
import { BASE, eventStream } from "./support/origin.mjs";
import { POLICY, RULES, call, guarded, post } from "./support/policy.mjs";
import { assertInvalid, assertUnauthorized, challenge, goodClaims, stage } from "./support/stage.mjs";
import { until } from "./support/until.mjs";

/** A refusal of the policy's: a JSON-RPC error, not to be stored, with CORS. */
function assertRpcError(response, status, code, error, { id, scopes, message } = {}) {
  assert.equal(response.status, status, response.text);
  const body = response.json();
  assert.equal(body.jsonrpc, "2.0");
  assert.deepEqual("id" in body ? body.id : undefined, id);
  assert.equal(body.error.code, code);
  assert.equal(typeof body.error.message, "string");
  if (message) assert.match(body.error.message, message);
  assert.deepEqual(body.error.data, { error, ...(scopes && { required_scopes: scopes }) });
  assert.match(response.get("content-type"), /^application\/json\b/);
  assert.deepEqual(response.all("cache-control"), ["no-store"]);
  assert.equal(response.get("access-control-allow-origin"), "*");
}

function assertInsufficient(response, scopes, id) {
  assertRpcError(response, 403, 403, "insufficient_scope", { id, scopes });
  assert.deepEqual(response.all("www-authenticate"), [challenge({ error: "insufficient_scope", scope: scopes.join(" ") })]);
}

function assertForbidden(response, id) {
  assertRpcError(response, 403, 403, "forbidden", { id });
  assert.deepEqual(response.all("www-authenticate"), [], "a challenge would send the client into a login that does not help");
}

test("without a policy a body is not looked at; with rules it is, and arrives byte for byte", async (t) => {
  const free = await stage(t);
  assert.equal((await free.call(free.token(), post("no JSON"))).status, 200);
  const s = await guarded(t);
  const body = Buffer.from(' {"params":{"name":"echo","arguments":{"a":1.10,"b":"\\u00e9é"},"x":1e2},\n"method":"tools/call", "id":"a b"}\t');
  const { response, line } = await s.ask(s.token({ scope: "mcp tools" }), post(body));
  assert.equal(response.status, 200);
  assert.deepEqual(await s.origin.last().body, body);
  assert.equal(s.origin.last().header("content-length"), String(body.length));
  assert.equal(s.origin.last().header("x-mcp-auth-scopes"), "mcp tools");
  assert.deepEqual([line.outcome, line.rpc_method, line.rpc_name], ["forwarded", "tools/call", "echo"]);
});

test("a chunked body is read and arrives, too", async (t) => {
  const s = await guarded(t);
  const { request, response } = open(s.worker.port, { method: "POST", path: "/mcp", headers: { authorization: `Bearer ${s.token({ scope: "mcp tools" })}`, "content-type": "application/json" } });
  const body = JSON.stringify(call("echo"));
  request.write(body.slice(0, 20));
  request.write(body.slice(20));
  request.end();
  assert.equal((await whole(await response)).status, 200);
  assert.equal((await s.origin.last().body).toString(), body);
});

test("missing scopes: one challenge with all that the operation needs, in the order of the settings", async (t) => {
  const s = await guarded(t);
  for (const [scope, body, needed] of [
    [undefined, call("echo"), ["mcp", "tools"]],
    ["mcp", call("echo"), ["mcp", "tools"]],
    ["tools", call("echo"), ["mcp", "tools"]],
    ["mcp tools", call("delete_all"), ["mcp", "tools:delete", "tools"]],
    ["tools:delete tools", { jsonrpc: "2.0", id: 1, method: "ping" }, ["mcp"]],
  ]) {
    const { response, line } = await s.ask(s.token({ scope }), post(body));
    assertInsufficient(response, needed, 1);
    assert.deepEqual([line.outcome, line.reason], ["refused", "scope_insufficient"]);
  }
  assert.equal(s.origin.seen.length, 0);
  assert.equal((await s.call(s.token({ scope: "mcp tools:delete tools" }), post(call("delete_all")))).status, 200);
});

test("denied, and a claim that is not met: 403 without a challenge", async (t) => {
  const s = await guarded(t);
  const token = (claims) => s.token({ scope: "mcp tools", ...claims });
  const prompt = { jsonrpc: "2.0", id: "p", method: "prompts/get", params: { name: "x" } };
  const denied = await s.ask(token(), post({ jsonrpc: "2.0", id: "r", method: "resources/read", params: { uri: "file:///x?secret=1" } }));
  assertForbidden(denied.response, "r");
  assert.deepEqual([denied.line.reason, denied.line.rule, denied.line.rpc_name], ["rule_denies", 3, "file:///x"]);
  for (const claims of [{}, { org: { tier: "bronze" } }, { org: "gold" }, { org: { tier: null } }, { Org: { tier: "gold" } }, { org: { Tier: "gold" } }, { org: { tier: "Gold" } }]) {
    const { response, line } = await s.ask(token(claims), post(prompt));
    assertForbidden(response, "p");
    assert.deepEqual([line.reason, line.rule], ["claim_not_met", 2]);
  }
  for (const claims of [{ org: { tier: "gold" } }, { org: { tier: ["x", "silver"] } }, { "org.tier": "gold" }]) {
    assert.equal((await s.call(token(claims), post(prompt))).status, 200);
  }
});

test("a batch passes if all of it does, and the challenge is for all of it", async (t) => {
  const s = await guarded(t);
  const batch = [call("echo", { id: "a" }), call("delete_all", { id: "b" })];
  const { response, line } = await s.ask(s.token({ scope: "mcp tools" }), post(batch));
  assertInsufficient(response, ["mcp", "tools:delete", "tools"], "a");
  assert.deepEqual([line.rpc_method, line.rpc_name, line.rpc_batch], ["tools/call", "echo, delete_all", 2]);
  assert.equal((await s.call(s.token({ scope: "mcp tools tools:delete" }), post(batch))).status, 200);
});

test("what readers may disagree about, or is no message, is 400 and never forwarded", async (t) => {
  const s = await guarded(t);
  const token = s.token({ scope: "mcp tools" });
  const deep = `${"[".repeat(200)}${"]".repeat(200)}`;
  for (const [body, code, error, id] of [
    ["", -32700, "parse_error"],
    ["not json", -32700, "parse_error"],
    ['{"method":"ping","id":1,"id":2}', -32700, "parse_error"],
    ['{"method":"ping","method":"tools/call","id":1}', -32700, "parse_error"],
    ['{"method":"tools/call","id":1,"params":{"name":"echo","n\\u0061me":"delete_all"}}', -32700, "parse_error"],
    ['{"method":"tools/call","id":1,"params":{"name":"echo","arguments":{"a":1,"a":2}}}', -32700, "parse_error"],
    [Buffer.from('{"method":"tools/call","id":1,"params":{"name":"ech\xff"}}', "latin1"), -32700, "parse_error"],
    [`{"method":"ping","id":1,"params":{"x":${deep}}}`, -32700, "parse_error"],
    ['{"method":"ping","id":1}{}', -32700, "parse_error"],
    ['\ufeff{"method":"ping","id":1}', -32700, "parse_error"],
    ['{"method":"ping","id":1e999}', -32700, "parse_error"],
    [`{"method":"ping","id":-${"9".repeat(310)}}`, -32700, "parse_error"],
    ["3", -32600, "invalid_request"],
    ["[]", -32600, "invalid_request"],
    ["{}", -32600, "invalid_request"],
    ['{"method":7,"id":5}', -32600, "invalid_request", 5],
    ['{"Method":"tools/call","method":"ping","id":1}', -32600, "invalid_request", 1],
    ['{"method":"tools/call","id":1,"params":{"NAME":"delete_all","name":"echo"}}', -32600, "invalid_request", 1],
    ['{"method":"tools/call","id":1,"params":{}}', -32600, "invalid_request", 1],
    ['{"method":"tools/call","id":1,"params":{"name":["delete_all"]}}', -32600, "invalid_request", 1],
    ['{"method":"tools/call","id":1,"params":["delete_all"]}', -32600, "invalid_request", 1],
  ]) {
    assertRpcError(await s.call(token, post(body)), 400, code, error, { id });
  }
  for (const headers of [
    { "content-type": "application/json; charset=utf-7" }, { "content-type": "application/json;charset=UTF-16" }, { "content-type": "application/json; charset=utf-8; charset=utf-7" },
    { "content-type": "application/json; charset*=utf-8''utf-7" }, { "content-encoding": "gzip" }, { "content-encoding": "br" },
  ]) {
    const { response, line } = await s.ask(token, post(call("echo"), headers));
    assertRpcError(response, 415, 415, "unsupported_media_type");
    assert.match(line.reason, /^body_(encoded|not_json)$/);
  }
  for (const headers of [
    { "content-type": "application/x-www-form-urlencoded" }, { "content-type": "multipart/form-data; boundary=x" }, { "content-type": "text/plain" }, { "content-type": "application/json-rpc" },
    { "content-type": ["application/json", "application/x-www-form-urlencoded"] }, { "content-type": "application/json; profile=x" }, { "content-type": undefined },
  ]) {
    const head = post(call("echo"), headers);
    for (const name of Object.keys(head.headers)) if (head.headers[name] === undefined) delete head.headers[name];
    const { response, line } = await s.ask(token, head);
    assertRpcError(response, 415, 415, "unsupported_media_type");
    assert.equal(line.reason, "body_not_json");
  }
  assert.equal(s.origin.seen.length, 0);
  for (const type of ["application/json; charset=utf-8", 'application/json; charset="UTF-8"', "Application/JSON"]) {
    assert.equal((await s.call(token, post(call("echo"), { "content-type": type, "content-encoding": "identity" }))).status, 200);
  }
});

test("a body of 1 MiB is read, a larger one refused, whether it says its size or not", async (t) => {
  const s = await guarded(t);
  const token = s.token({ scope: "mcp tools" });
  const sized = (size) => {
    const empty = JSON.stringify(call("echo", { params: { name: "echo", arguments: { x: "" } } }));
    return empty.replace('"x":""', `"x":"${"x".repeat(size - empty.length)}"`);
  };
  const chunked = async (body) => {
    const { request, response } = open(s.worker.port, { method: "POST", path: "/mcp", headers: { authorization: `Bearer ${token}`, "content-type": "application/json" } });
    request.on("error", () => {}); // the Worker may hang up on what it does not read
    request.write(body.slice(0, 1000)); // before the end, or node would say the length
    assert.equal(request.getHeader("content-length"), undefined);
    request.end(body.slice(1000));
    return whole(await response);
  };
  for (const exchange of [(body) => s.call(token, post(body)), chunked]) {
    const fits = await exchange(sized(1024 * 1024));
    assert.equal(fits.status, 200);
    assert.equal((await s.origin.last().body).length, 1024 * 1024);
    const seen = s.origin.seen.length;
    assertRpcError(await exchange(sized(1024 * 1024 + 1)), 413, 413, "payload_too_large");
    assert.equal(s.origin.seen.length, seen);
  }
});

test("the mirror must agree with the body", async (t) => {
  const s = await guarded(t);
  const token = s.token({ scope: "mcp tools" });
  const modern = { "mcp-protocol-version": "2026-07-28" };
  const versioned = (version) => call("echo", { params: { name: "echo", _meta: { "io.modelcontextprotocol/protocolVersion": version } } });
  const good = { ...modern, "mcp-method": "tools/call", "mcp-name": "echo" };
  const accepted = [
    [call("echo"), {}], [call("echo"), { "mcp-protocol-version": "2025-11-25" }], [call("echo"), { "mcp-protocol-version": "v999.0.0" }],
    [call("echo"), good], [versioned("2026-07-28"), good], [call("é"), { ...good, "mcp-name": `=?base64?${Buffer.from("é").toString("base64")}?=` }],
    [{ jsonrpc: "2.0", method: "notifications/x" }, modern], [call("echo"), { "mcp-method": "tools/call" }],
  ];
  for (const [body, headers] of accepted) assert.equal((await s.call(token, post(body, headers))).status, 200, JSON.stringify(headers));
  const seen = s.origin.seen.length;
  const refused = [
    [call("echo"), modern, "mirror_missing"], [call("echo"), { ...modern, "mcp-method": "tools/call" }, "mirror_missing"], [call("echo"), { ...good, "mcp-method": "ping" }, "mirror_mismatch"],
    [call("echo"), { ...good, "mcp-method": "Tools/call" }, "mirror_mismatch"], [call("echo"), { ...good, "mcp-name": "delete_all" }, "mirror_mismatch"],
    [call("echo"), { ...good, "mcp-name": ["echo", "echo"] }, "mirror_mismatch"], [call("echo"), { ...good, "mcp-name": "=?base64?!?=" }, "mirror_mismatch"],
    [call("echo"), { "mcp-name": "delete_all" }, "mirror_mismatch"], [call("echo"), { "mcp-protocol-version": "2025-11-25", "mcp-method": "ping" }, "mirror_mismatch"],
    [versioned("2026-07-28"), {}, "mirror_missing"], [versioned("2026-07-28"), { "mcp-protocol-version": "2025-11-25" }, "mirror_mismatch"], [versioned("2027-01-01"), good, "mirror_mismatch"],
    [call("echo"), { ...good, "mcp-protocol-version": "2099-01-01", "mcp-name": "x" }, "mirror_mismatch"],
  ];
  for (const [body, headers, reason] of refused) {
    const { response, line } = await s.ask(token, post(body, headers));
    assertRpcError(response, 400, -32020, "header_mismatch", { id: 1, message: /^Header mismatch/ });
    assert.equal(line.reason, reason);
  }
  assertRpcError(await s.call(token, post([call("echo")], modern)), 400, -32600, "invalid_request", { id: 1 });
  assert.equal(s.origin.seen.length, seen);
  await s.call(token, post(call("echo"), { ...good, "mcp-param-region": "eu", "x-http-method-override": "DELETE" }));
  assert.equal(s.origin.last().header("mcp-param-region"), "eu");
  assert.equal(s.origin.last().header("x-http-method-override"), undefined);
});

test("other methods than POST: required scopes, and rules for the HTTP method", async (t) => {
  const s = await guarded(t, { required_scopes: ["mcp"], rules: [...RULES, { methods: ["DELETE"], scopes: ["sessions"] }] });
  for (const method of ["GET", "DELETE"]) {
    const { response } = await s.ask(s.token(), { method });
    assertInsufficient(response, method === "GET" ? ["mcp"] : ["mcp", "sessions"]);
  }
  assert.equal((await s.call(s.token({ scope: "mcp" }), { method: "GET" })).status, 200);
  assert.equal((await s.call(s.token({ scope: "mcp" }), { method: "DELETE" })).status, 403);
  assert.equal((await s.call(s.token({ scope: "mcp sessions" }), { method: "DELETE" })).status, 200);
});

test("with rules, a method that MCP does not use is 405, and only a POST may have a body", async (t) => {
  const s = await guarded(t);
  const token = s.token({ scope: "mcp tools" });
  const denied = JSON.stringify(call("delete_all"));
  for (const method of ["PUT", "PATCH", "QUERY", "HEAD", "PROPFIND"]) {
    const { response, line } = await s.ask(token, { method, ...(method !== "HEAD" && post(denied)) });
    assert.equal(response.status, 405, method);
    assert.deepEqual([response.get("allow"), line.reason], ["GET, POST, DELETE, OPTIONS", "method_not_allowed"], method);
  }
  for (const method of ["GET", "DELETE"]) {
    const { response, line } = await s.ask(token, { method, ...post(denied) });
    assertRpcError(response, 400, -32600, "invalid_request");
    assert.equal(line.reason, "body_not_allowed", method);
  }
  const chunked = raw(s.worker.port, `GET /mcp HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\nContent-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n${denied.length.toString(16)}\r\n${denied}\r\n0\r\n\r\n`);
  assert.equal((await chunked).status, 400);
  assert.equal(s.origin.seen.length, 0);
  assert.equal((await s.call(token, { method: "DELETE", headers: { "content-length": "0" } })).status, 200, "a length of 0 is no body");
});

test("a body that is longer than its Content-Length says is counted, not believed", async (t) => {
  const s = await guarded(t);
  const head = `POST /mcp HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${s.token({ scope: "mcp tools" })}\r\nContent-Type: application/json\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n`;
  const chunk = `10000\r\n${" ".repeat(0x10000)}\r\n`;
  // The upload does not end: an answer can only come from counting.
  const answer = await raw(s.worker.port, head + chunk.repeat(20));
  assert.equal(answer.status, 413, answer.text);
  const body = JSON.stringify(call("echo", { params: { name: "echo" } }));
  const fits = await raw(s.worker.port, `${head}${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`);
  assert.equal(fits.status, 200, fits.text);
  assert.equal((await s.origin.last().body).toString(), body);
  assert.equal(s.origin.seen.length, 1);
});

test("with rules, too, redirects are the client's to follow", async (t) => {
  const s = await guarded(t);
  s.origin.on(BASE, (_, res) => res.writeHead(307, { location: "/elsewhere" }).end());
  const response = await s.call(s.token({ scope: "mcp tools" }), post(call("echo")));
  assert.equal(response.status, 307);
  assert.deepEqual(s.origin.seen.map(({ url }) => url), [BASE]);
});

test("scope hierarchies are honoured", async (t) => {
  const s = await guarded(t, { ...POLICY, scope_hierarchy: { root: ["admin"], admin: ["tools:delete", "tools"], tools: ["mcp"] } });
  for (const scope of ["root", "admin"]) assert.equal((await s.call(s.token({ scope }), post(call("delete_all")))).status, 200);
  assertInsufficient(await s.call(s.token({ scope: "tools" }), post(call("delete_all"))), ["mcp", "tools:delete", "tools"], 1);
});

test("clients that are not on the list are refused, whatever their scopes", async (t) => {
  const s = await guarded(t, { clients: ["https://client.example/metadata.json", "cli"] });
  for (const claims of [{ client_id: "https://client.example/metadata.json" }, { azp: "cli" }, { cid: "cli" }]) assert.equal((await s.call(s.token(claims))).status, 200);
  for (const claims of [{}, { client_id: "other" }, { client_id: "other", azp: "cli" }, { client_id: ["cli"] }]) {
    const { response, line } = await s.ask(s.token(claims));
    assertForbidden(response);
    assert.equal(line.reason, "client_not_allowed");
  }
});

test("report mode lets through and says what it would refuse; tokens are checked all the same", async (t) => {
  const s = await guarded(t, { ...POLICY, clients: ["cli"], mode: "report" });
  const cli = (scope) => s.token({ scope, client_id: "cli" });
  const would = async (token, head) => {
    const { response, line } = await s.ask(token, head);
    assert.equal(response.status, 200, response.text);
    assert.equal(line.outcome, "forwarded");
    return [line.would_refuse, line.rule];
  };
  assert.deepEqual(await would(cli("mcp tools"), post(call("echo"))), [undefined, undefined]);
  assert.deepEqual(await would(cli("mcp tools"), post(call("delete_x"))), ["scope_insufficient", 0]);
  assert.deepEqual(await would(s.token({ scope: "mcp tools" }), post(call("echo"))), ["client_not_allowed", undefined]);
  assert.deepEqual(await would(cli("mcp"), post("not json")), ["body_malformed", undefined]);
  assert.equal((await s.origin.last().body).toString(), "not json");
  assert.deepEqual(await would(cli("mcp tools"), post(call("echo"), { "mcp-method": "ping" })), ["mirror_mismatch", undefined]);
  assert.deepEqual(await would(cli("mcp"), post(call("x"), { "content-encoding": "gzip" })), ["body_encoded", undefined]);
  const large = "x".repeat(1024 * 1024 + 1);
  assert.deepEqual(await would(cli("mcp"), post(large)), ["body_too_large", undefined]);
  assert.equal((await s.origin.last().body).toString(), large);
  const { response: chunked } = await s.worker.logged(async () => {
    const { request, response } = open(s.worker.port, { method: "POST", path: "/mcp", headers: { authorization: `Bearer ${cli("mcp")}` } });
    request.write(large.slice(0, 1000)); // before the end, or node would say the length
    request.end(large.slice(1000));
    return whole(await response);
  });
  assert.equal(chunked.status, 200);
  assert.equal((await s.origin.last().body).toString(), large);
  const seen = s.origin.seen.length;
  assertUnauthorized(await s.call(undefined, post(call("echo"))));
  assertInvalid(await s.call(s.token({ scope: "mcp", exp: 1 }), post(call("echo"))), "The access token expired");
  assert.equal(s.origin.seen.length, seen);
});

test("anonymous methods: without a credential, without identity, and never with a bad one", async (t) => {
  const policy = { ...POLICY, anonymous_methods: ["initialize", "tools/list", "notifications/*"], rules: [...RULES.slice(0, 1), { methods: ["tools/call"], scopes: ["tools"] }] };
  const s = await guarded(t, policy, { vars: { MCP_SERVER_AUTH_DEFAULT_CHALLENGE_SCOPES: "mcp" } });
  const list = { jsonrpc: "2.0", id: 1, method: "tools/list" };
  for (const body of [list, { ...list, method: "initialize" }, { jsonrpc: "2.0", method: "notifications/initialized" }, [list, { ...list, method: "initialize" }]]) {
    const { response, line } = await s.ask(undefined, post(body, { "x-mcp-auth-user-id": "root" }));
    assert.equal(response.status, 200, JSON.stringify(body));
    assert.deepEqual(s.origin.last().named("x-mcp-auth-"), {});
    assert.deepEqual([line.outcome, line.anonymous], ["forwarded", true]);
  }
  const seen = s.origin.seen.length;
  for (const head of [
    post({ ...list, method: "tools/call", params: { name: "echo" } }), post([list, call("echo")]), post("not json"), post({ jsonrpc: "2.0", id: 1, result: {} }), post("x".repeat(2 ** 20 + 1)),
    post(list, { "content-encoding": "gzip" }), { method: "GET" }, { method: "DELETE" }, { method: "PUT", body: JSON.stringify(list) },
  ]) {
    assertUnauthorized(await s.call(undefined, head), { scope: "mcp" });
  }
  assertInvalid(await s.call(s.token({ exp: 1 }), post(list)), "The access token expired", { scope: "mcp" });
  assertUnauthorized(await s.call(undefined, post(list, { authorization: "Basic eDp5" })), { scope: "mcp" });
  assertUnauthorized(await s.call(undefined, post(list, { authorization: "Bearer" })), { scope: "mcp" });
  assertRpcError(await s.call(undefined, post(list, { "mcp-method": "tools/call" })), 400, -32020, "header_mismatch", { id: 1 });
  assert.equal(s.origin.seen.length, seen);
  // Whoever sends a credential is asked for what a credential needs.
  assertInsufficient(await s.call(s.token(), post(list)), ["mcp"], 1);
});

test("a rule closes an anonymous method again", async (t) => {
  const s = await guarded(t, { anonymous_methods: ["tools/*"], rules: RULES });
  assertUnauthorized(await s.call(undefined, post({ jsonrpc: "2.0", id: 1, method: "tools/list" })));
});

test("a client that leaves while its body is read, or while its call runs, is let go", async (t) => {
  const s = await guarded(t);
  const headers = { authorization: `Bearer ${s.token({ scope: "mcp tools" })}`, "content-type": "application/json", "content-length": 1000 };
  const half = open(s.worker.port, { method: "POST", path: "/mcp", headers });
  half.request.on("error", () => {});
  half.request.write("{");
  half.request.destroy();
  const events = eventStream();
  s.origin.on(BASE, events.answer);
  const running = open(s.worker.port, { method: "POST", path: "/mcp", headers: { ...headers, "content-length": JSON.stringify(call("echo")).length + 1 } });
  running.request.end(JSON.stringify(call("echo")));
  const message = await running.response;
  message.on("data", () => {});
  message.on("error", () => {});
  const source = await events.opened;
  running.request.destroy();
  await until("the origin to see it", () => {
    source.event("more");
    return source.left();
  });
  s.origin.on(BASE, (_, res) => res.end("ok"));
  assert.equal((await s.call(s.token({ scope: "mcp tools" }), post(call("echo")))).status, 200);
});

test("the claims that the rules see are those of the token that was verified", async (t) => {
  const s = await guarded(t);
  const [head, , signature] = s.token({ scope: "mcp" }).split(".");
  const wide = Buffer.from(JSON.stringify(goodClaims(s.issuer, { scope: "mcp tools" }))).toString("base64url");
  assertInvalid(await s.call(`${head}.${wide}.${signature}`, post(call("echo"))), "The access token is invalid");
});
