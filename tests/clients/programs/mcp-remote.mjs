// A host that knows stdio only, as Claude Desktop and similar hosts configure it: mcp-remote stands
// between it and the URL. See ../support/flow.mjs for what is printed, and for CALL; mcp-remote
// listens for the browser's return itself.
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";

const [folder, url, ...flags] = process.argv.slice(2); // the flags are mcp-remote's own
const transport = new StdioClientTransport({
  command: process.execPath,
  args: [fileURLToPath(new URL("../node_modules/mcp-remote/dist/proxy.js", import.meta.url)), url, ...flags],
  // BROWSER: the login page is opened by nobody. Its URL is printed too.
  env: { PATH: process.env.PATH, HOME: folder, MCP_REMOTE_CONFIG_DIR: folder, BROWSER: "true" },
  stderr: "pipe",
});
createInterface({ input: transport.stderr }).on("line", (line) => {
  console.error(line);
  const shown = /^(http:\S+[?&]code_challenge=\S+)$/.exec(line.trim())?.[1];
  if (shown) console.log(`login ${shown}`);
});
const client = new Client({ name: "stdio host", version: "1" });
await client.connect(transport, { timeout: 60_000 });
const { tools } = await client.listTools();
const result = await client.callTool(JSON.parse(process.env.CALL));
console.log(`done ${JSON.stringify({ tools: tools.map(({ name }) => name), result })}`);
await client.close();
process.exit(0);
