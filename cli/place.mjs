// Where a command runs, and where it finds what it needs.
//
// It promises: the same commands work in a clone of the repository, where the Worker is built and
// npm packages are installed when they are missing, and in the installed npm package, which brings
// the built Worker, and where nothing is installed or compiled.

import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

import { stop } from "./terminal.mjs";

/** The folder of the repository, or of the installed package. */
export const ROOT = fileURLToPath(new URL("..", import.meta.url));

const SETUP = join(ROOT, "scripts", "setup.mjs");

/** Whether this is a clone of the repository. */
export const isRepository = existsSync(SETUP);

/** The built Worker: `entry.mjs` and the modules that it needs. */
export const WORKER = join(ROOT, isRepository ? "build" : "worker");

/** The day of the pinned wrangler's workerd; a later one would not start there. */
export const COMPATIBILITY_DATE = "2026-04-26";

/** A file as the caller named it. Under `npm run`, that is not the folder of the process. */
export const here = (file) => resolve(process.env.INIT_CWD ?? process.cwd(), file);

/** The version of package.json. */
export const version = () => JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")).version;

/** What the repository installs, of which the installed package has everything. */
export async function ensurePackages() {
  if (isRepository) await (await setup()).ensurePackages({ quiet: true });
}

/** Builds the Worker in the repository; the installed package has it. */
export async function ensureWorker() {
  if (!isRepository) return;
  const { buildWorker, requireRust } = await setup();
  requireRust();
  if ((await buildWorker()) !== 0) stop("The Worker could not be built; cargo said why above.");
}

/** Builds what the commands run on; only in the repository. */
export async function ensureCommands() {
  const { buildCommands, requireRust } = await setup();
  requireRust();
  console.error("Compiling what the commands run on (once, some minutes) ...");
  if ((await buildCommands()) !== 0) stop("The commands could not be compiled; cargo said why above.");
}

/**
 * The wrangler of the project that the command runs in, which is the one that deploys, or the one
 * beside this package: { folder, bin, require }.
 */
export async function findWrangler() {
  await ensurePackages();
  for (const from of [join(process.cwd(), "package.json"), fileURLToPath(import.meta.url)]) {
    try {
      const file = createRequire(from).resolve("wrangler/package.json");
      const folder = dirname(file);
      return { folder, bin: join(folder, "bin", "wrangler.js"), require: createRequire(file) };
    } catch {
      // It is not there.
    }
  }
  return stop("There is no wrangler here, by which the settings are read: npm install --save-dev wrangler");
}

/** Nothing that wrangler does for a command leaves this machine, and it says nothing of itself. */
export const QUIET_WRANGLER = { WRANGLER_SEND_METRICS: "false", WRANGLER_HIDE_BANNER: "true" };

const setup = () => import(pathToFileURL(SETUP).href);
