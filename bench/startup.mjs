// `npm run bench:startup`: how long bare workerd takes from its start to the first answer, with the
// built Worker in it and with a Worker of a few lines that passes everything on; and from listening
// to that answer. Both take turns, so that whatever else the machine does meets both. Then
// wrangler's own look at the start-up, and the bundle's size. Loopback only, some ten seconds.
//
// `document`: the first request is one that needs no network. `verified`: it is a tools/call with a
// token, so the Worker first fetches the key set (there is no KV here) and both fetch from the
// origin.
import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, copyFileSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";

import { usage } from "../scripts/setup.mjs";
import { wranglerEnv, wranglerPath } from "../tests/e2e/support/bundle.mjs";
import { connect, request } from "./sides/support/socket.mjs";
import { METADATA, startStage } from "./sides/support/stage.mjs";
import { DATE, base, ours, prepare } from "./sides/support/workerd.mjs";

const WARM_UP = 2; // the first starts read from the disk

/**
 * { rounds, rows: [{ first, from, unit, ours, base, ratio }], bundle: [{ name, raw, gzip }],
 * wrangler: { ours, base } | { reason } }
 */
export async function measure({ rounds = 15, wrangler = true } = {}) {
  const stage = await startStage();
  const workers = { ours: prepare(await ours(), stage.vars), base: prepare(await base(), stage.vars) };
  const firsts = { document: request("GET", METADATA), verified: stage.good(1) };
  const samples = { document: { ours: [], base: [] }, verified: { ours: [], base: [] } };
  try {
    for (let round = -WARM_UP; round < rounds; round++) {
      for (const [first, bytes] of Object.entries(firsts)) {
        for (const name of round % 2 ? ["ours", "base"] : ["base", "ours"]) {
          const sample = await once(workers[name], bytes);
          if (round >= 0) samples[first][name].push(sample);
        }
      }
    }
  } finally {
    for (const worker of Object.values(workers)) worker.remove();
    stage.close();
  }
  const rows = Object.entries(samples).flatMap(([first, of]) => FROM.map((from) => row(first, from, of)));
  return { rounds, rows, bundle: await sizes(), wrangler: wrangler ? await startupChecks() : { reason: "not asked for" } };
}

const FROM = ["spawn", "listening", "processor"];

async function once(worker, bytes) {
  const running = await worker.start();
  try {
    const socket = await connect(running.port);
    const status = await socket.ask(bytes);
    const answered = performance.now();
    const processor = processorMs(running.pid);
    socket.close();
    if (status !== 200) throw new Error(`the first answer was ${status}`);
    return { spawn: answered - running.spawned, listening: answered - running.listening, processor };
  } finally {
    await running.stop();
  }
}

/**
 * What all threads of the process have had of the processors: other load on the machine does not
 * count into it.
 */
function processorMs(pid) {
  const threads = readdirSync(`/proc/${pid}/task`);
  const spent = threads.map((id) => Number(readFileSync(`/proc/${pid}/task/${id}/schedstat`, "utf8").split(" ")[0]));
  return spent.reduce((sum, ns) => sum + ns, 0) / 1e6;
}

function row(first, from, samples) {
  const side = (name) => quartiles(samples[name].map((sample) => sample[from]));
  const [our, bare] = [side("ours"), side("base")];
  return { first, from, unit: "ms", ours: our, base: bare, ratio: our.median / bare.median };
}

function quartiles(values) {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share) => {
    const place = (sorted.length - 1) * share;
    const low = sorted[Math.floor(place)];
    return low + (sorted[Math.ceil(place)] - low) * (place % 1);
  };
  return { median: at(0.5), q1: at(0.25), q3: at(0.75) };
}

async function sizes() {
  return (await ours()).map(({ name, path }) => {
    const bytes = readFileSync(path);
    return { name, raw: bytes.length, gzip: gzipSync(bytes, { level: 9 }).length };
  });
}

async function startupChecks() {
  try {
    return { ours: await startupCheck(await ours()), base: await startupCheck(await base()) };
  } catch (error) {
    const said = `${error.stderr ?? ""}${error.stdout ?? ""}`.trim() || error.message;
    return { reason: said.split("\n").filter(Boolean).slice(-3).join(" ") };
  }
}

/**
 * `wrangler check startup` works without an account: it profiles the start in a local workerd. Of
 * the profile, `busy` is the time in which a sample met code, `span` the whole recording;
 * compilation is in the span alone.
 */
async function startupCheck(modules) {
  const folder = mkdtempSync(join(tmpdir(), "mcp-edge-auth-startup-"));
  try {
    mkdirSync(join(folder, "worker"));
    for (const { name, path, text } of modules) {
      if (path) copyFileSync(path, join(folder, "worker", name));
      else writeFileSync(join(folder, "worker", name), text);
    }
    writeFileSync(join(folder, "wrangler.toml"), `name = "startup"
main = "worker/${modules[0].name}"
compatibility_date = "${DATE}"
no_bundle = true
rules = [{ type = "CompiledWasm", globs = ["**/*.wasm"] }, { type = "ESModule", globs = ["**/*.js", "**/*.mjs"] }]
`);
    const outfile = join(folder, "profile.json");
    const args = [wranglerPath(), "check", "startup", "--outfile", outfile];
    await promisify(execFile)(process.execPath, args, { cwd: folder, env: wranglerEnv(), timeout: 60_000 });
    return profiled(JSON.parse(readFileSync(outfile, "utf8")));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function profiled({ nodes, samples, timeDeltas, startTime, endTime }) {
  const resting = new Set(nodes.filter(({ callFrame }) => /^\((idle|root|program)\)$/.test(callFrame.functionName)).map(({ id }) => id));
  // A sample's state lasts until the next one.
  const busy = samples.reduce((sum, id, i) => (resting.has(id) ? sum : sum + (timeDeltas[i + 1] ?? 0)), 0);
  return { busyMs: busy / 1000, spanMs: (endTime - startTime) / 1000 };
}

function print({ rounds, rows, bundle, wrangler }) {
  const cell = ({ median, q1, q3 }) => `${median.toFixed(1)} (${q1.toFixed(1)} to ${q3.toFixed(1)})`;
  const line = (name, ...cells) => console.log(`${name.padEnd(34)}${cells.map((text, i) => text.padStart(i < 2 ? 24 : 8)).join("")}`);
  line("first answer, ms", "ours", "base", "ratio", `   median (quartiles), ${rounds} rounds`);
  for (const { first, from, ours: our, base: bare, ratio } of rows) {
    const name = from === "processor" ? `${first}, processor time` : `${first}, from ${from}`;
    line(name, cell(our), cell(bare), ratio.toFixed(2));
  }
  const kib = (bytes) => `${(bytes / 1024).toFixed(1)} KiB`;
  for (const { name, raw, gzip } of bundle) line(name.replace(/^[0-9a-f]{40}-/, ""), kib(raw), `${kib(gzip)} compressed`);
  const total = (member) => bundle.reduce((sum, file) => sum + file[member], 0);
  line("total", kib(total("raw")), `${kib(total("gzip"))} compressed`);
  if (wrangler.reason) return console.log(`wrangler check startup: none; ${wrangler.reason}`);
  const profile = ({ busyMs, spanMs }) => `${busyMs.toFixed(1)} of ${spanMs.toFixed(1)}`;
  line("wrangler check startup, ms busy", profile(wrangler.ours), profile(wrangler.base));
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  usage("usage: npm run bench:startup [-- ROUNDS]");
  print(await measure({ rounds: Number(process.argv[2] ?? 15) }));
}
