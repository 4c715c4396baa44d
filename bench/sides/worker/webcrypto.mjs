// What the Workers without a library know of WebCrypto.

const RSA = { RS: "RSASSA-PKCS1-v1_5", PS: "RSA-PSS" };

/** The second part of crypto.subtle.verify's question. */
export function parametersOf(algorithm) {
  const hash = `SHA-${algorithm.slice(2)}`;
  if (algorithm.startsWith("RS")) return { name: RSA.RS };
  if (algorithm.startsWith("PS")) return { name: RSA.PS, saltLength: Number(algorithm.slice(2)) / 8 };
  if (algorithm.startsWith("ES")) return { name: "ECDSA", hash };
  return { name: "Ed25519" };
}

export function importing(algorithm, { kty, n, e, crv, x, y }) {
  const hash = `SHA-${algorithm.slice(2)}`;
  const rsa = RSA[algorithm.slice(0, 2)];
  const as = rsa ? { name: rsa, hash } : algorithm.startsWith("ES") ? { name: "ECDSA", namedCurve: crv } : { name: "Ed25519" };
  return crypto.subtle.importKey("jwk", { kty, n, e, crv, x, y }, as, false, ["verify"]);
}

/** The bytes of base64url. */
export function bytesOf(text) {
  const binary = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < binary.length; i++) bytes[i] = binary.charCodeAt(i);
  return bytes;
}
