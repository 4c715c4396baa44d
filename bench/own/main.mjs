// The Worker's own code, called over and over inside one request, with a runtime that does next to
// nothing: what is left is what Rust, the glue and the crossings between them cost. `how` is `all`,
// or `nothing` (the loop and the stand-ins alone), or `count`: what the requests make is counted
// instead. `origin` is the requests' `Origin`, if they are to have one.
import worker from "./WORKER";

class List {
  constructor(pairs) { this.pairs = new Map(pairs); }
  get(name) { return this.pairs.get(name) ?? null; }
  has(name) { return this.pairs.has(name); }
  set(name, value) { this.pairs.set(name, value); }
  delete(name) { this.pairs.delete(name); }
  keys() { return this.pairs.keys(); }
  entries() { return this.pairs.entries(); }
  forEach(each) { this.pairs.forEach((value, name) => each(value, name)); }
  [Symbol.iterator]() { return this.entries(); }
  append() {}
}
class Message {
  constructor(first, init = {}) {
    const { method, status = 200 } = init;
    Object.assign(this, { url: first, body: null, bodyUsed: false, method, status, list: new List(init.list?.pairs ?? init.headers?.pairs ?? init.headers) });
  }
  get headers() { return this.list; }
}

const real = { Request, Response, Headers, fetch };
const verify = crypto.subtle.verify.bind(crypto.subtle);
const { log } = console;
const answer = { status: 200, headers: [["content-type", "application/json"]] };
const HEADERS = [["content-type", "application/json"], ["accept", "application/json, text/event-stream"], ["mcp-protocol-version", "2025-11-25"],
  ["content-length", "1024"], ["host", "mcp.example.com"]];

/** What has been made so far, by its name. */
const made = { Request: 0, Response: 0, Headers: 0, "list of header names": 0, "string into wasm": 0, "string out of wasm": 0 };

/** Headers whose being listed is counted. */
class CountedList extends List {
  keys() { return this.#listed(super.keys()); }
  entries() { return this.#listed(super.entries()); }
  forEach(each) { this.#listed(super.forEach(each)); }
  #listed(names) {
    made["list of header names"]++;
    return names;
  }
}

/** The runtime makes an object of a message's headers when they are first asked for. */
class Counted extends Message {
  get headers() {
    if (!this.seen) made.Headers++;
    this.seen = true;
    return this.list;
  }
  set list(list) { this.names = new CountedList(list.pairs); }
  get list() { return this.names; }
}

const COUNTED = {
  Request: class extends Counted {
    constructor(...of) { made.Request++; super(...of); }
  },
  Response: class extends Counted {
    constructor(...of) { made.Response++; super(...of); }
  },
  Headers: class extends CountedList {
    constructor(...of) { made.Headers++; super(...of); }
  },
  fetch: async () => new Counted("", answer),
};
const TIMED = { Request: Message, Response: Message, Headers: List, fetch: async () => new Message("", answer) };

export default {
  async fetch(request, env, context) {
    const { searchParams } = new URL(request.url);
    const [how, times, origin] = ["how", "times", "origin"].map((name) => searchParams.get(name));
    const [Incoming, standIns] = how === "count" ? [Counted, COUNTED] : [Message, TIMED];
    const sent = origin ? [...HEADERS, ["origin", origin]] : HEADERS;
    const ask = (i) => new Incoming(env.MCP_SERVER_AUTH_CANONICAL_URL, { method: "POST", headers: [["authorization", env.TOKENS[i % env.TOKENS.length]], ...sent] });
    const first = await worker.fetch(new Request(env.MCP_SERVER_AUTH_CANONICAL_URL, { method: "POST", headers: { authorization: env.TOKENS[0] } }), env, context);
    if (first.status !== 200) return new Response(`the first request was answered with ${first.status}`, { status: 500 });
    Object.assign(globalThis, standIns);
    // A build whose strings are to be counted calls this for each of them.
    globalThis.crossed = (way) => made[way]++;
    crypto.subtle.verify = async () => true;
    console.log = () => {};
    let good = 0;
    try {
      await worker.fetch(ask(0), env, context); // what an isolate makes once is no request's
      for (const name of Object.keys(made)) made[name] = 0;
      for (let i = 0; i < Number(times); i++) {
        const given = ask(i);
        good += (how === "nothing" ? await globalThis.fetch() : await worker.fetch(given, env, context)).status === 200;
      }
    } finally {
      Object.assign(globalThis, real);
      crypto.subtle.verify = verify;
      console.log = log;
    }
    return how === "count" ? real.Response.json({ good, made }) : new real.Response(String(good));
  },
};
