// The clients that tests/servers runs, too: what wholeFlow() starts.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const program = (name) => fileURLToPath(new URL(`../programs/${name}`, import.meta.url));

/**
 * FastMCP's client, run by the `python` of its environment. oauth: what it is told of its
 * registration, if it is to have none.
 */
export function fastmcp(python, oauth = {}) {
  return { command: python, args: [program("fastmcp-client.py")], env: { BROWSER: "echo login %s", OAUTH: JSON.stringify(oauth) }, listens: true };
}

/** mcp-remote with an empty folder for what it keeps. flags: its own. */
export async function mcpRemote(t, flags = []) {
  const folder = await mkdtemp(join(tmpdir(), "mcp-edge-auth-mcp-remote-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return { command: process.execPath, args: [program("mcp-remote.mjs"), folder], flags, listens: true };
}
