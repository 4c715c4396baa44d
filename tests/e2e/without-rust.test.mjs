// `check`, `doctor` and `schema` on a machine that has Node and nothing else: no cargo, no rustup,
// no compiler.
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { loadCore } from "../../cli/core.mjs";
import { ROOT, wranglerEnv } from "./support/bundle.mjs";
import { sound, wranglerToml } from "./support/doctor.mjs";
import { mint, seconds } from "./support/mint.mjs";
import { signingKey } from "./support/keys.mjs";
import { bounded } from "./support/until.mjs";

const COMMAND_MS = 60_000;
await loadCore(); // built where it has to be, which is not what is looked at here

/** A PATH in which there is only `node`, and a home in which there is nothing. */
function bare(t) {
  const folder = mkdtempSync(join(tmpdir(), "mcp-edge-auth-without-rust-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  symlinkSync(process.execPath, join(folder, "node"));
  const { CARGO_HOME, RUSTUP_HOME, CI, WORKERS_CI, ...rest } = wranglerEnv();
  const env = { ...rest, PATH: folder, HOME: folder };
  for (const name of ["cargo", "rustup", "rustc", "cc", "npm", "sh"]) assert.equal(spawnSync(name, ["--version"], { env }).error?.code, "ENOENT", name);
  return env;
}

/** `mcp-edge-auth NAME ARGS` there: { code, out, err }. */
async function command(env, name, args, input = "") {
  const child = spawn("node", [join(ROOT, "cli", "bin.mjs"), name, ...args], { env, cwd: ROOT });
  const said = { out: "", err: "" };
  child.stdout.on("data", (text) => (said.out += text));
  child.stderr.on("data", (text) => (said.err += text));
  child.stdin.on("error", () => {});
  child.stdin.end(input);
  const ended = new Promise((done) => child.once("close", done));
  const code = await bounded(name, ended, COMMAND_MS).finally(() => child.kill("SIGKILL"));
  return { code, ...said };
}

test("check and doctor need no Rust once what they run on is built", async (t) => {
  const env = bare(t);
  const { issuer, vars } = await sound(t);
  const file = wranglerToml(t, vars);
  const check = await command(env, "check", ["--config", file]);
  assert.deepEqual([check.code, check.err], [0, ""], check.out);
  assert.match(check.out, /^Resource Server auth enabled: true$/m);

  const now = seconds();
  const claims = { iss: issuer.url, aud: vars.MCP_SERVER_AUTH_CANONICAL_URL, sub: "user", iat: now, exp: now + 600, scope: "mcp:use" };
  const token = mint({ key: signingKey("rsa"), claims });
  const doctor = await command(env, "doctor", ["--config", file, "--token", "-"], token);
  assert.deepEqual([doctor.code, doctor.err], [0, ""], doctor.out);
  assert.match(doctor.out, /^ok {4}token\.verdict: accepted/m);
});

test("so does schema", (t) => {
  const { status, stdout, stderr } = spawnSync("node", [join(ROOT, "scripts", "schema.mjs")], { env: bare(t), encoding: "utf8", timeout: COMMAND_MS });
  assert.deepEqual([status, stderr], [0, ""]);
  assert.equal(stdout, readFileSync(join(ROOT, "docs", "settings.schema.json"), "utf8"));
});
