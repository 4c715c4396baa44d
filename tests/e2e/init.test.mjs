// `init`: what it asks, what it writes, and what it refuses. It asks no server but those of the
// test: the doctor's part in it runs on settings of this machine only.
import assert from "node:assert/strict";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { init } from "../../cli/commands/init.mjs";
import { loadCore } from "../../cli/core.mjs";
import { jsonc, toml } from "../../cli/init/files.mjs";
import { readSettings } from "../../cli/wrangler/settings.mjs";
import { ROOT } from "./support/bundle.mjs";
import { command, emptyFolder } from "./support/command.mjs";
import { offer, speaks, wranglerToml } from "./support/doctor.mjs";
import { startIssuer } from "./support/issuer.mjs";
import { signingKey } from "./support/keys.mjs";
import { startOrigin } from "./support/origin.mjs";

const CANONICAL = "http://127.0.0.1:8787/mcp";
const EXAMPLE = readFileSync(join(ROOT, ".dev.vars.example"), "utf8");
const faultsIn = (text) => text.split("\n").filter((line) => line.startsWith("- "));

/** An issuer and a server on this machine, of which the doctor has nothing bad to say. */
async function around(t) {
  const issuer = await startIssuer(t, { keys: [signingKey("rsa")] });
  offer(issuer);
  const origin = await startOrigin(t);
  speaks(origin);
  return { issuer: issuer.url, origin: `${origin.url}/upstream` };
}

const options = ({ issuer, origin }) => ["--authorization-server", issuer, "--canonical-url", CANONICAL, "--origin", origin];
const expected = ({ issuer, origin }) => ({
  MCP_SERVER_AUTH_CANONICAL_URL: CANONICAL,
  ORIGIN_URL: origin,
  MCP_SERVER_AUTH_AUTHORIZATION_SERVERS: [{ authorization_server_url: issuer }],
});

for (const file of ["wrangler.jsonc", "wrangler.toml"]) {
  test(`by options: ${file}, which check and doctor then look at, and the line to type next`, async (t) => {
    const folder = emptyFolder(t);
    const given = await around(t);
    const { code, out, err } = await command(["init", ...options(given), ...(file.endsWith("toml") ? ["--toml"] : [])], { cwd: folder });
    assert.equal(code, 0, out + err);
    assert.deepEqual(readdirSync(folder).sort(), [".dev.vars.example", file]);
    assert.equal(readFileSync(join(folder, ".dev.vars.example"), "utf8"), EXAMPLE);
    const { settings, error } = await readSettings({ config: join(folder, file) });
    assert.deepEqual(settings.vars, expected(given), error);
    assert.deepEqual([settings.name, settings.preview_urls, settings.kv_namespaces[0].binding], ["mcp-edge-auth", false, "JWKS_CACHE"]);
    assert.ok(settings.main.endsWith("node_modules/mcp-edge-auth/worker/entry.mjs"), settings.main);
    assert.match(out, /^Canonical URL: http:\/\/127\.0\.0\.1:8787\/mcp$/m, "check");
    assert.match(out, /^ok {4}authorization_server\.metadata: /m, "doctor");
    assert.ok(out.endsWith("\nNext: npm install --save-dev mcp-edge-auth wrangler && npx mcp-edge-auth deploy\n"), out);
  });
}

test("by questions: nonsense is refused in the words of check, and asked again", async (t) => {
  const folder = emptyFolder(t);
  const given = await around(t);
  const nonsense = { MCP_SERVER_AUTH_CANONICAL_URL: "http://mcp.acme.test", MCP_SERVER_AUTH_AUTHORIZATION_SERVERS: [{ provider: "keycloack" }], ORIGIN_URL: "ftp://x" };
  const faults = faultsIn((await command(["check", "--config", wranglerToml(t, nonsense)])).out);
  assert.equal(faults.length, 3, faults.join("\n"));
  const answers = ["keycloack", given.issuer, "http://mcp.acme.test", CANONICAL, "ftp://x", given.origin];
  const { code, out, err } = await command(["init"], { cwd: folder, input: `${answers.join("\n")}\n` });
  assert.equal(code, 0, out + err);
  const refused = err.split(/\n|: (?=- )/).filter((line) => line.startsWith("- "));
  assert.deepEqual(refused.sort(), faults.sort());
  const { settings } = await readSettings({ config: join(folder, "wrangler.jsonc") });
  assert.deepEqual(settings.vars, expected(given));
});

test("an empty answer is the usual one, after a refused one too", async (t) => {
  const folder = emptyFolder(t);
  const answers = ["okta", "id.acme.test", "a b", "", "https://mcp.acme.test/mcp", "https://origin.acme.test/mcp"];
  const { err } = await command(["init"], { cwd: folder, input: `${answers.join("\n")}\n` });
  assert.match(err, /server \(default\): - \S+\[0\]\.server: expected letters/);
  const { settings } = await readSettings({ config: join(folder, "wrangler.jsonc") });
  assert.deepEqual(settings.vars.MCP_SERVER_AUTH_AUTHORIZATION_SERVERS, [{ provider: "okta", domain: "id.acme.test" }]);
});

