// Several MCP servers behind one Worker: each has its own origin, document, challenge, rules and
// sessions, and no token opens another's.
import assert from "node:assert/strict";
import { test } from "node:test";
import { ASSERTION, asserting } from "./support/assertion.mjs";
import { send } from "./support/http.mjs";
import { signingKey } from "./support/keys.mjs";
import { mint } from "./support/mint.mjs";
import { BASE, startOrigin } from "./support/origin.mjs";
import { startIssuer } from "./support/issuer.mjs";
import { assertInvalid, assertOwn, assertUnauthorized, bearer, entryFor, goodClaims, NOT_FOR_US } from "./support/stage.mjs";
import { startWorker } from "./support/worker.mjs";

const FILES = "https://mcp.example.com/files";
const ISSUES = "https://mcp.example.com/files/issues"; // below the other: the longer path is meant
const OTHER = "https://other.example.com/files"; // the same path at another host
const ALL = [FILES, ISSUES, OTHER];
const WELL_KNOWN = "/.well-known/oauth-protected-resource";
const document = (url) => url.replace(/^(https:\/\/[^/]+)/, `$1${WELL_KNOWN}`);

/**
 * Three servers and one authorization server. over: members for each, by canonical URL, or a
 * function of the origins; vars: beside the array; services(origins), limiters: bindings.
 * s.ask(url, token, head) sends to `url`'s host and path.
 */
async function stage(t, { over = {}, vars = {}, services, limiters, urls = ALL } = {}) {
  const issuer = await startIssuer(t, { keys: [signingKey("rsa")] });
  const origins = {};
  for (const url of urls) origins[url] = await startOrigin(t);
  const members = typeof over === "function" ? over(origins) : over;
  const settings = {
    MCP_SERVER_AUTH_AUTHORIZATION_SERVERS: [entryFor(issuer)],
    MCP_SERVER_AUTH_RESOURCES: urls.map((url) => ({ canonical_url: url, origin_url: `${origins[url].url}${BASE}`, ...members[url] })),
    ...vars,
  };
  const worker = await startWorker(t, { vars: settings, services: services?.(origins), limiters });
  const head = (url, { headers = {}, path = "", ...rest } = {}) => {
    const { host, pathname } = new URL(url);
    return { path: pathname + path, ...rest, headers: { host, ...headers } };
  };
  const s = { issuer, origins, worker };
  s.token = (url, claims = {}) => mint({ key: signingKey("rsa"), claims: goodClaims(issuer, { aud: url, ...claims }) });
  s.get = (url, rest) => worker.send(head(url, rest));
  s.ask = (url, token, { headers, ...rest } = {}) =>
    worker.logged(() => s.raw(url, { method: "POST", ...rest, headers: { ...bearer(token), ...headers } }));
  s.raw = (url, rest) => send(worker.port, head(url, rest));
  s.seen = () => urls.map((url) => origins[url].seen.length);
  return s;
}

test("each server's token opens that server and no other, whatever the user", async (t) => {
  const s = await stage(t);
  for (const [n, url] of ALL.entries()) {
    for (const aud of ALL) {
      const before = s.seen();
      const { response, line } = await s.ask(url, s.token(aud), { path: "/x?y=1", body: "{}" });
      assert.equal(line.resource, url);
      if (aud === url) {
        assert.deepEqual(response.json(), { method: "POST", url: `${BASE}/x?y=1`, body: "{}" });
        assert.deepEqual(s.seen(), before.map((count, at) => count + (at === n ? 1 : 0)), "its own origin, and no other");
      } else {
        assertInvalid(response, NOT_FOR_US, { metadata: document(url) });
        assert.equal(line.reason, "aud_mismatch");
        assert.deepEqual(s.seen(), before);
      }
    }
  }
  // One issuer, one key set.
  assert.equal(s.issuer.hits("/jwks"), 1);
  assert.equal(s.worker.lines("keys").length, 1);
  // A start line of the Worker's, and a line for each server.
  assert.deepEqual(s.worker.lines("start").map((line) => line["Canonical URL"]), [undefined]);
  assert.deepEqual(s.worker.lines("resource").map((line) => line["Canonical URL"]), ALL.map((url) => [url]));
});

test("a token for several servers opens those", async (t) => {
  const s = await stage(t);
  const token = s.token([FILES, OTHER]);
  assert.equal((await s.ask(FILES, token)).response.status, 200);
  assert.equal((await s.ask(OTHER, token)).response.status, 200);
  assert.equal((await s.ask(ISSUES, token)).response.status, 401);
  assert.deepEqual(s.seen(), [1, 0, 1]);
});

