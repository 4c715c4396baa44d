// `mcp-edge-auth`: what all its commands have in common, its exit codes, and `deploy`. What each
// command does has a file of its own: check, doctor, init, dev, serve, keygen, keys-command.
import assert from "node:assert/strict";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { ROOT } from "./support/bundle.mjs";
import { command, emptyFolder } from "./support/command.mjs";
import { wranglerToml } from "./support/doctor.mjs";

const NAMES = ["init", "check", "doctor", "dev", "serve", "logs", "keygen", "keys", "revoke", "deploy"];
const { version, bin, scripts } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));

test("--help names every command, and every command its options", async () => {
  for (const args of [["--help"], ["-h"], ["help"]]) {
    const { code, out, err } = await command(args);
    assert.deepEqual([code, err], [0, ""]);
    assert.deepEqual([...out.matchAll(/^ {2}(\w+) {2,}\S/gm)].map(([, name]) => name), NAMES);
    assert.ok(out.split("\n").every((line) => line.length <= 100), out);
  }
  for (const name of NAMES) {
    const { code, out, err } = await command([name, "--nonsense", "--help"]);
    assert.deepEqual([code, err], [0, ""], name);
    const [usage, ...lines] = out.split("\n");
    const listed = [...out.matchAll(/^ {2}(?:-\w, | {4})--([\w-]+)/gm)].map(([, option]) => option);
    assert.deepEqual([...usage.matchAll(/\[--([\w-]+)/g)].map(([, option]) => option).concat("help"), listed, out);
    assert.ok(lines.every((line) => line.length <= 100), out);
  }
});

test("what is typed wrongly ends with exit code 2, the reason and the usage", async () => {
  for (const args of [[], ["chek"], ["--what"], ["constructor"]]) {
    const { code, out, err } = await command(args);
    assert.deepEqual([code, out], [2, ""]);
    assert.match(err, /^usage: npx mcp-edge-auth /m);
    if (args.length) assert.match(err, /^There is no command /);
  }
  for (const name of NAMES) {
    const { code, out, err } = await command([name, "--what"]);
    assert.deepEqual([code, out], [2, ""], name);
    assert.match(err, new RegExp(`--what.*\\nusage: npx mcp-edge-auth ${name}\\b`));
  }
});

test("--version is the package's, which has the command", async () => {
  for (const option of ["--version", "-v"]) assert.equal((await command([option])).out, `${version}\n`);
  assert.deepEqual(bin, { "mcp-edge-auth": "cli/bin.mjs" });
  // The Deploy button runs the script `deploy`, where the variables need not be in the file.
  for (const name of NAMES.filter((name) => name in scripts && name !== "deploy")) assert.equal(scripts[name], `exec node cli/bin.mjs ${name}`);
});

const SOUND = {
  MCP_SERVER_AUTH_CANONICAL_URL: "https://mcp.acme.test/mcp",
  MCP_SERVER_AUTH_AUTHORIZATION_SERVERS: [{ authorization_server_url: "http://127.0.0.1:9" }],
  ORIGIN_URL: "http://127.0.0.1:9/mcp",
};

test("--json is what a machine may read", async (t) => {
  const folder = emptyFolder(t);
  const read = async (...args) => {
    const { code, out, err } = await command([...args, "--json"], { cwd: folder });
    return [code, JSON.parse(out || err)];
  };
  const [sound, faulty] = [wranglerToml(t, SOUND), wranglerToml(t, {})];
  const [passed, summary] = await read("check", "--config", sound);
  assert.deepEqual([passed, summary.ok], [0, true]);
  assert.ok(summary.lines.some(({ level, says }) => level === "info" && says === `Canonical URL: ${SOUND.MCP_SERVER_AUTH_CANONICAL_URL}`));
  const [failed, faults] = await read("check", "--config", faulty);
  assert.deepEqual([failed, faults.ok, faults.lines.filter(({ level }) => level === "fault").length], [1, false, 3]);
  const [absent, { ok, error }] = await read("check", "--config", "absent.toml");
  assert.deepEqual([absent, ok], [1, false]);
  assert.match(error, /absent\.toml cannot be read/);
  const [, doctor] = await read("doctor", "--config", faulty);
  assert.deepEqual([doctor.ok, doctor.lines.every(({ check, level }) => check && level)], [false, true]);
  writeFileSync(join(folder, "wrangler.json"), JSON.stringify({ name: "trial", kv_namespaces: [{ binding: "JWKS_CACHE", id: "0123" }] }));
  const [code, keys] = await read("keys", "show", "--persist-to", folder);
  assert.deepEqual([code, keys.action, keys.key_sets], [0, "show", []]);
  assert.ok(keys.store.endsWith(join(folder, "v3", "kv")), keys.store);
});

test("deploy does not ask wrangler where check finds a fault, and hands its options on", async (t) => {
  const faulty = await command(["deploy", "--config", wranglerToml(t, {}), "--dry-run"]);
  assert.equal(faulty.code, 1);
  assert.match(faulty.out, /^- ORIGIN_URL: /m);
  assert.equal(faulty.err, "Nothing was deployed.\n");

  const folder = emptyFolder(t);
  const config = join(folder, "wrangler.json");
  writeFileSync(join(folder, "main.mjs"), "export default { fetch: () => new Response() };\n");
  writeFileSync(config, JSON.stringify({ name: "trial", main: "main.mjs", compatibility_date: "2026-04-26", vars: SOUND, env: { other: { name: "other", vars: SOUND } } }));
  const out = join(folder, "out");
  const { code, out: said, err } = await command(["deploy", "--config", config, "--env", "other", "--dry-run", "--", "--outdir", out], { cwd: folder });
  assert.equal(code, 0, err);
  assert.match(said, /^Canonical URL: [^]*--dry-run: exiting now/m);
  assert.ok(existsSync(join(out, "main.js")));
  for (const other of ["--env", "--env=other", "-e", "-cother.json", "--config", "--var", "--name"]) {
    const { code, out, err } = await command(["deploy", "--config", config, "--dry-run", "--", other, "other"], { cwd: folder });
    assert.deepEqual([code, out], [2, ""], other);
    assert.match(err, /would deploy something else than what was checked/);
  }
  const refused = await command(["deploy", "--config", config, "--dry-run", "--", "--nonsense"], { cwd: folder });
  assert.equal(refused.code, 1);
  assert.match(refused.err, /nonsense/);
});
