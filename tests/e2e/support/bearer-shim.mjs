// Stands before the Worker for a client that cannot send a bearer token: adds one `Authorization`
// line to every request, and passes on every other byte as it came, so that Host, header case and
// the blanks around a value are the client's own.
import net from "node:net";
import { listen } from "./issuer.mjs";

const HEAD_END = "\r\n\r\n";

/** Resolves to the shim's port. Requests must have no body or one with a Content-Length. */
export async function startBearerShim(t, { port, token }) {
  const open = new Set();
  const server = net.createServer((client) => {
    const worker = net.connect(port, "127.0.0.1");
    const write = requestsWith(`Authorization: Bearer ${token}\r\n`, (bytes) => worker.write(bytes));
    client.on("data", write);
    worker.pipe(client);
    for (const [one, other] of [[client, worker], [worker, client]]) {
      open.add(one);
      one.on("error", () => other.destroy());
      one.on("close", () => {
        open.delete(one);
        other.end();
      });
    }
  });
  const own = await listen(server, 0);
  t.after(() => {
    server.close();
    for (const socket of open) socket.destroy();
  });
  return own;
}

/**
 * Takes the bytes of a connection piece by piece, and writes them on with `line` after each request
 * line.
 */
function requestsWith(line, write) {
  let head = Buffer.alloc(0);
  let body = 0; // bytes still to come of the body under way
  return (chunk) => {
    while (chunk.length) {
      const passed = chunk.subarray(0, body);
      if (passed.length) write(passed);
      body -= passed.length;
      head = Buffer.concat([head, chunk.subarray(passed.length)]);
      chunk = Buffer.alloc(0);
      const end = head.indexOf(HEAD_END);
      if (body > 0 || end < 0) return;
      const text = head.toString("latin1", 0, end);
      const afterRequestLine = text.indexOf("\r\n") + 2;
      write(head.subarray(0, afterRequestLine));
      write(line);
      write(head.subarray(afterRequestLine, end + HEAD_END.length));
      body = Number(/^content-length: *(\d+)/im.exec(text)?.[1] ?? 0);
      chunk = head.subarray(end + HEAD_END.length);
      head = Buffer.alloc(0);
    }
  };
}