test("an authorization server of one server is none of another's", async (t) => {
  const stranger = await startIssuer(t, { keys: [signingKey("rsa")] });
  const s = await stage(t, { over: { [ISSUES]: { authorization_servers: [entryFor(stranger)] } } });
  const token = (issuer, url) => mint({ key: signingKey("rsa"), claims: goodClaims(issuer, { aud: url }) });
  assert.equal((await s.ask(ISSUES, token(stranger, ISSUES))).response.status, 200);
  // Though audience and signature are right.
  assert.equal((await s.ask(FILES, token(stranger, FILES))).line.reason, "issuer_untrusted");
  assert.equal((await s.ask(ISSUES, token(s.issuer, ISSUES))).line.reason, "issuer_untrusted");
  assert.deepEqual(s.seen(), [0, 1, 0]);
});

test("each has its own challenge and document", async (t) => {
  const s = await stage(t, { over: { [ISSUES]: { scopes_supported: "issues:read", default_challenge_scopes: "issues:read", default: true } } });
  for (const url of ALL) {
    const scope = url === ISSUES ? "issues:read" : undefined;
    assertUnauthorized((await s.ask(url)).response, { metadata: document(url), scope });
    for (const place of [document(url), `${url}${WELL_KNOWN}`]) {
      const response = await s.get(place);
      assert.equal(response.status, 200, place);
      assert.deepEqual(response.json(), {
        resource: url,
        authorization_servers: [s.issuer.url],
        ...(scope && { scopes_supported: [scope] }),
        bearer_methods_supported: ["header"],
      });
      assert.equal((await s.get(place, { method: "OPTIONS" })).status, 204);
      assert.equal((await s.get(place, { method: "POST" })).status, 405);
    }
  }
  assert.equal((await s.get(`https://mcp.example.com${WELL_KNOWN}`)).json().resource, ISSUES);
  assertOwn(await s.get(`https://other.example.com${WELL_KNOWN}`), 404, { error: "not_found" });
  assertOwn(await s.get(`https://other.example.com${WELL_KNOWN}/files/issues`), 404, { error: "not_found" });
});

test("a host that no server has reaches none, and no header makes it one that some server has", async (t) => {
  const s = await stage(t);
  const token = s.token([FILES, OTHER, ISSUES]);
  const forged = { "x-forwarded-host": "mcp.example.com", forwarded: "host=mcp.example.com", "x-original-host": "mcp.example.com", "x-host": "mcp.example.com" };
  for (const host of ["x.workers.dev", "example.com", "mcp.example.com.evil.example", "mcp.example.com.", "mcp.example.com:8443"]) {
    for (const headers of [{}, forged]) {
      const { response, line } = await s.ask(`https://x.example/files`, token, { headers: { host, ...headers } });
      assertOwn(response, 404, { error: "not_found" });
      assert.equal(line.reason, "not_found");
    }
  }
  assert.equal((await s.ask("https://other.example.com/files/issues", token, { headers: forged })).line.resource, OTHER);
  assert.deepEqual(s.seen(), [0, 0, 1]);
  for (const host of ["MCP.example.com", "mcp.example.com:443", "mcp.example.com:80"]) {
    assert.equal((await s.ask(FILES, token, { headers: { host } })).line.resource, FILES, host);
  }
  assert.equal((await s.get("https://x.workers.dev/healthz")).status, 200);
});

test("servers of one host are there at any host", async (t) => {
  const s = await stage(t, { urls: [FILES, ISSUES] });
  for (const url of [FILES, ISSUES]) {
    const { response, line } = await s.ask(url, s.token(url), { headers: { host: "x.workers.dev" } });
    assert.deepEqual([response.status, line.resource], [200, url]);
  }
});

test("paths that lead from one server to another open neither's door for the other's token", async (t) => {
  const s = await stage(t);
  const token = s.token(FILES);
  const outcome = async (path, token) => {
    const { response, line } = await s.ask(FILES, token, { path });
    return [response.status, line.resource];
  };
  // Plain dot segments are gone before the Worker looks: what is left counts.
  assert.deepEqual(await outcome("/x/../issues", token), [401, ISSUES]);
  assert.deepEqual(await outcome("/x/../issues/y", token), [401, ISSUES]);
  assert.deepEqual(await outcome("/issues/../x", s.token(ISSUES)), [401, FILES]);
  for (const path of ["/x/..%2fissues", "/issues/..%2fx", "/issues/x/%2e%2e/..%2f..", "/issues/..;/x", "/issues/%252e%252e/x"]) {
    assert.deepEqual(await outcome(path, s.token([FILES, ISSUES])), [404, undefined], path);
  }
  assert.deepEqual(s.seen(), [0, 0, 0]);
  assert.deepEqual(await outcome("/issuesx", token), [200, FILES]);
  assert.deepEqual(await outcome("/issues/", s.token(ISSUES)), [200, ISSUES]);
});

