// `npm run release [-- --dry-run]`: all files of a release, into dist/release. docs/releasing.md.
//
// It promises: what is released is what is committed, and another clone gives the same bytes; every
// file's SHA-256 is written down. Nothing is published, tagged or pushed. With `--dry-run` the
// version may be one that has no section in CHANGELOG.md and no tag yet.

import { execFileSync, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
// By its default: a named import that an old Node lacks fails before its version is looked at.
import util from "node:util";

import { buildPackage, filesBelow } from "./package.mjs";
import { notesOf } from "./release/notes.mjs";
import { sbom } from "./release/sbom.mjs";
import { requireNode, requireRust, ROOT, run, stop, usage } from "./setup.mjs";

const USAGE = usage("usage: npm run release -- [--dry-run]");
const RELEASE = join(ROOT, "dist", "release");

requireNode();
requireRust();
const isDry = readArguments();
const { version } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
const notes = findNotes();
requireCommitted();

rmSync(RELEASE, { recursive: true, force: true });
const packed = await buildPackage(RELEASE);
await compareWithClone();
const list = join(RELEASE, `mcp-edge-auth-${version}.cdx.json`);
writeFileSync(list, sbom());
writeFileSync(join(RELEASE, "NOTES.md"), `${notes}\n`);
writeFileSync(join(RELEASE, "SHA256SUMS"), sums([packed, list, ...["worker", "cli/build"].map((folder) => join(RELEASE, "package", folder, "index_bg.wasm"))]));
console.log(`
${RELEASE}:
${readFileSync(join(RELEASE, "SHA256SUMS"), "utf8")}
To publish it: npm publish ${packed}${isDry ? "   (not this one: it was a dry run)" : ""}`);

function readArguments() {
  try {
    const { values } = util.parseArgs({ options: { "dry-run": { type: "boolean", default: false } } });
    return values["dry-run"];
  } catch (error) {
    return stop(`${error.message}\n${USAGE}`);
  }
}

function findNotes() {
  const changelog = readFileSync(join(ROOT, "CHANGELOG.md"), "utf8");
  const found = notesOf(changelog, version) ?? (isDry ? notesOf(changelog, "Unreleased") : undefined);
  return found ?? stop(`CHANGELOG.md has no section [${version}], the version of package.json.`);
}

function requireCommitted() {
  const changed = git("status", "--porcelain");
  if (changed) stop(`A release is made of what is committed, and this is not:\n${changed}`);
  if (!isDry && !git("tag", "--points-at", "HEAD").split("\n").includes(`v${version}`)) {
    stop(`The commit has no tag v${version}: git tag v${version}, or look at what would be released with --dry-run.`);
  }
}

/** Builds a fresh clone, in another folder, and ends the command where its bytes differ. */
async function compareWithClone() {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "mcp-edge-auth-release-")));
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
  const clone = join(folder, "clone");
  console.log("\nBuilding it again, in a fresh clone (some minutes) ...");
  git("clone", "--quiet", ROOT, clone);
  delete process.env.CARGO_TARGET_DIR;
  if ((await run(process.execPath, [join(clone, "scripts", "package.mjs")])) !== 0) stop("The fresh clone could not be built; see above.");
  const [ours, theirs] = [join(RELEASE, "package"), join(clone, "dist", "package")];
  const differ = [...new Set([...filesBelow(ours), ...filesBelow(theirs)])].filter((file) => spawnSync("cmp", ["--quiet", join(ours, file), join(theirs, file)]).status !== 0);
  if (differ.length) stop(`A fresh clone gives other bytes in ${differ.join(", ")}: what is released could not be checked by anybody.`);
  if (sha256(packed) !== sha256(join(clone, "dist", basename(packed)))) stop("The same files are packed into other bytes.");
}

function sums(files) {
  return files.map((file) => `${sha256(file)}  ${file.slice(RELEASE.length + 1)}\n`).join("");
}

function sha256(file) {
  return createHash("sha256").update(readFileSync(file)).digest("hex");
}

function git(...args) {
  return execFileSync("git", args, { cwd: ROOT, encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] }).trim();
}
