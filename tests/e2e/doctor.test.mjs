// `doctor`: every defect has the line that names it, and what to do. Settings and
// authorization servers; the deployment is in doctor-deployment, tokens in doctor-token, several
// servers in doctor-servers.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { doctor, judge, offer, OWN, run, sound, wranglerToml } from "./support/doctor.mjs";
import { assertPlain, HOSTILE } from "./support/hostile.mjs";
import { reply } from "./support/issuer.mjs";
import { signingKey } from "./support/keys.mjs";
import { mint } from "./support/mint.mjs";
import { CANONICAL } from "./support/stage.mjs";

const RFC8414 = "/.well-known/oauth-authorization-server";
const OIDC = "/.well-known/openid-configuration";

test("what is sound is said to be", async (t) => {
  const { vars } = await sound(t);
  const found = await doctor(t, vars);
  assert.equal(found.code, 0, found.shown);
  assert.deepEqual([found.failed(), found.warned()], [[], []], found.shown);
  assert.deepEqual(
    found.lines.map(({ check }) => check),
    ["settings", "authorization_server.metadata", "authorization_server.issuer", "authorization_server.endpoints", "authorization_server.jwks_uri",
      "authorization_server.code", "authorization_server.pkce", "authorization_server.registration", "keys", "keys.algorithm", "origin"],
  );
});

test("faults of the settings, each with its place, and nothing else is looked at", async (t) => {
  const found = await doctor(t, { MCP_SERVER_AUTH_CANONICAL_URL: "http://mcp.example.com/mcp", ORIGIN_URL: "https://o.example" });
  assert.deepEqual(found.lines.map(({ level, check }) => `${level} ${check}`), ["FAIL settings", "FAIL settings"]);
  assert.match(found.shown, /MCP_SERVER_AUTH_CANONICAL_URL: expected an https URL/);
  assert.match(found.shown, /MCP_SERVER_AUTH_AUTHORIZATION_SERVERS: expected/);
});

test("a canonical URL that clients and authorization servers write otherwise", async (t) => {
  const normal = OWN.MCP_SERVER_AUTH_CANONICAL_URL;
  for (const url of ["https://mcp.acme.test:443/mcp", "https://MCP.acme.test/mcp", "HTTPS://mcp.acme.test/mcp", "https://mcp.acme.test/mcp/"]) {
    const { issuer, vars } = await sound(t, { vars: { MCP_SERVER_AUTH_CANONICAL_URL: url } });
    const token = mint({ key: signingKey("rsa"), claims: { iss: issuer.url, aud: normal, sub: "user-1", scope: "mcp:use", exp: Math.floor(Date.now() / 1000) + 600 } });
    const found = await doctor(t, vars, { token });
    assert.match(found.line("warn", "settings").says, new RegExp(`^MCP_SERVER_AUTH_CANONICAL_URL: is not in normal form: .* write ${normal},`));
    // A slash at the end is no other audience; every other letter is.
    if (url.endsWith("/")) assert.equal(found.code, 0, found.shown);
    else assert.match(found.line("FAIL", "token.audience").says, /they differ only in how the URL is written$/);
  }
});

test("a variable that nothing reads", async (t) => {
  const { vars } = await sound(t, { vars: { ORIGIN_HEADER: "{}" } });
  const found = await doctor(t, vars);
  assert.equal(found.code, 0, found.shown);
  assert.match(found.line("warn", "settings").says, /^ORIGIN_HEADER: the Worker reads no such variable$/);
});

test("warnings of the settings, and no KV", async (t) => {
  const file = wranglerToml(t, {});
  writeFileSync(file, `[env.bare.vars]
MCP_SERVER_AUTH_CANONICAL_URL = "${CANONICAL}"
ORIGIN_URL = "http://127.0.0.1:9"
MCP_SERVER_AUTH_AUTHORIZATION_SERVERS = [{ provider = "github-actions", owner = "acme", jwks_uri = "http://127.0.0.1:9/jwks" }]
`);
  const { code, out } = await run(["--config", file, "--env", "bare"]);
  assert.equal(code, 1);
  assert.match(out, /^warn {2}settings: MCP_SERVER_AUTH_AUTHORIZATION_SERVERS\[0\]\.provider: every workflow of this owner may call/m);
  assert.match(out, /^warn {2}settings: there is no KV binding JWKS_CACHE$/m);
  assert.match(out, /^warn {2}authorization_server: no entry names a server that clients could log in at/m);
  assert.match(out, /^FAIL {2}keys: http:\/\/127\.0\.0\.1:9\/jwks: .*ECONNREFUSED/m);
  assert.match(out, /^ {6}→ no token of this issuer can be verified/m);
  assert.match(out, /Not looked at: a deployment \(--url URL\), a token \(--token FILE\)\.$/m);
});

