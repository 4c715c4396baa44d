// The process that origin.mjs starts. /…/probe: the headers it was sent. /…/big: 1 MiB for whatever
// was sent. /…/events: 1 000 events. /…/list?MiB=N: a list in one event of N MiB, in pieces.
import http from "node:http";

import { EVENTS, MIB, ORIGINS_OWN } from "./sizes.mjs";

const JSON_TYPE = { "content-type": "application/json" };
const RESULT = JSON.stringify({
  jsonrpc: "2.0",
  id: 1,
  result: { content: [{ type: "text", text: "The weather in Bristol is 14 degrees, light rain, wind from the west. ".repeat(3) }], isError: false },
});
const BIG = Buffer.alloc(MIB, "x");
// Then the loop turns, so that events leave in many packets, as they do when they happen one by
// one.
const EVENTS_AT_ONCE = 10;
const PIECE = 16 * 1024;
const eventOf = (i) =>
  `event: message\nid: ${i}\ndata: {"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":"p-1","progress":${i},"total":${EVENTS}}}\n\n`;

let keySets = {};

const server = http.createServer(async (req, res) => {
  res.on("error", () => {});
  const [path, query] = req.url.split("?");
  const keys = keySets[path];
  if (keys) return res.writeHead(200, JSON_TYPE).end(JSON.stringify(keys));
  req.resume();
  await new Promise((end) => req.once("end", end));
  if (path.endsWith("/probe")) return res.writeHead(200, JSON_TYPE).end(JSON.stringify(Object.entries(req.headers)));
  if (path.endsWith("/big")) return res.writeHead(200, { "content-type": "application/octet-stream", "content-length": MIB }).end(BIG);
  if (path.endsWith("/events")) return events(res);
  if (path.endsWith("/list")) return list(res, Number(new URLSearchParams(query).get("MiB")) * MIB);
  return res.writeHead(200, { ...JSON_TYPE, "access-control-allow-origin": ORIGINS_OWN, "content-length": Buffer.byteLength(RESULT) }).end(RESULT);
});
// A connection that closes between two slices is a failure that no side made.
server.keepAliveTimeout = 600_000;
server.listen(0, "127.0.0.1", () => process.send(server.address().port));
process.on("message", (sets) => {
  keySets = { ...keySets, ...sets };
  process.send("served");
});
process.on("disconnect", () => process.exit(0));

function events(res) {
  res.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-cache" });
  let sent = 0;
  const more = () => {
    for (const end = Math.min(EVENTS, sent + EVENTS_AT_ONCE); sent < end; sent++) res.write(eventOf(sent));
    if (sent < EVENTS) setImmediate(more);
    else res.end();
  };
  more();
}

/** One event of so many bytes. What has no name is filtered out, whatever the rules. */
async function list(res, bytes) {
  const eventWith = (description) => `data: ${JSON.stringify({ jsonrpc: "2.0", id: 1, result: { tools: [{}, { name: "echo", description }] } })}\n\n`;
  const event = Buffer.from(eventWith("x".repeat(bytes - eventWith("").length)));
  res.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-cache" });
  for (let at = 0; at < bytes; at += PIECE) {
    if (!res.write(event.subarray(at, at + PIECE))) await new Promise((drained) => res.once("drain", drained));
  }
  res.end();
}
