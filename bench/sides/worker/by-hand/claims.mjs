// The claims of a token whose signature is good. A claim of the wrong type is refused, and never
// treated as absent.
import { EXPIRED, INVALID, NOT_FOR_US, Refused } from "../gate.mjs";

/** audiences: without the slash at their end. `now`: whole seconds. */
export function judge(claims, { audiences, leeway }, now) {
  const { exp, nbf, iat, aud, sub, cnf } = claims;
  if (exp === undefined) throw new Refused(INVALID, "exp_missing");
  if (typeof exp !== "number") throw new Refused(INVALID, "exp_not_number");
  if (now >= exp + leeway) throw new Refused(EXPIRED, "token_expired");
  if (nbf !== undefined) {
    if (typeof nbf !== "number") throw new Refused(INVALID, "nbf_not_number");
    if (nbf > now + leeway) throw new Refused(INVALID, "token_not_yet_valid");
  }
  if (iat !== undefined) {
    if (typeof iat !== "number") throw new Refused(INVALID, "iat_not_number");
    if (iat > now + leeway) throw new Refused(INVALID, "iat_in_future");
  }
  checkAudience(aud, audiences);
  if (sub === undefined || sub === "") throw new Refused(INVALID, "sub_missing");
  if (typeof sub !== "string") throw new Refused(INVALID, "sub_not_string");
  if (cnf !== undefined) throw new Refused(INVALID, "token_bound");
}

function checkAudience(aud, audiences) {
  if (aud === undefined) throw new Refused(NOT_FOR_US, "aud_missing");
  const said = Array.isArray(aud) ? aud : [aud];
  if (!said.every((one) => typeof one === "string")) throw new Refused(NOT_FOR_US, "aud_malformed");
  if (!said.some((one) => audiences.includes(withoutSlash(one)))) throw new Refused(NOT_FOR_US, "aud_mismatch");
}

export const withoutSlash = (url) => (url.endsWith("/") ? url.slice(0, -1) : url);
