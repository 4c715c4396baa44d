// `check` and `doctor` judge the file that wrangler would deploy, read by wrangler
// itself.
import assert from "node:assert/strict";
import { execFile, fork } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { loadCore } from "../../cli/core.mjs";
import { ROOT, wranglerEnv } from "./support/bundle.mjs";
import { run as doctor } from "./support/doctor.mjs";
import { assertPlain, HOSTILE } from "./support/hostile.mjs";
import { bounded } from "./support/until.mjs";

const COMMAND_MS = 60_000;
await loadCore(); // built where it has to be: then it says nothing of it
const CANONICAL = "https://mcp.acme.test/mcp";
const VARS = {
  MCP_SERVER_AUTH_CANONICAL_URL: CANONICAL,
  MCP_SERVER_AUTH_AUTHORIZATION_SERVERS: [{ authorization_server_url: "https://login.acme.test" }],
  MCP_SERVER_AUTH_DEFAULT_CHALLENGE_SCOPES: "mcp",
  ORIGIN_URL: "https://origin.acme.test/mcp",
};
const KV = [{ binding: "JWKS_CACHE" }];
// What is Cloudflare's of a file: without it there is a warning.
const DATE = "2026-04-26";
const ROUTE = "*.acme.test/*";
const toml = (vars, more = "") => `compatibility_date = "${DATE}"\nroutes = ["${ROUTE}"]\n[vars]\n${Object.entries(vars).map(([name, value]) => `${name} = '''${typeof value === "string" ? value : JSON.stringify(value)}'''\n`).join("")}\n${more}`;
const sound = (over) => ({ compatibility_date: DATE, routes: [ROUTE], kv_namespaces: KV, vars: { ...VARS, ...over } });

/** A folder with these files. */
function folder(t, files) {
  const path = realpathSync(mkdtempSync(join(tmpdir(), "mcp-edge-auth-check-")));
  t.after(() => rmSync(path, { recursive: true, force: true }));
  for (const [name, contents] of Object.entries(files)) {
    mkdirSync(dirname(join(path, name)), { recursive: true });
    writeFileSync(join(path, name), typeof contents === "string" ? contents : JSON.stringify(contents));
  }
  return path;
}

/** The command as npm starts it: { code, said }. */
function check(args, { cwd = ROOT, env = {} } = {}) {
  const ended = new Promise((resolve) => {
    const script = join(ROOT, "cli", "bin.mjs");
    execFile(process.execPath, [script, "check", ...args], { cwd: ROOT, env: { ...wranglerEnv(), INIT_CWD: cwd, ...env } }, (error, stdout, stderr) =>
      resolve({ code: error ? error.code : 0, said: stdout + stderr }));
  });
  return bounded("the end of the check", ended, COMMAND_MS);
}

const SUMMARY = `Resource Server auth enabled: true
Accepted authorization server(s): https://login.acme.test
Issuers: https://login.acme.test
Audiences: ${CANONICAL}
Algorithms: RS256
Canonical URL: ${CANONICAL}
Origin: https://origin.acme.test/mcp
Key sets: KV binding JWKS_CACHE
`;

test("all that wrangler takes is read: TOML, JSON, and JSON with comments", async (t) => {
  const commented = `// the settings\n{ /* of\nours */ "vars": ${JSON.stringify(VARS, null, 2).replace(/\n}$/, ",\n}")}, "kv_namespaces": [{ "binding": "JWKS_CACHE", },], "compatibility_date": "${DATE}", "route": "${ROUTE}", }`;
  const path = folder(t, {
    "toml/wrangler.toml": toml(VARS, '[[kv_namespaces]]\nbinding = "JWKS_CACHE"\n'),
    "json/wrangler.json": sound(),
    "jsonc/wrangler.jsonc": commented,
    "other/trial.jsonc": commented,
  });
  for (const file of ["toml/wrangler.toml", "json/wrangler.json", "jsonc/wrangler.jsonc", "other/trial.jsonc"]) {
    assert.deepEqual(await check(["--config", file], { cwd: path }), { code: 0, said: SUMMARY }, file);
  }
});

