// What the Python sides share: a virtual environment with pinned packages under dist/bench, made
// once, and one server process in it.
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import { ROOT } from "../../../scripts/setup.mjs";
import { freePort, serveJwks, startServer } from "../support/server.mjs";

const run = promisify(execFile);
const HERE = fileURLToPath(new URL(".", import.meta.url));
const INSTALL_MS = 600_000;

/** requirements, server: files of this folder; tool: what the server calls its only tool. */
export function pythonSide({ name, requirements, server, tool }) {
  const pins = join(HERE, requirements);
  const hash = createHash("sha256").update(readFileSync(pins)).digest("hex").slice(0, 12);
  const folder = join(ROOT, "dist", "bench", `python-${hash}`);
  const python = join(folder, "bin", "python");
  return {
    name,
    kind: "process",
    identity: false,

    async available() {
      if (existsSync(join(folder, "installed"))) return true;
      try {
        await run("python3", ["-c", "import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 10))"]);
      } catch {
        return "there is no python3 >= 3.10 with venv";
      }
      try {
        rmSync(folder, { recursive: true, force: true }); // half of an earlier attempt
        await run("python3", ["-m", "venv", folder]);
        // Wheels only: nothing of a package runs before the server does.
        const args = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--only-binary=:all:", "-r", pins];
        await run(python, args, { timeout: INSTALL_MS });
        // Last, so that an interrupted installation is done again.
        writeFileSync(join(folder, "installed"), "");
        return true;
      } catch (error) {
        const reason = String(error.stderr || error.message).trim().split("\n").at(-1);
        return `its packages could not be installed: ${reason}`;
      }
    },

    async start({ jwks, issuer, canonicalUrl, audience, algorithm, folder: scratch }) {
      const keys = await serveJwks(jwks);
      const port = await freePort();
      const settings = { port, issuer, audience, algorithm, jwks_uri: keys.url, canonical_url: canonicalUrl };
      const path = "/mcp";
      const args = [join(HERE, server), JSON.stringify(settings)];
      try {
        const running = await startServer({ command: python, args, env: quiet(scratch), cwd: scratch, port, path });
        const stop = async () => {
          keys.close();
          await running.stop();
        };
        return { port, path, headers: HEADERS, body: call(tool), pids: running.pids, stop };
      } catch (error) {
        keys.close();
        throw error;
      }
    },
  };
}

const HEADERS = { "content-type": "application/json", accept: "application/json, text/event-stream" };

const call = (tool) => JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/call", params: { name: tool, arguments: { text: "hello" } } });

// Not this process's environment: a variable that a server happens to read would change what is
// measured. No home of anybody's, no telemetry, no asking for updates.
const quiet = (scratch) => ({
  PATH: process.env.PATH,
  HOME: scratch,
  NO_PROXY: "*",
  ARCADE_USAGE_TRACKING: "0",
  OTEL_SDK_DISABLED: "true",
  FASTMCP_CHECK_FOR_UPDATES: "off",
  FASTMCP_SHOW_SERVER_BANNER: "false",
  FASTMCP_TELEMETRY_MODE: "off",
});
