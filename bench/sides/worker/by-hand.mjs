// The Worker by hand: all that the contract asks of a request and its token, in JavaScript on
// WebCrypto, without a library. It refuses what mcp-edge-auth refuses, for the same reason and in
// the same order, and its line in the log has the same members. What it does not have is what no
// request of the bench meets: policies, sessions, assertions, several servers, the page for people,
// challenges and redirects of an origin; and its key set is given to it.
import {
  allows, badGateway, clientOf, encode, json, MALFORMED, metadata, preflight, readSettings, Refused, refused, scopesOf, served, unauthorized, withCors, withoutCors,
} from "./gate.mjs";
import { namesWebSocket, removedFrom } from "./by-hand/headers.mjs";
import { about, holder, lineFor, write } from "./by-hand/log.mjs";
import { leadsElsewhere, placeOf } from "./by-hand/path.mjs";
import { verifier } from "./by-hand/token.mjs";

const TOKEN_BYTES = 16 * 1024;
const TOKEN68 = /^[A-Za-z0-9\-._~+/]+=*$/;
const NEVER_FORWARDED = /^(?:trace|track|connect)$/i;
const FORBIDDEN = { jsonrpc: "2.0", error: { code: 403, message: "Forbidden", data: { error: "forbidden" } } };
const NOTICE_MS = 10_000;
const LIMIT_MS = 100_000;

let settings;
let verify;

export default {
  async fetch(request, env) {
    const started = Date.now();
    if (!settings) {
      settings = readSettings(env);
      verify = verifier(settings.entries, env.JWKS);
    }
    const line = lineFor(request.method);
    const response = await respond(request, line, started);
    finish(line, response.status, started);
    about(line, request, env);
    if (!SILENT) write(line);
    return response;
  },
};

function finish(line, status, started) {
  line.status = status;
  line.ms = Math.max(0, Date.now() - started);
}

async function respond(request, line) {
  const { method, url, headers } = request;
  const { path, query } = placeOf(url);
  if (path === "/healthz") return health(method, line);
  if (settings.metadataPaths.has(path)) return metadata(settings, request, line);
  const isBelow = path.startsWith(settings.path) && (path.length === settings.path.length || path[settings.path.length] === "/");
  if (!isBelow || leadsElsewhere(path)) return refused(line, "not_found", json(404, { error: "not_found" }));

  const origin = headers.get("origin");
  if (NEVER_FORWARDED.test(method)) {
    line.resource = settings.canonical;
    const response = json(405, { error: "method_not_allowed" }, { Allow: "GET, POST, DELETE, OPTIONS" });
    return refused(line, "method_not_allowed", withCors(settings, origin, response));
  }
  if (method === "OPTIONS") return served(line, "preflight", preflight(settings, request, origin));
  line.resource = settings.canonical;
  if (origin !== null && !allows(settings, origin)) {
    return refused(line, "origin_not_allowed", withCors(settings, origin, json(403, { error: "origin_not_allowed" })));
  }
  const { token, reason } = credential(headers.get("authorization"));
  if (!token) return refused(line, reason, unauthorized(settings, origin));
  let claims;
  try {
    if (token.length > TOKEN_BYTES) throw new Refused(MALFORMED, "token_too_large");
    claims = await verify(token, line);
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    return refused(line, error.reason, unauthorized(settings, origin, error.message));
  }
  const client = clientOf(claims);
  holder(line, client, claims.jti);
  if (ANSWER) return withCors(settings, origin, json(200, { status: "ok" }));
  return forward(request, origin, path.slice(settings.path.length) + query, claims, client, line);
}

function health(method, line) {
  if (method === "GET" || method === "HEAD") return served(line, "health", json(200, { status: "ok" }));
  return refused(line, "method_not_allowed", json(405, { error: "method_not_allowed" }, { Allow: "GET, HEAD" }));
}

/** One Bearer credential: { token }, or { reason }. */
function credential(authorization) {
  if (authorization === null) return { reason: "credentials_missing" };
  const value = authorization.replace(/^[ \t]+|[ \t]+$/g, "");
  const space = value.indexOf(" ");
  const scheme = space < 0 ? value : value.slice(0, space);
  if (scheme.toLowerCase() !== "bearer") return { reason: "scheme_not_bearer" };
  const token = space < 0 ? "" : value.slice(space).replace(/^ +/, "");
  if (!token) return { reason: "token_empty" };
  return TOKEN68.test(token) ? { token } : { reason: "credentials_malformed" };
}

async function forward(request, origin, rest, claims, client, line) {
  const { method, headers } = request;
  const removed = removedFrom(headers);
  if (removed.includes("upgrade")) {
    const upgrade = headers.get("upgrade");
    if (namesWebSocket(upgrade)) {
      if (method !== "GET") return refused(line, "upgrade_not_allowed", withCors(settings, origin, json(403, FORBIDDEN)));
      if (upgrade.toLowerCase() === "websocket") removed.splice(removed.indexOf("upgrade"), 1);
    }
  }
  const outgoing = new Request(settings.target + rest, request);
  for (const name of removed) outgoing.headers.delete(name);
  outgoing.headers.set("X-MCP-Auth-User-Id", encode(claims.sub));
  outgoing.headers.set("X-MCP-Auth-Issuer", encode(claims.iss));
  if (client) outgoing.headers.set("X-MCP-Auth-Client-Id", encode(client));
  if (typeof claims.email === "string" && claims.email) outgoing.headers.set("X-MCP-Auth-Email", encode(claims.email));
  const scopes = scopesOf(claims);
  if (scopes) outgoing.headers.set("X-MCP-Auth-Scopes", scopes);

  const isRead = method === "GET" || method === "HEAD";
  let response;
  try {
    response = await inTime(isRead ? fetch(outgoing, { cache: "no-store" }) : fetch(outgoing), line);
  } catch {
    return badGateway(settings, origin, line, "origin_unreachable");
  }
  if (response === undefined) return refused(line, "origin_timeout", withCors(settings, origin, json(504, { error: "gateway_timeout" })));
  const { status } = response;
  if (status === 401) {
    line.credential = "none";
    response.body?.cancel().catch(() => {});
    return badGateway(settings, origin, line, "origin_unauthorized");
  }
  if (status === 101) return response;
  if (status < 200 || response.bodyUsed) return badGateway(settings, origin, line, "origin_unreachable");
  if (!isRead && origin === null) return response;
  return withCors(settings, origin, withoutCors(response));
}

/** The answer, or nothing if it is late; the log says once that it is waited for. */
function inTime(answer, line) {
  let timer;
  const late = new Promise((resolve) => {
    const notice = () => {
      const { event, outcome, reason, status, ms, ...rest } = line;
      write({ event: "waiting", ...rest, seconds: NOTICE_MS / 1000 });
      timer = setTimeout(resolve, LIMIT_MS - NOTICE_MS);
    };
    timer = setTimeout(notice, NOTICE_MS);
  });
  return Promise.race([answer, late]).finally(() => clearTimeout(timer));
}
