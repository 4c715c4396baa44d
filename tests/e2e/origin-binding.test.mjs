// Ways to reach the origin: a binding, static headers, and the client's token where the settings
// say twice that it is to be passed on.
import assert from "node:assert/strict";
import { test } from "node:test";
import { ASSERTION, asserting, carried } from "./support/assertion.mjs";
import { mint } from "./support/mint.mjs";
import { signingKey } from "./support/keys.mjs";
import { BASE } from "./support/origin.mjs";
import { assertOwn, stage } from "./support/stage.mjs";

const FORWARD = { ORIGIN_AUTHORIZATION: "forward", allow_token_passthrough: true };
const binding = { services: (origin) => ({ ORIGIN: `127.0.0.1:${origin.port}` }) };
const NOWHERE = { ORIGIN_URL: `http://origin.internal.example${BASE}` };

test("a binding named ORIGIN reaches the origin, and ORIGIN_URL says what is asked for", async (t) => {
  const s = await stage(t, { ...binding, vars: NOWHERE });
  const response = await s.call(s.token(), { path: "/mcp/x?y=1", body: "{}" });
  assert.deepEqual(response.json(), { method: "POST", url: `${BASE}/x?y=1`, body: "{}" });
  const seen = s.origin.last();
  assert.equal(seen.header("host"), "origin.internal.example");
  assert.equal(seen.header("x-mcp-auth-user-id"), "user-1");
  assert.equal(seen.header("authorization"), undefined);
});

test("without the binding, that host is nowhere", async (t) => {
  const s = await stage(t, { vars: NOWHERE });
  const { response, line } = await s.ask(s.token());
  assertOwn(response, 502, { error: "bad_gateway" });
  assert.equal(line.reason, "origin_unreachable");
});

test("an origin behind a binding that cannot be reached is a 502", async (t) => {
  const s = await stage(t, { ...binding, vars: NOWHERE });
  await s.origin.close();
  const { response, line } = await s.ask(s.token());
  assertOwn(response, 502, { error: "bad_gateway" });
  assert.equal(line.reason, "origin_unreachable");
});

test("a binding carries assertions, too", async (t) => {
  const s = await stage(t, { ...binding, vars: { ...NOWHERE, ...asserting("bearer") } });
  assert.equal((await s.call(s.token())).status, 200);
  assert.equal(carried(s).split(".").length, 3);
});

test("a variable named ORIGIN is no binding", async (t) => {
  for (const ORIGIN of ["https://origin.example.com/mcp", { fetch: "text" }]) {
    const s = await stage(t, { vars: { ORIGIN } });
    assertOwn(await s.worker.send({ path: "/healthz" }), 503, { error: "server_misconfigured" });
    assert.match(s.worker.lines("misconfigured")[0].faults.join(), /^ORIGIN: /);
  }
});

const HEADERS = { "CF-Access-Client-Id": "id.access", "CF-Access-Client-Secret": "s3cret-of-access", "X-Shared": "a b" };

for (const [form, value] of [["an object", HEADERS], ["text", JSON.stringify(HEADERS)]]) {
  test(`static headers as ${form} are set, whatever the client sent in their place`, async (t) => {
    const s = await stage(t, { vars: { ORIGIN_HEADERS: value } });
    const spoofs = { "cf-access-client-id": "evil", CF_Access_Client_Secret: "evil", "x_shared": ["evil", "evil"], "CF-ACCESS_Client-Secret": "evil" };
    assert.equal((await s.call(s.token(), { headers: spoofs })).status, 200);
    const { lines } = s.origin.last();
    for (const [name, expected] of Object.entries(HEADERS)) {
      const found = lines.filter(([key]) => key.replaceAll("_", "-") === name.toLowerCase());
      assert.deepEqual(found, [[name.toLowerCase(), expected]]);
    }
    assert.ok(!lines.some(([, text]) => text.includes("evil")));
    assert.ok(!s.worker.output().includes("s3cret-of-access"), "never in the log");
  });
}

test("an Authorization of the operator's own takes the place of the client's", async (t) => {
  const s = await stage(t, { vars: { ORIGIN_HEADERS: { Authorization: "Basic b3A6czNjcmV0" } } });
  await s.call(s.token());
  assert.equal(s.origin.last().header("authorization"), "Basic b3A6czNjcmV0");
});

