// `npm run bench:memory`: how much memory workerd holds after 1 000 requests and after 100 000,
// with the built Worker in it and with a Worker of a few lines that passes everything on. One
// request in ten has a bad token, the tokens are many, the connections stay open. Loopback only,
// about three minutes; an argument is another last mark.
//
// Twice, since resident memory alone cannot tell a leak from a heap that nobody had a reason to
// collect:
//   as it is    V8 and the allocator take what they like; workerd on its own machine has no limit
//               that would stop them
//   small heap  V8 must keep its heap under HEAP_MB, so garbage goes soon, and what stays is what
//               is held. At each mark a full collection also tells what is alive of the JavaScript
//               heap
// Both read the linear memory of the wasm instance, which V8 does not manage and which never
// shrinks.
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

import { usage } from "../scripts/setup.mjs";
import { connect } from "./sides/support/socket.mjs";
import { startStage } from "./sides/support/stage.mjs";
import { base, ours, prepare } from "./sides/support/workerd.mjs";

const MARKS = [1_000, 10_000, 50_000, 100_000];
const HEAP_MB = 48;
const HEAPS = { "as it is": [], "small heap": [`--max-heap-size=${HEAP_MB}`, "--expose-gc", "--trace-gc"] };
const CONNECTIONS = 16;
const TOKENS = 200;
const REFUSED_IN = 10; // one in so many
const LOOKS = 10;
const LOOK_MS = 100;
const COLLECTIONS = 50; // one line of --trace-gc each; workerd prints them by the 4 KiB
const RUN_MS = 180_000;

/**
 * { runs: [{ heap, side, points: [{ requests, perSecond, rss, pss, anonymous, wasm, live? }],
 * complete, ratio, settled }] }: bytes; ratio: rss at the last mark to that at the first; settled:
 * to that at the mark before. A run that is out of time ends earlier, and is not complete.
 */
export async function measure({ marks = MARKS } = {}) {
  const stage = await startStage();
  try {
    const runs = [];
    for (const heap of Object.keys(HEAPS)) {
      for (const [side, modules] of [["base", base], ["ours", ours]]) runs.push(await run({ heap, side, modules: await modules(), stage, marks }));
    }
    return { runs };
  } finally {
    stage.close();
  }
}

async function run({ heap, side, modules, stage, marks }) {
  let live;
  const heard = (chunk) => {
    const sizes = [...chunk.toString().matchAll(/Mark-Compact.*? -> ([\d.]+) \(/g)];
    if (sizes.length) live = Number(sizes.at(-1)[1]) * 2 ** 20;
  };
  const v8Flags = HEAPS[heap];
  const worker = prepare(watched(modules), stage.vars, { v8Flags, heard: v8Flags.length ? heard : undefined });
  try {
    const running = await worker.start();
    try {
      const points = await loaded(running, requests(stage, side), marks, () => live);
      const to = (point) => points.at(-1).rss / (point ?? points[0]).rss;
      const complete = points.at(-1).requests >= marks.at(-1);
      return { heap, side, points, complete, ratio: to(points[0]), settled: to(points.at(-2)) };
    } finally {
      await running.stop();
    }
  } finally {
    worker.remove();
  }
}

/** A cycle of prepared requests, each with the status that must come. */
function requests(stage, side) {
  return Array.from({ length: TOKENS }, (_, n) => {
    if (n % REFUSED_IN !== REFUSED_IN - 1) return { bytes: stage.good(n), status: 200 };
    return { bytes: stage.refused(Math.floor(n / REFUSED_IN)), status: side === "base" ? 200 : 401 };
  });
}

async function loaded(running, cycle, marks, live) {
  const sockets = await Promise.all(Array.from({ length: CONNECTIONS }, () => connect(running.port)));
  const end = performance.now() + RUN_MS;
  const points = [];
  let sent = 0;
  const upTo = (mark) => async (socket) => {
    while (sent < mark && performance.now() < end) {
      const { bytes, status } = cycle[sent++ % cycle.length];
      const got = await socket.ask(bytes);
      if (got !== status) throw new Error(`an answer was ${got}, not ${status}`);
    }
  };
  try {
    for (const mark of marks) {
      const [begun, before] = [performance.now(), sent];
      await Promise.all(sockets.map(upTo(mark)));
      const perSecond = ((sent - before) * 1000) / (performance.now() - begun);
      // Looked at first, collected then: the collection is for `live` alone.
      const point = { requests: sent, perSecond, ...(await atRest(running.pid)) };
      points.push({ ...point, wasm: await collected(running.port), live: live() });
      if (sent < mark) break;
    }
  } finally {
    for (const socket of sockets) socket.close();
  }
  return points;
}

/** The least of several looks. */
async function atRest(pid) {
  const looks = [];
  for (let i = 0; i < LOOKS; i++) {
    await new Promise((next) => setTimeout(next, LOOK_MS));
    looks.push(memoryOf(pid));
  }
  return looks.reduce((least, look) => (look.rss < least.rss ? look : least));
}

/**
 * rss: all pages of the process in memory; pss: shared ones by share; anonymous: without the pages
 * of workerd's own file.
 */
function memoryOf(pid) {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, "utf8");
  const bytes = (name) => Number(new RegExp(`^${name}: +(\\d+) kB`, "m").exec(text)[1]) * 1024;
  return { rss: bytes("Rss"), pss: bytes("Pss"), anonymous: bytes("Anonymous") };
}

