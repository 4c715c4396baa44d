// Requests that wait for an issuer which takes its time: so many and no more, and never one whose
// keys are at hand.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { open, send, whole } from "./support/http.mjs";
import { reply, startIssuer } from "./support/issuer.mjs";
import { assertKeys, count, hold, lasting, madeUp } from "./support/key-steps.mjs";
import { signingKey } from "./support/keys.mjs";
import { mint } from "./support/mint.mjs";
import { assertOwn, assertUnavailable, bearer, entryFor, goodClaims, stage } from "./support/stage.mjs";
import { bounded, until } from "./support/until.mjs";
import { testClock } from "./support/worker.mjs";

const rsa = signingKey("rsa");
const next = signingKey("rsa", "next");
const limits = readFileSync(new URL("../../src/limits.rs", import.meta.url), "utf8");
const WAITERS = Number(/pub const WAITERS: usize = (\d+);/.exec(limits)[1]);
const MORE = 40;

const PAGE = { origin: "https://app.example.com" };

/** Sends a request for each token and reads nothing yet. */
const opened = (s, tokens) =>
  tokens.map((token) => {
    const exchange = open(s.worker.port, { method: "POST", path: "/mcp", headers: { ...bearer(token), ...PAGE } });
    exchange.request.on("error", () => {}).end();
    return exchange;
  });

const repeated = (length, value) => Array.from({ length }, (_, at) => value(at));
const answers = (exchanges) => bounded("the answers", Promise.all(exchanges.map(async ({ response }) => whole(await response))), 60_000);
const tried = (s) => s.worker.lines("request").filter(({ outcome }) => outcome !== "served").length;

/** All requests but those that wait have been answered. */
const settled = (s, answered) => until("the refusals", () => tried(s) >= answered, 60_000);

/** So many have this status; gives the others. */
function assertCount(responses, status, times) {
  assert.equal(responses.filter((response) => response.status === status).length, times, `answers with ${status}`);
  return responses.filter((response) => response.status !== status);
}

function assertCrowded(responses, times) {
  assert.equal(responses.length, times);
  for (const response of responses) {
    assertUnavailable(response);
    assert.equal(response.get("retry-after"), "1");
    assert.equal(response.get("access-control-allow-origin"), "*", "a page can read that it is an outage");
  }
}

test("so many wait for a set, the others are refused at once, and all is well once it is there", async (t) => {
  const s = await stage(t);
  const release = hold(s, [rsa]);
  const calls = opened(s, repeated(WAITERS + MORE, () => s.token()));
  await settled(s, MORE);
  assert.equal(s.worker.lines("request").filter(({ reason }) => reason === "keys_unavailable").length, MORE, "none of those that wait");
  release();
  assertCrowded(assertCount(await answers(calls), 200, WAITERS), MORE);
  await assertKeys(s, "memory");
  assert.equal(s.issuer.hits("/jwks"), 1);
  const [line, ...rest] = s.worker.lines("keys").filter(({ result }) => result === "crowded");
  assert.deepEqual([line.source, rest], [`${s.issuer.url}/jwks`, []], "said once");
});

test("made-up kids wait for a refetch in no greater number, and no request whose key is at hand waits behind them", async (t) => {
  const s = await stage(t);
  await assertKeys(s, "issuer");
  const release = hold(s, [rsa]);
  const calls = opened(s, repeated(WAITERS + MORE, (at) => madeUp(s, `made-up-${at}`)));
  await settled(s, 1 + MORE);
  for (let i = 0; i < 5; i++) await assertKeys(s, "memory");
  assert.equal(s.issuer.hits("/jwks"), 2, "the issuer has not answered");
  release();
  assertCrowded(assertCount(await answers(calls), 401, WAITERS), MORE);
});

test("while all places for one issuer are taken, another issuer's keys are fetched and waited for", async (t) => {
  const other = await startIssuer(t, { keys: [next] });
  const s = await stage(t, { entries: (issuer) => [entryFor(issuer), entryFor(other)] });
  const release = hold(s, [rsa]);
  const calls = opened(s, repeated(WAITERS + MORE, () => s.token()));
  await settled(s, MORE);
  const token = mint({ key: next, claims: goodClaims(other) });
  const { responses } = await s.together(repeated(8, () => token));
  assertCount(responses, 200, 8);
  release();
  assertCrowded(assertCount(await answers(calls), 200, WAITERS), MORE);
});

test("a fetch that fails answers all who wait, and leaves all places free", async (t) => {
  const clock = testClock();
  const s = await stage(t, { clock });
  for (const ended of [reply.status(500), reply.json({ keys: [rsa.jwk()] })]) {
    const before = tried(s);
    const held = reply.held(ended);
    s.issuer.on("/jwks", held);
    const calls = opened(s, repeated(WAITERS + MORE, () => lasting(s)));
    await settled(s, before + MORE);
    held.release();
    const responses = await answers(calls);
    assert.equal(responses.filter((response) => response.get("retry-after") === "1").length, MORE);
    clock.forward(16); // past the back-off
  }
  await assertKeys(s, "memory");
});

