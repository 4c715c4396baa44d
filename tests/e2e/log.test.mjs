// Issue 2, point 3: one JSON line a request with its exact reason, one line at an isolate's first
// request, and nothing in either that should not be kept. That no token ever shows is checked after
// every test, in support/worker.mjs.
import assert from "node:assert/strict";
import { test } from "node:test";
import { assertPlain, HOSTILE } from "./support/hostile.mjs";
import { reply } from "./support/issuer.mjs";
import { signingKey } from "./support/keys.mjs";
import { call, post } from "./support/policy.mjs";
import { bearer, CANONICAL, entryFor, stage } from "./support/stage.mjs";
import { until } from "./support/until.mjs";

const SUBJECT = "subject-9Qx";
const PRIVATE = { sub: SUBJECT, email: "private-9Qx@example.com", scope: "scope-9Qx", nonce: "nonce-9Qx", name: "name-9Qx" };

test("a forwarded request's line says who, what and from where", async (t) => {
  const s = await stage(t);
  const { line } = await s.ask(s.token());
  assert.ok(Number.isFinite(line.ms) && line.ms >= 0);
  assert.deepEqual({ ...line, ms: 0 }, {
    event: "request", outcome: "forwarded", reason: "ok", status: 200, method: "POST", resource: CANONICAL,
    issuer: s.issuer.url, alg: "RS256", kid: "rsa-a", keys: "issuer", ms: 0,
  });
});

test("members that do not apply are absent", async (t) => {
  const s = await stage(t);
  const { line } = await s.ask();
  assert.deepEqual({ ...line, ms: 0 }, { event: "request", outcome: "refused", reason: "credentials_missing", status: 401, method: "POST", resource: CANONICAL, ms: 0 });
  const served = await s.worker.logged(() => s.worker.send({ path: "/healthz" }));
  assert.deepEqual([served.line.outcome, served.line.reason, served.line.status, served.line.method], ["served", "health", 200, "GET"]);
  for (const name of ["issuer", "alg", "kid", "keys", "sub"]) assert.ok(!(name in served.line), name);
});

test("a refused token's line says which entry and which key it was judged by", async (t) => {
  const s = await stage(t);
  const { line } = await s.ask(s.token({ aud: "https://other.example.com" }));
  assert.deepEqual([line.issuer, line.alg, line.kid, line.keys, line.reason], [s.issuer.url, "RS256", "rsa-a", "issuer", "aud_mismatch"]);
});

test("where nobody has the issuer's name, the line says which it is, as far as it can be printed", async (t) => {
  const s = await stage(t);
  const { line } = await s.ask(s.token({ iss: "https://auth.example.com/" }));
  assert.deepEqual([line.reason, line.iss, "issuer" in line], ["issuer_untrusted", "https://auth.example.com/", false]);
  const bent = await s.ask(s.token({ iss: `a\u001b[31m\u0000\u009b\n${"é".repeat(400)}` }));
  assert.equal(bent.line.iss, `a[31m${"é".repeat(251)}`);
  for (const iss of [undefined, 1, ["https://auth.example.com"]]) assert.ok(!("iss" in (await s.ask(s.token({ iss }))).line));
  // Of a token that an entry is asked about, it says nothing that the entry does not.
  for (const claims of [{}, { exp: 1 }, { aud: "https://other.example.com" }]) assert.ok(!("iss" in (await s.ask(s.token(claims))).line));
});

test("the line names the client, once the token is verified", async (t) => {
  const s = await stage(t);
  assert.equal((await s.ask(s.token({ client_id: "client-1", azp: "other" }))).line.client, "client-1");
  assert.equal((await s.ask(s.token({ azp: "client-2" }))).line.client, "client-2");
  const refused = await s.ask(s.token({ client_id: "client-1", exp: 1 }));
  assert.deepEqual([refused.line.reason, "client" in refused.line], ["token_expired", false]);
  assert.ok(!("client" in (await s.ask()).line));
});

