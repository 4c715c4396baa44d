// `npm run -s keygen [-- --alg ES256|EdDSA]`: a new private key for assertions, as a JWK. `npm run
// -s keygen -- --session`: a new key for sessions.
//
// The key goes to stdout and nowhere else, so that it can be piped into wrangler; what to do with
// it goes to stderr.

import crypto from "node:crypto";
// By its default: a named import that an old Node lacks fails before its version is looked at.
import util from "node:util";

import { requireNode, stop, usage } from "../../scripts/setup.mjs";

const USAGE = usage("usage: npm run -s keygen [-- --alg ES256|EdDSA | --session]");
const KINDS = { ES256: ["ec", { namedCurve: "P-256" }], EdDSA: ["ed25519", {}] };

requireNode();
const { alg, session } = readArguments();
console.log(session ? crypto.randomBytes(32).toString("base64url") : JSON.stringify(privateJwk(alg)));
const [options, secret] = session
  ? [" -- --session", "MCP_SERVER_AUTH_SESSION_KEY"]
  : [alg === "ES256" ? "" : ` -- --alg ${alg}`, "MCP_SERVER_AUTH_ASSERTION_KEY"];
console.error(`\nNothing was stored. To make a key and store it, in one line: for \`npm run serve\`,
echo "${secret}='$(npm run -s keygen${options})'" >> .dev.vars
or as the secret of the Worker on Cloudflare,
npm run -s keygen${options} | npx wrangler secret put ${secret}`);

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

function readArguments() {
  try {
    const { values } = util.parseArgs({ options: { alg: { type: "string" }, session: { type: "boolean" } } });
    if (values.session && values.alg) stop(USAGE);
    const alg = values.alg ?? "ES256";
    if (!Object.hasOwn(KINDS, alg)) stop(`there is no ${alg} here\n${USAGE}`);
    return { alg, session: values.session };
  } catch (error) {
    return stop(`${error.message}\n${USAGE}`);
  }
}
