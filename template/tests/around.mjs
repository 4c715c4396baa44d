// What is around the Worker in a test: an authorization server's keys, an MCP server, and wrangler,
// which runs the Worker as wrangler.jsonc has it. Nothing leaves this machine.
import { createPrivateKey, generateKeyPairSync, sign } from "node:crypto";
import { createServer } from "node:http";

// Wrangler would ask for a place to pretend to be at, and report that it was used.
Object.assign(process.env, { CLOUDFLARE_CF_FETCH_ENABLED: "false", WRANGLER_SEND_METRICS: "false" });

const CANONICAL = "http://127.0.0.1:8787/mcp"; // what tokens are for; the test's port is another

/**
 * Starts all three. Gives { send(message, token), token(claims), requests, stop() }: `requests` are
 * those that the MCP server has seen.
 */
export async function startAround() {
  const { unstable_startWorker: startWorker } = await import("wrangler");
  const key = signingKey();
  const requests = [];
  const issuer = await listen((req, res) => answer(res, { keys: [key.jwk] }));
  const server = await listen(async (req, res) => {
    const chunks = [];
    for await (const chunk of req) chunks.push(chunk);
    const message = JSON.parse(Buffer.concat(chunks));
    requests.push({ headers: req.headers, message });
    answer(res, { jsonrpc: "2.0", id: message.id, result: { content: [{ type: "text", text: "hello" }] } });
  });
  const worker = await startWorker({
    config: "wrangler.jsonc",
    // These three are the test's, whatever the file says; everything else is the file's.
    bindings: Object.fromEntries(
      Object.entries({
        MCP_SERVER_AUTH_CANONICAL_URL: CANONICAL,
        MCP_SERVER_AUTH_AUTHORIZATION_SERVERS: JSON.stringify([{ authorization_server_url: issuer.url, jwks_uri: `${issuer.url}/jwks` }]),
        ORIGIN_URL: `${server.url}/mcp`,
      }).map(([name, value]) => [name, { type: "plain_text", value }]),
    ),
    dev: { server: { hostname: "127.0.0.1", port: 0 }, inspector: false, logLevel: "error", persist: false, watch: false },
  });
  return {
    requests,
    token(claims = {}) {
      const now = Math.floor(Date.now() / 1000);
      const usual = { iss: issuer.url, aud: CANONICAL, sub: "user-1", iat: now, exp: now + 600 };
      return signed(key, { ...usual, ...claims });
    },
    async send(message, token) {
      const headers = { "content-type": "application/json", accept: "application/json, text/event-stream" };
      if (token) headers.authorization = `Bearer ${token}`;
      return worker.fetch(CANONICAL, { method: "POST", headers, body: JSON.stringify(message) });
    },
    async stop() {
      await worker.dispose();
      for (const { close } of [issuer, server]) close();
    },
  };
}

/** A key of the authorization server's, and what it publishes of it. */
function signingKey() {
  // By way of PEM: Node 20 can hang in the export of a key that it has just made itself.
  const encodings = { privateKeyEncoding: { type: "pkcs8", format: "pem" }, publicKeyEncoding: { type: "spki", format: "pem" } };
  const privateKey = createPrivateKey(generateKeyPairSync("rsa", { modulusLength: 2048, ...encodings }).privateKey);
  const { kty, n, e } = privateKey.export({ format: "jwk" });
  return { privateKey, jwk: { kty, n, e, kid: "test", alg: "RS256", use: "sig" } };
}

/** A JWT. */
function signed({ privateKey, jwk }, claims) {
  const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const input = `${part({ alg: jwk.alg, kid: jwk.kid, typ: "at+jwt" })}.${part(claims)}`;
  return `${input}.${sign("sha256", Buffer.from(input), privateKey).toString("base64url")}`;
}

const answer = (res, value) => res.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(value));

/** A server on a free port of this machine. */
async function listen(handle) {
  const server = createServer(handle);
  await new Promise((resolve, reject) => server.once("error", reject).listen(0, "127.0.0.1", resolve));
  const close = () => {
    server.close();
    server.closeAllConnections();
  };
  return { url: `http://127.0.0.1:${server.address().port}`, close };
}
