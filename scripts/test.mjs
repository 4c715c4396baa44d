// `npm test [-- FILTER ...]`: the native tests, then those that drive the built Worker in workerd,
// with real origins behind it too, and then the budgets.
//
// It promises: all run even if the first fails; the closing lines of both runners come last; the
// exit code is non-zero if any fails. A FILTER chooses the e2e files whose path contains it, and no
// budgets; without one every file runs.

import { readdirSync } from "node:fs";
import { join, relative } from "node:path";

import { buildCommands, buildWorker, ensurePackages, requireNode, requireRust, ROOT, run, stop, usage } from "./setup.mjs";

usage("usage: npm test [-- FILTER ...]");
requireNode();
requireRust();
await ensurePackages();

const filters = process.argv.slice(2);
const files = ["e2e", "origins"].flatMap((folder) => testFiles(join(ROOT, "tests", folder))).filter((file) => !filters.length || filters.some((part) => file.includes(part)));
if (!files.length) stop(`No file below tests/e2e or tests/origins matches ${filters.join(", ") || "*.test.mjs"}.`);

const closing = [];
const cargoTest = (...args) => run("cargo", ["test", "--no-fail-fast", ...args], { onLine: (line) => line.startsWith("test result:") && closing.push(line) });
const core = await cargoTest();
// By itself: with --workspace, cargo compiles again what both use with other features.
const builder = await cargoTest("--package", "xtask");
const native = core || builder;
const built = await buildWorker();
await buildCommands();
// Without a Worker every e2e test would fail for the same reason.
const e2e = built === 0 ? await run(process.execPath, [join("scripts", "suite.mjs"), ...files]) : built;
// Counts of the whole Worker: whoever asks for some files asks for none of them.
const budgets = built === 0 && !filters.length ? await run(process.execPath, [join("bench", "budgets.mjs")]) : built;

console.log(`\nThe native runner's closing lines, again:\n${closing.join("\n")}`);
if (native !== 0) console.error("\nNative tests failed: see cargo's report above the e2e run.");
if (built !== 0) console.error("\nThe Worker could not be built, so no e2e test ran.");
else if (budgets !== 0) console.error("\nThe budgets do not hold: see above, under the e2e run.");
process.exit(native || e2e || budgets);

/**
 * Node 20's `--test` takes no globs: every `*.test.mjs` below `folder`, sorted, as paths from the
 * root.
 */
function testFiles(folder) {
  return readdirSync(folder, { withFileTypes: true })
    .flatMap((entry) => {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) return testFiles(path);
      return entry.name.endsWith(".test.mjs") ? [relative(ROOT, path)] : [];
    })
    .sort();
}
