// The Worker that the bench compares with is only a fair side if it does the same work. The one
// that is written by hand (bench/sides/worker/by-hand.mjs) is asked here what the built Worker is
// asked: it gives the same answer, and the same line in the log, to tokens and requests that are
// bad in every way that a test knows of, and to good ones.
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { workerSides } from "../../bench/sides/worker.mjs";
import { stage as makeStage } from "../../bench/support/stage.mjs";
import { JWKS, mutants } from "../differential/mutants.mjs";
import { ALGORITHMS } from "./support/keys.mjs";
import { send } from "./support/http.mjs";
import { mint, seconds } from "./support/mint.mjs";
import { bearer, CANONICAL, goodClaims } from "./support/stage.mjs";
import { ACCEPTED, REFUSED } from "./support/token-rows.mjs";
import { until } from "./support/until.mjs";

const SIDES = ["ours", "by-hand"];
const MUTANTS = 500;
const COMPARED = ["content-type", "cache-control", "www-authenticate", "allow", "vary", "access-control-allow-origin", "access-control-expose-headers",
  "access-control-allow-headers", "access-control-allow-methods", "access-control-max-age"];

/** Both, on the same settings: a function of a request that gives what each of them made of it. */
async function both(t, stage) {
  const sides = await Promise.all(SIDES.map((name) => started(t, name, stage)));
  return (request) => Promise.all(sides.map((side) => outcome(side, request)));
}

async function started(t, name, stage) {
  const folder = mkdtempSync(join(tmpdir(), "mcp-edge-auth-sides-"));
  const log = join(folder, "log");
  const running = await workerSides({}).find((side) => side.name === name).start({ folder, stage, inside: true, log });
  t.after(async () => {
    await running.stop();
    rmSync(folder, { recursive: true, force: true });
  });
  const lines = () => readFileSync(log, "utf8").split("\n").filter((line) => line.startsWith('{"event":"request"'));
  return { name, port: running.port, lines, asked: 0 };
}

async function outcome(side, request) {
  const answer = await send(side.port, request);
  side.asked += 1;
  const line = await until(`${side.name}'s log line`, () => side.lines()[side.asked - 1]);
  const headers = Object.fromEntries(COMPARED.map((name) => [name, answer.get(name)]));
  // Where the keys came from is only for the Worker to find out.
  return { status: answer.status, text: answer.text, headers, line: line.replace(/"ms":\d+/, '"ms":0').replace('"keys":"issuer"', '"keys":"memory"') };
}

const call = (token, more = {}) => ({ method: "POST", path: "/mcp", body: "{}", ...more, headers: { host: "mcp.example.com", "content-type": "application/json", ...bearer(token), ...more.headers } });

/** A stage as token-rows.mjs wants it, and both sides on it. */
async function oneKey(t) {
  const stage = makeStage();
  const s = { issuer: { url: stage.issuer } };
  s.claims = (over) => goodClaims(s.issuer, over);
  s.token = (claims = {}, rest = {}) => mint({ key: stage.key, claims: s.claims(claims), ...rest });
  s.ask = await both(t, stage);
  return s;
}

/** That both gave one outcome; and gives it. */
async function same(name, ask, request) {
  const [ours, byHand] = await ask(request);
  assert.deepEqual(byHand, ours, name);
  return ours;
}

test("tokens are refused for the same reason, and the same ones are taken", async (t) => {
  const s = await oneKey(t);
  for (const [name, make, reason] of REFUSED) {
    const { status, line } = await same(name, s.ask, call(make(s)));
    assert.deepEqual([status, JSON.parse(line).reason], [401, reason], name);
  }
  for (const [name, make] of ACCEPTED) assert.equal((await same(name, s.ask, call(make(s)))).status, 200, name);
});

test("mutants of tokens are judged alike, whatever their algorithm", async (t) => {
  const issuer = "https://as.example.com/as-0";
  const stage = {
    ...makeStage(),
    jwks: JWKS,
    keySets: { "/as-0/jwks": JWKS },
    settings: {
      MCP_SERVER_AUTH_CANONICAL_URL: CANONICAL,
      MCP_SERVER_AUTH_AUTHORIZATION_SERVERS: [{ authorization_server_url: issuer, jwks_uri: `${issuer}/jwks`, algorithm: ALGORITHMS }],
      ORIGIN_URL: "https://as.example.com/upstream",
    },
  };
  const ask = await both(t, stage);
  const made = [...mutants({ count: MUTANTS, seed: 15, issuer, audience: CANONICAL, now: seconds() })];
  const statuses = new Map();
  for (const { token, ways } of made) {
    const { status } = await same(ways.join(", "), ask, call(token));
    statuses.set(status, (statuses.get(status) ?? 0) + 1);
  }
  assert.ok(statuses.get(200) > 40 && statuses.get(401) > 200, JSON.stringify([...statuses]));
});

