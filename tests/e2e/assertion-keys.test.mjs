// Keys for assertions that are none, also those that only the runtime can tell: nothing at all is
// served, and no part of a key is told.
import assert from "node:assert/strict";
import { test } from "node:test";
import { asserting, JWKS, pem, privateJwk, published } from "./support/assertion.mjs";
import { send } from "./support/http.mjs";
import { signingKey } from "./support/keys.mjs";
import { b64u } from "./support/mint.mjs";
import { assertOwn, bearer, stage } from "./support/stage.mjs";

const KEY = "MCP_SERVER_AUTH_ASSERTION_KEY";
const p256 = (over) => privateJwk("p256", "ours", over);
const ed = (over) => privateJwk("ed25519", "ours", over);
const N = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551"; // the order of P-256
const bytes = (hex) => b64u(Buffer.from(hex, "hex"));

// name, the variable, where the fault is
const FAULTS = [
  ["none", undefined, ""],
  ["no key at all", "s3cret", ""],
  ["a number", 7, ""],
  ["an empty list", [], ""],
  ["a public key", signingKey("p256", "ours").jwk(), ""],
  ["a public key in the first place", [signingKey("p256", "old").jwk(), p256()], ""],
  ["a private value that is null", p256({ d: null }), ".d"],
  ["another's key as a public one, twice", [p256(), signingKey("p256", "ours").jwk()], ""],
  ["an RSA key", signingKey("rsa").privateKey.export({ format: "jwk" }), ".kty"],
  ["P-384", signingKey("p384").privateKey.export({ format: "jwk" }), ".crv"],
  ["P-384 in PEM", pem("p384"), ""],
  ["RSA in PEM", pem("rsa"), ""],
  ["SEC1 in PEM", signingKey("p256", "ours").privateKey.export({ type: "sec1", format: "pem" }), ""],
  ["a public key in PEM", signingKey("p256", "ours").publicKey.export({ type: "spki", format: "pem" }), ""],
  ["a PEM cut short", pem("p256", "ours").slice(0, 120), ""],
  ["a PEM and more", `${pem("p256", "ours")}more`, ""],
  ["a symmetric key", { kty: "oct", k: "s3cret" }, ".kty"],
  ["a short private value", p256({ d: "s3cret" }), ".d"],
  ["another algorithm", p256({ alg: "ES384" }), ".alg"],
  ["an encryption key", p256({ use: "enc" }), ".use"],
  ["a key that may only verify", p256({ key_ops: ["verify"] }), ".key_ops"],
  ["a kid that is no text", p256({ kid: 7 }), ".kid"],
  ["a kid of 129 bytes", p256({ kid: "k".repeat(129) }), ".kid"],
  ["one of two", [p256(), ed({ x: "s3cret" })], "[1].x"],
  ["two of one name", [p256({ kid: "a" }), ed({ kid: "a" })], ""],
  // These are well formed; the runtime's WebCrypto says what they are.
  ["no private value: zero", p256({ d: bytes("00".repeat(32)) }), " (key 1)"],
  ["no private value: the order", p256({ d: bytes(N) }), " (key 1)"],
  ["another key's public values", p256({ x: signingKey("p256", "other").jwk().x, y: signingKey("p256", "other").jwk().y }), " (key 1)"],
  ["another key's private value", p256({ d: privateJwk("p256", "other").d }), " (key 1)"],
  ["another Ed25519 key's public value", ed({ x: signingKey("ed25519", "other").jwk().x }), " (key 1)"],
  ["the second is no pair", [p256(), ed({ x: signingKey("ed25519", "other").jwk().x })], " (key 2)"],
  ["the same key twice", [pem("p256", "ours"), pem("p256", "ours")], " (key 2)"],
];

