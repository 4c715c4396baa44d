// `template/`: a project of a user's own, made from it in an empty folder with the package of this
// clone, passes its test, is deployed without a build, and says what the rest of the repository
// says.
import assert from "node:assert/strict";
import { cpSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { jsonc } from "../../cli/init/files.mjs";
import { readSettings } from "../../cli/wrangler/settings.mjs";
import { ROOT } from "./support/bundle.mjs";
import { command, emptyFolder } from "./support/command.mjs";
import { installPackage } from "./support/installed.mjs";

const TEMPLATE = join(ROOT, "template");
const read = (...path) => readFileSync(join(ROOT, ...path), "utf8");
const VARS = {
  MCP_SERVER_AUTH_CANONICAL_URL: "https://mcp.acme.test/mcp",
  ORIGIN_URL: "https://origin.acme.test/mcp",
  MCP_SERVER_AUTH_AUTHORIZATION_SERVERS: '[{"provider":"keycloak","domain":"id.acme.test","realm":"main"}]',
};

let machine;
before(async () => {
  machine = await installPackage();
  const isInstalled = (path) => /\/node_modules(\/|$)/.test(path.slice(TEMPLATE.length));
  cpSync(TEMPLATE, machine.project, { recursive: true, filter: (path) => !isInstalled(path) });
});
after(() => machine?.remove());

/** wrangler.jsonc of the project with these variables in place of empty ones, and more of them. */
function write(vars, more = "") {
  let text = read("template", "wrangler.jsonc");
  for (const [name, value] of Object.entries(vars)) text = text.replace(`"${name}": ""`, () => `"${name}": ${JSON.stringify(value)}`);
  writeFileSync(join(machine.project, "wrangler.jsonc"), text.replace('"vars": {', () => `"vars": {${more}`));
}

test("its test passes as it is, and fails where the Worker decides otherwise", async () => {
  write({});
  const passed = await machine.run("npm", ["test"]);
  assert.equal(passed.code, 0, passed.out + passed.err);
  assert.match(passed.out, /^# pass 3$/m);
  write({}, '"MCP_SERVER_AUTH_POLICY": { "required_scopes": ["mcp"] },');
  const failed = await machine.run("npm", ["test"]);
  assert.notEqual(failed.code, 0);
  assert.match(failed.out, /^not ok \d+ - a good token gets through/m);
});

test("check names the three variables that are to be set; with them, it is ready to deploy, and nothing is built", async () => {
  write({});
  const empty = await machine.run("npx", ["mcp-edge-auth", "check"]);
  assert.equal(empty.code, 1);
  assert.deepEqual([...empty.out.matchAll(/^- (\w+): /gm)].map(([, name]) => name).sort(), Object.keys(VARS).sort());
  write(VARS);
  const { out } = await machine.ok("npx", ["mcp-edge-auth", "check"]);
  assert.match(out, /^Canonical URL: https:\/\/mcp\.acme\.test\/mcp$/m, "the workflow takes it from this line");
  assert.match((await machine.ok("npx", ["mcp-edge-auth", "deploy", "--dry-run"])).out, /--dry-run: exiting now/);
  assert.match((await machine.ok("npm", ["run", "deploy", "--", "--dry-run"])).out, /--dry-run: exiting now/, "what the Deploy button runs");
});

test("its configuration is the one that init writes, but for the variables", async (t) => {
  const folder = emptyFolder(t);
  writeFileSync(join(folder, "wrangler.jsonc"), jsonc({ name: "mcp-edge-auth", vars: { ...VARS, MCP_SERVER_AUTH_AUTHORIZATION_SERVERS: [] } }));
  const parts = async (config) => {
    const { settings, error } = await readSettings({ config });
    assert.equal(error, undefined);
    const { configPath, userConfigPath, vars, main, ...rest } = settings;
    return { ...rest, main: main.slice(main.indexOf("node_modules")), names: Object.keys(vars).sort() };
  };
  assert.deepEqual(await parts(join(TEMPLATE, "wrangler.jsonc")), await parts(join(folder, "wrangler.jsonc")));
  for (const text of [read("template", "wrangler.jsonc"), readFileSync(join(folder, "wrangler.jsonc"), "utf8")]) {
    const [, schema] = /"\$schema": "\.\/([^"]+)"/.exec(text);
    for (const file of [schema, "node_modules/mcp-edge-auth/worker/entry.mjs"]) assert.ok(existsSync(join(machine.project, file)), file);
  }
});

test("it asks for what the repository's own button asks for, and takes this version of the package", () => {
  const [ours, its] = [JSON.parse(read("package.json")), JSON.parse(read("template", "package.json"))];
  assert.deepEqual(its.cloudflare, ours.cloudflare);
  assert.equal(its.devDependencies["mcp-edge-auth"], `^${ours.version}`);
  assert.equal(its.devDependencies.wrangler, JSON.parse(read("package", "package.json")).peerDependencies.wrangler);
  assert.equal(read("template", ".dev.vars.example"), read(".dev.vars.example"));
});

test("what its workflow, its scripts and its README run, there is", async () => {
  const scripts = Object.values(JSON.parse(read("template", "package.json")).scripts);
  const texts = [read("template", ".github", "workflows", "deploy.yml"), read("template", "README.md"), ...scripts];
  const named = [...new Set(texts.flatMap((text) => [...text.matchAll(/mcp-edge-auth (check|deploy|dev|doctor|\w+(?= -))/g)].map(([, name]) => name)))].sort();
  assert.deepEqual(named, ["check", "deploy", "dev", "doctor"]);
  const help = (await command(["--help"])).out;
  for (const name of named) assert.match(help, new RegExp(`^ {2}${name} `, "m"));
  const steps = [...texts[0].matchAll(/^ +(?:- run: |)(npm test|npx mcp-edge-auth \w+(?: --dry-run)?)/gm)].map(([, step]) => step);
  assert.deepEqual(steps, ["npx mcp-edge-auth check", "npm test", "npx mcp-edge-auth deploy --dry-run", "npx mcp-edge-auth deploy", "npx mcp-edge-auth doctor"]);
});
