// What every command of package.json has in common: `--help`, options in both spellings, and a
// reader that has seen enough.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, delimiter, dirname, join } from "node:path";
import { test } from "node:test";
import { ROOT, wranglerEnv } from "./support/bundle.mjs";
import { wranglerToml } from "./support/doctor.mjs";
import { CANONICAL } from "./support/stage.mjs";
import { bounded } from "./support/until.mjs";

const COMMAND_MS = 300_000; // the first one compiles
const { scripts } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
const SOUND = {
  MCP_SERVER_AUTH_CANONICAL_URL: CANONICAL,
  MCP_SERVER_AUTH_AUTHORIZATION_SERVERS: [{ authorization_server_url: "http://127.0.0.1:9" }],
  ORIGIN_URL: "http://127.0.0.1:9/mcp",
};

/**
 * `node ARGS` in the repository: { code, out, err }. `closed`: nobody reads its stdout, from the
 * start.
 */
async function node(args, { env = {}, closed = false, input = "" } = {}) {
  const child = spawn(process.execPath, args, { cwd: ROOT, env: { ...wranglerEnv(), ...env }, stdio: ["pipe", "pipe", "pipe"] });
  let [out, err] = ["", ""];
  if (closed) child.stdout.destroy();
  else child.stdout.on("data", (chunk) => (out += chunk));
  child.stderr.on("data", (chunk) => (err += chunk));
  child.stdin.on("error", () => {});
  child.stdin.end(input);
  const ended = new Promise((resolve) => child.once("close", resolve));
  const code = await bounded(args.join(" "), ended, COMMAND_MS).finally(() => child.kill("SIGKILL"));
  return { code, out, err };
}

const BIN = join("cli", "bin.mjs");

test("--help is the usage, before anything is installed, compiled or started", async (t) => {
  // A cargo and an npm that only tell that somebody called them.
  const folder = mkdtempSync(join(tmpdir(), "mcp-edge-auth-commands-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const called = join(folder, "called");
  for (const name of ["cargo", "npm"]) writeFileSync(join(folder, name), `#!/bin/sh\necho "$0 $*" >> ${called}\nexit 1\n`, { mode: 0o755 });
  // On a CI a missing cargo is installed, which is not to happen on the machine of whoever tests.
  const env = { PATH: [folder, process.env.PATH].join(delimiter), CI: "", WORKERS_CI: "" };
  for (const [name, line] of Object.entries(scripts)) {
    if (line === "exec wrangler deploy") continue; // wrangler's own
    const [, file, ...args] = /^(?:exec )?node (\S+)(?: (\S+))?$/.exec(line).filter(Boolean);
    for (const help of ["--help", "-h"]) {
      const { code, out, err } = await node([file, ...args, help], { env });
      assert.deepEqual([code, err], [0, ""], name);
      if (file === BIN) {
        assert.match(out, new RegExp(`^usage: npx mcp-edge-auth ${name} `), "it names itself");
        continue;
      }
      assert.match(out, /^usage: npm [^\n]+\n$/, name);
      const own = name === "test" || name === "start" ? `npm ${name}` : `run (-s )?${name}`;
      assert.match(out, new RegExp(`${own}\\b`), "it names itself");
    }
  }
  assert.equal((await node([BIN, "keys", "show", "--env", "x", "--help"], { env })).code, 0, "wherever it stands");
  assert.ok(!existsSync(called), "nothing is called");
});

test("an option's value stands after a blank or after =", async (t) => {
  const file = wranglerToml(t, SOUND, "\n[env.bare]\n");
  const beside = { INIT_CWD: dirname(file) };
  const spellings = [["--config", file, "--env", "bare"], [`--config=${file}`, "--env=bare"], ["-c", file, "-e", "bare"], [`--config=${basename(file)}`, "--env", "bare"]];
  for (const args of spellings) {
    const check = await node([BIN, "check", ...args], { env: beside });
    assert.equal(check.code, 1, args.join(" "));
    assert.match(check.out, /MCP_SERVER_AUTH_CANONICAL_URL/, check.err);
    const doctor = await node([BIN, "doctor", ...args], { env: beside });
    assert.match(doctor.out, /^FAIL {2}settings: MCP_SERVER_AUTH_CANONICAL_URL/m, doctor.err);
  }
  for (const args of [["--env", "absent"], ["--env=absent"]]) {
    for (const name of ["check", "doctor", "serve"]) {
      const more = name === "serve" ? ["--no-build"] : [];
      const { code, out, err } = await node([BIN, name, "--config", file, ...more, ...args]);
      assert.equal(code, 1);
      assert.match(out + err, /absent/, `${name} ${args.join(" ")}`);
    }
  }
  const token = join(dirname(file), "token.txt");
  writeFileSync(token, "e30.e30.e30");
  for (const args of [["--token", token], [`--token=${token}`], ["--token=-"]]) {
    const { out } = await node([BIN, "doctor", `--config=${file}`, "--json", `--resource=${CANONICAL}`, ...args], { input: "e30.e30.e30" });
    assert.ok(JSON.parse(out).lines.some(({ check }) => check === "token.verdict"), out);
  }
  for (const name of ["check", "doctor"]) {
    for (const args of [["--env"], ["--config"], ["bare"], ["--what"]]) {
      const { code, err } = await node([BIN, name, ...args]);
      assert.equal(code, 2);
      assert.match(err, new RegExp(`^usage: npx mcp-edge-auth ${name} `, "m"));
    }
  }
});

test("a reader that has seen enough ends no command, and none says a word of it", async (t) => {
  const sound = ["--config", wranglerToml(t, SOUND)];
  const faulty = ["--config", wranglerToml(t, {})];
  for (const [args, code, says = /^$/] of [
    [[BIN, "check", ...sound], 0],
    [[BIN, "check", ...faulty], 1],
    [[BIN, "doctor", ...sound], 1],
    [[BIN, "doctor", ...sound, "--json"], 1],
    [[BIN, "doctor", ...faulty], 1],
    [[BIN, "keys", "show", "--persist-to", dirname(faulty[1])], 0],
    [[BIN, "keygen"], 0, /^\nNothing was stored\./],
    [[BIN, "check", "--help"], 0],
  ]) {
    const found = await node(args, { closed: true });
    assert.equal(found.code, code, `${args.join(" ")}\n${found.err}`);
    assert.match(found.err, says, args.join(" "));
  }
});

test("a command whose lines are read by another one goes on after its reader has gone", async () => {
  const program = `import { run } from "./scripts/setup.mjs";
let seen = 0;
const code = await run(process.execPath, ["-e", "for (let i = 0; i < 20000; i++) console.log('a line of some length ' + i)"], { onLine: () => seen++ });
process.exit(code === 0 && seen === 20000 ? 7 : 1);`;
  const { code, err } = await node(["--input-type=module", "-e", program], { closed: true });
  assert.deepEqual([code, err], [7, ""]);
});