test("--json is the same for programs", async (t) => {
  const path = folder(t, { "sound.jsonc": sound(), "faulty.jsonc": sound({ ORIGIN_URL: "no\u001b[2J", ORIGIN_HEADER: "s3cret" }), "broken.jsonc": "{" });
  const of = async (file) => {
    const { code, said } = await check(["--json", "--config", file], { cwd: path });
    assertPlain(said);
    return { code, ...JSON.parse(said) };
  };
  const lines = SUMMARY.trimEnd().split("\n").map((says) => ({ level: "info", says }));
  assert.deepEqual(await of("sound.jsonc"), { code: 0, ok: true, lines });
  const faulty = await of("faulty.jsonc");
  assert.deepEqual([faulty.code, faulty.ok, faulty.lines.map(({ level }) => level)], [1, false, ["warning", "info", "fault"]]);
  assert.match(faulty.lines[2].says, /^ORIGIN_URL: expected /);
  const broken = await of("broken.jsonc");
  assert.deepEqual([broken.code, broken.ok, broken.lines], [1, false, undefined]);
  assert.match(broken.error, /broken\.jsonc cannot be read: /);
});

test("an environment inherits neither variables nor KV", async (t) => {
  const own = { MCP_SERVER_AUTH_CANONICAL_URL: "https://own.acme.test/mcp", ORIGIN_URL: "https://o.acme.test/mcp", MCP_SERVER_AUTH_DEFAULT_CHALLENGE_SCOPES: "mcp" };
  const settings = { ...sound(), env: { bare: {}, own: { vars: { ...VARS, ...own } } } };
  const path = folder(t, { "wrangler.jsonc": settings, "trial.toml": toml(VARS, "[env.bare]\n") });
  for (const args of [["--env", "own"], ["--env=own"], ["-e", "own"]]) {
    const { code, said } = await check([...args, "-c", "wrangler.jsonc"], { cwd: path });
    assert.ok(code === 0 && said.includes("https://own.acme.test/mcp") && said.endsWith("Key sets: memory only\n"), said);
  }
  const { code, said } = await check(["--config=trial.toml", "--env=bare"], { cwd: path });
  assert.equal(code, 1);
  for (const name of ["MCP_SERVER_AUTH_CANONICAL_URL", "MCP_SERVER_AUTH_AUTHORIZATION_SERVERS", "ORIGIN_URL"]) assert.match(said, new RegExp(`^- ${name}: `, "m"));
  // The variable that wrangler asks, too; an empty name is the top level.
  const named = await check(["-c", "wrangler.jsonc"], { cwd: path, env: { CLOUDFLARE_ENV: "own" } });
  assert.ok(named.said.includes("https://own.acme.test/mcp"), named.said);
  assert.deepEqual(await check(["-c", "wrangler.jsonc", "--env="], { cwd: path, env: { CLOUDFLARE_ENV: "own" } }), { code: 0, said: SUMMARY });
  for (const [file, says] of [["wrangler.jsonc", "it has no environment env.absent"], ["trial.toml", "it has no environment [env.absent]"]]) {
    const { code, said } = await check(["--config", file, "--env", "absent"], { cwd: path });
    assert.deepEqual([code, said], [1, `${join(path, file)} cannot be read: ${says}\n`]);
  }
  const none = await check(["--config", "none.toml", "--env", "absent"], { cwd: folder(t, { "none.toml": toml(VARS) }) });
  assert.match(none.said, /none\.toml cannot be read: it has no environment \[env\.absent\]\n$/);
});

test("what cannot be read is said, with the line and without a line of it", async (t) => {
  const path = folder(t, {
    "broken.toml": `[vars]\nORIGIN_URL = "https://s3cret.acme.test\n`,
    "broken.jsonc": `{ "vars": {\n "ORIGIN_URL": "s3cret"\n "B": 1 } }`,
    "hostile.toml": `vars = ${HOSTILE.replaceAll("\0", "")}`,
  });
  const of = (file) => check(["--config", file], { cwd: path });
  assert.match((await of("broken.toml")).said, /broken\.toml cannot be read: Invalid TOML.* \(line 2\)\n$/);
  assert.match((await of("broken.jsonc")).said, /broken\.jsonc cannot be read: CommaExpected \(line 3\)\n$/);
  assert.match((await of("absent.toml")).said, /absent\.toml cannot be read: .*no such file/);
  for (const file of ["broken.toml", "broken.jsonc", "absent.toml", "hostile.toml"]) {
    const { code, said } = await of(file);
    assert.ok(code === 1 && !said.includes("s3cret"), said);
    assertPlain(said);
  }
  const { code, said } = await check(["--what"]);
  assert.ok(code === 2 && said.includes("usage: npx mcp-edge-auth check"), said);
});

