// The binding AUDIT: one point a request, whatever its end and whatever the log takes, with nothing
// of a token but what was verified; and the six queries of docs/operating.md, each run against the
// points that a Worker wrote.
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import initSqlJs from "sql.js";
import { ROOT } from "./support/bundle.mjs";
import { HOSTILE } from "./support/hostile.mjs";
import { reply } from "./support/issuer.mjs";
import { BASE } from "./support/origin.mjs";
import { send } from "./support/http.mjs";
import { call, guarded, post } from "./support/policy.mjs";
import { CANONICAL, entryFor, stage } from "./support/stage.mjs";
import { until } from "./support/until.mjs";
import { testClock } from "./support/worker.mjs";

const KEY = "k".repeat(32);
const KEYED = { MCP_SERVER_AUTH_AUDIT_KEY: KEY };
const POLICY = { rules: [{ methods: ["tools/call"], names: ["delete_*"], scopes: ["tools:delete"] }] };

/** A binding that prints what it is given, or fails. */
const PRINTS = `export default () => ({ writeDataPoint: (point) => console.log(JSON.stringify({ event: "point", ...point })) });`;
const THROWS = `export default () => ({ writeDataPoint() { throw new Error("no room for points"); } });`;

/** What docs/operating.md says that a caller is called. */
function hashed(issuer, subject, key = KEY) {
  const framed = [issuer, subject].map((part) => `${Buffer.byteLength(part)}:${part},`).join("");
  return createHmac("sha256", key).update(`mcp-edge-auth audit 1:${framed}`).digest("base64url").slice(0, 22);
}

const points = (s) => s.worker.lines("point");

/** The point of one exchange, whose line may be missing. */
async function pointOf(s, exchange) {
  const before = points(s).length;
  await exchange();
  await until("its point", () => points(s).length > before);
  assert.equal(points(s).length, before + 1, "one a request");
  return points(s).at(-1);
}

test("each request has one point, whatever its end", async (t) => {
  const s = await guarded(t, POLICY, { vars: KEYED, stage: { audit: PRINTS } });
  const who = hashed(s.issuer.url, "user-1");
  const good = s.token({ client_id: "app", scope: "x" });
  const rows = [
    ["a tool", () => s.call(good, post(call("search"))), ["forwarded", "ok", "tools/call", "search", "app", who, "issuer"]],
    ["again", () => s.call(good, post(call("search"))), ["forwarded", "ok", "tools/call", "search", "app", who, "memory"]],
    ["a stream", () => s.call(good, { method: "GET" }), ["forwarded", "ok", "GET", "", "app", who, "memory"]],
    ["a page", () => s.call(good, post(call("search"), { origin: "https://app.example.com" })), ["forwarded", "ok", "tools/call", "search", "app", who, "memory"]],
    ["denied", () => s.call(good, post(call("delete_all"))), ["refused", "scope_insufficient", "tools/call", "delete_all", "app", who, "memory"]],
    ["a batch", () => s.call(good, post([{ jsonrpc: "2.0", id: 2, method: "ping" }, call("search")])), ["forwarded", "ok", "ping, tools/call", "search", "app", who, "memory"]],
    ["denied in a batch", () => s.call(good, post([call("search"), call("delete_all")])), ["refused", "scope_insufficient", "tools/call", "search, delete_all", "app", who, "memory"]],
    ["expired", () => s.call(s.token({ client_id: "app", exp: 1 })), ["refused", "token_expired", "POST", "", "", "", "memory"]],
    ["nobody", () => s.call(), ["refused", "credentials_missing", "POST", "", "", "", ""]],
    ["the document", () => s.worker.send({ path: "/.well-known/oauth-protected-resource" }), ["served", "metadata", "GET", "", "", "", ""]],
    ["elsewhere", () => s.worker.send({ path: "/other" }), ["refused", "not_found", "GET", "", "", "", ""]],
    ["preflight", () => s.worker.send({ method: "OPTIONS", path: "/mcp" }), ["served", "preflight", "OPTIONS", "", "", "", ""]],
  ];
  for (const [name, exchange, blobs] of rows) {
    const { event, indexes, blobs: [...found], doubles, ...more } = await pointOf(s, exchange);
    assert.equal(event, "point");
    assert.deepEqual(found, [...blobs, ""], name);
    assert.deepEqual(indexes, [blobs[0] === "served" || name === "elsewhere" ? "" : CANONICAL], name);
    assert.deepEqual([doubles.length, doubles[0] >= 0, doubles[1], more], [2, true, 1, {}]);
  }
  // What is refused after it was sent on is that, with what was known.
  s.origin.on(BASE, (req, res) => res.writeHead(401).end());
  assert.deepEqual((await pointOf(s, () => s.call(good, post(call("search"))))).blobs, ["refused", "origin_unauthorized", "tools/call", "search", "app", who, "memory", ""]);
  await s.origin.close();
  assert.deepEqual((await pointOf(s, () => s.call(good, post(call("search"))))).blobs, ["refused", "origin_unreachable", "tools/call", "search", "app", who, "memory", ""]);
});

