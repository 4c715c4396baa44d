// The runtime's side of a request whose keys are not at hand. No decision is made here.
import { on_key, on_wait } from "./index.js";

const { subtle } = crypto;

/**
 * Imports a public key. Whatever it comes to, an error too, is for wasm to judge, which keeps the
 * request under `id`.
 */
export function importKey(jwk, algorithm, id, request, env, context) {
  return subtle.importKey("jwk", jwk, algorithm, false, ["verify"]).then(
    (key) => on_key(id, key, request, env, context),
    (error) => on_key(id, error, request, env, context),
  );
}

/** A moment, on the timer of the request that asks for it. */
export const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Goes on with a request that wasm keeps under `id` once `end` is settled. */
export const wait = (end, id, request, env, context) => end.then(() => on_wait(id, request, env, context));
