// An assertion serves again for the same token, for half a minute, and for nothing else: neither
// another token nor another time, nor across a panic.
import assert from "node:assert/strict";
import { test } from "node:test";
import { ASSERTION, asserting, carried, published, verified } from "./support/assertion.mjs";
import { send } from "./support/http.mjs";
import { signingKey } from "./support/keys.mjs";
import { mint, tampered } from "./support/mint.mjs";
import { bearer, stage } from "./support/stage.mjs";
import { until } from "./support/until.mjs";
import { testClock } from "./support/worker.mjs";

async function assertionOf(s, token) {
  const response = await s.call(token);
  assert.equal(response.status, 200, response.text);
  return carried(s);
}

test("for half a minute, and verified all the same", async (t) => {
  const clock = testClock();
  const s = await stage(t, { clock, vars: asserting() });
  const token = s.token({ exp: clock.seconds() + 3600 });
  const first = await assertionOf(s, token);
  assert.equal(await assertionOf(s, token), first);
  clock.forward(29);
  assert.equal(await assertionOf(s, token), first);
  clock.forward(1);
  const second = await assertionOf(s, token);
  assert.notEqual(second, first);
  const keys = await published(s.worker);
  const [a, b] = [await verified(first, keys, { currentDate: new Date(clock.seconds() * 1000) }), await verified(second, keys)];
  assert.notEqual(a.payload.jti, b.payload.jti);
  assert.equal(b.payload.iat, a.payload.iat + 30);
  assert.equal((await s.call(tampered(token))).status, 401);
});

test("never past the token's own end", async (t) => {
  const clock = testClock();
  const s = await stage(t, { clock, vars: asserting(), entry: { validation_options: { leeway: 0 } } });
  const token = s.token({ exp: clock.seconds() + 5 });
  await assertionOf(s, token);
  clock.forward(5);
  assert.equal((await s.call(token)).status, 401);
});

test("never for another token, as like as it may be", async (t) => {
  const s = await stage(t, { vars: asserting("header", { MCP_SERVER_AUTH_ASSERTION_CLAIMS: ["role"] }) });
  const keys = await published(s.worker);
  const claims = s.claims({ role: "admin" });
  const key = signingKey("rsa");
  const tokens = [
    mint({ key, claims }),
    mint({ key, claims: { ...claims, role: "guest" } }),
    mint({ key, claims: { ...claims, scope: "a" } }),
    mint({ key, claims: { ...claims, client_id: "c" } }),
    mint({ key, claims, header: { typ: "at+jwt" } }),
  ];
  const seen = [];
  for (const token of [...tokens, ...tokens]) seen.push(await assertionOf(s, token));
  assert.equal(new Set(seen).size, tokens.length);
  assert.deepEqual(seen.slice(tokens.length), seen.slice(0, tokens.length));
  const roles = await Promise.all(seen.slice(0, 2).map(async (assertion) => (await verified(assertion, keys)).payload.role));
  assert.deepEqual(roles, ["admin", "guest"]);
});

test("never for another entry of the same issuer, which finds the client in another claim", async (t) => {
  const clock = testClock();
  // The first entry stops accepting the token at its end, the second a minute later.
  const entries = ({ url }) => {
    const entry = { authorization_server_url: url, issuer: url, jwks_uri: `${url}/jwks` };
    return [
      { ...entry, provider: "keycloak", validation_options: { leeway: 0 } },
      { ...entry, validation_options: { leeway: 60 } },
    ];
  };
  const s = await stage(t, { clock, entries, vars: asserting() });
  const keys = await published(s.worker);
  const token = s.token({ exp: clock.seconds() + 5, azp: "one", client_id: "other" });
  const clientOf = async (assertion) => (await verified(assertion, keys, { currentDate: new Date(clock.seconds() * 1000) })).payload.client_id;
  const first = await assertionOf(s, token);
  assert.equal(await clientOf(first), "one");
  clock.forward(5);
  const second = await assertionOf(s, token);
  assert.equal(await clientOf(second), "other");
  assert.equal(s.origin.last().header("x-mcp-auth-client-id"), "other");
  assert.equal(await assertionOf(s, token), second, "it is kept like any other");
});

test("more tokens than are kept have good assertions all the same", async (t) => {
  const s = await stage(t, { vars: asserting() });
  const keys = await published(s.worker);
  s.origin.on("/upstream", (_, res, record) => res.end(record.header(ASSERTION)));
  await s.call(s.token()); // the keys are at hand: only so many requests may wait for them
  const tokens = Array.from({ length: 300 }, (_, i) => s.token({ sub: `user-${i}` }));
  for (const round of [1, 2]) {
    const answers = await Promise.all(tokens.map((token) => send(s.worker.port, { method: "POST", path: "/mcp", headers: bearer(token) })));
    const subs = await Promise.all(answers.map(async ({ text }) => (await verified(text, keys)).payload.sub));
    assert.deepEqual(subs, tokens.map((_, i) => `user-${i}`), `round ${round}`);
  }
});

// Signatures are held until told otherwise; a panic is told as in crossings.test.mjs.
const around = (main) => `import worker from "./${main}";
const { subtle } = crypto;
const sign = subtle.sign.bind(subtle);
let holding = false;
let held = 0;
const pause = () => new Promise((resolve) => setTimeout(resolve, 10));
subtle.sign = async (...given) => {
  const made = sign(...given);
  if (holding) { held++; while (holding) await pause(); held--; }
  return made;
};
export default {
  fetch(request, env, context) {
    const { pathname } = new URL(request.url);
    if (!pathname.startsWith("/test/")) return worker.fetch(request, env, context);
    if (pathname === "/test/panic") dispatchEvent(new ErrorEvent("error", { error: new WebAssembly.RuntimeError("unreachable") }));
    if (pathname === "/test/hold") holding = true;
    if (pathname === "/test/release") holding = false;
    return new Response(String(held));
  },
};
`;

test("a signature that comes after a panic is kept for nobody else's token", async (t) => {
  const s = await stage(t, { around, vars: asserting() });
  const keys = await published(s.worker);
  const tell = async (what) => (await send(s.worker.port, { path: `/test/${what}` })).text;
  const post = (sub) => send(s.worker.port, { method: "POST", path: "/mcp", headers: bearer(s.token({ sub })) });
  s.origin.on("/upstream", (_, res, record) => res.end(record.header(ASSERTION)));
  await tell("hold");
  const early = [1, 2, 3].map((i) => post(`early-${i}`));
  await until("three signatures held", async () => (await tell("held")) === "3");
  await tell("panic");
  const since = [1, 2, 3].map((i) => post(`since-${i}`));
  await until("six signatures held", async () => (await tell("held")) === "6");
  await tell("release");
  for (const [i, response] of (await Promise.all(since)).entries()) assert.equal((await verified(response.text, keys)).payload.sub, `since-${i + 1}`);
  await Promise.allSettled(early);
  for (const name of ["early", "since"]) {
    for (const i of [1, 2, 3, 1, 2, 3]) assert.equal((await verified((await post(`${name}-${i}`)).text, keys)).payload.sub, `${name}-${i}`);
  }
});
