// Contract section 5, who is calling: the identity headers that the origin gets, and that no client
// can write them.
import assert from "node:assert/strict";
import { test } from "node:test";
import { raw } from "./support/http.mjs";
import { signingKey } from "./support/keys.mjs";
import { mint } from "./support/mint.mjs";
import { stage } from "./support/stage.mjs";

const PREFIX = "x-mcp-auth-";

/** The identity headers of the last request, by the rest of their names. */
function identity(s) {
  return Object.fromEntries(Object.entries(s.origin.last().named(PREFIX)).map(([name, value]) => [name.slice(PREFIX.length), value]));
}

async function identityOf(s, claims, head) {
  const response = await s.call(s.token(claims), head);
  assert.equal(response.status, 200, response.text);
  return identity(s);
}

test("a token's identity reaches the origin, each value once", async (t) => {
  const s = await stage(t);
  const claims = { sub: "user-1", client_id: "client-1", email: "user@example.com", scope: "mcp:read mcp:write" };
  assert.deepEqual(await identityOf(s, claims), {
    "user-id": "user-1",
    issuer: s.issuer.url,
    "client-id": "client-1",
    email: "user@example.com",
    scopes: "mcp:read mcp:write",
  });
  const names = s.origin.last().lines.map(([name]) => name).filter((name) => name.startsWith(PREFIX));
  assert.equal(new Set(names).size, names.length);
});

test("what the token does not say is not there", async (t) => {
  const s = await stage(t);
  assert.deepEqual(await identityOf(s, { sub: "user-1" }), { "user-id": "user-1", issuer: s.issuer.url });
});

// header, claims, value (undefined: the header is not there)
const VALUES = [
  ["user-id", { sub: "auth0|5f7c" }, "auth0|5f7c"],
  ["user-id", { sub: "50% off" }, "50%25%20off"],
  ["user-id", { sub: "Zoë" }, "Zo%C3%AB"],
  ["user-id", { sub: "名前" }, "%E5%90%8D%E5%89%8D"],
  ["user-id", { sub: "🙂" }, "%F0%9F%99%82"],
  ["user-id", { sub: "a\r\nX-MCP-Auth-Email: root@example.com" }, "a%0D%0AX-MCP-Auth-Email:%20root@example.com"],
  ["user-id", { sub: "\u0000\u001f\u007f" }, "%00%1F%7F"],
  ["user-id", { sub: " " }, "%20"],
  ["user-id", { sub: "!\"#$&'()*+,-./:;<=>?@[\\]^_`{|}~" }, "!\"#$&'()*+,-./:;<=>?@[\\]^_`{|}~"],
  ["user-id", { sub: "%41" }, "%2541"],
  ["client-id", { client_id: "c", azp: "a", cid: "i" }, "c"],
  ["client-id", { azp: "a", cid: "i" }, "a"],
  ["client-id", { cid: "i" }, "i"],
  ["client-id", { client_id: "https://client.example.com/é" }, "https://client.example.com/%C3%A9"],
  ["client-id", {}, undefined],
  ["email", { email: "zoë@example.com" }, "zo%C3%AB@example.com"],
  ["email", { email: 7 }, undefined],
  ["email", { email: null }, undefined],
  ["email", { email: ["user@example.com"] }, undefined],
  ["scopes", { scope: "a b c" }, "a b c"],
  ["scopes", { scope: ["a", "b"] }, "a b"],
  ["scopes", { scp: "a b" }, "a b"],
  ["scopes", { scp: ["a", "b"] }, "a b"],
  ["scopes", { scope: "a", scp: "b" }, "a"],
  ["scopes", { scope: "files:read api/v1 50%" }, "files:read api/v1 50%25"],
  ["scopes", { scope: 'good b"ad also\\bad fine' }, "good fine"],
  ["scopes", { scope: "good é fine" }, "good fine"],
  ["scopes", { scope: ["good", "two words", "tab\there", "line\nbreak", "fine"] }, "good fine"],
  ["scopes", { scope: "a\r\nX-Evil:1 fine" }, "fine"],
];

test("values are percent-encoded, and each header has its source", async (t) => {
  const s = await stage(t);
  for (const [header, claims, expected] of VALUES) {
    await t.test(`${header} from ${JSON.stringify(claims)}`, async () => {
      assert.equal((await identityOf(s, claims))[header], expected);
      assert.equal(s.origin.last().header("x-evil"), undefined);
    });
  }
});

