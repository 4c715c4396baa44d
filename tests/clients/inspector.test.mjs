// The MCP Inspector in headless Chromium against `npm start`: as a browser talks to the Worker
// (CORS, preflights, a readable 401), and through the Inspector's own process. The 2.x line has
// only the latter; 1.x has both.
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { chromiumPath, startBrowser } from "../e2e/support/browser.mjs";
import { startDemo } from "../e2e/support/demo.mjs";
import { assertAsked, assertLogged, MESSAGE, start } from "./support/flow.mjs";
import { ensureInstalled, Missing, node22, orMissing } from "../e2e/support/packages.mjs";

const FOLDER = fileURLToPath(new URL(".", import.meta.url));
const packaged = (...path) => join(FOLDER, "node_modules", ...path);
const UP_MS = 60_000;
const STEP_MS = 30_000;

const have = await orMissing("the Inspector", async () => {
  if (!chromiumPath()) throw new Missing("no chromium or google-chrome in PATH, nor in CHROMIUM_PATH");
  await ensureInstalled(FOLDER);
  return { node: await node22() };
});
let demo;
before(async () => {
  if (!have.missing) demo = await startDemo();
});
after(() => demo?.stop());

async function freePorts(count) {
  const servers = Array.from({ length: count }, () => createServer());
  await Promise.all(servers.map((server) => new Promise((resolve) => server.listen(0, "127.0.0.1", resolve))));
  const ports = servers.map((server) => server.address().port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

/** An empty folder that is gone with the test. */
async function emptyFolder(t) {
  const folder = await mkdtemp(join(tmpdir(), "mcp-edge-auth-inspector-"));
  t.after(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));
  return folder;
}

/** Starts the Inspector; gives the URL that it prints for the browser. */
async function inspector(t, main, args = []) {
  const [client, proxy, sandbox] = await freePorts(3);
  const env = {
    PATH: process.env.PATH, HOME: await emptyFolder(t), MCP_AUTO_OPEN_ENABLED: "false", MCP_INSPECTOR_SECRET_STORE: "memory",
    CLIENT_PORT: String(client), SERVER_PORT: String(proxy), MCP_SANDBOX_PORT: String(sandbox),
  };
  const program = start(t, have.node, [main, ...args], { env });
  return program.line("the Inspector's URL", /^\s*(http:\/\/(?:localhost|127\.0\.0\.1):\d+\/?\?MCP_\S+TOKEN=\S+)$/, UP_MS);
}

/**
 * A page of a browser of its own, and what it was answered: { page, seen: [{ url, method, status }]
 * }.
 */
async function browse(t) {
  const page = await (await startBrowser(t)).newPage();
  page.setDefaultTimeout(STEP_MS);
  const seen = [];
  page.on("response", (response) => seen.push({ url: response.url(), method: response.request().method(), status: response.status() }));
  return { page, seen };
}

/**
 * Waits for the demo's login page, checks what brought the browser there, and logs in; gives the
 * URL it comes back to.
 */
async function logIn(page, home) {
  const asked = await page.waitForRequest((request) => new URL(request.url()).pathname === "/authorize");
  assertAsked(demo, asked.url());
  await page.getByLabel("Name").fill("alice");
  await page.getByRole("button", { name: "Log in and allow" }).click();
  await page.waitForURL((url) => url.origin === new URL(home).origin && !url.pathname.startsWith("/oauth"));
}

async function connect1(page, home, kind) {
  await page.goto(`${home}&transport=streamable-http&serverUrl=${encodeURIComponent(demo.url)}`);
  await page.getByRole("combobox", { name: "Connection Type" }).click();
  await page.getByRole("option", { name: kind }).click();
  await page.getByRole("button", { name: "Connect", exact: true }).click();
}

for (const kind of ["Direct", "Via Proxy"]) {
  test(`the Inspector 1.x, ${kind}, does the whole flow to a tool call`, { skip: have.missing, timeout: 180_000 }, async (t) => {
    const before = demo.requests().length;
    const home = await inspector(t, packaged("inspector-1", "cli", "build", "cli.js"));
    const { page, seen } = await browse(t);
    await connect1(page, home, kind);
    await logIn(page, home);
    // It has a token now. On other ports than 6274 and 6277 it forgets its proxy's address with the
    // redirect, and asks to connect again.
    await page.getByText("Successfully authenticated with OAuth").or(page.getByText("Connect again from the sidebar")).first().waitFor();
    if (!(await page.getByRole("tab", { name: "Tools" }).isVisible())) await connect1(page, home, kind);
    await page.getByRole("tab", { name: "Tools" }).click();
    await page.getByRole("button", { name: "List Tools" }).click();
    await page.getByText("Echo Tool").first().click();
    await page.getByRole("textbox", { name: "message" }).fill(MESSAGE);
    await page.getByRole("button", { name: "Run Tool" }).click();
    await page.getByText(`Echo: ${MESSAGE}`).first().waitFor();
    await assertLogged(demo, before);
    const own = seen.filter(({ url }) => url === demo.url);
    if (kind === "Direct") assert.ok(own.some(({ status }) => status === 401) && own.some(({ method, status }) => method === "POST" && status === 200), JSON.stringify(own));
    else assert.deepEqual(own, [], "the browser itself never asks the Worker's MCP endpoint");
  });
}

test("the Inspector 2.x, through its own process, does the whole flow to a tool call", { skip: have.missing, timeout: 180_000 }, async (t) => {
  const before = demo.requests().length;
  const main = packaged("@modelcontextprotocol", "inspector", "clients", "launcher", "build", "index.js");
  const home = await inspector(t, main, ["--web", "--server-url", demo.url, "--transport", "http"]);
  const { page } = await browse(t);
  await page.goto(home);
  await page.getByRole("switch", { name: /^Connect or disconnect/ }).click({ force: true });
  await logIn(page, home);
  await page.getByText("Connected", { exact: true }).waitFor();
  await page.getByText("Tools", { exact: true }).first().click();
  await page.getByText("Echo Tool").first().click();
  await page.getByRole("textbox", { name: "message" }).fill(MESSAGE);
  await page.getByRole("button", { name: "Execute Tool" }).click();
  await page.getByText(`Echo: ${MESSAGE}`).first().waitFor();
  await assertLogged(demo, before);
});