// A name, what is wrong with the metadata, the level and check of the line, what it says, what to
// do.
const METADATA = [
  ["another issuer", { issuer: "https://login.example" }, "FAIL", "issuer", /expected issuer http:\S+, found https:\/\/login\.example$/, /set `authorization_server_url` to "https:\/\/login\.example"/],
  ["a trailing slash more", (url) => ({ issuer: `${url}/` }), "FAIL", "issuer", /differ in the trailing slash/, /compare byte for byte/],
  ["no issuer", { issuer: undefined }, "FAIL", "issuer", /has no issuer/, /RFC 8414/],
  ["no S256", { code_challenge_methods_supported: ["plain"] }, "FAIL", "pkce", /expected PKCE with S256, found \["plain"\]/, /refuse to log in/],
  ["no PKCE at all", { code_challenge_methods_supported: undefined }, "FAIL", "pkce", /found no code_challenge_methods_supported/, /PKCE/],
  ["no registration", { registration_endpoint: undefined }, "warn", "registration", /takes no client that it does not know/, /a client ID by hand/],
  ["metadata documents only", { registration_endpoint: undefined, client_id_metadata_document_supported: true }, "ok", "registration", /metadata document/, /^$/],
  ["registration without public clients", { token_endpoint_auth_methods_supported: ["client_secret_basic", "client_secret_post"] }, "warn", "registration", /may register, and token_endpoint_auth_methods_supported lacks none: found \["client_secret_basic","client_secret_post"\]$/, /refused at the token endpoint/],
  ["metadata documents without public clients", { registration_endpoint: undefined, client_id_metadata_document_supported: true, token_endpoint_auth_methods_supported: ["private_key_jwt"] }, "warn", "registration", /metadata document .* lacks none/, /give each client a client ID by hand/],
  ["methods that are no list", { token_endpoint_auth_methods_supported: "none" }, "warn", "registration", /lacks none: found "none"$/, /public clients/],
  ["public clients among others", { token_endpoint_auth_methods_supported: ["client_secret_basic", "none"] }, "ok", "registration", /^clients may register$/, /^$/],
  ["no word of methods", { token_endpoint_auth_methods_supported: undefined }, "ok", "registration", /^clients may register$/, /^$/],
  ["clients by hand, and no word of public ones", { registration_endpoint: undefined, token_endpoint_auth_methods_supported: ["client_secret_basic"] }, "warn", "registration", /^it takes no client that it does not know: [^;]*$/, /a client ID by hand/],
  ["no response types", { response_types_supported: undefined }, "FAIL", "code", /expected response_types_supported with code, found none$/, /refuse to log in/],
  ["response types without code", { response_types_supported: ["token", "code id_token"] }, "FAIL", "code", /found \["token","code id_token"\]$/, /refuse to log in/],
  ["a response type that is no list", { response_types_supported: "code" }, "FAIL", "code", /found "code"$/, /refuse to log in/],
  ["a list that clients do not take", { response_types_supported: ["code", 1] }, "FAIL", "code", /found \["code",1\]$/, /refuse to log in/],
  ["other grants", { grant_types_supported: ["client_credentials"] }, "warn", "code", /expected grant_types_supported with authorization_code, found \["client_credentials"\]$/, /turn that grant on/],
  ["no token endpoint", { token_endpoint: undefined }, "FAIL", "endpoints", /no token_endpoint that is https/, /cannot log in/],
  ["an authorization endpoint of http", { authorization_endpoint: "http://login.example/authorize" }, "FAIL", "endpoints", /no authorization_endpoint/, /cannot log in/],
  ["unknown scopes", { scopes_supported: ["openid"] }, "warn", "scopes", /does not list: mcp:use$/, /SCOPES_SUPPORTED/],
];

