// The sides that are Workers: each in a bare workerd of its own.
import { existsSync } from "node:fs";
import { join } from "node:path";

import { ROOT } from "../../tests/e2e/support/bundle.mjs";
import { javascript, ours } from "../support/bundles.mjs";
import { REFUSED } from "../support/probe.mjs";
import { PATH } from "../support/stage.mjs";
import { startWorkerd } from "../support/workerd.mjs";

/**
 * Builds of the Worker that leave something out, made by `cargo xtask build --features … --out …`;
 * never deployed.
 */
export const FEATURE_BUILDS = [
  { side: "unsigned", feature: "bench-unsigned", out: "dist/bench/unsigned" },
  { side: "ours-answer", feature: "bench-answer", out: "dist/bench/answer" },
];

// What they can be asked. `answers`: refusals and all else are to be those of the contract, to the
// byte; `logs`: and the log line; `strict`: and every bad token that a test knows of is refused.
const WHOLE = { answers: true, logs: true, identity: true, forwards: true };
const STRICT = { ...WHOLE, strict: true };
const ANSWER = { identity: false, forwards: false };
const BASE = { identity: false, forwards: true, refuses: [] };
const BARE = { identity: false, forwards: true, refuses: ["signature"] };
const UNSIGNED = { ...WHOLE, answers: false, logs: false, refuses: REFUSED.filter((kind) => kind !== "signature"), accepts: ["signature"] };

export function workerSides(variants) {
  const script = (name, source, options, checks) => side(name, (folder) => javascript(source, folder, options), checks);
  const build = (name, folder, checks, why = `there is no folder ${folder}`) => ({
    ...side(name, (into) => ours(into, folder), checks),
    available: () => folder === undefined || existsSync(folder) || why,
  });
  const featured = (name, checks) => {
    const { feature, out } = FEATURE_BUILDS.find((one) => one.side === name);
    return build(name, join(ROOT, out), { ...checks, measuring: true }, `there is no build with the feature ${feature} in ${out}`);
  };
  return [
    script("base", "base", {}, BASE),
    build("ours", undefined, STRICT),
    ...Object.entries(variants).map(([name, folder]) => build(name, folder, STRICT)),
    script("jose", "jose", {}, WHOLE),
    script("jose-silent", "jose", { silent: true }, { ...WHOLE, logs: false }),
    script("by-hand", "by-hand", {}, STRICT),
    script("by-hand-lean", "by-hand-lean", {}, WHOLE),
    script("bare", "bare", {}, BARE),
    script("contract", "contract", {}, BARE),
    featured("unsigned", UNSIGNED),
    featured("ours-answer", ANSWER),
    script("jose-answer", "jose", { answer: true }, ANSWER),
    script("by-hand-answer", "by-hand", { answer: true }, ANSWER),
    script("by-hand-lean-answer", "by-hand-lean", { answer: true }, ANSWER),
    script("bare-answer", "bare", { answer: true }, { ...BARE, ...ANSWER }),
    script("base-answer", "base", { answer: true }, { ...BASE, ...ANSWER }),
  ];
}

function side(name, modulesIn, checks) {
  return {
    name,
    worker: true,
    ...checks,
    available: () => true,
    /** log: a file for what the Worker logs. */
    async start({ folder, stage, inside, log }) {
      const modules = await modulesIn(join(folder, "modules"));
      const origin = inside && { ...(await javascript("origin", join(folder, "origin-modules"))), bindings: { KEY_SETS: stage.keySets } };
      const bindings = { ...stage.settings, JWKS: stage.jwks };
      return { path: PATH, ...(await startWorkerd({ folder, modules, bindings, origin, log })) };
    },
  };
}
