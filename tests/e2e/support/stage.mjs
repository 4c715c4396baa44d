// What almost every test needs: an issuer with one RS256 key, an origin, the Worker between them,
// and a good token.
import assert from "node:assert/strict";
import { send } from "./http.mjs";
import { startIssuer } from "./issuer.mjs";
import { signingKey } from "./keys.mjs";
import { mint, seconds } from "./mint.mjs";
import { BASE, startOrigin } from "./origin.mjs";
import { until } from "./until.mjs";
import { startWorker } from "./worker.mjs";

export const CANONICAL = "https://mcp.example.com/mcp";
export const METADATA = "https://mcp.example.com/.well-known/oauth-protected-resource/mcp";

/** An entry for an issuer whose keys are at /jwks. */
export const entryFor = (issuer, fields = {}) => ({ authorization_server_url: issuer.url, jwks_uri: `${issuer.url}/jwks`, ...fields });

/**
 * vars override the defaults (undefined takes one away); entry adds fields to the only entry;
 * entries(issuer) replaces it.
 */
export async function stage(t, { vars = {}, entry = {}, entries, keys = [signingKey("rsa")], clock, services: bound, ...worker } = {}) {
  const issuer = await startIssuer(t, { keys });
  const origin = await startOrigin(t);
  const settings = {
    MCP_SERVER_AUTH_CANONICAL_URL: CANONICAL,
    MCP_SERVER_AUTH_AUTHORIZATION_SERVERS: entries ? entries(issuer) : [entryFor(issuer, entry)],
    ORIGIN_URL: `${origin.url}${BASE}`,
    ...(typeof vars === "function" ? vars(issuer, origin) : vars),
  };
  for (const name of Object.keys(settings)) if (settings[name] === undefined) delete settings[name];
  const services = typeof bound === "function" ? bound(origin) : bound;
  const start = (over) => startWorker(t, { vars: settings, clock, services, ...worker, ...over });
  const s = { issuer, origin, settings };
  s.claims = (over = {}) => goodClaims(issuer, over, clock?.seconds());
  /** A token that is good but for `claims`; the rest goes to mint(). */
  s.token = (claims = {}, rest = {}) => mint({ key: keys[0] ?? signingKey("rsa"), claims: s.claims(claims), ...rest });
  /** A Worker of its own on the same settings, issuer and origin; `over` is for startWorker. */
  s.another = async (over) => asking({ ...s, worker: await start(over) });
  return s.another();
}

/** What is asked of s.worker. */
function asking(s) {
  const request = (token, { headers = {}, ...head } = {}) => ({ method: "POST", path: "/mcp", ...head, headers: { ...bearer(token), ...headers } });
  s.call = (token, head) => s.worker.send(request(token, head));
  /** The answer and the one line that the request left in the log. */
  s.ask = (token, head) => s.worker.logged(() => s.call(token, head));
  /**
   * Requests at the same time: their answers, and the lines that they left in the log, in no order.
   */
  s.together = async (tokens) => {
    // Health checks may come between.
    const tried = () => s.worker.lines("request").filter((line) => line.outcome !== "served");
    const before = tried().length;
    const responses = await Promise.all(tokens.map((token) => send(s.worker.port, request(token))));
    const lines = () => tried().slice(before);
    await until("their log lines", () => lines().length >= tokens.length);
    return { responses, lines: lines() };
  };
  return s;
}

export const bearer = (token) => (token === undefined ? {} : { authorization: `Bearer ${token}` });

export function goodClaims(issuer, over = {}, now = seconds()) {
  return { iss: issuer.url, aud: CANONICAL, sub: "user-1", iat: now - 10, exp: now + 600, ...over };
}

/** The challenge of contract section 3, written out. */
export function challenge({ metadata = METADATA, error, scope, description } = {}) {
  const parameters = Object.entries({ resource_metadata: metadata, error, scope, error_description: description });
  const text = parameters.filter(([, value]) => value).map(([name, value]) => `${name}="${value}"`).join(", ");
  return text ? `Bearer ${text}` : "Bearer";
}

export const MALFORMED = "The access token is malformed";
export const UNTRUSTED = "The access token's issuer is not trusted";
export const EXPIRED = "The access token expired";
export const NOT_FOR_US = "The access token is not for this resource";
export const INVALID = "The access token is invalid";

/** No or unusable credentials: a challenge without an error. */
export function assertUnauthorized(response, parameters = {}) {
  assertOwn(response, 401, { error: "unauthorized" });
  assert.deepEqual(response.all("www-authenticate"), [challenge(parameters)]);
}

export function assertInvalid(response, description, parameters = {}) {
  assertOwn(response, 401, { error: "invalid_token", error_description: description });
  assert.deepEqual(response.all("www-authenticate"), [challenge({ error: "invalid_token", description, ...parameters })]);
}

export function assertUnavailable(response) {
  assertOwn(response, 503, { error: "temporarily_unavailable" });
  assert.deepEqual(response.all("www-authenticate"), []);
  assert.match(response.get("retry-after"), /^[1-9][0-9]*$/);
}

/** An answer of the Worker's own: exactly this body, as JSON, not to be stored. */
export function assertOwn(response, status, body) {
  assert.equal(response.status, status, response.text);
  assert.equal(response.text, JSON.stringify(body));
  assert.match(response.get("content-type"), /^application\/json\b/);
  assert.deepEqual(response.all("cache-control"), ["no-store"]);
}
