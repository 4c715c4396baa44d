// An issuer and an origin in this process, and the settings that point a Worker at them: the
// measurements of the process share it.
import { once } from "node:events";
import http from "node:http";

import { signingKey } from "../../../tests/e2e/support/keys.mjs";
import { mint, minted, seconds, tampered } from "../../../tests/e2e/support/mint.mjs";
import { request } from "./socket.mjs";

export const CANONICAL = "https://mcp.example.com/mcp";
export const METADATA = "/.well-known/oauth-protected-resource/mcp";
const ANSWER = JSON.stringify({ jsonrpc: "2.0", id: 1, result: { content: [{ type: "text", text: "hello" }] } });
const CALL = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/call", params: { name: "echo", arguments: { text: "hello" } } });

/**
 * { vars, good(n), refused(n), close() }: the bytes of the nth request that is to be let through,
 * or refused.
 */
export async function startStage() {
  const key = signingKey("rsa", "bench");
  const keys = JSON.stringify({ keys: [key.jwk({ alg: "RS256", use: "sig" })] });
  const server = http.createServer((req, res) => {
    req.resume();
    res.writeHead(200, { "content-type": "application/json" }).end(req.url === "/jwks" ? keys : ANSWER);
  });
  server.keepAliveTimeout = 0; // a Worker that reuses a connection must not meet its end
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `http://127.0.0.1:${server.address().port}`;
  const claims = (n, over) => ({ iss: url, aud: CANONICAL, sub: `user-${n}`, jti: `token-${n}`, exp: seconds() + 3600, ...over });
  const token = (n, over) => mint({ key, claims: claims(n, over) });
  const post = (text) => {
    minted.clear(); // the list is for the tests' look into the logs; here it would only grow
    return request("POST", "/mcp", { token: text, body: CALL });
  };
  const wrong = [
    (n) => tampered(token(n)),
    (n) => token(n, { exp: seconds() - 3600 }),
    (n) => token(n, { aud: "https://other.example.com/mcp" }),
    (n) => token(n, { iss: "https://other.example.com" }),
  ];
  return {
    vars: {
      MCP_SERVER_AUTH_CANONICAL_URL: CANONICAL,
      MCP_SERVER_AUTH_AUTHORIZATION_SERVERS: [{ authorization_server_url: url, jwks_uri: `${url}/jwks` }],
      ORIGIN_URL: `${url}/mcp`,
    },
    good: (n) => post(token(n)),
    refused: (n) => post(wrong[n % wrong.length](n)),
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}
