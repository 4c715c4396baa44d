// Tokens that are bound to a key, and DPoP proofs by that key, made by hand: every member can be
// bent.
import { createHash, randomUUID } from "node:crypto";
import { kindFor, signingKey } from "./keys.mjs";
import { mint, seconds } from "./mint.mjs";
import { CANONICAL, stage } from "./stage.mjs";

const hash = (text) => createHash("sha256").update(text).digest("base64url");

/** The public members of a key and no others. */
export function publicJwk(key) {
  const { kid, ...members } = key.jwk();
  return members;
}

/** RFC 7638: the required members in the order of their names. */
export function thumbprint(key) {
  const { e, n, crv, kty, x, y } = publicJwk(key);
  return hash(JSON.stringify({ crv, e, kty, n, x, y }));
}

/** The client whose key tokens are bound to. */
export const holder = (alg = "ES256") => signingKey(kindFor(alg), "holder");

/** A token of a stage that is bound to a key. */
export const boundToken = (s, key = holder(), claims = {}) => s.token({ cnf: { jkt: thumbprint(key) }, ...claims });

/** A proof beside a token; `header` and `claims` bend it. */
export function proof(token, { alg = "ES256", key = holder(alg), header = {}, claims = {} } = {}) {
  const usual = { jti: randomUUID(), htm: "POST", htu: CANONICAL, iat: seconds(), ath: hash(token) };
  return mint({ key, alg, header: { typ: "dpop+jwt", alg, kid: undefined, jwk: publicJwk(key), ...header }, claims: { ...usual, ...claims } });
}

/** The headers of a request with a token and a proof. */
export const byDpop = (token, proof) => ({ authorization: `DPoP ${token}`, ...(proof === undefined ? {} : { dpop: proof }) });

/**
 * The refusals of a resource with DPoP that clients react to: [{ name, response, error }], where
 * `error` is the challenge's.
 */
export async function challenges(t, use) {
  const s = await stage(t, {
    entry: { dpop: use, dpop_nonce: true },
    vars: { MCP_SERVER_AUTH_DEFAULT_CHALLENGE_SCOPES: ["mcp"], MCP_SERVER_AUTH_DPOP_NONCE_KEY: "a key of nonces, of thirty-nine letters" },
  });
  const bound = boundToken(s);
  const rows = [
    ["no token", {}, undefined],
    ["a bound token as Bearer", { authorization: `Bearer ${bound}` }, "invalid_token"],
    ["an expired one", byDpop(boundToken(s, undefined, { exp: 1 }), "x"), "invalid_token"],
    ["a bad proof", byDpop(bound, "x"), "invalid_dpop_proof"],
    ["no nonce", byDpop(bound, proof(bound)), "use_dpop_nonce"],
  ];
  return Promise.all(rows.map(async ([name, headers, error]) => ({ name, error, response: await fetch(`${s.worker.url}/mcp`, { method: "POST", headers }) })));
}
