// How often an authorization server is asked: so many questions at a time and in a second, what was
// told inactive is remembered, and what was told active only where the settings say so.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { open, whole } from "./support/http.mjs";
import { active, introspecting, opaque, told } from "./support/introspection.mjs";
import { reply, startIssuer } from "./support/issuer.mjs";
import { signingKey } from "./support/keys.mjs";
import { assertInvalid, assertUnavailable, bearer, CANONICAL, entryFor, INVALID } from "./support/stage.mjs";
import { bounded, until } from "./support/until.mjs";
import { testClock } from "./support/worker.mjs";

const limits = readFileSync(new URL("../../src/limits.rs", import.meta.url), "utf8");
const limit = (name) => Number(new RegExp(`pub const ${name}: \\w+ = (\\d+);`).exec(limits)[1]);
const AT_A_TIME = limit("INTROSPECTIONS");
const A_SECOND = limit("INTROSPECTIONS_PER_SECOND");
const REMEMBERED = limit("INACTIVE_SECONDS");
const KEPT = limit("INACTIVE_KEPT");
const WAITERS = limit("WAITERS");
const METADATA = "/.well-known/oauth-authorization-server";

const repeated = (length, value) => Array.from({ length }, (_, at) => value(at));

/** Sends a request for each token and reads nothing yet. */
const opened = (s, tokens) =>
  tokens.map((token) => {
    const exchange = open(s.worker.port, { method: "POST", path: "/mcp", headers: bearer(token) });
    exchange.request.on("error", () => {}).end();
    return exchange;
  });
const answers = (exchanges) => bounded("the answers", Promise.all(exchanges.map(async ({ response }) => whole(await response))), 60_000);

/** Answers that are held until release() is called. */
function held(s, answer = active()) {
  const waiting = [];
  let released = false;
  s.tells((_, res) => (released ? res.end(JSON.stringify(answer)) : waiting.push(res)));
  return {
    waiting,
    release() {
      released = true;
      for (const res of waiting.splice(0)) res.end(JSON.stringify(answer));
    },
  };
}

function assertCrowded(response) {
  assertUnavailable(response);
  assert.equal(response.get("retry-after"), "1");
}

test("the numbers are those that the settings page says", () => {
  assert.deepEqual([AT_A_TIME, A_SECOND, REMEMBERED, KEPT], [32, 50, 10, 1024]);
});

test("so many run at a time: one more is refused at once, and JWTs go their way", async (t) => {
  const s = await introspecting(t);
  const { waiting, release } = held(s);
  const calls = opened(s, repeated(AT_A_TIME, () => opaque()));
  await until("the questions", () => waiting.length === AT_A_TIME);
  for (let i = 0; i < 3; i++) {
    const { response, line } = await s.ask(opaque());
    assertCrowded(response);
    assert.deepEqual([line.reason, line.introspection], ["introspection_unavailable", undefined]);
  }
  assert.equal((await s.call(s.token())).status, 200);
  assert.equal(s.asked.length, AT_A_TIME);
  assert.deepEqual(told(s).map(({ source, result }) => [source, result]), [[s.issuer.url, "crowded"]], "said once");
  release();
  for (const response of await answers(calls)) assert.equal(response.status, 200);
  assert.equal((await s.call(opaque())).status, 200, "there are places again");
});

test("clients that leave leave their places, once these are overdue", async (t) => {
  const clock = testClock();
  const s = await introspecting(t, { clock });
  const { waiting, release } = held(s);
  const calls = opened(s, repeated(AT_A_TIME, () => opaque()));
  await until("the questions", () => waiting.length === AT_A_TIME);
  for (const { request } of calls) request.destroy();
  clock.forward(6);
  assertCrowded(await s.call(opaque()));
  clock.forward(2);
  s.tells(active({}, clock.seconds()));
  assert.equal((await s.call(opaque())).status, 200, "while the server has still not answered");
  release();
});

/**
 * Says what the runtime is asked to bring to an end also when its client has left. By itself,
 * workerd ends the rest, too.
 */
const keeping = (main) => `import worker from "./${main}";
export default {
  fetch(request, env, context) {
    const waitUntil = (promise) => {
      console.log('{"event":"kept"}');
      context.waitUntil(promise);
    };
    return worker.fetch(request, env, { waitUntil });
  },
};
`;

test("clients that leave leave their places at once where the server answers", async (t) => {
  const s = await introspecting(t, { around: keeping });
  const { waiting, release } = held(s);
  const calls = opened(s, repeated(AT_A_TIME, () => opaque()));
  await until("the questions", () => waiting.length === AT_A_TIME);
  assert.equal(s.worker.lines("kept").length, AT_A_TIME);
  for (const { request } of calls) request.destroy();
  assertCrowded(await s.call(opaque()));
  release();
  // Well before the 5 s that a question may take. Each of these looks takes a place in this second.
  await until("a place", async () => (await s.call(opaque())).status === 200, 2000);
});

/** Metadata that says where the endpoint is, once release() is called. */
function heldMetadata(s) {
  const metadata = reply.held((_, res) => reply.json(s.issuer.metadata({ introspection_endpoint: `${s.issuer.url}/introspect` }))(_, res));
  s.issuer.on(METADATA, metadata);
  return metadata;
}

