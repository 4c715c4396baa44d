// docs/deploying.md: on a CI without Rust the build installs it, and only there. The installer here is a fake one on loopback, which puts a
// `cargo` that writes down what it is asked into CARGO_HOME.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { chmodSync, existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import http from "node:http";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { test } from "node:test";
import { ROOT } from "./support/bundle.mjs";
import { closed, listen } from "./support/issuer.mjs";
import { bounded } from "./support/until.mjs";

const INSTALLER = `#!/bin/sh
echo "$@" > "$HOME/installed-with"
mkdir -p "$CARGO_HOME/bin"
printf '#!/bin/sh\\necho "$@" >> "$HOME/cargo-was-asked"\\n' > "$CARGO_HOME/bin/cargo"
chmod +x "$CARGO_HOME/bin/cargo"
`;

/** A server of `/rustup-init.sh`, which counts. */
async function installerServer(t, status = 200, body = INSTALLER) {
  const asked = [];
  const server = http.createServer((req, res) => {
    asked.push(req.url);
    res.writeHead(status).end(body);
  });
  t.after(() => closed(server));
  return { url: `http://127.0.0.1:${await listen(server, 0)}`, asked };
}

/** A machine with Node, a shell and a few tools, and no cargo: `node scripts/build-step.mjs` on it. */
function machine(t, server) {
  const home = mkdtempSync(join(tmpdir(), "mcp-edge-auth-machine-"));
  t.after(() => rmSync(home, { recursive: true, force: true }));
  for (const tool of ["sh", "curl", "mktemp", "mkdir", "chmod", "rm"]) {
    const found = process.env.PATH.split(delimiter).map((folder) => join(folder, tool)).find(existsSync);
    symlinkSync(found, join(home, tool));
  }
  const build = (env) => {
    const options = { cwd: ROOT, env: { PATH: home, HOME: home, TMPDIR: home, CARGO_HOME: join(home, "cargo-home"), RUSTUP_UPDATE_ROOT: server.url, ...env } };
    const ended = new Promise((resolve) => {
      execFile(process.execPath, ["scripts/build-step.mjs"], options, (error, stdout, stderr) => resolve({ code: error ? error.code : 0, said: stdout + stderr }));
    });
    return bounded("the build", ended);
  };
  return { home, build, read: (name) => readFileSync(join(home, name), "utf8").trim() };
}

for (const name of ["WORKERS_CI", "CI"]) {
  test(`with ${name} it is installed, without touching a profile, and the build goes on`, async (t) => {
    const server = await installerServer(t);
    const { home, build, read } = machine(t, server);
    const { code, said } = await build({ [name]: "1" });
    assert.equal(code, 0, said);
    assert.deepEqual(server.asked, ["/rustup-init.sh"]);
    const flags = read("installed-with");
    assert.match(flags, /^-y .*--profile minimal .*--target wasm32-unknown-unknown .*--no-modify-path$/);
    const least = /^rust-version = "(\d+)\.(\d+)"/m.exec(readFileSync(join(ROOT, "Cargo.toml"), "utf8"));
    const installed = /--default-toolchain (\d+)\.(\d+)\.\d+ /.exec(flags);
    assert.ok(Number(installed[1]) === Number(least[1]) && Number(installed[2]) >= Number(least[2]), flags);
    assert.match(read("cargo-was-asked"), /(^|\n)xtask build$/);
    assert.deepEqual(readdirSync(home).filter((file) => file.startsWith("tmp.")), []);

    // What is there is not installed again.
    assert.equal((await build({ [name]: "1" })).code, 0);
    assert.equal(server.asked.length, 1);
  });
}

test("elsewhere nothing is installed, and one sentence says what is needed", async (t) => {
  const server = await installerServer(t);
  const { home, build } = machine(t, server);
  const { code, said } = await build({});
  assert.equal(code, 1);
  assert.equal(said.trim(), "mcp-edge-auth needs Rust with cargo, and none was found that runs; install it from https://rustup.rs and try again.");
  assert.deepEqual([server.asked, existsSync(join(home, "cargo-home"))], [[], false]);
});

test("a cargo that works is used, on a CI too", async (t) => {
  const server = await installerServer(t);
  const { home, build, read } = machine(t, server);
  writeFileSync(join(home, "cargo"), '#!/bin/sh\necho "$@" >> "$HOME/cargo-was-asked"\n');
  chmodSync(join(home, "cargo"), 0o755);
  assert.equal((await build({ CI: "true" })).code, 0);
  assert.deepEqual(server.asked, []);
  assert.match(read("cargo-was-asked"), /xtask build$/);
});

test("an installer that cannot be had is never run, and the build fails", async (t) => {
  const server = await installerServer(t, 404, 'touch "$HOME/ran"');
  const { home, build } = machine(t, server);
  const { code, said } = await build({ CI: "true" });
  assert.equal(code, 1);
  assert.match(said, /404[\s\S]*needs Rust with cargo/);
  assert.ok(!existsSync(join(home, "ran")));
});
