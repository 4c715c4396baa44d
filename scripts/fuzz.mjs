// `npm run fuzz [-- [--minutes N] [TARGET [FILE ...]]]`: lets libFuzzer look for inputs about which
// a target of fuzz/targets disagrees with the Worker's code, for N minutes each (1). With FILEs it
// runs just these, to see a failure again.
//
// It promises: only this repository's own toolchain is used; it ends after its time; what it learns
// stays in fuzz/grown, and an input that fails in fuzz/found, which git does not see; it tells the
// executions of each target, and the exit code is 1 if one failed.

import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync } from "node:fs";
import { join, resolve } from "node:path";
// By its default: a named import that an old Node lacks fails before its version is looked at.
import util from "node:util";

import { requireNode, requireRust, ROOT, run, stop, usage } from "./setup.mjs";

const USAGE = usage("usage: npm run fuzz [-- [--minutes N] [TARGET [FILE ...]]]");
const BUILD = join("target", "fuzz");
/**
 * What libFuzzer needs in the code under test: which edges were taken, and what was compared with
 * what.
 */
const COVERAGE = ["level=4", "inline-8bit-counters", "pc-table", "trace-compares"];

requireNode();
requireRust();
const all = readdirSync(join(ROOT, "fuzz", "corpus")).sort();
const { minutes, target, files } = readArguments();
const program = await build();

const rows = [];
for (const name of target ? [target] : all) rows.push(await fuzz(name));
if (!files.length) console.table(Object.fromEntries(rows.map(({ name, ...row }) => [name, row])));
const failed = rows.filter((row) => row.failed);
for (const { name, failed: what } of failed) {
  console.error(`${name} failed: ${what}. To see it again: npm run fuzz -- ${name} ${what}. Once it is fixed, the file belongs in fuzz/corpus/${name}.`);
}
process.exit(failed.length ? 1 : 0);

/**
 * The program's path. The flags reach what runs in it, and neither build scripts nor macros, since
 * a target is named.
 */
async function build() {
  const host = /^host: (.*)$/m.exec(spawnSync("rustc", ["-vV"], { encoding: "utf8" }).stdout)?.[1];
  if (!host) stop("rustc did not say what machine this is; does `rustc -vV` work?");
  process.env.RUSTFLAGS = ["--cfg=fuzzing", "-Cpasses=sancov-module", ...COVERAGE.map((flag) => `-Cllvm-args=-sanitizer-coverage-${flag}`)].join(" ");
  const args = ["build", "--release", "--manifest-path", join("fuzz", "Cargo.toml"), "--target-dir", BUILD, "--target", host];
  if ((await run("cargo", args)) !== 0) stop("The fuzzer could not be built; cargo said why above. libFuzzer is C++: it needs a compiler for that.");
  return join(BUILD, host, "release", "mcp-edge-auth-fuzz");
}

/** One target: how often it ran, and the file with which it failed, if it did. */
async function fuzz(name) {
  const folder = (of) => join("fuzz", of, name);
  for (const of of ["grown", "found"]) mkdirSync(join(ROOT, folder(of)), { recursive: true });
  const limits = ["-timeout=20", "-max_len=8192", "-verbosity=0"];
  const search = [`-max_total_time=${Math.ceil(minutes * 60)}`, "-print_final_stats=1", `-dict=${join("fuzz", "words.dict")}`, folder("grown"), folder("corpus")];
  const args = [...limits, `-artifact_prefix=${folder("found")}/`, ...(files.length ? files : search)];
  const row = { name, executions: 0, "per second": 0, failed: "" };
  const read = (line) => {
    row.executions = Number(/number_of_executed_units: (\d+)/.exec(line)?.[1] ?? row.executions);
    row["per second"] = Number(/average_exec_per_sec: +(\d+)/.exec(line)?.[1] ?? row["per second"]);
    row.failed = /Test unit written to (.*)/.exec(line)?.[1] ?? row.failed;
  };
  process.env.FUZZ_TARGET = name;
  console.log(files.length ? `${name}: ${files.join(", ")}` : `${name}, for ${minutes} minutes ...`);
  // libFuzzer tells everything on stderr.
  const code = await run("sh", ["-c", 'exec "$0" "$@" 2>&1', program, ...args], { onLine: read });
  if (code !== 0) row.failed ||= files[0] ?? `it ended with ${code}, as said above`;
  return row;
}

function readArguments() {
  try {
    const { values, positionals } = util.parseArgs({ options: { minutes: { type: "string", default: "1" } }, allowPositionals: true });
    const [target, ...files] = positionals;
    const minutes = Number(values.minutes);
    if (!(minutes > 0) || !Number.isFinite(minutes)) stop(`--minutes takes a number above 0\n${USAGE}`);
    if (target && !all.includes(target)) stop(`there is no target ${target}; there are ${all.join(", ")}\n${USAGE}`);
    return { minutes, target, files: files.map((file) => resolve(process.env.INIT_CWD ?? process.cwd(), file)) };
  } catch (error) {
    return stop(`${error.message}\n${USAGE}`);
  }
}
