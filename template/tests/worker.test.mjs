// The Worker with the settings of wrangler.jsonc, between an authorization server and an MCP server
// that this test has itself. Add what your policy is to permit and to refuse.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { startAround } from "./around.mjs";

let around;
before(async () => (around = await startAround()));
after(() => around?.stop());

/** A call of a tool, as a client makes it. */
const call = (token, name = "greet") =>
  around.send({ jsonrpc: "2.0", id: 1, method: "tools/call", params: { name, arguments: {} } }, token);

test("without a token, a client is told where to log in", async () => {
  const answer = await call();
  assert.equal(answer.status, 401);
  assert.match(answer.headers.get("www-authenticate"), /^Bearer .*resource_metadata="[^"]+"/);
});

test("a good token gets through, and the server is told who calls, without the token", async () => {
  const answer = await call(around.token({ sub: "ada" }));
  assert.equal(answer.status, 200, await answer.text());
  const seen = around.requests.at(-1);
  assert.equal(seen.headers["x-mcp-auth-user-id"], "ada");
  assert.equal(seen.headers.authorization, undefined);
});

test("tokens of somebody else, for somebody else and of yesterday do not", async () => {
  const before = around.requests.length;
  const now = Math.floor(Date.now() / 1000);
  for (const claims of [{ iss: "https://other.example.com" }, { aud: "https://other.example.com/mcp" }, { exp: now - 86_400 }]) {
    const answer = await call(around.token(claims));
    assert.equal(answer.status, 401, JSON.stringify(claims));
    assert.match(answer.headers.get("www-authenticate"), /error="invalid_token"/);
  }
  assert.equal(around.requests.length, before, "the server has seen none of them");
});
