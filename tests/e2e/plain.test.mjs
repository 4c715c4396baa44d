// What others say (kids, tool names, messages of servers) moves no cursor and turns no line around
// on the terminal of whoever runs a command: the helper of the commands in JavaScript, and commands
// that meet such text.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import http from "node:http";
import { join } from "node:path";
import { test } from "node:test";
import { plain, plainJson, plainLines } from "../../cli/plain.mjs";
import { ROOT } from "./support/bundle.mjs";
import { assertPlain, HOSTILE } from "./support/hostile.mjs";
import { closed, listen } from "./support/issuer.mjs";
import { stage } from "./support/stage.mjs";
import { bounded } from "./support/until.mjs";

const range = (from, to = from) => Array.from({ length: to - from + 1 }, (_, i) => from + i);
/** As tests/native/plain.rs has them. */
const ODD = new Set([range(0, 0x1f), range(0x7f, 0x9f), range(0x61c), range(0x200e, 0x200f), range(0x2028, 0x202e), range(0x2066, 0x2069)].flat());

test("every character is shown as itself, or as a question mark", () => {
  for (let code = 0; code <= 0x10ffff; code++) {
    if (code >= 0xd800 && code <= 0xdfff) continue; // half a character is no text
    const character = String.fromCodePoint(code);
    assert.equal(plain(character), ODD.has(code) ? "?" : character, code.toString(16));
  }
});

test("lines stay lines, and JSON says the same", () => {
  assert.equal(plain("a\u001b[2J\u009b31m\r\nb\u202ec\u2028"), "a?[2J?31m??b?c?");
  assert.equal(plainLines("\u001b[31mred\u001b[0m\n\tb\r\nc\u0007\u2029d"), "red\n b\nc??d");
  const all = [...ODD].map((code) => String.fromCharCode(code)).join("");
  const json = plainJson({ [all]: [all, 1], b: "é\u{1f642}" });
  assertPlain(json);
  assert.deepEqual(JSON.parse(json), { [all]: [all, 1], b: "é\u{1f642}" });
});

/**
 * A server that is an MCP server and an authorization server, and refuses every registration in
 * these words.
 */
async function refusing(t, words) {
  const server = http.createServer((req, res) => {
    const url = `http://${req.headers.host}`;
    const answer = (status, body, headers = {}) => res.writeHead(status, { "content-type": "application/json", ...headers }).end(JSON.stringify(body));
    if (req.url.includes("oauth-protected-resource")) return answer(200, { resource: `${url}/mcp`, authorization_servers: [url] });
    if (req.url.includes("oauth-authorization-server")) {
      const endpoints = { authorization_endpoint: `${url}/authorize`, token_endpoint: `${url}/token`, registration_endpoint: `${url}/register` };
      return answer(200, { issuer: url, ...endpoints, response_types_supported: ["code"], code_challenge_methods_supported: ["S256"] });
    }
    if (req.url === "/register") return answer(400, { error: "invalid_client_metadata", error_description: words });
    return answer(401, {}, { "www-authenticate": `Bearer resource_metadata="${url}/.well-known/oauth-protected-resource/mcp"` });
  });
  const port = await listen(server, 0);
  t.after(() => closed(server));
  return port;
}

test("what a server tells the demo's client", async (t) => {
  const port = await refusing(t, `sorry, ${HOSTILE}`);
  const ended = new Promise((resolve) => {
    execFile(process.execPath, [join(ROOT, "demo", "client.mjs"), `http://127.0.0.1:${port}/mcp`], { cwd: ROOT }, (error, stdout, stderr) =>
      resolve({ code: error?.code, said: stdout + stderr }));
  });
  const { code, said } = await bounded("the client's end", ended, 60_000);
  assert.equal(code, 1);
  assert.match(said, /sorry, k/, "the server's words are told");
  assertPlain(said);
});

test("what a token names stands in the log, and moves nothing", async (t) => {
  const s = await stage(t);
  const { line } = await s.ask(s.token({}, { header: { kid: HOSTILE } }));
  assert.deepEqual([line.reason, line.kid], ["kid_unknown", HOSTILE]);
  assertPlain(s.worker.stdout);
});
