// docs/revocation.md, `revoke`: what it writes is in force in the Worker, in the KV of `wrangler
// dev` and in that of `serve`, and undone by its number; what is wrong is said, and nothing is
// written.
import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import http from "node:http";
import { join } from "node:path";
import { test } from "node:test";
import { command, emptyFolder } from "./support/command.mjs";
import { assertPlain, HOSTILE } from "./support/hostile.mjs";
import { closed, listen } from "./support/issuer.mjs";
import { seconds } from "./support/mint.mjs";
import { KEY, ON, revocations, revoked } from "./support/revocations.mjs";
import { stage } from "./support/stage.mjs";
import { until } from "./support/until.mjs";
import { kvStore } from "./support/worker.mjs";

const BEFORE = seconds() - 3600; // whatever a command takes
const ISSUER = "http://127.0.0.1:9";
const SOUND = {
  MCP_SERVER_AUTH_CANONICAL_URL: "https://mcp.acme.test/mcp",
  MCP_SERVER_AUTH_AUTHORIZATION_SERVERS: [{ authorization_server_url: ISSUER }],
  ORIGIN_URL: "http://127.0.0.1:9/mcp",
  ...ON,
};

/** A wrangler.json with these variables and a KV namespace; `more` replaces members of it. */
function file(t, vars, more = {}) {
  const path = join(emptyFolder(t), "wrangler.json");
  writeFileSync(path, JSON.stringify({ name: "trial", compatibility_date: "2026-04-26", kv_namespaces: [{ binding: "JWKS_CACHE" }], vars, ...more }));
  return path;
}

/** `revoke` with what says where: { code, out, err }. */
const revokeAt = (...where) => (...args) => command(["revoke", ...where, ...args]);

async function succeeds(run, ...args) {
  const { code, out, err } = await run(...args);
  assert.equal(code, 0, `${args.join(" ")}: ${out}${err}`);
  return out;
}

async function fails(run, code, ...args) {
  const ended = await run(...args);
  assert.deepEqual([ended.code, ended.out], [code, ""], `${args.join(" ")}: ${ended.err}`);
  return ended.err;
}

test("in `wrangler dev`'s KV: revoked, shown, in force at the Worker, undone", async (t) => {
  const folder = emptyFolder(t);
  const kv = { folder: join(folder, "v3", "kv") };
  const s = await stage(t, { runtime: "miniflare", kv, vars: ON });
  const reason = async (worker, claims) => (await worker.ask(s.token({ iat: BEFORE, ...claims }))).line.reason;
  assert.equal(await reason(s, { sub: "mallory" }), "ok");
  await s.worker.stop();
  const config = file(t, { ...SOUND, MCP_SERVER_AUTH_AUTHORIZATION_SERVERS: [{ authorization_server_url: s.issuer.url, jwks_uri: `${s.issuer.url}/jwks` }] });
  const run = revokeAt("--config", config, "--persist-to", folder);

  assert.match(await succeeds(run, "--list"), /^KV namespace JWKS_CACHE of [^\n]*: the local one of `wrangler dev`, in [^\n]*\nNo token is revoked\.\n$/);
  const said = await succeeds(run, "--issuer", s.issuer.url, "--subject", "mallory", "--for", "90m");
  assert.match(said, /^1 {2}subject mallory, of http:\/\/127\.0\.0\.1:\d+\n {3}issued until \S+Z; in force until \S+Z\nRevoked, everywhere within 90 s\./m);
  assert.match(await fails(run, 2, "--issuer", s.issuer.url, "--jti", "t-1", "--before", "2126-01-01T00:00:00Z"), /more than a day ahead/);
  await succeeds(run, "--issuer", s.issuer.url, "--jti", "t-1");
  const { entries, ...listed } = JSON.parse(await succeeds(run, "--list", "--json"));
  assert.deepEqual([listed.action, listed.entry, listed.notes], ["list", null, []]);
  assert.deepEqual(entries.map(({ number, kind, value, issuer }) => [number, kind, value, issuer]), [[1, "subject", "mallory", s.issuer.url], [2, "jti", "t-1", s.issuer.url]]);
  const lasts = (entry) => (Date.parse(entry.until) - Date.parse(entry.before)) / 60_000;
  assert.deepEqual(entries.map(lasts), [90, 30 * 24 * 60]);

  const second = await s.another();
  // A simulator on a busy machine may take longer than the second that a read may take.
  await until("the list", async () => (await reason(second, { sub: "mallory" })) === "token_revoked", 60_000);
  assert.equal(await reason(second, { jti: "t-1" }), "token_revoked");
  assert.equal(await reason(second, { jti: "t-2" }), "ok");
  const names = (await (await second.worker.kvNamespace()).list()).keys.map(({ name }) => name);
  assert.ok(names.includes(KEY) && names.some((name) => name.startsWith("jwks:")), "beside the key sets");
  await second.worker.stop();

  assert.match(await succeeds(run, "--undo", "1"), /^1 {2}subject mallory[^]*\nUndone, everywhere within 90 s\.\n$/m);
  assert.match(await fails(run, 1, "--undo", "1"), /no entry 1 is in force/);
  await succeeds(run, "--undo", "2");
  const third = await s.another();
  assert.equal(await reason(third, { sub: "mallory" }), "ok");
  const left = JSON.parse(await (await third.worker.kvNamespace()).get(KEY));
  assert.deepEqual([left.entries, left.next], [[], 3], "an empty list, and no missing one");
});

