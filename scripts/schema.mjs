// `npm run -s schema`: the JSON Schema of all settings, as docs/settings.schema.json has it.

import { requireNode, requireRust, run, stop, usage } from "./setup.mjs";

const USAGE = usage("usage: npm run -s schema");

requireNode();
if (process.argv.length > 2) stop(USAGE);
requireRust();
process.exit(await run("cargo", ["run", "--quiet", "--package", "cli", "--no-default-features", "--bin", "schema"]));
