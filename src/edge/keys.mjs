// The runtime's side of a request whose keys are not at hand. No decision is made here.
import { imported, waited } from "./index.js";

const { subtle } = crypto;

/** Imports a public key. Whatever it comes to, an error too, is for wasm to judge, which keeps the request under `ticket`. */
export function importKey(jwk, algorithm, ticket, request, env, context) {
  return subtle.importKey("jwk", jwk, algorithm, false, ["verify"]).then(
    (key) => imported(ticket, key, request, env, context),
    (error) => imported(ticket, error, request, env, context),
  );
}

/** A moment, on the timer of the request that asks for it. */
export const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Goes on with a request that wasm keeps under `ticket` once `end` is settled. */
export const wait = (end, ticket, request, env, context) => end.then(() => waited(ticket, request, env, context));
