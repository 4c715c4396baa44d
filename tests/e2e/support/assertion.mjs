// Keys for assertions, and a verifier of them that shares no code with the Worker: jose, as an
// origin would use it.
import assert from "node:assert/strict";
import { createLocalJWKSet, jwtVerify } from "jose";
import { send } from "./http.mjs";
import { minted } from "./mint.mjs";
import { signingKey } from "./keys.mjs";

export const JWKS = "/.well-known/mcp-edge-auth/jwks.json";
export const ASSERTION = "x-mcp-auth-assertion";

/** The private JWK of a key of this process. */
export const privateJwk = (kind, name = "a", extra = {}) => {
  const key = signingKey(kind, name);
  const { d } = key.privateKey.export({ format: "jwk" });
  return key.jwk({ d, ...extra });
};

export const pem = (kind, name = "a") => signingKey(kind, name).privateKey.export({ type: "pkcs8", format: "pem" });

/** Variables that switch assertions on. */
export const asserting = (mode = "header", over = {}) => ({
  MCP_SERVER_AUTH_ASSERTION: mode,
  MCP_SERVER_AUTH_ASSERTION_KEY: privateJwk("p256", "ours"),
  ...over,
});

/** The published key set. */
export async function published(worker) {
  const response = await worker.send({ path: JWKS });
  assert.equal(response.status, 200, response.text);
  return response.json();
}

/** The assertion that the origin got with the last request. */
export function carried(s) {
  const last = s.origin.last();
  const token = last.header(ASSERTION) ?? last.header("authorization")?.replace(/^Bearer /, "");
  assert.ok(token, "no assertion arrived");
  minted.add(token); // no log may hold it
  return token;
}

/** { payload, protectedHeader }: as an origin sees an assertion that it takes. */
export const verified = (token, keys, options) => jwtVerify(token, createLocalJWKSet(keys), { typ: "at+jwt", algorithms: ["ES256", "EdDSA"], ...options });
