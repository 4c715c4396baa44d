// The Worker in front of a real MCP server, started as docs/deploying.md says: `npm run serve` with
// a trial.toml, whose entry for the authorization server is the one of docs/providers.md. The MCP
// server is tests/origins/typescript-sdk-1: its tool says who is calling.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { privateJwk } from "../../e2e/support/assertion.mjs";
import { ROOT, wranglerEnv } from "../../e2e/support/bundle.mjs";
import { bounded, until } from "../../e2e/support/until.mjs";
import { freePort, startServer } from "../../origins/support/origin.mjs";

const ORIGIN = fileURLToPath(new URL("../../origins/typescript-sdk-1/server.mjs", import.meta.url));
const PAGE = readFileSync(join(ROOT, "docs", "providers.md"), "utf8");
const START_MS = 60_000;

/**
 * The entry in this section of docs/providers.md, with the addresses of this machine in place of
 * those that it shows.
 */
export function entryOf(section, { authorizationServer, resource }) {
  const text = PAGE.split(`\n## ${section}\n`)[1]?.split("\n## ")[0];
  const entry = /```toml\n([^`]*)```/.exec(text ?? "")?.[1];
  assert.ok(entry?.includes("https://auth.example.com"), `docs/providers.md has an entry for ${section}`);
  return entry.replaceAll("https://auth.example.com", authorizationServer).replaceAll("https://mcp.example.com/mcp", resource);
}

/**
 * Starts both, the Worker at `resource`, until the test ends. Gives { url, requests(), output() };
 * requests() are the log's lines so far.
 */
export async function startEdge(t, resource, entry) {
  const { port, origin: issuer } = new URL(resource);
  const originPort = await freePort();
  const audience = `http://127.0.0.1:${originPort}/mcp`;
  await startServer(t, {
    command: process.execPath, file: ORIGIN, port: originPort,
    env: { ISSUER: issuer, AUDIENCE: audience, JWKS_URI: `${issuer}/.well-known/mcp-edge-auth/jwks.json` },
  });
  const folder = mkdtempSync(join(tmpdir(), "mcp-edge-auth-servers-"));
  const config = join(folder, "trial.toml");
  writeFileSync(config, `name = "trial"
main = "entry.mjs"
compatibility_date = "2026-04-26"
[vars]
MCP_SERVER_AUTH_CANONICAL_URL = "${resource}"
ORIGIN_URL = "${audience}"
MCP_SERVER_AUTH_ASSERTION = "bearer"
MCP_SERVER_AUTH_ASSERTION_KEY = '${JSON.stringify(privateJwk("p256", "servers"))}'
${entry.replace("[vars]\n", "")}`);
  writeFileSync(join(folder, "entry.mjs"), ""); // wrangler looks for it; what runs is build/
  const args = ["--no-build", "--config", config, "--kv", join(folder, "kv"), "--port", port];
  const child = spawn(process.execPath, [join(ROOT, "cli", "bin.mjs"), "serve", ...args], { cwd: folder, env: wranglerEnv(), stdio: ["ignore", "pipe", "pipe"] });
  let log = "";
  let said = "";
  child.stdout.setEncoding("utf8").on("data", (text) => (log += text));
  child.stderr.setEncoding("utf8").on("data", (text) => (said += text));
  let ended = false;
  const end = new Promise((resolve) => child.once("close", resolve)).then(() => (ended = true));
  t.after(async () => {
    child.kill("SIGTERM");
    await bounded("the Worker's end", end);
    rmSync(folder, { recursive: true, force: true });
  });
  await until("the Worker", () => {
    assert.ok(!ended, said);
    return fetch(new URL("/healthz", resource)).then(({ ok }) => ok, () => false);
  }, START_MS);
  const whole = () => log.slice(0, log.lastIndexOf("\n") + 1).split("\n");
  const requests = () => whole().filter((line) => line.startsWith("{")).map((line) => JSON.parse(line)).filter(({ event }) => event === "request");
  return { url: resource, requests, output: () => said + log };
}
