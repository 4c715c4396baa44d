// `npm run package`: the npm package into dist/, from a build of this clone. Nothing is published.
//
// It promises: what is packed is all that an operator needs, and nothing that needs Rust, a
// compiler or a package beside wrangler; the same sources make the same bytes, whenever and
// wherever they are packed.

import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";

import { buildCommands, buildWorker, requireNode, requireRust, ROOT, stop, usage } from "./setup.mjs";

/** More than this is no small tool any more, and a test fails. */
export const PACKED_BYTES = 1024 * 1024;

/** What is copied as it is: the path here, and the one in the package if it differs. */
const CONTENTS = [
  // For which of the two TypeScript looks depends on the import.
  ["package/entry.d.ts", "worker/entry.d.ts"],
  ["package/entry.d.ts", "worker/entry.d.mts"],
  ["cli"],
  // The local authorization server of `dev`.
  ["demo/authorization-server.mjs"],
  ["demo/login-page.mjs"],
  ["docs/settings.schema.json"],
  ["package/README.md", "README.md"],
  [".dev.vars.example"],
  ["LICENSE"],
  ["LICENSE-APACHE"],
  ["LICENSE-MIT"],
];

/** What of `cli/` is for Rust alone. */
const RUST = new Set([join(ROOT, "cli", "src"), join(ROOT, "cli", "Cargo.toml")]);

/**
 * Makes the package's folder anew. The Worker, here or in another folder, and what the commands run
 * on have to be built.
 */
export function assemble(folder, worker = join(ROOT, "build")) {
  rmSync(folder, { recursive: true, force: true });
  cpSync(worker, join(folder, "worker"), { recursive: true });
  for (const [from, to = from] of CONTENTS) {
    const place = join(folder, to);
    mkdirSync(dirname(place), { recursive: true });
    cpSync(join(ROOT, from), place, { recursive: true, filter: (path) => !RUST.has(path) });
  }
  writeFileSync(join(folder, "package.json"), `${JSON.stringify(manifest(), null, 2)}\n`);
}

/** The package as npm takes it: the path of the file, which is written into `into`. */
export function pack(folder, into) {
  mkdirSync(into, { recursive: true });
  const args = ["pack", folder, "--pack-destination", into, "--json", "--ignore-scripts"];
  const [{ filename }] = JSON.parse(execFileSync("npm", args, { encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] }));
  return join(into, filename);
}

/** The files in a folder and in those below it, by their paths from there. */
export function filesBelow(folder) {
  const paths = readdirSync(folder, { recursive: true });
  return paths.filter((path) => statSync(join(folder, path)).isFile()).sort();
}

/** What package/package.json says, with what the repository's own says already. */
function manifest() {
  const read = (file) => JSON.parse(readFileSync(join(ROOT, file), "utf8"));
  const { version, license, engines, repository = ofWorkflow() } = read("package.json");
  const { name, description, ...rest } = read(join("package", "package.json"));
  return { name, version, description, license, ...(repository && { repository }), engines, ...rest };
}

/** npm takes a statement of provenance only where the package names the workflow's repository. */
function ofWorkflow() {
  const name = process.env.GITHUB_REPOSITORY;
  return name && { type: "git", url: `git+https://github.com/${name}.git` };
}

/** Builds, assembles and packs into folders of `dist`: the path of the packed file. */
export async function buildPackage(dist) {
  // An empty folder: build/ may still have what an earlier build made.
  const worker = join(dist, "worker");
  rmSync(worker, { recursive: true, force: true });
  const built = (await buildWorker(["--out", worker])) || (await buildCommands());
  if (built !== 0) stop("The package could not be built; cargo said why above.");
  assemble(join(dist, "package"), worker);
  rmSync(worker, { recursive: true });
  return pack(join(dist, "package"), dist);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  usage("usage: npm run package");
  requireNode();
  requireRust();
  const file = await buildPackage(join(ROOT, "dist"));
  console.log(`${file}: ${Math.ceil(readFileSync(file).length / 1024)} KiB.
To try it, in an empty folder: npm install --save-dev ${file} wrangler@4.86.0`);
}
