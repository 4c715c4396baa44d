// Runs `npm run doctor`'s script on settings of a test, and finds its lines.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import http from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { loadCore } from "../../../cli/core.mjs";
import { open } from "./http.mjs";
import { closed, listen, reply, startIssuer } from "./issuer.mjs";
import { BASE, startOrigin } from "./origin.mjs";
import { bounded } from "./until.mjs";
import { signingKey } from "./keys.mjs";

const SCRIPT = fileURLToPath(new URL("../../../cli/bin.mjs", import.meta.url));

/**
 * Settings of which there is nothing to say: no placeholder of the documentation's, and a scope to
 * ask for.
 */
export const OWN = { MCP_SERVER_AUTH_CANONICAL_URL: "https://mcp.acme.test/mcp", MCP_SERVER_AUTH_DEFAULT_CHALLENGE_SCOPES: "mcp:use" };

/** Starts the script as a user would, with `input` on stdin; gives { code, out, err }. */
export async function run(args, { input = "" } = {}) {
  const child = spawn(process.execPath, [SCRIPT, "doctor", ...args], { stdio: ["pipe", "pipe", "pipe"] });
  let out = "";
  let err = "";
  child.stdout.on("data", (chunk) => (out += chunk));
  child.stderr.on("data", (chunk) => (err += chunk));
  child.stdin.on("error", () => {});
  child.stdin.end(input);
  const ended = new Promise((resolve) => child.once("close", resolve));
  // The first run of all compiles it.
  const code = await bounded("the end of the doctor", ended, 600_000).finally(() => child.kill("SIGKILL"));
  return { code, out, err };
}

/** A folder with a wrangler.toml of these variables; structured ones as their JSON. */
export function wranglerToml(t, vars, more = "") {
  const folder = mkdtempSync(join(tmpdir(), "mcp-edge-auth-doctor-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const lines = Object.entries(vars).map(([name, value]) => `${name} = '''${typeof value === "string" ? value : JSON.stringify(value)}'''`);
  const file = join(folder, "wrangler.toml");
  writeFileSync(file, `compatibility_date = "2026-04-26"\nroutes = ["*mcp.acme.test/*"]\n\n[vars]\n${lines.join("\n")}\n\n[[kv_namespaces]]\nbinding = "JWKS_CACHE"\n${more}`);
  return file;
}

/** The doctor on these settings: its lines, its exit code, and ways to look for a line. */
export async function doctor(t, vars, { url, token } = {}) {
  const args = ["--config", wranglerToml(t, vars), "--json", ...(url ? ["--url", url] : []), ...(token ? ["--token", "-"] : [])];
  const { code, out, err } = await run(args, { input: token });
  if (token) assert.ok(!(out + err).includes(token), "the token is never printed");
  assert.ok(out.startsWith("{"), out + err);
  const { ok, lines } = JSON.parse(out);
  assert.equal(ok, code === 0);
  assert.equal(ok, !lines.some(({ level }) => level === "FAIL"), "the exit code says whether something failed");
  const shown = lines.map(({ level, check, says, todo }) => `${level} ${check}: ${says} → ${todo}`).join("\n");
  const of = (level) => lines.filter((line) => line.level === level);
  return {
    code,
    lines,
    shown,
    failed: () => [...new Set(of("FAIL").map(({ check }) => check))],
    warned: () => [...new Set(of("warn").map(({ check }) => check))],
    /** The first line of this level and check. */
    line(level, check) {
      const found = lines.find((line) => line.level === level && line.check === check);
      assert.ok(found, `${level} ${check} in:\n${shown}`);
      return found;
    },
  };
}

/**
 * The judging half alone, for a network that this machine does not have: `answer(fetch)` is what
 * comes back. Gives { lines, fetched }.
 */
export async function judge(t, vars, { url, token = null, answer }) {
  const deployment = { file: "wrangler.toml", settings: { vars, kv_namespaces: [{ binding: "JWKS_CACHE" }] } };
  const found = { lines: [], fetched: [] };
  const exchange = (fetch) => {
    found.fetched.push(fetch);
    return answer(fetch);
  };
  const { doctor } = await loadCore();
  await doctor({ deployment, url, token }, { exchange, tell: (line) => found.lines.push(line) });
  return found;
}

/** An issuer of the fake server's that clients could log in at. */
export function offer(issuer, members = {}, path = "") {
  const url = `${issuer.url}${path}`;
  const document = {
    issuer: url,
    jwks_uri: `${issuer.url}/jwks`,
    authorization_endpoint: `${url}/authorize`,
    token_endpoint: `${url}/token`,
    registration_endpoint: `${url}/register`,
    response_types_supported: ["code"],
    code_challenge_methods_supported: ["S256"],
    ...members,
  };
  issuer.on(`/.well-known/oauth-authorization-server${path}`, reply.json(document));
  return document;
}

/** Has an origin answer as an MCP server does, at BASE and at BASE with a slash. */
export function speaks(origin) {
  for (const path of [BASE, `${BASE}/`]) origin.on(path, reply.json({ jsonrpc: "2.0", id: 1, result: {} }));
}

/**
 * A server in front of `port` that may answer itself, or change an answer: `meddle(req, answer)`
 * edits { status, headers, body }.
 */
export async function inFront(t, port, meddle) {
  const server = http.createServer(async (req, res) => {
    const chunks = [];
    for await (const chunk of req) chunks.push(chunk);
    const { host, connection, ...headers } = req.headers;
    const { request, response } = open(port, { method: req.method, path: req.url, headers });
    request.end(Buffer.concat(chunks));
    const answer = await response;
    const body = [];
    for await (const chunk of answer) body.push(chunk);
    const { "transfer-encoding": _, ...rest } = answer.headers;
    const changed = { status: answer.statusCode, headers: rest, body: Buffer.concat(body) };
    meddle(req, changed);
    res.writeHead(changed.status, changed.headers).end(changed.body);
  });
  const at = await listen(server, 0);
  t.after(() => closed(server));
  return `http://127.0.0.1:${at}`;
}

/** Sound settings for an issuer that clients can log in at; `entry` adds fields. */
export async function sound(t, { entry = {}, vars = {}, keys = [signingKey("rsa")] } = {}) {
  const issuer = await startIssuer(t, { keys });
  const origin = await startOrigin(t);
  offer(issuer);
  return {
    issuer,
    origin,
    vars: {
      ...OWN,
      MCP_SERVER_AUTH_AUTHORIZATION_SERVERS: [{ authorization_server_url: issuer.url, ...entry }],
      ORIGIN_URL: `${origin.url}/mcp`,
      ...vars,
    },
  };
}