test("the log's choice is not the audit's", async (t) => {
  for (const lines of ["none", "refusals"]) {
    const s = await stage(t, { vars: { MCP_SERVER_AUTH_LOG: lines }, audit: PRINTS });

    const ask = (headers) => send(s.worker.port, { method: "POST", path: "/mcp", headers });
    assert.equal((await pointOf(s, () => ask({ authorization: `Bearer ${s.token()}` }))).blobs[0], "forwarded");
    assert.equal((await pointOf(s, () => ask({}))).blobs[1], "credentials_missing");
  }
});

test("callers are hashed with the key, and left out without one", async (t) => {
  const names = async (vars, claims, entries) => {
    const s = await stage(t, { vars, audit: PRINTS, ...(entries && { entries }) });
    const { blobs } = await pointOf(s, () => s.call(s.token(claims)));
    const [start] = s.worker.lines("start");
    return { caller: blobs[5], audit: start.Audit, issuer: s.issuer.url, out: s.worker.stdout };
  };
  const one = await names(KEYED, { sub: "subject-9Qx" });
  assert.equal(one.caller, hashed(one.issuer, "subject-9Qx"));
  assert.ok(!one.out.includes("subject-9Qx") && !one.out.includes(KEY));
  assert.equal(one.audit, "binding AUDIT, callers hashed");
  const other = await names({ MCP_SERVER_AUTH_AUDIT_KEY: "l".repeat(40) }, { sub: "subject-9Qx" });
  assert.equal(other.caller, hashed(other.issuer, "subject-9Qx", "l".repeat(40)));
  // Lengths are those of UTF-8.
  const far = await names(KEYED, { sub: "zo\u00eb", iss: "\u540d\u524d" }, (issuer) => [{ issuer: "\u540d\u524d", jwks_uri: `${issuer.url}/jwks`, for_clients: false }, entryFor(issuer)]);
  assert.equal(far.caller, hashed("\u540d\u524d", "zo\u00eb"));
  const none = await names({}, { sub: "subject-9Qx" });
  assert.equal(none.caller, "");
  assert.equal(none.audit, "binding AUDIT, without callers: there is no secret MCP_SERVER_AUTH_AUDIT_KEY");
  assert.ok(!none.out.includes("subject-9Qx"));
  for (const key of ["short", "", 7, ["k".repeat(32)]]) {
    const s = await stage(t, { vars: { MCP_SERVER_AUTH_AUDIT_KEY: key }, audit: PRINTS });
    assert.equal((await s.call(s.token())).status, 503);
    const [fault] = s.worker.lines("misconfigured")[0].faults;
    assert.match(fault, /^MCP_SERVER_AUTH_AUDIT_KEY: expected a secret of at least 32 random bytes/);
    assert.equal(points(s).at(-1).blobs[1], "server_misconfigured", "and that is reported");
  }
});

test("in report mode a point says what would have been refused", async (t) => {
  const s = await guarded(t, { ...POLICY, mode: "report" }, { stage: { audit: PRINTS } });
  for (const [name, reason] of [["delete_all", "scope_insufficient"], ["search", "ok"]]) {
    const { blobs } = await pointOf(s, async () => assert.equal((await s.call(s.token(), post(call(name)))).status, 200));
    assert.deepEqual(blobs.slice(0, 4), ["forwarded", reason, "tools/call", name]);
  }
});

test("what others say is one part of a point, and no longer than in the log", async (t) => {
  const s = await guarded(t, POLICY, { vars: KEYED, stage: { audit: PRINTS } });
  const name = `a\n\u0000b${HOSTILE}`;
  const { blobs } = await pointOf(s, () => s.call(s.token({ client_id: `c\nforwarded${"x".repeat(400)}` }), post(call(name))));
  assert.equal(blobs.length, 8);
  assert.deepEqual([blobs[0], blobs[2], blobs[6]], ["forwarded", "tools/call", "issuer"]);
  for (const blob of blobs) assert.doesNotMatch(blob, /[\p{Cc}\u2028\u202e\u2066]/u);
  assert.ok(blobs[4].length <= 128 && blobs[3].startsWith("a??b"));
  const other = await pointOf(s, () => s.call(s.token({ client_id: "app" }), post({ jsonrpc: "2.0", id: 1, method: `m\n${HOSTILE}` })));
  assert.deepEqual([other.blobs.length, other.blobs[0], other.blobs[4], other.blobs[6]], [8, "forwarded", "app", "memory"]);
  assert.doesNotMatch(other.blobs[2], /[\p{Cc}\u2028\u202e\u2066]/u);
});

