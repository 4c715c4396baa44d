// Runs `mcp-edge-auth` in a folder, as an operator does.
import { spawn } from "node:child_process";
import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ROOT, wranglerEnv } from "./bundle.mjs";
import { bounded } from "./until.mjs";

export const BIN = join(ROOT, "cli", "bin.mjs");
const COMMAND_MS = 600_000; // the first one may compile

/** An empty folder. */
export function emptyFolder(t) {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "mcp-edge-auth-command-")));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A command that runs: the child, with what it has said so far in `out` and `err`. */
export function startCommand(args, { cwd, input } = {}) {
  const { INIT_CWD: _, ...env } = wranglerEnv(); // npm's, of whoever runs the tests
  const child = spawn(process.execPath, [BIN, ...args], { cwd, env, stdio: [input === undefined ? "ignore" : "pipe", "pipe", "pipe"] });
  const command = { child, out: "", err: "", code: undefined };
  child.stdout.on("data", (chunk) => (command.out += chunk));
  child.stderr.on("data", (chunk) => (command.err += chunk));
  if (input !== undefined) {
    child.stdin.on("error", () => {}); // it ended early
    child.stdin.end(input);
  }
  command.ended = new Promise((resolve) => child.once("close", (code, signal) => resolve((command.code = code ?? signal))));
  return command;
}

/** A command that ends: { code, out, err }. */
export async function command(args, options) {
  const running = startCommand(args, options);
  await bounded(args.join(" "), running.ended, COMMAND_MS).finally(() => running.child.kill("SIGKILL"));
  return running;
}
