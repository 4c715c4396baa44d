// docs/deploying.md: on a CI without Rust the build installs it, and only there. The installer here
// is a fake one on loopback, which puts a `cargo` that writes down what it is asked into
// CARGO_HOME. It has another checksum than rustup's, so it runs only from a copy of the scripts in
// which that checksum was put in the place of rustup's.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { chmodSync, cpSync, existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
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

const RUSTUP = "1.28.2";
const CHECKSUM = /^ *sha256=([0-9a-f]{64})$/gm;
const script = readFileSync(join(ROOT, "scripts/install-rust.sh"), "utf8");
const sha256 = (text) => createHash("sha256").update(text).digest("hex");

/** A server of installers, which counts. */
async function installerServer(t, { status = 200, body = INSTALLER } = {}) {
  const asked = [];
  const server = http.createServer((req, res) => {
    asked.push(req.url);
    res.writeHead(status).end(body);
  });
  t.after(() => closed(server));
  return { url: `http://127.0.0.1:${await listen(server, 0)}`, asked };
}

/**
 * A machine with Node, a shell and a few tools, and no cargo: `node scripts/build-step.mjs` on it.
 * believed: the installer whose checksum the scripts have in place of rustup's; the repository's
 * own scripts without.
 */
function machine(t, server, { believed, is = "Linux x86_64" } = {}) {
  const home = mkdtempSync(join(tmpdir(), "mcp-edge-auth-machine-"));
  t.after(() => rmSync(home, { recursive: true, force: true }));
  for (const tool of ["sh", "curl", "mktemp", "mkdir", "chmod", "rm", "sha256sum"]) {
    const found = process.env.PATH.split(delimiter).map((folder) => join(folder, tool)).find(existsSync);
    symlinkSync(found, join(home, tool));
  }
  const [system, processor] = is.split(" ");
  executable(join(home, "uname"), `[ "$1" = -m ] && echo ${processor} || echo ${system}`);
  let root = ROOT;
  if (believed) {
    root = join(home, "repository");
    for (const folder of ["scripts", "cli"]) cpSync(join(ROOT, folder), join(root, folder), { recursive: true });
    writeFileSync(join(root, "scripts/install-rust.sh"), script.replace(CHECKSUM, `sha256=${sha256(believed)}`));
  }
  const build = (env) => {
    const options = { cwd: root, env: { PATH: home, HOME: home, TMPDIR: home, CARGO_HOME: join(home, "cargo-home"), RUSTUP_UPDATE_ROOT: server.url, ...env } };
    const ended = new Promise((resolve) => {
      execFile(process.execPath, ["scripts/build-step.mjs"], options, (error, stdout, stderr) => resolve({ code: error ? error.code : 0, said: stdout + stderr }));
    });
    return bounded("the build", ended);
  };
  const left = () => readdirSync(home).filter((file) => file.startsWith("tmp."));
  return { home, build, left, read: (name) => readFileSync(join(home, name), "utf8").trim() };
}

function executable(path, text) {
  writeFileSync(path, `#!/bin/sh\n${text}\n`);
  chmodSync(path, 0o755);
}

for (const [name, is, host] of [["WORKERS_CI", "Linux x86_64", "x86_64-unknown-linux-gnu"], ["CI", "Linux aarch64", "aarch64-unknown-linux-gnu"]]) {
  test(`with ${name} on ${is} it is installed, without touching a profile, and the build goes on`, async (t) => {
    const server = await installerServer(t);
    const { build, left, read } = machine(t, server, { believed: INSTALLER, is });
    const { code, said } = await build({ [name]: "1" });
    assert.equal(code, 0, said);
    assert.deepEqual(server.asked, [`/archive/${RUSTUP}/${host}/rustup-init`]);
    const flags = read("installed-with");
    assert.match(flags, /^-y .*--profile minimal .*--target wasm32-unknown-unknown .*--no-modify-path$/);
    const least = /^rust-version = "(\d+)\.(\d+)"/m.exec(readFileSync(join(ROOT, "Cargo.toml"), "utf8"));
    const installed = /--default-toolchain (\d+)\.(\d+)\.\d+ /.exec(flags);
    assert.ok(Number(installed[1]) === Number(least[1]) && Number(installed[2]) >= Number(least[2]), flags);
    assert.match(read("cargo-was-asked"), /(^|\n)xtask build$/);
    assert.deepEqual(left(), []);

    // What is there is not installed again.
    assert.equal((await build({ [name]: "1" })).code, 0);
    assert.equal(server.asked.length, 1);
  });
}

const RAN = 'touch "$HOME/ran"';
for (const [what, installer, believed] of [
  ["one that is not rustup's", { body: `#!/bin/sh\n${RAN}\n` }],
  ["one of which a byte was changed", { body: INSTALLER.replace("echo", `${RAN}; echo`) }, INSTALLER],
  ["one that ends too soon", { body: `${RAN}\n` }, `${RAN}\n${INSTALLER}`],
  ["an empty one", { body: "" }, INSTALLER],
]) {
  test(`${what} is never run, and the build fails`, async (t) => {
    const server = await installerServer(t, installer);
    const { home, build, left } = machine(t, server, { believed });
    const { code, said } = await build({ CI: "true" });
    assert.equal(code, 1);
    assert.match(said, /What came is not rustup 1\.28\.2, whose SHA-256 is [0-9a-f]{64}\. It was not run\.\n[\s\S]*needs Rust with cargo/);
    assert.equal(server.asked.length, 1);
    assert.deepEqual([existsSync(join(home, "ran")), existsSync(join(home, "cargo-home")), left()], [false, false, []]);
  });
}

test("nor where the checksum cannot be computed", async (t) => {
  const server = await installerServer(t);
  const { home, build } = machine(t, server, { believed: INSTALLER });
  rmSync(join(home, "sha256sum"));
  assert.equal((await build({ CI: "true" })).code, 1);
  assert.ok(!existsSync(join(home, "installed-with")));
});

test("on a machine of another kind nothing is downloaded, and one sentence says why", async (t) => {
  const server = await installerServer(t);
  for (const is of ["Darwin arm64", "Linux riscv64", "Linux armv7l", "FreeBSD x86_64"]) {
    const { code, said } = await machine(t, server, { believed: INSTALLER, is }).build({ CI: "true" });
    assert.equal(code, 1);
    assert.match(said, new RegExp(`^Rust is installed on Linux only, on x86_64 and aarch64; this is ${is}\\.\n.*needs Rust with cargo`));
  }
  assert.deepEqual(server.asked, []);
});

test("each kind of machine has a checksum of its own", () => {
  const found = [...script.matchAll(CHECKSUM)].map(([, checksum]) => checksum);
  assert.equal(new Set(found).size, 2);
});

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
  executable(join(home, "cargo"), 'echo "$@" >> "$HOME/cargo-was-asked"');
  assert.equal((await build({ CI: "true" })).code, 0);
  assert.deepEqual(server.asked, []);
  assert.match(read("cargo-was-asked"), /xtask build$/);
});

test("an installer that cannot be had is never run, and the build fails", async (t) => {
  const server = await installerServer(t, { status: 404, body: `#!/bin/sh\n${RAN}\n` });
  const { home, build } = machine(t, server);
  const { code, said } = await build({ CI: "true" });
  assert.equal(code, 1);
  assert.match(said, /404[\s\S]*needs Rust with cargo/);
  assert.ok(!existsSync(join(home, "ran")));
});
