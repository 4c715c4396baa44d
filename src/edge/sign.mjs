// Signs what the origin is told about a caller. No decision is made here.
import { on_assertion, on_failure } from "./index.js";

const { subtle } = crypto;
const encoder = new TextEncoder();

/** Sends the request on with its plan's input, signed, at the end of its headers. */
export function signed(exchange, { parameters, key }) {
  const { input } = exchange;
  try {
    return subtle.sign(parameters, key, encoder.encode(input)).then(
      (buffer) => {
        const signature = new Uint8Array(buffer).toBase64(BASE64URL);
        on_assertion(exchange.id, signature);
        return exchange.send(`${exchange.set}${input}.${signature}`);
      },
      () => unsigned(exchange),
    );
  } catch {
    return unsigned(exchange);
  }
}

const unsigned = (exchange) => on_failure(exchange, "unsigned", "");

const BASE64URL = { alphabet: "base64url", omitPadding: true };

/** A name that no other assertion has. */
export const uniqueName = () => crypto.randomUUID();