// A bundle keeps its wasm instance to itself. These two modules around it, which is left as it is,
// remember what it makes.
const INSTANCES = `export const memories = [];
const Real = WebAssembly.Instance;
WebAssembly.Instance = class extends Real {
  constructor(...args) {
    super(...args);
    memories.push(this.exports.memory);
  }
};
`;
const watching = (main) => `import { memories } from "./instances.mjs";
import worker from "./${main}";
export default {
  fetch(request, env, context) {
    if (!request.url.endsWith("/collected")) return worker.fetch(request, env, context);
    for (let i = 0; globalThis.gc && i < ${COLLECTIONS}; i++) gc();
    return new Response(String(memories.reduce((sum, memory) => sum + memory.buffer.byteLength, 0)));
  },
};
`;

function watched(files) {
  const around = { name: "watching.mjs", kind: "esModule", text: watching(files[0].name) };
  return [around, { name: "instances.mjs", kind: "esModule", text: INSTANCES }, ...files];
}

/**
 * The bytes of wasm memory, after a full collection where the heap is one that can be collected.
 */
async function collected(port) {
  const response = await fetch(`http://127.0.0.1:${port}/collected`);
  const bytes = Number(await response.text());
  await new Promise((next) => setTimeout(next, LOOK_MS)); // what V8 printed comes on another way
  return bytes;
}

function print({ runs }) {
  const columns = (cells) => cells.map((cell) => String(cell).padStart(12)).join("");
  const mib = (bytes) => (bytes === undefined ? "" : (bytes / 2 ** 20).toFixed(1));
  console.log(`${"MiB".padEnd(36)}${columns(["resident", "pss", "anonymous", "live heap", "wasm", "requests/s"])}`);
  for (const { heap, side, points, complete, ratio, settled } of runs) {
    for (const { requests, rss, pss, anonymous, live, wasm, perSecond } of points) {
      const cells = columns([...[rss, pss, anonymous, live, wasm].map(mib), perSecond.toFixed(0)]);
      console.log(`${`${heap}, ${side}, ${requests} requests`.padEnd(36)}${cells}`);
    }
    const name = `${heap}, ${side}, last : first, : before`.padEnd(36);
    console.log(`${name}${columns([ratio.toFixed(2), settled.toFixed(2)])}${complete ? "" : "   out of time before the last mark"}`);
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  usage("usage: npm run bench:memory [-- LAST]");
  const last = Number(process.argv[2] ?? MARKS.at(-1));
  print(await measure({ marks: [...MARKS.filter((mark) => mark < last), last] }));
}
