// `npm run check [-- --env NAME]`: finds the faults in wrangler.toml's settings before a deploy does.
//
// The check itself is src/bin/check.rs: it reads the settings with the Worker's own code. Exit code 1 means faults.

import { requireNode, requireRust, run } from "./setup.mjs";

requireNode();
requireRust();
process.exit(await run("cargo", ["run", "--quiet", "--bin", "check", "--", ...process.argv.slice(2)]));
