// Access tokens made with node:crypto and nothing else: compact JWS put together by hand, so that
// every malformed variant can be made, and so that no library's opinion stands between a test and
// the Worker.
import { constants, createHmac, sign as cryptoSign } from "node:crypto";

export const b64u = (data) => Buffer.from(data).toString("base64url");

/** Every token that was made, so that the harness can show that none of them ever reached a log. */
export const minted = new Set();

const hashOf = (alg) => `sha${alg.slice(2)}`;

/** The signature bytes of `input`. `options` bends single rules: { saltLength, dsaEncoding }. */
export function signatureOf(alg, key, input, options = {}) {
  const data = Buffer.from(input);
  const { privateKey } = key;
  if (alg.startsWith("HS")) return createHmac(hashOf(alg), key.secret).update(data).digest();
  if (alg.startsWith("RS")) return cryptoSign(hashOf(alg), data, privateKey);
  if (alg.startsWith("PS")) {
    const saltLength = options.saltLength ?? constants.RSA_PSS_SALTLEN_DIGEST;
    return cryptoSign(hashOf(alg), data, { key: privateKey, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength });
  }
  if (alg.startsWith("ES")) {
    return cryptoSign(hashOf(alg), data, { key: privateKey, dsaEncoding: options.dsaEncoding ?? "ieee-p1363" });
  }
  return cryptoSign(null, data, privateKey); // EdDSA, Ed25519
}

/**
 * A token. `header` and `claims` are objects (members that are undefined are left out) or the raw
 * text or bytes to encode; `alg` says how to sign, whatever the header claims; `edit` gets the
 * three encoded parts last and returns the token.
 */
export function mint({ key, alg = "RS256", header = {}, claims, edit, ...options }) {
  const head = header instanceof Buffer || typeof header === "string" ? header : JSON.stringify({ alg, kid: key.kid, ...header });
  const body = claims instanceof Buffer || typeof claims === "string" ? claims : JSON.stringify(claims);
  const input = `${b64u(head)}.${b64u(body)}`;
  const signature = b64u(signatureOf(alg, key, input, options));
  const token = edit ? edit(...input.split("."), signature) : `${input}.${signature}`;
  if (token.length > 20) minted.add(token);
  return token;
}

/** The same token with one bit of its signature turned over. */
export function tampered(token) {
  const [head, body, signature] = token.split(".");
  const bytes = Buffer.from(signature, "base64url");
  bytes[bytes.length >> 1] ^= 0x01;
  return `${head}.${body}.${b64u(bytes)}`;
}

/** Seconds since 1970, as claims count them. */
export const seconds = () => Math.floor(Date.now() / 1000);
