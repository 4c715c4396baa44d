// `npm run bench`: what a request costs, ours beside the alternatives; bench/README.md says what is
// measured and how.
//
// It tells at the start how long it will take, and ends by itself. The exit code is 1 if a side
// failed its probe or gave a wrong answer; a missed goal is a result, not a failure.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";

import { ROOT, ensurePackages, requireNode, stop, usage } from "../scripts/setup.mjs";
import { writeResults } from "./report/files.mjs";
import { goalRows, goalsOf } from "./report/goals.mjs";
import { load, machine } from "./report/machine.mjs";
import { withFigures } from "./report/readme.mjs";
import { aligned, textOf } from "./report/table.mjs";
import { allSides } from "./sides/index.mjs";
import { build } from "./support/builds.mjs";
import { options } from "./support/options.mjs";
import { runWork, secondsFor } from "./support/rounds.mjs";
import { WORKS } from "./works.mjs";

const README = join(ROOT, "README.md");

usage("usage: npm run bench [-- --quick] [--sides LIST] [--work LIST] [--rounds N] [--slice SECONDS] [--ours NAME=FOLDER] [--out FOLDER] [--no-build]");
requireNode();
const opts = options(process.argv.slice(2), WORKS.map(({ name }) => name));
await ensurePackages();
const sides = allSides(opts.variants);
const unknown = opts.sides?.find((name) => !sides.has(name));
if (unknown) stop(`There is no side ${unknown}; there are ${[...sides.keys()].join(", ")}.`);

const chosen = WORKS.filter(({ name }) => !opts.works || opts.works.includes(name)).map((work) => ({ ...work, sides: sidesOf(work) }));
const names = new Set(chosen.flatMap((work) => work.sides));
if (opts.build) await build(names);
const skipped = await unavailable(names);
for (const [name, reason] of skipped) console.log(`skipped: ${name}: ${reason}`);
const works = chosen
  .map((work) => ({ ...work, sides: work.sides.filter((name) => !skipped.has(name)).map((name) => sides.get(name)) }))
  .filter((work) => work.sides.length);

const seconds = works.reduce((sum, work) => sum + secondsFor(work, opts), 0);
console.log(`${works.length} works, ${opts.rounds} rounds each: about ${Math.max(1, Math.round(seconds / 60))} minutes.\n`);
setTimeout(() => stop("The run took more than twice its time, and was ended."), (2 * seconds + 60) * 1000).unref();

const folder = mkdtempSync(join(tmpdir(), "mcp-edge-auth-bench-"));
process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
const made = machine();
const begun = Date.now();
const results = [];
for (const work of works) results.push(await measured(work));

const goals = goalsOf(results);
const reached = goalRows(goals);
if (reached) console.log(aligned([reached.head, ...reached.rows]));
const minutes = Math.round((Date.now() - begun) / 60_000);
const run = { machine: made, loadAfter: load(), minutes, rounds: opts.rounds, slice: opts.slice, skipped: [...skipped], results, goals };
writeResults(opts.out, run);
console.log(`\nWritten to ${relative(ROOT, opts.out)}.`);
if (opts.kept) renewReadme();
process.exit(); // sockets of servers that were ended may linger

async function measured(work) {
  try {
    const result = await runWork(work, { ...opts, folder });
    for (const fault of result.faults) failed(`${work.name}: not timed: ${fault}`);
    console.log(textOf(result));
    return result;
  } catch (error) {
    failed(`${work.name}: ${error.message}`);
    return { name: work.name, title: work.title, faults: [error.message], cells: [] };
  }
}

/** The results that are kept are those whose figures README has. */
function renewReadme() {
  try {
    writeFileSync(README, withFigures(readFileSync(README, "utf8"), run));
    console.log("README has its figures.");
  } catch (error) {
    failed(error.message);
  }
}

function failed(sentence) {
  console.error(sentence);
  process.exitCode = 1;
}

/**
 * The sides of a work that were asked for; more builds of the Worker stand beside the Worker
 * itself.
 */
function sidesOf(work) {
  const all = work.sides.flatMap((name) => (name === "ours" ? ["ours", ...Object.keys(opts.variants)] : [name]));
  const wanted = (name) => opts.sides.includes(name) || opts.sides.includes(name.replace(/-answer$/, "")) || name in opts.variants;
  return opts.sides ? all.filter(wanted) : all;
}

async function unavailable(names) {
  const found = new Map();
  for (const name of names) {
    const available = await sides.get(name).available();
    if (available !== true) found.set(name, available);
  }
  return found;
}
