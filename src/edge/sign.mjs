// Signs what the origin is told about a caller, and sends the request on with it. No decision is made here.
import { send } from "./glue.mjs";
import { signed, unreachable, unsigned } from "./index.js";

const { subtle } = crypto;
const encoder = new TextEncoder();

/** As `send`, after `input` was signed; `set` ends where the assertion begins. */
export function signAndSend(parameters, key, input, ticket, request, target, deleted, set, init, cors, vary, line, started, ...rest) {
  return subtle.sign(parameters, key, encoder.encode(input)).then(
    (buffer) => {
      const signature = base64url(buffer);
      signed(ticket, signature);
      try {
        return send(request, target, deleted, `${set}${input}.${signature}`, init, cors, vary, line, started, ...rest);
      } catch (error) {
        return unreachable({ request, line, started }, String(error));
      }
    },
    () => unsigned({ request, line, started }),
  );
}

const base64url = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer))).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
