// The builds of the Worker that a run needs: the one that is deployed, and those for measuring
// only.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { ROOT, buildWorker, requireRust, stop } from "../../scripts/setup.mjs";
import { FEATURE_BUILDS } from "../sides/worker.mjs";

/**
 * names: the sides that were asked for. Says why, where a build for measuring cannot be had;
 * without the Worker itself there is no run.
 */
export async function build(names) {
  const own = names.has("ours") && !process.env.MCP_EDGE_AUTH_BUNDLE;
  const manifest = readFileSync(join(ROOT, "Cargo.toml"), "utf8");
  const features = FEATURE_BUILDS.filter(({ side, feature }) => names.has(side) && manifest.includes(feature));
  if (!own && !features.length) return;
  requireRust();
  if (own && (await buildWorker()) !== 0) stop("The Worker could not be built; cargo said why above.");
  for (const { feature, out } of features) {
    const code = await buildWorker(["--features", feature, "--out", out]);
    if (code !== 0) console.log(`The build with ${feature} failed${existsSync(join(ROOT, out)) ? "; an older one is used" : ""}.`);
  }
}
