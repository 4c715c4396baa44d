// `npm run differential [-- [--count N] [--seed N]]`: 50 000 signed mutants of tokens, each judged
// by the built Worker, by jose and by PyJWT. PyJWT is left out, with a sentence, where there is no
// Python or no PyPI.
//
// It promises: a token that the Worker takes and all others refuse is a failure; so is every other
// difference that tests/differential/known.mjs does not explain. The same seed alters
// tokens in the same ways.

import { join } from "node:path";
// By its default: a named import that an old Node lacks fails before its version is looked at.
import util from "node:util";

import { plainLines } from "../cli/plain.mjs";
import { buildWorker, ensurePackages, requireNode, requireRust, ROOT, stop, usage } from "./setup.mjs";

const USAGE = usage("usage: npm run differential [-- [--count N] [--seed N]]");
const AUDIENCE = "https://mcp.example.com/mcp";
/** So many unexplained tokens are shown. */
const SHOWN = 20;

requireNode();
const { count, seed } = readArguments();
requireRust();
await ensurePackages();
if ((await buildWorker()) !== 0) stop("The Worker could not be built; cargo said why above.");

// Only now, since they need the packages.
const { compare } = await import("../tests/differential/compare.mjs");
const { environments, findPython } = await import("../tests/origins/support/python.mjs");

const python = await findPython();
const made = python.reason ? python : await environments(python, ["differential"], join(ROOT, "tests"));
if (made.reason) console.log(`PyJWT is not asked: ${made.reason}.`);
console.log(`Asking the Worker, jose${made.reason ? "" : " and PyJWT"} about ${count} mutants, which takes some minutes ...`);
const { outcomes, failures } = await compare({ count, seed, audience: AUDIENCE, interpreter: made.commands?.differential });
for (const [outcome, mutants] of Object.entries(outcomes).sort(([, a], [, b]) => b - a)) console.log(`${String(mutants).padStart(6)}  ${outcome}`);
for (const { what, token, ways, verdicts, reason } of failures.slice(0, SHOWN)) {
  console.error(plainLines(`\n${what}: ${ways.join(", ")}\n${JSON.stringify(verdicts)} ${reason ?? ""}\n${token}`));
}
if (failures.length) stop(`\n${failures.length} of ${count} mutants are judged otherwise than they should be (seed ${seed}).`);
console.log(`\n${count} mutants (seed ${seed}): none is taken by the Worker alone, and every difference is explained in tests/differential/known.mjs.`);
process.exit(0);

function readArguments() {
  try {
    const { values } = util.parseArgs({ options: { count: { type: "string", default: "50000" }, seed: { type: "string", default: "1" } } });
    const numbers = [values.count, values.seed].map(Number);
    if (!numbers.every((number) => Number.isSafeInteger(number) && number > 0)) stop(USAGE);
    return { count: numbers[0], seed: numbers[1] };
  } catch (error) {
    return stop(`${error.message}\n${USAGE}`);
  }
}
