// glewlwyd 2.7, by Debian packages: on a database of its own, set up over its administration API
// as docs/providers.md says.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { orMissing } from "../e2e/support/packages.mjs";
import { freePort, startServer } from "../origins/support/origin.mjs";
import { unpacked } from "./support/debian.mjs";
import { tried } from "./support/tried.mjs";

const have = await orMissing("glewlwyd", () => unpacked("glewlwyd", "2.7"));
const ADMIN = { username: "admin", password: "password" }; // whom the package's own database has
const ALICE = { username: "alice", password: "correct horse" };
const SCOPE = "mcp";

tried("glewlwyd", {
  skip: have.missing,
  async start(t, resource) {
    const { root, env } = have;
    const folder = mkdtempSync(join(tmpdir(), "mcp-edge-auth-glewlwyd-"));
    t.after(() => rmSync(folder, { recursive: true, force: true }));
    const port = await freePort();
    const base = `http://127.0.0.1:${port}`;
    const [config, database] = ["glewlwyd.conf", "glewlwyd.db"].map((name) => join(folder, name));
    const tables = readFileSync(join(root, "usr/share/dbconfig-common/data/glewlwyd/install/sqlite3"));
    execFileSync("sqlite3", [database], { env, input: tables });
    writeFileSync(config, configuration({ port, base, modules: join(root, "usr/lib/glewlwyd"), database }));
    const { output } = await startServer(t, { command: join(root, "usr/bin/glewlwyd"), file: `--config-file=${config}`, port, env });
    const client = { id: "mcp", port: await freePort() };
    await setUp(base, resource, client);
    return {
      base, output, client,
      issuer: `${base}/api/oidc`,
      caller: { sub: /^\w{32}$/, client_id: client.id, scope: SCOPE },
      login: (url) => logIn(base, client, url),
    };
  },
});

const configuration = ({ port, base, modules, database }) => `
port = ${port}
bind_address = "127.0.0.1"
external_url = "${base}"
login_url = "login.html"
api_prefix = "api"
cookie_domain = "127.0.0.1"
cookie_secure = 0
log_mode = "console"
log_level = "INFO"
hash_algorithm = "SHA512"
admin_scope = "g_admin"
profile_scope = "g_profile"
user_module_path = "${modules}/user"
user_middleware_module_path = "${modules}/user_middleware"
client_module_path = "${modules}/client"
user_auth_scheme_module_path = "${modules}/scheme"
plugin_module_path = "${modules}/plugin"
database = { type = "sqlite3" path = "${database}" };
`;

/**
 * Logs in, as its pages do; gives what asks its API with that session, and is answered 200 or so.
 */
async function session(base, user) {
  let cookie = "";
  const ask = async (method, path, body) => {
    const headers = { "content-type": "application/json", cookie };
    const response = await fetch(`${base}/api${path}`, { method, headers, body: JSON.stringify(body) });
    assert.equal(response.status, 200, `${method} ${path}: ${await response.text()}`);
    return response;
  };
  const response = await ask("POST", "/auth/", user);
  [cookie] = response.headers.getSetCookie()[0].split(";");
  return { ask, cookie };
}

/** What an administrator sets: a scope, the OpenID Connect plugin, a user, a client. */
async function setUp(base, resource, client) {
  const { ask } = await session(base, ADMIN);
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const key = { ...privateKey.export({ format: "jwk" }), kid: "k1", alg: "ES256" };
  await ask("POST", "/scope/", { name: SCOPE, display_name: "MCP", description: "Call the MCP server", password_required: true, password_max_age: 0 });
  await ask("POST", "/mod/plugin/", {
    module: "oidc", name: "oidc", display_name: "OpenID Connect",
    parameters: {
      "iss": `${base}/api/oidc`, "subject-type": "public", "oauth-as-iss-id": true,
      "jwks-private": JSON.stringify({ keys: [key] }), "jwks-show": true,
      "access-token-duration": 300, "refresh-token-duration": 1209600, "code-duration": 600, "refresh-token-rolling": true,
      "allow-non-oidc": true, "auth-type-code-enabled": true, "auth-type-refresh-enabled": true,
      ...Object.fromEntries(["token", "implicit", "password", "client", "device", "none"].map((type) => [`auth-type-${type}-enabled`, false])),
      "pkce-allowed": true, "pkce-required": true, "pkce-method-plain-allowed": false,
      "resource-allowed": true, "resource-scope": { [SCOPE]: [resource] },
    },
  });
  await ask("POST", "/user/", { ...ALICE, name: "Alice", email: "alice@example.com", enabled: true, scope: [SCOPE] });
  await ask("POST", "/client/", {
    client_id: client.id, name: "MCP clients", enabled: true, confidential: false, token_endpoint_auth_method: ["none"],
    authorization_type: ["code", "refresh_token"], redirect_uri: ["/callback", "/oauth/callback"].map((path) => `http://localhost:${client.port}${path}`),
  });
}

/** What its login page, a program in JavaScript, sends: the password, the consent, and on. */
async function logIn(base, client, authorizationUrl) {
  const redirected = await fetch(authorizationUrl, { redirect: "manual" });
  const page = new URL(redirected.headers.get("location"));
  assert.equal(page.pathname, "/login.html", page.href);
  const { ask, cookie } = await session(base, ALICE);
  await ask("PUT", `/auth/grant/${client.id}`, { scope: page.searchParams.get("scope") });
  const back = await fetch(`${page.searchParams.get("callback_url")}&g_continue`, { headers: { cookie }, redirect: "manual" });
  const url = new URL(back.headers.get("location"));
  assert.ok(url.searchParams.get("code"), url.href);
  return url;
}
