// The artefact under test: what `wrangler deploy` would upload, from the root wrangler.toml. It is
// made once into dist/e2e and used again for as long as the build it was made from is the same.
// MCP_EDGE_AUTH_BUNDLE names another folder to test instead, such as the bundle of a mutant.
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, readdirSync, statSync } from "node:fs";
import { mkdir, rename, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

export const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
const DIST = join(ROOT, "dist", "e2e");
const QUIET = { WRANGLER_SEND_METRICS: "false", WRANGLER_HIDE_BANNER: "true", CLOUDFLARE_CF_FETCH_ENABLED: "false", CI: "1" };

const fromRoot = createRequire(join(ROOT, "package.json"));
const fromWrangler = () => createRequire(fromRoot.resolve("wrangler/package.json"));

/** The Miniflare and the workerd that the pinned wrangler itself runs. */
export const loadMiniflare = () => fromWrangler()("miniflare");
export const workerdPath = () => createRequire(fromWrangler().resolve("miniflare"))("workerd").default;
export const wranglerPath = () => join(fromRoot.resolve("wrangler/package.json"), "..", "bin", "wrangler.js");
export const wranglerEnv = () => ({ ...process.env, ...QUIET });

/** { main, files: [{ name, path, kind: "esModule" | "wasm" }] }, the main module first. */
export const bundle = () => (made ??= find());

let made; // once per process, a failure too: the tests after it would only wait for the same answer

async function find() {
  const given = process.env.MCP_EDGE_AUTH_BUNDLE;
  if (given) return modulesIn(given);
  if (!existsSync(folder())) await make();
  return modulesIn(folder());
}

// The folder's name carries the contents it was made from, so that test processes that run side by
// side cannot disagree.
function folder() {
  const hash = createHash("sha256");
  for (const path of ["wrangler.toml", ...filesIn("build"), ...filesIn("src/edge").filter((name) => /\.m?js$/.test(name))]) {
    hash.update(`${path}\0`).update(readFileSync(join(ROOT, path)));
  }
  return join(DIST, hash.digest("hex").slice(0, 16));
}

function filesIn(folder) {
  if (!existsSync(join(ROOT, folder))) return [];
  const names = readdirSync(join(ROOT, folder), { recursive: true }).map((name) => `${folder}/${name}`);
  return names.filter((path) => statSync(join(ROOT, path)).isFile()).sort();
}

async function make() {
  const draft = join(DIST, `draft-${process.pid}`);
  await mkdir(DIST, { recursive: true });
  const args = [wranglerPath(), "deploy", "--dry-run", "--outdir", draft];
  await promisify(execFile)(process.execPath, args, { cwd: ROOT, env: wranglerEnv() });
  // Named after the build, which wrangler's own [build] step may just have renewed. If another
  // process was first, its copy serves.
  await rename(draft, folder()).catch(() => rm(draft, { recursive: true, force: true }));
}

function modulesIn(path) {
  const names = readdirSync(path).filter((name) => /\.(m?js|wasm)$/.test(name));
  const files = names.map((name) => ({ name, path: join(path, name), kind: name.endsWith(".wasm") ? "wasm" : "esModule" }));
  files.sort((a, b) => a.kind.localeCompare(b.kind)); // esModule before wasm: the main module leads
  return { main: files[0].name, files };
}
