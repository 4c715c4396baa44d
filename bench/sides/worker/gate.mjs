// What the Workers under comparison that verify in JS (`jose`, `by-hand-lean`) have in common: all
// that mcp-edge-auth does but the verification. Paths, preflight, Origin check, refusals, identity
// headers, forwarding, CORS and the log line are those of the contract, so that what is compared is
// the same work. Written as one would write it by hand for production: settings read once, nothing
// slow on purpose. `by-hand` takes its parts.
//
// ANSWER and SILENT are set by the bundler: answer 200 in place of forwarding; no log line.

const EXPOSED = "WWW-Authenticate, Mcp-Session-Id, MCP-Protocol-Version";
const ALLOWED_HEADERS =
  "Content-Type, Authorization, Accept, Mcp-Session-Id, MCP-Protocol-Version, Mcp-Method, Mcp-Name, Last-Event-ID";
const WELL_KNOWN = "/.well-known/oauth-protected-resource";
const BEARER = /^Bearer +([A-Za-z0-9\-._~+/]+=*)$/i;
const PLAIN = /^[!-$&-~]*$/;
const SCOPE = /^[\x21\x23-\x5b\x5d-\x7e]+$/;
const TYPES = new Set(["jwt", "at+jwt", "application/jwt", "application/at+jwt"]);
const TOKEN_BYTES = 16 * 1024;
const DETAIL_CHARS = 256;
const REQUESTED_HEADERS = /^[A-Za-z0-9!#$%&'*+\-.^_`|~, ]{1,4096}$/;
const CORS_HEADERS = [
  "Access-Control-Allow-Origin", "Access-Control-Allow-Credentials", "Access-Control-Allow-Headers", "Access-Control-Allow-Methods",
  "Access-Control-Allow-Private-Network", "Access-Control-Expose-Headers", "Access-Control-Max-Age",
];

export const MALFORMED = "The access token is malformed";
export const UNTRUSTED = "The access token's issuer is not trusted";
export const EXPIRED = "The access token expired";
export const NOT_FOR_US = "The access token is not for this resource";
export const INVALID = "The access token is invalid";

/** Thrown by a verifier: what the client reads, and what the log says. */
export class Refused extends Error {
  constructor(description, reason) {
    super(description);
    this.reason = reason;
  }
}

/** Without `typ`, or that of an access token. */
export function checkType(typ) {
  if (typ !== undefined && !(typeof typ === "string" && TYPES.has(typ.toLowerCase()))) throw new Refused(INVALID, "typ_not_allowed");
}

/**
 * A Worker around `prepare(settings, env)`, called once, which gives `verify(token, request) -> {
 * header, claims }`. `credential`: what the token is found by. `removed`: a header that the origin
 * does not get either.
 */
export function gate(prepare, { credential = BEARER, removed } = {}) {
  let settings;
  let verify;
  return {
    async fetch(request, env) {
      const started = Date.now();
      if (!settings) {
        settings = { ...readSettings(env), credential, removed };
        verify = prepare(settings, env);
      }
      const line = { event: "request", outcome: "refused", reason: "", status: 0, method: request.method };
      const response = await respond(settings, verify, request, line);
      line.status = response.status;
      line.ms = Date.now() - started;
      if (!SILENT) console.log(JSON.stringify(line));
      return response;
    },
  };
}

export function readSettings(env) {
  const canonical = env.MCP_SERVER_AUTH_CANONICAL_URL;
  const entries = env.MCP_SERVER_AUTH_AUTHORIZATION_SERVERS;
  const url = new URL(canonical);
  const path = url.pathname.replace(/\/$/, "");
  const allowed = env.MCP_SERVER_AUTH_ALLOWED_ORIGINS;
  const metadataUrl = `${url.origin}${WELL_KNOWN}${path}`;
  return {
    canonical,
    path,
    metadataPaths: new Set([WELL_KNOWN + path, `${WELL_KNOWN}${path}/`, WELL_KNOWN, path + WELL_KNOWN]),
    metadata: JSON.stringify({
      resource: canonical,
      authorization_servers: entries.map((entry) => entry.authorization_server_url),
      bearer_methods_supported: ["header"],
    }),
    challenge: `Bearer resource_metadata="${metadataUrl}"`,
    entries: entries.map((entry) => ({
      issuer: entry.issuer ?? entry.authorization_server_url,
      audiences: entry.expected_audiences ?? [canonical],
      algorithms: [entry.algorithm ?? "RS256"].flat(),
      leeway: entry.validation_options?.leeway ?? 60,
    })),
    origins: allowed && allowed !== "*" ? new Set(allowed.map((origin) => origin.toLowerCase())) : undefined,
    target: env.ORIGIN_URL,
  };
}

async function respond(settings, verify, request, line) {
  const { pathname, search } = new URL(request.url);
  if (settings.metadataPaths.has(pathname)) return metadata(settings, request, line);
  if (pathname === "/healthz") return served(line, "health", json(200, { status: "ok" }));
  if (pathname !== settings.path && !pathname.startsWith(`${settings.path}/`)) {
    return refused(line, "not_found", json(404, { error: "not_found" }));
  }

  const origin = request.headers.get("origin");
  if (request.method === "OPTIONS") return served(line, "preflight", preflight(settings, request, origin));
  line.resource = settings.canonical;
  if (origin !== null && !allows(settings, origin)) {
    return refused(line, "origin_not_allowed", withCors(settings, origin, json(403, { error: "origin_not_allowed" })));
  }
  const authorization = request.headers.get("authorization");
  const token = authorization && settings.credential.exec(authorization)?.[1];
  if (!token) {
    return refused(line, authorization ? "credentials_malformed" : "credentials_missing", unauthorized(settings, origin));
  }
  try {
    if (token.length > TOKEN_BYTES) throw new Refused(MALFORMED, "token_too_large");
    const { header, claims } = await verify(token, request);
    const { alg, kid } = header;
    const client = clientOf(claims)?.slice(0, DETAIL_CHARS);
    Object.assign(line, { outcome: "forwarded", reason: "ok", issuer: claims.iss, alg, kid, keys: "memory", client, jti: claims.jti });
    if (ANSWER) return withCors(settings, origin, json(200, { status: "ok" }));
    return await forward(settings, request, origin, pathname.slice(settings.path.length) + search, claims, line);
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    return refused(line, error.reason, unauthorized(settings, origin, error.message));
  }
}

async function forward(settings, request, origin, rest, claims, line) {
  const upstream = new Request(settings.target + rest, request);
  const { headers } = upstream;
  for (const name of [...headers.keys()]) {
    if (name === "authorization" || name === settings.removed || name.replaceAll("_", "-").startsWith("x-mcp-auth-")) headers.delete(name);
  }
  headers.set("X-MCP-Auth-User-Id", encode(claims.sub));
  headers.set("X-MCP-Auth-Issuer", encode(claims.iss));
  const client = clientOf(claims);
  if (client) headers.set("X-MCP-Auth-Client-Id", encode(client));
  if (typeof claims.email === "string" && claims.email) headers.set("X-MCP-Auth-Email", encode(claims.email));
  const scopes = scopesOf(claims);
  if (scopes) headers.set("X-MCP-Auth-Scopes", scopes);

  const read = request.method === "GET" || request.method === "HEAD";
  let response;
  try {
    response = await (read ? fetch(upstream, { cache: "no-store" }) : fetch(upstream));
  } catch {
    return badGateway(settings, origin, line, "origin_unreachable");
  }
  if (response.status === 401) return badGateway(settings, origin, line, "origin_unauthorized");
  if (response.status === 101) return response;
  if (response.bodyUsed) return badGateway(settings, origin, line, "origin_unreachable");
  // Only browsers read CORS headers, and they send an `Origin`; but a shared cache may keep what
  // was read without one.
  if (!read && origin === null) return response;
  return withCors(settings, origin, withoutCors(response));
}

/** The first of these claims that is there counts, whatever it is. */
const first = (...claims) => claims.find((claim) => claim !== undefined);

export function clientOf({ client_id: id, azp, cid }) {
  const client = first(id, azp, cid);
  return typeof client === "string" && client ? client : undefined;
}

/** A 401: for want of a credential, or with what is wrong with the token. */
export function unauthorized(settings, origin, description) {
  const body = description ? { error: "invalid_token", error_description: description } : { error: "unauthorized" };
  const error = description ? `, error="invalid_token", error_description="${description}"` : "";
  return withCors(settings, origin, json(401, body, { "WWW-Authenticate": settings.challenge + error }));
}

/** The origin's answer, its headers to be changed, without CORS headers of its own. */
export function withoutCors(response) {
  const answer = new Response(response.body, response);
  for (const name of CORS_HEADERS) answer.headers.delete(name);
  return answer;
}

export const badGateway = (settings, origin, line, reason) =>
  refused(line, reason, withCors(settings, origin, json(502, { error: "bad_gateway" })));

export function scopesOf(claims) {
  const granted = first(claims.scope, claims.scp);
  const list = typeof granted === "string" ? granted.split(" ") : Array.isArray(granted) ? granted : [];
  return list.filter((scope) => typeof scope === "string" && SCOPE.test(scope)).map(encode).join(" ");
}

/** Bytes outside 0x21 to 0x7E, and `%`, percent-encoded. */
export function encode(value) {
  if (PLAIN.test(value)) return value;
  let encoded = "";
  for (const byte of new TextEncoder().encode(value)) {
    const plain = byte > 0x20 && byte < 0x7f && byte !== 0x25;
    encoded += plain ? String.fromCharCode(byte) : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
  }
  return encoded;
}

export function metadata(settings, request, line) {
  const headers = { "Access-Control-Allow-Origin": "*" };
  if (request.method === "OPTIONS") {
    Object.assign(headers, { "Cache-Control": "no-store" }, allowing(request, "GET, HEAD, OPTIONS"));
    return served(line, "preflight", new Response(null, { status: 204, headers }));
  }
  if (request.method !== "GET" && request.method !== "HEAD") {
    return refused(line, "method_not_allowed", json(405, { error: "method_not_allowed" }, { Allow: "GET, HEAD, OPTIONS" }));
  }
  Object.assign(headers, { "Cache-Control": "public, max-age=3600", "Content-Type": "application/json" });
  return served(line, "metadata", new Response(settings.metadata, { headers }));
}

export function preflight(settings, request, origin) {
  const headers = { "Cache-Control": "no-store", ...allowing(request, "GET, POST, DELETE, OPTIONS") };
  return withCors(settings, origin, new Response(null, { status: 204, headers }));
}

function requestedHeaders(request) {
  const requested = request.headers.get("access-control-request-headers")?.trim();
  return requested && REQUESTED_HEADERS.test(requested) ? requested : undefined;
}

const allowing = (request, methods) => ({
  "Access-Control-Allow-Methods": methods,
  "Access-Control-Allow-Headers": requestedHeaders(request) ?? ALLOWED_HEADERS,
  "Access-Control-Max-Age": "86400",
  Vary: "Access-Control-Request-Headers",
});

export const allows = (settings, origin) => (settings.origins ? settings.origins.has(origin.toLowerCase()) : origin.toLowerCase() !== "null");

export function withCors(settings, origin, response) {
  if (!settings.origins) {
    response.headers.set("Access-Control-Allow-Origin", "*");
  } else {
    response.headers.append("Vary", "Origin");
    if (origin !== null && allows(settings, origin)) response.headers.set("Access-Control-Allow-Origin", origin);
  }
  response.headers.set("Access-Control-Expose-Headers", EXPOSED);
  return response;
}

export const json = (status, value, headers) =>
  new Response(JSON.stringify(value), { status, headers: { "Content-Type": "application/json", "Cache-Control": "no-store", ...headers } });

export function refused(line, reason, response) {
  line.outcome = "refused";
  line.reason = reason;
  return response;
}

export function served(line, what, response) {
  line.outcome = "served";
  line.reason = what;
  return response;
}
