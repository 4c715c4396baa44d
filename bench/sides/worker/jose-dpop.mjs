// DPoP with `jose`: what bench/sides/worker/jose.mjs does with a token, and beside it all checks of
// a proof (RFC 9449 section 4.3) that the Worker makes, each proof taken once.
import { EmbeddedJWK, calculateJwkThumbprint, errors, jwtVerify } from "jose";

import { INVALID, Refused, gate } from "./gate.mjs";
import { prepare } from "./jose.mjs";

const ALGORITHMS = ["ES256", "EdDSA", "RS256", "PS256", "ES384", "RS384", "PS384", "ES512", "RS512", "PS512"];
const MAX_AGE = 300;
const KEPT = 32_768;
const encoder = new TextEncoder();

/** jti and thumbprint of the proofs that were taken, the oldest first. */
const seen = new Set();

const hash = async (text) => new Uint8Array(await crypto.subtle.digest("SHA-256", encoder.encode(text))).toBase64({ alphabet: "base64url", omitPadding: true });

const address = (text) => {
  const { origin, pathname } = new URL(text);
  return origin + pathname;
};

const refuse = (reason) => {
  throw new Refused(INVALID, reason);
};

export default gate(
  (settings, env) => {
    const verify = prepare(settings, env, true);
    const { origin } = new URL(settings.canonical);
    return async (token, request) => {
      const verified = await verify(token);
      const jwt = request.headers.get("dpop") ?? refuse("proof_missing");
      let proof;
      try {
        proof = await jwtVerify(jwt, EmbeddedJWK, { typ: "dpop+jwt", algorithms: ALGORITHMS });
      } catch (error) {
        throw error instanceof errors.JOSEError ? new Refused(INVALID, "proof_signature") : error;
      }
      const { jti, htm, htu, iat, ath } = proof.payload;
      if (typeof jti !== "string" || jti === "" || jti.length > 256) refuse("proof_jti");
      if (htm !== request.method) refuse("proof_htm");
      if (typeof htu !== "string" || address(htu) !== origin + new URL(request.url).pathname) refuse("proof_htu");
      if (typeof iat !== "number" || Math.abs(Date.now() / 1000 - iat) > MAX_AGE) refuse("proof_iat");
      if (ath !== (await hash(token))) refuse("proof_ath");
      const thumbprint = await calculateJwkThumbprint(proof.protectedHeader.jwk);
      if (verified.claims.cnf?.jkt !== thumbprint) refuse("proof_mismatch");
      const id = `${thumbprint} ${jti}`;
      if (seen.has(id)) refuse("proof_replayed");
      if (seen.size >= KEPT) seen.delete(seen.values().next().value);
      seen.add(id);
      return verified;
    };
  },
  { credential: /^DPoP +([A-Za-z0-9\-._~+/]+=*)$/i, removed: "dpop" },
);
