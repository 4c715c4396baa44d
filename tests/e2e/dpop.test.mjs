// Tokens that are sent by DPoP (RFC 9449), through the built Worker: the runtime checks the proof's
// signature, and nothing of the proof goes further.
import assert from "node:assert/strict";
import { test } from "node:test";
import { send } from "./support/http.mjs";
import { ALGORITHMS, signingKey } from "./support/keys.mjs";
import { seconds, tampered } from "./support/mint.mjs";
import { boundToken, byDpop, holder, proof, publicJwk, thumbprint } from "./support/proofs.mjs";
import { assertOwn, bearer, CANONICAL, METADATA, stage } from "./support/stage.mjs";
import { until } from "./support/until.mjs";
import { testClock } from "./support/worker.mjs";

const ALGS = 'algs="ES256 EdDSA RS256 PS256 ES384 RS384 PS384 ES512 RS512 PS512"';
const KEY = "the nonces' key, of forty-one random bytes";
const accepting = (t, { entry = {}, ...options } = {}) => stage(t, { entry: { dpop: "accept", ...entry }, ...options });

/** Asks with a token and a proof; the answer and its line. */
const ask = (s, token, shown, { headers = {}, ...head } = {}) => s.ask(undefined, { headers: { ...byDpop(token, shown), ...headers }, ...head });

test("a bound token with a good proof reaches the origin, without proof, scheme or token", async (t) => {
  const s = await accepting(t, { vars: { MCP_SERVER_AUTH_LOG_SUBJECT: true } });
  const token = boundToken(s);
  const shown = proof(token);
  const { response, line } = await ask(s, token, shown, { body: "{}", headers: { "content-type": "application/json" } });
  assert.equal(response.status, 200, response.text);
  assert.deepEqual([line.outcome, line.reason, line.sub], ["forwarded", "ok", "user-1"]);
  const { lines } = s.origin.last();
  assert.deepEqual(lines.filter(([name]) => /dpop|authorization/i.test(name)), []);
  assert.ok(!JSON.stringify(lines).includes(shown.split(".")[0]), "no part of the proof");
  assert.equal(s.origin.last().header("x-mcp-auth-user-id"), "user-1");
  assert.equal(response.get("dpop-nonce"), undefined);
  assert.ok(!s.worker.output().includes(shown.split(".")[1]));
});

test("a Bearer token may bring the header, too: nobody looks at it, and it is taken out", async (t) => {
  const s = await accepting(t);
  for (const name of ["DPoP", "dpop", "DPOP"]) {
    assert.equal((await s.ask(s.token(), { headers: { [name]: "x" } })).response.status, 200);
    assert.equal(s.origin.last().header("dpop"), undefined);
  }
});

test("where DPoP is off, its header passes as any other, and its scheme is refused", async (t) => {
  const s = await stage(t);
  assert.equal((await s.ask(s.token(), { headers: { dpop: "x" } })).response.status, 200);
  assert.equal(s.origin.last().header("dpop"), "x");
  for (const token of [s.token(), boundToken(s), "garbage"]) {
    const { response, line } = await ask(s, token, proof(token));
    assertOwn(response, 401, { error: "unauthorized" });
    assert.equal(response.get("www-authenticate"), `Bearer resource_metadata="${METADATA}"`);
    assert.equal(line.reason, "dpop_not_accepted");
  }
  assert.equal(s.origin.seen.length, 1);
});

for (const alg of ALGORITHMS) {
  test(`${alg}: the runtime checks the proof's own key`, async (t) => {
    const s = await accepting(t);
    const token = boundToken(s, holder(alg));
    const good = proof(token, { alg });
    const bad = proof(token, { alg });
    // Its thumbprint is the holder's, and its signature another key's.
    const forged = proof(token, { alg, key: signingKey(holder(alg).kind, "thief"), header: { jwk: publicJwk(holder(alg)) } });
    const stolen = proof(token, { alg, key: signingKey(holder(alg).kind, "thief") });
    const reasons = [];
    for (const shown of [good, tampered(bad), forged, stolen, good]) reasons.push((await ask(s, token, shown)).line.reason);
    assert.deepEqual(reasons, ["ok", "proof_signature", "proof_signature", "proof_mismatch", "proof_replayed"]);
    assert.equal(s.origin.seen.length, 1);
  });
}

