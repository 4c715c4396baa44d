// The whole flow of one client that is a program, against `npm start` or another Worker: refused,
// discovery, registration, PKCE, login, token, tools/list, tools/call. The program prints `login
// URL`, reads the URL that the browser comes back to as a line of stdin (or has a listener for it),
// and ends with `done {"tools": […], "result": …}`. Two of them take more from their environment:
// CALL, the tool and its arguments; OAUTH, what FastMCP's client is told of its registration.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { logIn } from "../../../demo/client.mjs";
import { bounded, until } from "../../e2e/support/until.mjs";

const LOGIN_MS = 60_000;
const DONE_MS = 60_000;
export const MESSAGE = "through the edge";

/** Starts a program: { child, said(), ended, line(pattern, ms) }; it is killed with the test. */
export function start(t, command, args, { env = process.env, cwd } = {}) {
  const child = spawn(command, args, { cwd, env, detached: true, stdio: ["pipe", "pipe", "pipe"] });
  const lines = [];
  let ended = false;
  child.on("error", (error) => lines.push(String(error)));
  child.stdin.on("error", () => {}); // it has ended, and `ended` says so
  for (const stream of [child.stdout, child.stderr]) createInterface({ input: stream }).on("line", (line) => lines.push(line));
  const closed = new Promise((resolve) => child.once("close", resolve)).then(() => (ended = true));
  const stop = async () => {
    try {
      process.kill(-child.pid, "SIGKILL"); // with what it started
    } catch {
      // It has ended.
    }
    if (child.pid) await bounded("a client's end", closed);
  };
  t.after(stop);
  const said = () => lines.join("\n");
  /** What the pattern's first group is in the first line that has it. */
  const line = (what, pattern, ms) => until(what, () => {
    const found = lines.map((one) => pattern.exec(one)?.[1]).find((one) => one !== undefined);
    if (found === undefined && ended) throw new Error(`it ended without ${what}:\n${said()}`);
    return found;
  }, ms).catch((error) => {
    throw new Error(`${error.message}\n${said()}`);
  });
  return { child, said, line, stop };
}

export function assertAsked(demo, authorizationUrl) {
  const asked = new URL(authorizationUrl).searchParams;
  assert.equal(asked.get("code_challenge_method"), "S256", "PKCE");
  assert.equal(asked.get("resource"), demo.url, "RFC 8707: the token is asked for this server, by its very name");
  assert.equal(asked.get("response_type"), "code");
}

/** What is called, and what it must answer, unless a test says otherwise. */
const ECHO = { name: "echo", arguments: { message: MESSAGE } };
const asAlice = (authorizationUrl) => logIn(authorizationUrl, { user: "alice" });

/**
 * Runs the program through the flow; what it sent is checked in the Worker's log. server: { url,
 * requests() }, of the Worker. login(URL) does what the user's browser would, and gives the URL
 * that it comes back to. Gives the done line's JSON.
 */
export async function wholeFlow(t, server, { command, args, flags = [], env, listens = false }, { login = asAlice, call = ECHO, called = assertEchoed } = {}) {
  const before = server.requests().length;
  const program = start(t, command, [...args, server.url, ...flags], { env: { ...process.env, ...env, CALL: JSON.stringify(call) } });
  const authorizationUrl = await program.line("login", /^login (http:\S+)$/, LOGIN_MS);
  assertAsked(server, authorizationUrl);
  const back = await login(authorizationUrl);
  // FastMCP opens the browser before it listens.
  if (listens) await until("the client's listener", () => fetch(back).then(() => true, () => false));
  else program.child.stdin.write(`${back}\n`);
  const done = JSON.parse(await program.line("done", /^done (\{.*\})$/, DONE_MS));
  called(done);
  await assertLogged(server, before);
  return done;
}

function assertEchoed({ tools, result }) {
  assert.ok(tools.includes("echo"), tools.join(", "));
  assert.equal(result.content[0].text, `Echo: ${MESSAGE}`);
}

/**
 * In the Worker's log from `before` on: refused for want of a token, the document served, then let
 * through; and no token refused.
 */
export async function assertLogged(demo, before) {
  const since = () => demo.requests().slice(before);
  const at = (wanted) => since().findIndex(({ reason }) => reason === wanted);
  // After the document: lines of the client before may have come first.
  const letThrough = () => at("metadata") >= 0 && since().slice(at("metadata")).some(({ reason, method }) => reason === "ok" && method === "POST");
  await until("a POST that was let through after the document was served", letThrough);
  const lines = since();
  const shown = lines.map(({ method, outcome, status, reason }) => `${method} ${outcome} ${status} ${reason}`).join("\n");
  assert.ok(at("credentials_missing") >= 0 && at("metadata") > at("credentials_missing"), shown);
  // Some also ask the Worker's host for an authorization server's metadata; that there is none must
  // not stop them.
  assert.ok(lines.every(({ outcome, reason }) => outcome !== "refused" || ["credentials_missing", "not_found"].includes(reason)), shown);
}
