// `doctor` where tokens are sent by DPoP: what it says of a bound token, which only its client can
// send, and of a deployment that offers DPoP.
import assert from "node:assert/strict";
import { test } from "node:test";
import { doctor, offer } from "./support/doctor.mjs";
import { boundToken } from "./support/proofs.mjs";
import { stage } from "./support/stage.mjs";

// `dpop`, whether the token is bound, the verdict's level and words, the line about `cnf`.
const ROWS = [
  ["off", true, "FAIL", /logs `token_bound`$/, /^expected a plain Bearer token, found cnf$/],
  ["accept", true, "ok", /^accepted, if its client sends it by DPoP, with a proof by its key$/, /^expected a cnf with the client's key \(DPoP\), found cnf$/],
  ["accept", false, "ok", /^accepted; your server gets /],
  ["require", true, "ok", /^accepted, if its client sends it by DPoP, with a proof by its key$/, /found cnf$/],
  ["require", false, "FAIL", /logs `dpop_required`$/, /^expected a cnf with the client's key \(DPoP\), found none$/],
];

test("a token, and the deployment that takes it or not", async (t) => {
  for (const [dpop, isBound, level, says, bound] of ROWS) {
    const s = await stage(t, { entries: (issuer) => [{ authorization_server_url: issuer.url, dpop }] });
    offer(s.issuer);
    const token = isBound ? boundToken(s) : s.token();
    const found = await doctor(t, s.settings, { token, url: s.worker.url });
    const verdict = found.lines.find(({ check }) => check === "token.verdict");
    assert.equal(verdict.level, level, found.shown);
    assert.match(verdict.says, says);
    const line = found.lines.find(({ check }) => check === "token.bound");
    if (bound) assert.match(line.says, bound);
    else assert.equal(line, undefined);
    const challenge = found.lines.filter(({ check }) => check === "deployment.challenge");
    assert.deepEqual(challenge.map((one) => one.level), ["ok"], found.shown);
    const sent = found.lines.filter(({ check }) => check === "deployment.token");
    if (level === "ok" && isBound) assert.match(sent[0].says, /^the token is not sent to /);
    if (level === "FAIL") assert.ok(verdict.todo.length > 20, "what to do");
  }
});
