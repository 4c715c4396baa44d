// Ways to reach an origin around the Worker: [what, (stage) => headers].
import { signingKey } from "../../e2e/support/keys.mjs";
import { b64u, seconds, tampered } from "../../e2e/support/mint.mjs";
import { bearer } from "../../e2e/support/stage.mjs";
import { assertion, carry, recorded } from "./behind.mjs";

const OWN = (s) => ({ "x-mcp-auth-user-id": "alice", "x-mcp-auth-issuer": s.issuer.url, "x-mcp-auth-client-id": "client-1" });

const ANYWAY = [
  ["nothing", () => ({})],
  ["the client's own token", (s) => bearer(s.token({ sub: "alice" }))],
  ["identity headers of one's own making", OWN],
];

const SECRET = [
  ["a guessed secret", (s) => ({ ...OWN(s), "x-origin-secret": "open sesame" })],
  ["an empty secret", (s) => ({ ...OWN(s), "x-origin-secret": "" })],
];

const ASSERTION = [
  ["the client's own token as the assertion", (s) => carry(s, s.token({ sub: "alice" }))],
  ["an assertion of the Worker's for another origin", async (s) => carry(s, (await recorded(s, { sub: "alice" })).assertion)],
  ["an assertion with one bit of the signature changed", (s) => carry(s, tampered(assertion(s)))],
  ["an assertion whose subject was changed", (s) => carry(s, assertion(s, {}, { edit: otherSubject }))],
  ["an assertion by another key under the same kid", (s) => carry(s, assertion(s, {}, { key: { ...signingKey(s.key.kind, "mallory"), kid: s.key.kid } }))],
  ["an assertion with a kid that is not published", (s) => carry(s, assertion(s, {}, { key: signingKey(s.key.kind, "mallory") }))],
  ["an assertion by a published key of another algorithm", (s) => carry(s, assertion(s, {}, { key: s.other, alg: s.alg === "ES256" ? "EdDSA" : "ES256" }))],
  ["an expired assertion", (s) => carry(s, assertion(s, { iat: seconds() - 180, exp: seconds() - 120 }))],
  ["an assertion of another issuer", (s) => carry(s, assertion(s, { iss: "https://evil.example" }))],
  ["an assertion for another audience", (s) => carry(s, assertion(s, { aud: "https://other.example/mcp" }))],
  ["an assertion that nobody signed", (s) => carry(s, assertion(s, {}, { header: { typ: "at+jwt", alg: "none" }, edit: (head, body) => `${head}.${body}.` }))],
  ["an assertion signed with the public key as a shared secret", (s) => carry(s, assertion(s, {}, { alg: "HS256", key: { kid: s.key.kid, secret: publicPem(s.key) } }))],
];

/** carrier: "secret", or how an assertion travels. */
export const around = (carrier) => [...ANYWAY, ...(carrier === "secret" ? SECRET : ASSERTION)];

const otherSubject = (head, body, signature) => `${head}.${b64u(JSON.stringify({ ...JSON.parse(Buffer.from(body, "base64url")), sub: "bob" }))}.${signature}`;

const publicPem = (key) => key.publicKey.export({ type: "spki", format: "pem" });
