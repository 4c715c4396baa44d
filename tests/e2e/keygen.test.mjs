// `keygen`: what it prints is a key that the Worker takes, on stdout and nowhere else.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { asserting, carried, published, verified } from "./support/assertion.mjs";
import { ROOT } from "./support/bundle.mjs";
import { stage } from "./support/stage.mjs";

const keygen = (...args) => spawnSync(process.execPath, ["cli/bin.mjs", "keygen", ...args], { cwd: ROOT, encoding: "utf8" });

for (const [args, alg] of [[[], "ES256"], [["--alg", "ES256"], "ES256"], [["--alg", "EdDSA"], "EdDSA"]]) {
  test(`keygen ${args.join(" ")}: the Worker signs ${alg} with it`, async (t) => {
    const { status, stdout, stderr } = keygen(...args);
    assert.equal(status, 0, stderr);
    const key = JSON.parse(stdout);
    assert.ok(!stderr.includes(key.d));
    assert.match(stderr, /\| npx wrangler secret put MCP_SERVER_AUTH_ASSERTION_KEY\n$/);
    const s = await stage(t, { vars: asserting("bearer", { MCP_SERVER_AUTH_ASSERTION_KEY: stdout }) });
    assert.equal((await s.call(s.token())).status, 200);
    const { protectedHeader } = await verified(carried(s), await published(s.worker));
    assert.deepEqual(protectedHeader, { typ: "at+jwt", alg, kid: key.kid });
    // Without its name it would get the same one.
    const { kid, ...unnamed } = key;
    const other = await s.another({ vars: { ...s.settings, MCP_SERVER_AUTH_ASSERTION_KEY: unnamed } });
    assert.equal((await published(other.worker)).keys[0].kid, kid);
  });
}

test("keygen --session: the Worker binds sessions with it", async (t) => {
  const { status, stdout, stderr } = keygen("--session");
  assert.equal(status, 0, stderr);
  assert.equal(Buffer.from(stdout.trim(), "base64url").length, 32);
  assert.ok(!stderr.includes(stdout.trim()));
  assert.match(stderr, /\| npx wrangler secret put MCP_SERVER_AUTH_SESSION_KEY\n$/);
  const s = await stage(t, { vars: { MCP_SERVER_AUTH_SESSION_KEY: stdout } });
  s.origin.on("/upstream", (_, res) => res.writeHead(200, { "mcp-session-id": "a" }).end());
  assert.match((await s.call(s.token())).get("mcp-session-id"), /^a\.[\w-]{43}$/);
});

test("keygen: two keys differ, and what it does not know it says", () => {
  assert.notEqual(keygen().stdout, keygen().stdout);
  for (const args of [["--alg", "RS256"], ["--alg"], ["--session", "--alg", "ES256"], ["x"], ["--alg", "__proto__"]]) {
    const { status, stdout, stderr } = keygen(...args);
    assert.deepEqual([status, stdout], [2, ""], args.join(" "));
    assert.match(stderr, /^usage: npx mcp-edge-auth keygen /m);
  }
});
