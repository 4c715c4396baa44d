// docs/self-hosting.md: `serve` is the Worker in bare workerd, with wrangler.toml's
// settings and the secrets of `.dev.vars`, its key sets on disk; with a fault in the settings it
// does not start.
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import http from "node:http";
import net from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { ROOT, wranglerEnv } from "./support/bundle.mjs";
import { assertPlain, HOSTILE } from "./support/hostile.mjs";
import { open, send, whole } from "./support/http.mjs";
import { reply, startIssuer } from "./support/issuer.mjs";
import { signingKey } from "./support/keys.mjs";
import { mint } from "./support/mint.mjs";
import { BASE, startOrigin } from "./support/origin.mjs";
import { assertInvalid, assertUnauthorized, bearer, CANONICAL, goodClaims, INVALID, METADATA, NOT_FOR_US } from "./support/stage.mjs";
import { bounded, until } from "./support/until.mjs";

const START_MS = 60_000;
const rsa = signingKey("rsa");

/**
 * A folder with a wrangler.toml, and room for what the server writes: its temporary files, its key
 * sets.
 */
function folder(t, wranglerToml, devVars) {
  const path = mkdtempSync(join(tmpdir(), "mcp-edge-auth-serve-test-"));
  t.after(() => rmSync(path, { recursive: true, force: true }));
  mkdirSync(join(path, "tmp"));
  writeFileSync(join(path, "wrangler.toml"), `name = "served"\nmain = "entry.mjs"\ncompatibility_date = "2026-04-26"\n${wranglerToml}`);
  writeFileSync(join(path, "entry.mjs"), "");
  if (devVars) writeFileSync(join(path, ".dev.vars"), devVars);
  return path;
}

/** The settings of a good Worker for this issuer and origin. */
const vars = (issuer, origin) => `[vars]
MCP_SERVER_AUTH_CANONICAL_URL = "${CANONICAL}"
ORIGIN_URL = "${origin.url}${BASE}"
[[vars.MCP_SERVER_AUTH_AUTHORIZATION_SERVERS]]
authorization_server_url = "${issuer.url}"
jwks_uri = "${issuer.url}/jwks"
`;

