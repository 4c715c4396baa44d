// The runtime's side of a proof of possession. No decision is made here.
import { on_proof } from "./index.js";

const { subtle } = crypto;

/**
 * Whether a signature is that of a key which came with it. The key is the sender's, and is kept
 * nowhere. Whatever it comes to, an error too, is for wasm to judge.
 */
export function prove(exchange, jwk, [importing, checking], signature, input) {
  return subtle
    .importKey("jwk", jwk, importing, false, ["verify"])
    .then((key) => subtle.verify(checking, key, signature, input))
    .then(
      (verdict) => on_proof(exchange, exchange.id, verdict),
      (error) => on_proof(exchange, exchange.id, error),
    );
}
