// The npm package, packed from the build of this clone and installed in an empty folder, on a
// machine that has Node, npm and a shell, and no Rust and no compiler.
//
// With the pinned wrangler, which is linked into the folder; with MCP_EDGE_AUTH_WRANGLER=VERSION,
// as `npm run test:matrix` sets it, that one and TypeScript are installed from npm's registry.
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { loadCore } from "../../../cli/core.mjs";
import { assemble, pack } from "../../../scripts/package.mjs";
import { wranglerEnv, wranglerPath } from "./bundle.mjs";
import { bounded } from "./until.mjs";

const STEP_MS = 120_000;
const INSTALL_MS = 300_000;

/** The wrangler that somebody asked for, and not the pinned one. */
export const givenWrangler = process.env.MCP_EDGE_AUTH_WRANGLER;

/**
 * Gives { folder, project, installed, packed, run, ok, start, remove }: the operator's folder, the
 * package in it, its file, and programs that run in that folder.
 */
export async function installPackage() {
  await loadCore(); // what the commands run on, built where it has to be
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "mcp-edge-auth-package-")));
  for (const name of ["project", "home", "path"]) mkdirSync(join(folder, name));
  const project = join(folder, "project");
  const machine = programsIn(project, bare(folder));
  assemble(join(folder, "package"));
  const packed = pack(join(folder, "package"), folder);
  await install(project, packed, machine.ok);
  const remove = () => rmSync(folder, { recursive: true, force: true });
  return { folder, project, installed: join(project, "node_modules", "mcp-edge-auth"), packed, ...machine, remove };
}

/** A PATH with Node, npm and a shell, and a home without anything. */
function bare(folder) {
  const path = join(folder, "path");
  const find = (name) => realpathSync(process.env.PATH.split(delimiter).map((place) => join(place, name)).find(existsSync));
  symlinkSync(process.execPath, join(path, "node"));
  for (const name of ["sh", "npm", "npx"]) symlinkSync(find(name), join(path, name));
  // What npm says to whoever runs the tests.
  const ofNpm = (name) => name.startsWith("npm_") && name !== "npm_config_registry";
  const { CARGO_HOME, RUSTUP_HOME, RUSTUP_TOOLCHAIN, CI, INIT_CWD, NODE_OPTIONS, NODE_TEST_CONTEXT, ...rest } = wranglerEnv();
  const env = { ...Object.fromEntries(Object.entries(rest).filter(([name]) => !ofNpm(name))), PATH: path, HOME: join(folder, "home") };
  for (const name of ["cargo", "rustup", "rustc", "cc", "gcc", "clang", "git"]) {
    assert.equal(spawnSync(name, ["--version"], { env }).error?.code, "ENOENT", name);
  }
  return env;
}

/** The package, and beside it wrangler. */
async function install(project, packed, ok) {
  const quiet = ["--save-dev", "--ignore-scripts", "--no-audit", "--no-fund"];
  if (givenWrangler) {
    await ok("npm", ["install", ...quiet, packed, `wrangler@${givenWrangler}`, "typescript@5"], { ms: INSTALL_MS });
    return;
  }
  await ok("npm", ["install", ...quiet, "--offline", "--legacy-peer-deps", packed]);
  symlinkSync(join(wranglerPath(), "..", ".."), join(project, "node_modules", "wrangler"));
  symlinkSync(join("..", "wrangler", "bin", "wrangler.js"), join(project, "node_modules", ".bin", "wrangler"));
}

function programsIn(cwd, machine) {
  /**
   * A program that goes on: { out, err, ended, kill(signal) }. `env` adds to that of the machine.
   */
  const start = (name, args, { env = {} } = {}) => {
    // A group of its own: npx starts a shell, which starts the program.
    const child = spawn(name, args, { cwd, env: { ...machine, ...env }, detached: true, stdio: ["ignore", "pipe", "pipe"] });
    const ended = new Promise((resolve, reject) => child.once("error", reject).once("close", resolve));
    const program = { out: "", err: "", ended };
    child.stdout.on("data", (chunk) => (program.out += chunk));
    child.stderr.on("data", (chunk) => (program.err += chunk));
    program.kill = (signal = "SIGKILL") => {
      try {
        process.kill(-child.pid, signal);
      } catch {
        // It has ended.
      }
    };
    return program;
  };
  /** A program that ends: { code, out, err, seconds }. */
  const run = async (name, args, { ms = STEP_MS } = {}) => {
    const since = performance.now();
    const program = start(name, args);
    const code = await bounded([name, ...args].join(" "), program.ended, ms).finally(program.kill);
    return { code, out: program.out, err: program.err, seconds: ((performance.now() - since) / 1000).toFixed(1) };
  };
  /** The same, which has to end well. */
  const ok = async (name, args, options) => {
    const found = await run(name, args, options);
    assert.equal(found.code, 0, `${name} ${args.join(" ")}\n${found.out}\n${found.err}`);
    return found;
  };
  return { start, run, ok };
}
