// Ten thousand bodies that were bent in every known way, through the built Worker with rules.
// Whatever is forwarded must say the same to every JSON reader: what the Worker decided on. And it
// arrives byte for byte.
import assert from "node:assert/strict";
import http from "node:http";
import { test } from "node:test";
import { MUTATORS, bodyOf } from "./support/bodies.mjs";
import { whole } from "./support/http.mjs";
import { closed, listen } from "./support/issuer.mjs";
import { everyMember, readings } from "./support/readers.mjs";
import { bearer, stage } from "./support/stage.mjs";
import { until } from "./support/until.mjs";

const CASES = 10_000;
const CONNECTIONS = 24;
const PATIENCE_MS = 120_000;

const POLICY = { rules: [{ methods: ["*"], names: ["secret*"], deny: true }, { methods: ["initialize"], scopes: ["nobody:has-it"] }] };

/** An MCP server that only remembers the bodies that reached it, by the number of the case. */
async function recorder(t) {
  const arrived = new Map();
  const server = http.createServer(async (req, res) => {
    const chunks = [];
    for await (const chunk of req) chunks.push(chunk);
    const n = Number(req.headers["x-case"]);
    arrived.set(n, [...(arrived.get(n) ?? []), Buffer.concat(chunks)]);
    res.writeHead(200, { "content-type": "application/json" }).end("{}");
  });
  const port = await listen(server, 0);
  t.after(() => closed(server));
  return { url: `http://127.0.0.1:${port}/mcp`, arrived };
}

/** Sends every case; resolves to what each was answered. */
async function sendAll(port, token) {
  const agent = new http.Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  const answers = [];
  let next = 0;
  const one = (n) =>
    new Promise((resolve, reject) => {
      const { bytes } = bodyOf(n);
      const headers = { "content-type": "application/json", "content-length": bytes.length, "x-case": n, ...bearer(token) };
      http.request({ host: "127.0.0.1", port, method: "POST", path: "/mcp", headers, agent }, resolve).on("error", reject).end(bytes);
    });
  const worker = async () => {
    while (next < CASES) {
      const n = next++;
      answers[n] = await whole(await one(n));
    }
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, worker));
  agent.destroy();
  return answers;
}

/** What a message is about: the member that MCP says, and either where it says nothing. */
function namesOf({ method, name, uri }) {
  if (["tools/call", "prompts/get"].includes(method)) return [name];
  return /^resources\/(read|subscribe|unsubscribe)$/.test(method) ? [uri] : [name, uri].filter((one) => one !== undefined);
}

/** What the Worker's line says of a body that a reader understood so. */
function lineOf([message, ...more], isBatch) {
  if (isBatch) return { batch: 1 + more.length };
  return { method: message.method, name: namesOf(message)[0]?.split("?")[0] };
}

/** The keys, sorted, so that two heaps of them can be compared whatever order they were made in. */
const heap = (keys) => keys.map((key) => JSON.stringify(key)).sort();

test(`${CASES} bent bodies: what is forwarded says the same to every reader, and is what was sent`, { timeout: PATIENCE_MS }, async (t) => {
  const origin = await recorder(t);
  const s = await stage(t, { vars: { ORIGIN_URL: origin.url, MCP_SERVER_AUTH_POLICY: POLICY } });
  const answers = await sendAll(s.worker.port, s.token());
  const lines = () => s.worker.lines("request");
  await until("their log lines", () => lines().length >= CASES);

  const used = new Map(Object.keys(MUTATORS).map((kind) => [kind, { refused: 0, forwarded: 0 }]));
  const understood = [];
  for (const [n, answer] of answers.entries()) {
    const { bytes, kinds } = bodyOf(n);
    const arrivals = origin.arrived.get(n) ?? [];
    const what = () => `case ${n} (${kinds.join(", ") || "sound"}): ${bytes.toString("latin1").slice(0, 400)}`;
    for (const kind of kinds) used.get(kind)[arrivals.length ? "forwarded" : "refused"] += 1;
    if (!arrivals.length) {
      assert.ok([400, 403].includes(answer.status), `${answer.status} ${answer.text} ${what()}`);
      assertJsonRpcError(answer, bytes, what);
      continue;
    }
    assert.deepEqual([arrivals.length, answer.status], [1, 200], what());
    assert.ok(arrivals[0].equals(bytes), `not the bytes that were sent: ${what()}`);
    const [[, first], ...others] = read(arrivals[0], what);
    for (const [reader, reading] of others) assert.deepEqual(reading, first, `${reader} reads something else in ${what()}`);
    for (const name of first.flatMap(namesOf)) assert.ok(!name?.startsWith("secret"), `through a closed door: ${what()}`);
    understood.push(lineOf(first, bytes.toString().trimStart().startsWith("[")));
  }
  const decided = lines().filter(({ outcome }) => outcome === "forwarded");
  const decidedOn = ({ rpc_method: method, rpc_name: name, rpc_batch: batch }) => (batch ? { batch } : { method, name });
  assert.deepEqual(heap(decided.map(decidedOn)), heap(understood), "what the Worker decided on, and what its origin reads");

  t.diagnostic(`${understood.length} forwarded, ${CASES - understood.length} refused`);
  for (const [kind, { refused, forwarded }] of used) t.diagnostic(`${kind}: ${refused} refused, ${forwarded} forwarded`);
  assert.ok(understood.length > CASES / 10 && understood.length < CASES / 2, "neither everything nor nothing");
  assert.ok([...used.values()].every(({ refused, forwarded }) => refused + forwarded > CASES / 100), "every way of bending was tried");
});

/** What every reader makes of it; nothing may arrive that one of them cannot read. */
function read(bytes, what) {
  try {
    return readings(bytes);
  } catch (error) {
    return assert.fail(`${error.message}: forwarded ${what()}`);
  }
}

/** The id of a refusal is the request's, or there is none. */
function assertJsonRpcError(answer, bytes, what) {
  assert.match(answer.get("content-type") ?? "", /^application\/json\b/, what());
  const { jsonrpc, id, error } = answer.json();
  assert.deepEqual([jsonrpc, Number.isInteger(error?.code), typeof error?.message], ["2.0", true, "string"], `${answer.text} ${what()}`);
  if (id === undefined || id === null) return;
  const sent = [everyMember(bytes.toString())].flat().map((message) => message?.members?.findLast(([name]) => name === "id")?.[1]);
  assert.ok(sent.includes(id), `${answer.text} ${what()}`);
}

test("the readers of this test agree with JSON.parse, and see what they are for", () => {
  for (let n = 0; n < CASES; n += 7) {
    const body = bodyOf(n).bytes.toString();
    const outcome = (read) => {
      try {
        read(body);
        return "JSON";
      } catch (error) {
        if (error instanceof RangeError) return "too deep"; // for a reader that calls itself
        return error instanceof SyntaxError ? "not JSON" : error;
      }
    };
    if (outcome(everyMember) !== "too deep") assert.equal(outcome(everyMember), outcome(JSON.parse), body.slice(0, 400));
  }
  const names = (body) => readings(Buffer.from(body)).map(([, [{ name }]]) => name);
  assert.deepEqual(names('{"params":{"name":"a","n\\u0061me":"b"}}'), ["b", "a", "b", "a", "b"]);
  assert.deepEqual(names('{"params":{"name":"a","NAME":"b"}}'), ["a", "a", "a", "a", "b"]);
  assert.deepEqual(names('{"params":{"name":"a"},"param\u017f":{"name":"b"}}'), ["a", "a", "a", "a", "b"]);
});