test("an authorization server's metadata", async (t) => {
  for (const [name, members, level, check, says, todo] of METADATA) {
    await t.test(name, async (t) => {
      const { issuer, vars } = await sound(t, { vars: { MCP_SERVER_AUTH_SCOPES_SUPPORTED: "mcp:use" }, entry: { jwks_uri: "JWKS" } });
      vars.MCP_SERVER_AUTH_AUTHORIZATION_SERVERS[0].jwks_uri = `${issuer.url}/jwks`;
      offer(issuer, typeof members === "function" ? members(issuer.url) : members);
      const found = await doctor(t, vars);
      const line = found.line(level, `authorization_server.${check}`);
      assert.match(line.says, says);
      assert.match(line.todo, todo);
      assert.deepEqual(found.failed(), level === "FAIL" ? [`authorization_server.${check}`] : [], found.shown);
    });
  }
});

test("a document at OpenID Connect's places has what OpenID Connect requires", async (t) => {
  const required = { subject_types_supported: ["public"], id_token_signing_alg_values_supported: ["RS256"] };
  for (const [name, members, missing] of [
    ["all of it", {}],
    ["no subject types", { subject_types_supported: undefined }, "subject_types_supported"],
    ["nothing of it", { subject_types_supported: undefined, id_token_signing_alg_values_supported: "RS256", jwks_uri: undefined }, "subject_types_supported, id_token_signing_alg_values_supported, jwks_uri"],
  ]) {
    await t.test(name, async (t) => {
      const { issuer, vars } = await sound(t);
      vars.MCP_SERVER_AUTH_AUTHORIZATION_SERVERS[0].jwks_uri = `${issuer.url}/jwks`;
      issuer.on("/.well-known/openid-configuration", reply.json(offer(issuer, { ...required, ...members })));
      const elsewhere = await doctor(t, vars);
      assert.equal(elsewhere.code, 0, "RFC 8414 does not require it");
      issuer.off("/.well-known/oauth-authorization-server");
      const found = await doctor(t, vars);
      assert.deepEqual(found.failed(), missing ? ["authorization_server.metadata"] : [], found.shown);
      if (missing) assert.equal(found.line("FAIL", "authorization_server.metadata").says, `${issuer.url}/.well-known/openid-configuration lacks ${missing}`);
    });
  }
});

test("metadata is looked for in three places, as clients do", async (t) => {
  const { issuer, vars } = await sound(t);
  const path = "/realms/main";
  vars.MCP_SERVER_AUTH_AUTHORIZATION_SERVERS = [{ authorization_server_url: `${issuer.url}${path}` }];
  const document = offer(issuer, {}, path);
  for (const place of [`/.well-known/oauth-authorization-server${path}`, `/.well-known/openid-configuration${path}`, `${path}/.well-known/openid-configuration`]) {
    issuer.on(place, reply.json(document));
    const found = await doctor(t, vars);
    assert.match(found.line("ok", "authorization_server.metadata").says, new RegExp(`${place} has metadata$`));
    issuer.off(place);
  }
  vars.MCP_SERVER_AUTH_AUTHORIZATION_SERVERS[0].authorization_server_url = "http://127.0.0.1:9";
  const silent = (await doctor(t, vars)).line("FAIL", "authorization_server.metadata");
  assert.match(silent.says, /^http:\/\/127\.0\.0\.1:9 does not answer .*ECONNREFUSED/);
  assert.match(silent.todo, /Is it running/);
  vars.MCP_SERVER_AUTH_AUTHORIZATION_SERVERS[0].authorization_server_url = `https://${new URL(issuer.url).host}`;
  assert.match((await doctor(t, vars)).line("FAIL", "authorization_server.metadata").says, /no TLS there: is it http, not https\?/);
  vars.MCP_SERVER_AUTH_AUTHORIZATION_SERVERS[0].authorization_server_url = `${issuer.url}${path}`;
  const none = await doctor(t, vars);
  const line = none.line("FAIL", "authorization_server.metadata");
  assert.equal(line.says.match(/status 404/g).length, 3, line.says);
  issuer.on(`${path}/.well-known/openid-configuration`, reply.redirect(`${issuer.url}/elsewhere`));
  assert.match((await doctor(t, vars)).line("FAIL", "authorization_server.metadata").says, /a redirect, which is not followed/);
});

// A name, what the first place answers, what is said of it; nothing where clients go on.
const FIRST_PLACES = [
  ["a page", reply.html(), "not a JSON object"],
  ["an empty object", reply.json({}), "its issuer is not the configured issuer"],
  ["another issuer's", reply.json({ issuer: "https://login.example", jwks_uri: "https://login.example/jwks" }), "its issuer is not the configured issuer"],
  ["500", reply.status(500), "status 500"],
  ["404", reply.status(404)],
  ["406", reply.status(406)],
];

