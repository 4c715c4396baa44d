// A token's way to its claims: taken apart, its issuer and its key found, its signature checked,
// its claims judged.
import { INVALID, MALFORMED, Refused, UNTRUSTED } from "../gate.mjs";
import { importing, parametersOf } from "../webcrypto.mjs";
import { decoded } from "./base64url.mjs";
import { judge, withoutSlash } from "./claims.mjs";
import { objectOf } from "./json.mjs";
import { algorithmOf, keySet } from "./keys.mjs";
import { printable } from "./log.mjs";

const KID_CHARS = 128;
const encoder = new TextEncoder();

/**
 * A function of a token that gives its claims or throws why it is refused, and that writes into the
 * line of the log what the token says of itself.
 */
export function verifier(entries, jwks) {
  const keysFor = keySet(jwks);
  const trusted = new Map(entries.map(({ issuer, audiences, algorithms, leeway }) => [issuer, { algorithms, leeway, audiences: audiences.map(withoutSlash) }]));
  const imported = new Map();
  return async (token, line) => {
    const { header, claims, signature, input } = parsed(token);
    const { alg, kid } = header;
    const algorithm = algorithmOf(alg);
    const entry = trusted.get(claims.iss);
    if (entry) line.issuer = claims.iss;
    else if (typeof claims.iss === "string") line.iss = printable(claims.iss);
    line.alg = algorithm;
    line.kid = kid === undefined || kid.length <= KID_CHARS ? kid : [...kid].slice(0, KID_CHARS).join("");
    if (!entry) throw new Refused(UNTRUSTED, "issuer_untrusted");
    if (!entry.algorithms.includes(algorithm)) throw new Refused(INVALID, "alg_not_allowed");
    line.keys = "memory";
    const bytes = encoder.encode(input);
    for (const key of keysFor(algorithm, kid)) {
      if (await isGood(await kept(imported, algorithm, key), algorithm, signature, bytes)) {
        judge(claims, entry, Math.floor(Date.now() / 1000));
        return claims;
      }
    }
    throw new Refused(INVALID, "signature_invalid");
  };
}

/** None of it is to be believed yet. */
function parsed(token) {
  const parts = token.split(".");
  if (parts.length !== 3) throw new Refused(MALFORMED, "token_parts");
  const [head, body, signature] = attempt("token_encoding", () => parts.map(decoded));
  const [header, claims] = attempt("token_json", () => [objectOf(head), objectOf(body)]);
  checkHeader(header);
  return { header, claims, signature, input: token.slice(0, token.lastIndexOf(".")) };
}

function attempt(reason, read) {
  try {
    return read();
  } catch {
    throw new Refused(MALFORMED, reason);
  }
}

function checkHeader({ alg, kid, typ, crit, b64, zip, enc }) {
  if (alg === undefined) throw new Refused(MALFORMED, "alg_missing");
  for (const text of [alg, kid, typ]) if (text !== undefined && typeof text !== "string") throw new Refused(MALFORMED, "header_member_type");
  if (Array.isArray(crit)) throw new Refused(INVALID, "crit_present");
  if (crit !== undefined || (b64 !== undefined && b64 !== true) || zip !== undefined || enc !== undefined) throw new Refused(MALFORMED, "header_member_type");
  if (typ !== undefined && !/^(application\/)?(at\+)?jwt$/i.test(typ)) throw new Refused(INVALID, "typ_not_allowed");
}

/** The imported key; undefined where WebCrypto takes none. */
async function kept(imported, algorithm, key) {
  if (!imported.has(key)) imported.set(key, await importing(algorithm, key.jwk).catch(() => undefined));
  return imported.get(key);
}

/** An error is a no. */
const isGood = (key, algorithm, signature, bytes) =>
  key !== undefined && crypto.subtle.verify(parametersOf(algorithm), key, signature, bytes).catch(() => false);
