// What every command needs before it can do its work: Node, the npm packages, Rust.
//
// It promises: only node: built-ins are imported here, and what needs no more, so a fresh clone can
// run it; what can be installed without asking (npm packages, into this folder) is installed; what
// cannot is named in one sentence, and the exit code is 1. A signal ends a command with all that it
// started; `exec` in package.json is there so that npm's signals arrive.

import { spawn, spawnSync } from "node:child_process";
import { existsSync, statSync } from "node:fs";
import { constants, homedir } from "node:os";
import { delimiter, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

import { stop } from "../cli/terminal.mjs";

export { requireNode, stop } from "../cli/terminal.mjs";

/** The repository's folder; every command runs there, wherever it was called from. */
export const ROOT = fileURLToPath(new URL("..", import.meta.url));

const ENDING = ["SIGINT", "SIGTERM", "SIGHUP"];
const LOCK = join(ROOT, "package-lock.json");
// npm writes this one last, so an interrupted installation is seen and done again.
const INSTALLED = join(ROOT, "node_modules", ".package-lock.json");

/**
 * The text itself; where a command is asked for `--help`, this is all that it does: the text on
 * stdout, exit code 0.
 */
export function usage(text) {
  if (!process.argv.slice(2).some((argument) => argument === "--help" || argument === "-h")) return text;
  console.log(text);
  return process.exit(0);
}

/** Installs the packages of package-lock.json if they are missing or older than it. */
export async function ensurePackages({ quiet = false } = {}) {
  if (existsSync(INSTALLED) && statSync(INSTALLED).mtimeMs >= statSync(LOCK).mtimeMs) return;
  if (!quiet) console.log("Installing the npm packages (once, about 10 seconds) ...");
  // No package needs its install script; without them nothing but npm itself runs here.
  const code = await run("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund"], { quiet });
  if (code !== 0) stop("The npm packages could not be installed; npm said why above.");
}

/**
 * Finds cargo, also where rustup puts it when the shell does not know yet. A CI (Workers Builds,
 * which has no Rust, sets WORKERS_CI) has nobody to ask: there it is installed. Anybody else's
 * machine is theirs.
 */
export function requireRust() {
  const works = () => spawnSync("cargo", ["--version"], { stdio: "ignore" }).status === 0;
  if (works()) return;
  process.env.PATH = [process.env.PATH, join(process.env.CARGO_HOME || join(homedir(), ".cargo"), "bin")].join(delimiter);
  if (works()) return;
  if (process.env.WORKERS_CI || process.env.CI) spawnSync("sh", [join(ROOT, "scripts", "install-rust.sh")], { stdio: ["ignore", "inherit", "inherit"] });
  if (!works()) stop("mcp-edge-auth needs Rust with cargo, and none was found that runs; install it from https://rustup.rs and try again.");
}

/** `cargo xtask build` with its progress in sight; resolves to the exit code. */
export const buildWorker = (args = []) => xtask(["build", ...args]);

/**
 * `cargo xtask cli`, which the commands run on. All that is said goes to stderr: stdout is the
 * command's.
 */
export const buildCommands = () => xtask(["cli"], { stdout: process.stderr });

async function xtask(args, options) {
  // The alias `xtask` compiles the builder without a word; on a cold machine that is a minute of
  // silence.
  const code = await run("cargo", ["build", "--package", "xtask"], options);
  return code === 0 ? run("cargo", ["xtask", ...args], options) : code;
}

/**
 * Runs a command in the repository with this terminal; resolves to its exit code. `onLine` sees
 * each line of stdout, which is printed all the same; `stdout` is where stdout goes instead. A
 * signal to this process ends the command with all that it started.
 */
export function run(command, args, { quiet = false, onLine, stdout = "inherit" } = {}) {
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      cwd: ROOT,
      // A process group of its own, so that cargo's compilers and npm's workers can be stopped with
      // it.
      detached: true,
      stdio: ["ignore", quiet ? "ignore" : onLine ? "pipe" : stdout, "inherit"],
    });
    if (child.stdout) {
      createInterface({ input: child.stdout }).on("line", (line) => {
        console.log(line);
        onLine(line);
      });
    }
    const forward = (signal) => {
      try {
        process.kill(-child.pid, signal);
      } catch {
        // The group ended in the meantime.
      }
      child.once("close", () => process.exit(128 + constants.signals[signal]));
    };
    for (const signal of ENDING) process.once(signal, forward);
    const finish = (code) => {
      for (const signal of ENDING) process.off(signal, forward);
      resolve(code);
    };
    child.on("error", (error) => {
      console.error(`${command}: ${error.message}`);
      finish(1);
    });
    child.on("close", (code) => finish(code ?? 1));
  });
}
