// filter_lists in streams, by the bytes that the client gets: however an event arrives, however
// large it is, and with byte order marks. More rows are in tests/native/policy_events.rs.
import assert from "node:assert/strict";
import { test } from "node:test";
import { EventSourceParserStream } from "eventsource-parser/stream";
import { open } from "./support/http.mjs";
import { BASE } from "./support/origin.mjs";
import { POLICY, guarded } from "./support/policy.mjs";
import { bounded, until } from "./support/until.mjs";

const LIMIT = 8 * 1024 * 1024;
const PIECE = 4096;
const listOf = (...names) => JSON.stringify({ jsonrpc: "2.0", id: 1, result: { tools: names.map((name) => ({ name })) } });
const BOTH = listOf("delete_all", "echo");
const LESS = listOf("echo");
const MARK = "\ufeff";
const TWICE = "\u00ef\u00bb\u00bf"; // a mark that was taken for Latin-1 and encoded once more

/** A stage whose origin answers with the stream that the test writes: open(), and through(text). */
async function streaming(t) {
  const s = await guarded(t, { ...POLICY, filter_lists: true });
  s.open = async () => {
    const source = new Promise((resolve) => {
      s.origin.on(BASE, (req, res) => {
        res.writeHead(200, { "content-type": "text/event-stream" });
        res.flushHeaders();
        res.on("error", () => {}); // of what is written to a stream that was cut
        resolve(res);
      });
    });
    const headers = { authorization: `Bearer ${s.token({ scope: "mcp tools" })}`, "content-type": "application/json" };
    const { request, response } = open(s.worker.port, { method: "POST", path: "/mcp", headers });
    request.end(JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/list" }));
    const [res, message] = await Promise.all([bounded("the origin's stream", source), response]);
    const chunks = [];
    message.on("data", (chunk) => chunks.push(chunk));
    const closed = new Promise((resolve) => message.once("close", resolve));
    return {
      write: (bytes) => new Promise((resolve) => res.write(bytes, resolve)),
      end: () => res.end(),
      text: () => Buffer.concat(chunks).toString("utf8"),
      ended: bounded("the end of the stream", closed),
      /** Whether the Worker has let go of the origin's stream. */
      left: () => res.destroyed,
    };
  };
  /** What a client gets of a stream that arrives in one piece. */
  s.through = async (text) => {
    const stream = await s.open();
    await stream.write(text);
    stream.end();
    await stream.ended;
    return stream.text();
  };
  return s;
}

test("an event is filtered and goes out with its last byte, wherever it is cut", async (t) => {
  const s = await streaming(t);
  for (const [pieces, expected] of [
    [["data: ", BOTH, "\n", "\n"], `data: ${LESS}\n\n`],
    [[`data: ${BOTH}\r`, "\n", "\r", "\n"], `data: ${LESS}\n\r\n`],
    [[`data: ${BOTH}\r\n\r`, "\n"], `data: ${LESS}\n\r\n`],
    [[`data: ${BOTH}\r`, "\r"], `data: ${LESS}\n\r`],
    [[":\n\ndata: 1\n\ndata:", `${BOTH}\n\n`], `:\n\ndata: 1\n\ndata: ${LESS}\n\n`],
  ]) {
    const stream = await s.open();
    const first = `data: ${pieces.length}\n\n`;
    await stream.write(first);
    await until("the event before", () => stream.text() === first);
    // Each piece is a chunk of HTTP, of which the runtime reads one at a time.
    for (const piece of pieces) await stream.write(piece);
    await until(`${JSON.stringify(pieces)}, while the stream is open`, () => stream.text() === first + expected);
    stream.end();
    await stream.ended;
    assert.equal(stream.text(), first + expected);
  }
});

test("many small events in one piece, and one that the stream's end cuts off", async (t) => {
  const s = await streaming(t);
  const events = (list) => `data: ${list}\n\n: x\n\n`.repeat(2000);
  assert.equal(await s.through(`${events(BOTH)}data: ${BOTH}`), `${events(LESS)}data: ${LESS}\n`);
});

test("an event of 8 MiB in small pieces is filtered, a larger one ends the stream", async (t) => {
  const s = await streaming(t);
  const sized = (bytes, names) => {
    const start = `data: ${listOf(...names)}`;
    return start + " ".repeat(bytes - start.length - 2) + "\n\n";
  };
  const inPieces = async (text) => {
    const stream = await s.open();
    await stream.write(": first\n\n");
    for (let at = 0; at < text.length; at += PIECE) await stream.write(text.slice(at, at + PIECE));
    await stream.write(": last\n\n");
    stream.end();
    await stream.ended;
    return stream.text();
  };
  const event = sized(LIMIT, ["delete_all", "echo"]);
  assert.equal(event.length, LIMIT);
  const filtered = `: first\n\n${event.replace(BOTH, LESS)}: last\n\n`;
  assert.ok((await inPieces(event)) === filtered, "8 MiB, filtered");
  assert.ok((await s.through(`: first\n\n${event}: last\n\n`)) === filtered, "8 MiB, filtered, however it came");
  for (const send of [inPieces, (text) => s.through(`: first\n\n${text}: last\n\n`)]) {
    const text = await send(sized(LIMIT + 1, ["echo"]));
    assert.ok([": first\n\n", ""].includes(text), `${text.length} bytes of an event that is too large`);
  }
});

test("a stream that ends early ends at the origin, too", async (t) => {
  const s = await streaming(t);
  const stream = await s.open();
  await stream.write(`:\n\ndata: {\n\n`);
  await stream.ended;
  assert.ok(!stream.text().includes("data"));
  await until("the origin to see it", stream.left);
  await until("a line in the runtime's log", () => s.worker.output().includes("list_unreadable"));
});

/**
 * How clients prepare a stream for reading: they skip a mark nowhere, at its start, or before any
 * line.
 */
const READERS = {
  nowhere: (text) => text,
  "at the start": (text) => text.replace(MARK, (mark, at) => (at ? mark : "")),
  "before any line": (text) => text.replaceAll(new RegExp(`(^|\n|\r)${MARK}+`, "g"), "$1"),
};

const lists = (datas) => datas.filter((data) => isJson(data)).flatMap((data) => JSON.parse(data).result?.tools?.map(({ name }) => name) ?? []);

function isJson(text) {
  try {
    return JSON.parse(text) !== undefined;
  } catch {
    return false;
  }
}

/** The data of all events, an unfinished one included. */
const dataOf = (text) => text.split(/(?:\r\n|\r|\n){2}/).map((event) => event.split(/\r\n|\r|\n/).filter((line) => line.startsWith("data:")).map((line) => line.slice(5).replace(/^ /, "")).join("\n"));

/** As the TypeScript SDKs read it. */
async function sdkDataOf(text) {
  const stream = new Blob([text]).stream().pipeThrough(new TextDecoderStream()).pipeThrough(new EventSourceParserStream());
  const datas = [];
  for await (const { data } of stream) datas.push(data);
  return datas;
}

test("no client finds a forbidden tool behind a byte order mark", async (t) => {
  const s = await streaming(t);
  const found = await s.through(`data: {}\n\n${MARK}data: {"y":\ndata: ${BOTH}\n${MARK}data: }\n\n: last\n\n`);
  assert.ok(["data: {}\n\n", ""].includes(found), found); // the middle line alone is a list
  for (const [sent, expected] of [
    [`${MARK}data: ${BOTH}\n\n`, `data: ${LESS}\n\n`],
    [`${TWICE}data: ${BOTH}\n\n`, `data: ${LESS}\n\n`],
    [`${MARK}${TWICE}data: ${BOTH}\n\n`, `data: ${LESS}\n\n`],
    [`:\n\n${MARK}data: ${BOTH}\n\n`, `:\n\ndata: ${LESS}\n\n`],
    [`${MARK}data: x\ndata: ${BOTH}\n\n`, `data: x\ndata: ${BOTH}\n\n`], // no JSON, for nobody
    [`data: ${MARK}${BOTH}\n\n`, ""],
    [`${MARK}event: message\ndata: ${BOTH}\n\n`, `event: message\ndata: ${LESS}\n\n`],
    [`data: {"id":1,\n${MARK}data: "result":{"tools":[{"name":"delete_all"}]}}\n\n`, ""],
    [`event: message\n${MARK}data: ${BOTH}\n\n`, ""],
    [`data: ${LESS}\r${MARK}\rdata: ${BOTH}\n\n`, ""],
    [`data: ${LESS}\n${TWICE}data: ${BOTH}\n\n`, ""],
  ]) {
    const text = await s.through(sent);
    assert.equal(text, expected, sent);
    for (const [name, prepared] of Object.entries(READERS)) {
      const names = lists(dataOf(prepared(text)));
      assert.ok(!names.includes("delete_all"), `${name}: ${text}`);
      assert.equal(names.includes("echo"), text.includes(LESS), `${name}: ${text}`);
    }
    assert.ok(!lists(await sdkDataOf(text)).includes("delete_all"), text);
  }
});