test("a first place that has no metadata: the next is asked, as the Worker does, and clients that do not are thought of", async (t) => {
  for (const [name, answer, says] of FIRST_PLACES) {
    await t.test(name, async (t) => {
      const { issuer, vars } = await sound(t);
      const oidc = { subject_types_supported: ["public"], id_token_signing_alg_values_supported: ["RS256"] };
      issuer.on(OIDC, reply.json(offer(issuer, oidc)));
      issuer.on(RFC8414, answer);
      const found = await doctor(t, vars);
      assert.equal(found.code, 0, found.shown);
      assert.equal(found.line("ok", "authorization_server.metadata").says, `${issuer.url}${OIDC} has metadata`);
      assert.deepEqual(found.warned(), says ? ["authorization_server.metadata"] : [], found.shown);
      if (says) assert.equal(found.line("warn", "authorization_server.metadata").says, `${issuer.url}${RFC8414}: ${says}`);
    });
  }
});

test("what every place gave is said where none has metadata", async (t) => {
  const { issuer, vars } = await sound(t);
  issuer.on(RFC8414, reply.json({}));
  issuer.on(OIDC, reply.text(Buffer.from([0x7b, 0xff, 0x7d])));
  const found = await doctor(t, vars);
  const gave = `${issuer.url}${RFC8414}: its issuer is not the configured issuer; ${issuer.url}${OIDC}: not UTF-8`;
  assert.equal(found.line("FAIL", "authorization_server.metadata").says, `${issuer.url} has no metadata (${gave})`);
  assert.equal(found.line("FAIL", "keys").says, `no metadata of ${issuer.url} leads to keys (${gave})`);
});

test("a server that serves one media type only, and one that writes byte order marks", async (t) => {
  const mark = (text) => reply.text(`\ufeff${text}`);
  for (const type of ["application/json", "application/jwk-set+json"]) {
    const { issuer, vars } = await sound(t);
    const document = JSON.stringify(offer(issuer));
    const strict = (answer) => (req, res) => (req.headers.accept === "application/json, application/jwk-set+json" ? answer : reply.status(406))(req, res);
    issuer.on(RFC8414, strict(reply.text(`\ufeff${document}`)));
    issuer.on("/jwks", strict(reply.text(`\ufeff${JSON.stringify({ keys: [signingKey("rsa").jwk()] })}`, type)));
    const found = await doctor(t, vars);
    assert.deepEqual([found.code, found.warned()], [0, []], found.shown);
  }
  const { issuer, vars } = await sound(t);
  issuer.on("/jwks", mark(`\ufeff${JSON.stringify({ keys: [signingKey("rsa").jwk()] })}`));
  assert.match((await doctor(t, vars)).line("FAIL", "keys").says, /not a JWK Set$/, "one is skipped, not two");
});

// A name, the answer at /jwks, what the line says.
const KEY_SETS = [
  ["not found", reply.status(404), /\/jwks: status 404$/],
  ["a redirect", reply.redirect("http://127.0.0.1:9/"), /a redirect, which is not followed$/],
  ["a login page", reply.html(), /not a JWK Set$/],
  ["no keys", reply.json({ keys: [] }), /no usable key$/],
  ["too large", reply.text(`{"keys":[]${" ".repeat(70_000)}}`), /larger than 64 KiB$/],
  ["cut off", reply.reset(), /\/jwks: .*(ECONNRESET|hang up)/],
];

test("a key set", async (t) => {
  for (const [name, answer, says] of KEY_SETS) {
    await t.test(name, async (t) => {
      const { issuer, vars } = await sound(t);
      issuer.on("/jwks", answer);
      const found = await doctor(t, vars);
      assert.match(found.line("FAIL", "keys").says, says);
      assert.deepEqual(found.failed(), ["keys"], found.shown);
    });
  }
  await t.test("of another algorithm", async (t) => {
    const { vars } = await sound(t, { keys: [signingKey("p256")] });
    const line = (await doctor(t, vars)).line("FAIL", "keys.algorithm");
    assert.match(line.says, /expected a key for RS256, found keys for ES256$/);
    assert.match(line.todo, /set `algorithm` to what it signs with, one or more of: ES256$/);
  });
  await t.test("at another place than the metadata says", async (t) => {
    const { issuer, vars } = await sound(t);
    issuer.serve([signingKey("rsa")], "/other");
    vars.MCP_SERVER_AUTH_AUTHORIZATION_SERVERS[0].jwks_uri = `${issuer.url}/other`;
    const found = await doctor(t, vars);
    assert.match(found.line("warn", "authorization_server.jwks_uri").says, /expected keys at \S+\/other, and its metadata says \S+\/jwks$/);
    assert.equal(found.code, 0);
  });
  await t.test("of an issuer that is found and calls itself otherwise", async (t) => {
    const { issuer, vars } = await sound(t);
    offer(issuer, { issuer: `${issuer.url}/` });
    const gave = [`${issuer.url}${RFC8414}: its issuer is not the configured issuer`, `${issuer.url}${OIDC}: status 404`].join("; ");
    assert.equal((await doctor(t, vars)).line("FAIL", "keys").says, `no metadata of ${issuer.url} leads to keys (${gave})`);
  });
});

