// Contract sections 1 and 4, entries: several issuers side by side, regional pairs, and what each
// entry's rules decide.
import assert from "node:assert/strict";
import { test } from "node:test";
import { startIssuer } from "./support/issuer.mjs";
import { signingKey } from "./support/keys.mjs";
import { mint, seconds } from "./support/mint.mjs";
import { assertInvalid, CANONICAL, entryFor, EXPIRED, goodClaims, INVALID, NOT_FOR_US, stage, UNTRUSTED } from "./support/stage.mjs";
import { testClock } from "./support/worker.mjs";

const rsa = signingKey("rsa");
const rsaB = signingKey("rsa", "b");

async function assertReason(s, token, reason, status = reason === "ok" ? 200 : 401) {
  const { response, line } = await s.ask(token);
  assert.equal(line.reason, reason);
  assert.equal(response.status, status, response.text);
  return line;
}

test("two issuers, each with its own keys under the same kid", async (t) => {
  const second = await startIssuer(t, { keys: [{ ...rsaB.jwk(), kid: rsa.kid }] });
  const s = await stage(t, { entries: (first) => [entryFor(first), entryFor(second)] });
  const sign = (issuer, key) => mint({ key: { ...key, kid: rsa.kid }, claims: goodClaims(issuer) });
  assert.equal((await assertReason(s, sign(s.issuer, rsa), "ok")).issuer, s.issuer.url);
  assert.equal(s.origin.last().header("x-mcp-auth-issuer"), s.issuer.url);
  assert.equal((await assertReason(s, sign(second, rsaB), "ok")).issuer, second.url);
  assert.equal(s.origin.last().header("x-mcp-auth-issuer"), second.url);
  // A token that names one issuer is never checked with the other's key.
  assertInvalid(await s.call(sign(s.issuer, rsaB)), INVALID);
  await assertReason(s, sign(s.issuer, rsaB), "signature_invalid");
  await assertReason(s, sign(second, rsa), "signature_invalid");
  assert.equal(s.origin.seen.length, 2);
});

test("a kid that only the other issuer has is unknown", async (t) => {
  const second = await startIssuer(t, { keys: [rsaB] });
  const s = await stage(t, { entries: (first) => [entryFor(first), entryFor(second)] });
  await assertReason(s, mint({ key: rsaB, claims: goodClaims(second) }), "ok");
  await assertReason(s, mint({ key: rsaB, claims: goodClaims(s.issuer) }), "kid_unknown");
});

test("one issuer that is down leaves the other alone", async (t) => {
  const second = await startIssuer(t, { keys: [rsaB] });
  const s = await stage(t, { entries: (first) => [entryFor(first), entryFor(second)] });
  await second.close();
  await assertReason(s, mint({ key: rsaB, claims: goodClaims(second) }), "keys_unavailable", 503);
  await assertReason(s, s.token(), "ok");
});

test("a regional pair shares its issuer's keys: one fetch, both servers listed", async (t) => {
  const s = await stage(t, {
    entries: (issuer) => ["eu", "us"].map((region) => entryFor(issuer, { authorization_server_url: `${issuer.url}/${region}`, issuer: issuer.url })),
  });
  for (let i = 0; i < 4; i++) await assertReason(s, s.token(), "ok");
  assert.equal(s.issuer.hits("/jwks"), 1);
  const document = await s.worker.send({ path: "/.well-known/oauth-protected-resource" });
  assert.deepEqual(document.json().authorization_servers, [`${s.issuer.url}/eu`, `${s.issuer.url}/us`]);
});

test("a pair with different rules: the first entry that accepts wins", async (t) => {
  const s = await stage(t, {
    keys: [rsa, signingKey("p256")],
    entries: (issuer) => [
      entryFor(issuer, { authorization_server_url: `${issuer.url}/eu`, issuer: issuer.url, expected_audiences: ["api://eu"] }),
      entryFor(issuer, { authorization_server_url: `${issuer.url}/us`, issuer: issuer.url, expected_audiences: ["api://us"], algorithm: "ES256" }),
    ],
  });
  const es256 = { alg: "ES256", key: signingKey("p256") };
  await assertReason(s, s.token({ aud: "api://eu" }), "ok");
  await assertReason(s, s.token({ aud: "api://us" }, es256), "ok");
  // The rules of one entry are not mixed with those of the other.
  await assertReason(s, s.token({ aud: "api://us" }), "aud_mismatch");
  await assertReason(s, s.token({ aud: "api://eu" }, es256), "aud_mismatch");
  await assertReason(s, s.token({ aud: CANONICAL }), "aud_mismatch");
  assert.equal(s.issuer.hits("/jwks"), 1);
});

test("of several refusals the most specific is reported, in either order", async (t) => {
  const rules = [{ algorithm: "ES256" }, { algorithm: "RS256" }];
  for (const order of [rules, rules.toReversed()]) {
    const s = await stage(t, {
      entries: (issuer) => order.map((fields, i) => entryFor(issuer, { authorization_server_url: `${issuer.url}/${i}`, issuer: issuer.url, ...fields })),
    });
    assertInvalid(await s.call(s.token({ exp: seconds() - 3600 })), EXPIRED);
    assertInvalid(await s.call(s.token({ aud: "https://other.example.com" })), NOT_FOR_US);
    await assertReason(s, s.token({ sub: undefined }), "sub_missing");
  }
});

