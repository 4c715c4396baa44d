// `npm run bench:own`: what our own code costs, Rust, glue and crossings, in workerd, with
// stand-ins for the runtime's requests, responses, signature check and fetch. It tells a change of
// a microsecond, which no measurement of whole requests does. Microseconds of CPU per permitted
// request, medians of turns.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { buildWorker, ensurePackages, requireNode, requireRust, stop, usage } from "../scripts/setup.mjs";
import { startOwn } from "./own/worker.mjs";
import { OWN_CODE_US, verdict } from "./report/goals.mjs";
import { cpuSeconds } from "./support/cpu.mjs";

const TURNS = 9;
const TIMES = 20_000;

usage("usage: npm run bench:own");
requireNode();
requireRust();
await ensurePackages();
if ((await buildWorker()) !== 0) stop("The Worker could not be built; cargo said why above.");

const folder = mkdtempSync(join(tmpdir(), "mcp-edge-auth-own-"));
try {
  const running = await startOwn(folder);
  const spent = { all: [], nothing: [] };
  try {
    for (let turn = -2; turn < TURNS; turn++) {
      for (const how of turn % 2 ? ["all", "nothing"] : ["nothing", "all"]) {
        const before = cpuSeconds(running.pids());
        const response = await fetch(`http://127.0.0.1:${running.port}/?how=${how}&times=${TIMES}`);
        const text = await response.text();
        if (text !== String(TIMES)) stop(`${text} of ${TIMES} requests were permitted.`);
        if (turn >= 0) spent[how].push(((cpuSeconds(running.pids()) - before) / TIMES) * 1e6);
      }
    }
  } finally {
    await running.stop();
  }
  const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1];
  const own = median(spent.all) - median(spent.nothing);
  const reached = `goal: at most ${OWN_CODE_US}, ${verdict(own <= OWN_CODE_US)}`;
  console.log(`our own code: ${own.toFixed(1)} µs of CPU per permitted request (with the stand-ins ${median(spent.all).toFixed(1)}, they alone ${median(spent.nothing).toFixed(1)}); ${reached}`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
