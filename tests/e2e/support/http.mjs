// An HTTP client that sends what it is told: node:http with one connection per request, so that
// method, path (`/mcp/../x`, `%2e%2e`) and repeated headers go out as written. fetch would
// normalise all of them. `raw` goes one step further and writes bytes to the socket, for what
// node:http refuses to send.
import http from "node:http";
import net from "node:net";
import { bounded } from "./until.mjs";

/**
 * Sends the head and returns { request, response: Promise<IncomingMessage> }; the caller writes and
 * reads the bodies.
 */
export function open(port, { method = "GET", path = "/", headers = {}, localAddress } = {}) {
  const request = http.request({ host: "127.0.0.1", port, method, path, headers, localAddress, agent: false });
  const answered = new Promise((resolve, reject) => {
    request.on("response", resolve);
    request.on("error", reject);
  });
  const response = bounded(`an answer to ${method} ${path}`, answered);
  response.catch(() => {}); // a client that leaves early waits for nothing
  return { request, response };
}

/** One exchange, the body read whole. */
export async function send(port, { body, headers = {}, ...head } = {}) {
  // node:http frames the body of a DELETE by itself only when it knows its length.
  const framed = body === undefined ? headers : { "content-length": Buffer.byteLength(body), ...headers };
  const { request, response } = open(port, { ...head, headers: framed });
  request.end(body);
  return whole(await response);
}

/** Reads an IncomingMessage to its end. */
export async function whole(message) {
  const chunks = [];
  const read = (async () => {
    for await (const chunk of message) chunks.push(chunk);
  })();
  await bounded("the end of a body", read);
  return answer(message.statusCode, message.statusMessage, message.rawHeaders, Buffer.concat(chunks));
}

function answer(status, statusText, rawHeaders, body) {
  const pairs = [];
  for (let i = 0; i < rawHeaders.length; i += 2) pairs.push([rawHeaders[i].toLowerCase(), rawHeaders[i + 1]]);
  return {
    status,
    statusText,
    body,
    text: body.toString("utf8"),
    json: () => JSON.parse(body.toString("utf8")),
    all: (name) => pairs.filter(([key]) => key === name.toLowerCase()).map(([, value]) => value),
    /**
     * The header's value; its lines joined, as any client would read them; undefined if it is not
     * there.
     */
    get(name) {
      const values = this.all(name);
      return values.length ? values.join(", ") : undefined;
    },
  };
}

/**
 * Writes `bytes` as they are and returns { status, text } of whatever comes back; status 0 if the
 * connection just closed.
 */
export function raw(port, bytes) {
  const exchange = new Promise((resolve) => {
    let text = "";
    const socket = net.connect(port, "127.0.0.1", () => socket.write(bytes));
    socket.on("data", (chunk) => {
      text += chunk.toString("latin1");
      // Workerd itself lingers for seconds over a body that nobody read.
      if (complete(text, String(bytes).startsWith("HEAD "))) socket.destroy();
    });
    socket.on("error", () => {}); // a reset is followed by `close`, which answers
    socket.on("close", () => resolve({ status: Number(/^HTTP\/1\.1 (\d{3})/.exec(text)?.[1] ?? 0), text }));
  });
  return bounded("the end of a raw exchange", exchange);
}

function complete(text, isHead) {
  const end = text.indexOf("\r\n\r\n");
  if (end >= 0 && (isHead || /^HTTP\/1\.1 (101|204|304)/.test(text))) return true;
  if (/^transfer-encoding: chunked/im.test(text)) return text.endsWith("\r\n0\r\n\r\n");
  const length = /^content-length: *(\d+)/im.exec(text)?.[1];
  return end >= 0 && length !== undefined && text.length >= end + 4 + Number(length);
}
