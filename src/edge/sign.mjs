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
        const signature = base64url(buffer);
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

const base64url = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer))).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
