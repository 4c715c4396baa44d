// docs/revocation.md: a token on the list in KV is refused, within 90 s, in every isolate; and
// whatever KV does, the last list that was read holds.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { open, whole } from "./support/http.mjs";
import { reply } from "./support/issuer.mjs";
import { signingKey } from "./support/keys.mjs";
import { startKv } from "./support/kv.mjs";
import { mint, seconds } from "./support/mint.mjs";
import { KEY, ON, readsOf, revocations, revoked } from "./support/revocations.mjs";
import { assertInvalid, assertUnavailable, bearer, CANONICAL, entryFor, goodClaims, INVALID, stage } from "./support/stage.mjs";
import { bounded, until } from "./support/until.mjs";
import { testClock } from "./support/worker.mjs";

const rsa = signingKey("rsa");
const limits = readFileSync(new URL("../../src/limits.rs", import.meta.url), "utf8");
const limit = (name) => Number(new RegExp(`pub const ${name}: \\w+ = (\\d+);`).exec(limits)[1]);
const [WAITERS, REVOCATIONS] = [limit("WAITERS"), limit("REVOCATIONS")];

/** A Worker that heeds the list, its KV, and its clock. */
async function begin(t, { vars = {}, ...options } = {}) {
  const [clock, kv] = [testClock(), await startKv(t)];
  const all = typeof vars === "function" ? (...given) => ({ ...ON, ...vars(...given) }) : { ...ON, ...vars };
  return { clock, kv, s: await stage(t, { clock, kv, vars: all, ...options }) };
}

/** A token that outlives every journey of the clock. */
const token = (s, claims = {}) => s.token({ exp: seconds() + 1_000_000, ...claims });

async function assertPasses(s, claims) {
  const { response, line } = await s.ask(token(s, claims));
  assert.deepEqual([response.status, line.reason], [200, "ok"]);
}

async function assertRevoked(s, claims) {
  const before = s.origin.seen.length;
  const { response, line } = await s.ask(token(s, claims));
  assertInvalid(response, INVALID);
  assert.deepEqual([line.outcome, line.reason, line.status], ["refused", "token_revoked", 401]);
  assert.equal(s.origin.seen.length, before, "nothing reached the origin");
  return line;
}

const results = (s) => s.worker.lines("revocations").map(({ result }) => result);

test("it is off unless it is set: no list is read, and none is heeded", async (t) => {
  for (const value of [undefined, false, "false"]) {
    const kv = await startKv(t);
    const s = await stage(t, { kv, vars: { MCP_SERVER_AUTH_REVOCATION: value } });
    kv.values.set(KEY, revocations(1, [revoked(s.issuer)]));
    await assertPasses(s);
    assert.equal(readsOf(kv), 0);
    assert.ok(!("Revoked tokens" in s.worker.lines("start")[0]));
  }
});

test("what an entry names is refused, and nothing else", async (t) => {
  const { kv, s } = await begin(t);
  kv.values.set(KEY, revocations(1, [
    revoked(s.issuer, { value: "gone" }),
    revoked(s.issuer, { kind: "client", value: "app-9" }),
    revoked(s.issuer, { kind: "jti", value: "t-9" }),
    revoked({ url: "https://other.example.com" }, { kind: "all", value: undefined }),
  ]));
  await assertPasses(s);
  const line = await assertRevoked(s, { sub: "gone" });
  assert.deepEqual([line.issuer, line.sub], [s.issuer.url, undefined]);
  assert.ok(!s.worker.output().includes("gone"), "the log does not show whom");
  assert.equal((await assertRevoked(s, { client_id: "app-9" })).client, "app-9");
  await assertRevoked(s, { azp: "app-9" });
  await assertRevoked(s, { jti: "t-9" });
  await assertPasses(s, { sub: "t-9", client_id: "gone", jti: "app-9" });
  await assertPasses(s, { client_id: "app-8", jti: "t-8" });
  assert.equal(readsOf(kv), 1, "one read serves all of them");
  assert.equal(s.worker.lines("start")[0]["Revoked tokens"], "by the list in KV");
});

test("an issuer's tokens are refused all together, and those of another are not", async (t) => {
  const other = "https://issuer.example/two";
  const { kv, s } = await begin(t, {
    entries: (issuer) => [entryFor(issuer), { issuer: other, jwks_uri: `${issuer.url}/jwks`, for_clients: false }],
  });
  kv.values.set(KEY, revocations(1, [revoked(s.issuer, { kind: "all", value: undefined })]));
  await assertRevoked(s);
  await assertPasses(s, { iss: other });
});

