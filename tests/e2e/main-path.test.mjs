// The main path with real parts: `npm start`'s authorization server, origin and Worker, and the
// official MCP client doing the whole flow by itself: 401, metadata, registration, PKCE, token,
// tools/list, tools/call, a stream; then Ctrl-C.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { connect } from "../../demo/client.mjs";
import { startDemo } from "./support/demo.mjs";
import { send } from "./support/http.mjs";
import { bearer } from "./support/stage.mjs";
import { until } from "./support/until.mjs";

let demo;
before(async () => (demo = await startDemo()));
after(() => demo?.stop());

test("the lines say how to connect, and the first answer is the 401 that they promise", async () => {
  assert.ok(demo.lines.curl.endsWith(demo.url));
  assert.ok(demo.lines.client.endsWith(demo.url));
  const response = await send(demo.port, { path: "/mcp" });
  assert.equal(response.status, 401);
  assert.deepEqual(response.all("www-authenticate"), [`Bearer resource_metadata="http://127.0.0.1:${demo.port}/.well-known/oauth-protected-resource/mcp"`]);
});

test("the official client does the whole flow by itself", async (t) => {
  const { client, tokens, steps, provider } = await connect(demo.url, { user: "alice" });
  t.after(() => client.close());
  const at = (pattern) => steps.findIndex((step) => pattern.test(step));
  const flow = [
    /^POST http:\S+\/mcp 401$/, /oauth-protected-resource\/mcp 200$/, /\/\.well-known\/oauth-authorization-server 200$/, /^POST \S+\/reg(ister)? 201$/, /^POST \S+\/token 200$/,
    /^POST http:\S+\/mcp 200$/,
  ].map(at);
  assert.ok(flow.every((index) => index >= 0), steps.join("\n"));
  assert.deepEqual(flow, flow.toSorted((a, b) => a - b), steps.join("\n"));
  const asked = new URL(provider.authorizationUrl).searchParams;
  assert.equal(asked.get("code_challenge_method"), "S256", "PKCE");
  assert.equal(asked.get("resource"), demo.url, "RFC 8707: the token is asked for this server");
  const [, claims] = tokens.access_token.split(".").slice(0, 2).map((part) => JSON.parse(Buffer.from(part, "base64url")));
  assert.equal(claims.aud, demo.url, "and is for it alone");
  assert.equal(claims.sub, "alice");

  const { tools } = await client.listTools();
  assert.ok(tools.some((tool) => tool.name === "echo"), tools.map((tool) => tool.name).join(", "));
  const answer = await client.callTool({ name: "echo", arguments: { message: "through the edge" } });
  assert.match(answer.content[0].text, /through the edge/);

  // A stream: the tool's progress comes while it still runs.
  const events = [];
  const result = await client.callTool(
    { name: "trigger-long-running-operation", arguments: { duration: 2, steps: 4 } },
    { onprogress: ({ progress }) => events.push(progress) },
  ).finally(() => events.push("result"));
  assert.match(result.content[0].text, /completed/i);
  assert.deepEqual(events, [1, 2, 3, 4, "result"]);

  const lines = await until("the log of it", () => {
    const all = demo.requests();
    return all.some((line) => line.reason === "ok") && all.some((line) => line.reason === "credentials_missing") && all;
  });
  assert.ok(lines.every((line) => ["forwarded", "served", "refused"].includes(line.outcome)));
  assert.ok(!demo.output().includes(tokens.access_token.split(".")[2]), "no token on the terminal");

  // The same token, bent: the real issuer's signature is what is checked.
  const [head, , signature] = tokens.access_token.split(".");
  const forged = `${head}.${Buffer.from(JSON.stringify({ ...claims, sub: "mallory" })).toString("base64url")}.${signature}`;
  assert.equal((await send(demo.port, { method: "POST", path: "/mcp", headers: bearer(forged) })).status, 401);
});

test("Ctrl-C stops everything: all ports are free again", async () => {
  const { issuer, origin } = await parts();
  const ports = [demo.port, issuer, origin];
  for (const port of ports) await send(port, { path: "/" }); // all three answer now
  assert.equal(await demo.stop("SIGINT"), 0, demo.output());
  for (const port of ports) await assert.rejects(send(port, { path: "/" }), { code: "ECONNREFUSED" });
});

/**
 * The ports of the other two parts: the issuer's from the metadata, the origin's from what the demo
 * printed.
 */
async function parts() {
  const document = await send(demo.port, { path: "/.well-known/oauth-protected-resource/mcp" });
  const [server] = document.json().authorization_servers;
  const origin = /ORIGIN_URL = (http:\S+)/.exec(demo.output())[1];
  return { issuer: Number(new URL(server).port), origin: Number(new URL(origin).port) };
}
