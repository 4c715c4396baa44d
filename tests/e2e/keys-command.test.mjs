// docs/keys.md, `keys`: it shows what a Worker has put into KV, removes what it is asked to
// and nothing else, and says what it does not understand. KV is the local one that `wrangler dev`
// keeps, filled by a real Worker.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import http from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { ROOT, wranglerEnv } from "./support/bundle.mjs";
import { closed, listen, startIssuer } from "./support/issuer.mjs";
import { assertPlain, HOSTILE } from "./support/hostile.mjs";
import { assertKeys } from "./support/key-steps.mjs";
import { signingKey } from "./support/keys.mjs";
import { mint } from "./support/mint.mjs";
import { entryFor, goodClaims, stage } from "./support/stage.mjs";
import { bounded, until } from "./support/until.mjs";

const rsa = signingKey("rsa");
const next = signingKey("rsa", "next");
const other = signingKey("rsa", "other");
const COMMAND_MS = 120_000;

/**
 * `keys` with these arguments, and perhaps { env } after them: { code, stdout, stderr }.
 */
function keys(...given) {
  const args = given.filter((argument) => typeof argument === "string");
  const env = { ...wranglerEnv(), ...given.find((argument) => typeof argument === "object")?.env };
  const ended = new Promise((resolve) => {
    execFile(process.execPath, [join(ROOT, "cli", "bin.mjs"), "keys", ...args], { cwd: ROOT, env }, (error, stdout, stderr) =>
      resolve({ code: error ? error.code : 0, stdout, stderr }));
  });
  return bounded(`keys ${args.join(" ")}`, ended, COMMAND_MS);
}

