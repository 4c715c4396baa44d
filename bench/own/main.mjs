// The Worker's own code, called over and over inside one request, with a runtime that does next to
// nothing: what is left is what Rust, the glue and the crossings between them cost. `how` is `all`,
// or `nothing`: the loop and the stand-ins alone.
import worker from "./WORKER";

class List {
  constructor(pairs) { this.pairs = new Map(pairs); }
  get(name) { return this.pairs.get(name) ?? null; }
  set(name, value) { this.pairs.set(name, value); }
  delete(name) { this.pairs.delete(name); }
  keys() { return this.pairs.keys(); }
  append() {}
}
class Message {
  constructor(first, { method, status, headers } = {}) {
    Object.assign(this, { url: first, body: null, method, status: status ?? 200, headers: new List(headers?.pairs ?? headers) });
  }
}

const real = { Request, Response, fetch };
const verify = crypto.subtle.verify.bind(crypto.subtle);
const { log } = console;
const answer = { status: 200, headers: [["content-type", "application/json"]] };
const HEADERS = [["content-type", "application/json"], ["accept", "application/json, text/event-stream"], ["mcp-protocol-version", "2025-11-25"],
  ["content-length", "1024"], ["host", "mcp.example.com"]];

export default {
  async fetch(request, env, context) {
    const { searchParams } = new URL(request.url);
    const ask = (i) => new Message(env.MCP_SERVER_AUTH_CANONICAL_URL, { method: "POST", headers: [["authorization", env.TOKENS[i % env.TOKENS.length]], ...HEADERS] });
    const first = await worker.fetch(new Request(env.MCP_SERVER_AUTH_CANONICAL_URL, { method: "POST", headers: { authorization: env.TOKENS[0] } }), env, context);
    if (first.status !== 200) return new Response(`the first request was answered with ${first.status}`, { status: 500 });
    Object.assign(globalThis, { Request: Message, Response: Message, fetch: async () => new Message("", answer) });
    crypto.subtle.verify = async () => true;
    console.log = () => {};
    let good = 0;
    try {
      for (let i = 0; i < Number(searchParams.get("times")); i++) {
        const given = ask(i);
        good += (searchParams.get("how") === "all" ? await worker.fetch(given, env, context) : await globalThis.fetch()).status === 200;
      }
    } finally {
      Object.assign(globalThis, real);
      crypto.subtle.verify = verify;
      console.log = log;
    }
    return new real.Response(String(good));
  },
};
