// wrangler's [build] step: `cargo xtask build`, also where the shell does not know cargo, and on a
// CI that has none.

import { requireNode, requireRust, run } from "./setup.mjs";

requireNode();
requireRust();
process.exit(await run("cargo", ["xtask", "build"]));
