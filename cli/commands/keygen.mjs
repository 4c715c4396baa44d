// `keygen [--alg ES256|EdDSA]`: a new private key for assertions, as a JWK. `keygen --session`: a
// new key for sessions.
//
// The key goes to stdout and nowhere else, so that it can be piped into wrangler; what to do with
// it goes to stderr.

import crypto from "node:crypto";

import { Misuse } from "../command.mjs";

const KINDS = { ES256: ["ec", { namedCurve: "P-256" }], EdDSA: ["ed25519", {}] };

export const keygen = {
  does: "makes a key for assertions, or for sessions, and says how to store it",
  more: "The key goes to stdout, everything else to stderr.",
  options: {
    alg: { type: "string", value: Object.keys(KINDS).join("|"), says: "what assertions are signed with; by default ES256" },
    session: { type: "boolean", says: "a key for sessions" },
  },
  run({ alg: wanted, session }) {
    if (session && wanted) throw new Misuse("A key for sessions has no --alg.");
    const alg = wanted ?? "ES256";
    if (!Object.hasOwn(KINDS, alg)) throw new Misuse(`There is no ${alg} here.`);
    console.log(session ? crypto.randomBytes(32).toString("base64url") : JSON.stringify(privateJwk(alg)));
    const [options, secret] = session
      ? [" --session", "MCP_SERVER_AUTH_SESSION_KEY"]
      : [alg === "ES256" ? "" : ` --alg ${alg}`, "MCP_SERVER_AUTH_ASSERTION_KEY"];
    console.error(`\nNothing was stored. To make a key and store it, in one line: for \`npx mcp-edge-auth serve\`,
(umask 077; echo "${secret}='$(npx mcp-edge-auth keygen${options})'" >> .dev.vars)
or as the secret of the Worker on Cloudflare,
npx mcp-edge-auth keygen${options} | npx wrangler secret put ${secret}`);
    return 0;
  },
};

function privateJwk(alg) {
  const [type, options] = KINDS[alg];
  const privateKeyEncoding = { type: "pkcs8", format: "pem" };
  const publicKeyEncoding = { type: "spki", format: "pem" };
  const { privateKey } = crypto.generateKeyPairSync(type, { ...options, privateKeyEncoding, publicKeyEncoding });
  const { kty, crv, x, y, d } = crypto.createPrivateKey(privateKey).export({ format: "jwk" });
  const named = JSON.stringify(y === undefined ? { crv, kty, x } : { crv, kty, x, y }); // RFC 7638
  const kid = crypto.createHash("sha256").update(named).digest("base64url");
  return { kty, crv, x, ...(y && { y }), d, kid, alg, use: "sig" };
}