test("the issuer is that of the entry, whatever the token calls it", async (t) => {
  const { kv, s } = await begin(t, { entry: { validation_options: { verify_iss: false } } });
  kv.values.set(KEY, revocations(1, [revoked(s.issuer)]));
  await assertRevoked(s, { iss: "https://other.example.com" });
  await assertRevoked(s, { iss: undefined });
});

test("the single-issuer form has several issuers, each with subjects of its own", async (t) => {
  const { kv, s } = await begin(t, {
    vars: (issuer) => ({
      MCP_SERVER_AUTH_AUTHORIZATION_SERVERS: undefined, MCP_SERVER_AUTH_JWKS_URI: `${issuer.url}/jwks`,
      MCP_SERVER_AUTH_ISSUER: [issuer.url, "https://second.example.com"], MCP_SERVER_AUTH_AUDIENCE: CANONICAL,
    }),
  });
  kv.values.set(KEY, revocations(1, [revoked({ url: "https://second.example.com" })]));
  await assertPasses(s);
  const { line } = await s.ask(token(s, { iss: "https://second.example.com" }));
  assert.equal(line.reason, "token_revoked");
});

test("the second decides, and its fraction", async (t) => {
  const { clock, kv, s } = await begin(t);
  const at = clock.seconds();
  kv.values.set(KEY, revocations(1, [revoked(s.issuer, { before: at, until: at + 100 })]));
  for (const iat of [at - 1, at - 0.5, at, undefined, -1]) await assertRevoked(s, { iat });
  for (const iat of [at + 0.25, at + 1]) await assertPasses(s, { iat });
  clock.forward(99);
  await assertRevoked(s, { iat: at });
  clock.forward(1);
  await assertPasses(s, { iat: at });
});

test("a claim iat that is no number is as none, where it is not checked", async (t) => {
  const { kv, s } = await begin(t, { entry: { validation_options: { verify_iat: false } } });
  kv.values.set(KEY, revocations(1, [revoked(s.issuer, { before: 1 })]));
  for (const iat of ["9999999999", null, [], {}, true]) await assertRevoked(s, { iat });
  await assertPasses(s);
});

test("two Workers on one KV: each takes a revocation, the one after 20 s in the background, the other before it answers", async (t) => {
  const { clock, kv, s } = await begin(t);
  const other = await s.another();
  for (const worker of [s, other]) await assertPasses(worker);
  kv.values.set(KEY, revocations(1, [revoked(s.issuer)]));
  clock.forward(19);
  for (const worker of [s, other]) await assertPasses(worker);
  assert.equal(readsOf(kv), 2, "not due");
  clock.forward(1);
  await assertPasses(s); // answered by the list that it holds, and read after that
  await until("the read", () => readsOf(kv) === 3);
  await until("the new list", async () => (await s.ask(token(s))).line.reason === "token_revoked");
  clock.forward(10);
  await assertRevoked(other); // which has asked before it answered
  assert.equal(readsOf(kv), 4);
  // Undone, and seen by an isolate that was idle for long.
  kv.values.set(KEY, revocations(2, []));
  clock.forward(3600);
  await assertPasses(s);
  await assertPasses(other);
});

test("a list that is believed no longer is read before the answer", async (t) => {
  const { clock, kv, s } = await begin(t);
  await assertPasses(s);
  kv.values.set(KEY, revocations(1, [revoked(s.issuer)]));
  clock.forward(30);
  await assertRevoked(s);
  assert.equal(readsOf(kv), 2);
});

test("a read counts from its beginning", async (t) => {
  const { clock, kv, s } = await begin(t);
  await s.ask(s.token({ exp: 1 })); // the keys are at hand
  const held = reply.held((_, res) => res.writeHead(404).end());
  kv.on("GET", held);
  const opened = () => {
    const exchange = open(s.worker.port, { method: "POST", path: "/mcp", headers: bearer(token(s)) });
    exchange.request.end();
    return exchange.response;
  };
  const first = opened();
  await until("the read", () => readsOf(kv) === 1);
  clock.forward(2);
  const second = opened();
  await until("its time", async () => (await s.worker.send({ path: "/healthz" })).status === 200);
  held.release();
  for (const response of await bounded("the answers", Promise.all([first, second]))) assert.equal(response.statusCode, 200);
  kv.off("GET");
  clock.forward(18);
  await assertPasses(s);
  await until("the next one, 20 s after the first was begun", () => readsOf(kv) === 2);
});

test("a cold burst reads the list once, and none of it gets by", async (t) => {
  const { kv, s } = await begin(t);
  kv.values.set(KEY, revocations(1, [revoked(s.issuer)]));
  const { responses, lines } = await s.together(Array.from({ length: 40 }, () => token(s)));
  for (const response of responses) assert.equal(response.status, 401);
  for (const line of lines) assert.equal(line.reason, "token_revoked");
  assert.equal(readsOf(kv), 1);
});