/** `serve` without its build: { port, stdout, stderr, kill(signal), ended }. */
function start(t, path, ...args) {
  const at = ["--no-build", "--config", join(path, "wrangler.toml"), "--kv", join(path, "kv"), ...args];
  const child = spawn(process.execPath, [join(ROOT, "cli", "bin.mjs"), "serve", ...at], {
    cwd: path,
    env: { ...wranglerEnv(), TMPDIR: join(path, "tmp") },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const server = { stdout: "", stderr: "", temporary: join(path, "tmp"), kill: (signal) => child.kill(signal) };
  for (const name of ["stdout", "stderr"]) child[name].setEncoding("utf8").on("data", (text) => (server[name] += text));
  server.ended = new Promise((resolve) => child.once("close", (code, signal) => resolve(code ?? signal)));
  server.stop = async (signal = "SIGTERM") => {
    child.kill(signal);
    return bounded("the server's end", server.ended);
  };
  t.after(() => server.stop());
  return server;
}

async function serving(t, path, ...args) {
  const server = start(t, path, "--port", "0", ...args);
  let ended = false;
  server.ended.then(() => (ended = true));
  const said = await until("the server", () => {
    assert.ok(!ended, server.stderr);
    return /^Listening on .*:(\d+)\. /m.exec(server.stderr);
  }, START_MS);
  return Object.assign(server, { port: Number(said[1]) });
}

/** It never listens: exit code 1, and what it says. */
const refused = (t, path, ...args) => ended(t, 1, path, ...args);

async function ended(t, code, path, ...args) {
  const server = start(t, path, "--port", "0", ...args);
  assert.equal(await bounded("the server's refusal", server.ended, START_MS), code, server.stderr);
  assert.doesNotMatch(server.stderr, /Listening/);
  return server.stderr;
}

const call = (server, token) => send(server.port, { method: "POST", path: "/mcp", headers: { host: "mcp.example.com", ...bearer(token) }, body: "{}" });
const logged = (server) => server.stdout.split("\n").filter(Boolean).map((line) => JSON.parse(line));

test("a good token gets through, others do not, and the log is stdout", async (t) => {
  const [issuer, origin] = [await startIssuer(t, { keys: [rsa] }), await startOrigin(t)];
  const path = folder(t, vars(issuer, origin));
  const server = await serving(t, path);
  // This machine only. (127.0.0.2 is here, too, on Linux.)
  if (process.platform === "linux") await assert.rejects(once(net.connect(server.port, "127.0.0.2"), "connect"), { code: "ECONNREFUSED" });
  const token = (over, rest) => mint({ key: rsa, claims: goodClaims(issuer, over), ...rest });

  const response = await call(server, token());
  assert.deepEqual([response.status, response.json()], [200, { method: "POST", url: BASE, body: "{}" }]);
  assert.equal(origin.last().header("x-mcp-auth-user-id"), "user-1");
  assert.equal(origin.last().header("authorization"), undefined);

  const before = origin.seen.length;
  // The canonical URL is the settings', whatever Host says.
  assertUnauthorized(await call(server), { metadata: METADATA });
  assertUnauthorized(await send(server.port, { path: "/mcp", headers: { host: "evil.example", "x-forwarded-host": "evil.example" } }), { metadata: METADATA });
  assertInvalid(await call(server, token({ aud: "https://other.example.com" })), NOT_FOR_US);
  assertInvalid(await call(server, token({}, { key: signingKey("rsa", "stranger"), header: { kid: rsa.kid } })), INVALID);
  assert.equal(origin.seen.length, before);

  assert.equal(await server.stop(), 0, server.stderr);
  await assert.rejects(send(server.port), { code: "ECONNREFUSED" });
  const lines = logged(server);
  assert.ok(lines.some(({ event, ...line }) => event === "start" && line["Key sets"] === "KV binding JWKS_CACHE"), server.stdout);
  assert.deepEqual(lines.filter(({ event }) => event === "request").map(({ reason }) => reason),
    ["ok", "credentials_missing", "credentials_missing", "aud_mismatch", "signature_invalid"]);
});

test("key sets land on the disk, and a server that is started again does without a fetch", async (t) => {
  const [issuer, origin] = [await startIssuer(t, { keys: [rsa] }), await startOrigin(t)];
  const path = folder(t, vars(issuer, origin));
  const token = mint({ key: rsa, claims: goodClaims(issuer) });
  const kept = () => readdirSync(join(path, "kv")).filter((name) => name.startsWith("jwks:"));

  const first = await serving(t, path);
  assert.equal((await call(first, token)).status, 200);
  await until("the key set on disk", () => kept().length === 1);
  assert.equal(await first.stop(), 0);
  assert.equal(issuer.hits("/jwks"), 1);
  assert.match(readFileSync(join(path, "kv", kept()[0]), "utf8"), new RegExp(rsa.kid));
  assert.equal(statSync(join(path, "kv")).mode & 0o777, 0o700);

  await issuer.close();
  const second = await serving(t, path);
  assert.equal((await call(second, token)).status, 200);
  assert.equal(await second.stop(), 0);
  assert.equal(logged(second).find(({ reason }) => reason === "ok").keys, "kv");
});

test("limits are counted in memory, by the binding's own numbers", async (t) => {
  const [issuer, origin] = [await startIssuer(t, { keys: [rsa] }), await startOrigin(t)];
  const settings = vars(issuer, origin).replace("[vars]", `[[ratelimits]]
name = "CALLS"
namespace_id = "1"
simple = { limit = 2, period = 60 }

[[unsafe.bindings]]
name = "BURSTS"
type = "ratelimit"
namespace_id = "2"
simple = { limit = 1, period = 10 }

[vars]
MCP_SERVER_AUTH_POLICY = '{"limits":[{"by":"user","binding":"CALLS"},{"by":"user+tool","binding":"BURSTS","period":10}]}'`);
  const server = await serving(t, folder(t, settings));
  const ask = async (sub, message) => {
    const headers = { host: "mcp.example.com", "content-type": "application/json", ...bearer(mint({ key: rsa, claims: goodClaims(issuer, { sub }) })) };
    const answer = await send(server.port, { method: "POST", path: "/mcp", headers, body: JSON.stringify({ jsonrpc: "2.0", id: 1, ...message }) });
    return [answer.status, answer.get("retry-after")];
  };
  // Its windows begin with a minute.
  await until("the beginning of a minute", () => Date.now() % 60_000 < 45_000, 20_000);
  const ping = { method: "ping" };
  const call = { method: "tools/call", params: { name: "echo" } };
  for (const [sub, message, expected] of [
    ["a", ping, [200, undefined]], ["a", ping, [200, undefined]], ["a", ping, [429, "60"]],
    ["b", call, [200, undefined]], ["b", call, [429, "10"]], ["c", call, [200, undefined]],
  ]) assert.deepEqual(await ask(sub, message), expected, `${sub}: ${message.method}`);
  assert.equal(await server.stop(), 0, server.stderr);
});

test("with faults it does not start, and names them", async (t) => {
  const issuer = await startIssuer(t);
  const secret = "s3cret";
  const path = folder(t, `[vars]\nMCP_SERVER_AUTH_CANONICAL_URL = "http://${secret}.example"\nMCP_SERVER_AUTH_CACHE_TTL = 5\n[env.own.vars]\nORIGIN_URL = "${issuer.url}"\n`);
  const said = await refused(t, path);
  for (const name of ["MCP_SERVER_AUTH_CANONICAL_URL", "MCP_SERVER_AUTH_CACHE_TTL", "MCP_SERVER_AUTH_AUTHORIZATION_SERVERS", "ORIGIN_URL"]) {
    assert.match(said, new RegExp(`^- ${name}\\b`, "m"));
  }
  assert.ok(!said.includes(secret), said);
  const own = await refused(t, path, "--env", "own");
  assert.ok(own.includes("CANONICAL_URL") && !own.includes("CACHE_TTL") && !own.includes("ORIGIN_URL"), own);
  assert.match(await refused(t, path, "--env", "absent"), /absent/);
  assert.deepEqual(readdirSync(join(path, "tmp")), []); // nothing of what workerd was told is left
});

test("what the settings hold does not reach the terminal as it is", async (t) => {
  const [issuer, origin] = [await startIssuer(t), await startOrigin(t)];
  const policy = JSON.stringify({ [HOSTILE]: 1 }).replaceAll(/[\u007f-\uffff]/g, (odd) => `\\u${odd.charCodeAt(0).toString(16).padStart(4, "0")}`);
  const said = await refused(t, folder(t, vars(issuer, origin).replace("[vars]", `[vars]\nMCP_SERVER_AUTH_POLICY = '${policy}'`)));
  assert.match(said, /^- MCP_SERVER_AUTH_POLICY\.k\?\[2J.*no such field/m);
  assertPlain(said);
});

test("secrets come from .dev.vars; one that is missing or has a fault is found before a port is opened", async (t) => {
  const [issuer, origin] = [await startIssuer(t, { keys: [rsa] }), await startOrigin(t)];
  const settings = vars(issuer, origin).replace("[vars]", '[vars]\nMCP_SERVER_AUTH_ASSERTION = "header"');
  const { privateKey } = signingKey("p256");
  const jwk = JSON.stringify({ ...privateKey.export({ format: "jwk" }), kid: "a", alg: "ES256" });

  const server = await serving(t, folder(t, settings, `# a comment\nMCP_SERVER_AUTH_ASSERTION_KEY='${jwk}'\n`));
  assert.equal((await call(server, mint({ key: rsa, claims: goodClaims(issuer) }))).status, 200);
  const [, claims] = origin.last().header("x-mcp-auth-assertion").split(".");
  assert.equal(JSON.parse(Buffer.from(claims, "base64url")).sub, "user-1");
  // What workerd was told is gone, while it runs.
  assert.deepEqual(readdirSync(server.temporary), []);
  await server.stop();
  assert.ok(!(server.stdout + server.stderr).includes(JSON.parse(jwk).d));

  assert.match(await refused(t, folder(t, settings)), /^- MCP_SERVER_AUTH_ASSERTION_KEY/m);
  const said = await refused(t, folder(t, settings, "MCP_SERVER_AUTH_ASSERTION_KEY=s3cret\n"));
  assert.ok(/^- MCP_SERVER_AUTH_ASSERTION_KEY/m.test(said) && !said.includes("s3cret"), said);
});

test("wrangler.json and wrangler.jsonc are read as wrangler reads them; two files side by side are a fault", async (t) => {
  const [issuer, origin] = [await startIssuer(t, { keys: [rsa] }), await startOrigin(t)];
  const settings = {
    name: "served", main: "entry.mjs", compatibility_date: "2026-04-26",
    vars: { MCP_SERVER_AUTH_CANONICAL_URL: CANONICAL, ORIGIN_URL: origin.url + BASE, MCP_SERVER_AUTH_AUTHORIZATION_SERVERS: [{ authorization_server_url: issuer.url, jwks_uri: `${issuer.url}/jwks` }] },
  };
  const path = folder(t, vars(issuer, origin));
  rmSync(join(path, "wrangler.toml"));
  writeFileSync(join(path, "wrangler.jsonc"), `// a comment\n${JSON.stringify(settings)}`);
  const at = (name) => ["--config", join(path, name)]; // the last one counts
  const server = await serving(t, path, ...at("wrangler.jsonc"));
  assert.equal((await call(server, mint({ key: rsa, claims: goodClaims(issuer) }))).status, 200);
  assert.equal(await server.stop(), 0);

  writeFileSync(join(path, "wrangler.json"), JSON.stringify({ ...settings, vars: { ...settings.vars, MCP_SERVER_AUTH_CACHE_TTL: 1 } }));
  const said = await refused(t, path, ...at("wrangler.json"));
  assert.match(said, /^- wrangler\.jsonc lies beside wrangler\.json, which wrangler takes: keep one of the two$/m);
  assert.match(said, /^- MCP_SERVER_AUTH_CACHE_TTL: /m);
});

test("nobody tells of certificates there: to demand them is a fault, and no token that is bound to one gets in", async (t) => {
  const [issuer, origin] = [await startIssuer(t, { keys: [rsa] }), await startOrigin(t)];
  const mtls = (use) => vars(issuer, origin).trimEnd() + `\nmtls = "${use}"\n`;
  const said = await refused(t, folder(t, mtls("require")));
  assert.match(said, /^- MCP_SERVER_AUTH_AUTHORIZATION_SERVERS\[0\]\.mtls: expected off or accept: outside Cloudflare /m);
  const server = await serving(t, folder(t, mtls("accept")));
  const bound = mint({ key: rsa, claims: goodClaims(issuer, { cnf: { "x5t#S256": Buffer.alloc(32).toString("base64url") } }) });
  assertInvalid(await call(server, bound), INVALID);
  const line = await until("its line", () => logged(server).find(({ event }) => event === "request"));
  assert.equal(line.reason, "certificate_missing");
});

test("it does not serve with less than it is told", async (t) => {
  const [issuer, origin] = [await startIssuer(t), await startOrigin(t)];
  const settings = vars(issuer, origin);
  for (const kind of ['services = [{ binding = "ORIGIN", service = "other" }]', 'mtls_certificates = [{ binding = "ORIGIN", certificate_id = "c" }]']) {
    assert.match(await refused(t, folder(t, `${kind}\n${settings}`)), /nothing to bind as ORIGIN/);
  }

  const writable = folder(t, settings);
  mkdirSync(join(writable, "kv"));
  chmodSync(join(writable, "kv"), 0o777);
  assert.match(await refused(t, writable), /Others can write to .*\/kv/);

  for (const args of [["--port", "http"], ["--port", "65536"], ["--prot", "1"]]) assert.match(await ended(t, 2, folder(t, settings), ...args), /port|prot/);
});

test("a port that is in use is said, and left alone", async (t) => {
  const [issuer, origin] = [await startIssuer(t), await startOrigin(t)];
  const path = folder(t, vars(issuer, origin));
  const server = start(t, path, "--port", String(issuer.port));
  assert.equal(await bounded("the server's end", server.ended, START_MS), 1);
  assert.equal(server.stderr, `127.0.0.1:${issuer.port} is in use: stop what listens there, or choose another port with --port.\n`);
  assert.equal(server.stdout, "");
});

test("whatever workerd refuses is one sentence", async (t) => {
  const [issuer, origin] = [await startIssuer(t), await startOrigin(t)];
  const with_ = (date) => {
    const path = folder(t, vars(issuer, origin));
    const file = join(path, "wrangler.toml");
    writeFileSync(file, readFileSync(file, "utf8").replace(/^compatibility_date = .*\n/m, date));
    return path;
  };
  for (const [path, args, said] of [
    [with_(""), [], /^wrangler\.toml has no compatibility_date, .*: add compatibility_date = "\d{4}-\d\d-\d\d"\.$/],
    [with_('compatibility_date = "2099-01-01"\n'), [], /^workerd does not start: This Worker requires compatibility date "2099-01-01", but the newest/],
    [with_('compatibility_date = "2026-04-26"\ncompatibility_flags = ["no_such_flag"]\n'), [], /^workerd does not start: .*no_such_flag/],
    [folder(t, vars(issuer, origin)), ["--host", "192.0.2.1"], /^192\.0\.2\.1:0 is no address of this machine: choose one with --host\.$/],
  ]) {
    const stderr = await refused(t, path, ...args);
    assert.match(stderr.trimEnd(), said);
    assert.equal(stderr.trimEnd().split("\n").length, 1, stderr);
    assert.doesNotMatch(stderr, /stack:|kj::|c\+\+/);
  }
});

test("stdout is the log, line by line, each with its time", async (t) => {
  const [issuer, origin] = [await startIssuer(t, { keys: [rsa] }), await startOrigin(t)];
  const server = await serving(t, folder(t, vars(issuer, origin).replace(`${origin.url}`, "http://nowhere.invalid")));
  const before = Date.now();
  const token = mint({ key: rsa, claims: goodClaims(issuer) });
  assert.equal((await call(server, token)).status, 502);
  await until("its line", () => server.stdout.includes("origin_unreachable"));
  const after = Date.now();
  const lines = logged(server);
  assert.deepEqual(lines.map(({ event }) => event), ["start", "keys", "request"]);
  for (const line of lines) {
    assert.match(line.time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    assert.equal(Object.keys(line)[0], "time");
  }
  const at = Date.parse(lines.at(-1).time);
  assert.ok(before <= at && at <= after);
  assert.match(server.stderr, /DNS lookup failed/, "the runtime's own words are on stderr");
  assert.doesNotMatch(server.stderr, /^stack:/m);
});

for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"]) {
  test(`${signal} lets a request end, and frees the port`, async (t) => {
    const [issuer, origin] = [await startIssuer(t, { keys: [rsa] }), await startOrigin(t)];
    const server = await serving(t, folder(t, vars(issuer, origin)));
    // A proxy keeps connections; one without a request on it must not hold the server up.
    const agent = new http.Agent({ keepAlive: true });
    t.after(() => agent.destroy());
    const idle = http.get({ host: "127.0.0.1", port: server.port, path: "/healthz", agent });
    idle.on("response", (message) => message.resume()).on("error", () => {});
    await bounded("an idle connection", once(agent, "free"));

    const held = reply.held((_, res) => res.writeHead(200).end("late"));
    let asked = false;
    origin.on(BASE, (req, res) => {
      asked = true;
      return held(req, res);
    });
    const { request, response } = open(server.port, { method: "POST", path: "/mcp", headers: bearer(mint({ key: rsa, claims: goodClaims(issuer) })) });
    request.end("{}");
    await until("the request at the origin", () => asked);
    server.kill(signal);
    await until("that it has heard", () => server.stderr.includes("Stopping"));
    held.release();
    assert.equal((await whole(await response)).text, "late");
    assert.equal(await bounded("the server's end", server.ended, 5_000), 0, server.stderr);
    await assert.rejects(send(server.port), { code: "ECONNREFUSED" });
  });
}

test("after a second signal, an open stream is not waited for", async (t) => {
  const [issuer, origin] = [await startIssuer(t, { keys: [rsa] }), await startOrigin(t)];
  const server = await serving(t, folder(t, vars(issuer, origin)));
  origin.on(BASE, (_, res) => res.writeHead(200, { "content-type": "text/event-stream" }).write("data: 1\n\n"));
  const { request, response } = open(server.port, { path: "/mcp", headers: bearer(mint({ key: rsa, claims: goodClaims(issuer) })) });
  request.end();
  (await response).on("error", () => {}).resume();
  server.kill("SIGTERM");
  await until("that it has heard", () => server.stderr.includes("Stopping"));
  server.kill("SIGTERM");
  assert.equal(await bounded("the server's end", server.ended, 5_000), 0, server.stderr);
  await assert.rejects(send(server.port), { code: "ECONNREFUSED" });
});

test("what keygen prints goes into .dev.vars as docs/self-hosting.md says, and the last key of a name counts", async (t) => {
  const page = readFileSync(join(ROOT, "docs", "self-hosting.md"), "utf8");
  const [, commands] = /^```sh\n(umask [^]*?)^```$/m.exec(page);
  const [issuer, origin] = [await startIssuer(t, { keys: [rsa] }), await startOrigin(t)];
  const path = folder(t, vars(issuer, origin).replace("[vars]", '[vars]\nMCP_SERVER_AUTH_ASSERTION = "header"'));
  const keygen = `'${process.execPath}' '${join(ROOT, "cli", "bin.mjs")}' keygen`;
  for (const _ of ["the first time", "a second time"]) {
    const script = commands.replaceAll("npx mcp-edge-auth keygen", keygen);
    execFileSync("sh", ["-ec", script], { cwd: path, stdio: "pipe" });
  }
  const file = join(path, ".dev.vars");
  assert.equal(statSync(file).mode & 0o077, 0);
  const lines = readFileSync(file, "utf8").trim().split("\n");
  assert.equal(lines.length, 4);

  const server = await serving(t, path);
  origin.on(BASE, (_, res) => res.writeHead(200, { "mcp-session-id": "a" }).end());
  const response = await call(server, mint({ key: rsa, claims: goodClaims(issuer) }));
  assert.match(response.get("mcp-session-id"), /^a\.[\w-]{43}$/);
  const [head] = origin.last().header("x-mcp-auth-assertion").split(".");
  const { kid } = JSON.parse(lines.findLast((line) => line.startsWith("MCP_SERVER_AUTH_ASSERTION_KEY=")).slice("MCP_SERVER_AUTH_ASSERTION_KEY='".length, -1));
  assert.equal(JSON.parse(Buffer.from(head, "base64url")).kid, kid);
});
