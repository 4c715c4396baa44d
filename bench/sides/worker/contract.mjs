// The bare check, and whatever the contract asks of the runtime for a permitted request (the names
// of its headers, five set, the answer handed back as it came, a log line), all of it constant: no
// token is read and nothing is decided. What is above it is a Worker's own work.
import { forwardedBy } from "./bare.mjs";

const LINE = '{"event":"request","outcome":"forwarded","reason":"ok","status":200,"method":"POST","resource":"https://mcp.example.com/mcp","issuer":"https://as.example.com/as-0","alg":"RS256","kid":"rsa-a","keys":"memory","client":"3f9d2c1e-8a54-4b6f-9d0e-7c2b1a5e4f30","jti":"5c0f6e7a9b1d4c3e8f2a7b6d5e4c3b2a","ms":0}';
const IDENTITY = [
  ["X-MCP-Auth-User-Id", "user-10001"],
  ["X-MCP-Auth-Issuer", "https://as.example.com/as-0"],
  ["X-MCP-Auth-Client-Id", "3f9d2c1e-8a54-4b6f-9d0e-7c2b1a5e4f30"],
  ["X-MCP-Auth-Email", "user-10001@example.com"],
  ["X-MCP-Auth-Scopes", "mcp:tools mcp:resources offline_access"],
];

let seen;

export default forwardedBy(async (request, env) => {
  seen = [...request.headers.keys()];
  const { pathname, search } = new URL(request.url);
  const upstream = new Request(env.ORIGIN_URL + pathname.slice("/mcp".length) + search, request);
  upstream.headers.delete("authorization");
  for (const [name, value] of IDENTITY) upstream.headers.set(name, value);
  const response = await fetch(upstream);
  console.log(LINE);
  return response;
});
