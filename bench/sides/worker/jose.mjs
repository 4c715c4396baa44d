// The comparison: the same Worker with `jose` for the verification, its key set and imported keys
// kept in the isolate.
import { createLocalJWKSet, errors, jwtVerify } from "jose";

import { EXPIRED, INVALID, MALFORMED, NOT_FOR_US, Refused, UNTRUSTED, checkType, gate } from "./gate.mjs";

/** `mayBeBound`: what the token is bound to is looked at elsewhere. */
export function prepare(settings, env, mayBeBound = false) {
  const [{ issuer, audiences, algorithms, leeway }] = settings.entries;
  const keys = createLocalJWKSet(env.JWKS);
  const options = { issuer, audience: audiences, algorithms, clockTolerance: leeway, requiredClaims: ["exp", "sub"] };
  return async (token) => {
    try {
      const { payload, protectedHeader } = await jwtVerify(token, keys, options);
      checkType(protectedHeader.typ);
      if (typeof payload.sub !== "string" || payload.sub === "") throw new Refused(INVALID, "sub_missing");
      if (payload.cnf !== undefined && !mayBeBound) throw new Refused(INVALID, "token_bound");
      return { header: protectedHeader, claims: payload };
    } catch (error) {
      throw error instanceof errors.JOSEError ? refusal(error) : error;
    }
  };
}

export default gate((settings, env) => prepare(settings, env));

function refusal(error) {
  if (error instanceof errors.JWTExpired) return new Refused(EXPIRED, "token_expired");
  if (error instanceof errors.JWTClaimValidationFailed) {
    if (error.claim === "aud") return new Refused(NOT_FOR_US, "aud_mismatch");
    if (error.claim === "iss") return new Refused(UNTRUSTED, "iss_mismatch");
    return new Refused(INVALID, `${error.claim}_${error.reason}`);
  }
  if (error instanceof errors.JWSSignatureVerificationFailed) return new Refused(INVALID, "signature_invalid");
  if (error instanceof errors.JWSInvalid || error instanceof errors.JWTInvalid) return new Refused(MALFORMED, "token_malformed");
  return new Refused(INVALID, error.code);
}
