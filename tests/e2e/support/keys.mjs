// Signing keys for the fake issuers, made once per process and kept by (kind, name): an RSA key costs a tenth of a second.
import { generateKeyPairSync } from "node:crypto";

const MAKE = {
  rsa: () => generateKeyPairSync("rsa", { modulusLength: 2048 }),
  rsa1024: () => generateKeyPairSync("rsa", { modulusLength: 1024 }),
  p256: () => generateKeyPairSync("ec", { namedCurve: "P-256" }),
  p384: () => generateKeyPairSync("ec", { namedCurve: "P-384" }),
  p521: () => generateKeyPairSync("ec", { namedCurve: "P-521" }),
  ed25519: () => generateKeyPairSync("ed25519"),
};

const kept = new Map();

/** { kid, kind, privateKey, publicKey, jwk(extra) }; the same two arguments always give the same key. */
export function signingKey(kind, name = "a") {
  const kid = `${kind}-${name}`;
  if (!kept.has(kid)) {
    const { privateKey, publicKey } = MAKE[kind]();
    const jwk = (extra = {}) => prune({ ...publicKey.export({ format: "jwk" }), kid, ...extra });
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
