// `npm run check [-- --env NAME] [--config FILE]`: finds the faults in wrangler.toml's settings before a deploy does.
//
// The check itself is src/bin/check.rs: it reads the settings with the Worker's own code. Exit code 1 means faults.

import { resolve } from "node:path";

import { requireNode, requireRust, run } from "./setup.mjs";

requireNode();
requireRust();
// npm starts this in the repository's folder; a file is named from where the caller is.
const args = process.argv.slice(2).map((argument, i, all) => (["--config", "-c"].includes(all[i - 1]) ? resolve(process.env.INIT_CWD ?? process.cwd(), argument) : argument));
process.exit(await run("cargo", ["run", "--quiet", "--bin", "check", "--", ...args]));
