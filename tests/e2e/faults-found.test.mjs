// What a fault says was found, by the built Worker: it has another parser of URLs than `npm run
// check`, and says the same.
import assert from "node:assert/strict";
import { test } from "node:test";
import { assertOwn, stage } from "./support/stage.mjs";
import { until } from "./support/until.mjs";

const SERVERS = "MCP_SERVER_AUTH_AUTHORIZATION_SERVERS";
const URL = "MCP_SERVER_AUTH_CANONICAL_URL";
const SECRET = "s3cret-s3cret-s3cret-s3cret-s3cret";

// the settings changed; the place of each fault, and its end
const FOUND = [
  [{ [SERVERS]: '[{"authorization_server_url":"https://login.example.com"},]' }, SERVERS, "found text that is not JSON: line 1, column 58: a comma with nothing after it (a trailing comma)"],
  [{ [SERVERS]: "[\n  {'authorization_server_url':'https://login.example.com'}]" }, SERVERS, "found text that is not JSON: line 2, column 4: a single quote (U+0027); JSON has double quotes"],
  [{ [SERVERS]: "https://login.example.com" }, SERVERS, "found text that is not JSON: line 1, column 1: a plain URL"],
  [{ [SERVERS]: "\ufeff[]" }, SERVERS, "found text that is not JSON: line 1, column 1: a byte order mark (U+FEFF)"],
  [{ [SERVERS]: { authorization_server_url: "https://login.example.com" } }, SERVERS, "found one object and no array: as a TOML table it has two brackets on each side, [[…]]"],
  [{ [URL]: "https://münchen.example/mcp" }, URL, "found ü (U+00FC) as character 10; the host in ASCII: xn--mnchen-3ya.example"],
  [{ [URL]: "https://mcp.example.com\u200b/mcp" }, URL, "found an invisible character (U+200B) as character 24; the host in ASCII: mcp.example.com"],
  [{ [URL]: "https://mcp.example.com/mcp\u200b" }, URL, "found an invisible character (U+200B) as character 28; in ASCII: %E2%80%8B"],
  [{ [URL]: "https://mcp.example.com:99999/mcp" }, URL, "found a host or a port that is none"],
  [{ MCP_SERVER_AUTH_ALLOWED_ORIGIN: "https://a.example.com" }, "MCP_SERVER_AUTH_ALLOWED_ORIGIN", "did you mean MCP_SERVER_AUTH_ALLOWED_ORIGINS?"],
  [{ ORIGIN_HEADERS: `{"X-A":"${SECRET}",}` }, "ORIGIN_HEADERS", "found text that is not JSON: line 1, column 44"],
  [{ MCP_SERVER_AUTH_SESSION_KEY: `['${SECRET}']` }, "MCP_SERVER_AUTH_SESSION_KEY", "found text that is not JSON: line 1, column 2"],
  [{ ORIGIN_URL: "https://mcp.example.com/mcp" }, "ORIGIN_URL", "that is the Worker itself, and requests would go in a loop"],
  [{ [URL]: "http://[::1]:8787/mcp", ORIGIN_URL: "http://localhost:8787/mcp/" }, "ORIGIN_URL", "that is the Worker itself, and requests would go in a loop"],
];

for (const [vars, place, end] of FOUND) {
  test(`${place}: … ${end}`, async (t) => {
    const s = await stage(t, { vars });
    assertOwn(await s.call(s.token()), 503, { error: "server_misconfigured" });
    const { faults } = await until("the line with the faults", () => s.worker.lines("misconfigured")[0]);
    assert.equal(faults.length, 1, faults.join("\n"));
    assert.ok(faults[0].startsWith(`${place}: expected `) && faults[0].endsWith(end), faults[0]);
    assert.ok(!s.worker.output().includes(SECRET), "in the log");
  });
}
