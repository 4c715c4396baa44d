// Real clients against `npm start`, each through the whole flow to a tool call. What each sends and
// needs is in docs/clients.md.
//
// The TypeScript client's 2.x line is the one that tests/e2e/main-path.test.mjs connects with; the
// Inspector has a file of its own.
import { execFile } from "node:child_process";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { ROOT } from "../e2e/support/bundle.mjs";
import { startDemo } from "../e2e/support/demo.mjs";
import { environments, findPython } from "../origins/support/python.mjs";
import { wholeFlow } from "./support/flow.mjs";
import { fastmcp, mcpRemote, program } from "./support/programs.mjs";
import { ensureInstalled, orMissing } from "../e2e/support/packages.mjs";

const FOLDER = fileURLToPath(new URL(".", import.meta.url));
const RUST_TARGET = join(ROOT, "target", "clients");
const RUST_MS = 900_000;

const npm = await orMissing("the npm packages of tests/clients", () => ensureInstalled(FOLDER));
const rust = await orMissing("rmcp", rmcp);
const python = await pythons();
if (python.reason) console.log(`Not tried, the clients in Python: ${python.reason}`);
let demo;
before(async () => (demo = await startDemo()));
after(() => demo?.stop());

/**
 * Builds the program around the Rust SDK: a package of its own, so that nothing else waits for it.
 */
async function rmcp() {
  const manifest = join(FOLDER, "rmcp", "Cargo.toml");
  await promisify(execFile)("cargo", ["build", "--quiet", "--locked", "--manifest-path", manifest, "--target-dir", RUST_TARGET], { timeout: RUST_MS });
  return { command: join(RUST_TARGET, "debug", "rmcp-client") };
}

/** The environments of the origins in Python: what brings their servers brings the clients too. */
async function pythons() {
  const found = await findPython();
  return found.reason ? found : environments(found, ["python-sdk", "fastmcp"]);
}

test("the TypeScript client, 1.x line, does the whole flow to a tool call", async (t) => {
  await wholeFlow(t, demo, { command: process.execPath, args: [program("typescript-1.mjs")] });
});

test("mcp-remote does the whole flow to a tool call, for a host that knows stdio only", { skip: npm?.missing }, async (t) => {
  await wholeFlow(t, demo, await mcpRemote(t));
});

test("rmcp, the Rust SDK, does the whole flow to a tool call", { skip: rust.missing }, async (t) => {
  await wholeFlow(t, demo, { command: rust.command, args: [] });
});

test("the Python client does the whole flow to a tool call", { skip: python.reason }, async (t) => {
  await wholeFlow(t, demo, { command: python.commands["python-sdk"], args: [program("python-client.py")] });
});

test("FastMCP's client does the whole flow to a tool call", { skip: python.reason }, async (t) => {
  await wholeFlow(t, demo, fastmcp(python.commands.fastmcp));
});
