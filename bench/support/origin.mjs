// The origin behind a real network: a process of its own on loopback, whose CPU is nobody's side.
// It serves the issuers' key sets, too.
import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";

import { bounded } from "../../tests/e2e/support/until.mjs";
import { started } from "./processes.mjs";

/** Gives { port, url, serve(keySets), stop() }. */
export async function startOrigin() {
  const child = fork(fileURLToPath(new URL("origin-server.mjs", import.meta.url)), { stdio: ["ignore", "ignore", "inherit", "ipc"] });
  const { stop, ended } = started(child);
  const said = (what) => new Promise((resolve, reject) => {
    child.once("message", resolve);
    ended.then(() => reject(new Error(`the origin ended before ${what}`)));
  });
  const port = await bounded("the origin's port", said("it listened"));
  const serve = async (keySets) => {
    child.send(keySets);
    await bounded("the origin's key sets", said("it had its key sets"));
  };
  return { port, url: `http://127.0.0.1:${port}`, serve, stop };
}
