// `npm run bench:startup [-- --rounds N] [--ours NAME=FOLDER]`: how long bare workerd takes from
// its start to the first answer, with the built Worker in it and with a Worker of a few lines that
// passes everything on; and from listening to that answer. They take turns, so that whatever else
// the machine does meets all of them. Then wrangler's own look at the start-up, the bundle's size,
// and the goals. Loopback only, some ten seconds. `--ours` adds another build of the Worker, such
// as an earlier one: a bundle, or a folder such as `build/`.
//
// `document`: the first request is one that needs no network. `verified`: it is a tools/call with a
// token, so the Worker first fetches the key set (there is no KV here) and both fetch from the
// origin.
import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, copyFileSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs, promisify } from "node:util";
import { gzipSync } from "node:zlib";

import { stop, usage } from "../scripts/setup.mjs";
import { wranglerEnv, wranglerPath } from "../tests/e2e/support/bundle.mjs";
import { COMPRESSED_KIB, FIRST_ANSWER_MS, FIRST_ANSWER_OF_OTHER, verdict } from "./report/goals.mjs";
import { aligned } from "./report/table.mjs";
import { connect, request } from "./sides/support/socket.mjs";
import { METADATA, startStage } from "./sides/support/stage.mjs";
import { DATE, base, ours, prepare } from "./sides/support/workerd.mjs";
import { ours as bundled } from "./support/bundles.mjs";
import { pair } from "./support/options.mjs";
import { ratios, summary } from "./support/stats.mjs";

const WARM_UP = 2; // the first starts read from the disk

/**
 * others: more builds, { name: folder }. Gives { rounds, rows: [{ first, from, sides: { name: {
 * median, q1, q3 } }, ratios: { name: the same of ours : it } }], bundle: [{ name, raw, gzip }],
 * wrangler: { ours, base } | { reason } }.
 */
async function measure({ rounds, others }) {
  const folder = mkdtempSync(join(tmpdir(), "mcp-edge-auth-startup-"));
  const stage = await startStage();
  const workers = { ours: prepare(await ours(), stage.vars), base: prepare(await base(), stage.vars) };
  const firsts = { document: request("GET", METADATA), verified: stage.good(1) };
  const samples = { document: {}, verified: {} };
  try {
    for (const [name, built] of Object.entries(others)) {
      const { main, files } = await bundled(join(folder, name), built);
      const order = files.toSorted((a, b) => Number(b.name === main) - Number(a.name === main));
      workers[name] = prepare(order, stage.vars);
    }
    const names = Object.keys(workers);
    for (const of of Object.values(samples)) for (const name of names) of[name] = [];
    for (let round = -WARM_UP; round < rounds; round++) {
      for (const [first, bytes] of Object.entries(firsts)) {
        const order = round % 2 ? names : names.toReversed();
        for (const name of order) {
          const sample = await once(workers[name], bytes);
          if (round >= 0) samples[first][name].push(sample);
        }
      }
    }
  } finally {
    for (const worker of Object.values(workers)) worker.remove();
    stage.close();
    rmSync(folder, { recursive: true, force: true });
  }
  const rows = Object.entries(samples).flatMap(([first, of]) => FROM.map((from) => row(first, from, of)));
  return { rounds, rows, bundle: await sizes(), wrangler: await startupChecks() };
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

/** Ratios are taken within a round. */
function row(first, from, samples) {
  const values = (name) => samples[name].map((sample) => sample[from]);
  const names = Object.keys(samples);
  const others = names.filter((name) => name !== "ours");
  return {
    first,
    from,
    sides: Object.fromEntries(names.map((name) => [name, summary(values(name))])),
    ratios: Object.fromEntries(others.map((name) => [name, ratios(values("ours"), values(name))])),
  };
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
  const range = ({ median, q1, q3 }, digits) => `${median.toFixed(digits)} (${q1.toFixed(digits)}-${q3.toFixed(digits)})`;
  const names = Object.keys(rows[0].sides);
  const head = [`first answer, ms, ${rounds} rounds`, ...names, ...Object.keys(rows[0].ratios).map((name) => `ours : ${name}`)];
  const line = ({ first, from, sides, ratios: of }) => [
    from === "processor" ? `${first}, processor time` : `${first}, from ${from}`,
    ...names.map((name) => range(sides[name], 1)),
    ...Object.values(of).map((ratio) => range(ratio, 2)),
  ];
  console.log(`${aligned([head, ...rows.map(line)])}\n`);
  const kib = (bytes) => `${(bytes / 1024).toFixed(1)} KiB`;
  const total = (member) => bundle.reduce((sum, file) => sum + file[member], 0);
  const size = (name, raw, gzip) => [name, kib(raw), `${kib(gzip)} compressed`];
  const files = bundle.map(({ name, raw, gzip }) => size(name.replace(/^[0-9a-f]{40}-/, ""), raw, gzip));
  console.log(`${aligned([...files, size("total", total("raw"), total("gzip"))])}\n`);
  const profile = ({ busyMs, spanMs }) => `${busyMs.toFixed(1)} of ${spanMs.toFixed(1)}`;
  if (wrangler.reason) console.log(`wrangler check startup: none; ${wrangler.reason}\n`);
  else console.log(`wrangler check startup, ms busy: ours ${profile(wrangler.ours)}, base ${profile(wrangler.base)}\n`);
  console.log(aligned([["", "goal", "measured", ""], ...goals(rows, total("gzip") / 1024)]));
}

/** Rows of a table. An earlier build is what `--ours` gave. */
function goals(rows, compressed) {
  const judged = (measure, most, value, digits) => [measure, `≤ ${most}`, value.toFixed(digits), verdict(value <= most)];
  const fromListening = rows.filter(({ from }) => from === "listening");
  return [
    ...fromListening.map(({ first, sides }) => judged(`first ${first}, ms from listening`, FIRST_ANSWER_MS[first], sides.ours.median, 1)),
    ...fromListening.flatMap(({ first, ratios: of }) => Object.entries(of).filter(([name]) => name !== "base").map(([name, { median }]) =>
      judged(`first ${first} from listening, ours : ${name}`, FIRST_ANSWER_OF_OTHER, median, 2))),
    judged("compressed, KiB", COMPRESSED_KIB, compressed, 1),
  ];
}

const USAGE = usage("usage: npm run bench:startup [-- --rounds N] [--ours NAME=FOLDER]");

/** { rounds, others } */
function options() {
  try {
    const { rounds = "15", ours: pairs } = parseArgs({ options: { rounds: { type: "string" }, ours: { type: "string", multiple: true, default: [] } } }).values;
    if (!/^[1-9]\d*$/.test(rounds)) stop(`--rounds takes a whole number. ${USAGE}`);
    return { rounds: Number(rounds), others: Object.fromEntries(pairs.map(pair)) };
  } catch (error) {
    return stop(`${error.message} ${USAGE}`);
  }
}

print(await measure(options()));
