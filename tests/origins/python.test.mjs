// Origins in Python, each in an environment of its own, which is installed from PyPI first: under a
// minute, once.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { challenges } from "../e2e/support/proofs.mjs";
import { METADATA } from "../e2e/support/stage.mjs";
import { behind, whoami } from "./support/behind.mjs";
import { freePort } from "./support/origin.mjs";
import { environments, findPython } from "./support/python.mjs";
import { shown } from "./support/shown.mjs";

const NAMES = ["fastmcp", "python-sdk", "arcade"];
const python = await findPython();
const made = python.reason ? {} : await environments(python, NAMES);
const skip = python.reason ?? made.reason;
if (skip) console.log(`The origins in Python (FastMCP, the Python SDK, Arcade) are not tried: ${skip}`);

const origin = (name, rest) => shown({ name, extension: "py", command: () => made.commands[name], skip, carrier: "bearer", ...rest });
origin("fastmcp", { revision: "2026-07-28", sessions: "bound" });
origin("python-sdk", { revision: "2026-07-28", sessions: "bound" });
origin("arcade", { revision: "2025-11-25", sessions: "unbound", says: ["sub"], tool: "Whoami_Whoami" });

// Both redirect from /mcp/ to their own /mcp, which no client reaches.
for (const name of ["fastmcp", "python-sdk"]) {
  test(`${name}: a client whose URL has a trailing slash gets there`, { skip }, async (t) => {
    const file = fileURLToPath(new URL(`${name}/server.py`, import.meta.url));
    const port = await freePort();
    const canonical = `http://127.0.0.1:${port}/mcp`;
    const vars = { MCP_SERVER_AUTH_CANONICAL_URL: canonical, MCP_SERVER_AUTH_ASSERTION_ISSUER: "https://mcp.example.com" };
    const s = await behind(t, { command: made.commands[name], file, carrier: "bearer", alg: "ES256", vars, port });
    const { who } = await whoami(s, s.token({ sub: "alice", aud: canonical }), { path: "/mcp/" });
    assert.equal(who.sub, "alice");
    const statuses = s.worker.lines("request").map((line) => line.status);
    assert.ok(statuses.includes(307), `it was redirected: ${statuses.join(" ")}`);
  });
}

test("python-sdk: its client reads the challenges of DPoP", { skip }, async (t) => {
  const program = fileURLToPath(new URL("python-sdk/challenges.py", import.meta.url));
  for (const use of ["accept", "require"]) {
    const all = await challenges(t, use);
    const input = JSON.stringify(all.map(({ response }) => [response.status, response.headers.get("www-authenticate")]));
    const read = JSON.parse(execFileSync(made.commands["python-sdk"], [program], { input, encoding: "utf8" }));
    // Its login begins with the first two, and stops at no error that it does not know.
    const expected = all.map(({ error }) => ({ resource_metadata: METADATA, scope: "mcp", error: error ?? null }));
    assert.deepEqual(read, expected, input);
  }
});
