// Contract section 2, paths: what is the MCP endpoint, what is not, and that nothing gets past the
// canonical path or out of the origin's path. Bare workerd gets every path as it is written here.
import assert from "node:assert/strict";
import { test } from "node:test";
import { raw } from "./support/http.mjs";
import { BASE } from "./support/origin.mjs";
import { assertOwn, assertUnauthorized, bearer, stage } from "./support/stage.mjs";

/** What an origin that decodes once and resolves dots makes of a path. */
function resolved(url) {
  let path = url.split("?")[0].replace(/%2e/gi, ".").replace(/%2f/gi, "/").replace(/%5c|\\/gi, "/");
  for (let before; before !== path; ) [before, path] = [path, path.replace(/\/[^/]*\/\.\.(\/|$)/, "/").replace(/^\/\.\.(\/|$)/, "/").replace(/\/\.(\/|$)/, "/")];
  return path;
}
const inside = (url) => resolved(url) === BASE || resolved(url).startsWith(`${BASE}/`);

test("paths at and below the canonical path are the MCP server's", async (t) => {
  const s = await stage(t);
  const mapped = [
    ["/mcp", ""],
    ["/mcp/", "/"],
    ["/mcp/sse", "/sse"],
    ["/mcp/a/b/", "/a/b/"],
    ["/mcp/messages?session=1&x=%20y+z&&q", "/messages?session=1&x=%20y+z&&q"],
    ["/mcp?a=1", "?a=1"],
    ["/mcp/?a=../..", "/?a=../.."],
    ["/mcp/mcp", "/mcp"],
    ["/mcp/a%2Fb", "/a%2Fb"],
    ["/mcp/a%20b%C3%A9", "/a%20b%C3%A9"],
    ["/mcp/...", "/..."],
    ["/mcp/a..b/..c", "/a..b/..c"],
    ["/mcp/healthz", "/healthz"],
    ["/mcp/a//b", "/a//b"],
    ["/mcp/v1.0/a%20b", "/v1.0/a%20b"],
    ["/mcp/100%25", "/100%25"],
    ["/mcp/100%25accurate.x", "/100%25accurate.x"],
    ["/mcp/.well-known/x", "/.well-known/x"],
    ["/mcp/a.%E6%97%A5%3Fb%23", "/a.%E6%97%A5%3Fb%23"],
  ];
  for (const [path, rest] of mapped) {
    assertUnauthorized(await s.call(undefined, { path }));
    const response = await s.call(s.token(), { path });
    assert.equal(response.status, 200, path);
    assert.equal(s.origin.last().url, BASE + rest, path);
  }
  assert.equal(s.origin.seen.length, mapped.length, "nothing was forwarded without a token");
});

test("any other path is 404 and goes nowhere", async (t) => {
  const s = await stage(t);
  const paths = [
    "/", "//", "/mcpx", "/mcp.", "/mcp-admin", "/mc", "/MCP", "/mcp;a=b", "/mcp%2fx", "/mcp%20", "/mcp%00", "//mcp", "//mcp/x", "/x/mcp", "/x/../admin",
    "/.well-known/oauth-authorization-server", "/.well-known/oauth-protected-resource/mcpx", "/.well-known/oauth-protected-resource/other",
    "/.well-known/oauth-protected-resourcex", "/mcpx/.well-known/oauth-protected-resource", "/healthz/x", "/healthzx", "/favicon.ico", BASE,
  ];
  for (const path of paths) {
    for (const method of ["GET", "POST", "DELETE"]) {
      const { response, line } = await s.worker.logged(() => s.worker.send({ method, path, headers: bearer(s.token()) }));
      assertOwn(response, 404, { error: "not_found" });
      assert.equal(line.reason, "not_found");
      assert.equal(line.outcome, "refused");
    }
  }
  assert.equal(s.origin.seen.length, 0);
});