test("clients that leave while they wait leave no place taken", async (t) => {
  const clock = testClock();
  const s = await stage(t, { clock });
  const release = hold(s, [rsa]);
  const leaving = opened(s, repeated(WAITERS + MORE, () => lasting(s)));
  await settled(s, MORE);
  for (const { request } of leaving) request.destroy();
  release();
  await until("the set", () => count(s, "fetched") === 1);
  // A rotation: as many wait for the new key as ever.
  clock.forward(31);
  const again = hold(s, [rsa, next]);
  const calls = opened(s, repeated(WAITERS + MORE, () => lasting(s, { key: next })));
  await until("the refusals", () => s.worker.lines("request").filter(({ kid, outcome }) => kid === next.kid && outcome === "refused").length >= MORE, 60_000);
  again();
  assertCrowded(assertCount(await answers(calls), 200, WAITERS), MORE);
});

// Local workerd lets a request run on after its client has left. Elsewhere the runtime gives it up,
// and its timers never end: here they end too late for any test.
const GIVES_UP = (main) => `import { set } from "./clock.mjs";
import worker from "./${main}";
const real = setTimeout;
let gone = false;
let given = 0;
globalThis.setTimeout = (then, ms) => (gone ? real(then, 600_000, ++given) : real(then, ms));
export default {
  async fetch(request, env, context) {
    const { TEST_CLOCK, ...rest } = env;
    set(Number(await (await TEST_CLOCK.fetch("http://clock/now")).text()));
    const { pathname, search } = new URL(request.url);
    if (pathname !== "/give-up") return worker.fetch(request, rest, context);
    gone = search === "?all";
    return new Response(String(given));
  },
};
`;

test("requests that the runtime gives up while they wait lose their places two seconds later", async (t) => {
  const clock = testClock();
  const s = await stage(t, { clock, around: GIVES_UP });
  const release = hold(s, [rsa]);
  const given = opened(s, repeated(WAITERS + MORE, () => lasting(s)));
  await settled(s, MORE);
  // All but the one that fetches, which looks when its fetch has ended.
  await until("their last look", async () => (await send(s.worker.port, { path: "/give-up?all" })).text === String(WAITERS - 1));
  for (const { request } of given) request.destroy();
  await send(s.worker.port, { path: "/give-up?none" });
  assertCrowded(await answers(opened(s, [lasting(s)])), 1);
  clock.forward(3);
  const before = tried(s);
  const calls = opened(s, repeated(WAITERS - 1 + MORE, () => lasting(s)));
  await settled(s, before + MORE);
  release();
  assertCrowded(assertCount(await answers(calls), 200, WAITERS - 1), MORE);
});

test("a request that comes too late to look is refused as any other for which there is no place", async (t) => {
  const clock = testClock();
  const s = await stage(t, { clock });
  const release = hold(s, [rsa]);
  const calls = opened(s, repeated(WAITERS + MORE, () => lasting(s)));
  await settled(s, MORE);
  clock.forward(3);
  const late = opened(s, [lasting(s)]);
  await settled(s, MORE + WAITERS - 1);
  release();
  assertCount(await answers(late), 200, 1);
  // The request that fetches has a place for as long as its fetch may take.
  assertCrowded(assertCount(await answers(calls), 200, 1), WAITERS - 1 + MORE);
});

test("a copy of an issuer's metadata is waited for in no greater number", async (t) => {
  const path = "/.well-known/oauth-authorization-server";
  const s = await stage(t, { vars: { MCP_SERVER_AUTH_COMPATIBILITY: "authorization-server-metadata" } });
  const held = reply.held((req, res) => reply.json(s.issuer.metadata())(req, res));
  s.issuer.on(path, held);
  const calls = repeated(WAITERS + MORE, () => {
    const exchange = open(s.worker.port, { path });
    exchange.request.end();
    return exchange;
  });
  await settled(s, MORE);
  assert.equal((await send(s.worker.port, { method: "POST", path: "/mcp", headers: bearer(s.token()) })).status, 200, "keys are another matter");
  held.release();
  const refused = assertCount(await answers(calls), 200, WAITERS);
  assert.equal(refused.length, MORE);
  for (const response of refused) {
    assertOwn(response, 503, { error: "temporarily_unavailable" });
    assert.deepEqual([response.get("retry-after"), response.get("access-control-allow-origin")], ["1", "*"]);
  }
  assert.equal(s.issuer.hits(path), 1);
});