test("the endpoint is looked for once, for all that wait, also if the first of them leaves", async (t) => {
  const s = await introspecting(t, { introspection: { url: undefined }, around: keeping });
  const { release } = heldMetadata(s);
  const [first] = opened(s, [opaque()]);
  await until("the search", () => s.issuer.hits(METADATA) === 1);
  const others = opened(s, repeated(5, () => opaque()));
  await until("the others", async () => (await s.worker.send({ path: "/healthz" })).status === 200);
  assert.equal(s.worker.lines("kept").length, 1, "the search");
  first.request.destroy();
  release();
  for (const response of await answers(others)) assert.equal(response.status, 200);
  assert.equal(s.issuer.hits(METADATA), 1);
});

test("so many wait for the endpoint, and the others are refused", async (t) => {
  const MORE = 5;
  const s = await introspecting(t, { introspection: { url: undefined } });
  const { release } = heldMetadata(s);
  const calls = opened(s, repeated(WAITERS + MORE, () => opaque()));
  const refused = () => s.worker.lines("request").filter(({ reason }) => reason === "introspection_unavailable").length;
  await until("the refusals", () => refused() === MORE);
  assertCrowded(await s.call(opaque()));
  assert.equal(s.issuer.hits(METADATA), 1);
  assert.deepEqual(told(s).map(({ source, result }) => [source, result]), [[s.issuer.url, "crowded"]]);
  release();
  const found = await answers(calls);
  const asked = found.filter(({ status }) => status === 200).length;
  assert.ok(asked > 0 && asked === s.asked.length && s.origin.seen.length === asked, `${asked}`);
});

test("so many begin in a second", async (t) => {
  const clock = testClock();
  const s = await introspecting(t, { clock });
  s.tells({ active: false });
  const spend = async (count) => {
    for (let i = 0; i < count; i++) assertInvalid(await s.call(opaque()), INVALID);
    assertCrowded(await s.call(opaque()));
  };
  await spend(A_SECOND);
  clock.forward(1);
  await spend(A_SECOND);
  clock.forward(3600);
  await spend(A_SECOND);
  assert.equal(s.asked.length, 3 * A_SECOND);
});

test("what was told inactive is remembered for a while, and asked about again after it", async (t) => {
  const clock = testClock();
  const s = await introspecting(t, { clock });
  const token = opaque();
  s.tells({ active: false });
  assert.equal((await s.ask(token)).line.introspection, "server");
  s.tells(active({}, clock.seconds()));
  for (let at = 0; at < REMEMBERED; at += 3) {
    const { response, line } = await s.ask(token);
    assertInvalid(response, INVALID);
    assert.deepEqual([line.reason, line.introspection], ["token_inactive", "memory"]);
    clock.forward(3);
  }
  assert.equal((await s.ask(token)).line.reason, "ok");
  assert.equal(s.asked.length, 2);
});

test("a token of which one character differs is another one", async (t) => {
  const s = await introspecting(t, { introspection: { cache_seconds: 60 } });
  const token = opaque();
  assert.equal((await s.call(token)).status, 200);
  s.tells({ active: false });
  const last = token.at(-1) === "A" ? "B" : "A";
  for (const other of [token.slice(0, -1) + last, `x${token}`, `${token}A`, token.toUpperCase()]) {
    assertInvalid(await s.call(other), INVALID);
  }
  assert.equal((await s.ask(token)).line.introspection, "memory");
});

test("with cache_seconds, an answer serves so long, and is judged again each time", async (t) => {
  const clock = testClock();
  const s = await introspecting(t, { clock, introspection: { cache_seconds: 30 } });
  s.tells(active({ sub: "first" }, clock.seconds()));
  const token = opaque();
  const asked = async () => (await s.ask(token)).line;
  assert.equal((await asked()).introspection, "server");
  s.tells({ active: false });
  clock.forward(29);
  const line = await asked();
  assert.deepEqual([line.introspection, line.reason], ["memory", "ok"]);
  assert.equal(s.origin.last().header("x-mcp-auth-user-id"), "first");
  clock.forward(1);
  assert.equal((await asked()).reason, "token_inactive", "revoked, and now it shows");
  assert.equal(s.asked.length, 2);
});

test("no answer serves past the token's exp", async (t) => {
  const clock = testClock();
  const s = await introspecting(t, { clock, introspection: { cache_seconds: 60 } });
  s.tells(active({ exp: clock.seconds() + 20 }, clock.seconds()));
  const token = opaque();
  assert.equal((await s.ask(token)).line.introspection, "server");
  clock.forward(19);
  assert.equal((await s.ask(token)).line.introspection, "memory");
  s.tells({ active: false });
  clock.forward(1);
  assert.equal((await s.ask(token)).line.reason, "token_inactive", "not even within the leeway");
});

