// `npm run bench:sign [-- --no-build]`: what assertions and bound sessions cost. First bare, each
// way to sign against the other; then whole requests, with and without. Both sides in turn in one
// run: ratios are taken within a round; medians, and quartiles in brackets. About two minutes, and
// a build at first.
import { copyFileSync, cpSync, mkdtempSync, rmSync } from "node:fs";
import { createHmac } from "node:crypto";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { buildWorker, ensurePackages, requireNode, requireRust, ROOT, stop, usage } from "../scripts/setup.mjs";
import { bundle } from "../tests/e2e/support/bundle.mjs";
import { signingKey } from "../tests/e2e/support/keys.mjs";
import { javascript, ours } from "./support/bundles.mjs";
import { cpuSeconds } from "./support/cpu.mjs";
import { closedLoop, requestBytes } from "./support/load.mjs";
import { BODY, HEADERS, bearer } from "./support/requests.mjs";
import { CANONICAL, PATH, stage as makeStage } from "./support/stage.mjs";
import { ratios, summary } from "./support/stats.mjs";
import { startWorkerd } from "./support/workerd.mjs";

const BUILT = join(ROOT, "dist", "bench", "signing");
const ROUNDS = 9;
const SLICE_S = 0.9;
const TOKENS = 32;
const SESSION_KEY = "k".repeat(43);

// name, against, times in a round
const BARE = [
  ["webcrypto-ES256", "jwt-simple-ES256", 10_000],
  ["jwt-simple-ES256", undefined, 2000],
  ["webcrypto-EdDSA", "jwt-simple-EdDSA", 10_000],
  ["jwt-simple-EdDSA", undefined, 2000],
  ["hmac-session", "webcrypto-session", 20_000],
  ["webcrypto-session", undefined, 20_000],
];

usage("usage: npm run bench:sign [-- --no-build]");
requireNode();
await ensurePackages();
if (!process.argv.includes("--no-build")) {
  requireRust();
  if ((await buildWorker()) || (await buildWorker(["--features", "bench-signing", "--out", BUILT]))) stop("The Worker could not be built; cargo said why above.");
}
const folder = mkdtempSync(join(tmpdir(), "mcp-edge-auth-sign-"));
try {
  await bare();
  await whole();
} finally {
  rmSync(folder, { recursive: true, force: true });
}

async function bare() {
  const source = join(folder, "bare-source");
  cpSync(BUILT, source, { recursive: true });
  copyFileSync(fileURLToPath(new URL("sign/main.mjs", import.meta.url)), join(source, "entry.mjs"));
  const running = await startWorkerd({ folder: join(folder, "bare"), modules: await ours(join(folder, "bare-modules"), source), bindings: {} });
  const spend = async (how, times) => {
    const before = cpuSeconds(running.pids());
    const text = await (await fetch(`http://127.0.0.1:${running.port}/?how=${how}&times=${times}`, { headers: { connection: "close" } })).text();
    if (text !== String(times)) stop(`${how}: ${text} of ${times} were made`);
    return ((cpuSeconds(running.pids()) - before) / times) * 1e6;
  };
  try {
    const spent = await rounds(BARE.map(([name, , times]) => [name, () => spend(name, times)]));
    table("bare, µs of CPU", BARE.map(([name, against]) => [name, spent[name], against && spent[against], against]));
  } finally {
    await running.stop();
  }
}

async function whole() {
  const stage = makeStage();
  const key = (kind) => ({ ...signingKey(kind, "ours").privateKey.export({ format: "jwk" }), kid: "ours" });
  const asserting = (kind) => ({ MCP_SERVER_AUTH_ASSERTION: "header", MCP_SERVER_AUTH_ASSERTION_KEY: key(kind) });
  const sides = [
    ["off", {}],
    ["ES256-reused", asserting("p256")],
    ["ES256-each-new", asserting("p256"), undefined, 20_000],
    ["EdDSA-reused", asserting("ed25519")],
    ["EdDSA-each-new", asserting("ed25519"), undefined, 20_000],
    ["sessions", { MCP_SERVER_AUTH_SESSION_KEY: SESSION_KEY }, session],
  ];
  const modules = await bundle();
  const origin = { ...(await javascript("origin", join(folder, "origin"))), bindings: { KEY_SETS: stage.keySets } };
  const running = [];
  try {
    const cells = [];
    for (const [name, vars, headers, count = TOKENS] of sides) {
      const worker = await startWorkerd({ folder: join(folder, name), modules, bindings: { ...stage.settings, ...vars }, origin });
      running.push(worker);
      const requests = Array.from({ length: count }, (_, i) => requestBytes({ path: PATH, headers: { ...HEADERS, ...bearer(stage.token("good", i)), ...headers?.(stage, i) }, body: BODY }));
      cells.push([name, async () => {
        const before = cpuSeconds(worker.pids());
        const { requests: answered } = await closedLoop({ port: worker.port, requests, expect: { status: 200 }, seconds: SLICE_S });
        return ((cpuSeconds(worker.pids()) - before) / answered) * 1e6;
      }]);
    }
    const spent = await rounds(cells);
    table("whole requests, µs of CPU", sides.map(([name]) => [name, spent[name], name === "off" ? undefined : spent.off, "off"]));
  } finally {
    for (const worker of running) await worker.stop();
  }
}

/** The session header of the i-th caller, as the Worker would have given it. */
function session(stage, i) {
  const frame = (part) => `${Buffer.byteLength(part)}:${part},`;
  const owner = `${frame(CANONICAL)}+${[stage.issuer, `user-${10_000 + i}`, "3f9d2c1e-8a54-4b6f-9d0e-7c2b1a5e4f30"].map(frame).join("")}`;
  const framed = ["mcp-edge-auth session 1", owner, "session-1"].map(frame).join("");
  return { "mcp-session-id": `session-1.${createHmac("sha256", SESSION_KEY).update(framed).digest("base64url")}` };
}

/** Every cell once a round, in an order that turns; the first round is for warming. */
async function rounds(cells) {
  const spent = Object.fromEntries(cells.map(([name]) => [name, []]));
  for (let round = -1; round < ROUNDS; round++) {
    for (const [name, measure] of round % 2 ? cells.toReversed() : cells) {
      const value = await measure();
      if (round >= 0) spent[name].push(value);
    }
  }
  return spent;
}

function table(title, rows) {
  console.log(`\n${title}`);
  for (const [name, values, against, other] of rows) {
    const { median } = summary(values);
    const ratio = against && ratios(values, against);
    const told = ratio ? `${ratio.median.toFixed(2)} of ${other} (${ratio.q1.toFixed(2)} to ${ratio.q3.toFixed(2)})` : "";
    console.log(`${name.padEnd(28)}${median.toFixed(1).padStart(9)}   ${told}`);
  }
}
