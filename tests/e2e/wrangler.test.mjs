// Contract section 6: `npx wrangler dev` on the root wrangler.toml works as for any Worker, with
// settings given by --var, and what it serves is the Worker.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import net from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { ROOT, wranglerEnv, wranglerPath } from "./support/bundle.mjs";
import { send } from "./support/http.mjs";
import { startIssuer } from "./support/issuer.mjs";
import { signingKey } from "./support/keys.mjs";
import { mint } from "./support/mint.mjs";
import { BASE, startOrigin } from "./support/origin.mjs";
import { assertInvalid, assertUnauthorized, bearer, goodClaims, NOT_FOR_US } from "./support/stage.mjs";
import { bounded, until } from "./support/until.mjs";

const START_MS = 120_000; // its [build] step may have something to compile

async function freePort() {
  const server = net.createServer();
  const port = await new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(server.address().port)));
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/**
 * wrangler dev in a process group of its own, which is how it is stopped: it starts workerd and the
 * build.
 */
async function startDev(t, vars) {
  const folder = mkdtempSync(join(tmpdir(), "mcp-edge-auth-wrangler-"));
  const [port, inspector] = [await freePort(), await freePort()];
  const args = ["dev", "--ip", "127.0.0.1", "--port", port, "--inspector-port", inspector, "--persist-to", folder, "--show-interactive-dev-session=false"];
  for (const [name, value] of Object.entries(vars)) args.push("--var", `${name}:${value}`);
  const child = spawn(process.execPath, [wranglerPath(), ...args.map(String)], { cwd: ROOT, env: wranglerEnv(), detached: true, stdio: ["ignore", "pipe", "pipe"] });
  const dev = { port, inspector, folder, output: "", ended: new Promise((resolve) => child.once("close", resolve)) };
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (dev.output += chunk));
  dev.stop = async () => {
    try {
      process.kill(-child.pid, "SIGTERM");
    } catch {
      return; // it has ended by itself
    }
    await bounded("wrangler's end", dev.ended);
  };
  t.after(async () => {
    await dev.stop();
    rmSync(folder, { recursive: true, force: true });
  });
  let ended = false;
  dev.ended.then(() => (ended = true));
  await until("wrangler dev", async () => {
    assert.ok(!ended, `wrangler ended:\n${dev.output}`);
    return send(port, { path: "/healthz" }).then(() => true, () => false);
  }, START_MS);
  return dev;
}

test("npx wrangler dev serves the Worker of the root wrangler.toml", async (t) => {
  const issuer = await startIssuer(t, { keys: [signingKey("rsa")] });
  const origin = await startOrigin(t);
  const port = await freePort();
  const canonical = `http://127.0.0.1:${port}/mcp`;
  const dev = await startDev(t, {
    MCP_SERVER_AUTH_CANONICAL_URL: canonical,
    MCP_SERVER_AUTH_AUTHORIZATION_SERVERS: JSON.stringify([{ authorization_server_url: issuer.url, jwks_uri: `${issuer.url}/jwks` }]),
    ORIGIN_URL: origin.url + BASE,
  });
  const health = await send(dev.port, { path: "/healthz" });
  assert.deepEqual([health.status, health.json()], [200, { status: "ok" }], dev.output);
  const metadata = `http://127.0.0.1:${port}/.well-known/oauth-protected-resource/mcp`;
  const document = await send(dev.port, { path: new URL(metadata).pathname });
  assert.deepEqual(document.json(), { resource: canonical, authorization_servers: [issuer.url], bearer_methods_supported: ["header"] });
  assertUnauthorized(await send(dev.port, { method: "POST", path: "/mcp" }), { metadata });
  const token = (over) => mint({ key: signingKey("rsa"), claims: goodClaims(issuer, { aud: canonical, ...over }) });
  assertInvalid(await send(dev.port, { method: "POST", path: "/mcp", headers: bearer(token({ aud: "https://other.example.com" })) }), NOT_FOR_US, { metadata });
  const response = await send(dev.port, { method: "POST", path: "/mcp/x?y=1", headers: bearer(token()), body: "{}" });
  assert.deepEqual(response.json(), { method: "POST", url: `${BASE}/x?y=1`, body: "{}" });
  assert.equal(origin.last().header("x-mcp-auth-user-id"), "user-1");
  // Its log, through wrangler. The root configuration binds JWKS_CACHE, and --persist-to says where
  // that is kept.
  const lines = await until("the last line", () => {
    const all = dev.output.split("\n").filter((line) => line.startsWith("{") && line.endsWith("}")).map((line) => JSON.parse(line));
    return all.some((line) => line.reason === "ok") && all;
  });
  assert.ok(lines.some((line) => line.event === "start"), dev.output);
  assert.ok(!lines.some((line) => JSON.stringify(line).includes("memory only")), dev.output);
  assert.ok(readdirSync(join(dev.folder, "v3", "kv")).length > 0);
  await dev.stop();
  for (const used of [dev.port, dev.inspector]) await assert.rejects(send(used), { code: "ECONNREFUSED" });
});

test("the root wrangler.toml as it is cloned is refused until it is filled in", async (t) => {
  const text = readFileSync(join(ROOT, "wrangler.toml"), "utf8");
  assert.match(text, /^main = "build\/entry\.mjs"$/m);
  const dev = await startDev(t, {});
  const response = await send(dev.port, { path: "/healthz" });
  assert.deepEqual([response.status, response.json()], [503, { error: "server_misconfigured" }]);
  const faults = await until("the faults", () => dev.output.split("\n").find((line) => line.includes('"misconfigured"')));
  for (const name of ["MCP_SERVER_AUTH_CANONICAL_URL", "MCP_SERVER_AUTH_AUTHORIZATION_SERVERS", "ORIGIN_URL"]) assert.ok(faults.includes(name), faults);
});
