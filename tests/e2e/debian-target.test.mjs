// docs/decisions/0009: where rustup cannot add the wasm target, `cargo xtask build` installs
// Debian's packages only if somebody said so. rustc, rustup, id and apt-get are fake ones here: a
// root who has no target, and whose apt-get writes down what it is asked, and fails.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { test } from "node:test";
import { ROOT } from "./support/bundle.mjs";
import { bounded } from "./support/until.mjs";

const XTASK = join(process.env.CARGO_TARGET_DIR ?? join(ROOT, "target"), "debug", "xtask");
const SENTENCE = "The Rust target wasm32-unknown-unknown is missing and could not be added: run `rustup target add wasm32-unknown-unknown` where the Rust release server can be reached";
const skip = existsSync("/etc/debian_version") ? false : "this is no Debian";

/** `xtask build` on that machine: { code, said, asked }, asked being apt-get's arguments. */
function build(t, env = {}, uid = 0) {
  const home = mkdtempSync(join(tmpdir(), "mcp-edge-auth-debian-"));
  t.after(() => rmSync(home, { recursive: true, force: true }));
  const fakes = { rustc: "echo /nowhere", rustup: "exit 1", id: `echo ${uid}`, "apt-get": 'echo "$@" >> "$HOME/asked"; exit 1' };
  for (const [name, text] of Object.entries(fakes)) {
    writeFileSync(join(home, name), `#!/bin/sh\n${text}\n`);
    chmodSync(join(home, name), 0o755);
  }
  for (const tool of ["sh", "sed"]) {
    symlinkSync(process.env.PATH.split(delimiter).map((folder) => join(folder, tool)).find(existsSync), join(home, tool));
  }
  const ended = new Promise((resolve) => {
    execFile(XTASK, ["build"], { env: { PATH: home, HOME: home, ...env } }, (error, stdout, stderr) => {
      const asked = existsSync(join(home, "asked")) ? readFileSync(join(home, "asked"), "utf8").trim() : undefined;
      resolve({ code: error ? error.code : 0, said: stdout + stderr, asked });
    });
  });
  return bounded("xtask", ended);
}

test("unasked, no package is installed, and one sentence says what would be", { skip }, async (t) => {
  for (const env of [{}, { CI: "" }, { MCP_EDGE_AUTH_APT: "" }, { MCP_EDGE_AUTH_APT: "0" }]) {
    const { code, said, asked } = await build(t, env);
    assert.deepEqual([code, asked], [1, undefined], said);
    assert.equal(
      said.trim().split("\n").at(-1),
      `${SENTENCE}, or let it be built from Debian's Rust by setting MCP_EDGE_AUTH_APT=1, which installs the packages rustc-web, cargo-web and rust-web-src; then try again.`,
    );
  }
});

test("where it is permitted, it is said before it is done", { skip }, async (t) => {
  for (const env of [{ MCP_EDGE_AUTH_APT: "1" }, { CI: "true" }]) {
    const { code, said, asked } = await build(t, env);
    assert.deepEqual([code, asked], [1, "update -qq"]);
    assert.match(said, /this installs the packages rustc-web, cargo-web and rust-web-src[\s\S]*could not be built from Debian's Rust\n$/);
  }
});

test("who is not root is not told of packages", async (t) => {
  const { code, said, asked } = await build(t, { MCP_EDGE_AUTH_APT: "1" }, 1000);
  assert.deepEqual([code, asked], [1, undefined]);
  assert.equal(said.trim().split("\n").at(-1), `${SENTENCE}; then try again.`);
});