test("a long canonical URL is cut to what an index may have", async (t) => {
  const canonical = `https://mcp.example.com/${"a".repeat(120)}`;
  const s = await stage(t, { vars: { MCP_SERVER_AUTH_CANONICAL_URL: canonical }, audit: PRINTS });
  const { indexes } = await pointOf(s, () => s.call(s.token({ aud: canonical }), { path: new URL(canonical).pathname }));
  assert.deepEqual(indexes, [canonical.slice(0, 96)]);
});

test("a binding that fails costs no request, and what is no Analytics Engine is left alone", async (t) => {
  const failing = await stage(t, { audit: THROWS });
  for (const [token, status] of [[failing.token(), 200], [undefined, 401]]) {
    const { response, line } = await failing.ask(token);
    assert.deepEqual([response.status, line.status], [status, status]);
  }
  assert.match(failing.worker.output(), /AUDIT: "Error: no room for points"/);
  for (const AUDIT of ["text", { writeDataPoint: "text" }]) {
    const s = await stage(t, { vars: { AUDIT } });
    const { response } = await s.ask(s.token());
    assert.equal(response.status, 200);
    assert.ok(!("Audit" in s.worker.lines("start")[0]));
  }
});

test("wrangler's own Analytics Engine takes the points", async (t) => {
  const s = await stage(t, { runtime: "miniflare", audit: true, vars: KEYED });
  const { response, line } = await s.ask(s.token());
  assert.deepEqual([response.status, line.outcome], [200, "forwarded"]);
  assert.doesNotMatch(s.worker.output(), /AUDIT: /);
  assert.equal(s.worker.lines("start")[0].Audit, "binding AUDIT, callers hashed");
});

// The queries. SQLite runs them, with what it spells otherwise translated here, and nothing else:
// times from now, the start of an interval, and the weighted quantile, which is a function of ours.
const QUERIES = [...readFileSync(join(ROOT, "docs", "operating.md"), "utf8").matchAll(/^```sql\n(.*?)^```$/gms)].map(([, query]) => query);
const NOW = "2026-11-26 15:30:00";

