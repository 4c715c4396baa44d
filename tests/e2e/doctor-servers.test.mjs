// `doctor` where there are several servers: each issuer once, and the one that is named.
import assert from "node:assert/strict";
import { test } from "node:test";
import { doctor, offer, run, sound, wranglerToml } from "./support/doctor.mjs";
import { startIssuer } from "./support/issuer.mjs";
import { signingKey } from "./support/keys.mjs";
import { mint } from "./support/mint.mjs";

test("of several servers each issuer is looked at once", async (t) => {
  const { vars, issuer, origin } = await sound(t);
  const other = await startIssuer(t, { keys: [signingKey("rsa", "b")] });
  offer(other, { scopes_supported: ["b"] });
  issuer.serve([signingKey("rsa")], "/machines");
  const at = (name, more) => ({ canonical_url: `https://mcp.example.com/${name}`, origin_url: `${origin.url}/${name}`, ...more });
  const own = { authorization_servers: [{ authorization_server_url: other.url }, ...vars.MCP_SERVER_AUTH_AUTHORIZATION_SERVERS] };
  const machines = { authorization_servers: [{ provider: "github-actions", owner: "acme", jwks_uri: `${issuer.url}/machines` }] };
  const many = {
    MCP_SERVER_AUTH_AUTHORIZATION_SERVERS: vars.MCP_SERVER_AUTH_AUTHORIZATION_SERVERS,
    MCP_SERVER_AUTH_RESOURCES: [at("a"), at("b", { ...own, scopes_supported: "a b" }), at("c", { ...own, scopes_supported: "b c" }), at("d", machines)],
  };
  const found = await doctor(t, many);
  assert.equal(found.code, 0, found.shown);
  for (const server of [issuer, other]) {
    assert.equal(server.hits("/jwks"), 1);
    const lines = (check, text) => found.lines.filter((line) => line.check === check && line.says.includes(text)).length;
    assert.equal(lines("authorization_server.metadata", server.url), 1, found.shown);
    assert.equal(lines("keys", `${server.url}/jwks`), 1, found.shown);
    assert.equal(lines("keys.algorithm", server.url), 1, found.shown);
  }
  assert.equal(found.lines.filter(({ check }) => check === "authorization_server.pkce").length, 2, "machines need none");
  assert.match(found.line("warn", "authorization_server.scopes").says, /does not list: a c$/, "what one of the servers names");
  assert.match(found.line("warn", "authorization_server").says, /^https:\/\/mcp\.example\.com\/d: no entry names a server/);

  const one = await run(["--config", wranglerToml(t, many), "--json", "--resource", "https://mcp.example.com/a"]);
  assert.ok(!one.out.includes(other.url), "what another server's tokens need is not looked at");
});

test("of several servers all are looked at, or the one that is named", async (t) => {
  const { vars, issuer, origin } = await sound(t);
  const urls = ["https://mcp.example.com/a", "https://mcp.example.com/b"];
  const { MCP_SERVER_AUTH_AUTHORIZATION_SERVERS } = vars;
  const many = (...resources) => ({ MCP_SERVER_AUTH_AUTHORIZATION_SERVERS, MCP_SERVER_AUTH_RESOURCES: resources });
  const of = (canonical_url, path = "") => ({ canonical_url, origin_url: `${origin.url}${path}` });
  const two = many(of(urls[0], "/first"), of(urls[1], "/second"));
  const found = await doctor(t, two);
  assert.equal(found.code, 0, found.shown);
  const of_check = (name) => found.lines.filter(({ check }) => check === name).map(({ says }) => says);
  assert.deepEqual(of_check("resource"), urls);
  assert.deepEqual(of_check("origin").map((says) => says.match(/\/(first|second)/)[1]), ["first", "second"]);

  const token = mint({ key: signingKey("rsa"), claims: { iss: issuer.url, aud: urls[1], sub: "user-1", exp: Math.floor(Date.now() / 1000) + 600 } });
  const whose = await doctor(t, two, { token });
  assert.match(whose.line("FAIL", "resource").says, /which server is the token for/);
  assert.match(whose.line("FAIL", "resource").todo, /--resource: https:\/\/mcp\.example\.com\/a, https:\/\/mcp\.example\.com\/b/);
  const file = wranglerToml(t, two);
  const judged = async (url) => (await run(["--config", file, "--json", "--resource", url, "--token", "-"], { input: token })).out;
  const verdict = async (url) => JSON.parse(await judged(url)).lines.find(({ check }) => check === "token.verdict")?.level;
  assert.deepEqual([await verdict(urls[0]), await verdict(urls[1])], ["FAIL", "ok"]);
  assert.match(await judged("https://mcp.example.com/c"), /is no canonical URL of these settings/);

  // One address cannot be that of two hosts.
  const hosts = await doctor(t, many(of(urls[0], "/first"), of("https://other.example.com/b", "/second")), { url: "http://127.0.0.1:9" });
  assert.match(hosts.line("FAIL", "resource").says, /several hosts/);
});
