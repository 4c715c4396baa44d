// Issue 2, "What bad input gets": headers, tokens, key sets and settings of any bytes are refused
// with a reason or are an outage; never a 500, never a panic, never a request forwarded. The
// generator is seeded, so that a failure can be run again.
import assert from "node:assert/strict";
import { test } from "node:test";
import { raw } from "./support/http.mjs";
import { startIssuer } from "./support/issuer.mjs";
import { signingKey } from "./support/keys.mjs";
import { b64u } from "./support/mint.mjs";
import { bearer, entryFor, goodClaims, stage } from "./support/stage.mjs";
import { startWorker } from "./support/worker.mjs";

/** mulberry32: small, and the same everywhere. */
function generator(seed) {
  let state = seed;
  const next = () => {
    state = (state + 0x6d2b79f5) | 0;
    let x = Math.imul(state ^ (state >>> 15), 1 | state);
    x = (x + Math.imul(x ^ (x >>> 7), 61 | x)) ^ x;
    return ((x ^ (x >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (limit) => Math.floor(next() * limit);
  const pick = (list) => list[below(list.length)];
  return { below, pick, bytes: (length) => Buffer.from(Array.from({ length }, () => below(256))) };
}

/** Any JSON, with the names and values that the Worker looks for more likely than others. */
function anyJson(random, words, depth = 3) {
  const leaf = [null, true, false, 0, -1, 1e308, 0.1, "", "x", "\u0000", "https://a.example.com", ...words];
  const kind = random.below(depth > 0 ? 6 : 4);
  if (kind < 4) return random.pick(leaf);
  const length = random.below(4);
  if (kind === 4) return Array.from({ length }, () => anyJson(random, words, depth - 1));
  return Object.fromEntries(Array.from({ length }, () => [String(random.pick(words)), anyJson(random, words, depth - 1)]));
}

/** A text with a few of its bytes changed, taken away or doubled. */
function mutated(random, text) {
  const bytes = [...Buffer.from(text)];
  for (let n = 1 + random.below(3); n > 0; n--) {
    const at = random.below(bytes.length || 1);
    const change = random.below(3);
    if (change === 0) bytes[at] = random.below(256);
    else if (change === 1) bytes.splice(at, 1);
    else bytes.splice(at, 0, random.below(256));
  }
  return Buffer.from(bytes);
}

const HEADERS = ["Authorization", "Origin", "Access-Control-Request-Headers", "Connection", "Mcp-Session-Id", "X-MCP-Auth-User-Id", "Cookie", "Accept", "Content-Type"];

test("header values of any bytes", async (t) => {
  const s = await stage(t);
  const random = generator(1);
  for (let i = 0; i < 150; i++) {
    const name = HEADERS[i % HEADERS.length];
    // CR, LF and NUL end a header or the connection: they cannot be part of a value.
    const value = random.bytes(random.below(60)).filter((byte) => ![0, 10, 13].includes(byte));
    const prefix = name === "Authorization" && random.below(2) ? "Bearer " : "";
    const method = random.pick(["GET", "POST", "OPTIONS", "DELETE"]);
    const head = Buffer.concat([Buffer.from(`${method} /mcp HTTP/1.1\r\nHost: mcp.example.com\r\n${name}: ${prefix}`), value, Buffer.from("\r\nContent-Length: 0\r\n\r\n")]);
    const { status } = await raw(s.worker.port, head);
    assert.ok([0, 204, 400, 401, 403].includes(status), `${status} for ${head.toString("latin1")}`);
  }
  assert.equal(s.origin.seen.length, 0);
});

test("with a good token, header values of any bytes pass or are refused", async (t) => {
  const s = await stage(t);
  const random = generator(2);
  for (let i = 0; i < 100; i++) {
    const name = random.pick(HEADERS.slice(2).concat("X-Anything"));
    // Node's own parser, at the origin, refuses control characters; half of the values do without,
    // to get there.
    const unfit = i % 2 ? (byte) => [0, 10, 13].includes(byte) : (byte) => byte < 32 || byte === 127;
    const value = random.bytes(random.below(60)).filter((byte) => !unfit(byte));
    const head = Buffer.concat([
      Buffer.from(`POST /mcp HTTP/1.1\r\nHost: mcp.example.com\r\nAuthorization: Bearer ${s.token()}\r\n${name}: `), value, Buffer.from("\r\nContent-Length: 0\r\n\r\n"),
    ]);
    const { status } = await raw(s.worker.port, head);
    assert.ok([0, 200, 400].includes(status), `${status} for ${name}: ${value.toString("hex")}`);
  }
  for (const { header } of s.origin.seen) assert.equal(header("x-mcp-auth-user-id"), "user-1");
  assert.ok(s.origin.seen.length >= 50, `half of them pass, and ${s.origin.seen.length} did`);
});

test("paths of any bytes", async (t) => {
  const s = await stage(t);
  const random = generator(3);
  for (let i = 0; i < 150; i++) {
    const path = [...random.bytes(random.below(30))].filter((byte) => byte > 32 && byte !== 127);
    const head = Buffer.concat([Buffer.from(`POST ${random.pick(["/", "/mcp/", "/mcp", "/mcp/..", "/.well-known/"])}`), Buffer.from(path), Buffer.from(` HTTP/1.1\r\nHost: mcp.example.com\r\nContent-Length: 0\r\n\r\n`)]);
    const { status } = await raw(s.worker.port, head);
    assert.ok([0, 400, 401, 404, 405].includes(status), `${status} for ${head.toString("latin1")}`);
  }
  assert.equal(s.origin.seen.length, 0);
});

test("tokens of any bytes", async (t) => {
  const s = await stage(t);
  const random = generator(4);
  const good = s.token();
  const alphabet = "ABCabc019-_.~+/";
  for (let i = 0; i < 300; i++) {
    const kind = i % 4;
    let token;
    if (kind === 0) token = Array.from({ length: 1 + random.below(80) }, () => random.pick([...alphabet])).join("");
    else if (kind === 1) token = [random.bytes(40), random.bytes(40), random.bytes(20)].map(b64u).join(".");
    else if (kind === 2) token = mutated(random, good).toString("latin1").replace(/[^A-Za-z0-9._~+/-]/g, "A");
    else token = s.token({}, { header: mutated(random, '{"alg":"RS256","kid":"rsa-a"}'), claims: mutated(random, JSON.stringify(s.claims())), key: { ...signingKey("rsa", "b"), kid: "rsa-a" } });
    if (token === good) continue;
    const response = await s.call(token);
    assert.equal(response.status, 401, token);
  }
  assert.equal(s.origin.seen.length, 0);
});

test("signed tokens with claims of any JSON", async (t) => {
  const s = await stage(t);
  const random = generator(5);
  const names = ["iss", "aud", "sub", "exp", "nbf", "iat", "cnf", "scope", "scp", "client_id", "azp", "cid", "email"];
  for (let i = 0; i < 200; i++) {
    const claims = goodClaims(s.issuer);
    for (let n = random.below(3); n >= 0; n--) claims[random.pick(names)] = anyJson(random, [...names, s.issuer.url]);
    const response = await s.call(s.token(claims, { claims }));
    assert.ok([200, 401].includes(response.status), `${response.status} for ${JSON.stringify(claims)}`);
  }
  // Deep but small, and a name that is long: both are JSON.
  for (const pad of [`${"[".repeat(4000)}${"]".repeat(4000)}`, `${'{"a":'.repeat(1500)}1${"}".repeat(1500)}`, `{"${"n".repeat(8000)}":1}`]) {
    const text = JSON.stringify(goodClaims(s.issuer)).replace(/}$/, `,"pad":${pad}}`);
    assert.ok([200, 401].includes((await s.call(s.token({}, { claims: text }))).status));
  }
  assert.equal((await s.call(s.token())).status, 200, "the Worker is well after all that");
});

test("signed tokens with headers of any JSON", async (t) => {
  const s = await stage(t);
  const random = generator(6);
  const names = ["alg", "kid", "typ", "crit", "jwk", "jku", "x5c", "x5u", "cty", "b64"];
  for (let i = 0; i < 150; i++) {
    const header = { alg: "RS256", kid: "rsa-a" };
    for (let n = random.below(3); n >= 0; n--) header[random.pick(names)] = anyJson(random, [...names, "RS256", "none", "JWT", "rsa-a"]);
    const response = await s.call(s.token({}, { header: JSON.stringify(header) }));
    assert.ok([200, 401].includes(response.status), `${response.status} for ${JSON.stringify(header)}`);
  }
});

test("key sets of any bytes", async (t) => {
  const random = generator(7);
  const rsa = signingKey("rsa");
  const good = JSON.stringify({ keys: [rsa.jwk(), signingKey("p256").jwk(), signingKey("ed25519").jwk()] });
  const names = ["keys", "kty", "RSA", "EC", "OKP", "n", "e", "crv", "P-256", "Ed25519", "x", "y", "kid", "use", "sig", "key_ops", "verify", "alg", "RS256", rsa.jwk().n, "AQAB"];
  const bodies = Array.from({ length: 90 }, (_, i) => {
    if (i % 3 === 0) return random.bytes(random.below(200));
    if (i % 3 === 1) return mutated(random, good);
    return Buffer.from(JSON.stringify({ keys: Array.from({ length: 4 }, () => anyJson(random, names, 2)) }));
  });
  const source = await startIssuer(t);
  bodies.forEach((body, i) => source.on(`/${i}`, (_, res) => res.writeHead(200).end(body)));
  const s = await stage(t, {
    entries: (issuer) => bodies.map((_, i) => entryFor(issuer, { authorization_server_url: `${issuer.url}/${i}`, jwks_uri: `${source.url}/${i}`, algorithm: ["RS256", "ES256", "EdDSA"] })),
  });
  for (const [i, body] of bodies.entries()) {
    for (const [kind, alg] of [["rsa", "RS256"], ["p256", "ES256"], ["ed25519", "EdDSA"]]) {
      const response = await s.call(s.token({ iss: `${s.issuer.url}/${i}` }, { key: signingKey(kind), alg }));
      assert.ok([200, 401, 503].includes(response.status), `${response.status} for ${body.toString("latin1")}`);
      // A byte changed in a kid or in white space leaves a good key; every other yes would be
      // wrong, and none can be forged:
    }
    const forged = await s.call(s.token({ iss: `${s.issuer.url}/${i}` }, { key: { ...signingKey("rsa", "b"), kid: rsa.kid } }));
    assert.ok([401, 503].includes(forged.status), `${forged.status} for ${body.toString("latin1")}`);
  }
});

test("settings of any JSON are sound or a fault, never a crash", async (t) => {
  const random = generator(8);
  const s = await stage(t);
  const names = Object.keys(s.settings).concat([
    "MCP_SERVER_AUTH_JWKS_URI", "MCP_SERVER_AUTH_ISSUER", "MCP_SERVER_AUTH_AUDIENCE", "MCP_SERVER_AUTH_ALGORITHM", "MCP_SERVER_AUTH_CACHE_TTL", "MCP_SERVER_AUTH_SCOPES_SUPPORTED",
    "MCP_SERVER_AUTH_DEFAULT_CHALLENGE_SCOPES", "MCP_SERVER_AUTH_ALLOWED_ORIGINS", "MCP_SERVER_AUTH_LOG_SUBJECT", "MCP_RESOURCE_SERVER_CANONICAL_URL",
  ]);
  const words = ["authorization_server_url", "issuer", "jwks_uri", "algorithm", "expected_audiences", "validation_options", "leeway", "verify_exp", "RS256", "*", s.issuer.url, "http://[", "https://é.example.com", "https://a.example.com:99999"];
  for (let i = 0; i < 60; i++) {
    const vars = { ...s.settings };
    for (let n = random.below(2); n >= 0; n--) {
      const value = anyJson(random, words);
      vars[random.pick(names)] = random.below(2) ? value : random.pick([JSON.stringify(value), mutated(random, JSON.stringify(value)).toString("latin1").replaceAll("\0", "")]);
    }
    const worker = await startWorker(t, { vars });
    const health = await worker.send({ path: "/healthz" });
    assert.ok([200, 503].includes(health.status), `${health.status} for ${JSON.stringify(vars)}`);
    const response = await worker.send({ method: "POST", path: "/mcp", headers: bearer(s.token({ sub: undefined })) });
    assert.ok([401, 404, 503].includes(response.status), `${response.status} for ${JSON.stringify(vars)}`);
    assert.equal(health.status === 503, worker.lines("misconfigured").length === 1, "503 says why in the log");
    await worker.stop();
  }
  assert.equal(s.origin.seen.length, 0);
});