test("in the KV of `serve`: a file, which a Worker on that folder reads", async (t) => {
  const kv = kvStore(t);
  const s = await stage(t, { kv, vars: ON });
  const config = file(t, { ...SOUND, MCP_SERVER_AUTH_AUTHORIZATION_SERVERS: [{ authorization_server_url: s.issuer.url }] }, { kv_namespaces: [] });
  const run = revokeAt("--config", config, "--kv", kv.folder);
  assert.match(await succeeds(run, "--issuer", s.issuer.url, "--client=-app"), /^KV of `serve`, in /);
  assert.deepEqual(kv.entries().map(({ name }) => name), [KEY], "and nothing else");
  assert.equal((await s.ask(s.token({ iat: BEFORE, client_id: "-app" }))).line.reason, "token_revoked");
  assert.equal((await s.ask(s.token())).line.reason, "ok");
  await succeeds(run, "--undo", "1");
  assert.match(await fails(revokeAt("--config", config, "--kv", join(kv.folder, "none")), 1, "--list"), /^There is no folder /);
  for (const other of [["--remote"], ["--persist-to", kv.folder]]) {
    assert.match(await fails(run, 2, "--list", ...other), /^--kv is the store of `serve`/);
  }
});

test("with --env it is the settings of that environment that count", async (t) => {
  const kv = kvStore(t);
  const config = file(t, { ...SOUND, MCP_SERVER_AUTH_REVOCATION: undefined }, { env: { staging: { vars: SOUND, kv_namespaces: [{ binding: "JWKS_CACHE" }] } } });
  const who = ["--issuer", ISSUER, "--all"];
  assert.match(await fails(revokeAt("--config", config, "--kv", kv.folder), 1, ...who), /has no MCP_SERVER_AUTH_REVOCATION = true/);
  await succeeds(revokeAt("--config", config, "--kv", kv.folder, "--env", "staging"), ...who);
});

test("what is wrong is said, and nothing is written", async (t) => {
  const folder = emptyFolder(t);
  const kv = join(folder, "kv");
  mkdirSync(kv);
  const written = () => existsSync(join(kv, KEY));
  const at = (config) => revokeAt("--config", config, "--kv", kv);
  const on = at(file(t, SOUND));
  const who = ["--issuer", ISSUER, "--subject", "a"];
  assert.match(await fails(at(file(t, { ...SOUND, MCP_SERVER_AUTH_REVOCATION: undefined })), 1, ...who), /has no MCP_SERVER_AUTH_REVOCATION = true[^]*Set it under \[vars\]/);
  assert.match(await fails(at(file(t, { ...SOUND, ORIGIN_URL: "x" })), 1, ...who), /^Nothing was written: the settings have faults\.\n- ORIGIN_URL/);
  assert.match(await fails(revokeAt("--config", file(t, SOUND, { kv_namespaces: [] }), "--persist-to", folder), 1, ...who), /MCP_SERVER_AUTH_REVOCATION: expected a KV namespace/);
  assert.match(await fails(on, 1, "--issuer", `${ISSUER}/`, "--all"), new RegExp(`has the issuer ${ISSUER}/\\. There are:\\n- ${ISSUER}\\n`));
  assertPlain(await fails(on, 1, "--issuer", HOSTILE, "--all"));
  for (const args of [[], ["--issuer", ISSUER], [...who, "--client", "b"], [...who, "--undo", "1"], ["--list", "--undo", "1"], [...who, "--for", "1y"], [...who, "--before", "now"], ["--undo", "x"], ["somebody"]]) {
    assert.match(await fails(on, 2, ...args), /^usage: npx mcp-edge-auth revoke /m);
  }
  assert.ok(!written());
  writeFileSync(join(kv, KEY), "garbage");
  for (const args of [who, ["--list"], ["--undo", "1"]]) assert.match(await fails(on, 1, ...args), /is no list that this version reads/);
  assert.equal(readFileSync(join(kv, KEY), "utf8"), "garbage");
});

