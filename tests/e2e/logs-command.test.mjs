// The log for people: on a terminal one aligned line for each of its lines, elsewhere JSON; and
// `npx mcp-edge-auth logs`, which gets it by `wrangler tail`.
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { reader } from "../../cli/commands/logs.mjs";
import { forPeople, printer } from "../../cli/serve/people.mjs";
import { ROOT } from "./support/bundle.mjs";
import { assertPlain, HOSTILE } from "./support/hostile.mjs";
import { bounded } from "./support/until.mjs";

const WHEN = new Date(2026, 10, 26, 15, 4, 5, 678);
const request = (members) => JSON.stringify({ event: "request", method: "POST", outcome: "forwarded", reason: "ok", status: 200, ms: 12, ...members });
const shown = (line, options = {}) => forPeople(line, { when: WHEN, ...options });

/** What a stream is given. */
function stream(isTTY) {
  const written = [];
  return { isTTY, written, write: (text) => written.push(text) };
}

test("a request is one line: time, outcome, what, who, why, how long", () => {
  const rows = [
    [{ rpc_method: "tools/call", rpc_name: "search", client: "app" }, "15:04:05  forwarded  200  tools/call search           app                                               12 ms"],
    [{ outcome: "refused", reason: "token_expired", status: 401, ms: 3 }, "15:04:05  refused    401  POST                        -                   token_expired                  3 ms"],
    [{ sub: "alice", client: "app", rpc_batch: 3, ms: 1204 }, "15:04:05  forwarded  200  batch of 3                  alice                                           1204 ms"],
    [{ sub: "alice", rpc_method: "ping, tools/call", rpc_name: "a, b", rpc_batch: 3, ms: 1204 }, "15:04:05  forwarded  200  batch of 3: a, b            alice                                           1204 ms"],
    [{ anonymous: true, method: "GET" }, "15:04:05  forwarded  200  GET                         anonymous                                         12 ms"],
    [{ outcome: "served", reason: "metadata", method: "GET", ms: 0 }, "15:04:05  served     200  GET                         -                   metadata                       0 ms"],
    [{ client: "app", would_refuse: "deny" }, "15:04:05  forwarded  200  POST                        app                 would refuse: deny            12 ms"],
    [{ outcome: "refused", reason: "argument_not_met", status: 403, client: "app", rpc_method: "tools/call", rpc_name: "read_file", argument: "path" },
      "15:04:05  refused    403  tools/call read_file        app                 argument_not_met              12 ms  path"],
    [{ rpc_method: "tools/call", rpc_name: "a-tool-whose-name-has-no-end", client: "a-client-with-a-long-name" },
      "15:04:05  forwarded  200  tools/call a-tool-whose-n…  a-client-with-a-l…                                12 ms"],
  ];
  for (const [members, expected] of rows) assert.deepEqual(shown(request(members)), [expected]);
});

