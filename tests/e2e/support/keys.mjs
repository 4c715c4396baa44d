// Signing keys for the fake issuers, made once per process and kept by (kind, name): an RSA key
// costs a tenth of a second.
import { createPrivateKey, createPublicKey, generateKeyPairSync } from "node:crypto";

const MAKE = {
  rsa: () => pair("rsa", { modulusLength: 2048 }),
  rsa1024: () => pair("rsa", { modulusLength: 1024 }),
  p256: () => pair("ec", { namedCurve: "P-256" }),
  p384: () => pair("ec", { namedCurve: "P-384" }),
  p521: () => pair("ec", { namedCurve: "P-521" }),
  ed25519: () => pair("ed25519", {}),
};

// Through PEM: Node 20 can hang forever when it exports the very object that it generated, if the
// garbage of the generation is collected in the middle of that (both take the key's lock, in one
// thread).
function pair(type, options) {
  const publicKeyEncoding = { type: "spki", format: "pem" };
  const privateKeyEncoding = { type: "pkcs8", format: "pem" };
  const { privateKey, publicKey } = generateKeyPairSync(type, { ...options, publicKeyEncoding, privateKeyEncoding });
  return { privateKey: createPrivateKey(privateKey), publicKey: createPublicKey(publicKey) };
}

const kept = new Map();

/**
 * { kid, kind, privateKey, publicKey, jwk(extra) }; the same two arguments always give the same
 * key.
 */
export function signingKey(kind, name = "a") {
  const kid = `${kind}-${name}`;
  if (!kept.has(kid)) {
    const { privateKey, publicKey } = MAKE[kind]();
    const exported = publicKey.export({ format: "jwk" });
    const jwk = (extra = {}) => prune({ ...exported, kid, ...extra });
    kept.set(kid, { kid, kind, privateKey, publicKey, jwk });
  }
  return kept.get(kid);
}

/** The kind of key that an algorithm signs with. */
export function kindFor(alg) {
  if (/^[RP]S/.test(alg)) return "rsa";
  return { ES256: "p256", ES384: "p384", ES512: "p521" }[alg] ?? "ed25519";
}

export const ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"];

function prune(object) {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined));
}
