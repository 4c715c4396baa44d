// `npm start` on free ports, for tests: the authorization server, the MCP server and the Worker,
// started and stopped as a user would.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { join } from "node:path";
import { ROOT } from "./bundle.mjs";
import { bounded, until } from "./until.mjs";

const START_MS = 300_000; // on a cold machine it builds the Worker first
const STOP_MS = 20_000;

/**
 * Gives { url, port, lines: what it said, child, ended, output(), requests(), stop() }; requests()
 * are the Worker's log lines so far.
 */
export async function startDemo() {
  const args = [join(ROOT, "demo", "start.mjs"), "--port", "0", "--as-port", "0", "--origin-port", "0"];
  const child = spawn(process.execPath, args, { cwd: ROOT, stdio: ["ignore", "pipe", "pipe"] });
  let said = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (said += chunk));
  const demo = { child, output: () => said };
  demo.ended = new Promise((resolve) => child.once("close", resolve));
  demo.ended.then((code) => (demo.code = code));
  demo.lines = await until("the three lines of npm start", () => {
    assert.equal(demo.code, undefined, said);
    const url = /^URL for an MCP client: +(http:\S+)$/m.exec(said)?.[1];
    const curl = /^See the 401: +(curl .*)$/m.exec(said)?.[1];
    const client = /^Get a token, list tools: +(npm run client.*)$/m.exec(said)?.[1];
    return url && curl && client && { url, curl, client };
  }, START_MS).catch((error) => {
    child.kill("SIGTERM");
    throw error;
  });
  demo.url = demo.lines.url;
  demo.port = Number(new URL(demo.url).port);
  demo.requests = () => said.split("\n").filter((line) => /^\{"time":"[^"]+","event":"request"/.test(line)).map((line) => JSON.parse(line));
  demo.stop = async (signal = "SIGTERM") => {
    if (demo.code === undefined) child.kill(signal);
    return bounded("the demo's end", demo.ended, STOP_MS);
  };
  return demo;
}
