// The TypeScript SDK 2.x behind mcp-edge-auth: its bearer middleware, and jose to check the
// Worker's assertion.
import { createServer } from "node:http";
import { toNodeHandler } from "@modelcontextprotocol/node";
import { createMcpHandler, McpServer, OAuthError, OAuthErrorCode, requireBearerAuth } from "@modelcontextprotocol/server";
import { createRemoteJWKSet, jwtVerify } from "jose";

const { ISSUER, AUDIENCE, JWKS_URI, ALGORITHM = "ES256", PORT } = process.env;
if (!ISSUER || !AUDIENCE) throw new Error("ISSUER and AUDIENCE must be set: jose does not check what it is not given");
const keys = createRemoteJWKSet(new URL(JWKS_URI));
const options = { issuer: ISSUER, audience: AUDIENCE, algorithms: [ALGORITHM], typ: "at+jwt", requiredClaims: ["sub", "exp"] };

async function verifyAccessToken(token) {
  const { payload } = await jwtVerify(token, keys, options).catch(() => {
    throw new OAuthError(OAuthErrorCode.InvalidToken, "The assertion is invalid");
  });
  return { token, clientId: payload.client_id ?? "unknown", scopes: payload.scope?.split(" ") ?? [], expiresAt: payload.exp, extra: payload };
}

const authenticate = requireBearerAuth({ verifier: { verifyAccessToken } });

const mcp = createMcpHandler(() => {
  const server = new McpServer({ name: "whoami", version: "1.0.0" });
  server.registerTool("whoami", { description: "Who is calling, as the assertion says." }, ({ http }) => {
    const { sub, idp, client_id, scope } = http.authInfo.extra;
    return { content: [{ type: "text", text: JSON.stringify({ sub, idp, client_id, scope }) }] };
  });
  return server;
});

async function answer(request) {
  const caller = await authenticate(request);
  return caller instanceof Response ? caller : mcp.fetch(request, { authInfo: caller });
}

createServer(toNodeHandler({ fetch: answer })).listen(Number(PORT), "127.0.0.1");
