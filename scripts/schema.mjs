// `npm run -s schema`: the JSON Schema of all settings, as docs/settings.schema.json has it.

import { loadCore } from "../cli/core.mjs";
import { requireNode, stop, usage } from "./setup.mjs";

const USAGE = usage("usage: npm run -s schema");

requireNode();
if (process.argv.length > 2) stop(USAGE);
process.stdout.write((await loadCore()).schema());