// A name, the origin's answer, the level, what the line says, what to do.
const ORIGINS = [
  ["asks for a token itself", reply.status(401), "warn", /asks for a token itself/, /let your server trust the Worker/],
  ["refuses", reply.status(403), "ok", /refuses this request without the Worker/],
  ["redirects", reply.redirect("/mcp/"), "warn", /redirects \(status 302\) to \/mcp\/$/, /clients are sent to https:\/\/mcp\.acme\.test\/mcp\/: some follow, and ask twice/],
  ["redirects from http to https", (req, res) => res.writeHead(308, { location: `https://${req.headers.host}/mcp` }).end(), "warn", /redirects \(status 308\) to https:\/\/127\.0\.0\.1:\d+\/mcp$/, /back to where they were: set ORIGIN_URL to where your server redirects to/],
  ["redirects to another place", reply.redirect("/login"), "warn", /redirects \(status 302\) to \/login$/, /clients do not follow it/],
  ["redirects to another host", reply.redirect("http://10.0.0.9:8000/mcp", 307), "warn", /redirects \(status 307\) to http:\/\/10\.0\.0\.9:8000\/mcp$/, /clients do not follow it/],
  ["redirects nowhere", (_, res) => res.writeHead(307).end(), "warn", /redirects \(status 307\) to $/, /clients do not follow it/],
  ["has no such path", reply.status(404), "warn", /answers 404$/],
  ["is broken", reply.status(500), "warn", /answers 500$/],
  ["wants a POST", reply.status(405), "ok", /answers 405$/],
];

test("an origin", async (t) => {
  for (const [name, answer, level, says, todo = /^/] of ORIGINS) {
    await t.test(name, async (t) => {
      const { origin, vars } = await sound(t);
      origin.on("/mcp", answer);
      const found = await doctor(t, vars);
      assert.match(found.line(level, "origin").says, says);
      assert.match(found.line(level, "origin").todo, todo);
      assert.ok(!found.shown.includes("origin.exposed"), "loopback is nobody else's");
    });
  }
  await t.test("that is not there", async (t) => {
    const { origin, vars } = await sound(t);
    await origin.close();
    const line = (await doctor(t, vars)).line("warn", "origin");
    assert.match(line.says, /does not answer from here: .*ECONNREFUSED/);
    assert.match(line.todo, /is your server running/);
  });
});

// The address that answered, and whether the world can reach it.
const ADDRESSES = [
  ["203.0.113.7", true], ["8.8.8.8", true], ["2001:db8::1", true], ["::ffff:8.8.8.8", true], ["172.32.0.1", true], ["100.128.0.1", true], [null, true], ["what", true],
  ["127.0.0.1", false], ["::1", false], ["10.1.2.3", false], ["172.16.0.1", false], ["192.168.1.1", false], ["169.254.1.1", false], ["100.64.0.1", false],
  ["::ffff:10.0.0.1", false], ["fd00::1", false], ["fe80::1", false],
];

test("an origin that is reachable without the Worker", async (t) => {
  const vars = {
    MCP_SERVER_AUTH_CANONICAL_URL: CANONICAL,
    MCP_SERVER_AUTH_AUTHORIZATION_SERVERS: [{ authorization_server_url: "https://login.example" }],
    ORIGIN_URL: "https://origin.example/mcp",
  };
  const from = (address, status) => ({ url }) => (url === vars.ORIGIN_URL ? { status, headers: [], body: "", whole: true, address } : { error: "there is no such host" });
  for (const [address, isPublic] of ADDRESSES) {
    const { lines } = await judge(t, vars, { answer: from(address, 405) });
    const exposed = lines.find(({ check }) => check === "origin.exposed");
    assert.equal(exposed !== undefined, isPublic, String(address));
    if (exposed) assert.match(exposed.todo, /take requests from the Worker only/);
  }
  for (const status of [401, 403]) {
    const { lines } = await judge(t, vars, { answer: from("203.0.113.7", status) });
    assert.ok(!lines.some(({ check }) => check === "origin.exposed"), `it refuses: ${status}`);
  }
});

