// `npm run lint`: formatting and clippy, every warning an error; the exit code is the first
// failure's.

import { requireNode, requireRust, run, usage } from "./setup.mjs";

usage("usage: npm run lint");
requireNode();
requireRust();
const format = await run("cargo", ["fmt", "--all", "--check"]);
const clippy = await run("cargo", ["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]);
process.exit(format || clippy);