const TRAVERSALS = [
  "/mcp/../x", "/mcp/..", "/mcp/../", "/mcp/%2e%2e/x", "/mcp/%2E%2E/x", "/mcp/.%2e/x", "/mcp/%2e./x", "/mcp/%2e%2e", "/mcp/a/../../x", "/mcp/a/%2e%2e/%2e%2e/x",
  "/mcp/..%2fx", "/mcp/..%2Fx", "/mcp/%2e%2e%2fx", "/mcp/a%2f..%2f..%2fx", "/mcp/..%5cx", "/mcp/..\\x", "/mcp/%2e%2e\\x", "/mcp/a/..%2f..%2f..%2fx",
  "/mcp/./../x", "/mcp//../../x", "/mcp/%2e%2e%5cx",
  "/mcp/..%23/x", "/mcp/..%3f/x", "/mcp/..%2523x", "/mcp/%c0%ae%c0%ae/x", "/mcp/%e0%80%ae./x", "/mcp/..%c0%afx", "/mcp/%u002e%u002e/x", "/mcp/..%u2215x", "/mcp/..%20/x",
  "/mcp/..%20", "/mcp/..+/x", "/mcp/..%ff/x", "/mcp/.%e2%80%8b./x", "/mcp/%ef%bc%8e%ef%bc%8e/x", "/mcp/..%ef%bc%8fx", "/mcp/..%c2%a5x", "/mcp/%ef%bc%852e./x",
];

test("with a good token no path leaves the origin's path", async (t) => {
  const s = await stage(t);
  const token = s.token();
  for (const path of TRAVERSALS) {
    const { status, text } = await raw(s.worker.port, `POST ${path} HTTP/1.1\r\nHost: mcp.example.com\r\nAuthorization: Bearer ${token}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`);
    assert.equal(status, 404, `${path}: ${text}`);
  }
  for (const { url } of s.origin.seen) assert.ok(inside(url), `${url} reached the origin`);
  assert.equal(s.origin.seen.length, 0);
});

test("without a token no path reaches the origin", async (t) => {
  const s = await stage(t);
  for (const path of [...TRAVERSALS, "/x/../mcp", "/x/%2e%2e/mcp", "/%6dcp", "/mcp%2f", "/./mcp", "/mcp\\x"]) {
    const { status, text } = await raw(s.worker.port, `POST ${path} HTTP/1.1\r\nHost: mcp.example.com\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`);
    assert.ok([0, 400, 401, 404].includes(status), `${path}: ${text}`);
  }
  assert.equal(s.origin.seen.length, 0);
});

test("dots that stay inside arrive resolved, or not at all", async (t) => {
  const s = await stage(t);
  const post = (path) => raw(s.worker.port, `POST ${path} HTTP/1.1\r\nHost: mcp.example.com\r\nAuthorization: Bearer ${s.token()}\r\nContent-Length: 0\r\n\r\n`);
  // The runtime resolves what is written plainly, before the Worker sees it.
  for (const path of ["/mcp/a/../b", "/mcp/./b", "/x/../mcp/b"]) assert.equal((await post(path)).status, 200, path);
  assert.deepEqual(s.origin.seen.map((request) => request.url), Array(3).fill(`${BASE}/b`));
  // What readers may disagree about goes nowhere.
  for (const path of ["/mcp/a/%2e%2e/b", "/mcp/%2e/b", "/mcp/a;x/..;/b", "/mcp/a/%252e%252e/b"]) assert.equal((await post(path)).status, 404, path);
  assert.equal(s.origin.seen.length, 3);
});

test("no header says which path it is", async (t) => {
  const s = await stage(t);
  for (const name of ["X-Original-URL", "X-Rewrite-URL", "X-Forwarded-Uri", "X-Forwarded-Path", "X-Original-Uri", "X-HTTP-Method-Override", "X-Original-Method"]) {
    for (const value of ["/healthz", "/.well-known/oauth-protected-resource", "OPTIONS"]) {
      assertUnauthorized(await s.call(undefined, { headers: { [name]: value } }));
    }
    assert.equal((await s.call(s.token(), { path: "/other", headers: { [name]: "/mcp" } })).status, 404);
  }
  // Nor does the query.
  assertUnauthorized(await s.call(undefined, { path: "/mcp?/.well-known/oauth-protected-resource" }));
  assertUnauthorized(await s.call(undefined, { path: "/mcp?x=/healthz" }));
  assert.equal(s.origin.seen.length, 0);
});