/** An empty place for `--persist-to`. */
function persisted(t) {
  const folder = mkdtempSync(join(tmpdir(), "mcp-edge-auth-keys-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  // Where wrangler keeps it below --persist-to.
  return { folder, kv: { folder: join(folder, "v3", "kv") } };
}

/** The store that was read, and what comes after it. */
const LOCAL = "KV namespace JWKS_CACHE: the local one of `wrangler dev`, in ";
function store(text) {
  const [first, ...rest] = text.split("\n");
  assert.ok(first.startsWith("KV namespace JWKS_CACHE"), text);
  return [first, rest.join("\n")];
}

/** The blocks of `show`: each source with the lines that belong to it. */
const blocks = (text) => store(text)[1].trim().split(/\n(?! )/);

test("show and purge, on what a Worker has put there", async (t) => {
  const { folder, kv } = persisted(t);
  const second = await startIssuer(t, { keys: [other] });
  const s = await stage(t, { runtime: "miniflare", kv, keys: [rsa, next], entries: (first) => [entryFor(first), entryFor(second)] });
  await assertKeys(s, "issuer", s.token());
  await assertKeys(s, "issuer", mint({ key: other, claims: goodClaims(second) }));
  const namespace = await s.worker.kvNamespace();
  await until("both sets in KV", async () => (await namespace.list()).keys.length === 2);
  await namespace.put("other", "not ours");
  await namespace.put("jwks:older", JSON.stringify({ fetched_at: 0, jwks: '{"keys":[]}' }));
  await s.worker.stop();
  const at = ["--persist-to", folder];
  const [one, two] = [s.issuer, second].map(({ url }) => `jwks_uri ${url}/jwks`);

  const shown = await keys("show", ...at);
  assert.equal(shown.code, 0, shown.stderr);
  assert.equal(store(shown.stdout)[0], LOCAL + kv.folder, "the very folder that the Worker wrote to");
  const listed = blocks(shown.stdout);
  assert.equal(listed.length, 3, shown.stdout);
  for (const [source, kids] of [[one, `${rsa.kid} ${next.kid}`], [two, other.kid]]) {
    const block = listed.find((text) => text.startsWith(`${source}\n`));
    assert.match(block ?? "", /\n {2}fetched \d+ s ago, fresh for \d+ s more\n/, shown.stdout);
    assert.ok(block.endsWith(`\n  kids: ${kids}`), block);
  }
  assert.ok(listed.some((text) => /^unreadable: /.test(text)), shown.stdout);
  assert.doesNotMatch(shown.stdout, /"n"|"e"|not ours/);

  const purged = await keys("purge", second.url, ...at);
  assert.equal(purged.code, 0, purged.stderr);
  assert.ok(store(purged.stdout)[1].startsWith(`removed ${two}\n`), purged.stdout);
  assert.ok(!purged.stdout.includes(s.issuer.url), purged.stdout);
  assert.match(purged.stdout, /wrangler deploy/, "isolates that run still hold it");

  const after = await s.another();
  await assertKeys(after, "kv", s.token());
  await after.worker.stop();

  const all = await keys("purge", ...at);
  assert.equal(all.code, 0, all.stderr);
  for (const source of [one, "unreadable"]) assert.ok(all.stdout.includes(`removed ${source}`), all.stdout);
  const last = await s.another();
  const left = await (await last.worker.kvNamespace()).list();
  assert.deepEqual(left.keys.map(({ name }) => name), ["other"]);
  await assertKeys(last, "issuer", s.token());
  await assertKeys(last, "issuer", mint({ key: other, claims: goodClaims(second) }));
});

test("what stands in KV does not reach the terminal as it is", async (t) => {
  const { folder, kv } = persisted(t);
  const s = await stage(t, { runtime: "miniflare", kv });
  const namespace = await s.worker.kvNamespace();
  const record = (source, kid) => JSON.stringify({ format: 1, source, fetched_at: 0, fresh_for: 60, jwks: JSON.stringify({ keys: [{ kid }] }) });
  await namespace.put("jwks:a", record(`jwks_uri https://a.example/${HOSTILE}`, "plain"));
  await namespace.put("jwks:b", record("jwks_uri https://b.example/jwks", HOSTILE));
  await namespace.put("jwks:c", record(7, "c"));
  await s.worker.stop();
  const shown = await keys("show", "--persist-to", folder);
  assert.equal(shown.code, 0, shown.stderr);
  assert.match(shown.stdout, /^jwks_uri https:\/\/a\.example\/k\?\[2J/m);
  assert.match(shown.stdout, /^ {2}kids: k\?\[2J/m);
  assert.match(shown.stdout, /^unreadable: /m, "a source that is no text");
  assertPlain(shown.stdout);
  const none = await keys("show", `${HOSTILE}`, "--persist-to", folder);
  assertPlain(none.stdout + none.stderr);
  const failed = await keys("show", "--persist-to", folder, "--config", join(folder, `none${HOSTILE.replaceAll("\0", "")}.toml`));
  assert.equal(failed.code, 1);
  assertPlain(failed.stderr.replaceAll("\nok", " ok"));
});

test("nothing to show and nothing to purge is said, and is no failure", async (t) => {
  const at = ["--persist-to", persisted(t).folder];
  for (const [args, said] of [
    [["show"], "KV holds no key set.\n"],
    [["purge", "example.com"], 'KV holds no key set whose source contains "example.com".\n'],
  ]) {
    const { code, stdout, stderr } = await keys(...args, ...at);
    assert.deepEqual([code, store(stdout)[1]], [0, said], stderr);
  }
});

test("the store is named: whose namespace, and where", async (t) => {
  const folder = persisted(t).folder;
  const config = join(folder, "trial.toml");
  writeFileSync(config, 'name = "trial"\nkv_namespaces = [{ binding = "JWKS_CACHE", id = "0123" }]\n\n[env.staging]\nkv_namespaces = [{ binding = "JWKS_CACHE", id = "4567" }]\n');
  const line = async (...args) => store((await keys("show", ...args)).stdout)[0];
  const state = join(folder, ".wrangler", "state", "v3", "kv");
  assert.equal(await line("--config", config), `KV namespace JWKS_CACHE of ${config}: the local one of \`wrangler dev\`, in ${state}`);
  for (const env of [["--env", "staging"], ["--env=staging"]]) {
    assert.equal(await line("--config", config, ...env), `KV namespace JWKS_CACHE of ${config}, environment staging: the local one of \`wrangler dev\`, in ${state}`);
  }
  assert.equal(await line("--config", config, "--persist-to", join(folder, "other")), `KV namespace JWKS_CACHE of ${config}: the local one of \`wrangler dev\`, in ${join(folder, "other", "v3", "kv")}`);
});

test("with --remote it is the deployment's", async (t) => {
  const folder = persisted(t).folder;
  const account = http.createServer((req, res) => {
    const success = (result) => res.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify({ success: true, errors: [], messages: [], result, result_info: {} }));
    success(req.url.includes("/keys") ? [] : [{ id: "account-1", name: "one" }]);
  });
  const port = await listen(account, 0);
  t.after(() => closed(account));
  const config = join(folder, "remote.toml");
  writeFileSync(config, 'name = "trial"\naccount_id = "account-1"\nkv_namespaces = [{ binding = "JWKS_CACHE", id = "0123" }]\n');
  const env = { CLOUDFLARE_API_BASE_URL: `http://127.0.0.1:${port}/client/v4`, CLOUDFLARE_API_TOKEN: "made-up" };
  const shown = await keys("show", "--remote", "--config", config, { env });
  assert.deepEqual([shown.code, shown.stdout], [0, `KV namespace JWKS_CACHE of ${config}: the deployment's, at Cloudflare\nKV holds no key set.\n`], shown.stderr);
});

for (const args of [[], ["list"], ["--remote"], ["show", "a", "b"], ["purge", "a", "b"], ["show", "--everything"], ["show", "--env"], ["show", "--remote=1"]]) {
  test(`wrong usage: keys ${args.join(" ")}`, async (t) => {
    const { code, stdout, stderr } = await keys(...args);
    assert.equal(code, 2);
    assert.equal(stdout, "");
    assert.match(stderr, /^usage: npx mcp-edge-auth keys show\|purge/m);
  });
}

test("a configuration that is not there is wrangler's to explain", async (t) => {
  const { folder } = persisted(t);
  const { code, stderr } = await keys("show", "--persist-to", folder, "--config", join(folder, "none.toml"));
  assert.equal(code, 1);
  assert.match(stderr, /^wrangler could not do it:\n[^]*none\.toml/);
});

test("a wrangler.jsonc is read, too", async (t) => {
  const { folder } = persisted(t);
  const config = join(folder, "wrangler.jsonc");
  writeFileSync(config, `// a comment\n{ "kv_namespaces": [{ "binding": "JWKS_CACHE", "id": "of-the-test" }] }`);
  const { code, stdout, stderr } = await keys("show", "--config", config, "--persist-to", folder);
  assert.equal(code, 0, stderr);
  assert.match(store(stdout)[1], /KV holds no key set/);
});
