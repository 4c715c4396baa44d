// What `npm run differential` does with 50 000 mutants, with a few of them and jose alone, and that
// it would say so if the Worker took what nobody else does.
import assert from "node:assert/strict";
import { test } from "node:test";
import { classify, compare } from "../differential/compare.mjs";
import { STRICTER } from "../differential/known.mjs";
import { mutants, NAMES } from "../differential/mutants.mjs";

const AUDIENCE = "https://mcp.example.com/mcp";

test("the Worker judges mutants as jose does, but for what is explained", async () => {
  const { outcomes, failures } = await compare({ count: 600, seed: 2, audience: AUDIENCE });
  assert.deepEqual(failures, []);
  assert.ok(outcomes["taken by all"] > 50 && outcomes["refused by all"] > 50, JSON.stringify(outcomes));
});

test("the same seed makes the same ways to alter a token, and each is named once", () => {
  const some = (seed) => [...mutants({ count: 20, seed, issuer: "https://i.example", audience: AUDIENCE, now: 1_800_000_000 })].map(({ ways }) => ways);
  assert.deepEqual(some(1), some(1));
  assert.notDeepEqual(some(1), some(2));
  assert.equal(new Set(NAMES).size, NAMES.length);
  for (const { ways } of STRICTER) for (const way of ways) assert.ok(NAMES.includes(way), way);
});

test("a difference is a failure unless its row has both the reason and the way", () => {
  const said = (verdicts, ways, reason) => classify({ verdicts, ways, reason }).what;
  assert.equal(said({ ours: true, jose: false, PyJWT: false }, ["claims jti"]), "taken by the Worker alone");
  assert.equal(said({ ours: true, jose: false }, ["claims jti"]), "taken by the Worker alone");
  assert.equal(said({ ours: true, jose: true, PyJWT: false }, ["claims jti"]), undefined);
  assert.equal(said({ ours: true, jose: true, PyJWT: false }, ["claims sub"]), "refused by PyJWT");
  assert.equal(said({ ours: false, jose: true, PyJWT: true }, ["claims cnf"], "token_bound"), undefined);
  assert.equal(said({ ours: false, jose: true, PyJWT: true }, ["claims sub"], "token_bound"), "taken by jose and PyJWT");
  assert.equal(said({ ours: false, jose: true, PyJWT: false }, ["claims cnf"], "signature_invalid"), "taken by jose");
});
