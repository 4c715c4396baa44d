// Issuers that are no URL, and entries that no client is sent to.
import assert from "node:assert/strict";
import { test } from "node:test";
import { doctor, offer, OWN } from "./support/doctor.mjs";
import { reply, startIssuer } from "./support/issuer.mjs";
import { signingKey } from "./support/keys.mjs";
import { mint } from "./support/mint.mjs";
import { startOrigin } from "./support/origin.mjs";
import { assertInvalid, assertUnauthorized, entryFor, stage, UNTRUSTED } from "./support/stage.mjs";

const ADFS = "http://adfs.example.com/adfs/services/trust";
const DOCUMENT = { path: "/.well-known/oauth-protected-resource/mcp" };

const machine = (issuer, name) => ({ issuer: name, jwks_uri: `${issuer.url}/jwks`, for_clients: false });

for (const name of [ADFS, "kubernetes/serviceaccount", "acme.com", "名前"]) {
  test(`tokens of an issuer that is called ${name}`, async (t) => {
    const s = await stage(t, { entries: (issuer) => [machine(issuer, name), entryFor(issuer)] });
    const { response, line } = await s.ask(s.token({ iss: name }));
    assert.equal(response.status, 200, response.text);
    assert.deepEqual([line.reason, line.issuer], ["ok", name]);
    const header = s.origin.last().header("x-mcp-auth-issuer");
    assert.equal(name === "名前" ? decodeURIComponent(header) : header, name);
    // Nothing is looked for at the name, and it is compared byte for byte.
    assert.deepEqual(s.issuer.log.map(({ path }) => path), ["/jwks"]);
    for (const other of [`${name}/`, name.slice(1), ` ${name}`]) assertInvalid(await s.call(s.token({ iss: other })), UNTRUSTED);
    assert.equal(s.origin.seen.length, 1);
    // Clients are sent to the other entry only.
    assert.deepEqual((await s.worker.send(DOCUMENT)).json().authorization_servers, [s.issuer.url]);
  });
}

test("where clients log in may have tokens with another name", async (t) => {
  const s = await stage(t, { entry: { issuer: ADFS } });
  assert.equal((await s.call(s.token({ iss: ADFS }))).status, 200);
  assertInvalid(await s.call(s.token()), UNTRUSTED);
  assert.deepEqual((await s.worker.send(DOCUMENT)).json().authorization_servers, [s.issuer.url]);
});

test("the single-issuer form takes names, too", async (t) => {
  const s = await stage(t, {
    entries: () => undefined,
    vars: (issuer) => ({
      MCP_SERVER_AUTH_JWKS_URI: `${issuer.url}/jwks`,
      MCP_SERVER_AUTH_ISSUER: ["acme.com", "urn:example:issuer"],
      MCP_SERVER_AUTH_AUDIENCE: "https://mcp.example.com/mcp",
    }),
  });
  for (const iss of ["acme.com", "urn:example:issuer"]) assert.equal((await s.call(s.token({ iss }))).status, 200);
  assertInvalid(await s.call(s.token({ iss: "acme" })), UNTRUSTED, { metadata: null });
});

test("without an entry for clients there is no document, and no challenge names one", async (t) => {
  const s = await stage(t, { entries: (issuer) => [machine(issuer, "acme.com")] });
  assert.equal((await s.worker.send(DOCUMENT)).status, 404);
  assertUnauthorized(await s.call(), { metadata: null });
  assert.equal((await s.call(s.token({ iss: "acme.com" }))).status, 200);
});

test("a machine's issuer whose metadata has what verification needs and no more", async (t) => {
  const issuer = await startIssuer(t, { keys: [signingKey("rsa")] });
  const clients = await startIssuer(t, { keys: [signingKey("rsa", "b")] });
  const origin = await startOrigin(t);
  offer(clients);
  issuer.on("/.well-known/openid-configuration", reply.json(issuer.metadata()));
  const entries = [{ issuer: issuer.url, for_clients: false }, { authorization_server_url: clients.url }];
  const vars = { ...OWN, MCP_SERVER_AUTH_AUTHORIZATION_SERVERS: entries, ORIGIN_URL: `${origin.url}/mcp` };
  const claims = { iss: issuer.url, aud: OWN.MCP_SERVER_AUTH_CANONICAL_URL, sub: "machine", scope: "mcp:use", exp: Math.floor(Date.now() / 1000) + 600 };
  const found = await doctor(t, vars, { token: mint({ key: signingKey("rsa"), claims }) });
  assert.equal(found.code, 0, found.shown);
  assert.deepEqual([found.failed(), found.warned()], [[], []], found.shown);
  const pkce = found.lines.filter(({ check }) => check === "authorization_server.pkce");
  assert.equal(pkce.length, 1, "of where clients log in only");
  assert.equal(found.line("ok", "token.verdict").level, "ok");
});