test("forward passes the client's token on, as it came", async (t) => {
  const s = await stage(t, { vars: FORWARD });
  const token = s.token();
  await s.call(token);
  assert.equal(s.origin.last().header("authorization"), `Bearer ${token}`);
  assert.equal(s.origin.last().header("x-mcp-auth-user-id"), "user-1");
});

test("forward needs to be said twice", async (t) => {
  for (const vars of [{ ORIGIN_AUTHORIZATION: "forward" }, { ...FORWARD, allow_token_passthrough: "false" }]) {
    const s = await stage(t, { vars });
    assertOwn(await s.call(s.token()), 503, { error: "server_misconfigured" });
    assert.match(s.worker.lines("misconfigured")[0].faults.join(), /^ORIGIN_AUTHORIZATION: .*MUST NOT pass through the token/);
    assert.equal(s.origin.seen.length, 0);
  }
});

test("a token that is refused is not forwarded in any mode", async (t) => {
  const s = await stage(t, { vars: FORWARD });
  assert.equal((await s.call(s.token({ aud: "https://other.example.com" }))).status, 401);
  assert.equal(s.origin.seen.length, 0);
});

// In every mode but forward, the client's token is nowhere in what the origin got. Its parts are
// looked for, too: no one of them may be there.
const MODES = {
  plain: {},
  header: asserting("header"),
  bearer: asserting("bearer"),
  claims: asserting("header", { MCP_SERVER_AUTH_ASSERTION_CLAIMS: ["email", "groups"] }),
  headers: { ORIGIN_HEADERS: HEADERS },
  sessions: { MCP_SERVER_AUTH_SESSION_KEY: "k".repeat(32) },
  removed: { ORIGIN_AUTHORIZATION: "remove", allow_token_passthrough: true },
};

for (const [mode, vars] of Object.entries(MODES)) {
  test(`the client's token is nowhere in what the origin received: ${mode}`, async (t) => {
    const s = await stage(t, { vars });
    const token = mint({ key: signingKey("rsa"), claims: s.claims({ email: "user@example.com", groups: ["a"] }) });
    for (const method of ["POST", "GET", "DELETE"]) {
      for (const scheme of ["Bearer", "bearer", "BEARER "]) {
        const body = method === "POST" ? '{"jsonrpc":"2.0","id":1,"method":"ping"}' : undefined;
        const { status } = await s.call(undefined, { method, path: "/mcp/a?b=c", body, headers: { authorization: `${scheme} ${token}`, "x-other": "kept" } });
        assert.equal(status, 200);
        const seen = s.origin.last();
        assert.equal(seen.header("x-other"), "kept");
        const all = [seen.url, seen.method, ...seen.lines.flat(), (await seen.body).toString()].join("\n");
        for (const part of [token, ...token.split(".")]) assert.ok(!all.includes(part), `${method} ${scheme}: ${part}`);
      }
    }
    assert.equal(s.origin.last().header(ASSERTION) !== undefined, ["header", "claims"].includes(mode));
  });
}

// mode, what the log says that the origin was shown
const CREDENTIALS = [
  ["nothing", {}, "none"],
  ["an assertion", asserting("header"), "assertion"],
  ["a bearer assertion", asserting("bearer"), "assertion"],
  ["headers", { ORIGIN_HEADERS: HEADERS }, "headers"],
  ["both", { ...asserting("bearer"), ORIGIN_HEADERS: HEADERS }, "assertion headers"],
  ["the client's token", FORWARD, "forward"],
];

test("an origin's 401 is a 502, and the log says what the origin did not take", async (t) => {
  for (const [name, vars, shown] of CREDENTIALS) {
    const s = await stage(t, { vars });
    s.origin.on(BASE, (_, res) => res.writeHead(401, { "www-authenticate": "Bearer" }).end());
    const { response, line } = await s.ask(s.token());
    assertOwn(response, 502, { error: "bad_gateway" });
    assert.deepEqual([line.outcome, line.reason, line.credential], ["refused", "origin_unauthorized", shown], name);
    s.origin.on(BASE, (_, res) => res.writeHead(200).end());
    assert.equal((await s.ask(s.token())).line.credential, undefined);
  }
});
