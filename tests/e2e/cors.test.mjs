// Contract section 3, browsers: the preflight, which origins may call, and the CORS headers of the
// answers at the MCP endpoint. A forwarded answer has them where a page could read it.
import assert from "node:assert/strict";
import { test } from "node:test";
import { reply } from "./support/issuer.mjs";
import { BASE } from "./support/origin.mjs";
import { assertOwn, bearer, stage } from "./support/stage.mjs";

const APP = "https://app.example.com";
const LIST = { MCP_SERVER_AUTH_ALLOWED_ORIGINS: [APP, "https://other-app.example.com:8443"] };
const EXPOSED = "WWW-Authenticate, Mcp-Session-Id, MCP-Protocol-Version";
const LOOPBACK = "http://127.0.0.1:8787/mcp";

/** The answer carries exactly these CORS headers; `origin` undefined: none is allowed. */
function assertCors(response, { origin, limited = false }) {
  assert.deepEqual(response.all("access-control-allow-origin"), origin === undefined ? [] : [origin]);
  assert.equal(response.get("access-control-allow-credentials"), undefined, "no credentials mode");
  const varies = (response.get("vary") ?? "").toLowerCase().split(/, */).includes("origin");
  assert.equal(varies, limited, "Vary: Origin where the answer depends on it");
}
const assertExposed = (response) => assert.deepEqual(response.all("access-control-expose-headers"), [EXPOSED]);

async function preflight(s, headers = {}, path = "/mcp") {
  const { response, line } = await s.worker.logged(() =>
    s.worker.send({ method: "OPTIONS", path, headers: { origin: APP, "access-control-request-method": "POST", ...headers } }));
  assert.equal(response.status, 204);
  assert.equal(response.text, "");
  assert.deepEqual(response.all("cache-control"), ["no-store"]);
  assert.deepEqual(response.all("access-control-allow-methods"), ["GET, POST, DELETE, OPTIONS"]);
  assert.deepEqual(response.all("access-control-max-age"), ["86400"]);
  assert.deepEqual([line.outcome, line.reason], ["served", "preflight"]);
  return response;
}

test("a preflight is answered before any authentication and never forwarded", async (t) => {
  const s = await stage(t);
  for (const path of ["/mcp", "/mcp/", "/mcp/sse"]) assertCors(await preflight(s, {}, path), { origin: "*" });
  await preflight(s, { authorization: "Bearer garbage" });
  await preflight(s, bearer(s.token()));
  // An OPTIONS that is no preflight is still ours.
  assert.equal((await s.worker.send({ method: "OPTIONS", path: "/mcp" })).status, 204);
  assert.equal(s.origin.seen.length, 0);
  assert.equal(s.issuer.log.length, 0);
});

test("a preflight echoes the headers that were asked for, and has a list where none were", async (t) => {
  const s = await stage(t);
  for (const asked of ["authorization, content-type", "x-anything", "Mcp-Method,mcp-name"]) {
    assert.deepEqual((await preflight(s, { "access-control-request-headers": asked })).all("access-control-allow-headers"), [asked]);
  }
  assert.deepEqual((await preflight(s)).all("access-control-allow-headers"), [
    "Content-Type, Authorization, Accept, Mcp-Session-Id, MCP-Protocol-Version, Mcp-Method, Mcp-Name, Last-Event-ID",
  ]);
});

test("a preflight elsewhere is not ours", async (t) => {
  const s = await stage(t);
  for (const path of ["/", "/mcpx", "/other"]) {
    assertOwn(await s.worker.send({ method: "OPTIONS", path, headers: { origin: APP } }), 404, { error: "not_found" });
  }
});

test("an https server is open to every origin but null", async (t) => {
  const s = await stage(t);
  for (const origin of [APP, "http://localhost:6274", "https://mcp.example.com", "chrome-extension://abcdef", undefined]) {
    const headers = origin ? { origin } : {};
    const forwarded = await s.call(s.token(), { headers });
    assert.equal(forwarded.status, 200, origin);
    if (origin) {
      assertCors(forwarded, { origin: "*" });
      assertExposed(forwarded);
    }
    const refused = await s.call(undefined, { headers });
    assert.equal(refused.status, 401);
    assertCors(refused, { origin: "*" });
    assertExposed(refused);
  }
  const response = await s.call(s.token(), { headers: { origin: "null" } });
  assertOwn(response, 403, { error: "origin_not_allowed" });
});

test("a star says the same as the default", async (t) => {
  for (const value of ["*", ["*"]]) {
    const s = await stage(t, { vars: { MCP_SERVER_AUTH_CANONICAL_URL: LOOPBACK, MCP_SERVER_AUTH_ALLOWED_ORIGINS: value } });
    const forwarded = await s.call(s.token({ aud: LOOPBACK }), { headers: { origin: APP } });
    assert.equal(forwarded.status, 200);
    assertCors(forwarded, { origin: "*" });
    assertOwn(await s.call(s.token({ aud: LOOPBACK }), { headers: { origin: "null" } }), 403, { error: "origin_not_allowed" });
  }
});

test("a list: those on it get their own name back, nobody else gets in", async (t) => {
  const s = await stage(t, { vars: LIST });
  for (const origin of [APP, "https://other-app.example.com:8443"]) {
    const answers = [await s.call(s.token(), { headers: { origin } }), await s.call(undefined, { headers: { origin } }), await preflight(s, { origin })];
    assert.deepEqual(answers.map((answer) => answer.status), [200, 401, 204]);
    for (const answer of answers) assertCors(answer, { origin, limited: true });
  }
  for (const origin of ["https://evil.example.com", "null", `${APP}.evil.example.com`, "https://other-app.example.com", "https://APP.example.com.", ""]) {
    const headers = { origin };
    if (origin) {
      const refused = await s.call(s.token(), { headers });
      assertOwn(refused, 403, { error: "origin_not_allowed" });
      assertCors(refused, { limited: true });
    }
    assertCors(await preflight(s, headers), { limited: true });
  }
  assert.equal(s.origin.seen.length, 2);
});

