// Signs what the origin is told about a caller, and sends the request on with it. No decision is
// made here.
import { send } from "./glue.mjs";
import { on_assertion, on_failure } from "./index.js";

const { subtle } = crypto;
const encoder = new TextEncoder();

/** As `send`, after `input` was signed; `set` ends where the assertion begins. */
export function signAndSend(parameters, key, input, id, request, target, deleted, set, init, cors, vary, line, started, ...rest) {
  return subtle.sign(parameters, key, encoder.encode(input)).then(
    (buffer) => {
      const signature = base64url(buffer);
      on_assertion(id, signature);
      try {
        return send(request, target, deleted, `${set}${input}.${signature}`, init, cors, vary, line, started, ...rest);
      } catch (error) {
        return on_failure({ request, line, started }, "unreachable", String(error));
      }
    },
    () => on_failure({ request, line, started }, "unsigned", ""),
  );
}

const base64url = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer))).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
