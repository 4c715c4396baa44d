// MCP_SERVER_AUTH_REQUEST_ID: one name of a request for the client, the MCP server and the log, so
// that whoever is told of a failure finds it in all three.
import assert from "node:assert/strict";
import { test } from "node:test";
import { call, guarded, post } from "./support/policy.mjs";
import { CANONICAL, stage } from "./support/stage.mjs";
import { BASE } from "./support/origin.mjs";

const NAME = "x-mcp-auth-request-id";
const RAY = "9a1b2c3d4e5f6071";
const RANDOM = /^[0-9a-f]{32}$/;
const ON = { MCP_SERVER_AUTH_REQUEST_ID: true };
const PAGE = { origin: "https://app.example.com" };
const EXPOSED = "WWW-Authenticate, Mcp-Session-Id, MCP-Protocol-Version";

test("client, origin and log have the same name of a request", async (t) => {
  for (const value of [true, "true"]) {
    const s = await stage(t, { vars: { MCP_SERVER_AUTH_REQUEST_ID: value } });
    const seen = new Set();
    for (const headers of [{}, PAGE, { "cf-ray": RAY }, { ...PAGE, "cf-ray": RAY }]) {
      const { response, line } = await s.ask(s.token(), { headers });
      const [id] = response.all(NAME);
      assert.deepEqual(response.all(NAME), [id], "once");
      assert.deepEqual([s.origin.last().header(NAME), line.request_id], [id, id]);
      assert.ok(headers["cf-ray"] ? id === RAY : RANDOM.test(id), id);
      seen.add(id);
    }
    assert.equal(seen.size, 3, "two are random, two have the ray");
  }
});

test("it is off unless it is set, and a client names nothing", async (t) => {
  const spellings = ["X-MCP-Auth-Request-Id", "x_mcp_auth_request_id", "X.MCP.Auth.Request.Id"];
  for (const vars of [{}, { MCP_SERVER_AUTH_REQUEST_ID: false }, ON]) {
    const s = await stage(t, { vars });
    for (const spelling of spellings) {
      const { response, line } = await s.ask(s.token(), { headers: { [spelling]: "forged", "cf-ray": RAY } });
      const id = vars === ON ? RAY : undefined;
      assert.deepEqual([s.origin.last().named("x-mcp-auth-request"), line.request_id, response.get(NAME)], [id ? { [NAME]: id } : {}, id, id]);
    }
    assert.ok(!s.origin.last().lines.some(([, value]) => value === "forged"));
  }
});

test("only a ray in its own form is taken", async (t) => {
  const s = await stage(t, { vars: ON });
  for (const ray of ['x","a":"b', "a b", "a".repeat(129), "a\u0085", "a,b", ""]) {
    const { response, line } = await s.ask(s.token(), { headers: { "cf-ray": ray } });
    assert.match(line.request_id, RANDOM, ray);
    assert.equal(response.get(NAME), line.request_id);
  }
});

test("each answer of the Worker's own has it", async (t) => {
  const s = await stage(t, { vars: ON });
  const requests = [
    ["GET", "/healthz"], ["GET", "/other"], ["GET", "/.well-known/oauth-protected-resource"], ["HEAD", "/.well-known/oauth-protected-resource"],
    ["OPTIONS", "/.well-known/oauth-protected-resource"], ["OPTIONS", "/mcp"], ["POST", "/mcp"], ["TRACE", "/mcp"],
  ];
  for (const [method, path] of requests) {
    const { response, line } = await s.worker.logged(() => s.worker.send({ method, path }));
    assert.match(line.request_id, RANDOM);
    assert.deepEqual(response.all(NAME), [line.request_id], `${method} ${path}`);
  }
  const page = await s.worker.logged(() => s.worker.send({ path: "/mcp", headers: { accept: "text/html" } }));
  assert.equal(page.response.get(NAME), page.line.request_id);
  const refused = await s.ask(s.token({ exp: 1 }));
  assert.equal(refused.response.get(NAME), refused.line.request_id);
  const denied = await guarded(t, undefined, { vars: ON });
  const { response, line } = await denied.ask(denied.token({ scope: "mcp" }), post(call("x")));
  assert.deepEqual([response.status, response.get(NAME)], [403, line.request_id]);
});