test("a path that an origin could take for a nested server's is nobody's", async (t) => {
  // One origin serves both, as it would where it looks at the path itself.
  const s = await stage(t, { over: (origins) => ({ [ISSUES]: { origin_url: `${origins[FILES].url}${BASE}/issues` } }) });
  const outcome = async (path, token) => {
    const { response, line } = await s.ask(FILES, token, { path });
    return [response.status, line.resource];
  };
  const paths = [
    "/%69ssues", "/%2569ssues/x", "//issues", "/%2fissues", "/issues%2fx", "/issues%5cx", "/ISSUES", "/Issues/x", "/issues;v=1", "/issues%3bv=1", "/issues%20", "/issues+",
    "/issues.", "/issues%3fx", "/issues%23/x", "/%ef%bd%89ssues", "/i%c5%bfsues", "/is%ffsues", "/;/issues", "/%20/issues",
  ];
  for (const path of paths) {
    for (const token of [s.token(FILES), s.token([FILES, ISSUES])]) assert.deepEqual(await outcome(path, token), [404, undefined], path);
  }
  assert.deepEqual(s.seen(), [0, 0, 0]);
  for (const path of ["/issuesx", "/x/issues", "/a%20b", "//x", "/caf%C3%A9", "/ISSUE"]) assert.deepEqual(await outcome(path, s.token(FILES)), [200, FILES], path);
  assert.deepEqual(await outcome("/issues/%69ssues", s.token(ISSUES)), [200, ISSUES]);
  assert.equal(s.origins[FILES].last().url, `${BASE}/issues/%69ssues`);
});

test("an origin that another server's token would open: nothing is served", async (t) => {
  const at = (place) => (origins) => ({ [ISSUES]: { origin_url: place(origins[FILES].port) } });
  const rows = [
    [(port) => `http://127.0.0.1:${port}${BASE}`, true],
    [(port) => `http://127.0.0.1:${port}${BASE}/x`, true],
    [(port) => `http://127.0.0.1:${port}${BASE.toUpperCase()}/%78`, true],
    [(port) => `http://0x7f.1:${port}${BASE}`, true],
    [(port) => `http://127.0.0.1:${port}${BASE}x`, false],
    // Another name, which may be another machine.
    [(port) => `http://localhost:${port}${BASE}`, false],
    [(port) => `http://127.0.0.1:${port}/..%2f${BASE}`, true],
  ];
  for (const [place, is_fault] of rows) {
    const s = await stage(t, { over: at(place) });
    const { response } = await s.ask(FILES, s.token(FILES));
    assert.equal(response.status, is_fault ? 503 : 200, place("N"));
    if (is_fault) assert.match(s.worker.lines("misconfigured")[0].faults.join(), /^MCP_SERVER_AUTH_RESOURCES\[1\]\.origin_url: expected a [^,]*(,[^,]*)?$/);
  }
});

test("each has its own browser origins", async (t) => {
  const s = await stage(t, { over: { [ISSUES]: { allowed_origins: ["https://app.example"] } }, vars: { MCP_SERVER_AUTH_ALLOWED_ORIGINS: "https://shared.example" } });
  const allowed = async (url, origin) => {
    const preflight = await s.get(url, { method: "OPTIONS", headers: { origin, "access-control-request-method": "POST" } });
    assert.equal(preflight.status, 204);
    const { response } = await s.ask(url, s.token(url), { headers: { origin } });
    assert.equal(response.status, response.get("access-control-allow-origin") === undefined ? 403 : 200);
    assert.equal(response.get("access-control-allow-origin"), preflight.get("access-control-allow-origin"));
    return response.status === 200;
  };
  assert.equal(await allowed(ISSUES, "https://app.example"), true);
  assert.equal(await allowed(ISSUES, "https://shared.example"), false);
  assert.equal(await allowed(FILES, "https://app.example"), false);
  assert.equal(await allowed(FILES, "https://shared.example"), true);
});