test("what is refused anyway reads no list, and neither does what needs no token", async (t) => {
  const { kv, s } = await begin(t, { vars: { MCP_SERVER_AUTH_POLICY: { anonymous_methods: ["tools/list"] } } });
  for (const claims of [{ exp: 1 }, { aud: "https://other.example.com" }, { sub: undefined }]) {
    assert.equal((await s.ask(s.token(claims))).response.status, 401);
  }
  assert.equal((await s.ask("abc")).line.reason, "token_parts");
  assert.equal((await s.ask()).line.reason, "credentials_missing");
  const body = '{"jsonrpc":"2.0","id":1,"method":"tools/list"}';
  const { response } = await s.ask(undefined, { body, headers: { "content-type": "application/json" } });
  assert.equal(response.status, 200);
  assert.equal(readsOf(kv), 0);
});

test("it comes before the policy, and report mode does not soften it", async (t) => {
  const { kv, s } = await begin(t, { vars: { MCP_SERVER_AUTH_POLICY: { required_scopes: ["none"], mode: "report" } } });
  kv.values.set(KEY, revocations(1, [revoked(s.issuer)]));
  await assertRevoked(s, { scope: "none" });
  await assertPasses(s, { sub: "user-2" });
});

// what KV answers, and what the log says of it
const BROKEN = [
  ["fails", reply.status(500), "kv_failed", /500/],
  ["is limited", reply.status(429), "kv_failed", /429/],
  ["hangs", reply.hang(), "kv_failed", /^no answer within 1 s$/],
  ["hangs up", reply.reset(), "kv_failed", /./],
  ["holds garbage", reply.text("garbage"), "kv_unreadable", /^not a list/],
  ["holds half a list", reply.text(revocations(9, []).slice(0, -1)), "kv_unreadable", /^not a list/],
  ["holds bytes that are no text", reply.text(Buffer.from([0xff, 0xfe, 0])), "kv_unreadable", /^not a list/],
  ["holds another format", reply.text(revocations(9, [], { format: 2 })), "kv_unreadable", /^not a list/],
  ["holds a list with something odd in it", reply.text(revocations(9, [{ kind: "session" }])), "kv_unreadable", /^not a list/],
  ["has lost the list", reply.status(404), "kv_missing", /what was read before is in force$/],
];

for (const [name, answer, result, detail] of BROKEN) {
  test(`KV ${name}: the last list holds, and the log says so once in 30 s`, async (t) => {
    const { clock, kv, s } = await begin(t);
    kv.values.set(KEY, revocations(5, [revoked(s.issuer)]));
    await assertRevoked(s);
    kv.on("GET", answer);
    clock.forward(30);
    await assertRevoked(s);
    await assertPasses(s, { sub: "user-2" });
    const tried = readsOf(kv);
    assert.deepEqual(results(s), [result]);
    assert.match(s.worker.lines("revocations")[0].detail, detail);
    // No request waits again, and nothing is read again, until the next try is due.
    clock.forward(9);
    await assertRevoked(s);
    assert.equal(readsOf(kv), tried);
    clock.forward(18);
    await assertRevoked(s);
    await until("another try", () => readsOf(kv) === tried + 1);
    assert.deepEqual(results(s), [result]);
    clock.forward(3600);
    await assertRevoked(s);
    assert.deepEqual(results(s), [result, result]);
    // Once KV is back, a newer list counts.
    kv.off("GET");
    kv.values.set(KEY, revocations(6, []));
    clock.forward(30);
    await assertPasses(s);
    assert.deepEqual(results(s), [result, result]);
  });
}

for (const [name, answer, result] of BROKEN.slice(0, -1)) {
  test(`KV ${name} from the start: as if there were no list, said once; and it is tried again`, async (t) => {
    const { clock, kv, s } = await begin(t);
    kv.on("GET", answer);
    await assertPasses(s);
    assert.deepEqual(results(s), ["kv_failed", "never_read"].map((said) => (said === "kv_failed" ? result : said)));
    clock.forward(9);
    await assertPasses(s);
    clock.forward(31);
    await assertPasses(s);
    assert.deepEqual(results(s), [result, "never_read", result]);
    kv.off("GET");
    kv.values.set(KEY, revocations(1, [revoked(s.issuer)]));
    clock.forward(10);
    await assertRevoked(s);
  });
}

test("KV without a list is no failure", async (t) => {
  const { clock, kv, s } = await begin(t);
  await assertPasses(s);
  clock.forward(30);
  await assertPasses(s);
  assert.deepEqual([readsOf(kv), results(s)], [2, []]);
});

