// A server that needs `Authorization` for something else, behind mcp-edge-auth: the assertion comes
// in X-MCP-Auth-Assertion.
import { createServer } from "node:http";
import { toNodeHandler } from "@modelcontextprotocol/node";
import { createMcpHandler, McpServer } from "@modelcontextprotocol/server";
import { createRemoteJWKSet, jwtVerify } from "jose";

const { ISSUER, AUDIENCE, JWKS_URI, ALGORITHM = "ES256", PORT } = process.env;
if (!ISSUER || !AUDIENCE) throw new Error("ISSUER and AUDIENCE must be set: jose does not check what it is not given");
const keys = createRemoteJWKSet(new URL(JWKS_URI));
const options = { issuer: ISSUER, audience: AUDIENCE, algorithms: [ALGORITHM], typ: "at+jwt", requiredClaims: ["sub", "exp"] };

const mcp = createMcpHandler(({ authInfo }) => {
  const server = new McpServer({ name: "whoami", version: "1.0.0" });
  server.registerTool("whoami", { description: "Who is calling, as the assertion says." }, () => {
    const { sub, idp, client_id, scope } = authInfo.extra;
    return { content: [{ type: "text", text: JSON.stringify({ sub, idp, client_id, scope }) }] };
  });
  return server;
});

async function answer(request) {
  const token = request.headers.get("x-mcp-auth-assertion") ?? "";
  try {
    const { payload } = await jwtVerify(token, keys, options);
    return mcp.fetch(request, { authInfo: { token, clientId: payload.client_id ?? "unknown", scopes: [], extra: payload } });
  } catch {
    return new Response(null, { status: 401 });
  }
}

createServer(toNodeHandler({ fetch: answer })).listen(Number(PORT), "127.0.0.1");
