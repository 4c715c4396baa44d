// What every side that is a server of its own needs: a port, a key set to fetch, a process that is
// waited for and ended by its pid.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, readdirSync } from "node:fs";
import http from "node:http";
import net from "node:net";

import { bounded, until } from "../../../tests/e2e/support/until.mjs";

const START_MS = 60_000;

/** A port that was free a moment ago; haproxy and uvicorn are told theirs. */
export async function freePort() {
  const server = net.createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  await once(server, "close");
  return port;
}

/** The key set over loopback HTTP, from this process: { url, close() }. */
export async function serveJwks(jwks) {
  const body = JSON.stringify(jwks);
  const server = http.createServer((_, res) => res.writeHead(200, { "content-type": "application/json" }).end(body));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const close = () => {
    server.close();
    server.closeAllConnections();
  };
  return { url: `http://127.0.0.1:${server.address().port}/jwks`, close };
}

/**
 * Starts the command and waits until it answers 401 at `path`, as each of them does without a
 * token: { pids(), stop() }.
 */
export async function startServer({ command, args, env, cwd, port, path }) {
  const child = spawn(command, args, { env, cwd, stdio: ["ignore", "ignore", "pipe"] });
  const kill = () => child.kill("SIGKILL");
  process.once("exit", kill);
  let said = "";
  let ended = false;
  child.stderr.on("data", (chunk) => (said = (said + chunk).slice(-2000)));
  child.once("error", (error) => (said += error.message));
  const end = new Promise((resolve) => child.once("close", resolve));
  end.then(() => (ended = true));
  const stop = async () => {
    const below = descendants(child.pid);
    kill();
    // A child that outlived its parent would go on taking the measured cores.
    for (const pid of below) endQuietly(pid);
    await bounded(`the end of ${command}`, end);
    process.off("exit", kill);
  };
  try {
    await until(`an answer from ${command}`, async () => {
      if (ended) throw new Error(`${command} ended: ${said}`);
      return (await statusOf(port, path)) === 401;
    }, START_MS);
  } catch (error) {
    await stop();
    throw new Error(`${error.message}${ended ? "" : ` ${said}`}`);
  }
  return { pids: () => [child.pid, ...descendants(child.pid)], stop };
}

function endQuietly(pid) {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It ended with its parent.
  }
}

function statusOf(port, path) {
  return new Promise((resolve) => {
    const request = http.request({ host: "127.0.0.1", port, path, method: "POST", agent: false, timeout: 2000 }, (res) => {
      res.resume();
      resolve(res.statusCode);
    });
    request.on("timeout", () => request.destroy());
    request.on("error", () => resolve(0)); // not listening yet
    request.end();
  });
}

/** The processes that came from this one, at any depth. */
function descendants(pid) {
  const parents = readdirSync("/proc").filter((name) => /^\d+$/.test(name)).map((name) => [Number(name), parentOf(name)]);
  const below = (id) => parents.filter(([, parent]) => parent === id).flatMap(([child]) => [child, ...below(child)]);
  return below(pid);
}

function parentOf(pid) {
  try {
    // The name in parentheses may hold spaces and parentheses itself; what follows its last one
    // does not.
    return Number(readFileSync(`/proc/${pid}/stat`, "utf8").replace(/^.*\) /s, "").split(" ")[1]);
  } catch {
    return -1; // gone in the meantime
  }
}
