// A key set, read with bounds, and the choice of keys for a token.
import { INVALID, Refused } from "../gate.mjs";
import { decoded } from "./base64url.mjs";

const MOST = 64;
const TRIED = 4;
const PRIVATE = ["d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"];
const COORDINATE = { "P-256": 32, "P-384": 48, "P-521": 66 };
const RSA = { bits: [2048, 8192], exponent: 4 };

const rsa = { kty: "RSA" };
const ec = (crv) => ({ kty: "EC", crv });
export const ALGORITHMS = {
  RS256: rsa, RS384: rsa, RS512: rsa, PS256: rsa, PS384: rsa, PS512: rsa,
  ES256: ec("P-256"), ES384: ec("P-384"), ES512: ec("P-521"), EdDSA: { kty: "OKP", crv: "Ed25519" },
};

/** Its name in the table; undefined for any other. `Ed25519` (RFC 9864) is `EdDSA`. */
export function algorithmOf(name) {
  if (name === "Ed25519") return "EdDSA";
  return Object.hasOwn(ALGORITHMS, name) ? name : undefined;
}

/** A function of algorithm and `kid` that gives the keys to try, or throws why there are none. */
export function keySet({ keys }) {
  const [usable, passedOver] = [[], new Set()];
  for (const jwk of keys.slice(0, MOST)) {
    if (isUsable(jwk)) usable.push({ jwk, kid: jwk.kid, alg: jwk.alg && algorithmOf(jwk.alg) });
    else if (typeof jwk?.kid === "string") passedOver.add(jwk.kid);
  }
  const byKid = Map.groupBy(usable, ({ kid }) => kid);
  const fits = (algorithm) => {
    const { kty, crv } = ALGORITHMS[algorithm];
    return ({ jwk, alg }) => jwk.kty === kty && (crv === undefined || jwk.crv === crv) && (alg === undefined || alg === algorithm);
  };
  return (algorithm, kid) => {
    if (kid === undefined) {
      const fitting = usable.filter(fits(algorithm));
      if (fitting.length !== 1) throw new Refused(INVALID, fitting.length ? "key_ambiguous" : "key_unfit");
      return fitting;
    }
    const named = byKid.get(kid);
    if (!named) throw new Refused(INVALID, passedOver.has(kid) ? "key_unfit" : "kid_unknown");
    const fitting = named.filter(fits(algorithm)).slice(0, TRIED);
    if (!fitting.length) throw new Refused(INVALID, "key_unfit");
    return fitting;
  };
}

/** Whether a signature may be checked with the key. What it says of itself has the right type. */
function isUsable(jwk) {
  if (jwk === null || typeof jwk !== "object") return false;
  const { kid, alg, use, key_ops: ops } = jwk;
  if (PRIVATE.some((member) => Object.hasOwn(jwk, member))) return false;
  if (use !== undefined && use !== "sig") return false;
  if (ops !== undefined && !(Array.isArray(ops) && ops.every((op) => typeof op === "string") && ops.includes("verify"))) return false;
  if (kid !== undefined && typeof kid !== "string") return false;
  if (alg !== undefined && !(typeof alg === "string" && algorithmOf(alg))) return false;
  return isSound(jwk);
}

function isSound({ kty, crv, n, e, x, y }) {
  try {
    if (kty === "RSA") return isSoundRsa(unsigned(n), unsigned(e));
    if (kty === "EC") return Object.hasOwn(COORDINATE, crv) && [x, y].every((value) => decoded(value).length === COORDINATE[crv]);
    return kty === "OKP" && crv === "Ed25519" && decoded(x).length === 32;
  } catch {
    return false;
  }
}

function isSoundRsa(n, e) {
  const bits = n.length * 8 - Math.clz32(n[0]) + 24;
  const isOne = e.length === 1 && e[0] === 1;
  return bits >= RSA.bits[0] && bits <= RSA.bits[1] && e.length <= RSA.exponent && e.at(-1) % 2 === 1 && !isOne;
}

/** A big-endian number without leading zeros. */
function unsigned(text) {
  const bytes = decoded(text);
  const start = bytes.findIndex((byte) => byte !== 0);
  if (start < 0) throw new SyntaxError("zero");
  return bytes.subarray(start);
}