test("a key that WebCrypto does not take vouches for nothing", async (t) => {
  const s = await accepting(t);
  const off = { ...publicJwk(holder()), y: Buffer.alloc(32, 1).toString("base64url") };
  const token = s.token({ cnf: { jkt: thumbprint({ jwk: () => off }) } });
  assert.equal((await ask(s, token, proof(token, { header: { jwk: off } }))).line.reason, "proof_signature");
  const token2 = boundToken(s);
  assert.equal((await ask(s, token2, proof(token2))).line.reason, "ok", "and the next request is as ever");
});

// A name, the proof's bends, the request's, the reason.
const ROWS = [
  ["no proof", undefined, {}, "proof_missing"],
  ["the method", { claims: { htm: "GET" } }, {}, "proof_htm"],
  ["the request's method", {}, { method: "DELETE" }, "proof_htm"],
  ["DELETE", { claims: { htm: "DELETE" } }, { method: "DELETE" }, "ok"],
  ["a path below", { claims: { htu: `${CANONICAL}/a/b` } }, { path: "/mcp/a/b" }, "ok"],
  ["a path below, and a proof for the endpoint", {}, { path: "/mcp/a" }, "proof_htu"],
  ["a query", {}, { path: "/mcp?a=b" }, "ok"],
  ["a query in both", { claims: { htu: `${CANONICAL}?c=d` } }, { path: "/mcp?a=b" }, "ok"],
  ["a trailing slash", { claims: { htu: `${CANONICAL}/` } }, { path: "/mcp/" }, "ok"],
  ["a trailing slash in the request", {}, { path: "/mcp/" }, "proof_htu"],
  ["a trailing slash in the proof", { claims: { htu: `${CANONICAL}/` } }, {}, "proof_htu"],
  ["letter case and default port", { claims: { htu: "HTTPS://MCP.example.COM:443/mcp" } }, {}, "ok"],
  ["an encoded letter", { claims: { htu: "https://mcp.example.com/%6dcp" } }, {}, "ok"],
  ["an encoded letter below, in the request", { claims: { htu: `${CANONICAL}/~a` } }, { path: "/mcp/%7ea" }, "ok"],
  ["an encoded slash is none", { claims: { htu: `${CANONICAL}/a/b` } }, { path: "/mcp/a%2Fb" }, "proof_htu"],
  ["the host that the request was sent to", { claims: { htu: "http://127.0.0.1/mcp" } }, {}, "proof_htu"],
  ["a second host", { claims: { htu: "https://other.example/mcp" } }, { headers: { host: "other.example" } }, "proof_htu"],
  ["a second host, and a proof for the canonical one", {}, { headers: { host: "other.example" } }, "ok"],
  ["a forwarded host", { claims: { htu: "https://other.example/mcp" } }, { headers: { "x-forwarded-host": "other.example", forwarded: "host=other.example" } }, "proof_htu"],
  ["too old", () => ({ claims: { iat: seconds() - 310 } }), {}, "proof_iat"],
  ["from the future", () => ({ claims: { iat: seconds() + 310 } }), {}, "proof_iat"],
  ["not quite too old", () => ({ claims: { iat: seconds() - 290 } }), {}, "ok"],
  ["another token's", { claims: { ath: "x" } }, {}, "proof_ath"],
  ["a private key in it", { header: { jwk: { ...publicJwk(holder()), d: "AQ" } } }, {}, "proof_key"],
  ["another typ", { header: { typ: "JWT" } }, {}, "proof_typ"],
  ["none", { header: { alg: "none" } }, {}, "proof_alg"],
  ["a jti too long", { claims: { jti: "a".repeat(257) } }, {}, "proof_jti"],
  ["crit", { header: { crit: ["x"] } }, {}, "proof_malformed"],
];

test("what a proof is for", async (t) => {
  const s = await accepting(t);
  const token = boundToken(s);
  for (const [name, bends, request, reason] of ROWS) {
    const shown = bends && proof(token, typeof bends === "function" ? bends() : bends);
    const { response, line } = await ask(s, token, shown, request);
    assert.equal(line.reason, reason, name);
    if (reason === "ok") continue;
    assert.equal(response.status, 401, name);
    assert.equal(response.json().error, "invalid_dpop_proof", name);
    assert.ok(response.get("www-authenticate").startsWith(`Bearer resource_metadata="${METADATA}", DPoP error="invalid_dpop_proof", ${ALGS}, error_description="`), name);
  }
  assert.equal(s.origin.seen.length, ROWS.filter(([, , , reason]) => reason === "ok").length);
});

