// One keep-alive connection that writes prepared bytes and reads framed answers; nothing of an HTTP
// client's own work is in the way.
import { once } from "node:events";
import net from "node:net";

/** { ask(bytes): Promise<status>, close() } */
export async function connect(port) {
  const socket = net.connect(port, "127.0.0.1").setNoDelay();
  await once(socket, "connect");
  let text = "";
  let waiting;
  const settle = (how, value) => {
    const current = waiting;
    waiting = undefined;
    current?.[how](value);
  };
  socket.on("data", (chunk) => {
    text += chunk.toString("latin1");
    if (!complete(text)) return;
    const status = Number(text.slice(9, 12));
    text = "";
    settle("resolve", status);
  });
  socket.on("error", (error) => settle("reject", error));
  socket.on("close", () => settle("reject", new Error("the connection was closed in the middle of an exchange")));
  const ask = (bytes) =>
    new Promise((resolve, reject) => {
      waiting = { resolve, reject };
      if (socket.destroyed) settle("reject", new Error("the connection was closed between two exchanges"));
      else socket.write(bytes);
    });
  return { ask, close: () => socket.destroy() };
}

/** The bytes of one request. */
export function request(method, path, { token, host = "mcp.example.com", body = "" } = {}) {
  const lines = [`${method} ${path} HTTP/1.1`, `Host: ${host}`];
  if (token) lines.push(`Authorization: Bearer ${token}`);
  if (body) lines.push("Content-Type: application/json", `Content-Length: ${Buffer.byteLength(body)}`);
  return Buffer.from(`${lines.join("\r\n")}\r\n\r\n${body}`);
}

function complete(text) {
  const end = text.indexOf("\r\n\r\n");
  if (end < 0) return false;
  const head = text.slice(0, end);
  if (/\r\ntransfer-encoding: *chunked/i.test(head)) return text.endsWith("\r\n0\r\n\r\n");
  return text.length >= end + 4 + Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1] ?? 0);
}
