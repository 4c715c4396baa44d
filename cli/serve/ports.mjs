// Ports on loopback.

import { createServer } from "node:net";

/**
 * The wanted ports, by their names, if they are free, and free ones for 0. `inUse(name, sentence)`
 * is told of the first that cannot be had, and does not return.
 */
export async function choosePorts(wanted, inUse) {
  const held = [];
  const chosen = {};
  try {
    for (const [name, port] of Object.entries(wanted)) {
      const server = createServer();
      held.push(server);
      await new Promise((resolve, reject) => server.once("error", reject).listen(port, "127.0.0.1", resolve)).catch((error) =>
        inUse(name, `Port ${port} ${error.code === "EADDRINUSE" ? "is in use" : `cannot be used (${error.code})`}`));
      chosen[name] = server.address().port;
    }
  } finally {
    await Promise.all(held.map((server) => new Promise((resolve) => server.close(resolve))));
  }
  return chosen;
}