test("two proofs are none", async (t) => {
  const s = await accepting(t);
  const token = boundToken(s);
  for (const two of [() => [proof(token), proof(token)], () => [proof(token), ""], () => ["", proof(token)], () => [proof(token)].flatMap((one) => [one, one])]) {
    assert.equal((await ask(s, token, two())).line.reason, "proof_malformed");
  }
  assert.equal((await ask(s, token, "")).line.reason, "proof_missing");
});

test("schemes: what each setting takes, and what it says", async (t) => {
  const challenges = { accept: `Bearer resource_metadata="${METADATA}", DPoP ${ALGS}`, require: `DPoP resource_metadata="${METADATA}", ${ALGS}` };
  for (const dpop of ["accept", "require"]) {
    const s = await accepting(t, { entry: { dpop } });
    const none = await s.ask(undefined);
    assertOwn(none.response, 401, { error: "unauthorized" });
    assert.deepEqual(none.response.all("www-authenticate"), [challenges[dpop]]);
    const [plain, bound] = [s.token(), boundToken(s)];
    const rows = [
      ["Bearer, bound", bearer(bound), dpop === "accept" ? "token_bound" : "dpop_required"],
      ["Bearer, plain", bearer(plain), dpop === "accept" ? "ok" : "dpop_required"],
      ["DPoP, plain", byDpop(plain, proof(plain)), "key_unbound"],
      ["DPoP, bound", byDpop(bound, proof(bound)), "ok"],
      ["dpop, bound", { ...byDpop(bound, proof(bound)), authorization: `dpop ${bound}` }, "ok"],
      ["DPoP, nothing", { authorization: "DPoP" }, "token_empty"],
      ["DPoP, twice", { authorization: `DPoP ${bound}, DPoP ${bound}` }, "credentials_malformed"],
      ["DPoP, garbage", byDpop("garbage", proof("garbage")), "token_parts"],
      ["DPoP, expired", ((token) => byDpop(token, proof(token)))(boundToken(s, holder(), { exp: seconds() - 1000 })), "token_expired"],
    ];
    for (const [name, headers, reason] of rows) {
      const { response, line } = await s.ask(undefined, { headers });
      assert.equal(line.reason, reason, `${dpop}: ${name}`);
      if (reason !== "ok") assert.equal(response.status, 401);
      if (reason === "token_expired") {
        const first = dpop === "accept" ? `Bearer resource_metadata="${METADATA}", DPoP ` : `DPoP resource_metadata="${METADATA}", `;
        assert.equal(response.get("www-authenticate"), `${first}error="invalid_token", ${ALGS}, error_description="The access token expired"`);
      }
    }
  }
});

test("the metadata document and CORS say that DPoP is there, and only where it is", async (t) => {
  const app = "https://app.example.com";
  for (const [dpop, is, required] of [["off", false], ["accept", true], ["require", true, true]]) {
    const s = await accepting(t, { entry: { dpop } });
    const document = (await s.worker.send({ path: "/.well-known/oauth-protected-resource/mcp" })).json();
    assert.equal(document.dpop_signing_alg_values_supported?.length, is ? 10 : undefined);
    assert.equal(document.dpop_bound_access_tokens_required, required);
    const preflight = await s.worker.send({ method: "OPTIONS", path: "/mcp", headers: { origin: app, "access-control-request-method": "POST" } });
    assert.equal(preflight.get("access-control-allow-headers").split(", ").includes("DPoP"), is);
    const refused = await s.call(undefined, { headers: { origin: app } });
    const token = is ? boundToken(s) : s.token();
    const passed = await s.call(undefined, { headers: { origin: app, ...(is ? byDpop(token, proof(token)) : bearer(token)) } });
    assert.equal(passed.status, 200);
    for (const answer of [preflight, refused, passed]) {
      assert.equal(answer.get("access-control-expose-headers").split(", ").includes("DPoP-Nonce"), is, dpop);
    }
  }
});

