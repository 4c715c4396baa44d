// `npm run bench:budgets [-- --renew "REASON"]`: what the Worker takes, counted, and held against
// bench/budgets.json.
//
// Counts, not times: they do not depend on what else the machine does, and the same commit gives
// the same on every machine with the same compiler. Instructions of a request, natively and under
// valgrind; the bytes that are deployed; the wasm functions that a first answer calls; the objects
// and strings that a permitted request makes. The exit code is 1 if one of them is more than 3 %
// above its budget or below it, has none, or is gone. Where compiler or C library are not those of
// the budgets, or valgrind is missing, it says so and does not judge those counts. `--renew` sets
// the budgets that do not hold to what was counted, and keeps the reason beside them.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { buildWorker, ensurePackages, requireNode, requireRust, ROOT, stop, usage } from "../scripts/setup.mjs";
import { functions } from "./budgets/functions.mjs";
import { instructions } from "./budgets/instructions.mjs";
import { judged, renewed, textOf } from "./budgets/judge.mjs";
import { objects } from "./budgets/objects.mjs";
import { sizes } from "./budgets/sizes.mjs";

const BUDGETS = join(ROOT, "bench", "budgets.json");
const RENEW = 'npm run bench:budgets -- --renew "REASON"';

const USAGE = usage('usage: npm run bench:budgets [-- --renew "REASON"]');

requireNode();
requireRust();
const [flag, reason, ...more] = process.argv.slice(2);
if ((flag !== undefined && flag !== "--renew") || more.length) stop(USAGE);
if (flag && !reason?.trim()) stop(`A budget is renewed with a reason. ${USAGE}`);
await ensurePackages();
if ((await buildWorker()) !== 0) stop("The Worker could not be built; cargo said why above.");

const counted = await countAll().catch((error) => stop(error.message));
const budgets = JSON.parse(readFileSync(BUDGETS, "utf8"));
const groups = judged(counted, budgets);
print(groups);
if (flag) {
  writeFileSync(BUDGETS, textOf(renewed(counted, budgets, reason.trim())));
  console.log("\nThe budgets that did not hold were renewed, and all others kept.");
} else {
  process.exitCode = verdict(groups);
}

async function countAll() {
  const { call, page } = await objects();
  return {
    "instructions of a request": await instructions(),
    "bytes that are deployed": await sizes(),
    "wasm functions called until": await functions(),
    "made by a permitted call": call,
    "made by a permitted call of a page": page,
  };
}

function print(all) {
  for (const { group, rows, unjudged } of all) {
    console.log(`\n${group.padEnd(40)}${"count".padStart(12)}${"budget".padStart(12)}${"change".padStart(10)}`);
    for (const { name, count = "", budget = "", change } of rows) {
      const part = change === undefined ? "" : `${change < 0 ? "" : "+"}${(100 * change).toFixed(1)} %`;
      console.log(`  ${name.padEnd(38)}${`${count}`.padStart(12)}${`${budget}`.padStart(12)}${part.padStart(10)}`);
    }
    if (unjudged) console.log(`  Not judged: ${unjudged}.`);
  }
}

/** The exit code. */
function verdict(all) {
  const faults = all.flatMap(({ group, rows }) => rows.filter(({ fault }) => fault).map((row) => ({ ...row, group })));
  if (!faults.length) {
    console.log("\nWithin the budgets.");
    return 0;
  }
  console.error();
  for (const { group, name, fault } of faults) {
    console.error(`${group}: ${name} ${/^(above|below)$/.test(fault) ? `is more than 3 % ${fault} its budget` : fault}.`);
  }
  console.error(`If that is wanted, renew the budgets in the same commit, and say why: ${RENEW}`);
  return 1;
}
