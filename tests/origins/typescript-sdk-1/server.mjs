// The TypeScript SDK 1.x behind mcp-edge-auth: its bearer middleware for Express, and jose to check
// the Worker's assertion.
import { InvalidTokenError } from "@modelcontextprotocol/sdk/server/auth/errors.js";
import { requireBearerAuth } from "@modelcontextprotocol/sdk/server/auth/middleware/bearerAuth.js";
import { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js";
import { StreamableHTTPServerTransport } from "@modelcontextprotocol/sdk/server/streamableHttp.js";
import express from "express";
import { createRemoteJWKSet, jwtVerify } from "jose";

const { ISSUER, AUDIENCE, JWKS_URI, ALGORITHM = "ES256", PORT } = process.env;
if (!ISSUER || !AUDIENCE) throw new Error("ISSUER and AUDIENCE must be set: jose does not check what it is not given");
const keys = createRemoteJWKSet(new URL(JWKS_URI));
const options = { issuer: ISSUER, audience: AUDIENCE, algorithms: [ALGORITHM], typ: "at+jwt", requiredClaims: ["sub", "exp"] };

async function verifyAccessToken(token) {
  const { payload } = await jwtVerify(token, keys, options).catch(() => {
    throw new InvalidTokenError("The assertion is invalid");
  });
  return { token, clientId: payload.client_id ?? "unknown", scopes: payload.scope?.split(" ") ?? [], expiresAt: payload.exp, extra: payload };
}

function newServer() {
  const server = new McpServer({ name: "whoami", version: "1.0.0" });
  server.registerTool("whoami", { description: "Who is calling, as the assertion says." }, ({ authInfo }) => {
    const { sub, idp, client_id, scope } = authInfo.extra;
    return { content: [{ type: "text", text: JSON.stringify({ sub, idp, client_id, scope }) }] };
  });
  return server;
}

const app = express();
app.use("/mcp", requireBearerAuth({ verifier: { verifyAccessToken } }));
app.post("/mcp", async (request, response) => {
  // No sessions.
  const transport = new StreamableHTTPServerTransport({ sessionIdGenerator: undefined });
  response.on("close", () => transport.close());
  await newServer().connect(transport);
  await transport.handleRequest(request, response);
});
app.all("/mcp", (_, response) => response.sendStatus(405));
app.listen(Number(PORT), "127.0.0.1");
