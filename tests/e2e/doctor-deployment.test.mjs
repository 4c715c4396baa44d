// `doctor --url`: the built Worker in workerd, and the same behind something that
// meddles.
import assert from "node:assert/strict";
import http from "node:http";
import { test } from "node:test";
import { doctor, inFront, offer, OWN, speaks } from "./support/doctor.mjs";
import { closed, listen, reply } from "./support/issuer.mjs";
import { CANONICAL, stage } from "./support/stage.mjs";
import { BASE } from "./support/origin.mjs";

/** A stage whose issuer clients can log in at. */
async function staged(t, options = {}) {
  const s = await stage(t, { entries: (issuer) => [{ authorization_server_url: issuer.url }], ...options });
  offer(s.issuer);
  speaks(s.origin);
  s.doctor = (more = {}) => doctor(t, s.settings, { url: s.worker.url, ...more });
  return s;
}

test("a sound deployment", async (t) => {
  const s = await staged(t, { vars: OWN });
  const found = await s.doctor({ token: s.token({ aud: OWN.MCP_SERVER_AUTH_CANONICAL_URL, client_id: "client-1", scope: "mcp:use" }) });
  assert.equal(found.code, 0, found.shown);
  assert.deepEqual(found.warned(), ["deployment"], "it is looked at on loopback");
  const checks = found.lines.map(({ check }) => check).filter((check) => check.startsWith("deployment"));
  assert.deepEqual(checks, [
    "deployment", "deployment.health", "deployment.metadata", "deployment.metadata", "deployment.metadata", "deployment.challenge", "deployment.cors",
    "deployment.preflight", "deployment.methods", "deployment.methods", "deployment.token", "deployment.token",
  ]);
  assert.match(found.line("ok", "deployment.token").says, /accepts the token; your server answers 200$/);
  assert.match(found.line("ok", "token.verdict").says, /X-MCP-Auth-User-Id: user-1, .*X-MCP-Auth-Client-Id: client-1/);
  assert.deepEqual(s.origin.seen.filter(({ method }) => method === "POST").map(({ url }) => url), [BASE, `${BASE}/`]);
});