const PAGE = { origin: "https://app.example.com" };
const SPOOFED = { "X-MCP-Auth-User-Id": "root", X_MCP_AUTH_EMAIL: "a@b", "x.mcp.auth.scopes": "all", "X-MCP-Authority": "stays" };
const HOP = { "Keep-Alive": "1", TE: "trailers", "Proxy-Authorization": "Basic eA==", Proxy_Connection: "x", "HTTP2-Settings": "x", Content_Length: "9", "X-Named": "1", Cookie: "a=b", Connection: "close, x-named" };

// name, what differs from a good call; `token: null` for none
const REQUESTS = [
  ["a call", {}],
  ["a call of a page", { headers: PAGE }],
  ["a call of an opaque page", { headers: { origin: "null" } }],
  ["a call of an opaque page, in capitals", { headers: { origin: "NULL" } }],
  ...["GET", "HEAD", "DELETE", "PUT", "PATCH"].map((method) => [method, { method, body: undefined }]),
  ["GET by a page", { method: "GET", body: undefined, headers: PAGE }],
  ["TRACE", { method: "TRACE", body: undefined }],
  ["a preflight", { method: "OPTIONS", body: undefined, token: null, headers: { ...PAGE, "access-control-request-headers": "authorization, mcp-param-x" } }],
  ["a preflight that asks for nothing readable", { method: "OPTIONS", body: undefined, token: null, headers: { ...PAGE, "access-control-request-headers": "a\"b" } }],
  ["a preflight without a list", { method: "OPTIONS", body: undefined, token: null }],
  ["no credential", { token: null }],
  ...["Basic eDp5", "Bearer", "Bearer ", "Bearer a b", "Bearer a,Bearer b", "Bearer=x", "bearer", "Token x", "Bearer \u00e9"].map((authorization) => [
    `Authorization: ${authorization}`, { token: null, headers: { authorization } },
  ]),
  ["headers that could pass for ours", { path: "/mcp/probe", headers: SPOOFED }],
  ["headers of the connection", { path: "/mcp/probe", headers: HOP }],
  ["a WebSocket by POST", { headers: { upgrade: "websocket", connection: "upgrade" } }],
  ["another upgrade", { path: "/mcp/probe", headers: { upgrade: "h2c", connection: "upgrade" } }],
  ...["", "/", "/x", "/x?y=1&z", "?q=..", "x", "/a.b", "/a%20b", "/a+b", "/../x", "/%2e%2e/x", "/%252e%252e/x", "/..%2fx", "/.%2e", "/%2e", "/.", "/..;a/x", "/.%20./x",
    "/%c0%ae%c0%ae/x", "/%e0%80%ae/x", "/%EF%BC%8E%EF%BC%8E/x", "/%E2%80%A5/x", "/%E2%80%A6/x", "/%E3%80%82%E3%80%82", "/a%00b", "/a%0ab", "/%u002e%u002e/x", "/%25u002e", "/%ff%2e%2e",
    "/%E5%90%8D", "/%C3%9F.", "/a\\..\\b", "/%5c..%5cx", "/...", "/. ./x".replace(" ", "%C2%A0"), "/%E2%80%8B..%E2%80%8B/x", "/%2525252e/x"].map((rest) => [`/mcp${rest}`, { path: `/mcp${rest}` }]),
  ...["/", "/mcpx", "/healthz", "/.well-known/oauth-protected-resource/mcp", "/.well-known/oauth-protected-resource", "/mcp/.well-known/oauth-protected-resource"].flatMap((path) => [
    [`GET ${path}`, { method: "GET", body: undefined, token: null, path }], [`POST ${path}`, { token: null, path }],
  ]),
];

test("requests are answered alike, and reach the origin with the same headers", async (t) => {
  const s = await oneKey(t);
  const token = s.token({ client_id: "c\u00e9", azp: "other", email: "z\u00f6e@example.com", scope: "a b \u00e9 %" });
  for (const [name, { token: sent = token, ...more }] of REQUESTS) await same(name, s.ask, call(sent ?? undefined, more));
});
