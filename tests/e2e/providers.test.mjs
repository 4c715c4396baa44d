// `provider` in an entry, from outside: the provider's own issuers and claims, only the key set
// stands on this machine.
import assert from "node:assert/strict";
import { test } from "node:test";
import { signingKey } from "./support/keys.mjs";
import { mint, seconds } from "./support/mint.mjs";
import { assertInvalid, CANONICAL, INVALID, NOT_FOR_US, stage, UNTRUSTED } from "./support/stage.mjs";
import { until } from "./support/until.mjs";

const TENANT = "11112222-3333-4444-5555-666677778888";

/** The Worker with one such entry; `s.of(claims, header)` is a token of that provider's making. */
async function provided(t, entry) {
  const key = signingKey("rsa");
  const s = await stage(t, { entries: (issuer) => [{ jwks_uri: `${issuer.url}/jwks`, ...entry }], keys: [key] });
  s.of = (claims, header = {}) => mint({ key, header, claims: { sub: "user-1", exp: seconds() + 600, iat: seconds() - 10, ...claims } });
  s.document = async () => (await s.worker.send({ path: "/.well-known/oauth-protected-resource" })).json();
  s.identity = () => {
    const { header } = s.origin.last();
    return ["user-id", "issuer", "client-id", "scopes"].map((name) => header(`x-mcp-auth-${name}`));
  };
  return s;
}

async function assertForwarded(s, token, identity) {
  const { response, line } = await s.ask(token);
  assert.equal(response.status, 200, `${line.reason}: ${response.text}`);
  assert.deepEqual(s.identity(), identity);
}

async function assertRefused(s, token, reason, description, challenge) {
  const seen = s.origin.seen.length;
  const { response, line } = await s.ask(token);
  assert.equal(line.reason, reason);
  assertInvalid(response, description, challenge);
  assert.equal(s.origin.seen.length, seen, "nothing is forwarded");
}

test("Cognito: no aud, but token_use and a listed client", async (t) => {
  const s = await provided(t, { provider: "cognito", region: "eu-central-1", pool: "eu-central-1_Ab12", expected_clients: ["app-1", "app-2"] });
  const iss = "https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_Ab12";
  const access = { iss, client_id: "app-2", token_use: "access", scope: "mcp/read mcp/write" };
  await assertForwarded(s, s.of(access), ["user-1", iss, "app-2", "mcp/read mcp/write"]);
  await assertForwarded(s, s.of({ ...access, aud: CANONICAL }), ["user-1", iss, "app-2", "mcp/read mcp/write"]);
  await assertRefused(s, s.of({ ...access, client_id: "app-3" }), "client_mismatch", NOT_FOR_US);
  await assertRefused(s, s.of({ ...access, client_id: undefined }), "client_missing", NOT_FOR_US);
  await assertRefused(s, s.of({ ...access, client_id: undefined, azp: "app-1" }), "client_missing", NOT_FOR_US);
  await assertRefused(s, s.of({ ...access, aud: "https://other.example.com/mcp" }), "aud_mismatch", NOT_FOR_US);
  await assertRefused(s, s.of({ iss, aud: "app-1", token_use: "id" }), "aud_mismatch", NOT_FOR_US);
  await assertRefused(s, s.of({ ...access, token_use: "id" }), "claim_mismatch", INVALID);
  await assertRefused(s, s.of({ ...access, token_use: undefined }), "claim_mismatch", INVALID);
  assert.deepEqual((await s.document()).authorization_servers, [iss]);
});

test("Entra ID: v1 and v2 tokens, one authorization server in the document", async (t) => {
  const s = await provided(t, { provider: "entra-id", tenant: TENANT, expected_audiences: ["app-1", "api://app-1"] });
  const v1 = `https://sts.windows.net/${TENANT}/`;
  const v2 = `https://login.microsoftonline.com/${TENANT}/v2.0`;
  await assertForwarded(s, s.of({ iss: v2, aud: "app-1", azp: "client-2", scp: "Tools.Read" }), ["user-1", v2, "client-2", "Tools.Read"]);
  await assertForwarded(s, s.of({ iss: v1, aud: "api://app-1", appid: "client-1", scp: "Tools.Read Tools.Write" }), ["user-1", v1, "client-1", "Tools.Read Tools.Write"]);
  await assertForwarded(s, s.of({ iss: v2, aud: "app-1", azp: "daemon", roles: ["Tools.All"] }), ["user-1", v2, "daemon", "Tools.All"]);
  await assertRefused(s, s.of({ iss: v2, aud: "app-1", azp: "daemon" }), "claim_mismatch", INVALID);
  await assertRefused(s, s.of({ iss: v1.slice(0, -1), aud: "app-1", scp: "Tools.Read" }), "issuer_untrusted", UNTRUSTED);
  await assertRefused(s, s.of({ iss: v2.replace("1111", "9999"), aud: "app-1", scp: "Tools.Read" }), "issuer_untrusted", UNTRUSTED);
  assert.deepEqual((await s.document()).authorization_servers, [v2]);
  assert.equal(s.issuer.hits("/jwks"), 1, "both issuers have one key set");
});