test("expected audiences replace the canonical URL", async (t) => {
  const s = await stage(t, { entry: { expected_audiences: ["api://tools", "https://mcp.example.com/"] } });
  for (const aud of ["api://tools", ["x", "api://tools"], "https://mcp.example.com/", "https://mcp.example.com", "api://tools/"]) {
    await assertReason(s, s.token({ aud }), "ok");
  }
  for (const aud of [CANONICAL, "api://tool", "api://tools/x", "API://tools"]) await assertReason(s, s.token({ aud }), "aud_mismatch");
});

// option, claims that pass only while it is off
const OPTIONS = [
  ["verify_exp", { exp: seconds() - 3600 }, "token_expired"],
  ["verify_exp", { exp: undefined }, "exp_missing"],
  ["verify_nbf", { nbf: seconds() + 3600 }, "token_not_yet_valid"],
  ["verify_iat", { iat: seconds() + 3600 }, "iat_in_future"],
  ["verify_iss", { iss: "https://other.example.com" }, "issuer_untrusted"],
  ["verify_iss", { iss: undefined }, "issuer_untrusted"],
];

for (const [option, claims, reason] of OPTIONS) {
  test(`${option} decides about ${JSON.stringify(claims) === "{}" ? `no ${Object.keys(claims)[0]}` : Object.keys(claims)[0]}, and only about that`, async (t) => {
    const on = await stage(t, { entry: { validation_options: { [option]: true } } });
    await assertReason(on, on.token(claims), reason);
    const off = await stage(t, { entry: { validation_options: { [option]: false } } });
    await assertReason(off, off.token(claims), "ok");
    // What cannot be switched off is still checked.
    await assertReason(off, off.token({ ...claims, aud: "https://other.example.com" }), "aud_mismatch");
    await assertReason(off, off.token({ ...claims, sub: undefined }), "sub_missing");
    await assertReason(off, off.token(claims, { key: { ...rsaB, kid: rsa.kid } }), "signature_invalid");
    await assertReason(off, off.token(claims, { alg: "RS512" }), "alg_not_allowed");
    for (const [other, wrong, why] of OPTIONS.filter(([name]) => name !== option && name !== "verify_iss")) {
      if (wrong[Object.keys(wrong)[0]] !== undefined) await assertReason(off, off.token({ ...claims, ...wrong }), why);
    }
  });
}

test("with verify_iss off the origin is told the entry's issuer, not the token's", async (t) => {
  const s = await stage(t, { entry: { validation_options: { verify_iss: false } } });
  await assertReason(s, s.token({ iss: "https://other.example.com" }), "ok");
  assert.equal(s.origin.last().header("x-mcp-auth-issuer"), s.issuer.url);
});

test("verify_iss off at one entry does not open another", async (t) => {
  const second = await startIssuer(t, { keys: [rsaB] });
  const s = await stage(t, {
    entries: (first) => [entryFor(first), entryFor(second, { validation_options: { verify_iss: false } })],
  });
  await assertReason(s, mint({ key: rsaB, claims: goodClaims(second, { iss: "https://other.example.com" }) }), "ok");
  await assertReason(s, s.token({ iss: "https://other.example.com" }), "kid_unknown");
  await assertReason(s, s.token(), "ok");
});

test("an entry that is tried for every token and has no keys does not stand in the way of a good one", async (t) => {
  const second = await startIssuer(t, { keys: [rsaB] });
  await second.close();
  const any = { validation_options: { verify_iss: false } };
  for (const order of [(a, b) => [a, b], (a, b) => [b, a]]) {
    const s = await stage(t, { entries: (first) => order(entryFor(first), entryFor(second, any)) });
    await assertReason(s, s.token(), "ok");
  }
});

test("the edges of exp, nbf and iat are exact to the second", async (t) => {
  for (const leeway of [undefined, 0, 300]) {
    const clock = testClock();
    const s = await stage(t, { clock, entry: leeway === undefined ? {} : { validation_options: { leeway } } });
    const now = clock.seconds();
    const slack = leeway ?? 60;
    const rows = [
      [{ exp: now - slack + 1 }, "ok"],
      [{ exp: now - slack }, "token_expired"],
      [{ exp: now - slack - 1 }, "token_expired"],
      [{ exp: now - slack + 0.5 }, "ok"],
      [{ nbf: now + slack }, "ok"],
      [{ nbf: now + slack + 1 }, "token_not_yet_valid"],
      [{ iat: now + slack }, "ok"],
      [{ iat: now + slack + 1 }, "iat_in_future"],
    ];
    for (const [claims, reason] of rows) await assertReason(s, s.token(claims), reason);
  }
});

test("a token that was good a moment ago is judged again at every request", async (t) => {
  const clock = testClock();
  const s = await stage(t, { clock });
  const token = s.token({ exp: clock.seconds() + 100 });
  await assertReason(s, token, "ok");
  clock.forward(159);
  await assertReason(s, token, "ok");
  clock.forward(1);
  await assertReason(s, token, "token_expired");
});

test("an unknown issuer is refused without a question to any issuer", async (t) => {
  const s = await stage(t);
  assertInvalid(await s.call(s.token({ iss: "https://other.example.com" })), UNTRUSTED);
  assert.equal(s.issuer.log.length, 0);
});
