// The MCP project's own conformance suite, scenario http-header-validation (SEP-2243), in front of a server that never looks at the
// mirrored headers: directly, and through the Worker with rules. The Worker makes up for what the server does not check.
//
// The suite needs Node 22 and has a package-lock of its own in tests/conformance. What is missing is fetched; where it cannot
// be had, the test is skipped and says why.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { existsSync, statSync } from "node:fs";
import { mkdtemp, readFile, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { before, test } from "node:test";
import { promisify } from "node:util";
import { startBearerShim } from "./support/bearer-shim.mjs";
import { ROOT } from "./support/bundle.mjs";
import { startMcpServer } from "./support/mcp-server.mjs";
import { stage } from "./support/stage.mjs";

const SCENARIO = "http-header-validation";
const NODE = "node@22.23.3";
const FETCH_MS = 180_000;
const RUN_MS = 60_000;
const SUITE = join(ROOT, "tests", "conformance");
const LOCK = join(SUITE, "package-lock.json");
const INSTALLED = join(SUITE, "node_modules", ".package-lock.json"); // npm writes this one last
const MAIN = join(SUITE, "node_modules", "@modelcontextprotocol", "conformance", "dist", "index.js");

const run = promisify(execFile);
const suite = {};

before(async () => {
  try {
    if (!existsSync(INSTALLED) || statSync(INSTALLED).mtimeMs < statSync(LOCK).mtimeMs) {
      await run("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund"], { cwd: SUITE, timeout: FETCH_MS });
    }
    suite.node = await node22();
  } catch (error) {
    suite.missing = `the conformance suite and Node 22 cannot be had here: ${error.message.split("\n")[0]}`;
  }
});

/** The path of a Node that can run the suite: this one, or one that npm fetches into its cache. */
async function node22() {
  if (Number(process.versions.node.split(".")[0]) >= 22) return process.execPath;
  // From elsewhere: in a folder with packages of its own, npx would look there first.
  const { stdout } = await run("npx", ["--yes", "--package", NODE, "node", "--print", "process.execPath"], { cwd: tmpdir(), timeout: FETCH_MS });
  return stdout.trim();
}

/** The scenario's checks: [{ id, name, status }], for the MCP server at `url`. */
async function checksAt(t, url) {
  const folder = await mkdtemp(join(tmpdir(), "mcp-edge-auth-conformance-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const args = [MAIN, "server", "--url", url, "--scenario", SCENARIO, "--output-dir", folder];
  const { stdout } = await run(suite.node, args, { cwd: folder, timeout: RUN_MS }).catch((error) => error); // 1: a check failed
  const files = (await readdir(folder, { recursive: true })).filter((name) => name.endsWith("checks.json"));
  assert.equal(files.length, 1, stdout);
  return { checks: JSON.parse(await readFile(join(folder, files[0]), "utf8")), stdout };
}

const named = (checks, status) => checks.filter((check) => check.status === status).map(({ name }) => name).sort();

const ACCEPTED = ["ServerAcceptsLowercaseHeaderName", "ServerAcceptsUppercaseHeaderName", "ServerAcceptsWhitespaceHeaderValue", "WireSchemaValid"];
const REJECTED = [
  "ServerRejectsCaseMismatchValue", "ServerRejectsMismatchedMethodHeader", "ServerRejectsMismatchedNameHeader", "ServerRejectsMissingMethodHeader",
  "ServerRejectsMissingNameHeader",
];

test(`${SCENARIO}: 4 of 9 by the server alone, 9 of 9 through the Worker, each refusal with the right error code`, { timeout: 2 * FETCH_MS }, async (t) => {
  if (suite.missing) return t.skip(suite.missing);
  const server = await startMcpServer(t, { tools: { echo: "hello" } });
  const s = await stage(t, {
    vars: { ORIGIN_URL: server.url, MCP_SERVER_AUTH_POLICY: { rules: [{ methods: ["tools/call"], names: ["echo"], scopes: ["tools:call"] }] } },
  });
  const port = await startBearerShim(t, { port: s.worker.port, token: s.token({ scope: "tools:call" }) });

  const alone = await checksAt(t, server.url);
  assert.deepEqual(named(alone.checks, "SUCCESS"), ACCEPTED, alone.stdout);
  assert.deepEqual(named(alone.checks, "FAILURE"), REJECTED, alone.stdout);
  assert.equal(server.calls.length, 3, "the server did what the headers denied");

  const through = await checksAt(t, `http://127.0.0.1:${port}/mcp`);
  assert.deepEqual(named(through.checks, "FAILURE"), [], through.stdout);
  // A missing -32020 would be a WARNING, which the suite's own count leaves out.
  assert.deepEqual(named(through.checks, "SUCCESS"), [...ACCEPTED, ...REJECTED, ...REJECTED.map((name) => `${name}ErrorCode`)].sort(), through.stdout);
  assert.equal(server.calls.length, 3 + 1, "through the Worker, only the call that is right arrives");

  const lines = s.worker.lines("request");
  assert.equal(lines.filter(({ outcome }) => outcome === "forwarded").length, 4, "set-up, blanks around the name, two spellings of a header");
  assert.equal(lines.filter(({ outcome, status }) => outcome === "refused" && status === 400).length, REJECTED.length);
});