const translated = (query) =>
  query
    .replaceAll(/NOW\(\) - INTERVAL '(\d+)' DAY/g, `datetime('${NOW}', '-$1 days')`)
    .replaceAll(/toStartOfInterval\(timestamp, INTERVAL '(\d+)' MINUTE\)/g, (_, minutes) => `datetime(unixepoch(timestamp) / ${60 * minutes} * ${60 * minutes}, 'unixepoch')`)
    .replaceAll(/quantileExactWeighted\(([\d.]+)\)\((\w+), (\w+)\)/g, "quantile_exact_weighted($1, $2, $3)")
    .replaceAll(/toDateTime\(('[^']+')\)/g, "$1");

/** The least value that this part of the weight does not exceed. */
function quantile(part, weighted) {
  const sorted = [...weighted].sort(([a], [b]) => a - b);
  const wanted = part * sorted.reduce((sum, [, weight]) => sum + weight, 0);
  let seen = 0;
  return sorted.find(([, weight]) => (seen += weight) >= wanted)?.[0];
}

/** A database with these points: [timestamp, sample interval, point]. */
async function database(rows) {
  const { Database } = await initSqlJs();
  const db = new Database();
  db.create_aggregate("quantile_exact_weighted", {
    init: () => ({ part: 0, weighted: [] }),
    step: (state, part, value, weight) => ({ part, weighted: [...state.weighted, [value, weight]] }),
    finalize: ({ part, weighted }) => quantile(part, weighted),
  });
  const blobs = Array.from({ length: 8 }, (_, i) => `blob${i + 1}`);
  db.run(`CREATE TABLE mcp_edge_auth (timestamp TEXT, _sample_interval INTEGER, index1 TEXT, ${blobs.join(" TEXT, ")} TEXT, double1 REAL, double2 REAL)`);
  for (const [timestamp, interval, { indexes, blobs: said, doubles }] of rows) {
    assert.equal(said.length, 8);
    db.run(`INSERT INTO mcp_edge_auth VALUES (${Array(13).fill("?").join(",")})`, [timestamp, interval, indexes[0], ...said, ...doubles]);
  }
  return (query) => {
    const [{ columns, values }] = db.exec(translated(query));
    return values.map((row) => Object.fromEntries(row.map((value, i) => [columns[i], value])));
  };
}

test("the six questions are answered from what a Worker wrote", async (t) => {
  assert.equal(QUERIES.length, 6);
  const clock = testClock();
  const vars = { ...KEYED, MCP_SERVER_AUTH_CACHE_TTL: 60, VERSION: { id: "version-1" } };
  const s = await guarded(t, POLICY, { vars, stage: { clock, audit: PRINTS } });
  const [alice, bob] = [["alice", "app"], ["bob", "tool-box"]].map(([sub, client_id]) => () => s.token({ sub, client_id, scope: "x", iat: clock.seconds(), exp: clock.seconds() + 9000 }));
  const rows = [];
  const noted = async (timestamp, interval, exchange) => rows.push([timestamp, interval, await pointOf(s, exchange)]);
  for (let i = 0; i < 3; i++) await noted("2026-11-26 15:00:00", 1, () => s.call(alice(), post(call("search"))));
  await noted("2026-11-26 15:01:00", 10, () => s.call(bob(), post(call("search"))));
  await noted("2026-11-26 15:02:00", 2, () => s.call(bob(), post(call("read"))));
  await noted("2026-11-26 14:10:00", 1, () => s.call(alice(), post(call("delete_all"))));
  await noted("2026-11-26 14:50:00", 3, () => s.call(alice(), post(call("delete_all"))));
  await noted("2026-11-26 15:00:00", 1, () => s.call(alice(), post(call("delete_all"))));
  await noted("2026-11-26 14:20:00", 5, () => s.call(undefined, post(call("search"))));
  await noted("2026-11-26 13:59:59", 1, () => s.call(undefined, post(call("search"))));
  await noted("2026-11-20 12:00:00", 1, () => s.call(alice(), post(call("old"))));
  s.issuer.on("/jwks", reply.status(500));
  clock.forward(61);
  // Found to be stale once a fetch has failed.
  await until("a stale key set", async () => {
    await noted("2026-11-26 15:07:59", 1, () => s.call(alice(), post(call("search"))));
    return rows.at(-1)[2].blobs[6] === "stale";
  });
  await noted("2026-11-26 15:09:00", 4, () => s.call(alice(), post(call("search"))));
  // What Date.now() gives does not move here, so the times are given.
  const ms = { search: [10, 20, 900], read: [3000], old: [1] };
  for (const [, , point] of rows) point.doubles[0] = (ms[point.blobs[3]] ?? [5]).shift() ?? 30;
  const ask = await database(rows);
  const [refused, byClient, slowest, stale, before, versions] = QUERIES.map(ask);
  const isRecent = ([timestamp], days = 1) => Date.parse(`${timestamp}Z`.replace(" ", "T")) > Date.parse(`${NOW}Z`.replace(" ", "T")) - days * 86_400_000;
  const sum = (chosen) => chosen.reduce((total, [, interval]) => total + interval, 0);
  const of = (wanted) => rows.filter((row) => wanted(row[2].blobs, row));

  assert.deepEqual(refused, [
    { reason: "credentials_missing", resource: CANONICAL, requests: 6 }, { reason: "scope_insufficient", resource: CANONICAL, requests: 5 },
  ]);
  const searches = sum(of(([outcome, , , tool, client]) => outcome === "forwarded" && tool === "search" && client === "app"));
  assert.deepEqual(byClient, [
    { client: "tool-box", tool: "search", calls: 10 }, { client: "app", tool: "search", calls: searches },
    { client: "tool-box", tool: "read", calls: 2 }, { client: "app", tool: "old", calls: 1 },
  ].sort((a, b) => b.calls - a.calls || a.client.localeCompare(b.client) || a.tool.localeCompare(b.tool)));
  const timed = of(([outcome, , , tool], row) => outcome === "forwarded" && tool === "search" && isRecent(row)).map(([, interval, { doubles }]) => [doubles[0], interval]);
  assert.deepEqual(slowest, [
    { tool: "read", calls: 2, p95_ms: 3000, most_ms: 3000 },
    { tool: "search", calls: 10 + searches, p95_ms: quantile(0.95, timed), most_ms: 900 },
  ]);
  const old = of((blobs) => blobs[6] === "stale");
  assert.deepEqual(stale, [{ since: "2026-11-26 15:05:00", resource: CANONICAL, requests: sum(old) }]);
  assert.ok(sum(old) >= 5);
  assert.deepEqual(before, [
    { caller: "", client: "", reason: "credentials_missing", tool: "", requests: 5, first: "2026-11-26 14:20:00", last: "2026-11-26 14:20:00" },
    { caller: hashed(s.issuer.url, "alice"), client: "app", reason: "scope_insufficient", tool: "delete_all", requests: 4, first: "2026-11-26 14:10:00", last: "2026-11-26 14:50:00" },
  ]);
  const count = (outcome) => sum(of((blobs, row) => blobs[0] === outcome && isRecent(row)));
  assert.deepEqual(versions, [
    { version: "version-1", outcome: "forwarded", requests: count("forwarded"), first: "2026-11-26 15:00:00" },
    { version: "version-1", outcome: "refused", requests: count("refused"), first: "2026-11-26 13:59:59" },
  ]);
});
