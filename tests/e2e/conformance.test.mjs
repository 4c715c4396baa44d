// The MCP project's own conformance suite. Both revisions as a whole: the same, check by check,
// with and without the Worker. And scenario http-header-validation (SEP-2243) in front of a server
// that never looks at the mirrored headers: directly, and through the Worker with rules, which
// makes up for what the server does not check.
//
// The suite needs Node 22 and has a package-lock of its own in tests/conformance. What is missing
// is fetched; where it cannot be had, the test is skipped and says why.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, readFile, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { before, test } from "node:test";
import { promisify } from "node:util";
import { compared, MAIN, REVISIONS, suite as fetched, through } from "../conformance/through.mjs";
import { startBearerShim } from "./support/bearer-shim.mjs";
import { startMcpServer } from "./support/mcp-server.mjs";
import { orMissing } from "./support/packages.mjs";
import { stage } from "./support/stage.mjs";

const SCENARIO = "http-header-validation";
const FETCH_MS = 300_000;
const RUN_MS = 60_000;

const run = promisify(execFile);
const suite = {};

before(async () => Object.assign(suite, await orMissing("the conformance suite and Node 22", async () => ({ node: await fetched() }))));

/** The scenario's checks: [{ id, name, status }], for the MCP server at `url`. */
async function checksAt(t, url) {
  const folder = await mkdtemp(join(tmpdir(), "mcp-edge-auth-conformance-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const args = [MAIN, "server", "--url", url, "--scenario", SCENARIO, "--output-dir", folder];
  // 1: a check failed.
  const { stdout } = await run(suite.node, args, { cwd: folder, timeout: RUN_MS }).catch((error) => error);
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

for (const revision of REVISIONS) {
  test(`the suite's requirements of ${revision}: through the Worker every check ends as without it`, { timeout: FETCH_MS }, async (t) => {
    if (suite.missing) return t.skip(suite.missing);
    const { differences, passed, failed, forwarded } = await through(t, suite.node, revision);
    assert.deepEqual(differences, []);
    assert.ok(passed > 70 && forwarded > 70, `${passed} passed, ${forwarded} went through`);
    // What the suite does not score, and these servers do not have.
    assert.ok(failed.every((scenario) => /^(tasks-|json-schema-2020-12$|http-custom-header)/.test(scenario)), failed.join(", "));
  });
}

test("two runs of the suite that are not the same: what is missing, new or ends otherwise is a difference", () => {
  const run = (scenarios) => new Map(Object.entries(scenarios));
  const bare = run({ ping: ["SUCCESS ping Ping", "SUCCESS wire Wire", "SUCCESS wire Wire"], gone: ["SUCCESS gone Gone"] });
  assert.deepEqual(compared(bare, bare).differences, []);
  assert.deepEqual(compared(bare, run({ ping: ["FAILURE ping Ping", "SUCCESS wire Wire"], late: ["SUCCESS late Late"] })).differences, [
    "ping: bare: SUCCESS ping Ping",
    "ping: bare: SUCCESS wire Wire",
    "ping: behind the Worker: FAILURE ping Ping",
    "gone: bare: SUCCESS gone Gone",
    "late: behind the Worker: SUCCESS late Late",
  ]);
});