test("by options, nonsense is refused in the words of check, and nothing is written", async (t) => {
  const folder = emptyFolder(t);
  for (const [args, vars] of [
    [["--provider", "keycloack"], { MCP_SERVER_AUTH_AUTHORIZATION_SERVERS: [{ provider: "keycloack" }] }],
    [["--provider", "auth0", "--domain", "https://x", "--realm", "r", "--canonical-url", "x"], {
      MCP_SERVER_AUTH_AUTHORIZATION_SERVERS: [{ provider: "auth0", domain: "https://x", realm: "r" }], MCP_SERVER_AUTH_CANONICAL_URL: "x",
    }],
    [["--provider", "keycloak", "--domain", "id.acme.test", "--realm", "main", "--canonical-url", "https://mcp.acme.test/mcp", "--origin", "https://mcp.acme.test/mcp/x"], {
      MCP_SERVER_AUTH_AUTHORIZATION_SERVERS: [{ provider: "keycloak", domain: "id.acme.test", realm: "main" }],
      MCP_SERVER_AUTH_CANONICAL_URL: "https://mcp.acme.test/mcp", ORIGIN_URL: "https://mcp.acme.test/mcp/x",
    }],
  ]) {
    const faults = faultsIn((await command(["check", "--config", wranglerToml(t, vars)])).out);
    assert.ok(faults.length);
    const { code, out, err } = await command(["init", ...args], { cwd: folder });
    assert.deepEqual([code, out, err], [1, "", `${faults.join("\n")}\nNothing was written.\n`]);
  }
  assert.deepEqual(readdirSync(folder), []);
});

test("no file is written over, and nothing beside it", async (t) => {
  const given = await around(t);
  for (const there of [["wrangler.json"], ["wrangler.jsonc"], ["wrangler.toml"], [".dev.vars.example"], ["wrangler.toml", ".dev.vars.example"]]) {
    const folder = emptyFolder(t);
    for (const name of there) writeFileSync(join(folder, name), "mine");
    const { code, out, err } = await command(["init", ...options(given)], { cwd: folder });
    assert.deepEqual([code, out], [1, ""]);
    assert.equal(err, `- ${there.join(" and ")} ${there.length > 1 ? "are" : "is"} here already\nNothing was written.\n`);
    assert.deepEqual(readdirSync(folder).sort(), there.toSorted?.() ?? [...there].sort());
    for (const name of there) assert.equal(readFileSync(join(folder, name), "utf8"), "mine");
  }
});

test("without an answer it says which option has it; after a refused one, that nothing was written", async (t) => {
  const folder = emptyFolder(t);
  const silent = await command(["init"], { cwd: folder });
  assert.equal(silent.code, 2);
  assert.match(silent.err, /^There is no answer on stdin; give it with --provider\.$/m);
  const partly = await command(["init", "--provider", "keycloak", "--domain", "id.acme.test"], { cwd: folder });
  assert.match(partly.err, /give it with --realm\.$/m);
  const both = await command(["init", "--provider", "auth0", "--authorization-server", "https://as.acme.test"], { cwd: folder });
  assert.deepEqual([both.code, both.err.split("\n")[0]], [2, "Either --provider or --authorization-server."]);
  const refused = await command(["init"], { cwd: folder, input: "nobody\n" });
  assert.equal(refused.code, 1);
  assert.match(refused.err, /\nNothing was written\.\n$/);
  assert.deepEqual(readdirSync(folder), []);
});

test("where the doctor finds something wrong, the files are there, and the next line is the doctor's", async (t) => {
  const folder = emptyFolder(t);
  const given = { issuer: "http://127.0.0.1:9", origin: "http://127.0.0.1:9/mcp" };
  const { code, out } = await command(["init", ...options(given), "--json"], { cwd: folder });
  assert.equal(code, 1);
  const { ok, written, check, doctor, next } = JSON.parse(out);
  assert.deepEqual([ok, written, check.ok, doctor.ok], [false, ["wrangler.jsonc", ".dev.vars.example"], true, false]);
  assert.ok(next.endsWith("npx mcp-edge-auth doctor"), next);
  assert.deepEqual(readdirSync(folder).sort(), [".dev.vars.example", "wrangler.jsonc"]);
});

test("every provider of the table can be asked for, and both files say the same", async (t) => {
  const providers = (await loadCore()).providers();
  assert.ok(providers.length > 10);
  const entries = providers.map(({ name, parameters, audience, clients }) => ({
    provider: name,
    ...Object.fromEntries(parameters.map(({ name, example }) => [name, example])),
    ...(audience && { expected_audiences: ['a "b" \\ c'] }),
    ...(clients && { expected_clients: ["one", "two"] }),
  }));
  for (const name of new Set(providers.flatMap(({ parameters }) => parameters.map(({ name }) => name)))) assert.ok(name in init.options, name);
  const folder = emptyFolder(t);
  const vars = { MCP_SERVER_AUTH_CANONICAL_URL: "https://mcp.acme.test/mcp", ORIGIN_URL: "https://origin.acme.test/mcp", MCP_SERVER_AUTH_AUTHORIZATION_SERVERS: entries };
  for (const [file, write] of Object.entries({ "wrangler.jsonc": jsonc, "wrangler.toml": toml })) {
    const config = join(folder, file);
    writeFileSync(config, write({ name: "trial", host: "mcp.acme.test", vars }));
    const { settings, error } = await readSettings({ config });
    assert.deepEqual(settings?.vars, vars, error);
    assert.deepEqual(settings.routes, [{ pattern: "mcp.acme.test", custom_domain: true }]);
  }
});