for (const [name, key, field] of FAULTS) {
  test(`a key that is none is a fault: ${name}`, async (t) => {
    const s = await stage(t, { vars: asserting("header", { [KEY]: key }) });
    const metadata = "/.well-known/oauth-protected-resource/mcp";
    for (const path of [JWKS, "/healthz", metadata, "/mcp", "/elsewhere"]) {
      assertOwn(await s.worker.send({ method: "GET", path, headers: bearer(s.token()) }), 503, { error: "server_misconfigured" });
    }
    assert.equal(s.origin.seen.length, 0);
    const lines = s.worker.lines("misconfigured");
    assert.deepEqual([lines.length, lines[0].faults.length, s.worker.lines("start").length], [1, 1, 0]);
    assert.ok(lines[0].faults[0].startsWith(`${KEY}${field}: expected `), lines[0].faults[0]);
    assertTellsNothing(s.worker.output(), key);
  });
}

/** No part of a key that is worth hiding, in any form. */
function assertTellsNothing(output, key) {
  const texts = JSON.stringify(key ?? "").match(/[A-Za-z0-9+/_-]{20,}/g) ?? [];
  for (const text of [...texts, "s3cret"]) assert.ok(!output.includes(text.slice(0, 20)), text);
}

test("with sound keys neither the log nor any answer tells a private value", async (t) => {
  const s = await stage(t, { vars: asserting("bearer", { [KEY]: [p256(), ed()] }) });
  const answers = [await s.call(s.token()), await s.worker.send({ path: JWKS }), await s.call(undefined)];
  const said = answers.map((answer) => answer.text).join() + s.worker.output();
  for (const { d } of [p256(), ed()]) assert.ok(!said.includes(d.slice(0, 20)));
});

test("requests that come together before the keys were judged are all answered", async (t) => {
  const s = await stage(t, { vars: asserting() });
  const asked = [JWKS, "/healthz", "/mcp", JWKS, "/healthz", "/mcp"].map((path) => send(s.worker.port, { path, headers: bearer(s.token()) }));
  assert.deepEqual((await Promise.all(asked)).map((response) => response.status), [200, 200, 200, 200, 200, 200]);
  assert.equal(s.worker.lines("start").length, 1);
});

// What the runtime does of itself, bent.
const around = (main) => `import worker from "./${main}";
const { subtle } = crypto;
const sign = subtle.sign.bind(subtle);
let mode;
subtle.sign = (...given) => {
  if (mode === "throw") throw new TypeError("broken");
  return mode === "reject" ? Promise.reject(new Error("broken")) : sign(...given);
};
const { fetch } = globalThis;
globalThis.fetch = (...given) => { if (mode === "unreachable") throw new TypeError("broken"); return fetch(...given); };
export default {
  fetch(request, env, context) {
    if (!request.url.includes("/test/")) return worker.fetch(request, env, context);
    mode = new URL(request.url).pathname.slice(6);
    return new Response();
  },
};
`;

test("without a signature nothing is sent: not even the plain headers", async (t) => {
  const s = await stage(t, { around, vars: asserting() });
  assert.equal((await s.call(s.token())).status, 200);
  const before = s.origin.seen.length;
  for (const [mode, status, error, reason] of [
    ["throw", 503, "temporarily_unavailable", "assertion_unsigned"],
    ["reject", 503, "temporarily_unavailable", "assertion_unsigned"],
    ["unreachable", 502, "bad_gateway", "origin_unreachable"],
  ]) {
    await send(s.worker.port, { path: `/test/${mode}` });
    // For a token that was seen there is an assertion.
    const { response, line } = await s.ask(s.token({ jti: mode }));
    assertOwn(response, status, { error });
    assert.deepEqual([line.outcome, line.reason, response.get("access-control-allow-origin")], ["refused", reason, "*"]);
  }
  assert.equal(s.origin.seen.length, before);
  await send(s.worker.port, { path: "/test/real" });
  assert.equal((await s.call(s.token())).status, 200);
  assert.equal((await published(s.worker)).keys.length, 1);
});