const call = (name) => JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/call", params: { name } });
const json = { headers: { "content-type": "application/json" } };

test("each has its own policy, lists filtered by it included", async (t) => {
  const policy = { rules: [{ methods: "tools/call", names: "delete", scopes: "write" }], filter_lists: true };
  const s = await stage(t, { over: { [ISSUES]: { policy } } });
  const list = { jsonrpc: "2.0", id: 1, result: { tools: [{ name: "read" }, { name: "delete" }] } };
  for (const url of ALL) {
    const { line, response } = await s.ask(url, s.token(url), { ...json, body: call("delete") });
    assert.deepEqual([response.status, line.reason], url === ISSUES ? [403, "scope_insufficient"] : [200, "ok"]);
    if (url === ISSUES) assert.ok(response.get("www-authenticate").includes(`resource_metadata="${document(url)}"`));
    s.origins[url].on(BASE, (_, res) => res.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(list)));
    const listed = await s.ask(url, s.token(url), { ...json, body: '{"jsonrpc":"2.0","id":1,"method":"tools/list"}' });
    assert.deepEqual(listed.response.json().result.tools.map(({ name }) => name), url === ISSUES ? ["read"] : ["read", "delete"]);
  }
});

test("each is reached by its own binding, with its own headers, and asked for its own URL", async (t) => {
  const s = await stage(t, {
    over: {
      [FILES]: { binding: "FILES", origin_url: undefined },
      [ISSUES]: { binding: "ISSUES", origin_url: `http://issues.internal.example${BASE}`, origin_headers: "ORIGIN_HEADERS_ISSUES" },
    },
    vars: { ORIGIN_HEADERS_ISSUES: { "X-Secret": "s3cret-of-issues" } },
    services: (origins) => ({ FILES: `127.0.0.1:${origins[FILES].port}`, ISSUES: `127.0.0.1:${origins[ISSUES].port}` }),
  });
  for (const url of ALL) assert.equal((await s.ask(url, s.token(url), { path: "/x" })).response.status, 200, url);
  assert.deepEqual(s.seen(), [1, 1, 1]);
  const [files, issues, other] = ALL.map((url) => s.origins[url].last());
  assert.deepEqual([files.header("host"), files.url], ["mcp.example.com", "/files/x"]);
  assert.deepEqual([issues.header("host"), issues.url], ["issues.internal.example", `${BASE}/x`]);
  assert.equal(other.url, `${BASE}/x`);
  assert.deepEqual([files, issues, other].map((seen) => seen.header("x-secret")), [undefined, "s3cret-of-issues", undefined]);
  assert.ok(!s.worker.output().includes("s3cret-of-issues"));
});

test("a binding that is not there, is nobody's, or is a variable: nothing is served", async (t) => {
  const bound = (services, over, vars) => stage(t, { over, vars, services });
  const origin = (origins) => ({ ORIGIN: `127.0.0.1:${origins[FILES].port}` });
  const rows = [
    [await bound(undefined, { [FILES]: { binding: "FILES" } }), /RESOURCES\[0\]\.binding: /],
    [await bound(origin, {}), /^ORIGIN: /],
    [await bound(undefined, { [FILES]: { binding: "FILES" } }, { FILES: "https://files.example" }), /RESOURCES\[0\]\.binding: /],
    [await bound(undefined, { [FILES]: { binding: "FILES" } }, { FILES: { fetch: "x" } }), /RESOURCES\[0\]\.binding: /],
  ];
  for (const [s, fault] of rows) {
    assertOwn((await s.ask(FILES, s.token(FILES))).response, 503, { error: "server_misconfigured" });
    const [{ faults }] = s.worker.lines("misconfigured");
    assert.equal(faults.length, 1);
    assert.match(faults[0], fault);
    assert.deepEqual(s.seen(), [0, 0, 0]);
  }
});

test("an unreachable origin is that server's alone", async (t) => {
  const s = await stage(t);
  await s.origins[ISSUES].close();
  assertOwn((await s.ask(ISSUES, s.token(ISSUES))).response, 502, { error: "bad_gateway" });
  const { line } = await s.ask(FILES, s.token(FILES));
  assert.deepEqual([line.outcome, line.resource], ["forwarded", FILES]);
});

