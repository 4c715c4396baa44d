// `doctor` where tokens are sent by DPoP: what it says of a bound token, which only its client can
// send, of a deployment that offers DPoP, and of an authorization server that binds nothing.
import assert from "node:assert/strict";
import { test } from "node:test";
import { doctor, offer, sound } from "./support/doctor.mjs";
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

const ALGORITHMS = "dpop_signing_alg_values_supported";
const CERTIFICATES = "tls_client_certificate_bound_access_tokens";

// The entry, the server's metadata, and what is said of it.
const BINDS = [
  [{}, {}, []],
  [{ dpop: "accept" }, {}, [["dpop", `expected ${ALGORITHMS}, found none`]]],
  [{ dpop: "require" }, { [ALGORITHMS]: [] }, [["dpop", `expected ${ALGORITHMS}, found []`]]],
  [{ dpop: "require" }, { [ALGORITHMS]: ["ES256"] }, []],
  [{ mtls: "accept" }, {}, [["mtls", `expected ${CERTIFICATES} true, found none`]]],
  [{ mtls: "require" }, { [CERTIFICATES]: "true" }, [["mtls", `expected ${CERTIFICATES} true, found "true"`]]],
  [{ mtls: "require" }, { [CERTIFICATES]: true }, []],
  [{ mtls: "accept", dpop: "accept" }, { [CERTIFICATES]: false }, [["dpop", `expected ${ALGORITHMS}, found none`], ["mtls", `expected ${CERTIFICATES} true, found false`]]],
];

test("an authorization server that does not say that it binds tokens", async (t) => {
  for (const [entry, members, expected] of BINDS) {
    await t.test(JSON.stringify([entry, members]), async (t) => {
      const { issuer, vars } = await sound(t, { entry });
      offer(issuer, members);
      const found = await doctor(t, vars);
      assert.equal(found.code, 0, found.shown);
      const warned = found.lines.filter(({ level }) => level === "warn");
      assert.deepEqual(warned.map(({ check, says }) => [check, says]), expected.map(([check, says]) => [`authorization_server.${check}`, says]), found.shown);
      for (const { check, todo } of warned) assert.ok(todo.endsWith(`or set \`${check.split(".")[1]}\` to off`), todo);
    });
  }
});
