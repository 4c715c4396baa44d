// Contract section 4: the rows of support/token-rows.mjs, each asked of the built Worker.
import assert from "node:assert/strict";
import { test } from "node:test";
import { assertInvalid, INVALID, stage } from "./support/stage.mjs";
import { ACCEPTED, other, REFUSED } from "./support/token-rows.mjs";

test("mutations of a good token are refused, each for its reason", async (t) => {
  const s = await stage(t);
  s.issuer.serve([other], "/evil");
  assert.equal((await s.call(s.token())).status, 200, "the good token is good");
  for (const [name, make, reason, description] of REFUSED) {
    await t.test(name, async () => {
      const { response, line } = await s.ask(make(s));
      assert.equal(line.reason, reason);
      assertInvalid(response, description);
      assert.deepEqual([line.outcome, line.status], ["refused", 401]);
    });
  }
  assert.equal(s.origin.seen.length, 1, "only the good one was forwarded");
  assert.equal(s.issuer.hits("/evil"), 0, "no address in a token is ever asked");
});

test("an empty sub is no subject", async (t) => {
  const s = await stage(t);
  const { response, line } = await s.ask(s.token({ sub: "" }));
  assertInvalid(response, INVALID);
  // The contract has no word of its own for it.
  assert.match(line.reason, /^sub_(missing|not_string)$/);
});

test("what the contract allows is forwarded", async (t) => {
  const s = await stage(t);
  for (const [name, make] of ACCEPTED) {
    await t.test(name, async () => {
      const { response, line } = await s.ask(make(s));
      assert.equal(response.status, 200, `${response.text} ${line.reason}`);
      assert.deepEqual([line.outcome, line.reason], ["forwarded", "ok"]);
    });
  }
  assert.equal(s.origin.seen.length, ACCEPTED.length);
});
