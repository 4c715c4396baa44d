// Python origins: a virtual environment each, with pinned packages from PyPI, made once below
// dist/origins and used again for as long as its requirements and the Python that it was made with
// are the same.
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { mkdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { ROOT } from "../../e2e/support/bundle.mjs";

const run = promisify(execFile);
const ORIGINS = fileURLToPath(new URL("..", import.meta.url));
const ENVIRONMENTS = join(ROOT, "dist", "origins");
const ASK_MS = 60_000;
const INSTALL_MS = 600_000;

const COMMANDS = ["python3", "python3.14", "python3.13", "python3.12", "python3.11", "python3.10"];
// Prints what an environment depends on; fails without venv or ensurepip, which Debian packs apart.
const PROBE = "import sys, venv, ensurepip; print(sys.version_info >= (3, 10), sys.version, sys.base_prefix)";

/** { command, version }, or { reason } where there is none. */
export async function findPython() {
  for (const command of COMMANDS) {
    const { stdout } = await run(command, ["-c", PROBE], { timeout: ASK_MS }).catch(() => ({ stdout: "" }));
    if (stdout.startsWith("True")) return { command, version: stdout };
  }
  return { reason: `no Python 3.10 or newer with venv and ensurepip was found (${COMMANDS.join(", ")})` };
}

/**
 * The environments for these folders of `parent`, made if need be, all at once since most of the
 * time goes into waiting: { commands: { name: interpreter } }, or { reason } where PyPI is out of
 * reach. Any other failure is thrown.
 */
export async function environments(python, names, parent = ORIGINS) {
  const places = names.map((name) => place(python, name, parent));
  if (places.some(({ folder }) => !existsSync(folder))) console.log(`Installing the Python packages of ${names.join(", ")} (once, a minute at most) ...`);
  const done = await Promise.allSettled(places.map((one) => make(python, one)));
  const failed = done.find(({ status }) => status === "rejected")?.reason;
  if (failed instanceof OutOfReach) return { reason: failed.message };
  if (failed) throw failed;
  return { commands: Object.fromEntries(places.map(({ name, folder }) => [name, interpreter(folder)])) };
}

function place({ version }, name, parent) {
  const pins = join(parent, name, "requirements.txt");
  const hash = createHash("sha256").update(version).update(readFileSync(pins)).digest("hex").slice(0, 16);
  return { name, pins, folder: join(ENVIRONMENTS, `${name}-${hash}`) };
}

async function make({ command }, { name, pins, folder }) {
  if (existsSync(folder)) return;
  const draft = `${folder}.draft-${process.pid}`;
  try {
    await mkdir(ENVIRONMENTS, { recursive: true });
    await run(command, ["-m", "venv", draft], { timeout: INSTALL_MS });
    // Wheels only: nothing of a package runs before the server does.
    const args = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--only-binary=:all:", "--no-compile", "-r", pins];
    await run(interpreter(draft), args, { timeout: INSTALL_MS });
    await rename(draft, folder); // complete or not there at all
  } catch (error) {
    if (existsSync(folder)) return; // another process was first
    const said = String(error.stderr || error.message).trim();
    const network = NO_NETWORK.exec(said);
    if (network) throw new OutOfReach(`PyPI is out of reach (${network[1]})`);
    throw new Error(`the packages of ${name} could not be installed:\n${said}`);
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}

class OutOfReach extends Error {}

// What pip says while it tries again.
const NO_NETWORK = /Retrying \(Retry\(.*(ConnectionError|ConnectTimeout|ReadTimeout|NameResolutionError|ProxyError|ProtocolError|SSLError)/;

const interpreter = (folder) => join(folder, "bin", "python");
