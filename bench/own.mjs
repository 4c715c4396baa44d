// `npm run bench:own`: what our own code costs, Rust, glue and crossings, in workerd, with
// stand-ins for the runtime's requests, responses, signature check and fetch. It tells a change of
// a microsecond, which no measurement of whole requests does. Microseconds of CPU per permitted
// request, medians of turns.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { buildWorker, ensurePackages, requireNode, requireRust, stop, usage } from "../scripts/setup.mjs";
import { bundle } from "../tests/e2e/support/bundle.mjs";
import { javascript } from "./support/bundles.mjs";
import { cpuSeconds } from "./support/cpu.mjs";
import { stage as makeStage } from "./support/stage.mjs";
import { startWorkerd } from "./support/workerd.mjs";

const TURNS = 9;
const TIMES = 20_000;

usage("usage: npm run bench:own");
requireNode();
requireRust();
await ensurePackages();
if ((await buildWorker()) !== 0) stop("The Worker could not be built; cargo said why above.");

const folder = mkdtempSync(join(tmpdir(), "mcp-edge-auth-own-"));
try {
  const stage = makeStage();
  const built = await bundle();
  const main = join(folder, "main.mjs");
  const source = readFileSync(fileURLToPath(new URL("own/main.mjs", import.meta.url)), "utf8");
  writeFileSync(main, source.replace("WORKER", built.main));
  const modules = { main: "main.mjs", files: [{ name: "main.mjs", path: main, kind: "esModule" }, ...built.files] };
  const bindings = { ...stage.settings, TOKENS: Array.from({ length: 32 }, (_, i) => `Bearer ${stage.token("good", i)}`) };
  const origin = { ...(await javascript("origin", join(folder, "origin"))), bindings: { KEY_SETS: stage.keySets } };
  const running = await startWorkerd({ folder, modules, bindings, origin });
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
  console.log(`our own code: ${own.toFixed(1)} µs of CPU per permitted request (with the stand-ins ${median(spent.all).toFixed(1)}, they alone ${median(spent.nothing).toFixed(1)})`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
