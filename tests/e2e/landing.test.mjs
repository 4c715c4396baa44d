// The page for people, over the wire: a 401 with the challenge all the same, and only for whoever
// asks for HTML and brings nothing along.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { assertInvalid, assertUnauthorized, bearer, challenge, stage } from "./support/stage.mjs";

const BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8";
const visit = (s, head = {}) => s.worker.send({ path: "/mcp", ...head, headers: { accept: BROWSER, ...head.headers } });

test("a browser gets the page, with the challenge, CORS and a policy that lets nothing in", async (t) => {
  const s = await stage(t, { vars: { MCP_SERVER_AUTH_RESOURCE_NAME: "Tools <of> Example" } });
  const { response, line } = await s.worker.logged(() => visit(s));
  assert.equal(response.status, 401);
  assert.deepEqual(response.all("www-authenticate"), [challenge()]);
  assert.equal(response.get("access-control-allow-origin"), "*");
  assert.match(response.get("access-control-expose-headers"), /WWW-Authenticate/);
  assert.deepEqual(response.all("content-type"), ["text/html; charset=utf-8"]);
  assert.deepEqual(response.all("cache-control"), ["no-store"]);
  assert.deepEqual(response.all("vary"), ["Accept"]);
  assert.deepEqual(response.all("x-content-type-options"), ["nosniff"]);
  assert.deepEqual(response.all("referrer-policy"), ["no-referrer"]);
  assert.match(response.text, /<h1>Tools &lt;of&gt; Example<\/h1>/);
  assert.ok(response.body.length < 12 * 1024, `${response.body.length} bytes`);
  const hash = (tag) => createHash("sha256").update(new RegExp(`<${tag}>([^]*)</${tag}>`).exec(response.text)[1]).digest("base64");
  assert.deepEqual(response.all("content-security-policy"), [
    `default-src 'none'; style-src 'sha256-${hash("style")}'; script-src 'sha256-${hash("script")}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
  ]);
  assert.deepEqual([line.outcome, line.reason, line.status], ["refused", "credentials_missing", 401]);
  assert.equal(s.origin.seen.length, 0);
});

test("HEAD has the page's headers and no body", async (t) => {
  const s = await stage(t);
  const response = await visit(s, { method: "HEAD" });
  assert.deepEqual([response.status, response.get("content-type"), response.text], [401, "text/html; charset=utf-8", ""]);
  assert.deepEqual(response.all("www-authenticate"), [challenge()]);
});

test("everybody else gets what clients get", async (t) => {
  const s = await stage(t);
  for (const accept of ["application/json, text/event-stream", "text/event-stream", "*/*", "text/html, application/json", undefined]) {
    assertUnauthorized(await s.worker.send({ path: "/mcp", headers: accept ? { accept } : {} }));
  }
  for (const head of [{ method: "POST" }, { method: "DELETE" }, { path: "/mcp/below" }]) assertUnauthorized(await visit(s, head));
  for (const authorization of ["Bearer", "Basic YTpi", "Bearer a, Bearer b"]) assertUnauthorized(await visit(s, { headers: { authorization } }));
  assertInvalid(await visit(s, { headers: bearer("a.b.c") }), "The access token is malformed");
});

test("a good token is forwarded, whatever it accepts", async (t) => {
  const s = await stage(t);
  const response = await visit(s, { headers: bearer(s.token()) });
  assert.deepEqual([response.status, response.get("x-origin")], [200, "echo"]);
});

test("limited origins: who may not call gets no page, and Vary names both", async (t) => {
  const s = await stage(t, { vars: { MCP_SERVER_AUTH_ALLOWED_ORIGINS: "https://app.example.com" } });
  assert.equal((await visit(s, { headers: { origin: "https://other.example.com" } })).status, 403);
  const response = await visit(s, { headers: { origin: "https://app.example.com" } });
  assert.deepEqual([response.status, response.get("vary"), response.get("access-control-allow-origin")], [401, "Origin, Accept", "https://app.example.com"]);
});

test("switched off, a browser gets what clients get", async (t) => {
  const s = await stage(t, { vars: { MCP_SERVER_AUTH_LANDING_PAGE: "false" } });
  const response = await visit(s);
  assertUnauthorized(response);
  assert.deepEqual(response.all("vary"), []);
});
