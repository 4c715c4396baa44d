// One authorization server: it is started, the Worker is put in front of an MCP server with the
// entry that docs/providers.md has for it, and FastMCP's client and mcp-remote go from the 401
// through its login to a tool call that says who they are.
import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { wholeFlow } from "../../clients/support/flow.mjs";
import { fastmcp, mcpRemote } from "../../clients/support/programs.mjs";
import { ensureInstalled, orMissing } from "../../e2e/support/packages.mjs";
import { freePort } from "../../origins/support/origin.mjs";
import { environments, findPython } from "../../origins/support/python.mjs";
import { entryOf, startEdge } from "./edge.mjs";

const CLIENTS = fileURLToPath(new URL("../../clients", import.meta.url));
const CALL = { name: "whoami", arguments: {} };

/**
 * section: of docs/providers.md. skip: why it cannot be had here. start(t, resource) starts it
 * until the test ends and gives { base, issuer, caller, login(URL), output(), client }. base: what
 * it has for https://auth.example.com. caller: what the tool says of { sub, client_id, scope },
 * each a value or a pattern. client: { id, port } of one that is registered by hand, where clients
 * cannot do it themselves. also(t, server, edge): what else is tried.
 */
export function tried(section, { skip, start, also }) {
  test(`${section}: from the 401 through its login to a tool call`, { skip }, async (t) => {
    const remote = await orMissing("mcp-remote", () => ensureInstalled(CLIENTS));
    const found = await findPython();
    const python = found.reason ? found : await environments(found, ["fastmcp"]);
    const resource = `http://127.0.0.1:${await freePort()}/mcp`;
    const server = await start(t, resource);
    const edge = await startEdge(t, resource, entryOf(section, { authorizationServer: server.base, resource }));
    const { client } = server;
    const goes = (t, program) =>
      wholeFlow(t, edge, program, { login: server.login, call: CALL, called: ({ result }) => assertCaller(server, result) }).catch((error) => {
        throw new Error(`${error.message}\nThe Worker:\n${edge.output()}\nThe authorization server:\n${server.output()}`, { cause: error });
      });
    await t.test("FastMCP's client", { skip: python.reason }, (t) =>
      goes(t, fastmcp(python.commands.fastmcp, client && { client_id: client.id, callback_port: client.port })));
    await t.test("mcp-remote", { skip: remote?.missing }, async (t) =>
      goes(t, await mcpRemote(t, client && [String(client.port), "--static-oauth-client-info", JSON.stringify({ client_id: client.id })])));
    await also?.(t, server, edge);
  });
}

function assertCaller({ issuer, caller }, { isError, content }) {
  const [{ text }] = content;
  assert.ok(!isError, text);
  const who = JSON.parse(text);
  assert.equal(who.idp, issuer);
  for (const [name, expected] of Object.entries(caller)) {
    if (expected instanceof RegExp) assert.match(who[name], expected, text);
    else assert.equal(who[name], expected, text);
  }
}
