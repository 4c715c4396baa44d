// The official TypeScript client, 1.x line: see ../support/flow.mjs for what is printed and read.
import { once } from "node:events";
import { createInterface } from "node:readline";
import { UnauthorizedError } from "@modelcontextprotocol/sdk/client/auth.js";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";

const [url] = process.argv.slice(2);
const kept = {};
const provider = {
  redirectUrl: "http://127.0.0.1:8790/callback",
  clientMetadata: {
    client_name: "TypeScript SDK 1.x",
    redirect_uris: ["http://127.0.0.1:8790/callback"],
    grant_types: ["authorization_code", "refresh_token"],
    response_types: ["code"],
    token_endpoint_auth_method: "none",
  },
  clientInformation: () => kept.client,
  saveClientInformation: (client) => void (kept.client = client),
  tokens: () => kept.tokens,
  saveTokens: (tokens) => void (kept.tokens = tokens),
  codeVerifier: () => kept.verifier,
  saveCodeVerifier: (verifier) => void (kept.verifier = verifier),
  redirectToAuthorization: (target) => console.log(`login ${target}`),
};
const open = () => new StreamableHTTPClientTransport(new URL(url), { authProvider: provider });
const identity = { name: "typescript-1", version: "1" };

const first = open();
const refused = await new Client(identity).connect(first).then(() => undefined, (error) => error);
if (!(refused instanceof UnauthorizedError)) throw refused ?? new Error("let in without a token");
const [back] = await once(createInterface({ input: process.stdin }), "line");
await first.finishAuth(new URL(back).searchParams.get("code"));

const client = new Client(identity);
const transport = open();
await client.connect(transport);
const { tools } = await client.listTools();
const result = await client.callTool({ name: "echo", arguments: { message: "through the edge" } });
console.log(`done ${JSON.stringify({ tools: tools.map(({ name }) => name), result })}`);
await transport.terminateSession();
await client.close();
process.exit(0);
