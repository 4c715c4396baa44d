// Before a side is timed it must do the work: a good token through, the origin told who calls and
// nothing secret, every bad token refused. Of the sides that are compared for all that they do, the
// answers must be the same, too, and so must the lines in the log.
import { readFileSync } from "node:fs";

import { send } from "../../tests/e2e/support/http.mjs";
import { mint } from "../../tests/e2e/support/mint.mjs";
import { goodClaims } from "../../tests/e2e/support/stage.mjs";
import { REFUSED as ROWS } from "../../tests/e2e/support/token-rows.mjs";
import { until } from "../../tests/e2e/support/until.mjs";
import { BODY, HEADERS, bearer } from "./requests.mjs";
import { ORIGINS_OWN } from "./sizes.mjs";
import { CANONICAL, CLIENT, DOCUMENT } from "./stage.mjs";

/** Kinds of token that are refused, and what the client reads. */
const DESCRIPTIONS = {
  none: undefined,
  garbage: "The access token is malformed",
  expired: "The access token expired",
  audience: "The access token is not for this resource",
  issuer: "The access token's issuer is not trusted",
  signature: "The access token is invalid",
};
export const REFUSED = Object.keys(DESCRIPTIONS);

const EXPOSED = "WWW-Authenticate, Mcp-Session-Id, MCP-Protocol-Version";
const SPOOFED = { "X-MCP-Auth-User-Id": "root" };

/** The faults that were found: none if the side may be timed. */
export async function probe(side, running, stage) {
  const { identity, forwards = identity, refuses = REFUSED, accepts = [], answers } = side;
  const ask = (kind, below = "", more = {}) => {
    const { path, body = BODY, headers = HEADERS } = running;
    const spoofed = identity ? SPOOFED : {};
    return send(running.port, { method: "POST", path: path + below, headers: { ...headers, ...spoofed, ...bearer(tokenOf(stage, kind)), ...more }, body });
  };
  const faults = [];
  const expect = (what, found, wanted) => {
    if (found !== wanted) faults.push(`${what}: ${found} where ${wanted} was expected`);
  };
  const good = await ask("good", forwards ? "/probe" : "");
  expect("a good token", good.status, 200);
  if (good.status === 200 && forwards) checkSeen(new Map(good.json()), side, stage, expect);
  for (const kind of refuses) {
    const refused = await ask(kind);
    expect(`a token: ${kind}`, refused.status, 401);
    if (answers) checkRefusal(kind, refused, expect);
  }
  if (stage.policy) expect("a token without the scope", (await ask("unscoped")).status, 403);
  for (const kind of accepts) expect(`a token: ${kind}`, (await ask(kind)).status, 200);
  if (answers) await checkRest(ask, running, stage, expect);
  return faults;
}

/**
 * A build for measuring serves nobody's host and no other, so that it cannot be deployed by
 * mistake.
 */
export async function probeHost(side, folder, stage) {
  const settings = { ...stage.settings, MCP_SERVER_AUTH_CANONICAL_URL: "https://mcp.example.org/mcp" };
  const running = await side.start({ folder, stage: { ...stage, settings }, inside: true });
  try {
    const { status } = await send(running.port, { path: "/healthz" });
    return status === 503 ? [] : [`a host that somebody could have: ${status} where 503 was expected`];
  } finally {
    await running.stop();
  }
}

const tokenOf = (stage, kind) => (kind === "none" ? undefined : stage.token(kind, 0));

/** The headers that the origin saw. */
function checkSeen(seen, { identity, worker }, stage, expect) {
  if (!identity) return;
  const told = {
    "x-mcp-auth-user-id": "user-10000",
    "x-mcp-auth-issuer": stage.issuer,
    authorization: undefined,
    ...(worker && {
      "x-mcp-auth-client-id": CLIENT,
      "x-mcp-auth-email": "user-10000@example.com",
      "x-mcp-auth-scopes": "mcp:tools mcp:resources offline_access",
    }),
  };
  for (const [name, value] of Object.entries(told)) expect(`the origin's ${name}`, seen.get(name), value);
}

