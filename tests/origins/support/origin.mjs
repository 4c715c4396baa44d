// A real origin: one of the servers below tests/origins as a process of its own, and the Worker in
// front of it.
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import net from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { send } from "../../e2e/support/http.mjs";
import { bounded, until } from "../../e2e/support/until.mjs";

const START_MS = 120_000; // a Python that compiles its packages on first import, on a busy machine
const REFUSAL_MS = 60_000;
const STOP_MS = 5_000; // some wait for open streams

// A test process that is cut short takes its origins with it.
const running = new Set();
process.once("exit", () => running.forEach((child) => child.kill("SIGKILL")));

// Below the ports that systems give out by themselves, and apart from those of another test
// process: the server binds its port seconds after it was found free, and nobody may have taken it
// by then.
let next = 20_000 + (process.pid % 480) * 25;

export async function freePort() {
  for (;;) {
    const port = next++;
    const server = net.createServer();
    const free = await new Promise((resolve) => server.once("error", () => resolve(false)).listen(port, "127.0.0.1", () => resolve(true)));
    if (!free) continue;
    await new Promise((resolve) => server.close(resolve));
    return port;
  }
}

/** Runs a server until the test ends; gives { port, output() } as soon as it answers. */
export async function startServer(t, { command, file, port, env }) {
  const home = mkdtempSync(join(tmpdir(), "mcp-edge-auth-origin-"));
  const child = spawn(command, [file], { cwd: home, env: { ...quiet(home), ...env, PORT: String(port) }, stdio: ["ignore", "pipe", "pipe"] });
  running.add(child);
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (output += chunk));
  let ended;
  const end = new Promise((resolve) => {
    child.once("error", (error) => resolve((ended = error.message)));
    child.once("close", (code, signal) => resolve((ended = `exit ${code ?? signal}`)));
  });
  t.after(async () => {
    child.kill("SIGTERM");
    await bounded("the origin's end", end, STOP_MS).catch(() => child.kill("SIGKILL"));
    await bounded("the origin's end", end, STOP_MS);
    running.delete(child);
    rmSync(home, { recursive: true, force: true });
  });
  await until(`${file} to answer`, async () => {
    if (ended) throw new Error(`${file} ended (${ended}):\n${output}`);
    return send(port, { path: "/mcp" }).then(() => true, () => false);
  }, START_MS);
  return { port, output: () => output };
}

/** Runs a server that is expected to end by itself; gives its exit code and what it said. */
export function runServer({ command, file, env }) {
  const child = spawn(command, [file], { env: { ...quiet(tmpdir()), ...env }, stdio: ["ignore", "pipe", "pipe"] });
  running.add(child);
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (output += chunk));
  const end = new Promise((resolve) => child.once("close", (code) => resolve({ code, output })));
  return bounded("the end of a server", end, REFUSAL_MS).finally(() => {
    child.kill("SIGKILL");
    running.delete(child);
  });
}

// Not this process's environment: no variable that a server happens to read, no proxy, nobody's
// credentials (Arcade looks for them in the home folder); no telemetry, no asking for updates.
const quiet = (home) => ({
  PATH: process.env.PATH,
  HOME: home,
  PYTHONUNBUFFERED: "1",
  ARCADE_USAGE_TRACKING: "0",
  OTEL_SDK_DISABLED: "true",
  FASTMCP_CHECK_FOR_UPDATES: "off",
  FASTMCP_SHOW_SERVER_BANNER: "false",
  FASTMCP_TELEMETRY_MODE: "off",
});
