// `npm run test:matrix [-- NODE ...]`: the npm package on other versions of Node, each with the
// newest wrangler that takes it.
//
// Apart from `npm test`, for what it fetches: each Node is the npm package `node`, and wrangler
// comes from npm's registry, as it does for whoever installs the package.

import { execFileSync } from "node:child_process";
import { join } from "node:path";

import { compareVersions, newestFor } from "./matrix/versions.mjs";
import { buildCommands, buildWorker, ensurePackages, requireNode, requireRust, ROOT, run, stop, usage } from "./setup.mjs";

const USAGE = usage("usage: npm run test:matrix -- [NODE ...], such as 22");
const NODES = ["20", "22", "24"];
const TEST = join("tests", "e2e", "package.test.mjs");

requireNode();
requireRust();
await ensurePackages();
const wanted = process.argv.slice(2);
if (!wanted.every((node) => /^\d+$/.test(node))) stop(`A version of Node is a number.\n${USAGE}`);
if ((await buildWorker()) !== 0 || (await buildCommands()) !== 0) stop("The package could not be built; cargo said why above.");

const wranglers = json("npm", ["view", "wrangler@4", "version", "engines.node", "--json"]).map((one) => ({ version: one.version, takes: one["engines.node"] }));
wranglers.sort((a, b) => compareVersions(a.version, b.version));
const rows = [];
for (const major of wanted.length ? wanted : NODES) rows.push(await tryOn(major));
console.table(rows);
process.exit(rows.every(({ passed }) => passed) ? 0 : 1);

/** The test of the package on one Node: { node, wrangler, passed }. */
async function tryOn(major) {
  const [path, node] = json("npx", ["--yes", "--package", `node@${major}`, "node", "-p", "JSON.stringify([process.execPath, process.versions.node])"]);
  const wrangler = newestFor(node, wranglers);
  if (!wrangler) stop(`No wrangler 4 takes Node ${node}.`);
  console.log(`\nNode ${node}, wrangler ${wrangler}`);
  process.env.MCP_EDGE_AUTH_WRANGLER = wrangler;
  const code = await run(path, ["--test", "--test-reporter=spec", TEST]);
  return { node, wrangler, passed: code === 0 };
}

function json(command, args) {
  return JSON.parse(execFileSync(command, args, { cwd: ROOT, encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] }));
}
