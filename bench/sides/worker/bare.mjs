// The floor: the base, after one signature check with a kept key. It reads no claim and refuses on
// nothing but the signature.
import { bytesOf, importing, parametersOf } from "./webcrypto.mjs";
import base from "./base.mjs";

const encoder = new TextEncoder();
let algorithm;
let parameters;
let key;

/** A Worker that forwards by `forward(request, env)` what the check lets through. */
export const forwardedBy = (forward) => ({
  async fetch(request, env) {
    const token = request.headers.get("authorization")?.slice("Bearer ".length) ?? "";
    if (!key) {
      algorithm = env.MCP_SERVER_AUTH_AUTHORIZATION_SERVERS[0].algorithm;
      parameters = parametersOf(algorithm);
      key = await importing(algorithm, env.JWKS.keys.at(-1));
    }
    const end = token.lastIndexOf(".");
    const good = await crypto.subtle.verify(parameters, key, bytesOf(token.slice(end + 1)), encoder.encode(token.slice(0, end)));
    return good ? forward(request, env) : new Response(null, { status: 401 });
  },
});

export default forwardedBy((request, env) => base.fetch(request, env));