function checkRefusal(kind, refused, expect) {
  const description = DESCRIPTIONS[kind];
  const body = description ? { error: "invalid_token", error_description: description } : { error: "unauthorized" };
  const error = description ? `, error="invalid_token", error_description="${description}"` : "";
  expect(`${kind}: body`, refused.text, JSON.stringify(body));
  expect(`${kind}: challenge`, refused.get("www-authenticate"), `Bearer resource_metadata="https://mcp.example.com${DOCUMENT}"${error}`);
  expect(`${kind}: cache-control`, refused.get("cache-control"), "no-store");
  checkCors(kind, refused, expect);
}

function checkCors(what, answer, expect) {
  expect(`${what}: allow-origin`, answer.get("access-control-allow-origin"), "*");
  expect(`${what}: expose-headers`, answer.get("access-control-expose-headers"), EXPOSED);
}

async function checkRest(ask, { port, path }, stage, expect) {
  // Only browsers read CORS headers, and they send an Origin; but what a shared cache may keep has
  // them always.
  const asked = await ask("good");
  expect("forwarded: allow-origin", asked.get("access-control-allow-origin"), ORIGINS_OWN);
  expect("forwarded: expose-headers", asked.get("access-control-expose-headers"), undefined);
  checkCors("forwarded to a page", await ask("good", "", { origin: "https://app.example.com" }), expect);
  const read = await send(port, { path, headers: bearer(tokenOf(stage, "good")) });
  expect("read", read.status, 200);
  checkCors("read", read, expect);
  expect("an opaque Origin", (await ask("good", "", { origin: "null" })).status, 403);
  const metadata = await send(port, { path: DOCUMENT });
  expect("metadata", metadata.status, 200);
  const { resource, authorization_servers: servers, bearer_methods_supported: methods } = metadata.json();
  expect("metadata: resource", resource, CANONICAL);
  expect("metadata: servers", servers?.length, Object.keys(stage.keySets).length);
  expect("metadata: methods", String(methods), "header");
  expect("metadata: cache-control", metadata.get("cache-control"), "public, max-age=3600");
  expect("another path", (await send(port, { path: "/elsewhere" })).status, 404);
}

/**
 * Every bad token that the tests know of (tests/e2e/support/token-rows.mjs), which take one key of
 * RSA.
 */
export async function probeTokens({ port, path }, stage) {
  const s = { issuer: { url: stage.issuer }, claims: (over) => goodClaims({ url: stage.issuer }, over) };
  s.token = (claims = {}, rest = {}) => mint({ key: stage.key, claims: s.claims(claims), ...rest });
  const faults = [];
  for (const [name, make, , description] of ROWS) {
    const { status, text } = await send(port, { method: "POST", path, headers: { ...HEADERS, ...bearer(make(s)) }, body: BODY });
    const wanted = JSON.stringify({ error: "invalid_token", error_description: description });
    if (status !== 401 || text !== wanted) faults.push(`${name}: ${status} ${text} where 401 ${wanted} was expected`);
  }
  return faults;
}

const LOGGED = {
  good: { outcome: "forwarded", reason: "ok", status: 200 },
  audience: { outcome: "refused", reason: "aud_mismatch", status: 401 },
};

/**
 * Starts the side once more, with its log in sight: one line per request, with the same members.
 */
export async function probeLog(side, given, stage, folder) {
  const log = `${folder}.log`;
  const running = await side.start({ ...given, folder, log });
  const lines = () => readFileSync(log, "utf8").split("\n").filter((line) => line.includes('"event":"request"')).map((line) => JSON.parse(line));
  const faults = [];
  try {
    for (const [kind, expected] of Object.entries(LOGGED)) {
      const before = lines().length;
      await send(running.port, { method: "POST", path: running.path, headers: { ...HEADERS, ...bearer(tokenOf(stage, kind)) }, body: BODY });
      const line = await until(`${side.name}'s log line`, () => lines()[before]);
      const wanted = { ...expected, method: "POST", resource: CANONICAL };
      if (kind === "good") Object.assign(wanted, { issuer: stage.issuer, alg: stage.algorithm, kid: stage.key.kid, client: CLIENT });
      for (const [name, value] of Object.entries(wanted)) {
        if (line[name] !== value) faults.push(`log of ${kind}: ${name} is ${line[name]} where ${value} was expected`);
      }
      if (!("ms" in line)) faults.push(`log of ${kind}: no ms`);
    }
  } finally {
    await running.stop();
  }
  return faults;
}
