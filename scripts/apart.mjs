// `npm run test:clients [-- FILTER ...]`: real MCP clients against `npm start`, the Inspector in
// headless Chromium among them. `npm run test:servers [-- FILTER ...]`: real authorization servers,
// each with two of those clients; docs/providers.md names them.
//
// Apart from `npm test`, for what they bring: 300 MB of npm packages, two Python environments, a
// Rust program, Node 22, Debian packages. What is missing is fetched; what cannot be had is
// skipped, and why is said. A FILTER chooses the files whose name contains it.

import { readdirSync } from "node:fs";
import { join } from "node:path";

import { buildWorker, ensurePackages, requireNode, requireRust, ROOT, run, stop, usage } from "./setup.mjs";

const [kind, ...filters] = process.argv.slice(2);
usage(`usage: npm run test:${kind} [-- FILTER ...]`);
requireNode();
requireRust();
await ensurePackages();
if ((await buildWorker()) !== 0) stop("The Worker could not be built; cargo said why above.");
// Before the files, which run side by side: two npm in one folder would disturb each other.
const { ensureInstalled, orMissing } = await import("../tests/e2e/support/packages.mjs");
for (const name of new Set(["clients", kind])) await orMissing(`the npm packages of tests/${name}`, () => ensureInstalled(join(ROOT, "tests", name)));

const folder = join("tests", kind);
const files = readdirSync(join(ROOT, folder)).filter((file) => file.endsWith(".test.mjs") && (!filters.length || filters.some((part) => file.includes(part))));
if (!files.length) stop(`No file in ${folder} matches ${filters.join(", ")}.`);
process.exit(await run(process.execPath, ["--test", "--test-reporter=spec", ...files.map((file) => join(folder, file))]));
