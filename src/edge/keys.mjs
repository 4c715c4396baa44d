// The runtime's side of a request whose keys are not at hand. No decision is made here.
import { on_key, on_wait } from "./index.js";

const { subtle } = crypto;

/** Imports a public key. Whatever it comes to, an error too, is for wasm to judge. */
export function importKey(exchange, jwk, algorithm) {
  return subtle.importKey("jwk", jwk, algorithm, false, ["verify"]).then(
    (key) => on_key(exchange, exchange.id, key),
    (error) => on_key(exchange, exchange.id, error),
  );
}

/** A moment, on the timer of the request that asks for it. */
export const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Goes on with a request once `end` is settled. `resource`: the one that it is for, if any. */
export function wait(exchange, end, resource) {
  exchange.resource = resource;
  return end.then(() => on_wait(exchange, exchange.id));
}
