// A KV namespace in this process, for what a folder cannot do: it counts reads and writes, holds
// whatever a test puts there, and fails in every way, switchable by method. Its protocol is the one
// that workerd's kvNamespace binding speaks.
import http from "node:http";
import { closed, listen } from "./issuer.mjs";

export async function startKv(t) {
  const values = new Map();
  const log = [];
  const faults = new Map();
  const server = http.createServer((req, res) => {
    res.on("error", () => {});
    const { pathname, searchParams } = new URL(req.url, "http://kv");
    const entry = { method: req.method, key: decodeURIComponent(pathname.slice(1)), query: Object.fromEntries(searchParams) };
    log.push(entry);
    const answer = faults.get(req.method) ?? (req.method === "PUT" ? put : get);
    answer(req, res, entry);
  });
  const get = (_, res, { key }) => (values.has(key) ? res.writeHead(200).end(values.get(key)) : res.writeHead(404).end());
  const put = async (req, res, entry) => {
    const chunks = [];
    for await (const chunk of req) chunks.push(chunk);
    entry.text = Buffer.concat(chunks).toString("utf8");
    values.set(entry.key, entry.text);
    res.writeHead(200).end();
  };
  const address = `127.0.0.1:${await listen(server, 0)}`;
  t.after(() => closed(server));
  return {
    address,
    values,
    reads: () => log.filter(({ method }) => method === "GET"),
    /** The writes that were made. */
    writes: () => log.filter(({ text }) => text !== undefined),
    log,
    /** Answers every request of this method with one of issuer.mjs's replies from now on. */
    on: (method, answer) => faults.set(method, answer),
    off: (method) => faults.delete(method),
  };
}
