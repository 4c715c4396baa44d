// One work: its sides are started and probed, then take turns, round after round, so that what
// disturbs the machine disturbs all of them.
import { mkdirSync } from "node:fs";
import { join } from "node:path";

import { cpuSeconds } from "./cpu.mjs";
import { closedLoop, openLoop } from "./load.mjs";
import { startOrigin } from "./origin.mjs";
import { probe, probeHost, probeLog, probeTokens } from "./probe.mjs";
import { CANONICAL, stage as makeStage } from "./stage.mjs";
import { quantile } from "./stats.mjs";

const START_S = 0.6;
const LEAD_S = 0.1; // of load before each slice: connections, caches, the clock of the core
const OVERHEAD_S = 0.05;
const RATE_ROUNDS = 3;
const FIXED_RATE_S = 1.5;

/** About how long runWork takes. */
export function secondsFor({ sides, variants, slice = 1, fixedRate }, opts) {
  const each = LEAD_S + OVERHEAD_S + (fixedRate ? FIXED_RATE_S : opts.slice * slice);
  return sides.length * variants.length * (START_S + opts.warm + opts.rounds * each + (fixedRate ? RATE_ROUNDS * opts.slice : 0));
}

/**
 * Gives { ...what the work says, cells: [{ side, label, size, samples }], faults, rate }. A sample:
 * { cpu in microseconds a request, perSecond, requests } or, at a fixed rate, { p50, p99, requests
 * } in milliseconds.
 */
export async function runWork(work, opts) {
  const run = { opts, work, folder: join(opts.folder, work.name), running: new Map(), faults: [] };
  try {
    const cells = await openCells(run);
    for (const cell of cells) await closedLoop({ ...cell.load, seconds: opts.warm });
    const rate = work.fixedRate && cells.length ? await halfOfSlowest(cells, opts) : undefined;
    for (let round = 0; round < opts.rounds; round++) {
      for (const cell of turned(cells, round)) {
        cell.samples[round] = rate ? await timed(cell, rate) : await slice(cell, opts.slice * (work.slice ?? 1));
      }
    }
    const { name, title, against, unit } = work;
    return { name, title, against, unit, rate, faults: run.faults, cells: cells.map(({ load, pids, ...cell }) => cell) };
  } finally {
    await Promise.all([...run.running.values()].map(async (started) => (await started)?.stop()));
    await run.origin?.stop();
  }
}

/** Each round starts with another cell, and every second one goes backwards. */
function turned(cells, round) {
  const from = round % cells.length;
  const order = [...cells.slice(from), ...cells.slice(0, from)];
  return round % 2 ? order.reverse() : order;
}

async function openCells(run) {
  const { work } = run;
  if (work.network || work.sides.some((side) => !side.worker)) run.origin = await startOrigin();
  const cells = [];
  for (const { label, size, options = {}, requests, expect = { status: 200 } } of work.variants) {
    for (const side of work.sides) {
      const { running, stage } = (await processOf(run, side, options)) ?? {};
      if (!running) continue;
      const load = { port: running.port, requests: requests(stage, running), expect, connections: work.connections };
      cells.push({ side: side.name, label, size, load, pids: running.pids, samples: [] });
    }
  }
  return cells;
}

/**
 * A side's process for a stage, started and probed once for all the variants that share it; nothing
 * if it failed its probe.
 */
function processOf(run, side, options) {
  const key = `${side.name}-${JSON.stringify(options).replace(/\W+/g, "-")}`;
  if (!run.running.has(key)) run.running.set(key, start(run, side, options, join(run.folder, key)));
  return run.running.get(key);
}

const logsProbed = new Set();
const tokensProbed = new Set();

async function start(run, side, options, folder) {
  const inside = side.worker && !run.work.network;
  const stage = makeStage({ ...options, ...(!inside && { outside: run.origin.url }) });
  if (!inside) await run.origin.serve(stage.keySets);
  mkdirSync(folder, { recursive: true });
  const { issuer, jwks, algorithm } = stage;
  const given = { folder, stage, inside, issuer, jwks, algorithm, canonicalUrl: CANONICAL, audience: CANONICAL, originPort: run.origin?.port };
  let running;
  try {
    running = await side.start(given);
    const faults = await probe(side, running, stage);
    if (side.strict && stage.algorithm === "RS256" && !tokensProbed.has(side.name)) {
      faults.push(...(await probeTokens(running, stage)));
      tokensProbed.add(side.name);
    }
    if (side.measuring) faults.push(...(await probeHost(side, join(folder, "host"), stage)));
    if (side.logs && !logsProbed.has(side.name)) faults.push(...(await probeLog(side, given, stage, `${folder}-logged`)));
    logsProbed.add(side.name);
    if (!faults.length) return { running, stage, stop: () => running.stop() };
    run.faults.push(...faults.map((fault) => `${side.name}: ${fault}`));
  } catch (error) {
    run.faults.push(`${side.name}: ${error.message}`);
  }
  await running?.stop();
  return undefined;
}

async function slice({ load, pids }, seconds) {
  await closedLoop({ ...load, seconds: LEAD_S });
  const before = cpuSeconds(pids());
  const { requests, perSecond } = await closedLoop({ ...load, seconds });
  const cpu = ((cpuSeconds(pids()) - before) / requests) * 1e6;
  return { cpu, perSecond, requests };
}

async function timed({ load }, rate) {
  await openLoop({ ...load, seconds: LEAD_S, rate });
  return openLoop({ ...load, seconds: FIXED_RATE_S, rate });
}

async function halfOfSlowest(cells, opts) {
  const greatest = [];
  for (let round = 0; round < RATE_ROUNDS; round++) {
    for (const [i, cell] of cells.entries()) (greatest[i] ??= []).push((await closedLoop({ ...cell.load, seconds: opts.slice })).perSecond);
  }
  return Math.floor(Math.min(...greatest.map((values) => quantile(values, 0.5))) / 2);
}
