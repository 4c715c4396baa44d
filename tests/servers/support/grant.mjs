// The authorization code grant by hand, for what no client shows: the whole answer with the tokens.
import { createHash, randomBytes } from "node:crypto";

/**
 * server: what start() of tried() gives, with a client of its own. Gives the token endpoint's
 * answer.
 */
export async function grant({ issuer, client, login }, scope) {
  const metadata = await (await fetch(`${issuer.replace(/\/$/, "")}/.well-known/openid-configuration`)).json();
  const verifier = randomBytes(32).toString("base64url");
  const asked = { client_id: client.id, redirect_uri: `http://localhost:${client.port}/callback` };
  const challenge = createHash("sha256").update(verifier).digest("base64url");
  const query = new URLSearchParams({ response_type: "code", scope, code_challenge: challenge, code_challenge_method: "S256", ...asked });
  const back = await login(`${metadata.authorization_endpoint}?${query}`);
  const body = new URLSearchParams({ grant_type: "authorization_code", code: back.searchParams.get("code"), code_verifier: verifier, ...asked });
  return (await fetch(metadata.token_endpoint, { method: "POST", body })).json();
}
