// `npm run bench:instructions [-- --write]`: how many instructions a request takes, held against
// bench/instructions/budget.json.
//
// A count does not depend on what else the machine does, so it tells a change of 1 % where a time
// does not tell one of 10 %. What is counted is everything but the signature, natively compiled
// with the Worker's own profile, under valgrind's callgrind. Each scenario runs twice, for a few
// requests and for many; the difference is the requests' alone. The exit code is 1 if a scenario
// takes over 5 % more than its budget, or has none. Compiler, target and C library are part of a
// count: where they are not the budget's, or there is no valgrind, it says so, does not judge, and
// exits with 0. `--write` renews the budget.

import { execFile, spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";

import { requireNode, requireRust, ROOT, stop, usage } from "../scripts/setup.mjs";

const BUDGET = join(ROOT, "bench", "instructions", "budget.json");
const TOLERANCE = 0.05;
const FEW = 100;
const MANY = 300;
const RENEW = "npm run bench:instructions -- --write";

const USAGE = usage("usage: npm run bench:instructions [-- --write]");

requireNode();
requireRust();
const write = process.argv.slice(2).includes("--write");
if (process.argv.length > (write ? 3 : 2)) stop(USAGE);
if (spawnSync("valgrind", ["--version"]).status !== 0) {
  const sentence = "Instructions were not counted: valgrind is not installed, or does not run.";
  if (write) stop(sentence);
  console.log(sentence);
  process.exit(0);
}

const program = build();
const here = compiledWith();
const counts = await countAll(program);
if (write) {
  writeFileSync(BUDGET, `${JSON.stringify({ ...here, instructions: counts }, null, 2)}\n`);
  print(counts, {});
  console.log("\nThe budget was renewed.");
} else {
  const budget = JSON.parse(readFileSync(BUDGET, "utf8"));
  print(counts, budget.instructions);
  const others = Object.keys(here).filter((what) => here[what] !== budget[what]);
  if (others.length) notJudged(others.map((what) => `${what} is ${here[what]}, the budget's was ${budget[what]}`));
  else process.exitCode = judge(counts, budget.instructions);
}

/** The program's path. Flags of the caller's own would change what is counted. */
function build() {
  const ours = Object.entries(process.env).filter(([name]) => !/^CARGO_(INCREMENTAL|PROFILE_)/.test(name));
  const env = { ...Object.fromEntries(ours), CARGO_ENCODED_RUSTFLAGS: "" };
  const args = ["build", "--release", "--locked", "--package", "instructions", "--message-format", "json-render-diagnostics"];
  const { status, stdout } = spawnSync("cargo", args, { cwd: ROOT, env, stdio: ["ignore", "pipe", "inherit"], encoding: "utf8", maxBuffer: Infinity });
  if (status !== 0) stop("What is to be counted could not be built; cargo said why above.");
  const built = stdout.split("\n").filter(Boolean).map((line) => JSON.parse(line));
  return built.findLast(({ executable }) => executable).executable;
}

/** All that a count depends on but the code. */
function compiledWith() {
  const { stdout } = spawnSync("rustc", ["-vV"], { cwd: ROOT, encoding: "utf8" });
  const glibc = process.report.getReport().header.glibcVersionRuntime;
  return {
    rustc: /^rustc (.*)$/m.exec(stdout)[1],
    target: /^host: (.*)$/m.exec(stdout)[1],
    libc: glibc ? `glibc ${glibc}` : "not glibc",
  };
}

async function countAll(program) {
  const { stdout } = await promisify(execFile)(program);
  const counts = {};
  for (const name of stdout.trim().split("\n")) {
    const [few, many] = await Promise.all([FEW, MANY].map((times) => count(program, name, times)));
    counts[name] = Math.round((many - few) / (MANY - FEW));
  }
  return counts;
}

/** All instructions of one run. */
async function count(program, name, times) {
  const args = ["--tool=callgrind", "--callgrind-out-file=/dev/null", program, name, `${times}`];
  const { stderr } = await promisify(execFile)("valgrind", args).catch((error) => stop(error.message));
  const collected = /^==\d+== Collected : (\d+)/m.exec(stderr);
  if (!collected) stop(`callgrind told no count:\n${stderr}`);
  return Number(collected[1]);
}

function print(counts, budget) {
  console.log(`\n${"per request".padEnd(16)}${"instructions".padStart(14)}${"budget".padStart(12)}${"change".padStart(10)}`);
  for (const [name, count] of Object.entries(counts)) {
    const [allowed, change] = name in budget ? [`${budget[name]}`, percent(count / budget[name] - 1)] : ["", ""];
    console.log(`${name.padEnd(16)}${`${count}`.padStart(14)}${allowed.padStart(12)}${change.padStart(10)}`);
  }
}

function percent(part) {
  return `${part < 0 ? "" : "+"}${(100 * part).toFixed(1)} %`;
}

function notJudged(reasons) {
  console.log(`\nNot judged, since the counts depend on it: ${reasons.join("; ")}.`);
}

/** The exit code. */
function judge(counts, budget) {
  const names = Object.keys(counts);
  const where = (is) => names.filter((name) => name in budget && is(counts[name] / budget[name] - 1)).join(", ");
  const above = where((change) => change > TOLERANCE);
  const below = where((change) => change < -TOLERANCE);
  const without = names.filter((name) => !(name in budget)).join(", ");
  const gone = Object.keys(budget).filter((name) => !(name in counts)).join(", ");
  console.log();
  if (below) console.log(`More than 5 % below the budget: ${below}. Renew it, so that it stays so: ${RENEW}`);
  if (without || gone) console.error(`Scenarios and budget differ (without a budget: ${without || "none"}; gone: ${gone || "none"}): ${RENEW}`);
  if (above) console.error(`More than 5 % above the budget: ${above}. If that is the price of something wanted, renew it: ${RENEW}`);
  if (above || without || gone) return 1;
  console.log("Within the budget.");
  return 0;
}