test("of two files side by side, the one that wrangler ignores is a fault", async (t) => {
  const names = ["wrangler.json", "wrangler.jsonc", "wrangler.toml"];
  const contents = { "wrangler.json": sound(), "wrangler.jsonc": sound(), "wrangler.toml": toml(VARS) };
  for (const [taken, ignored] of [[0, 1], [0, 2], [1, 2]].map((pair) => pair.map((n) => names[n]))) {
    const path = folder(t, { [taken]: contents[taken], [ignored]: contents[ignored], "trial.toml": toml(VARS) });
    const fault = `${join(path, ignored)}: expected no such file: wrangler takes ${join(path, taken)}, and ignores this one beside it`;
    for (const named of [taken, ignored]) {
      assert.deepEqual(await check(["--config", named], { cwd: path }), { code: 1, said: `Resource Server auth enabled: false\n- ${fault}\n` });
    }
    // A file of another name is meant.
    assert.equal((await check(["--config", "trial.toml"], { cwd: path })).code, 0);
    const { code, out } = await doctor(["--config", join(path, ignored)]);
    assert.equal(code, 1);
    assert.ok(out.includes(`FAIL  settings: ${fault}`), out);
  }
  const broken = folder(t, { "wrangler.json": "{", "wrangler.toml": toml({}) });
  const { said } = await check(["--config", "wrangler.toml"], { cwd: broken });
  assert.ok(said.includes("wrangler.toml: expected no such file") && said.includes("- ORIGIN_URL: "), "all faults at once");
});

/** What the reader says in a folder, where no file is named. */
function found(cwd) {
  const child = fork(join(ROOT, "cli", "wrangler", "reader.mjs"), ['{"wrangler":"wrangler"}'], { cwd, env: wranglerEnv(), stdio: ["ignore", "ignore", "inherit", "ipc"] });
  return bounded("the reader's word", new Promise((resolve) => child.once("message", resolve)), 60_000);
}

test("without --config it is the file that a plain deploy takes", async (t) => {
  const vars = (url) => ({ vars: { ORIGIN_URL: url } });
  const path = folder(t, {
    "one/wrangler.jsonc": vars("one"),
    "two/wrangler.toml": toml({ ORIGIN_URL: "toml" }),
    "two/wrangler.json": vars("json"),
    "above/wrangler.json": vars("above"),
    "above/below/wrangler.toml": toml({ ORIGIN_URL: "below" }),
    "built/wrangler.toml": toml({ ORIGIN_URL: "written" }),
    "built/.wrangler/deploy/config.json": { configPath: "../../dist/wrangler.json" },
    "built/dist/wrangler.json": vars("built"),
    "none/x": "",
  });
  const read = async (name) => {
    const { file, settings, taken, ignored } = await found(join(path, name));
    return { file, origin: settings?.vars.ORIGIN_URL, taken, ignored };
  };
  assert.deepEqual(await read("one"), { file: "wrangler.jsonc", origin: "one", taken: undefined, ignored: undefined });
  assert.deepEqual(await read("two"), { file: "wrangler.json", origin: "json", taken: "wrangler.json", ignored: ["wrangler.toml"] });
  const above = join(path, "above", "wrangler.json");
  assert.deepEqual(await read("above/below"), { file: above, origin: "above", taken: above, ignored: ["wrangler.toml"] });
  assert.deepEqual(await read("built"), { file: join("dist", "wrangler.json"), origin: "built", taken: undefined, ignored: undefined });
  const { error } = await found(join(path, "none"));
  assert.match(error, /there is no wrangler\.json, no wrangler\.jsonc, no wrangler\.toml here/);
});