test("one line a request, whatever its end", async (t) => {
  const s = await stage(t);
  const requests = [
    { path: "/healthz" }, { path: "/other" }, { path: "/.well-known/oauth-protected-resource" }, { method: "DELETE", path: "/.well-known/oauth-protected-resource" },
    { method: "OPTIONS", path: "/mcp" }, { path: "/mcp" }, { path: "/mcp", headers: bearer("abc") }, { path: "/mcp", headers: bearer(s.token()) },
    { path: "/mcp", headers: { ...bearer(s.token()), origin: "null" } }, { method: "QUERY", path: "/mcp", headers: bearer(s.token({ exp: 1 })) },
  ];
  for (const request of requests) await s.worker.send(request);
  const reasons = s.worker.lines("request").map((line) => line.reason);
  assert.deepEqual(reasons, [
    "health", "not_found", "metadata", "method_not_allowed", "preflight", "credentials_missing", "token_parts", "ok", "origin_not_allowed", "token_expired",
  ]);
  assert.equal(s.worker.lines("request").at(-1).method, "QUERY");
});

test("every line is one JSON object", async (t) => {
  const s = await stage(t);
  await s.call(s.token());
  await s.call();
  for (const line of s.worker.stdout.trimEnd().split("\n")) assert.equal(typeof JSON.parse(line), "object", line);
});

test("the first request leaves a summary of the settings, the others do not", async (t) => {
  const s = await stage(t, {
    entries: (issuer) => [{ authorization_server_url: `${issuer.url}/`, jwks_uri: `${issuer.url}/jwks` }, { authorization_server_url: "https://login.example.com" }],
  });
  assert.equal(s.worker.logs.length, 0, "nothing before it");
  for (let i = 0; i < 3; i++) await s.worker.send({ path: "/healthz" });
  assert.equal(s.worker.lines("start").length, 1);
  const [first] = s.worker.logs;
  assert.equal(first.event, "start");
  assert.equal(first["Resource Server auth enabled"], true);
  assert.deepEqual(first["Accepted authorization server(s)"], [`${s.issuer.url}/`, "https://login.example.com"]);
});

test("nothing that the token says of its holder is logged, but its client and its jti", async (t) => {
  const s = await stage(t);
  await s.ask(s.token(PRIVATE));
  for (const wrong of [{ exp: 1 }, { aud: "aud-9Qx" }, { iat: "9Qx" }]) await s.ask(s.token({ ...PRIVATE, ...wrong }));
  await s.ask(s.token(PRIVATE, { key: { ...signingKey("rsa", "b"), kid: "rsa-a" } }));
  s.issuer.on("/jwks", reply.status(500));
  await s.ask(s.token(PRIVATE, { header: { kid: "gone" } }));
  assert.ok(!s.worker.output().includes("9Qx"), s.worker.output());
});

test("what a client sends beside the token is not logged either", async (t) => {
  const s = await stage(t);
  const marker = "marker-7Kw";
  await s.call(s.token(), {
    path: `/mcp/${marker}?q=${marker}`, body: marker,
    headers: { cookie: marker, "x-custom": marker, "user-agent": marker, "mcp-session-id": marker, origin: `https://${marker}.example.com` },
  });
  await s.call(marker);
  await s.call(undefined, { headers: { authorization: `Basic ${marker}` } });
  assert.ok(!s.worker.output().includes(marker), s.worker.output());
});

test("a kid cannot write a line of its own, or a long one", async (t) => {
  const s = await stage(t);
  const before = s.worker.logs.length;
  const { line } = await s.ask(s.token({}, { header: { kid: 'x"}\n{"event":"request","outcome":"forwarded"}' } }));
  assert.equal(line.reason, "kid_unknown");
  const long = await s.ask(s.token({}, { header: { kid: "k".repeat(5000) } }));
  assert.ok(JSON.stringify(long.line).length < 2000);
  assert.equal(s.worker.logs.slice(before).filter((entry) => entry.event === "request").length, 2);
});

test("the subject is logged only where the operator asked for it", async (t) => {
  for (const value of ["true", true]) {
    const s = await stage(t, { vars: { MCP_SERVER_AUTH_LOG_SUBJECT: value } });
    assert.equal((await s.ask(s.token({ sub: SUBJECT }))).line.sub, SUBJECT);
    const { line } = await s.ask(s.token({ sub: "forged-9Qx" }, { key: { ...signingKey("rsa", "b"), kid: "rsa-a" } }));
    assert.ok(!JSON.stringify(line).includes("forged-9Qx"), "a subject that nobody vouches for is never logged");
  }
  for (const value of [undefined, "false", false]) {
    const s = await stage(t, { vars: { MCP_SERVER_AUTH_LOG_SUBJECT: value } });
    const { response, line } = await s.ask(s.token({ sub: SUBJECT }));
    assert.equal(response.status, 200, String(value));
    assert.ok(!JSON.stringify(line).includes(SUBJECT));
  }
});

