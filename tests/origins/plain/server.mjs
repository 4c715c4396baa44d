// A server without packages behind mcp-edge-auth: it reads the X-MCP-Auth-* headers, and believes
// them because the request carries the secret that only the Worker knows (ORIGIN_HEADERS).
import { createHash, timingSafeEqual } from "node:crypto";
import { createServer } from "node:http";

const { ORIGIN_SECRET, PORT } = process.env;
if (!ORIGIN_SECRET) throw new Error("ORIGIN_SECRET must be set");
const digest = (text) => createHash("sha256").update(text).digest();
const fromTheWorker = (headers) => timingSafeEqual(digest(headers["x-origin-secret"] ?? ""), digest(ORIGIN_SECRET));

/** The answer to one JSON-RPC request: its result, or undefined for a method that is not there. */
function result(method, params, headers) {
  if (method === "initialize") return { protocolVersion: params.protocolVersion, capabilities: { tools: {} }, serverInfo: { name: "whoami", version: "1.0.0" } };
  if (method === "tools/list") return { tools: [{ name: "whoami", description: "Who is calling, as the headers say.", inputSchema: { type: "object" } }] };
  if (method === "tools/call" && params.name === "whoami") return { content: [{ type: "text", text: JSON.stringify(caller(headers)) }] };
}

function caller(headers) {
  // What a header cannot hold comes percent-encoded.
  const read = (name) => headers[name] && decodeURIComponent(headers[name]);
  return { sub: read("x-mcp-auth-user-id"), idp: read("x-mcp-auth-issuer"), client_id: read("x-mcp-auth-client-id"), scope: read("x-mcp-auth-scopes") };
}

async function answer(request) {
  if (!fromTheWorker(request.headers)) return [401];
  if (request.method !== "POST") return [405];
  const { id, method, params = {} } = JSON.parse(Buffer.concat(await request.toArray()));
  if (id === undefined) return [202]; // a notification
  const found = result(method, params, request.headers);
  return [200, { jsonrpc: "2.0", id, ...(found ? { result: found } : { error: { code: -32601, message: "Method not found" } }) }];
}

createServer(async (request, response) => {
  const [status, message] = await answer(request).catch(() => [400]);
  response.writeHead(status, { "content-type": "application/json" }).end(message && JSON.stringify(message));
}).listen(Number(PORT), "127.0.0.1");
