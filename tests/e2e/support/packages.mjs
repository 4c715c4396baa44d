// What some tests need from npm, apart from the root's packages: fetched once, into the folder
// whose package-lock names it.
import { execFile } from "node:child_process";
import { existsSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const NODE = "node@22.23.3";
const FETCH_MS = 300_000;
const run = promisify(execFile);

/**
 * Installs what `folder`'s package-lock says, if it is missing or older; no package's own script
 * runs.
 */
export async function ensureInstalled(folder) {
  const lock = join(folder, "package-lock.json");
  const installed = join(folder, "node_modules", ".package-lock.json"); // npm writes this one last
  if (existsSync(installed) && statSync(installed).mtimeMs >= statSync(lock).mtimeMs) return;
  await run("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund"], { cwd: folder, timeout: FETCH_MS });
}

/** The path of a Node 22: this one if it is new enough, or one that npm fetches into its cache. */
export async function node22() {
  const [major, minor] = process.versions.node.split(".").map(Number);
  if (major > 22 || (major === 22 && minor >= 19)) return process.execPath;
  // From elsewhere: in a folder with packages of its own, npx would look there first.
  const { stdout } = await run("npx", ["--yes", "--package", NODE, "node", "--print", "process.execPath"], { cwd: tmpdir(), timeout: FETCH_MS });
  return stdout.trim();
}

// Where a registry is out of reach. Anything else is a fault of ours, and no reason to skip.
const NO_NETWORK = /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH|UND_ERR|E40[13-5]|E5\d\d|[Cc]ould not resolve|timed out|failed to (download|get|fetch)/;

export class Missing extends Error {}

/**
 * Gives what `need` gives, or { missing: why }: a machine that cannot have it skips, and says so.
 */
export async function orMissing(what, need) {
  try {
    return await need();
  } catch (error) {
    const network = NO_NETWORK.exec(`${error.message} ${error.stderr ?? ""}`)?.[0];
    if (!network && !error.killed && !(error instanceof Missing)) throw error;
    const missing = `${what} cannot be had here: ${error instanceof Missing ? error.message : (network ?? "it takes too long")}`;
    console.log(`Not tried: ${missing}`);
    return { missing };
  }
}
