// `doctor --token`: expected against found, and the very reason that the Worker logs for
// the same token.
import assert from "node:assert/strict";
import { test } from "node:test";
import { doctor, offer, speaks } from "./support/doctor.mjs";
import { signingKey } from "./support/keys.mjs";
import { b64u, seconds, tampered } from "./support/mint.mjs";
import { CANONICAL, entryFor, stage } from "./support/stage.mjs";

const OTHER = "https://other.example.com/mcp";

// A name, the claims or how the token is made, the reason, the check that fails (if one of its own
// does), what its line says.
const TOKENS = [
  ["expired", { exp: seconds() - 3600 }, "token_expired", "times", /exp 3\d\d\d s ago/],
  ["without exp", { exp: undefined }, "exp_missing", "times", /exp none/],
  ["exp in text", { exp: "soon" }, "exp_not_number", "times", /exp soon/],
  ["of tomorrow", { nbf: seconds() + 86_400 }, "token_not_yet_valid", "times", /nbf in 86\d\d\d s/],
  ["issued tomorrow", { iat: seconds() + 86_400 }, "iat_in_future", "times", /iat in 86\d\d\d s/],
  ["of another issuer", { iss: "https://login.example" }, "issuer_untrusted", "issuer", /expected iss http:\S+, found https:\/\/login\.example$/],
  ["of an issuer with a slash", (s) => s.token({ iss: `${s.issuer.url}/` }), "issuer_untrusted", "issuer", /differ in the trailing slash$/],
  ["of no issuer", { iss: undefined }, "issuer_untrusted", "issuer", /found none$/],
  ["for another resource", { aud: OTHER }, "aud_mismatch", "audience", /expected aud https:\/\/mcp\.example\.com\/mcp, found https:\/\/other\.example\.com\/mcp$/],
  ["for two others", { aud: ["a", OTHER] }, "aud_mismatch", "audience", /found \[a, https:\/\/other\.example\.com\/mcp\]$/],
  ["for the same address in other letters", { aud: ["x", "https://MCP.example.com:443/mcp"] }, "aud_mismatch", "audience", /; they differ only in how the URL is written$/],
  ["for another path", { aud: "https://mcp.example.com/MCP" }, "aud_mismatch", "audience", /found https:\/\/mcp\.example\.com\/MCP$/],
  ["for nobody", { aud: undefined }, "aud_missing", "audience", /found none$/],
  ["for a number", { aud: 1 }, "aud_malformed", "audience", /found 1$/],
  ["without sub", { sub: undefined }, "sub_missing", "subject", /expected a sub, found none$/],
  ["with a number for sub", { sub: 1 }, "sub_not_string", "subject", /found 1$/],
  ["bound to a key", { cnf: { jkt: "x" } }, "token_bound", "bound", /found cnf$/],
  ["of a client that is not listed", { client_id: "client-2" }, "client_mismatch", "client", /expected client_id or azp or cid client-1, found client-2$/],
  ["of no client", { client_id: undefined }, "client_missing", "client", /found none$/],
  ["signed with another algorithm", (s) => s.token({}, { key: signingKey("p256"), alg: "ES256" }), "alg_not_allowed", "algorithm", /expected alg RS256, found ES256$/],
  ["signed with a secret", (s) => s.token({}, { key: { kid: "rsa-a", secret: "s" }, alg: "HS256" }), "alg_not_allowed", "algorithm", /found one that is not known here$/],
  ["of an unknown key", (s) => s.token({}, { key: signingKey("rsa", "b") }), "kid_unknown", "key", /expected kid rsa-a, found rsa-b$/],
  ["of another key of that name", (s) => s.token({}, { key: { ...signingKey("rsa", "b"), kid: "rsa-a" } }), "signature_invalid", "signature", /is not that key's$/],
  ["changed", (s) => tampered(s.token()), "signature_invalid", "signature", /is not that key's$/],
  ["of another type", (s) => s.token({}, { header: { typ: "dpop+jwt" } }), "typ_not_allowed"],
  ["opaque", () => "oat_0123456789abcdef", "token_parts"],
  ["encrypted", () => "eyJ.a.b.c.d", "token_parts"],
  ["of no JSON", () => `${b64u("x")}.${b64u("y")}.${b64u("z")}`, "token_json"],
  ["with crit", (s) => s.token({}, { header: { crit: ["x"], x: 1 } }), "crit_present"],
];

test("each refusal: the line, and the Worker's own reason", async (t) => {
  const s = await stage(t, { entries: (issuer) => [{ authorization_server_url: issuer.url, expected_clients: ["client-1"] }] });
  offer(s.issuer);
  for (const [name, make, reason, check, says] of TOKENS) {
    await t.test(name, async (t) => {
      const token = typeof make === "function" ? make(s) : s.token({ client_id: "client-1", ...make });
      const { line } = await s.ask(token);
      assert.equal(line.reason, reason, "the Worker");
      const found = await doctor(t, s.settings, { token });
      const verdict = found.line("FAIL", "token.verdict");
      assert.equal(verdict.says, `the Worker refuses it and logs \`${reason}\``, found.shown);
      if (check) assert.match(found.line("FAIL", `token.${check}`).says, says);
      const advised = check === "issuer" ? found.line("FAIL", "token.issuer") : verdict;
      assert.ok(advised.todo.length > 20, "what to do");
    });
  }
});

test("everything that is wrong is told, not only the first of it", async (t) => {
  const s = await stage(t, { entries: (issuer) => [entryFor(issuer, { expected_clients: ["client-1"] })] });
  const found = await doctor(t, s.settings, { token: s.token({ exp: 1, nbf: seconds() + 999, aud: OTHER, client_id: "x", sub: "" }) });
  const failed = found.failed().filter((check) => check.startsWith("token"));
  assert.deepEqual(failed, ["token.times", "token.audience", "token.client", "token.subject", "token.verdict"], found.shown);
  assert.match(found.line("FAIL", "token.verdict").says, /token_expired/);
  assert.match(found.line("ok", "token.signature").says, /that key's$/);
});

test("Keycloak without an audience mapper: the fix is named", async (t) => {
  const path = "/realms/main";
  const s = await stage(t, { entries: (issuer) => [{ provider: "keycloak", issuer: `${issuer.url}${path}` }] });
  offer(s.issuer, {}, path);
  const iss = `${s.issuer.url}${path}`;
  for (const [aud, reason, found] of [[undefined, "aud_missing", "none"], ["account", "aud_mismatch", "account"]]) {
    const seen = await doctor(t, s.settings, { token: s.token({ iss, aud, azp: "client-1" }) });
    const line = seen.line("FAIL", "token.audience");
    assert.equal(line.says, `expected aud ${CANONICAL}, found ${found}`);
    assert.match(line.todo, /add an audience mapper \(client scope, Mappers, Audience\)/);
    assert.ok(line.todo.includes(`custom audience is ${CANONICAL},`) && line.todo.endsWith("get a new token"), line.todo);
    assert.match(seen.line("FAIL", "token.verdict").says, new RegExp(reason));
    assert.match(seen.line("warn", "settings").says, /Keycloak puts no `aud`/);
  }
  const subless = await doctor(t, s.settings, { token: s.token({ iss, sub: undefined }) });
  assert.match(subless.line("FAIL", "token.subject").todo, /client scope `basic`/);
  assert.equal((await doctor(t, s.settings, { token: s.token({ iss, aud: [CANONICAL, "account"] }) })).code, 0);
});

test("what a provider's tokens have to say", async (t) => {
  const cognito = { provider: "cognito", region: "eu-central-1", pool: "eu-central-1_Ab12", expected_clients: ["app-1"] };
  const s = await stage(t, { entries: (issuer) => [{ ...cognito, jwks_uri: `${issuer.url}/jwks`, authorization_server_url: issuer.url }] });
  offer(s.issuer);
  const iss = "https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_Ab12";
  const access = (over) => s.token({ iss, aud: undefined, client_id: "app-1", token_use: "access", ...over });
  const good = await doctor(t, s.settings, { token: access() });
  assert.equal(good.code, 0, good.shown);
  assert.match(good.line("ok", "token.audience").says, /or none, found none$/);
  assert.match(good.line("warn", "authorization_server.issuer").says, /tokens are expected to say iss https:\/\/cognito-idp/);
  const id = await doctor(t, s.settings, { token: access({ token_use: "id" }) });
  assert.match(id.line("FAIL", "token.claims").says, /expected token_use access, found id$/);
  assert.match(id.line("FAIL", "token.verdict").says, /claim_mismatch/);
  const both = await doctor(t, s.settings, { token: access({ token_use: "id", sub: "" }) });
  assert.deepEqual(both.failed(), ["token.claims", "token.subject", "token.verdict"], both.shown);
});

test("a type that is demanded, and of two entries the one that accepts", async (t) => {
  const clerk = (issuer) => ({ provider: "clerk", domain: "clerk.acme.example", jwks_uri: `${issuer.url}/jwks` });
  const s = await stage(t, { entries: (issuer) => [clerk(issuer)] });
  const token = s.token({ iss: "https://clerk.acme.example" }, { header: { typ: "JWT" } });
  const found = await doctor(t, s.settings, { token });
  assert.match(found.line("FAIL", "token.type").says, /expected typ at\+jwt, found another$/);
  const regional = await stage(t, { entries: (issuer) => [entryFor(issuer, { expected_audiences: ["api://one"] }), entryFor(issuer, { expected_audiences: ["api://two"] })] });
  const second = await doctor(t, regional.settings, { token: regional.token({ aud: "api://two" }) });
  assert.match(second.line("ok", "token.audience").says, /expected aud api:\/\/two, found api:\/\/two$/);
  assert.match(second.line("ok", "token.verdict").says, /^accepted/);
});

test("scopes: asked for in the challenge, demanded by the policy", async (t) => {
  const vars = { MCP_SERVER_AUTH_DEFAULT_CHALLENGE_SCOPES: "mcp:use mcp:more", MCP_SERVER_AUTH_POLICY: { required_scopes: ["mcp:use"] } };
  const s = await stage(t, { vars });
  const lacking = await doctor(t, s.settings, { token: s.token({ scope: "openid" }) });
  assert.match(lacking.line("warn", "token.scopes").says, /expected scopes mcp:use mcp:more, found openid$/);
  assert.match(lacking.line("FAIL", "token.scopes").says, /the policy demands mcp:use of every request, found openid$/);
  const enough = await doctor(t, s.settings, { token: s.token({ scope: "mcp:more mcp:use" }) });
  assert.match(enough.line("ok", "token.scopes").says, /found scopes: mcp:more mcp:use$/);
});

test("a token that is bound to a certificate is good for who has that certificate, and only that is left open", async (t) => {
  const s = await stage(t, { entry: { mtls: "require" } });
  const x5t = Buffer.alloc(32, 7).toString("base64url");
  const bound = await doctor(t, s.settings, { token: s.token({ cnf: { "x5t#S256": x5t } }) });
  assert.equal(bound.line("ok", "token.bound").says, "expected a cnf with the client's certificate, found cnf");
  assert.match(bound.line("warn", "token.verdict").says, /^accepted, if the client shows that certificate$/);
  assert.ok(!bound.failed().some((check) => check.startsWith("token")), bound.shown);
  for (const [claims, reason, found] of [[{}, "certificate_unbound", /found none$/], [{ cnf: { "x5t#S256": x5t, kid: 1 } }, "token_bound", /found cnf$/], [{ cnf: "x" }, "token_bound", /found cnf$/], [{ cnf: {} }, "token_bound", /found cnf$/]]) {
    const plain = await doctor(t, s.settings, { token: s.token(claims) });
    assert.match(plain.line("FAIL", "token.bound").says, found);
    assert.ok(plain.line("FAIL", "token.bound").todo.length > 20);
    assert.match(plain.line("FAIL", "token.verdict").says, new RegExp(reason));
  }
  const late = await doctor(t, s.settings, { token: s.token({ exp: 1, cnf: { "x5t#S256": x5t } }) });
  assert.match(late.line("FAIL", "token.verdict").says, /token_expired/);
});

test("a header that jwt-simple cannot read is left to the Worker", async (t) => {
  const s = await stage(t, {});
  speaks(s.origin);
  const token = s.token({}, { header: { jwk: { kty: "RSA" } } });
  const found = await doctor(t, s.settings, { token, url: s.worker.url });
  assert.match(found.line("warn", "token.signature").says, /the signature was not looked at/);
  assert.match(found.line("ok", "deployment.token").says, /accepts the token/);
  assert.ok(!found.failed().some((check) => check.startsWith("token")), found.shown);
});
