// `dev`: the Worker in front of an MCP server of this machine, with a login that works, in a
// browser too; it takes what wrangler's file says, and leaves nothing behind.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { connect } from "../../demo/client.mjs";
import { chromiumPath, startBrowser } from "./support/browser.mjs";
import { BIN, command, emptyFolder, startCommand } from "./support/command.mjs";
import { send } from "./support/http.mjs";
import { startIssuer } from "./support/issuer.mjs";
import { signingKey } from "./support/keys.mjs";
import { startMcpServer } from "./support/mcp-server.mjs";
import { mint } from "./support/mint.mjs";
import { bearer, goodClaims } from "./support/stage.mjs";
import { bounded, until } from "./support/until.mjs";

const skip = chromiumPath() ? false : "there is no Chromium here: set CHROMIUM_PATH, or install one";
const START_MS = 300_000; // in a cold clone it builds the Worker first
const FREE = ["--port", "0", "--as-port", "0"];

/** Gives { url, issuer, lines, stop() } of `dev` once it says what to type. */
async function startDev(t, args, { cwd = emptyFolder(t) } = {}) {
  const dev = startCommand(["dev", ...FREE, ...args], { cwd });
  t.after(() => dev.child.kill("SIGKILL"));
  await until("what to type", () => {
    assert.equal(dev.code, undefined, dev.err);
    return /^Log in, list the tools: /m.test(dev.err);
  }, START_MS);
  dev.url = /^URL for an MCP client: +(\S+)$/m.exec(dev.err)[1];
  dev.port = Number(new URL(dev.url).port);
  const { pathname } = new URL(dev.url);
  const document = await send(dev.port, { path: `/.well-known/oauth-protected-resource${pathname}` });
  [dev.issuer] = document.json().authorization_servers;
  dev.lines = () => dev.out.split("\n").filter(Boolean).map((line) => JSON.parse(line));
  dev.stop = (signal = "SIGINT") => {
    dev.child.kill(signal);
    return bounded("the end of dev", dev.ended, 30_000);
  };
  return dev;
}

test("in a browser somebody logs in, and the client calls a tool of the server behind it", { skip }, async (t) => {
  const server = await startMcpServer(t, { tools: { greet: "hello" } });
  const dev = await startDev(t, ["--origin", server.url]);
  const browser = await startBrowser(t);
  const page = await browser.newPage();
  const login = async (url) => {
    const callback = new URL(url).searchParams.get("redirect_uri");
    await page.route((asked) => asked.href.startsWith(callback), (route) => route.fulfill({ body: "done" }));
    await page.goto(String(url));
    await page.getByLabel("Name").fill("ada");
    await page.getByRole("button", { name: "Log in and allow" }).click();
    await page.waitForURL((asked) => asked.href.startsWith(callback));
    return new URL(page.url());
  };
  const { client } = await connect(dev.url, { login });
  t.after(() => client.close());
  const { content } = await client.callTool({ name: "greet", arguments: {} });
  assert.equal(content[0].text, "hello");
  assert.ok(dev.lines().some(({ reason }) => reason === "ok"), dev.out);
  assert.equal(await dev.stop(), 0, dev.err);
  assert.match(dev.err, /\nStopped\.\n$/);
  for (const url of [dev.url, dev.issuer]) await assert.rejects(send(Number(new URL(url).port)), { code: "ECONNREFUSED" }, url);
});

