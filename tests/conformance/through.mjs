// The conformance suite twice, for one revision of MCP: against a bare server, and against the same
// server behind the Worker. The suite has no way to send a token, so a shim before the Worker adds
// one line to each request.
import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { mkdtemp, readFile, readdir, rm } from "node:fs/promises";
import net from "node:net";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { startBearerShim } from "../e2e/support/bearer-shim.mjs";
import { ensureInstalled, node22 } from "../e2e/support/packages.mjs";
import { stage } from "../e2e/support/stage.mjs";
import { bounded, until } from "../e2e/support/until.mjs";

export const REVISIONS = ["2025-11-25", "2026-07-28"];

const FOLDER = fileURLToPath(new URL(".", import.meta.url));
export const MAIN = join(FOLDER, "node_modules", "@modelcontextprotocol", "conformance", "dist", "index.js");
const UP_MS = 30_000;
const RUN_MS = 300_000;

/** Fetches the suite, what the servers need and Node 22: its path. */
export async function suite() {
  await ensureInstalled(FOLDER);
  return node22();
}

/**
 * `t` needs only `after`. Gives { scenarios, checks, passed, differences } of both runs;
 * differences: lines to read.
 */
export async function through(t, node, revision) {
  const url = await startFixture(t, node, revision);
  // On loopback, where a foreign Origin must be refused.
  const canonical = "http://127.0.0.1:8787/mcp";
  const s = await stage(t, { vars: { MCP_SERVER_AUTH_CANONICAL_URL: canonical, ORIGIN_URL: url } });
  const port = await startBearerShim(t, { port: s.worker.port, token: s.token({ aud: canonical }) });
  const bare = await checksAt(t, node, url, revision);
  const behind = await checksAt(t, node, `http://127.0.0.1:${port}/mcp`, revision);
  const forwarded = s.worker.lines("request").filter(({ outcome }) => outcome === "forwarded").length;
  return { ...compared(bare, behind), scenarios: bare.size, forwarded };
}

async function startFixture(t, node, revision) {
  const port = await freePort();
  const child = spawn(node, [join(FOLDER, "fixtures", `${revision}.mjs`)], { env: { PATH: process.env.PATH, PORT: String(port) }, stdio: ["ignore", "ignore", "pipe"] });
  let said = "";
  let over = false;
  child.stderr.on("data", (chunk) => (said += chunk));
  const ended = new Promise((resolve) => child.once("close", resolve)).then(() => (over = true));
  t.after(() => {
    child.kill("SIGKILL");
    return bounded("the fixture's end", ended);
  });
  const url = `http://127.0.0.1:${port}/mcp`;
  await until("the fixture's first answer", () => {
    assert.ok(!over, `the fixture of ${revision} ended:\n${said}`);
    return fetch(url).then(() => true, () => false);
  }, UP_MS);
  return url;
}

async function freePort() {
  const server = net.createServer();
  await new Promise((resolve, reject) => server.once("error", reject).listen(0, "127.0.0.1", resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** scenario → its checks, each `STATUS id name`, in no order. */
async function checksAt(t, node, url, revision) {
  const folder = await mkdtemp(join(tmpdir(), "mcp-edge-auth-conformance-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const args = [MAIN, "server", "--url", url, "--requirements", revision, "--output-dir", folder];
  // Exit code 1: some check failed. Whether it ran at all is seen in what it wrote.
  const { stdout, stderr } = await promisify(execFile)(node, args, { cwd: folder, timeout: RUN_MS, maxBuffer: 64 << 20 }).catch((error) => error);
  const files = (await readdir(folder, { recursive: true })).filter((name) => basename(name) === "checks.json");
  assert.ok(files.length > 30, `the suite wrote ${files.length} results:\n${stdout}\n${stderr}`);
  const scenarios = await Promise.all(files.map(async (name) => {
    const checks = JSON.parse(await readFile(join(folder, name), "utf8"));
    const scenario = basename(dirname(name)).replace(/-\d{4}-\d{2}-\d{2}T[\d-]+Z$/, "").replace(/^server-/, "");
    return [scenario, checks.map((check) => `${check.status} ${check.id} ${check.name}`).sort()];
  }));
  assert.equal(new Set(scenarios.map(([name]) => name)).size, files.length, "each scenario once");
  return new Map(scenarios.sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Two runs, check by check: what is in one and not in the other, status included. */
export function compared(bare, behind) {
  const differences = [];
  for (const scenario of new Set([...bare.keys(), ...behind.keys()])) {
    const rest = [...(behind.get(scenario) ?? [])];
    for (const check of bare.get(scenario) ?? []) {
      const at = rest.indexOf(check);
      if (at < 0) differences.push(`${scenario}: bare: ${check}`);
      else rest.splice(at, 1);
    }
    differences.push(...rest.map((check) => `${scenario}: behind the Worker: ${check}`));
  }
  const all = [...bare.values()].flat();
  const failed = [...bare].filter(([, checks]) => checks.some((check) => check.startsWith("FAILURE"))).map(([scenario]) => scenario);
  return { differences, checks: all.length, passed: all.filter((check) => check.startsWith("SUCCESS")).length, failed };
}