test("nonces: one is asked for, lives for one to two windows, and is replaced before it ends", async (t) => {
  const clock = testClock(300_000 * 6_000_000);
  const s = await accepting(t, { entry: { dpop: "require", dpop_nonce: true }, vars: { MCP_SERVER_AUTH_DPOP_NONCE_KEY: KEY }, clock });
  const asking = async (nonce, head = {}) => {
    const token = boundToken(s, holder(), { exp: clock.seconds() + 600 });
    const { response, line } = await ask(s, token, proof(token, { claims: { iat: clock.seconds(), nonce } }), head);
    return { status: response.status, reason: line.reason, nonce: response.get("dpop-nonce"), response };
  };
  const first = await asking(undefined);
  assert.deepEqual([first.status, first.reason], [401, "proof_nonce"]);
  assertOwn(first.response, 401, { error: "use_dpop_nonce" });
  assert.equal(first.response.get("www-authenticate"), `DPoP resource_metadata="${METADATA}", error="use_dpop_nonce", ${ALGS}`);
  const { nonce } = first;
  assert.match(nonce, /^[\w-]{43}$/);
  const good = await asking(nonce);
  assert.deepEqual([good.status, good.nonce], [200, undefined], "an answer is handed back as it came");
  assert.equal(good.response.get("access-control-expose-headers"), undefined);
  clock.forward(299);
  assert.deepEqual([(await asking(nonce)).nonce, (await asking("made up")).reason], [undefined, "proof_nonce"]);
  clock.forward(1);
  for (const head of [{}, { headers: { origin: "https://app.example.com" } }]) {
    const old = await asking(nonce, head);
    assert.equal(old.status, 200);
    assert.match(old.nonce, /^[\w-]{43}$/);
    assert.notEqual(old.nonce, nonce);
    assert.ok(old.response.get("access-control-expose-headers").includes("DPoP-Nonce"));
    assert.deepEqual([(await asking(old.nonce)).status, (await asking(old.nonce)).nonce], [200, undefined]);
  }
  clock.forward(300);
  const over = await asking(nonce);
  assert.deepEqual([over.status, over.reason], [401, "proof_nonce"]);
  assert.equal((await asking(over.nonce)).status, 200);
  // Another isolate with the same secret takes it, and one with another does not.
  const same = await s.another();
  const token = boundToken(s, holder(), { exp: clock.seconds() + 600 });
  const shown = () => proof(token, { claims: { iat: clock.seconds(), nonce: over.nonce } });
  assert.equal((await ask(same, token, shown())).response.status, 200);
  const other = await s.another({ vars: { ...s.settings, MCP_SERVER_AUTH_DPOP_NONCE_KEY: `${KEY}, another` } });
  assert.equal((await ask(other, token, shown())).line.reason, "proof_nonce");
  assert.ok(!s.worker.output().includes(over.nonce), "a nonce is not in the log");
  assert.ok(!JSON.stringify(s.origin.seen.map((seen) => seen.lines)).includes(over.nonce), "nor at the origin");
});

test("a policy's refusal comes in the challenge of the scheme that was used", async (t) => {
  const s = await accepting(t, { vars: { MCP_SERVER_AUTH_POLICY: { required_scopes: ["mcp"] } } });
  const token = boundToken(s);
  const { response, line } = await ask(s, token, proof(token), { body: '{"jsonrpc":"2.0","id":1,"method":"ping"}', headers: { "content-type": "application/json" } });
  assert.deepEqual([response.status, line.reason], [403, "scope_insufficient"]);
  assert.equal(response.get("www-authenticate"), `Bearer resource_metadata="${METADATA}", DPoP error="insufficient_scope", scope="mcp", ${ALGS}`);
});

test("of the same proof sent many times at once, one request gets through", async (t) => {
  const s = await accepting(t);
  const token = boundToken(s);
  await ask(s, token, proof(token)); // the issuer's keys are there now
  const headers = byDpop(token, proof(token));
  const before = s.origin.seen.length;
  const lines = () => s.worker.lines("request");
  const started = lines().length;
  const answers = await Promise.all(Array.from({ length: 8 }, () => send(s.worker.port, { method: "POST", path: "/mcp", headers })));
  assert.deepEqual(answers.map(({ status }) => status).sort(), [200, ...Array(7).fill(401)]);
  assert.equal(s.origin.seen.length, before + 1);
  await until("their lines", () => lines().length >= started + 8);
  assert.equal(lines().slice(started).filter(({ reason }) => reason === "proof_replayed").length, 7);
});

test("a flood of proof keys leaves the issuer's key where it is", async (t) => {
  const s = await accepting(t);
  const token = boundToken(s);
  await ask(s, token, proof(token));
  const asked = s.issuer.log.length;
  for (let n = 0; n < 20; n++) {
    const key = signingKey("p256", `flood-${n}`);
    assert.equal((await ask(s, token, proof(token, { key }))).line.reason, "proof_mismatch");
  }
  assert.equal((await ask(s, token, proof(token))).line.reason, "ok");
  assert.equal(s.issuer.log.length, asked, "no key set was fetched again");
});