test("what wrangler's file says holds: the path, the policy's scopes, the origin; the rest is this machine's", async (t) => {
  const server = await startMcpServer(t, { tools: { greet: "hello", erase: "gone" } });
  const cwd = emptyFolder(t);
  const vars = {
    MCP_RESOURCE_SERVER_CANONICAL_URL: "https://mcp.acme.test/tools/mcp",
    MCP_SERVER_AUTH_AUTHORIZATION_SERVERS: [{ provider: "keycloak", domain: "id.acme.test", realm: "main" }],
    MCP_SERVER_AUTH_DEFAULT_CHALLENGE_SCOPES: "tools:call",
    MCP_SERVER_AUTH_POLICY: JSON.stringify({ required_scopes: ["tools:call"], rules: [{ methods: ["tools/call"], names: ["erase"], scopes: ["tools:erase"] }] }),
    ORIGIN_URL: server.url,
  };
  writeFileSync(join(cwd, "wrangler.json"), JSON.stringify({ name: "trial", compatibility_date: "2026-04-26", vars }));
  const dev = await startDev(t, [], { cwd });
  assert.equal(new URL(dev.url).pathname, "/tools/mcp");
  const { client, tokens } = await connect(dev.url);
  t.after(() => client.close());
  const claims = JSON.parse(Buffer.from(tokens.access_token.split(".")[1], "base64url"));
  assert.deepEqual([claims.iss, claims.aud], [dev.issuer, dev.url]);
  assert.ok(claims.scope.split(" ").includes("tools:call"), claims.scope);
  assert.equal((await client.callTool({ name: "greet", arguments: {} })).content[0].text, "hello");
  const document = await (await fetch(`${dev.issuer}/.well-known/oauth-authorization-server`)).json();
  assert.ok(document.scopes_supported.includes("tools:erase"), "a scope that a step-up would ask for");
  assert.equal(await dev.stop("SIGTERM"), 0, dev.err);
});

test("an authorization server that is named takes the local one's place", async (t) => {
  const issuer = await startIssuer(t, { keys: [signingKey("rsa")] });
  issuer.on("/.well-known/oauth-authorization-server", (_, res) => res.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify({ issuer: issuer.url, jwks_uri: `${issuer.url}/jwks` })));
  const server = await startMcpServer(t, { tools: { greet: "hello" } });
  const dev = await startDev(t, ["--origin", server.url, "--authorization-server", issuer.url]);
  assert.equal(dev.issuer, issuer.url);
  assert.doesNotMatch(dev.err, /any name logs in/);
  const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/list" });
  const token = mint({ key: signingKey("rsa"), claims: goodClaims(issuer, { aud: dev.url }) });
  const answer = await send(dev.port, { method: "POST", path: "/mcp", headers: { ...bearer(token), "content-type": "application/json" }, body });
  assert.equal(answer.json().result.tools[0].name, "greet");
  assert.equal(await dev.stop(), 0, dev.err);
});

test("a server that is not there yet is named, and is no failure", async (t) => {
  const dev = await startDev(t, ["--origin", "http://127.0.0.1:9/mcp"]);
  assert.match(dev.err, /^Nothing listens at http:\/\/127\.0\.0\.1:9\/mcp yet/m);
  assert.equal(await dev.stop("SIGHUP"), 0, dev.err);
});

test("what it cannot do it says before it starts anything", async (t) => {
  const issuer = await startIssuer(t);
  const several = emptyFolder(t);
  const json = (vars) => JSON.stringify({ name: "trial", compatibility_date: "2026-04-26", vars });
  writeFileSync(join(several, "wrangler.json"), json({ MCP_SERVER_AUTH_RESOURCES: [{}] }));
  const elsewhere = emptyFolder(t);
  writeFileSync(join(elsewhere, "wrangler.json"), json({ ORIGIN_URL: "https://origin.example.com/mcp" }));
  const silent = emptyFolder(t);
  writeFileSync(join(silent, "wrangler.json"), json({}));
  for (const [args, says, code = 1, cwd = emptyFolder(t)] of [
    [[], /there is no wrangler\.json/],
    [[], /Name it with --origin URL\./, 1, silent],
    [[], /names several servers/, 1, several],
    [[], /^ORIGIN_URL is https:\/\/origin\.example\.com\/mcp, not a server of this machine, .* name it with --origin URL\./m, 1, elsewhere],
    [["--origin", "nowhere"], /^- ORIGIN_URL: expected /m],
    [["--origin", "http://127.0.0.1:9/mcp", "--authorization-server", "nowhere"], /^- MCP_SERVER_AUTH_AUTHORIZATION_SERVERS\[0\]\.authorization_server_url: /m],
    [["--origin", "http://127.0.0.1:9/mcp", "--port", String(issuer.port)], /is in use; choose another one with --port N/],
    [["--port", "x"], /--port takes a port/, 2],
  ]) {
    const { code: ended, out, err } = await command(["dev", ...FREE, ...args], { cwd });
    assert.deepEqual([ended, out], [code, ""], `${args.join(" ")}\n${err}`);
    assert.match(err, says, BIN);
  }
});