test("a session of one server is none at another, and one server may do without binding", async (t) => {
  const s = await stage(t, { over: { [OTHER]: { bind_sessions: false } }, vars: { MCP_SERVER_AUTH_SESSION_KEY: "k".repeat(32) } });
  const token = s.token(ALL);
  const attached = {};
  for (const url of ALL) {
    s.origins[url].on(BASE, (_, res) => res.writeHead(200, { "mcp-session-id": "session-1" }).end());
    attached[url] = (await s.ask(url, token)).response.get("mcp-session-id");
  }
  const using = (url, id) => s.ask(url, token, { headers: { "mcp-session-id": id } });
  assert.match(attached[FILES], /^session-1\.[\w-]{43}$/);
  assert.notEqual(attached[FILES], attached[ISSUES]);
  assert.equal(attached[OTHER], "session-1");
  for (const url of [FILES, ISSUES]) {
    assert.equal((await using(url, attached[url])).response.status, 200);
    assert.equal(s.origins[url].last().header("mcp-session-id"), "session-1");
    const before = s.seen();
    for (const other of ALL.filter((other) => other !== url)) {
      const { response, line } = await using(url, attached[other]);
      assert.equal(response.status, 404);
      assert.match(line.reason, /^session_(mismatch|malformed)$/);
    }
    assert.deepEqual(s.seen(), before);
  }
  await using(OTHER, attached[FILES]);
  assert.equal(s.origins[OTHER].last().header("mcp-session-id"), attached[FILES], "as it came");
});

test("an assertion says for which server it is, though it is the same token", async (t) => {
  const s = await stage(t, { vars: asserting("header"), over: { [OTHER]: { assertion: "off" } } });
  const token = s.token(ALL);
  const audience = (url) => {
    const assertion = s.origins[url].last().header(ASSERTION);
    return assertion && JSON.parse(Buffer.from(assertion.split(".")[1], "base64url")).aud;
  };
  for (let again = 0; again < 2; again++) {
    for (const url of ALL) {
      await s.ask(url, token);
      const expected = url === OTHER ? undefined : `${s.origins[url].url}${BASE}`;
      assert.equal(audience(url), expected);
    }
  }
  assert.equal((await s.get("https://x.workers.dev/.well-known/mcp-edge-auth/jwks.json")).json().keys.length, 1);
});

test("an origin's own refusals carry that server's challenge and name that server", async (t) => {
  const s = await stage(t);
  s.origins[ISSUES].on(BASE, (_, res) => res.writeHead(403, { "www-authenticate": 'Bearer error="insufficient_scope", scope="a", resource_metadata="https://evil.example"' }).end());
  const { response } = await s.ask(ISSUES, s.token(ISSUES));
  assert.equal(response.status, 403);
  assert.ok(response.get("www-authenticate").includes(`resource_metadata="${document(ISSUES)}"`), response.get("www-authenticate"));
  s.origins[OTHER].on(BASE, (_, res) => res.writeHead(401).end());
  assert.deepEqual((await s.ask(OTHER, s.token(OTHER))).line.resource, OTHER);
});

test("each has counts of its own, of good tokens and of bad ones", async (t) => {
  const policy = { limits: [{ by: "user", binding: "CALLS" }, { by: "ip", binding: "SENDERS" }] };
  const counting = (most) => `const counts = new Map();
export default () => ({ async limit({ key }) { counts.set(key, (counts.get(key) ?? 0) + 1); return { success: counts.get(key) <= ${most} }; } });`;
  const limiters = { CALLS: counting(1), SENDERS: counting(2) };
  const s = await stage(t, { over: { [FILES]: { policy }, [OTHER]: { policy } }, limiters });
  const headers = { "content-type": "application/json" };
  const ask = async (url, token) => (await s.ask(url, token, { headers, body: '{"jsonrpc":"2.0","id":1,"method":"ping"}' })).response.status;
  for (const [url, statuses] of [[FILES, [200, 429]], [OTHER, [200, 429]]]) {
    for (const status of statuses) assert.equal(await ask(url, s.token(url)), status, url);
  }
  for (const url of [FILES, OTHER]) {
    for (const status of [401, 401, 429]) assert.equal(await ask(url, "no.good.token"), status, url);
  }
});

test("a fault in one of them closes all", async (t) => {
  const s = await stage(t, { over: { [OTHER]: { policy: { rules: 1 } } } });
  assertOwn((await s.ask(FILES, s.token(FILES))).response, 503, { error: "server_misconfigured" });
  assert.match(s.worker.lines("misconfigured")[0].faults.join(), /^MCP_SERVER_AUTH_RESOURCES\[2\]\.policy\.rules: [^,]*$/);
});