test("its canonical URL needs no remark", async (t) => {
  const s = await staged(t);
  const vars = { ...s.settings, MCP_SERVER_AUTH_CANONICAL_URL: `${s.worker.url}/mcp` };
  const found = await doctor(t, vars, { url: `${s.worker.url}/mcp` });
  assert.ok(!found.warned().includes("deployment"), found.shown);
  assert.match(found.line("FAIL", "deployment.metadata").says, /resource: expected "http:\S+\/mcp", found "https:\/\/mcp\.example\.com\/mcp"$/);
  assert.match(found.line("FAIL", "deployment.challenge").says, /expected http:\S+, found https:\/\/mcp\.example\.com\//);
});

test("other allowed origins, no path, and no document", async (t) => {
  for (const vars of [
    { MCP_SERVER_AUTH_ALLOWED_ORIGINS: ["https://app.example.com"] },
    { MCP_SERVER_AUTH_CANONICAL_URL: "https://mcp.example.com" },
    { MCP_SERVER_AUTH_CANONICAL_URL: "https://mcp.example.com/a/mcp/" },
  ]) {
    const s = await staged(t, { vars });
    const found = await s.doctor();
    assert.equal(found.code, 0, `${JSON.stringify(vars)}\n${found.shown}`);
  }
  const single = (issuer) => ({
    MCP_SERVER_AUTH_AUTHORIZATION_SERVERS: undefined, MCP_SERVER_AUTH_JWKS_URI: `${issuer.url}/jwks`, MCP_SERVER_AUTH_ISSUER: issuer.url, MCP_SERVER_AUTH_AUDIENCE: CANONICAL,
  });
  const s = await staged(t, { vars: single });
  const found = await s.doctor();
  assert.equal(found.code, 0, found.shown);
  assert.ok(found.warned().includes("authorization_server"), found.shown);
});

test("settings that were not deployed", async (t) => {
  const s = await staged(t);
  const vars = { ...s.settings, MCP_SERVER_AUTH_SCOPES_SUPPORTED: "mcp:use" };
  const found = await doctor(t, vars, { url: s.worker.url, token: s.token() });
  assert.deepEqual(found.failed(), ["deployment.metadata"], found.shown);
  assert.match(found.line("FAIL", "deployment.metadata").says, /scopes_supported: expected \["mcp:use"\], found null$/);
  assert.match(found.line("FAIL", "deployment.metadata").todo, /deploy these settings/);
});

test("a deployment whose settings have faults", async (t) => {
  const s = await staged(t);
  const broken = await s.another({ vars: { ...s.settings, ORIGIN_URL: "nowhere" } });
  const found = await doctor(t, s.settings, { url: broken.worker.url, token: broken.token() });
  assert.deepEqual(found.failed(), ["deployment.health"], found.shown);
  assert.match(found.line("FAIL", "deployment.health").says, /the deployed settings have faults$/);
  assert.match(found.line("FAIL", "deployment.health").todo, /misconfigured/);
});

test("nothing there, and something else there", async (t) => {
  const s = await staged(t);
  const nothing = await doctor(t, s.settings, { url: "http://127.0.0.1:9" });
  assert.match(nothing.line("FAIL", "deployment.health").says, /does not answer: .*ECONNREFUSED/);
  const other = http.createServer((_, res) => res.writeHead(302, { location: "https://login.example/" }).end());
  const port = await listen(other, 0);
  t.after(() => closed(other));
  const found = await doctor(t, s.settings, { url: `http://127.0.0.1:${port}/mcp`, token: s.token() });
  assert.match(found.line("FAIL", "deployment.health").says, /answers 302, a redirect to https:\/\/login\.example\/, which is not the Worker$/);
  assert.match(found.line("FAIL", "deployment.health").todo, /Access, a firewall, a redirect/);
  assert.ok(!found.shown.includes("deployment.token"), "no token goes to whoever is there");
});

const ENDPOINT = (req) => req.url.startsWith("/mcp") && !req.url.includes("well-known");
const without = (name) => (_, answer) => delete answer.headers[name];

// A name, what something in front does, the check that fails, what its line says, what to do.
const MEDDLERS = [
  ["an open door", (req, answer) => ENDPOINT(req) && req.method === "POST" && Object.assign(answer, { status: 200 }), "challenge", /expected 401, found 200$/, /answers without a token/],
  ["a redirect", (req, answer) => ENDPOINT(req) && req.method === "POST" && Object.assign(answer, { status: 308, headers: { location: "/mcp/" } }), "challenge", /found 308, a redirect to \/mcp\/$/, /no redirect/],
  ["a firewall", (req, answer) => ENDPOINT(req) && req.method === "POST" && Object.assign(answer, { status: 403 }), "challenge", /found 403$/, /Access, a firewall/],
  ["another route", (req, answer) => ENDPOINT(req) && req.method === "POST" && Object.assign(answer, { status: 404 }), "challenge", /found 404$/, /canonical path/],
  ["no challenge", without("www-authenticate"), "challenge", /expected one WWW-Authenticate line, found 0$/, /change the header/],
  ["a second challenge", (_, { headers }) => headers["www-authenticate"] && (headers["www-authenticate"] = [headers["www-authenticate"], "Basic realm=\"x\""]), "challenge", /found 2$/, /change the header/],
  ["a challenge without quotes", (_, { headers }) => headers["www-authenticate"] && (headers["www-authenticate"] = "Bearer resource_metadata=https://mcp.example.com/"), "challenge", /resource_metadata is not in quotes/, /change the header/],
  ["another scheme", (_, { headers }) => headers["www-authenticate"] && (headers["www-authenticate"] = "bearer realm=\"x\""), "challenge", /the scheme is not Bearer/, /change the header/],
  ["an address of its own", (_, { headers }) => headers["www-authenticate"] && (headers["www-authenticate"] = headers["www-authenticate"].replace("https://mcp", "http://10.0.0.1")), "challenge", /expected https:\/\/mcp\.example\.com\/\S+, found http:\/\/10/, /deploy/],
  ["no CORS", without("access-control-allow-origin"), "cors", /cannot read the 401: Access-Control-Allow-Origin ""/, /in a browser/],
  ["CORS without the challenge", without("access-control-expose-headers"), "cors", /Access-Control-Expose-Headers ""/, /in a browser/],
  ["a login before the preflight", (req, answer) => req.method === "OPTIONS" && Object.assign(answer, { status: 401, headers: {} }), "preflight", /may not call: status 401; Access-Control-Allow-Origin ""; .*without authorization content-type mcp-protocol-version mcp-session-id; .*without POST$/, /without any login/],
  ["a star for headers", (req, { headers }) => req.method === "OPTIONS" && (headers["access-control-allow-headers"] = "*"), "preflight", /Access-Control-Allow-Headers without authorization/, /preflight/],
  ["a slash that redirects", (req, answer) => req.url === "/mcp/" && Object.assign(answer, { status: 301, headers: { location: "/mcp" } }), "methods", /a trailing slash: expected 401, found 301, a redirect to \/mcp$/, /in front/],
  ["HEAD let through", (req, answer) => req.method === "HEAD" && Object.assign(answer, { status: 200 }), "methods", /HEAD: expected 401, found 200$/, /in front/],
  ["a document of its own", (req, answer) => req.url.includes("well-known") && Object.assign(answer, { body: Buffer.from("{}"), headers: { "access-control-allow-origin": "*" } }), "metadata", /resource: expected "https:\/\/mcp\.example\.com\/mcp", found null/, /deploy/],
  ["a document that moved", (req, answer) => req.url === "/.well-known/oauth-protected-resource" && Object.assign(answer, { status: 301, headers: { location: "/x" } }), "metadata", /oauth-protected-resource answers 301, a redirect to \/x$/, /no redirect/],
];

test("what stands in front of a deployment", async (t) => {
  const s = await staged(t);
  for (const [name, meddle, check, says, todo] of MEDDLERS) {
    await t.test(name, async (t) => {
      const url = await inFront(t, s.worker.port, meddle);
      const found = await doctor(t, s.settings, { url });
      const failed = found.lines.filter(({ level, check: c }) => level === "FAIL" && c === `deployment.${check}`);
      assert.ok(failed.some((line) => says.test(line.says) && todo.test(line.todo)), found.shown);
    });
  }
  await t.test("pages cannot read the document", async (t) => {
    const url = await inFront(t, s.worker.port, (req, { headers }) => req.url.includes("well-known") && delete headers["access-control-allow-origin"]);
    assert.match((await doctor(t, s.settings, { url })).line("FAIL", "deployment.metadata").says, /cannot be read by a page/);
  });
});

test("what a deployment makes of a token", async (t) => {
  const s = await staged(t);
  const other = await s.another({ vars: { ...s.settings, MCP_SERVER_AUTH_AUTHORIZATION_SERVERS: [{ authorization_server_url: s.issuer.url, expected_audiences: ["api://other"] }] } });
  const strict = await doctor(t, s.settings, { url: other.worker.url, token: s.token() });
  assert.match(strict.line("FAIL", "deployment.token").says, /refuses the token: The access token is not for this resource$/);
  assert.match(strict.line("FAIL", "deployment.token").todo, /other settings, or an older key set/);
  const loose = await doctor(t, s.settings, { url: other.worker.url, token: s.token({ aud: "api://other" }) });
  assert.match(loose.line("FAIL", "deployment.token").says, /answers 200 to a token that these settings refuse$/);
});

test("several servers, of which none has its document at the root", async (t) => {
  const one = (origin, name) => ({ canonical_url: `https://mcp.example.com/${name}`, origin_url: `${origin.url}${BASE}/${name}` });
  const vars = (_, origin) => ({ MCP_SERVER_AUTH_CANONICAL_URL: undefined, ORIGIN_URL: undefined, MCP_SERVER_AUTH_RESOURCES: [one(origin, "a"), one(origin, "b")] });
  const s = await staged(t, { vars });
  const found = await s.doctor();
  assert.equal(found.code, 0, found.shown);
  const documents = found.lines.filter(({ check }) => check === "deployment.metadata").map(({ says }) => says.match(/^http:\/\/[^/]+(\S+) /)[1]);
  assert.deepEqual(documents, ["a", "b"].flatMap((name) => [`/.well-known/oauth-protected-resource/${name}`, `/${name}/.well-known/oauth-protected-resource`]));
});