test("what stands in the list does not reach the terminal as it is", async (t) => {
  const kv = kvStore(t);
  writeFileSync(join(kv.folder, KEY), revocations(1, [revoked({ url: ISSUER }, { value: `a${HOSTILE}` })]));
  const off = { ...SOUND, MCP_SERVER_AUTH_REVOCATION: undefined };
  const { code, out } = await command(["revoke", "--config", file(t, off), "--kv", kv.folder, "--list"]);
  assert.equal(code, 0);
  assertPlain(out);
  assert.match(out, /\n1 in force\.\nNone of it is in force: /);
  const json = await command(["revoke", "--config", file(t, off), "--kv", kv.folder, "--list", "--json"]);
  assertPlain(json.out);
  assert.equal(JSON.parse(json.out).entries[0].value, `a${HOSTILE}`, "to a program it is what it is");
});

/** Cloudflare's KV, as wrangler asks for it: { url, values, log }, and `after(method, then)`. */
async function cloudflare(t) {
  const values = new Map();
  const log = [];
  const after = new Map();
  const server = http.createServer(async (req, res) => {
    const chunks = [];
    for await (const chunk of req) chunks.push(chunk);
    const success = (result) => res.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify({ success: true, errors: [], messages: [], result, result_info: {} }));
    const name = /\/values\/([^?]+)/.exec(req.url)?.[1];
    log.push(`${req.method} ${name ?? (req.url.includes("/keys") ? "keys" : "")}`.trim());
    if (req.method === "PUT") values.set(name, Buffer.concat(chunks).toString("utf8"));
    const text = values.get(name);
    if (req.method === "PUT") success(null);
    else if (name === undefined) success(req.url.includes("/keys") ? [...values.keys()].map((name) => ({ name })) : [{ id: "account-1", name: "one" }]);
    else if (text === undefined) res.writeHead(404).end();
    else res.writeHead(200).end(text);
    after.get(req.method)?.(values);
  });
  const port = await listen(server, 0);
  t.after(() => closed(server));
  return { values, log, after: (method, then) => after.set(method, then), api: `http://127.0.0.1:${port}/client/v4` };
}

test("with --remote it is the deployment's; a second operator's write is found", async (t) => {
  const { values, log, after, api } = await cloudflare(t);
  const config = file(t, SOUND, { account_id: "account-1", kv_namespaces: [{ binding: "JWKS_CACHE", id: "0123" }] });
  process.env.CLOUDFLARE_API_BASE_URL = api;
  process.env.CLOUDFLARE_API_TOKEN = "made-up";
  t.after(() => ["CLOUDFLARE_API_BASE_URL", "CLOUDFLARE_API_TOKEN"].forEach((name) => delete process.env[name]));
  const run = revokeAt("--config", config, "--remote");
  const said = await succeeds(run, "--issuer", ISSUER, "--all");
  assert.match(said, /^KV namespace JWKS_CACHE of [^\n]*: the deployment's, at Cloudflare\n1 {2}every token, of /);
  assert.equal(JSON.parse(values.get(KEY)).entries.length, 1);
  assert.deepEqual(log.filter((line) => !line.startsWith("GET keys")).slice(-3), [`GET ${KEY}`, `PUT ${KEY}`, `GET ${KEY}`]);
  // What is refused anyway costs no question, and nobody a login.
  const asked = log.length;
  assert.match(await fails(run, 1, "--issuer", `${ISSUER}/`, "--all"), /^Nothing was written: /);
  await fails(run, 2, "--issuer", ISSUER);
  assert.equal(log.length, asked);
  // Another command, which had read the same, writes right after; its entry has the same number.
  const { version, entries: [first] } = JSON.parse(values.get(KEY));
  const { number: _, ...second } = { ...first, kind: "subject", value: "c" };
  after("PUT", () => values.set(KEY, revocations(version + 1, [first, second])));
  assert.match(await fails(run, 1, "--issuer", ISSUER, "--subject", "b"), /^What was written is not what KV gives/);
  const others = revocations(version, [first]);
  values.set(KEY, others);
  after("PUT", () => values.set(KEY, others));
  assert.match(await fails(run, 1, "--issuer", ISSUER, "--subject", "b"), /^What was written is not what KV gives/);
  assert.match(await fails(run, 1, "--undo", "1"), /^What was written is not what KV gives/);
  assert.equal(values.get(KEY), others);
});