test("Okta: scp in an array, the client in cid", async (t) => {
  const s = await provided(t, { provider: "okta", domain: "acme.okta.com", server: "aus1" });
  const iss = "https://acme.okta.com/oauth2/aus1";
  await assertForwarded(s, s.of({ iss, aud: CANONICAL, cid: "0oa1", scp: ["openid", "tools:read"] }), ["user-1", iss, "0oa1", "openid tools:read"]);
  await assertRefused(s, s.of({ iss, aud: "api://default", cid: "0oa1" }), "aud_mismatch", NOT_FOR_US);
  await assertRefused(s, s.of({ iss: "https://acme.okta.com", aud: CANONICAL, cid: "0oa1" }), "issuer_untrusted", UNTRUSTED);
});

test("Auth0: the slash of its issuer is kept, in tokens and in the document", async (t) => {
  const s = await provided(t, { provider: "auth0", domain: "acme.eu.auth0.com" });
  const iss = "https://acme.eu.auth0.com/";
  await assertForwarded(s, s.of({ iss, aud: [CANONICAL, `${iss}userinfo`], azp: "c", scope: "openid" }), ["user-1", iss, "c", "openid"]);
  await assertRefused(s, s.of({ iss: iss.slice(0, -1), aud: CANONICAL }), "issuer_untrusted", UNTRUSTED);
  assert.deepEqual((await s.document()).authorization_servers, [iss]);
});

test("Clerk: a session token is signed with the same key and stays outside", async (t) => {
  const s = await provided(t, { provider: "clerk", domain: "clerk.acme.example" });
  const access = { iss: "https://clerk.acme.example", aud: CANONICAL, client_id: "c", scope: "profile" };
  await assertForwarded(s, s.of(access, { typ: "at+jwt", cat: "cl_1" }), ["user-1", access.iss, "c", "profile"]);
  await assertRefused(s, s.of(access, { typ: "JWT" }), "typ_not_allowed", INVALID);
  await assertRefused(s, s.of(access), "typ_not_allowed", INVALID);
});

test("Zitadel: roles are the names in an object", async (t) => {
  const s = await provided(t, { provider: "zitadel", domain: "acme-1.zitadel.cloud", expected_audiences: ["2001"] });
  const iss = "https://acme-1.zitadel.cloud";
  const roles = { "urn:zitadel:iam:org:project:roles": { reader: { 1: "acme.example" }, writer: { 1: "acme.example" } } };
  await assertForwarded(s, s.of({ iss, aud: ["3001", "2001"], client_id: "3001", ...roles }), ["user-1", iss, "3001", "reader writer"]);
  await assertRefused(s, s.of({ iss, aud: ["3001"], client_id: "3001", ...roles }), "aud_mismatch", NOT_FOR_US);
});

test("GitHub Actions: anybody's workflow can ask for our audience, only the owner's get in; no client is sent there", async (t) => {
  const s = await provided(t, { provider: "github-actions", owner: "acme", expected_clients: ["acme/tools"] });
  const job = { iss: "https://token.actions.githubusercontent.com", aud: CANONICAL, sub: "repo:acme/tools:ref:refs/heads/main", repository: "acme/tools", repository_owner: "acme" };
  await assertForwarded(s, s.of(job, { typ: "JWT" }), [job.sub, job.iss, "acme/tools", undefined]);
  await assertRefused(s, s.of({ ...job, repository_owner: "evil", repository: "acme/tools" }), "claim_mismatch", INVALID, { metadata: null });
  await assertRefused(s, s.of({ ...job, repository: "acme/site" }), "client_mismatch", NOT_FOR_US, { metadata: null });
  assert.equal((await s.worker.send({ path: "/.well-known/oauth-protected-resource" })).status, 404);
});

test("what a provider needs and does not get is named in the log, and nothing is served", async (t) => {
  const rows = [
    [{ provider: "cognito", region: "eu-central-1", pool: "eu-central-1_Ab12" }, "[0].expected_clients"],
    [{ provider: "google" }, "[0].expected_audiences"],
    [{ provider: "keycloak", domain: "id.acme.example" }, "[0].realm"],
    [{ provider: "keycloak", domain: "https://id.acme.example", realm: "main" }, "[0].domain"],
    [{ provider: "entra-id", tenant: "common", expected_audiences: ["a"] }, "[0].tenant"],
    [{ provider: "keycloack", domain: "id.acme.example" }, "[0].provider"],
  ];
  for (const [entry, place] of rows) {
    const s = await provided(t, entry);
    assert.equal((await s.call()).status, 503, place);
    const { faults } = await until("the line with the faults", () => s.worker.lines("misconfigured")[0]);
    assert.equal(faults.length, 1, faults.join("\n"));
    assert.ok(faults[0].startsWith(`MCP_SERVER_AUTH_AUTHORIZATION_SERVERS${place}: expected `), faults[0]);
    await s.worker.stop();
  }
});
