// `npm run test:clients [-- FILTER ...]`: real MCP clients against `npm start`, the Inspector in headless Chromium among them. Apart from
// `npm test`, for what they bring: 300 MB of npm packages, two Python environments, a Rust program, Node 22. What is missing is fetched;
// what cannot be had is skipped, and why is said. A FILTER chooses the files whose name contains it.

import { readdirSync } from "node:fs";
import { join } from "node:path";

import { buildWorker, ensurePackages, requireNode, requireRust, ROOT, run, stop } from "./setup.mjs";

requireNode();
requireRust();
await ensurePackages();
if ((await buildWorker()) !== 0) stop("The Worker could not be built; cargo said why above.");

const filters = process.argv.slice(2);
const folder = join("tests", "clients");
const files = readdirSync(join(ROOT, folder)).filter((file) => file.endsWith(".test.mjs") && (!filters.length || filters.some((part) => file.includes(part))));
if (!files.length) stop(`No file in tests/clients matches ${filters.join(", ")}.`);
process.exit(await run(process.execPath, ["--test", "--test-reporter=spec", ...files.map((file) => join(folder, file))]));
