// How many instructions a request takes.
//
// A count does not depend on what else the machine does, so it tells a change of 1 % where a time
// does not tell one of 10 %. What is counted is everything but the signature, natively compiled
// with the Worker's own profile, under valgrind's callgrind. Each scenario runs twice, for a few
// requests and for many; the difference is the requests' alone.
import { execFile, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";

import { ROOT, stop } from "../../scripts/setup.mjs";

const FEW = 100;
const MANY = 300;

/** { given, counts }, or { reason } where they cannot be counted. */
export async function instructions() {
  if (spawnSync("valgrind", ["--version"]).status !== 0) return { reason: "valgrind is not installed, or does not run" };
  const program = build();
  return { given: compiledWith(), counts: await countAll(program) };
}

/**
 * The program's path. Flags of the caller's own would change what is counted; the Worker's own are
 * read where it is built.
 */
function build() {
  const ours = Object.entries(process.env).filter(([name]) => !/^CARGO_(INCREMENTAL|PROFILE_)/.test(name));
  const [, inlined] = /^const INLINED: &str = "(.*)";$/m.exec(readFileSync(join(ROOT, "xtask", "src", "main.rs"), "utf8"));
  const env = { ...Object.fromEntries(ours), CARGO_ENCODED_RUSTFLAGS: inlined };
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