test("an older list never replaces a newer one", async (t) => {
  const { clock, kv, s } = await begin(t);
  kv.values.set(KEY, revocations(7, [revoked(s.issuer)]));
  await assertRevoked(s);
  kv.values.set(KEY, revocations(6, []));
  clock.forward(30);
  await assertRevoked(s);
  assert.deepEqual([readsOf(kv), results(s)], [2, []], "KV is behind for a while by design");
  kv.values.set(KEY, revocations(8, []));
  clock.forward(30);
  await assertPasses(s);
});

test("a full list, of which each entry counts", async (t) => {
  const { clock, kv, s } = await begin(t);
  const entries = Array.from({ length: REVOCATIONS }, (_, n) => revoked(s.issuer, { value: `user-${n}`, kind: ["subject", "client", "jti"][n % 3] }));
  kv.values.set(KEY, revocations(1, entries));
  for (const [claims, is] of [[{ sub: "user-0" }, true], [{ client_id: "user-1" }, true], [{ jti: "user-998" }, true], [{ sub: "user-999" }, true], [{ sub: "user-1" }, false], [{ sub: "user-1002" }, false]]) {
    await (is ? assertRevoked : assertPasses)(s, { sub: "somebody", ...claims });
  }
  kv.values.set(KEY, revocations(2, [...entries, revoked(s.issuer, { value: "one-more" })]));
  clock.forward(30);
  await assertRevoked(s, { sub: "user-0" });
  assert.deepEqual(results(s), ["kv_unreadable"], "one more than may be");
});

test("without KV nothing is served, and the log says why", async (t) => {
  const s = await stage(t, { vars: ON });
  assert.equal((await s.worker.send({ path: "/mcp", method: "POST" })).status, 503);
  assert.match(s.worker.lines("misconfigured")[0].faults.join(), /MCP_SERVER_AUTH_REVOCATION.*JWKS_CACHE/);
  const odd = await stage(t, { vars: { ...ON, JWKS_CACHE: "text" } });
  await assertPasses(odd);
  assert.deepEqual(results(odd), ["kv_failed", "never_read"]);
});

test("a client that leaves while the list is read takes nothing with it", async (t) => {
  const { clock, kv, s } = await begin(t);
  await assertPasses(s);
  kv.values.set(KEY, revocations(1, [revoked(s.issuer)]));
  const held = reply.held((_, res) => res.writeHead(200).end(kv.values.get(KEY)));
  kv.on("GET", held);
  clock.forward(30);
  const leaving = open(s.worker.port, { method: "POST", path: "/mcp", headers: bearer(token(s)) });
  leaving.request.on("error", () => {}).end();
  await until("the read", () => readsOf(kv) === 2);
  leaving.request.destroy();
  held.release();
  await assertRevoked(s);
  assert.equal(readsOf(kv), 2, "its read served the next one");
});

// A read of KV counts as failed after a second, which is too soon for so many requests on a busy
// machine.
const PATIENT = (main) => `import worker from "./${main}";
const real = setTimeout;
globalThis.setTimeout = (then, ms) => real(then, ms === 1000 ? 600_000 : ms);
export default worker;
`;

test("so many wait for the list, and the others are refused: none gets by", async (t) => {
  const MORE = 20;
  const kv = await startKv(t);
  const s = await stage(t, { kv, vars: ON, around: PATIENT });
  await s.ask(s.token({ exp: 1 })); // the keys are at hand
  kv.values.set(KEY, revocations(1, [revoked(s.issuer)]));
  const held = reply.held((_, res) => res.writeHead(200).end(kv.values.get(KEY)));
  kv.on("GET", held);
  const calls = Array.from({ length: WAITERS + MORE }, () => {
    const exchange = open(s.worker.port, { method: "POST", path: "/mcp", headers: bearer(mint({ key: rsa, claims: goodClaims(s.issuer) })) });
    exchange.request.on("error", () => {}).end();
    return exchange;
  });
  const refused = (reason) => s.worker.lines("request").filter((line) => line.reason === reason).length;
  await until("the refusals", () => refused("revocations_unavailable") === MORE, 60_000);
  held.release();
  const answers = await bounded("the answers", Promise.all(calls.map(async ({ response }) => whole(await response))), 60_000);
  const late = answers.filter(({ status }) => status === 503);
  assert.deepEqual([late.length, answers.filter(({ status }) => status === 401).length], [MORE, WAITERS]);
  for (const response of late) {
    assertUnavailable(response);
    assert.equal(response.get("retry-after"), "1");
  }
  assert.equal(refused("token_revoked"), WAITERS);
  assert.equal(s.origin.seen.length, 0);
});