test("the outcome is in colour, where colours are wanted, and the columns are the same", () => {
  const colours = [[{}, 32], [{ outcome: "refused", reason: "x" }, 31], [{ outcome: "served", reason: "health" }, 36], [{ would_refuse: "deny" }, 33]];
  for (const [members, colour] of colours) {
    const [line] = shown(request(members), { colours: true });
    assert.ok(line.includes(`\u001b[${colour}m${JSON.parse(request(members)).outcome}`), line);
    assert.equal(line.replaceAll(/\u001b\[\d+m/g, ""), shown(request(members))[0]);
  }
  const [line] = shown('{"event":"misconfigured","faults":["A: expected b"]}', { colours: true });
  assert.ok(line.includes("\u001b[31mmisconfigured"));
});

test("what others say moves nothing, whichever member it is in", () => {
  for (const name of ["method", "rpc_method", "rpc_name", "client", "sub", "iss", "reason", "outcome", "status", "ms", "would_refuse", "argument", "detail"]) {
    for (const line of shown(request({ outcome: "refused", [name]: HOSTILE }))) {
      assertPlain(line);
      assert.doesNotMatch(line, /\n/, name);
    }
  }
  for (const event of ["keys", "copy", "redirect", "waiting", "start", "resource", HOSTILE]) {
    const line = { event, source: HOSTILE, detail: HOSTILE, to: HOSTILE, resource: HOSTILE, [HOSTILE]: HOSTILE, seconds: HOSTILE, faults: [HOSTILE], warnings: [HOSTILE] };
    for (const one of shown(JSON.stringify(line))) {
      assertPlain(one);
      assert.doesNotMatch(one, /\n/);
    }
  }
  for (const one of shown(`{"event":broken${HOSTILE}`)) assert.doesNotMatch(one, /[\n\u001b]/);
});

test("the other lines are told in their own words, each fault by itself", () => {
  assert.deepEqual(shown('{"event":"keys","source":"https://as.example.com/jwks","result":"fetched","detail":"2 keys"}'), ["15:04:05  keys       fetched  https://as.example.com/jwks  2 keys"]);
  assert.deepEqual(shown('{"event":"waiting","method":"POST","rpc_method":"tools/call","rpc_name":"slow","seconds":10}'), [
    "15:04:05  waiting    tools/call slow  for 10 s so far: the MCP server has not answered",
  ]);
  const faults = shown('{"event":"misconfigured","Resource Server auth enabled":false,"faults":["A: expected b","C: expected d"]}');
  assert.deepEqual(faults.slice(1), ["15:04:05  fault      A: expected b", "15:04:05  fault      C: expected d"]);
  const start = shown('{"event":"start","Resource Server auth enabled":true,"Issuers":["a","b"],"warnings":["w"]}');
  assert.deepEqual(start, ["15:04:05  start      Resource Server auth enabled: true; Issuers: a, b", "15:04:05  warning    w"]);
});

test("where nobody looks, or where it is asked for, the log stays JSON", () => {
  const line = request({ client: "app" });
  const json = `{"time":"${WHEN.toISOString()}",${line.slice(1)}\n`;
  for (const [isTTY, options, expected] of [[false, {}, json], [undefined, {}, json], [true, { json: true }, json], [true, { env: { NO_COLOR: "1" } }, `${shown(line)[0]}\n`], [true, { env: { TERM: "dumb" } }, `${shown(line)[0]}\n`]]) {
    const to = stream(isTTY);
    assert.equal(printer({ stream: to, env: {}, ...options })(line, WHEN), true);
    assert.deepEqual(to.written, [expected]);
  }
  const to = stream(true);
  const print = printer({ stream: to, env: {} });
  print(line, WHEN);
  assert.match(to.written[0], /^\u001b\[90m15:04:05\u001b\[0m {2}\u001b\[32mforwarded/);
  assert.equal(print("no line of it", WHEN), false);
  assert.equal(to.written.length, 1);
});

test("what wrangler prints is read in whatever pieces it comes", () => {
  const events = [{ a: 1 }, { b: { c: ["}", "{\n"] } }, {}];
  const printed = `Connected\n${JSON.stringify(events[0], null, 2)}\n${JSON.stringify(events[1], null, 2)}\n${JSON.stringify(events[2])}\n{ broken }\nbye\n`;
  for (const size of [1, 7, 1000]) {
    const [heard, others] = [[], []];
    const read = reader((event) => heard.push(event), (line) => others.push(line));
    for (let at = 0; at < printed.length; at += size) read(printed.slice(at, at + size));
    assert.deepEqual(heard, events);
    assert.deepEqual(others, ["Connected", "{ broken }", "bye"]);
  }
});

/** A folder with a wrangler that does this. */
function withWrangler(t, program) {
  const folder = mkdtempSync(join(tmpdir(), "mcp-edge-auth-logs-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const package_ = join(folder, "node_modules", "wrangler");
  mkdirSync(join(package_, "bin"), { recursive: true });
  writeFileSync(join(folder, "package.json"), "{}");
  writeFileSync(join(package_, "package.json"), '{"name":"wrangler","version":"0.0.0"}');
  writeFileSync(join(package_, "bin", "wrangler.js"), program);
  return folder;
}

const EVENT = {
  outcome: "exceededCpu",
  eventTimestamp: WHEN.getTime(),
  logs: [
    { message: [request({ client: HOSTILE })], level: "log", timestamp: WHEN.getTime() },
    { message: [`a panic ${HOSTILE}`], level: "error", timestamp: WHEN.getTime() },
  ],
  exceptions: [{ name: "Error", message: `thrown ${HOSTILE}`, timestamp: WHEN.getTime() }],
};

/** `logs` in that folder: { code, out, err }. */
async function logs(folder, ...args) {
  const child = spawn(process.execPath, [join(ROOT, "cli", "bin.mjs"), "logs", ...args], { cwd: folder, env: { ...process.env, INIT_CWD: folder } });
  let [out, err] = ["", ""];
  child.stdout.on("data", (text) => (out += text));
  child.stderr.on("data", (text) => (err += text));
  const code = await bounded("its end", new Promise((resolve) => child.once("close", resolve)), 60_000).finally(() => child.kill("SIGKILL"));
  return { code, out, err };
}

test("logs prints what wrangler tail gets, and passes options on", async (t) => {
  const folder = withWrangler(t, `console.error(JSON.stringify(process.argv.slice(2)));
console.log(${JSON.stringify(JSON.stringify(EVENT, null, 2))});
process.exitCode = 3;`);
  const { code, out, err } = await logs(folder, "--env", "production", "-c", "other.toml", "--", "my-worker", "--status", "error");
  assert.equal(code, 3, "wrangler's own");
  const [said] = err.split("\n");
  assert.deepEqual(JSON.parse(said), ["tail", "my-worker", "--status", "error", "--config", join(folder, "other.toml"), "--env", "production", "--format", "json"]);
  assert.deepEqual(JSON.parse(out), { time: WHEN.toISOString(), ...JSON.parse(request({ client: HOSTILE })) });
  assert.match(err, /error: a panic/);
  assert.match(err, /Error: thrown/);
  assert.match(err, /The runtime ended a request: exceededCpu/);
  for (const line of (out + err).split("\n")) assert.doesNotMatch(line, /[\u001b\u202e\u2028]/);
});

// util-linux's `script` gives a command a terminal.
const hasTerminal = spawnSync("script", ["-qec", "true", "/dev/null"]).status === 0;

test("on a terminal they are lines for people, and JSON with --json", { skip: !hasTerminal && "there is no `script` of util-linux" }, async (t) => {
  const folder = withWrangler(t, `console.log(${JSON.stringify(JSON.stringify({ ...EVENT, outcome: "ok", exceptions: [], logs: EVENT.logs.slice(0, 1) }))});`);
  const typed = (args) => spawnSync("script", ["-qec", `${process.execPath} ${join(ROOT, "cli", "bin.mjs")} logs ${args}`, "/dev/null"], {
    cwd: folder, encoding: "utf8", timeout: 60_000, env: { ...process.env, INIT_CWD: folder, TERM: "xterm", NO_COLOR: "" },
  });
  const people = typed("").stdout;
  assert.match(people, /\d\d:\d\d:\d\d\u001b\[0m {2}\u001b\[32mforwarded\u001b\[0m {2}200 {2}POST {2,}k\?\[2J\?\?\?ok/);
  assertPlain(people.replaceAll(/\u001b\[\d+m/g, "").replaceAll("\r\n", "\n"));
  assert.equal(JSON.parse(typed("--json").stdout).event, "request");
});