test("--dev-vars judges the secrets of .dev.vars, too", async (t) => {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256", privateKeyEncoding: { type: "pkcs8", format: "pem" }, publicKeyEncoding: { type: "spki", format: "pem" } });
  const key = privateKey.replaceAll("\n", "\\n");
  const assertion = sound({ MCP_SERVER_AUTH_ASSERTION: "header" });
  const path = folder(t, {
    "wrangler.jsonc": { ...assertion, env: { staging: assertion } },
    ".dev.vars": `MCP_SERVER_AUTH_ASSERTION_KEY="s3cret"\nMCP_SERVER_AUTH_CANONICAL_URL=http://127.0.0.1:8787/mcp\n`,
    ".dev.vars.staging": `MCP_SERVER_AUTH_ASSERTION_KEY="${key}"\n`,
  });
  const of = async (...args) => {
    const { code, said } = await check(["-c", "wrangler.jsonc", ...args], { cwd: path });
    assert.ok(!said.includes("s3cret"), said);
    return [code, said];
  };
  const [deployed, needed] = await of();
  assert.ok(deployed === 0 && needed.includes("Not seen here, and needed: npx wrangler secret put MCP_SERVER_AUTH_ASSERTION_KEY"), needed);
  const [local, fault] = await of("--dev-vars");
  assert.ok(local === 1 && /^- MCP_SERVER_AUTH_ASSERTION_KEY: /m.test(fault), fault);
  const [staging, said] = await of("--dev-vars", "--env", "staging");
  assert.ok(staging === 0 && said.includes(`Canonical URL: ${CANONICAL}`) && !/warning|Not seen/.test(said), said);
  const { out } = await doctor(["--config", join(path, "wrangler.jsonc"), "--dev-vars"]);
  assert.match(out, /^FAIL {2}settings: MCP_SERVER_AUTH_ASSERTION_KEY: /m);
});

test("a file that is not deployed, and one that nothing leads to, are said in a sentence", async (t) => {
  const { compatibility_date, routes, ...bare } = sound();
  const own = { vars: { ...VARS, MCP_SERVER_AUTH_CANONICAL_URL: "https://own.other.test/mcp" }, kv_namespaces: KV };
  const path = folder(t, {
    "bare.jsonc": bare,
    "bare.toml": toml(VARS).replace(/^[^[]+\[".*"\]\n/, ""),
    "envs.jsonc": { ...sound(), env: { own, routed: { ...own, route: { pattern: "own.other.test", custom_domain: true } } } },
    "other.jsonc": { ...sound(), kv_namespaces: [{ binding: "CACHE" }] },
  });
  const warned = async (...args) => {
    const { code, said } = await check(["--config", ...args], { cwd: path });
    assert.equal(code, 0, said);
    return said.match(/^warning: .*$/gm) ?? [];
  };
  const date = `warning: compatibility_date: there is none, and without it wrangler deploys nothing: add compatibility_date = "${DATE}"`;
  const route = (host) => `warning: routes: none leads to ${host}, the address that clients are given: add { pattern = "${host}", custom_domain = true }, unless the dashboard has its route, or the Worker runs elsewhere`;
  for (const file of ["bare.jsonc", "bare.toml"]) assert.deepEqual(await warned(file), [route("mcp.acme.test"), date], file);
  // Wrangler hands both down to an environment that has none of its own.
  assert.deepEqual(await warned("envs.jsonc", "--env", "own"), [route("own.other.test")]);
  assert.deepEqual(await warned("envs.jsonc", "--env", "routed"), []);
  assert.deepEqual(await warned("other.jsonc"), ["warning: kv_namespaces.CACHE: the Worker reads no KV namespace of this name; that of key sets is JWKS_CACHE"]);
  const { out } = await doctor(["--config", join(path, "bare.jsonc")]);
  for (const says of [date, route("mcp.acme.test")]) assert.ok(out.includes(says.replace("warning:", "warn  settings:")), out);
});

test("the doctor reads what wrangler reads", async (t) => {
  const path = folder(t, { "wrangler.jsonc": `{ "vars": ${JSON.stringify({ ...VARS, ORIGIN_HEADER: "s3cret" })}, "kv_namespaces": [{ "binding": "CACHE" }], }` });
  const { out } = await doctor(["--config", join(path, "wrangler.jsonc")]);
  assert.match(out, /^ok {4}settings: the settings have no fault$/m);
  assert.match(out, /^warn {2}settings: ORIGIN_HEADER: the Worker reads no such variable\n {6}→ did you mean ORIGIN_HEADERS\?$/m);
  assert.match(out, /^warn {2}settings: kv_namespaces\.CACHE: .* is JWKS_CACHE$/m);
  const absent = await doctor(["--config", join(path, "wrangler.jsonc"), "--env=absent"]);
  assert.match(absent.out, /^FAIL {2}settings: .*wrangler\.jsonc cannot be read: it has no environment env\.absent$/m);
});

test("the file as it is cloned names what is missing", async () => {
  const { code, said } = await check([]);
  assert.equal(code, 1);
  assert.equal(said.match(/^- /gm).length, 3, said);
});
