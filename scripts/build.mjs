// `npm run build`: the Worker into build/, and its size raw and compressed.

import { buildWorker, ensurePackages, requireNode, requireRust, usage } from "./setup.mjs";

usage("usage: npm run build [-- --features FEATURES --out FOLDER]");

requireNode();
requireRust();
await ensurePackages();
process.exit(await buildWorker(["--size", ...process.argv.slice(2)]));
