// A fake MCP server in this process: it records what reaches it (method, url, header lines as they
// came, body) and answers by path with what a test asked for, otherwise with an echo.
import http from "node:http";
import { closed, listen } from "./issuer.mjs";

/**
 * Where the Worker is told that the MCP server lives: a path, so that the mapping from the
 * canonical path shows.
 */
export const BASE = "/upstream";

export async function startOrigin(t) {
  const seen = [];
  const routes = new Map();
  const server = http.createServer((req, res) => {
    res.on("error", () => {});
    const record = recordOf(req);
    seen.push(record);
    const answer = routes.get(new URL(req.url, "http://origin").pathname) ?? echo;
    answer(req, res, record);
  });
  const port = await listen(server, 0);
  t.after(() => closed(server));
  return {
    port,
    server,
    url: `http://127.0.0.1:${port}`,
    seen,
    last: () => seen.at(-1),
    /** answer(req, res, record) for one path of this server. */
    on: (path, answer) => routes.set(path, answer),
    close: () => closed(server),
  };
}

function recordOf(req) {
  const lines = [];
  for (let i = 0; i < req.rawHeaders.length; i += 2) lines.push([req.rawHeaders[i].toLowerCase(), req.rawHeaders[i + 1]]);
  const record = {
    method: req.method,
    url: req.url,
    lines,
    received: 0,
    /** Undefined when the header is not there; node decodes header bytes as Latin-1. */
    header: (name) => lines.filter(([key]) => key === name.toLowerCase()).map(([, value]) => value).join(", ") || undefined,
    named: (start) => Object.fromEntries(lines.filter(([key]) => key.replaceAll("_", "-").startsWith(start))),
  };
  const chunks = [];
  record.body = new Promise((resolve) => {
    req.on("data", (chunk) => {
      record.received += chunk.length;
      chunks.push(chunk);
    });
    req.on("end", () => resolve(Buffer.concat(chunks)));
    req.on("close", () => resolve(Buffer.concat(chunks)));
  });
  return record;
}

async function echo(req, res, record) {
  const body = await record.body;
  res.writeHead(200, { "content-type": "application/json", "x-origin": "echo" });
  res.end(JSON.stringify({ method: req.method, url: req.url, body: body.toString("utf8") }));
}

/**
 * An event stream that the test writes event by event: { answer, opened: Promise<{ event(text),
 * left() }> }.
 */
export function eventStream() {
  let ready;
  const opened = new Promise((resolve) => (ready = resolve));
  const answer = (req, res) => {
    let left = false;
    res.on("close", () => (left = true));
    res.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-cache" });
    res.flushHeaders();
    ready({ event: (text) => res.write(`data: ${text}\n\n`), end: () => res.end(), left: () => left });
  };
  return { answer, opened };
}
