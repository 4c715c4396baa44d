// `npm run conformance [-- REVISION ...]`: the MCP project's conformance suite through the Worker,
// and against the same server without it. Exit code 1 on any difference, check by check. What the
// suite cannot do, and which servers it is tried on: docs/conformance.md.

import { buildWorker, ensurePackages, requireNode, requireRust, stop, usage } from "./setup.mjs";

usage("usage: npm run conformance [-- REVISION ...]");
requireNode();
requireRust();
await ensurePackages();
if ((await buildWorker()) !== 0) stop("The Worker could not be built; cargo said why above.");

const { REVISIONS, suite, through } = await import("../tests/conformance/through.mjs");
const wanted = process.argv.slice(2);
const unknown = wanted.filter((revision) => !REVISIONS.includes(revision));
if (unknown.length) stop(`usage: npm run conformance [-- ${REVISIONS.join(" | ")}]`);

console.log("Fetching the suite, and Node 22 where this one is older (once, about 20 seconds) ...");
const node = await suite().catch((error) => stop(`The suite or Node 22 cannot be had here: ${error.message}`));

let differing = 0;
for (const revision of wanted.length ? wanted : REVISIONS) {
  const endings = [];
  const end = async () => {
    while (endings.length) await endings.pop()();
  };
  const { scenarios, checks, passed, failed, forwarded, differences } = await through({ after: (ending) => endings.push(ending) }, node, revision).finally(end);
  console.log(`\n${revision}: ${scenarios} scenarios, ${checks} checks, ${passed} passed without the Worker; ${forwarded} requests went through it`);
  if (failed.length) console.log(`  with failures of the server's own: ${failed.join(", ")}`);
  console.log(differences.length ? `  ${differences.length} differences:\n    ${differences.join("\n    ")}` : "  the same, check by check, through the Worker");
  differing += differences.length;
}
process.exit(differing ? 1 : 0);
