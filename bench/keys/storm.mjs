// `npm run bench:keys`: 60 seconds of load on one Worker while its issuer rotates every 10 s, is
// dead for 20 s and comes back, and one request in five carries a made-up `kid`. Then the same load
// without faults. Loopback only, bounded, stops by itself.
//
// It prints what was asked and answered, valid tokens that were refused, the fetches that the
// issuer saw, and p50/p99 of both runs as a ratio. A token is "due" once its key has been
// published, by an issuer that could be reached, for 30 s (the cool-down of unknown kids): refusing
// a due one is an error, and so is fetching more often than the rules allow; either makes the exit
// code 1.

import http from "node:http";

import { buildWorker, ensurePackages, requireNode, requireRust, stop, usage } from "../../scripts/setup.mjs";
import { bundle } from "../../tests/e2e/support/bundle.mjs";
import { startIssuer } from "../../tests/e2e/support/issuer.mjs";
import { signingKey } from "../../tests/e2e/support/keys.mjs";
import { mint, minted, seconds } from "../../tests/e2e/support/mint.mjs";
import { startOrigin } from "../../tests/e2e/support/origin.mjs";
import { kvStore, startWorker } from "../../tests/e2e/support/worker.mjs";

const RUN_S = Number(process.env.STORM_SECONDS ?? 60);
const ROTATE_S = 10;
const AHEAD = 3; // a key is published this many rotations before its first use: 30 s
const DEAD = [20, 40];
const COOL_DOWN_S = 30;
const CONNECTIONS = 8;
// Between two requests of a connection: load, not saturation, or p99 shows only the queue.
const PAUSE_MS = 10;
const CANONICAL = "https://mcp.example.com/mcp";

usage("usage: npm run bench:keys");
requireNode();
requireRust();
await ensurePackages();
if ((await buildWorker()) !== 0) stop("The Worker could not be built; cargo said why above.");
await bundle();
const calm = await run({ faults: false });
const storm = await run({ faults: true });
report(calm, storm);

async function run({ faults }) {
  const cleanups = [];
  const t = { after: (f) => cleanups.unshift(f) };
  try {
    return await load(t, faults);
  } finally {
    for (const cleanup of cleanups) await cleanup();
  }
}

async function load(t, faults) {
  const key = (n) => signingKey("p256", `${faults ? "storm" : "calm"}-${n}`);
  const issuer = await startIssuer(t, { keys: [key(0), key(1), key(2), key(3)] });
  const origin = await startOrigin(t);
  const entry = { authorization_server_url: issuer.url, jwks_uri: `${issuer.url}/jwks`, algorithm: "ES256" };
  const vars = {
    MCP_SERVER_AUTH_CANONICAL_URL: CANONICAL,
    MCP_SERVER_AUTH_AUTHORIZATION_SERVERS: [entry],
    MCP_SERVER_AUTH_CACHE_TTL: "60",
    ORIGIN_URL: origin.url,
  };
  const worker = await startWorker(t, { vars, kv: kvStore(t) });
  const tally = { requests: 0, forwarded: 0, refusedDue: 0, young401: 0, young503: 0, unknownKid: 0, wrongYes: 0, other: 0, ms: [] };
  // Seconds that a published key could be fetched.
  const reachable = new Map([0, 1, 2, 3].map((n) => [n, Infinity]));
  let rotation = 0;
  let dead = false;
  const started = Date.now();
  const elapsed = () => (Date.now() - started) / 1000;

  const tick = async () => {
    const now = elapsed();
    if (!dead) for (const [n, s] of reachable) reachable.set(n, s + 0.1);
    if (!faults) return;
    if (Math.floor(now / ROTATE_S) > rotation) {
      rotation += 1;
      const newest = rotation + AHEAD;
      reachable.set(newest, 0);
      issuer.serve(Array.from({ length: AHEAD + 2 }, (_, i) => key(newest - i)).filter((_, i) => newest - i >= 0));
    }
    const shouldBeDead = now >= DEAD[0] && now < DEAD[1];
    if (shouldBeDead !== dead) {
      dead = shouldBeDead;
      await (dead ? issuer.close() : issuer.reopen());
    }
  };
  const clock = setInterval(() => void tick(), 100);
  t.after(() => clearInterval(clock));

  const agent = new http.Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  t.after(() => agent.destroy());
  const connection = async (lane) => {
    for (let i = 0; elapsed() < RUN_S; i++) {
      const madeUp = faults && (i + lane) % 5 === 0;
      const n = rotation;
      const claims = { iss: issuer.url, aud: CANONICAL, sub: "user-1", exp: seconds() + 300 };
      const header = madeUp ? { kid: `made-up-${lane}-${i}` } : {};
      const token = mint({ key: key(n), alg: "ES256", header, claims });
      const due = reachable.get(n) >= COOL_DOWN_S;
      const begun = performance.now();
      const status = await ask(agent, worker.port, token);
      tally.requests += 1;
      tally.ms.push(performance.now() - begun);
      if (madeUp) tally[status === 200 ? "wrongYes" : "unknownKid"] += 1;
      else if (status === 200) tally.forwarded += 1;
      else if (status === 401 || status === 503) tally[due ? "refusedDue" : `young${status}`] += 1;
      else tally.other += 1;
      await new Promise((next) => setTimeout(next, PAUSE_MS));
    }
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, (_, lane) => connection(lane)));
  clearInterval(clock);
  minted.clear(); // tens of thousands of them; the harness would look for each in the log
  return { ...tally, fetches: issuer.hits("/jwks"), rotations: rotation, seconds: elapsed() };
}

function ask(agent, port, token) {
  return new Promise((resolve) => {
    const request = http.request({ host: "127.0.0.1", port, path: "/mcp", agent, headers: { authorization: `Bearer ${token}` } }, (res) => {
      res.resume();
      res.on("end", () => resolve(res.statusCode));
      res.on("error", () => resolve(0));
    });
    request.on("error", () => resolve(0));
    request.end();
  });
}

function report(calm, storm) {
  const at = (ms, share) => ms.toSorted((a, b) => a - b)[Math.floor((ms.length - 1) * share)];
  const allowed = Math.ceil((2 * storm.seconds) / 60) + storm.rotations;
  const rows = [
    ["", "calm", "storm"],
    ["requests", calm.requests, storm.requests],
    ["forwarded", calm.forwarded, storm.forwarded],
    ["valid tokens refused, key reachable for 30 s", calm.refusedDue, storm.refusedDue],
    ["valid tokens, key younger than that: 401", calm.young401, storm.young401],
    ["valid tokens, key younger than that: 503", calm.young503, storm.young503],
    ["made-up kids refused", calm.unknownKid, storm.unknownKid],
    ["made-up kids let in", calm.wrongYes, storm.wrongYes],
    ["other answers", calm.other, storm.other],
    ["fetches that the issuer saw", calm.fetches, `${storm.fetches} (at most ${allowed})`],
    ["p50, storm : calm", "1.00", (at(storm.ms, 0.5) / at(calm.ms, 0.5)).toFixed(2)],
    ["p99, storm : calm", "1.00", (at(storm.ms, 0.99) / at(calm.ms, 0.99)).toFixed(2)],
  ];
  for (const [name, a, b] of rows) console.log(`${name.padEnd(46)}${String(a).padStart(10)}${String(b).padStart(20)}`);
  const wrong = calm.refusedDue + storm.refusedDue + calm.wrongYes + storm.wrongYes + calm.other + storm.other;
  if (wrong || storm.fetches > allowed) {
    console.error("\nThe storm was not weathered: see the rows above.");
    process.exitCode = 1;
  }
}
