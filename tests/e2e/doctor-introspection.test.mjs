// `check` and `doctor` where an authorization server is asked about tokens.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { loadCore } from "../../cli/core.mjs";
import { doctor, offer, run, wranglerToml } from "./support/doctor.mjs";
import { active, CLIENT, introspecting, opaque, SECRET } from "./support/introspection.mjs";
import { seconds } from "./support/mint.mjs";

const { check } = await loadCore();
const other = "https://other.example.com/mcp";

// A name, what the server says, the Worker's reason, the check that fails and what its line says.
const ANSWERS = [
  ["unknown", { active: false }, "token_inactive", "introspection", /is not active$/],
  ["expired", active({ exp: seconds() - 3600 }), "token_expired", "times", /exp 3\d\d\d s ago/],
  ["for another resource", active({ aud: other }), "aud_mismatch", "audience", /found https:\/\/other\.example\.com\/mcp$/],
  ["for nobody", active({ aud: undefined }), "aud_missing", "audience", /found none$/],
  ["of nobody", active({ sub: undefined }), "sub_missing", "subject", /found none$/],
  ["bound to a key", active({ cnf: { jkt: "x" } }), "token_bound", "bound", /found cnf$/],
  ["a refresh token", active({ token_use: "refresh_token" }), "token_type_not_allowed"],
  ["not answered", (_, res) => res.writeHead(401).end(), "introspection_unavailable", "introspection", /\/introspect: status 401: it does not accept the credentials/],
  ["not answered with a boolean", active({ active: "true" }), "introspection_unavailable", "introspection", /active is neither true nor false$/],
];

test("an opaque token is read by introspection: each refusal, and the Worker's own reason", async (t) => {
  const s = await introspecting(t);
  offer(s.issuer);
  for (const [name, answer, reason, failing, says] of ANSWERS) {
    await t.test(name, async (t) => {
      s.tells(answer);
      assert.equal((await s.ask(opaque())).line.reason, reason, "the Worker");
      const found = await doctor(t, s.settings, { token: opaque() });
      const verdict = found.line("FAIL", "token.verdict");
      assert.equal(verdict.says, `the Worker refuses it and logs \`${reason}\``, found.shown);
      assert.ok(verdict.todo.length > 20, "what to do");
      if (failing) assert.match(found.line("FAIL", `token.${failing}`).says, says);
      assert.ok(!found.shown.includes(CLIENT.secret), "the secret is never printed");
    });
  }
});

test("a good one: who it is for, whose it is, and what the server gets", async (t) => {
  const s = await introspecting(t, { introspection: { url: undefined, subject: "username" } });
  offer(s.issuer, { introspection_endpoint: `${s.issuer.url}/introspect` });
  s.tells(active({ sub: undefined, username: "alice", exp: undefined }));
  const token = opaque();
  const found = await doctor(t, s.settings, { token });
  assert.match(found.line("ok", "token.introspection").says, /is active$/);
  assert.match(found.line("ok", "token.issuer").says, /^an opaque token, of which http:/);
  assert.match(found.line("ok", "token.verdict").says, /^accepted; your server gets X-MCP-Auth-User-Id: alice/, found.shown);
  assert.deepEqual(s.asked.map(({ form }) => form.token), [token]);
  assert.match(s.asked[0].authorization, /^Basic /);
});

test("with jwt = true a JWT is asked about, and without it is not", async (t) => {
  for (const jwt of [true, false]) {
    const s = await introspecting(t, { introspection: { jwt } });
    offer(s.issuer);
    s.tells({ active: false });
    const found = await doctor(t, s.settings, { token: s.token() });
    assert.equal(s.asked.length, jwt ? 1 : 0);
    const [level, says] = jwt ? ["FAIL", /token_inactive/] : ["ok", /^accepted/];
    assert.match(found.line(level, "token.verdict").says, says, found.shown);
  }
});

test("where the secret is not seen, nobody is asked; --dev-vars has it", async (t) => {
  const s = await introspecting(t);
  offer(s.issuer);
  const token = opaque();
  const { [SECRET]: secret, ...vars } = s.settings;
  const without = await doctor(t, vars, { token });
  assert.match(without.line("warn", "token.introspection").says, new RegExp(`the secret ${SECRET} is not seen here$`), without.shown);
  assert.deepEqual([s.asked.length, without.failed().filter((name) => name.startsWith("token"))], [0, []]);
  const file = wranglerToml(t, vars);
  writeFileSync(join(dirname(file), ".dev.vars"), `${SECRET}='${secret}'\n`);
  const { out } = await run(["--config", file, "--json", "--dev-vars", "--token", "-"], { input: token });
  assert.match(out, /accepted; your server gets/);
  assert.equal(s.asked.length, 1);
});

/** What `check` says of these settings. */
const judged = (vars, more = {}) => check({ file: "wrangler.toml", settings: { vars, kv_namespaces: [{ binding: "JWKS_CACHE" }], ...more } });
const entry = (introspection) => ({
  MCP_SERVER_AUTH_CANONICAL_URL: "https://mcp.acme.test/mcp",
  MCP_SERVER_AUTH_DEFAULT_CHALLENGE_SCOPES: "mcp",
  ORIGIN_URL: "https://origin.acme.test/mcp",
  MCP_SERVER_AUTH_AUTHORIZATION_SERVERS: [{ authorization_server_url: "https://login.acme.test", introspection: { client_id: "edge", client_secret: SECRET, ...introspection } }],
});

test("check: who is asked, which secret is needed, and one in the file is warned of as the others are", () => {
  const { ok, lines } = judged(entry());
  const says = lines.map((line) => line.says);
  assert.ok(ok, says.join("\n"));
  assert.ok(says.includes("Introspection: opaque tokens, by https://login.acme.test where its metadata says"), says.join("\n"));
  assert.ok(says.includes(`Not seen here, and needed: npx wrangler secret put ${SECRET}`));
  const inFile = judged({ ...entry(), [SECRET]: "s3cret-of-ours" });
  const warned = inFile.lines.filter(({ level }) => level === "warning").map((line) => line.says);
  assert.ok(warned.includes(`${SECRET} is a secret, and whoever can read wrangler.toml has it. Better: npx wrangler secret put ${SECRET}`), warned.join("\n"));
  assert.ok(!warned.some((line) => line.includes("reads no such variable")), warned.join("\n"));
  assert.ok(!JSON.stringify(inFile).includes("s3cret-of-ours"));
  assert.match(judged({ ...entry(), [SECRET]: "" }).lines.map((line) => line.says).join("\n"), /introspection\.client_secret: expected the name of a secret variable that is set/);
});

test("check: a binding that leads to the endpoint is used", () => {
  const services = [{ binding: "AS", service: "as" }, { binding: "IDLE", service: "idle" }];
  const { ok, lines } = judged(entry({ binding: "AS" }), { services });
  const warned = lines.filter(({ level }) => level === "warning").map((line) => line.says).join("\n");
  assert.ok(ok && /services\.IDLE: no server is reached by this binding/.test(warned) && !/services\.AS/.test(warned), warned);
  assert.equal(judged(entry({ binding: "NONE" }), { services }).ok, false);
});
