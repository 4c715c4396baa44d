// Of every token the engine of the commands (jwt-simple, p256 and p521, as wasm in Node) says what
// the Worker says with the runtime's WebCrypto, down to the reason.
import assert from "node:assert/strict";
import { test } from "node:test";
import { loadCore } from "../../cli/core.mjs";
import { exchange } from "../../cli/exchange.mjs";
import { ALGORITHMS, kindFor, signingKey } from "./support/keys.mjs";
import { b64u, tampered } from "./support/mint.mjs";
import { entryFor, stage } from "./support/stage.mjs";

const KINDS = ["rsa", "p256", "p384", "p521", "ed25519"];
const RSA = ALGORITHMS.filter((alg) => kindFor(alg) === "rsa");
const core = await loadCore();

/** What the doctor says that the Worker will log: `ok` or a reason. */
async function verdict(s, token) {
  const lines = [];
  const deployment = { file: "wrangler.toml", settings: { vars: s.settings } };
  await core.doctor({ deployment, token }, { exchange, tell: (line) => lines.push(line) });
  const found = lines.find(({ check }) => check === "token.verdict");
  assert.ok(found, JSON.stringify(lines));
  return found.level === "ok" ? "ok" : /logs `(\w+)`/.exec(found.says)[1];
}

/** Tokens of an algorithm, each with a name and the reason. */
function tokens(s, alg) {
  const key = signingKey(kindFor(alg));
  const of = (options = {}, claims = {}) => s.token(claims, { alg, key, ...options });
  const good = of();
  const [head, claims, signature] = good.split(".");
  const bytes = Buffer.from(signature, "base64url");
  const signed = (bytes) => `${head}.${claims}.${b64u(bytes)}`;
  const [, others] = of({}, { sub: "admin" }).split(".");
  return [
    ["good", good, "ok"],
    ["one bit turned", tampered(good), "signature_invalid"],
    ["the last bit turned", signed(Buffer.from(bytes.map((byte, at) => (at === bytes.length - 1 ? byte ^ 1 : byte)))), "signature_invalid"],
    ["no signature", `${head}.${claims}.`, "signature_invalid"],
    ["zeros", signed(Buffer.alloc(bytes.length)), "signature_invalid"],
    ["a byte less", signed(bytes.subarray(1)), "signature_invalid"],
    ["a byte more", signed(Buffer.concat([bytes, Buffer.alloc(1)])), "signature_invalid"],
    ["twice as long", signed(Buffer.concat([bytes, bytes])), "signature_invalid"],
    ["claims of another token", `${head}.${others}.${signature}`, "signature_invalid"],
    ["expired", of({}, { exp: 1 }), "token_expired"],
    ...(alg.startsWith("ES") ? [["DER", of({ dsaEncoding: "der" }), "signature_invalid"]] : []),
    ...(alg.startsWith("PS") ? [["another salt", of({ saltLength: 8 }), "signature_invalid"]] : []),
    ...RSA.filter((made) => RSA.includes(alg) && made !== alg).map((made) => [`made by ${made}`, of({ alg: made, header: { alg } }), "signature_invalid"]),
    ...KINDS.filter((kind) => kind !== kindFor(alg)).map((kind) => [`the kid of ${kind}`, of({ key: { ...key, kid: signingKey(kind).kid } }), "key_unfit"]),
    ["another key of its kind", of({ key: { ...signingKey(kindFor(alg), "b"), kid: key.kid } }), "signature_invalid"],
  ];
}

test("of every algorithm, the wasm in Node and WebCrypto in workerd say the same", async (t) => {
  const s = await stage(t, { entries: (issuer) => [entryFor(issuer, { algorithm: ALGORITHMS })], keys: KINDS.map((kind) => signingKey(kind)) });
  let compared = 0;
  for (const alg of ALGORITHMS) {
    for (const [name, token, reason] of tokens(s, alg)) {
      const { line } = await s.ask(token);
      assert.deepEqual([line.reason, await verdict(s, token)], [reason, reason], `${alg}, ${name}`);
      compared += 1;
    }
  }
  assert.ok(compared >= 180, `${compared} tokens`);
});
