// The comparison without a library: the same Worker, verifying on WebCrypto with as little code as
// that takes. It has fewer rules than `by-hand` (no duplicate members, no canonical base64url):
// what is measured is how little a JS verification can cost.
import { EXPIRED, INVALID, MALFORMED, NOT_FOR_US, Refused, UNTRUSTED, checkType, gate } from "./gate.mjs";
import { bytesOf, importing, parametersOf } from "./webcrypto.mjs";

const decoder = new TextDecoder();
const encoder = new TextEncoder();

export default gate((settings, env) => {
  const [{ issuer, audiences, algorithms: [algorithm], leeway }] = settings.entries;
  const parameters = parametersOf(algorithm);
  const kept = new Map();
  const keyOf = async (kid) => {
    if (!kept.has(kid)) {
      const jwk = env.JWKS.keys.find((key) => key.kid === kid);
      if (!jwk) throw new Refused(INVALID, "kid_unknown");
      kept.set(kid, await importing(algorithm, jwk));
    }
    return kept.get(kid);
  };
  return async (token) => {
    const parts = token.split(".");
    if (parts.length !== 3) throw new Refused(MALFORMED, "token_parts");
    const [header, claims, signature] = decoded(parts);
    if (header.alg !== algorithm) throw new Refused(INVALID, "alg_not_allowed");
    if (header.crit !== undefined) throw new Refused(INVALID, "crit_present");
    checkType(header.typ);
    if (claims.iss !== issuer) throw new Refused(UNTRUSTED, "issuer_untrusted");
    const key = await keyOf(header.kid);
    const input = encoder.encode(token.slice(0, token.lastIndexOf(".")));
    if (!(await crypto.subtle.verify(parameters, key, signature, input))) throw new Refused(INVALID, "signature_invalid");
    judge(claims, audiences, leeway);
    return { header, claims };
  };
});

function decoded([header, claims, signature]) {
  try {
    return [JSON.parse(atob(plain(header))), JSON.parse(decoder.decode(bytesOf(claims))), bytesOf(signature)];
  } catch {
    throw new Refused(MALFORMED, "token_encoding");
  }
}

const plain = (text) => text.replaceAll("-", "+").replaceAll("_", "/");

function judge({ exp, nbf, iat, aud, sub, cnf }, audiences, leeway) {
  const now = Date.now() / 1000;
  if (typeof exp !== "number") throw new Refused(INVALID, "exp_missing");
  if (now >= exp + leeway) throw new Refused(EXPIRED, "token_expired");
  if (nbf !== undefined && !(nbf <= now + leeway)) throw new Refused(INVALID, "token_not_yet_valid");
  if (iat !== undefined && !(iat <= now + leeway)) throw new Refused(INVALID, "iat_in_future");
  const said = Array.isArray(aud) ? aud : [aud];
  if (!said.some((one) => audiences.includes(one))) throw new Refused(NOT_FOR_US, "aud_mismatch");
  if (typeof sub !== "string" || sub === "") throw new Refused(INVALID, "sub_missing");
  if (cnf !== undefined) throw new Refused(INVALID, "token_bound");
}