test("a list as a JSON string, and as one name", async (t) => {
  for (const value of [JSON.stringify([APP]), APP]) {
    const s = await stage(t, { vars: { MCP_SERVER_AUTH_ALLOWED_ORIGINS: value } });
    assertCors(await s.call(s.token(), { headers: { origin: APP } }), { origin: APP, limited: true });
    assert.equal((await s.call(s.token(), { headers: { origin: "https://evil.example.com" } })).status, 403);
  }
});

const OWN = {
  "access-control-allow-origin": "https://evil.example.com", "access-control-allow-credentials": "true", "access-control-allow-methods": "TRACE",
  "access-control-allow-headers": "*", "access-control-max-age": "5", "access-control-expose-headers": "X-Secret", "access-control-allow-private-network": "true",
  "x-origin": "yes", vary: "Accept-Encoding",
};

test("a request without Origin is no page's: its answer is the origin's, header by header", async (t) => {
  const s = await stage(t, { vars: LIST });
  for (const method of ["POST", "DELETE", "PUT"]) {
    for (const status of [200, 202, 404, 403, 302, 500]) {
      s.origin.on(BASE, (_, res) => res.writeHead(status, OWN).end());
      const response = await s.worker.send({ method, path: "/mcp", headers: bearer(s.token()) });
      assert.equal(response.status, status, method);
      for (const [name, value] of Object.entries(OWN)) assert.deepEqual(response.all(name), [value], `${method} ${status} ${name}`);
    }
  }
});

test("what a shared cache may keep has CORS headers, whoever asked for it", async (t) => {
  const s = await stage(t, { vars: LIST });
  s.origin.on(BASE, (_, res) => res.writeHead(200, OWN).end());
  for (const method of ["GET", "HEAD"]) {
    const response = await s.worker.send({ method, path: "/mcp", headers: bearer(s.token()) });
    assert.equal(response.status, 200, method);
    assertCors(response, { limited: true });
    assertExposed(response);
    assert.equal(response.get("x-origin"), "yes");
  }
});

test("a refusal of the Worker's own has CORS headers, after all, too", async (t) => {
  const s = await stage(t, { vars: LIST });
  s.origin.on(BASE, (_, res) => res.writeHead(401, OWN).end());
  const response = await s.call(s.token());
  assertOwn(response, 502, { error: "bad_gateway" });
  assertCors(response, { limited: true });
  assertExposed(response);
});

test("null is allowed where it is listed", async (t) => {
  const s = await stage(t, { vars: { MCP_SERVER_AUTH_ALLOWED_ORIGINS: [APP, "null"] } });
  const response = await s.call(s.token(), { headers: { origin: "null" } });
  assert.equal(response.status, 200);
  assertCors(response, { origin: "null", limited: true });
});

test("a loopback server is open to loopback origins only", async (t) => {
  const s = await stage(t, { vars: { MCP_SERVER_AUTH_CANONICAL_URL: LOOPBACK } });
  const token = s.token({ aud: LOOPBACK });
  for (const origin of ["http://127.0.0.1:8787", "http://localhost:6274", "http://localhost", "http://[::1]:3000", "http://127.9.9.9", "https://localhost:8443"]) {
    const response = await s.call(token, { headers: { origin } });
    assert.equal(response.status, 200, origin);
    assertCors(response, { origin, limited: true });
  }
  for (const origin of [APP, "null", "http://localhost.example.com", "http://127.0.0.1.example.com", "http://notlocalhost", "http://10.0.0.1", "http://localhost@evil.example.com"]) {
    const response = await s.call(token, { headers: { origin } });
    assertOwn(response, 403, { error: "origin_not_allowed" });
    assertCors(response, { limited: true });
  }
});

test("an origin's own CORS headers are replaced, and only those", async (t) => {
  for (const [vars, origin, limited] of [[{}, "*", false], [LIST, APP, true]]) {
    const s = await stage(t, { vars });
    for (const status of [200, 403, 404, 304]) {
      s.origin.on(BASE, (_, res) => res.writeHead(status, OWN).end());
      const response = await s.call(s.token(), { headers: { origin: APP } });
      assert.equal(response.status, status);
      assertCors(response, { origin, limited });
      assertExposed(response);
      for (const name of ["methods", "headers"]) assert.equal(response.get(`access-control-allow-${name}`), undefined);
      assert.equal(response.get("access-control-max-age"), undefined);
      assert.equal(response.get("access-control-allow-private-network"), undefined);
      assert.equal(response.get("x-origin"), "yes");
      assert.match(response.get("vary"), /Accept-Encoding/);
    }
  }
});

test("every answer at the MCP endpoint has them, 502 and 503 included", async (t) => {
  const s = await stage(t, { vars: LIST });
  const headers = { origin: APP };
  s.issuer.on("/jwks", reply.status(500));
  const unavailable = await s.call(s.token(), { headers });
  assert.equal(unavailable.status, 503);
  const up = await stage(t, { vars: LIST });
  await up.origin.close();
  const gateway = await up.call(up.token(), { headers });
  assert.equal(gateway.status, 502);
  for (const response of [unavailable, gateway, await s.call("garbage", { headers })]) {
    assertCors(response, { origin: APP, limited: true });
    assertExposed(response);
  }
});
