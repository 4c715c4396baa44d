// What every origin must show: through the Worker it knows who is calling, and nobody reaches it
// around the Worker.
import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { seconds, tampered } from "../../e2e/support/mint.mjs";
import { around } from "./around.mjs";
import { assertion, behind, carry, direct, recorded, session, told, whoami } from "./behind.mjs";
import { freePort, runServer } from "./origin.mjs";

// A name that no header could carry as it is.
const ALICE = { sub: "auth0|zoë 1%", client_id: "client-1", scope: "mcp:read mcp:write" };
const BOB = { sub: "bob", client_id: "client-2", scope: "mcp:read" };

/** The variable that has another Worker make assertions for this origin. */
const forOurs = (s) => (s.carrier === "secret" ? {} : { MCP_SERVER_AUTH_ASSERTION_AUDIENCE: s.audience });

/**
 * The origin tests/origins/`name`. carrier: how it learns of the caller: "bearer", "header" (both
 * an assertion), or "secret" (plain headers and a shared secret). revision: of MCP, what it speaks
 * with a client that offers the newest. sessions of the older ones: "bound" to the caller,
 * "unbound", or none. says: what its tool can tell of the caller. command(): what runs it. skip: a
 * reason.
 */
export function shown({ name, carrier, revision, sessions, tool = "whoami", says = ["sub", "idp", "client_id", "scope"], extension = "mjs", command = () => process.execPath, skip }) {
  const file = fileURLToPath(new URL(`../${name}/server.${extension}`, import.meta.url));
  const start = async (t, alg) => behind(t, { file, carrier, alg, command: await command() });
  const expected = (s, caller) => Object.fromEntries(says.map((member) => [member, member === "idp" ? s.issuer.url : caller[member]]));

  test(`${name}: knows who is calling, and is not reached around the Worker`, { skip }, async (t) => {
    const s = await start(t, "ES256");

    await t.test("through the Worker, its tool says who is calling", async () => {
      for (const [mode, protocol] of [["auto", revision], ["legacy", "2025-11-25"]]) {
        assert.deepEqual(await whoami(s, s.token(ALICE), { mode }), { who: expected(s, ALICE), protocol });
      }
      assert.deepEqual((await whoami(s, s.token(BOB))).who, expected(s, BOB));
    });

    await t.test("what a client says of itself is not believed", async () => {
      const { authorization, ...headers } = (await recorded(s, ALICE, forOurs(s))).headers;
      assert.deepEqual((await whoami(s, s.token(BOB), { headers: { "x-mcp-auth-assertion": "none", ...headers } })).who, expected(s, BOB));
    });

    await t.test(sessions ? `the id of another user's session: ${sessions}` : "there are no sessions", async () => {
      const { id, call } = await session({ ...s, tool }, s.token(ALICE));
      assert.equal(id !== undefined, sessions !== undefined);
      assert.equal((await call(s.token(ALICE))).status, 200);
      const bobs = await call(s.token(BOB));
      assert.equal(bobs.status, sessions === "bound" ? 404 : 200, bobs.text);
      if (sessions !== "bound") assert.match(bobs.text, /\bbob\b/, "it is the request's user who counts");
      if (!sessions) return;
      const { worker } = await s.another({ vars: { ...s.settings, MCP_SERVER_AUTH_SESSION_KEY: "k".repeat(32) } });
      const bound = await session({ worker, tool }, s.token(ALICE));
      assert.equal((await bound.call(s.token(ALICE))).status, 200);
      assert.equal((await bound.call(s.token(BOB))).status, 404);
    });

    for (const [what, headers] of around(carrier)) {
      await t.test(`around the Worker, ${what}: 401`, async () => {
        const response = await direct(s, await headers(s));
        assert.equal(response.status, 401, `${response.text}\n${s.server.output()}`);
      });
    }

    await t.test("and it was for that reason alone: what the Worker sends is taken", async () => {
      const genuine = (await recorded(s, ALICE, forOurs(s))).headers;
      const headers = [genuine, { ...genuine, host: "origin.example.com", origin: "https://app.example.com" }];
      if (carrier !== "secret") {
        headers.push(carry(s, assertion(s))); // what the rows above start from
        headers.push(carry(s, assertion(s, {}, { key: s.next }))); // the keys have changed places
        // The Worker's clock is a little ahead.
        headers.push(carry(s, assertion(s, { iat: seconds() + 3, exp: seconds() + 63 })));
      }
      for (const taken of headers) {
        const response = await direct(s, taken);
        assert.equal(response.status, 200, `${response.text}\n${s.server.output()}`);
        assert.match(response.text, /"serverInfo"/);
      }
    });
  });

  if (carrier !== "secret") {
    test(`${name}: takes EdDSA as well`, { skip }, async (t) => {
      const s = await start(t, "EdDSA");
      assert.deepEqual((await whoami(s, s.token(ALICE))).who, expected(s, ALICE));
      assert.equal((await direct(s, carry(s, tampered(assertion(s))))).status, 401);
    });
  }

  test(`${name}: does not start without being told what to check`, { skip }, async () => {
    const { ALGORITHM, ...needed } = told(carrier, "http://127.0.0.1:9/mcp", "http://127.0.0.1:9", "ES256");
    const port = await freePort();
    for (const missing of Object.keys(needed)) {
      for (const value of [undefined, ""]) {
        const env = { ...needed, PORT: String(port), [missing]: value };
        const { code, output } = await runServer({ command: await command(), file, env });
        assert.equal(code, 1, `${missing} was ${JSON.stringify(value)}:\n${output}`);
      }
    }
  });
}
