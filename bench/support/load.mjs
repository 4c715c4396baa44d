// The load generator: keep-alive connections on raw sockets that write prepared bytes, so that the
// client costs little and the same for every side.
//
// `closedLoop`: each connection sends its next request when its answer is there. It starts and ends
// with no request under way, so that CPU time divided by answers leaves no remainder. `openLoop`:
// requests go out at a fixed rate whether or not answers come; a latency is counted from the moment
// at which its request was due, so that a server that stalls cannot hide it. Every answer's status,
// and its length where that is known, is checked; one wrong answer fails the run.
import net from "node:net";
import { performance } from "node:perf_hooks";

import { Framing } from "./framing.mjs";

export const CONNECTIONS = 64;
const PATIENCE_MS = 15_000;

/** expect: { status, bytes }. Gives { requests, seconds, perSecond }. */
export async function closedLoop({ port, requests, expect, seconds, connections = CONNECTIONS }) {
  const pool = await connected(port, connections);
  try {
    let sent = 0;
    let answered = 0;
    const begun = performance.now();
    const end = begun + seconds * 1000;
    await patient(pool, seconds, (finish, fail) => {
      let busy = pool.length;
      for (const connection of pool) {
        const next = () => {
          if (performance.now() >= end) {
            busy -= 1;
            if (busy === 0) finish();
            return;
          }
          connection.send(requests[sent++ % requests.length], answer);
        };
        const answer = (status, bytes) => {
          const wrong = judge(expect, status, bytes);
          if (wrong) return fail(wrong);
          answered += 1;
          next();
        };
        connection.failed = fail;
        next();
      }
    });
    const took = (performance.now() - begun) / 1000;
    return { requests: answered, seconds: took, perSecond: answered / took };
  } finally {
    for (const connection of pool) connection.close();
  }
}

/** Gives { requests, p50, p99 } in milliseconds. */
export async function openLoop({ port, requests, expect, seconds, rate, connections = CONNECTIONS }) {
  const pool = await connected(port, connections);
  try {
    const count = Math.round(rate * seconds);
    const latencies = new Float64Array(count);
    const free = [...pool];
    const begun = performance.now() + 5;
    const dueAt = (i) => begun + (i * 1000) / rate;
    await patient(pool, seconds, (finish, fail) => {
      let sent = 0;
      let answered = 0;
      let stopped = false;
      const send = () => {
        while (sent < count && free.length && performance.now() >= dueAt(sent)) {
          const i = sent++;
          const connection = free.pop();
          connection.send(requests[i % requests.length], (status, bytes) => {
            const wrong = judge(expect, status, bytes);
            if (wrong) return fail(wrong);
            latencies[i] = performance.now() - dueAt(i);
            free.push(connection);
            answered += 1;
            if (answered === count) finish();
          });
        }
      };
      // A timer's millisecond would be in every latency, so the loop looks at the clock on each
      // turn.
      const turn = () => {
        if (stopped || sent === count) return;
        send();
        setImmediate(turn);
      };
      for (const connection of pool) {
        connection.failed = (error) => {
          stopped = true;
          fail(error);
        };
      }
      turn();
    });
    latencies.sort();
    const at = (share) => latencies[Math.floor((count - 1) * share)];
    return { requests: count, p50: at(0.5), p99: at(0.99) };
  } finally {
    for (const connection of pool) connection.close();
  }
}

function judge(expect, status, bytes) {
  if (status !== expect.status) return new Error(`status ${status} where ${expect.status} was expected`);
  if (expect.bytes !== undefined && bytes !== expect.bytes) return new Error(`a body of ${bytes} bytes where ${expect.bytes} were expected`);
  return undefined;
}

/** The loop's end, its failure, or the end of patience. */
async function patient(pool, seconds, loop) {
  let timer;
  try {
    await new Promise((finish, fail) => {
      timer = setTimeout(() => fail(new Error("the server did not answer in time")), seconds * 1000 + PATIENCE_MS);
      loop(finish, fail);
    });
  } finally {
    clearTimeout(timer);
    for (const connection of pool) connection.failed = () => {};
  }
}

const connected = (port, count) => Promise.all(Array.from({ length: count }, () => new Connection(port).open()));

class Connection {
  failed = () => {};
  #socket;
  #answer;

  constructor(port) {
    this.port = port;
  }

  open() {
    return new Promise((resolve, reject) => {
      const framing = new Framing((status, bytes, closing) => {
        const answer = this.#answer;
        this.#answer = undefined;
        if (!closing) return answer(status, bytes);
        this.close();
        this.open().then(() => answer(status, bytes), (error) => this.failed(error));
      });
      const socket = (this.#socket = net.connect(this.port, "127.0.0.1", () => resolve(this)));
      socket.setNoDelay(true);
      socket.on("data", (chunk) => {
        try {
          framing.push(chunk);
        } catch (error) {
          this.failed(error);
        }
      });
      socket.on("error", (error) => {
        reject(error);
        if (socket === this.#socket) this.failed(error);
      });
      socket.on("close", () => {
        if (socket === this.#socket && this.#answer) this.failed(new Error("the connection ended in the middle of an answer"));
      });
    });
  }

  send(bytes, answer) {
    this.#answer = answer;
    this.#socket.write(bytes);
  }

  close() {
    const socket = this.#socket;
    this.#socket = undefined;
    socket?.destroy();
  }
}

/** The bytes of a request. */
export function requestBytes({ method = "POST", path, headers = {}, body, host = "mcp.example.com" }) {
  const framed = body === undefined ? headers : { ...headers, "content-length": Buffer.byteLength(body) };
  const lines = Object.entries({ host, ...framed }).map(([name, value]) => `${name}: ${value}\r\n`);
  return Buffer.concat([Buffer.from(`${method} ${path} HTTP/1.1\r\n${lines.join("")}\r\n`), Buffer.from(body ?? "")]);
}
