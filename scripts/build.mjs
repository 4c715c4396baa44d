// `npm run build`: the Worker into build/, and its size raw and compressed.

import { buildWorker, ensurePackages, requireNode, requireRust } from "./setup.mjs";

requireNode();
requireRust();
await ensurePackages();
process.exit(await buildWorker(["--size", ...process.argv.slice(2)]));