test("what a server said is kept from when it was asked, and no older word pushes out a newer one", async (t) => {
  const clock = testClock();
  const s = await introspecting(t, { clock, introspection: { cache_seconds: 60 } });
  const token = opaque();
  const { waiting, release } = held(s, active({}, clock.seconds()));
  const [slow] = opened(s, [token]);
  await until("the question", () => waiting.length === 1);
  clock.forward(2);
  const held1 = waiting.splice(0);
  s.tells({ active: false });
  assert.equal((await s.ask(token)).line.reason, "token_inactive");
  clock.forward(1);
  assert.equal((await s.ask(token)).line.introspection, "memory");
  waiting.push(...held1);
  release();
  const [response] = await answers([slow]);
  assert.equal(response.status, 200, "it was active when it was asked about");
  s.tells({ active: false });
  const { line } = await s.ask(token);
  assert.deepEqual([line.reason, line.introspection], ["token_inactive", "memory"]);
  clock.forward(REMEMBERED);
  const later = await s.ask(token);
  assert.deepEqual([later.line.reason, later.line.introspection], ["token_inactive", "server"], "nor does it come back");
});

test("outages are not remembered", async (t) => {
  const s = await introspecting(t, { introspection: { cache_seconds: 60 } });
  const token = opaque();
  s.tells((_, res) => res.writeHead(500).end());
  assertUnavailable(await s.call(token));
  s.tells(active());
  assert.equal((await s.call(token)).status, 200);
  s.tells((_, res) => res.writeHead(500).end());
  assert.equal((await s.ask(token)).line.introspection, "memory", "and an outage does not take away what is known");
});

test("made-up tokens push out nothing that is known of good ones", async (t) => {
  const clock = testClock();
  const s = await introspecting(t, { clock, introspection: { cache_seconds: 60 } });
  s.tells(active({}, clock.seconds()));
  const token = opaque();
  assert.equal((await s.call(token)).status, 200);
  s.tells({ active: false });
  for (let i = 0; i < 3; i++) {
    clock.forward(1);
    for (let n = 0; n < A_SECOND; n++) assertInvalid(await s.call(opaque()), INVALID);
  }
  assert.equal((await s.ask(token)).line.introspection, "memory");
});

const rsa = signingKey("rsa");

test("jwt = true: a JWT is verified here first, and a revoked one is refused", async (t) => {
  const s = await introspecting(t, { introspection: { jwt: true } });
  s.tells({ active: true });
  const good = await s.ask(s.token({ scope: "of-the-jwt" }));
  assert.deepEqual([good.line.reason, good.line.introspection, good.line.keys], ["ok", "server", "issuer"]);
  assert.equal(s.origin.last().header("x-mcp-auth-scopes"), "of-the-jwt");
  for (const [claims, rest, reason] of [
    [{ exp: 1 }, {}, "token_expired"], [{ aud: "x" }, {}, "aud_mismatch"], [{}, { key: { ...signingKey("rsa", "other"), kid: rsa.kid } }, "signature_invalid"],
    [{ iss: "https://other.example.com" }, {}, "issuer_untrusted"], [{ sub: "" }, {}, "sub_missing"],
  ]) {
    assert.equal((await s.ask(s.token(claims, rest))).line.reason, reason);
  }
  assert.equal(s.asked.length, 1, "nobody was asked about what is no good by itself");
  const token = s.token();
  s.tells({ active: false });
  const { response, line } = await s.ask(token);
  assertInvalid(response, INVALID);
  assert.equal(line.reason, "token_inactive");
  assert.equal(s.asked.at(-1).form.token, token, "byte for byte");
  s.tells((_, res) => res.writeHead(500).end());
  assertUnavailable(await s.call(s.token({ jti: "another" })));
});

test("jwt = true: the answer adds nothing to a JWT, and must not speak against it", async (t) => {
  const s = await introspecting(t, { introspection: { jwt: true } });
  for (const [said, reason] of [
    [active({ sub: "admin", scope: "admin", client_id: "other" }), "ok"], [active({ aud: undefined }), "ok"],
    [active({ exp: 1 }), "token_expired"], [active({ iss: "https://other.example.com" }), "iss_mismatch"], [active({ aud: "x" }), "aud_mismatch"],
    [active({ token_type: "DPoP" }), "token_type_not_allowed"], [active({ cnf: {} }), "token_bound"], [active({ nbf: "x" }), "nbf_not_number"],
  ]) {
    s.tells(said);
    assert.equal((await s.ask(s.token({ sub: "user-1" }))).line.reason, reason, JSON.stringify(said));
    if (reason === "ok") assert.equal(s.origin.last().header("x-mcp-auth-user-id"), "user-1");
  }
});

test("jwt = true: another issuer's JWTs are shown to nobody", async (t) => {
  const other = await startIssuer(t, { keys: [rsa] });
  const s = await introspecting(t, {
    entries: (issuer) => [
      entryFor(other),
      entryFor(issuer, { introspection: { url: `${issuer.url}/introspect`, auth_method: "none", jwt: true } }),
    ],
  });
  assert.equal((await s.call(s.token({ iss: other.url }))).status, 200);
  assert.deepEqual(s.asked, []);
  s.tells({ active: true, aud: CANONICAL });
  assert.equal((await s.call(s.token())).status, 200);
  assert.equal(s.asked.length, 1);
});
