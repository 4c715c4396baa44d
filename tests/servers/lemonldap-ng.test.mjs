// LemonLDAP::NG 2.16, by Debian packages: its portal with the users of its demonstration, served by
// Starman, on a configuration of its own that says what docs/providers.md says.
import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { orMissing } from "../e2e/support/packages.mjs";
import { freePort, startServer } from "../origins/support/origin.mjs";
import { logIn } from "./support/browser.mjs";
import { unpacked } from "./support/debian.mjs";
import { grant } from "./support/grant.mjs";
import { tried } from "./support/tried.mjs";

// Recommended, but without them the portal or its OpenID Connect issuer does not load.
const RECOMMENDED = ["libgd-securityimage-perl", "libimage-magick-perl", "libio-string-perl", "libstring-random-perl"];
const have = await orMissing("LemonLDAP::NG", () => unpacked("liblemonldap-ng-portal-perl", "2.16", [...RECOMMENDED, "starman"]));

tried("LemonLDAP::NG", {
  skip: have.missing,
  async start(t, resource) {
    const { root, env } = have;
    const share = join(root, "usr/share/lemonldap-ng/portal");
    const folder = mkdtempSync(join(tmpdir(), "mcp-edge-auth-lemonldap-ng-"));
    t.after(() => rmSync(folder, { recursive: true, force: true }));
    const port = await freePort();
    const base = `http://127.0.0.1:${port}`;
    const client = { id: "mcp", port: await freePort() };
    for (const name of ["conf", "cache", "sessions", "persistent"]) mkdirSync(join(folder, name));
    writeFileSync(join(folder, "conf", "lmConf-1.json"), JSON.stringify(configuration({ folder, base, resource, client })));
    const ini = join(folder, "lemonldap-ng.ini");
    writeFileSync(ini, `[all]
logLevel = notice
[configuration]
type = File
dirName = ${folder}/conf
localStorage = Cache::FileCache
localStorageOptions = { 'namespace' => 'configuration', 'cache_root' => '${folder}/cache' }
[portal]
templateDir = ${share}/templates
`);
    const start = join(folder, "start");
    writeFileSync(start, `exec perl "${root}/usr/bin/starman" --workers 2 --env deployment --listen "127.0.0.1:$PORT" "${share}/htdocs/index.psgi"`);
    const { output } = await startServer(t, { command: "sh", file: start, port, env: { ...env, LLNG_DEFAULTCONFFILE: ini } });
    return {
      base, output, client,
      issuer: `${base}/`,
      caller: { sub: "dwho", client_id: client.id, scope: /\bopenid\b/ },
      login: (url) => logIn(url, [{ user: "dwho", password: "dwho" }, { confirm: "1" }]),
    };
  },
  also: (t, server, edge) =>
    t.test("an ID token, which differs in nothing but its scope, stays outside", async () => {
      const tokens = await grant(server, "openid");
      const call = async (token) => {
        const headers = { authorization: `Bearer ${token}`, "content-type": "application/json", accept: "application/json, text/event-stream" };
        return (await fetch(edge.url, { method: "POST", headers, body: JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/list" }) })).status;
      };
      assert.equal(await call(tokens.access_token), 200);
      assert.equal(await call(tokens.id_token), 403);
    }),
});

function configuration({ folder, base, resource, client }) {
  const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048, publicKeyEncoding: { type: "spki", format: "pem" }, privateKeyEncoding: { type: "pkcs8", format: "pem" } });
  const storage = (name) => ({ Directory: join(folder, name), LockDirectory: join(folder, name) });
  return {
    cfgNum: 1, cfgAuthor: "test", cfgDate: "1", cfgVersion: "2.16.1",
    portal: `${base}/`, domain: "127.0.0.1", cookieName: "lemonldap", securedCookie: 0, key: "only for this test",
    authentication: "Demo", userDB: "Same", passwordDB: "Demo", demoExportedVars: { uid: "uid", mail: "mail" }, locationRules: { "127.0.0.1": { default: "accept" } },
    globalStorage: "Apache::Session::File", globalStorageOptions: { ...storage("sessions"), generateModule: "Lemonldap::NG::Common::Apache::Session::Generate::SHA256" },
    persistentStorage: "Apache::Session::File", persistentStorageOptions: storage("persistent"),
    localSessionStorage: "Cache::FileCache", localSessionStorageOptions: { cache_root: join(folder, "cache"), namespace: "sessions" },
    issuerDBOpenIDConnectActivation: 1, oidcServiceAllowAuthorizationCodeFlow: 1,
    oidcServicePrivateKeySig: privateKey, oidcServicePublicKeySig: publicKey, oidcServiceKeyIdSig: "k1",
    oidcRPMetaDataExportedVars: { mcp: { email: "mail" } },
    oidcRPMetaDataOptions: {
      mcp: {
        oidcRPMetaDataOptionsClientID: client.id,
        oidcRPMetaDataOptionsPublic: 1,
        oidcRPMetaDataOptionsRequirePKCE: 1,
        oidcRPMetaDataOptionsRedirectUris: ["/callback", "/oauth/callback"].map((path) => `http://localhost:${client.port}${path}`).join(" "),
        oidcRPMetaDataOptionsAccessTokenJWT: 1,
        oidcRPMetaDataOptionsAccessTokenSignAlg: "RS256",
        oidcRPMetaDataOptionsAccessTokenExpiration: 300,
        oidcRPMetaDataOptionsAdditionalAudiences: resource,
        oidcRPMetaDataOptionsIDTokenSignAlg: "RS256",
      },
    },
  };
}