test("a key set's coming and failing is told, with its issuer", async (t) => {
  const s = await stage(t);
  await s.ask(s.token());
  const [fetched] = await until("a line about the key set", () => s.worker.lines("keys").length && s.worker.lines("keys"));
  assert.ok(JSON.stringify(fetched).includes(s.issuer.url));
  const down = await stage(t);
  down.issuer.on("/jwks", reply.status(500));
  await down.ask(down.token());
  const [failed] = await until("a line about the failure", () => down.worker.lines("keys").length && down.worker.lines("keys"));
  assert.ok(JSON.stringify(failed).includes(down.issuer.url));
  assert.notEqual(failed.result, fetched.result);
  assert.match(failed.detail, /500/, "what the issuer did is told");
});

test("the query of a URL, which may hold a key, is in no line about what is fetched", async (t) => {
  const QUERY = "?key=hidden-4Tz";
  const s = await stage(t, {
    // Of an issuer it is a part of the name, which stands in tokens.
    entries: (issuer) => [entryFor(issuer, {
      authorization_server_url: `${issuer.url}/as${QUERY}`, jwks_uri: `${issuer.url}/jwks${QUERY}`,
      introspection: { url: `${issuer.url}/introspect${QUERY}`, auth_method: "none" },
    })],
    vars: {
      MCP_SERVER_AUTH_COMPATIBILITY: "authorization-server-metadata",
      MCP_SERVER_AUTH_POLICY: { decide: { url: `http://127.0.0.1:9/evaluation${QUERY}` } },
    },
  });
  const sources = (event) => s.worker.lines(event).map(({ source }) => source);
  const token = () => s.token({ iss: `${s.issuer.url}/as${QUERY}` });
  assert.equal((await s.ask(token())).line.reason, "keys_unavailable");
  assert.deepEqual(sources("keys"), [`${s.issuer.url}/jwks`]);
  assert.equal((await s.ask("opaque-1")).line.reason, "introspection_unavailable");
  assert.deepEqual(sources("introspection"), [`${s.issuer.url}/as`]);
  assert.equal((await s.worker.send({ path: "/.well-known/oauth-authorization-server" })).status, 503);
  assert.deepEqual(sources("copy"), [`${s.issuer.url}/as`]);
  const served = await s.another();
  s.issuer.serve([signingKey("rsa")], `/jwks${QUERY}`);
  assert.equal((await served.ask(token(), post(call("echo")))).line.reason, "decision_unavailable");
  assert.deepEqual(served.worker.lines("keys").map(({ source }) => source), [`${s.issuer.url}/jwks`]);
  assert.deepEqual(served.worker.lines("decision").map(({ source }) => source), ["http://127.0.0.1:9/evaluation"]);
});

test("what a runtime says of a failure is cut, and breaks no line", async (t) => {
  const around = (main) => `import worker from "./${main}";
const real = fetch;
globalThis.fetch = (url, ...rest) => (String(url).includes("evaluation") ? Promise.reject(decodeURIComponent("${encodeURIComponent(`\u0007${HOSTILE}${"x".repeat(400)}`)}")) : real(url, ...rest));
export default { fetch: (...all) => worker.fetch(...all) };
`;
  const s = await stage(t, { around, vars: { MCP_SERVER_AUTH_POLICY: { decide: { url: "http://127.0.0.1:9/evaluation" } } } });
  assert.equal((await s.call(s.token(), post(call("echo")))).status, 503);
  const [{ detail }] = s.worker.lines("decision");
  assert.equal([...detail].length, 256);
  assert.doesNotMatch(detail, /\p{Cc}/u);
  assertPlain(s.worker.stdout);
});

test("a clock that is set back makes no time negative", async (t) => {
  const around = (main) => `import worker from "./${main}";
const { now } = Date;
let back = 0;
Date.now = () => now() - (back += 100);
export default { fetch: (...all) => worker.fetch(...all) };
`;
  const s = await stage(t, { around });
  for (const token of [s.token(), undefined]) assert.equal((await s.ask(token)).line.ms, 0);
});
