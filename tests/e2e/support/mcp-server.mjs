// A small MCP server of the 2026-07-28 revision, in this process: stateless, JSON answers, and like
// most servers of today it decides on the body alone. It never looks at Mcp-Method and Mcp-Name, so
// whoever stands before it has to.
import http from "node:http";
import { closed, listen } from "./issuer.mjs";

export const MODERN = "2026-07-28";
const CACHING = { ttlMs: 0, cacheScope: "private" };

/** tools: { name: text it answers }. Gives { url, calls: the params of every tools/call }. */
export async function startMcpServer(t, { tools }) {
  const calls = [];
  const results = {
    "server/discover": () => ({ ...CACHING, supportedVersions: [MODERN], capabilities: { tools: {} }, serverInfo: { name: "test", version: "1.0.0" } }),
    "tools/list": () => ({ ...CACHING, tools: Object.keys(tools).map((name) => ({ name, inputSchema: { type: "object" } })) }),
    "tools/call": (params) => {
      calls.push(params);
      return { content: [{ type: "text", text: tools[params.name] }] };
    },
  };
  const server = http.createServer(async (req, res) => {
    if (req.method !== "POST") return res.writeHead(405, { allow: "POST" }).end();
    const chunks = [];
    for await (const chunk of req) chunks.push(chunk);
    const { id, method, params } = JSON.parse(Buffer.concat(chunks));
    const result = Object.hasOwn(results, method) && results[method](params);
    const answer = result ? { result: { resultType: "complete", ...result } } : { error: { code: -32601, message: "Method not found" } };
    res.writeHead(result ? 200 : 404, { "content-type": "application/json" });
    res.end(JSON.stringify({ jsonrpc: "2.0", id, ...answer }));
  });
  const port = await listen(server, 0);
  t.after(() => closed(server));
  return { url: `http://127.0.0.1:${port}/mcp`, calls };
}
