// A fake issuer in this process: key set and metadata endpoints that count what they are asked, and
// every way in which a real one has been seen to fail, switchable by path.
import http from "node:http";
import { bounded } from "./until.mjs";

const JSON_TYPE = { "content-type": "application/json" };

/** Answers, to be given to `issuer.on(path, …)`. */
export const reply = {
  json: (value) => (_, res) => res.writeHead(200, JSON_TYPE).end(JSON.stringify(value)),
  text: (body, type = "application/json") => (_, res) => res.writeHead(200, { "content-type": type }).end(body),
  status: (code, value = {}) => (_, res) => res.writeHead(code, JSON_TYPE).end(JSON.stringify(value)),
  redirect: (to, code = 302) => (_, res) => res.writeHead(code, { location: to }).end(),
  html: () => reply.text("<!doctype html><title>Sign in</title>", "text/html"),
  reset: () => (req) => req.socket.resetAndDestroy(),
  hang: () => () => {},
  /** The head and half a key set, then nothing. */
  hangInBody: (start = '{"keys":[') => (_, res) => res.writeHead(200, JSON_TYPE).write(start),
  /** A body without an end: whoever reads it without a bound never comes back. */
  endless: () => (_, res) => {
    res.writeHead(200, JSON_TYPE).write('{"keys":[');
    const more = () => {
      while (!res.destroyed && res.write(" ".repeat(8192)));
    };
    res.on("drain", more);
    more();
  },
  /** Held until release() is called. */
  held(then) {
    let release;
    const open = new Promise((resolve) => (release = resolve));
    return Object.assign(async (req, res) => then(req, res, await open), { release });
  },
};

/** keys: what `/jwks` serves at the start. */
export async function startIssuer(t, { keys = [] } = {}) {
  const routes = new Map();
  const log = [];
  const server = http.createServer((req, res) => {
    res.on("error", () => {});
    log.push({ method: req.method, path: req.url, headers: req.headers });
    const answer = routes.get(req.url) ?? reply.status(404);
    answer(req, res);
  });
  const port = await listen(server, 0);
  const issuer = {
    port,
    url: `http://127.0.0.1:${port}`,
    log,
    hits: (path) => log.filter((entry) => entry.path === path).length,
    on: (path, answer) => routes.set(path, answer),
    off: (path) => routes.delete(path),
    /** The keys that `path` serves from now on; signingKeys or bare JWKs. */
    serve: (signers, path = "/jwks") => routes.set(path, reply.json({ keys: signers.map((key) => key.jwk?.() ?? key) })),
    metadata: (members = {}) => ({ issuer: issuer.url, jwks_uri: `${issuer.url}/jwks`, ...members }),
    /** Stops listening: connections are refused from here on. */
    close: () => closed(server),
    reopen: () => listen(server, port),
  };
  issuer.serve(keys);
  t.after(() => closed(server));
  return issuer;
}

// Upgraded connections no longer belong to the server, and would keep it open.
const sockets = new WeakMap();

export function listen(server, port) {
  if (!sockets.has(server)) {
    sockets.set(server, new Set());
    server.on("connection", (socket) => {
      sockets.get(server).add(socket);
      socket.once("close", () => sockets.get(server).delete(socket));
    });
  }
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", () => resolve(server.address().port));
  });
}

export function closed(server) {
  const end = new Promise((resolve) => server.close(resolve));
  for (const socket of sockets.get(server)) socket.destroy();
  return bounded("the end of a fake server", end);
}