test("what the origin answers keeps all else", async (t) => {
  const s = await stage(t, { vars: ON });
  const answers = {
    plain: [200, { "content-type": "application/json", "set-cookie": ["a=1", "b=2"], "x-own": "1", "access-control-allow-origin": "https://own.example.com" }, '{"a":1}'],
    named: [200, { [NAME]: "the origin's", "content-type": "text/plain" }, "x"],
    failed: [500, { "content-type": "text/plain" }, "broken"],
    accepted: [202, {}, ""],
    gone: [404, { "content-type": "application/json" }, "{}"],
    forbidden: [403, { "www-authenticate": 'Bearer error="insufficient_scope", scope="a"' }, "{}"],
    moved: [307, { location: "/elsewhere" }, ""],
    events: [200, { "content-type": "text/event-stream" }, "data: 1\n\ndata: 2\n\n"],
  };
  for (const [name, [status, headers, body]] of Object.entries(answers)) {
    s.origin.on(`${BASE}/${name}`, (req, res) => res.writeHead(status, headers).end(body));
    for (const more of [{}, PAGE]) {
      const { response, line } = await s.ask(s.token(), { path: `/mcp/${name}`, headers: more });
      assert.deepEqual([response.status, response.text, response.all(NAME)], [status, body, [line.request_id]], name);
      assert.equal(s.origin.last().header(NAME), line.request_id);
      assert.equal(response.get("content-type"), headers["content-type"]);
      if (name === "plain") {
        assert.deepEqual([response.all("set-cookie"), response.get("x-own")], [["a=1", "b=2"], "1"]);
        assert.equal(response.get("access-control-allow-origin"), more.origin ? "*" : "https://own.example.com");
      }
    }
  }
  await s.origin.close();
  const { response, line } = await s.ask(s.token());
  assert.deepEqual([response.status, line.reason, response.get(NAME)], [502, "origin_unreachable", line.request_id]);
});

test("a page may read it, where it is there", async (t) => {
  for (const [vars, expected] of [[{}, EXPOSED], [ON, `${EXPOSED}, X-MCP-Auth-Request-Id`]]) {
    const s = await stage(t, { vars });
    const answers = [
      await s.call(s.token(), { headers: PAGE }), await s.call(undefined, { headers: PAGE }), await s.call(s.token(), { method: "GET" }),
      await s.call(s.token({ exp: 1 }), { headers: PAGE }), await s.worker.send({ method: "OPTIONS", path: "/mcp", headers: PAGE }),
    ];
    for (const answer of answers) assert.deepEqual(answer.all("access-control-expose-headers"), [expected]);
  }
});

test("several servers behind one Worker have it alike", async (t) => {
  const s = await stage(t, {
    vars: (issuer, origin) => ({
      ...ON, MCP_SERVER_AUTH_CANONICAL_URL: undefined, ORIGIN_URL: undefined,
      MCP_SERVER_AUTH_RESOURCES: ["a", "b"].map((name) => ({ canonical_url: `https://mcp.example.com/${name}`, origin_url: `${origin.url}/${name}` })),
    }),
  });
  for (const name of ["a", "b"]) {
    const { response, line } = await s.ask(s.token({ aud: `https://mcp.example.com/${name}` }), { path: `/${name}` });
    assert.deepEqual([response.status, line.resource], [200, `https://mcp.example.com/${name}`]);
    assert.deepEqual([response.get(NAME), s.origin.last().header(NAME)], [line.request_id, line.request_id]);
  }
});

test("settings with faults name nothing, and say so", async (t) => {
  const s = await stage(t, { vars: { ...ON, MCP_SERVER_AUTH_CACHE_TTL: 1 } });
  const { response, line } = await s.ask(s.token());
  assert.deepEqual([response.status, line.reason, response.get(NAME), line.request_id], [503, "server_misconfigured", undefined, undefined]);
  const odd = await stage(t, { vars: { MCP_SERVER_AUTH_REQUEST_ID: "yes" } });
  assert.equal((await odd.ask(odd.token())).response.status, 503);
  assert.deepEqual(odd.worker.lines("misconfigured")[0].faults, ["MCP_SERVER_AUTH_REQUEST_ID: expected true or false"]);
  assert.equal(CANONICAL, odd.settings.MCP_SERVER_AUTH_CANONICAL_URL);
});