test("a scope claim without one scope grants none", async (t) => {
  const s = await stage(t);
  for (const claims of [{ scope: "" }, { scope: [] }, { scope: "é" }, {}]) {
    const scopes = (await identityOf(s, claims)).scopes;
    // Nothing, in one of the two ways to say so.
    assert.ok(scopes === undefined || scopes === "", scopes);
  }
});

const SPOOFS = [
  "X-MCP-Auth-User-Id", "x-mcp-auth-user-id", "X-MCP-AUTH-ISSUER", "X-MCP-Auth-Client-Id", "X-MCP-Auth-Email", "X-MCP-Auth-Scopes", "X-MCP-Auth-Anything",
  "X_MCP_AUTH_User_Id", "x_mcp_auth_user_id", "X-MCP_Auth-Email", "X_MCP-AUTH_Scopes", "x-mcp-auth-", "X-MCP-Auth-User_Id", "X_MCP_Auth_Admin",
];

test("no client can write an identity header, in no spelling", async (t) => {
  const s = await stage(t);
  for (const name of SPOOFS) {
    assert.deepEqual(await identityOf(s, {}, { headers: { [name]: "evil" } }), { "user-id": "user-1", issuer: s.issuer.url }, name);
    assert.ok(!s.origin.last().lines.some(([, value]) => value.includes("evil")), name);
  }
  const all = Object.fromEntries(SPOOFS.map((name, i) => [name, `evil${i}`]));
  assert.deepEqual(await identityOf(s, { email: "user@example.com" }, { headers: all }), {
    "user-id": "user-1", issuer: s.issuer.url, email: "user@example.com",
  });
});

test("a spoofed header in several lines goes too", async (t) => {
  const s = await stage(t);
  const headers = { "X-MCP-Auth-Scopes": ["admin", "root"], "X_MCP_Auth_Scopes": ["admin", "root"] };
  assert.equal((await identityOf(s, { scope: "mcp:read" }, { headers })).scopes, "mcp:read");
});

test("names that only look alike are the client's own", async (t) => {
  const s = await stage(t);
  await s.call(s.token(), { headers: { "X-MCP-Authority": "a", "X-MCP-Author-Id": "b", "MCP-Auth-User-Id": "c", "XX-MCP-Auth-User-Id": "d" } });
  const { header } = s.origin.last();
  assert.deepEqual(["x-mcp-authority", "x-mcp-author-id", "mcp-auth-user-id", "xx-mcp-auth-user-id"].map(header), ["a", "b", "c", "d"]);
});

test("naming an identity header as hop-by-hop does not take it away", async (t) => {
  const s = await stage(t);
  for (const named of ["X-MCP-Auth-User-Id", "close, X-MCP-Auth-User-Id, X-MCP-Auth-Scopes"]) {
    const seen = s.origin.seen.length;
    const head = `POST /mcp HTTP/1.1\r\nHost: mcp.example.com\r\nAuthorization: Bearer ${s.token({ scope: "a" })}\r\nConnection: ${named}\r\nContent-Length: 0\r\n\r\n`;
    const { status } = await raw(s.worker.port, head);
    assert.equal(status, 200);
    assert.equal(s.origin.seen.length, seen + 1);
    assert.deepEqual(identity(s), { "user-id": "user-1", issuer: s.issuer.url, scopes: "a" });
    assert.ok(!/x-mcp-auth/i.test(s.origin.last().header("connection") ?? ""), "nor may the next hop be told to take it away");
  }
});

test("identity headers never come back in the answer", async (t) => {
  const s = await stage(t);
  const response = await s.call(s.token({ email: "user@example.com" }));
  assert.ok(!response.text.includes("user@example.com"));
  assert.equal(response.get("x-mcp-auth-user-id"), undefined);
});

test("two callers, one after the other and side by side, are never mixed up", async (t) => {
  const s = await stage(t, { keys: [signingKey("rsa")] });
  s.origin.on("/upstream/who", async (_, res, record) => res.end(record.header("x-mcp-auth-user-id")));
  const names = Array.from({ length: 40 }, (_, i) => `user-${i}`);
  const tokens = names.map((sub) => mint({ key: signingKey("rsa"), claims: s.claims({ sub }) }));
  const answers = await Promise.all(tokens.map((token) => s.call(token, { path: "/mcp/who" })));
  assert.deepEqual(answers.map((answer) => answer.text), names);
});