test("an origin at its root, and one whose URL ends with a slash", async (t) => {
  const mappings = [
    ["", "/mcp", "/"],
    ["", "/mcp/", "/"],
    ["", "/mcp/a?b", "/a?b"],
    ["/", "/mcp", "/"],
    ["/", "/mcp/a", "/a"],
    ["/base/", "/mcp/a", "/base/a"],
    ["/base/", "/mcp?b", "/base/?b"],
    ["/base/deep", "/mcp/a", "/base/deep/a"],
    ["/base%20x", "/mcp/a", "/base%20x/a"],
  ];
  for (const [path, asked, expected] of mappings) {
    const s = await stage(t, { vars: (_, origin) => ({ ORIGIN_URL: origin.url + path }) });
    await s.call(s.token(), { path: asked });
    assert.equal(s.origin.last()?.url, expected, `${path || "no path"} ${asked}`);
  }
});

test("a canonical URL without a path: discovery and health come first, the rest is the MCP server's", async (t) => {
  for (const canonical of ["https://mcp.example.com", "https://mcp.example.com/"]) {
    const s = await stage(t, { vars: { MCP_SERVER_AUTH_CANONICAL_URL: canonical } });
    const own = await s.worker.send({ path: "/.well-known/oauth-protected-resource" });
    assert.equal(own.json().resource, canonical);
    assert.deepEqual((await s.worker.send({ path: "/healthz" })).json(), { status: "ok" });
    // A URL without a path has the path `/`: that is what the origin's path takes the place of.
    for (const [path, rest] of [["/", ""], ["/?x=1", "?x=1"], ["/sse?x=1", "/sse?x=1"], ["/mcp", "/mcp"], ["/.well-known/other", "/.well-known/other"]]) {
      const refused = await s.call(undefined, { path });
      assertUnauthorized(refused, { metadata: "https://mcp.example.com/.well-known/oauth-protected-resource" });
      await s.call(s.token({ aud: canonical }), { path });
      assert.equal(s.origin.last()?.url, BASE + rest, path);
    }
    const preflight = await s.worker.send({ method: "OPTIONS", path: "/anything" });
    assert.equal(preflight.status, 204);
  }
});

test("a deep canonical path", async (t) => {
  const s = await stage(t, { vars: { MCP_SERVER_AUTH_CANONICAL_URL: "https://mcp.example.com/team/tools/mcp" } });
  const token = s.token({ aud: "https://mcp.example.com/team/tools/mcp" });
  for (const path of [
    "/.well-known/oauth-protected-resource/team/tools/mcp",
    "/.well-known/oauth-protected-resource",
    "/team/tools/mcp/.well-known/oauth-protected-resource",
  ]) {
    assert.equal((await s.worker.send({ path })).status, 200, path);
  }
  for (const path of ["/team/tools", "/team/tools/mcpx", "/mcp", "/.well-known/oauth-protected-resource/team", "/team/tools/mcp/../x"]) {
    assertOwn(await s.call(token, { path }), 404, { error: "not_found" });
  }
  await s.call(token, { path: "/team/tools/mcp/x" });
  assert.equal(s.origin.last().url, `${BASE}/x`);
});

test("a canonical path that ends with a slash: both spellings are the endpoint", async (t) => {
  const s = await stage(t, { vars: { MCP_SERVER_AUTH_CANONICAL_URL: "https://mcp.example.com/mcp/" } });
  for (const path of ["/mcp", "/mcp/", "/mcp/x"]) {
    const response = await s.call(s.token({ aud: "https://mcp.example.com/mcp/" }), { path });
    assert.equal(response.status, 200, path);
    assert.ok(inside(s.origin.last().url), s.origin.last().url);
  }
  assert.equal((await s.call(s.token(), { path: "/mcpx" })).status, 404);
});

test("health says that the settings are sound, and nothing else", async (t) => {
  const s = await stage(t);
  await s.issuer.close();
  const { response, line } = await s.worker.logged(() => s.worker.send({ path: "/healthz" }));
  assertOwn(response, 200, { status: "ok" });
  assert.deepEqual([line.outcome, line.reason], ["served", "health"]);
  const head = await s.worker.send({ method: "HEAD", path: "/healthz" });
  assert.equal(head.status, 200);
  assert.equal(head.text, "");
  const posted = await s.worker.send({ method: "POST", path: "/healthz", headers: bearer(s.token()) });
  assert.ok([404, 405].includes(posted.status), "only GET and HEAD are the Worker's; nothing is forwarded");
  assert.equal(s.origin.seen.length, 0);
});