test("a token does not go over a wire that everybody reads", async (t) => {
  const vars = {
    MCP_SERVER_AUTH_CANONICAL_URL: CANONICAL,
    MCP_SERVER_AUTH_AUTHORIZATION_SERVERS: [{ authorization_server_url: "https://login.example" }],
    ORIGIN_URL: "https://origin.example/mcp",
  };
  const answer = ({ url }) => ({ status: 200, headers: [], body: url.endsWith("/healthz") ? '{"status":"ok"}' : "", whole: true, address: "203.0.113.7" });
  const sent = ({ fetched }) => fetched.filter(({ headers }) => headers.some(([name]) => name === "authorization"));
  const token = mint({ key: signingKey("rsa"), claims: { sub: "user-1" } });
  const open = await judge(t, vars, { url: "http://mcp.example.com/mcp", token, answer });
  assert.deepEqual(sent(open), []);
  assert.match(open.lines.find(({ check }) => check === "deployment.token").says, /the token is not sent to http:/);
  const closed = await judge(t, vars, { url: CANONICAL, token, answer });
  assert.deepEqual(sent(closed).map(({ method, url }) => `${method} ${url}`), [`POST ${CANONICAL}`], "to the endpoint, and nowhere else");
});

test("a token is never an argument", async (t) => {
  const token = mint({ key: signingKey("rsa"), claims: { sub: "user-1" } });
  for (const args of [["--token", token], ["--token", `Bearer ${token}`]]) {
    const { code, out, err } = await run(args);
    assert.equal(code, 2);
    assert.match(err, /never an argument/);
    assert.ok(!(out + err).includes(token));
  }
  const file = join(wranglerToml(t, {}), "..", "token.txt");
  const { vars } = await sound(t);
  for (const text of [token, `Bearer ${token}\n`, ` ${token} \n\n`]) {
    writeFileSync(file, text);
    const { out } = await run(["--config", wranglerToml(t, vars), "--token", file]);
    assert.match(out, /^FAIL {2}token\.verdict: the Worker refuses it and logs `issuer_untrusted`$/m);
    assert.ok(!out.includes(token));
  }
});

test("what is asked wrongly is answered with the usage", async (t) => {
  for (const args of [["--what"], ["--url"], ["--token"], ["https://mcp.example.com"]]) {
    const { code, err } = await run(args);
    assert.equal(code, 2);
    assert.match(err, /^usage: npx mcp-edge-auth doctor/m);
  }
  for (const [args, says] of [[["--token", "/nowhere/token"], /cannot be read/], [["--token", "-"], /no token/]]) {
    assert.match((await run(args)).err, says);
  }
  assert.match((await run(["--config", "/nowhere/wrangler.toml"])).out, /FAIL {2}settings: \/nowhere\/wrangler\.toml cannot be read/);
  const { vars } = await sound(t);
  assert.match((await run(["--config", wranglerToml(t, vars), "--env", "absent"])).out, /has no environment \[env\.absent\]/);
});

test("what a server says does not reach the terminal as it is", async (t) => {
  const { issuer, vars } = await sound(t);
  offer(issuer, { issuer: "https://evil.example/\u001b[2J\u0007" });
  const { out } = await run(["--config", wranglerToml(t, vars)]);
  assert.match(out, /evil\.example\/\?\[2J\?/);
  assertPlain(out);
  offer(issuer, { issuer: `https://evil.example/${HOSTILE}` });
  const told = await run(["--config", wranglerToml(t, vars)]);
  assert.match(told.out, /evil\.example\/k\?\[2J\?\?\?ok\?\?31m\?ok\?dne\?/, told.err);
  assertPlain(told.out);
  const json = await run(["--config", wranglerToml(t, vars), "--json"]);
  assertPlain(json.out);
  assert.ok(JSON.parse(json.out).lines.some(({ says }) => says.includes(HOSTILE)), "to a program it is said as it was");
});
