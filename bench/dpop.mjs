// `npm run bench:dpop [-- --no-build] [--seconds S] [--rounds N]`: what a proof of possession
// costs, whole requests with a bound token and a new proof each, against a JavaScript Worker that
// does the same with jose. Both sides in turn in one run; medians, quartiles of the ratio in
// brackets.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { buildWorker, ensurePackages, requireNode, requireRust, stop, usage } from "../scripts/setup.mjs";
import { bundle } from "../tests/e2e/support/bundle.mjs";
import { byDpop, holder, proof, thumbprint } from "../tests/e2e/support/proofs.mjs";
import { goodClaims } from "../tests/e2e/support/stage.mjs";
import { mint } from "../tests/e2e/support/mint.mjs";
import { javascript } from "./support/bundles.mjs";
import { cpuSeconds } from "./support/cpu.mjs";
import { closedLoop, requestBytes } from "./support/load.mjs";
import { BODY, HEADERS, bearer } from "./support/requests.mjs";
import { PATH, stage as makeStage } from "./support/stage.mjs";
import { ratios, summary } from "./support/stats.mjs";
import { startWorkerd } from "./support/workerd.mjs";

const TOKENS = 32;
const STATED = usage("usage: npm run bench:dpop [-- --no-build] [--seconds S] [--rounds N]");
const option = (name, otherwise) => {
  const at = process.argv.indexOf(`--${name}`);
  if (at < 0) return otherwise;
  const value = Number(process.argv[at + 1]);
  return value > 0 ? value : stop(STATED);
};
const SECONDS = option("seconds", 0.9);
const ROUNDS = option("rounds", 9);

requireNode();
await ensurePackages();
if (!process.argv.includes("--no-build")) {
  requireRust();
  if (await buildWorker()) stop("The Worker could not be built; cargo said why above.");
}
const folder = mkdtempSync(join(tmpdir(), "mcp-edge-auth-dpop-"));
const running = [];
try {
  await measure();
} finally {
  for (const worker of running) await worker.stop();
  rmSync(folder, { recursive: true, force: true });
}

async function measure() {
  const stage = makeStage();
  const entries = stage.settings.MCP_SERVER_AUTH_AUTHORIZATION_SERVERS.map((entry) => ({ ...entry, dpop: "accept" }));
  const bindings = { ...stage.settings, MCP_SERVER_AUTH_AUTHORIZATION_SERVERS: entries, JWKS: stage.jwks };
  const origin = { ...(await javascript("origin", join(folder, "origin"))), bindings: { KEY_SETS: stage.keySets } };
  const bound = Array.from({ length: TOKENS }, (_, i) => boundToken(stage, i));
  const plain = Array.from({ length: TOKENS }, (_, i) => stage.token("good", i));
  const call = (headers) => requestBytes({ path: PATH, headers: { ...HEADERS, ...headers }, body: BODY });
  let made = 0;
  const proven = () => {
    const token = bound[made++ % TOKENS];
    return call(byDpop(token, proof(token)));
  };
  const sides = [
    ["dpop", await bundle(), endless(proven)],
    ["jose", await javascript("jose-dpop", join(folder, "jose")), endless(proven)],
    ["bearer", await bundle(), plain.map((token) => call(bearer(token)))],
  ];
  const cells = [];
  for (const [name, modules, requests] of sides) {
    const worker = await startWorkerd({ folder: join(folder, name), modules, bindings, origin });
    running.push(worker);
    cells.push([name, async () => {
      const before = cpuSeconds(worker.pids());
      const { requests: answered } = await closedLoop({ port: worker.port, requests, expect: { status: 200 }, seconds: SECONDS });
      return ((cpuSeconds(worker.pids()) - before) / answered) * 1e6;
    }]);
  }
  const spent = Object.fromEntries(sides.map(([name]) => [name, []]));
  for (let round = -1; round < ROUNDS; round++) {
    for (const [name, spend] of round % 2 ? cells.toReversed() : cells) {
      const value = await spend();
      if (round >= 0) spent[name].push(value);
    }
  }
  console.log("whole requests, µs of CPU");
  for (const [name, against] of [["dpop", "jose"], ["jose"], ["bearer"]]) {
    const ratio = against && ratios(spent[name], spent[against]);
    const told = ratio ? `${ratio.median.toFixed(2)} of ${against} (${ratio.q1.toFixed(2)} to ${ratio.q3.toFixed(2)})` : "";
    console.log(`${name.padEnd(12)}${summary(spent[name]).median.toFixed(1).padStart(9)}   ${told}`);
  }
}

/** A list without an end: no proof is sent twice. */
function endless(make) {
  return new Proxy({}, { get: (_, name) => (name === "length" ? Number.MAX_SAFE_INTEGER : make()) });
}

/** A token of the stage's issuer that is bound to the holder's key. */
function boundToken({ key, algorithm, issuer }, i) {
  const claims = goodClaims({ url: issuer }, { sub: `user-${10_000 + i}`, cnf: { jkt: thumbprint(holder()) } });
  return mint({ key, alg: algorithm, header: { typ: "at+jwt" }, claims });
}
