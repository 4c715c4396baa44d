// `npm run doctor [-- --env NAME] [--config FILE] [--url URL] [--resource URL] [--token FILE]
// [--json]`: why does nobody get in?
//
// The judging is cli/src/doctor, with the Worker's own code; here are its hands: it asks for HTTP
// exchanges and gets them done with node:http, so that headers come as they are and no redirect is
// followed. A token comes from a file or, with `--token -`, from stdin: never from the command
// line, which shells remember. Exit code 1 means that something failed.

import { spawn } from "node:child_process";
import { isUtf8 } from "node:buffer";
import { existsSync, readFileSync } from "node:fs";
import http from "node:http";
import https from "node:https";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
// By its default: a named import that an old Node lacks fails before its version is looked at.
import util from "node:util";

import { plain, plainJson } from "../plain.mjs";
import { readSettings } from "../wrangler/settings.mjs";
import { requireNode, requireRust, ROOT, stop, usage } from "../../scripts/setup.mjs";

const USAGE = usage("usage: npm run doctor -- [--env NAME] [--config FILE] [--url URL] [--resource URL] [--token FILE, - for stdin] [--json]");
// The Worker's own bounds, src/limits.rs.
const SECONDS = 5;
const BYTES = 64 * 1024;

requireNode();
requireRust();
const { args, token, json, given } = options();
const deployment = await readSettings(given);
if (!existsSync(join(ROOT, "target", "debug", "doctor"))) console.error("Compiling the doctor (once, a minute or two) ...");
const child = spawn("cargo", ["run", "--quiet", "--package", "cli", "--bin", "doctor", "--", ...args], { cwd: ROOT, stdio: ["pipe", "pipe", "inherit"] });
const lines = [];
const ended = new Promise((done) => child.once("close", done));
child.once("error", (error) => stop(`cargo: ${error.message}`));
child.stdin.on("error", () => {}); // it ended early; its exit code says so
const tell = (message) => child.stdin.write(`${JSON.stringify(message)}\n`);
tell({ token, deployment });
for await (const text of createInterface({ input: child.stdout })) {
  const { fetch, line } = JSON.parse(text);
  if (fetch) tell(await exchange(fetch));
  if (line) {
    lines.push(line);
    if (!json) print(line);
  }
}
const code = await ended;
if (json) console.log(plainJson({ ok: code === 0, lines }));
else summary();
process.exitCode = code ?? 1;

function options() {
  const here = (file) => resolve(process.env.INIT_CWD ?? process.cwd(), file);
  const string = { type: "string" };
  try {
    const names = { env: { ...string, short: "e" }, config: { ...string, short: "c" }, url: string, resource: string, token: string, json: { type: "boolean" } };
    const { token, json = false, env, config, ...rest } = util.parseArgs({ options: names }).values;
    const args = Object.entries(rest).flatMap(([name, value]) => [`--${name}`, value]);
    const given = { env, config: config === undefined ? undefined : here(config) };
    return { args, token: token === undefined ? null : read(token, here), json, given };
  } catch (error) {
    return stop(`${error.message}\n${USAGE}`);
  }
}

function read(file, here) {
  if (/^(Bearer )?[\w-]+\.[\w-]+\.[\w-]*/.test(file) && !existsSync(here(file))) {
    stop("A token is never an argument, where shells and process lists keep it: put it into a file, or pipe it to `--token -`.");
  }
  try {
    const token = readFileSync(file === "-" ? 0 : here(file), "utf8").trim().replace(/^Bearer\s+/i, "");
    return token || stop("There is no token in what was given.");
  } catch (error) {
    return stop(`The token cannot be read: ${error.message}`);
  }
}

/** What Node's messages do not tell everybody. */
function reason(error) {
  if (error.code === "ENOTFOUND") return "there is no such host";
  if (/wrong version number/.test(error.message)) return "no TLS there: is it http, not https?";
  return error.message || error.code;
}

/** One exchange: redirects not followed, and nothing thrown. */
function exchange({ method, url, headers, body }) {
  return new Promise((done) => {
    let late;
    const give = (answer) => {
      clearTimeout(late);
      done(answer);
    };
    const fail = (error) => give({ error: reason(error) });
    try {
      const length = body === null ? {} : { "content-length": Buffer.byteLength(body) };
      const request = (url.startsWith("https:") ? https : http).request(url, {
        method,
        headers: { "user-agent": "mcp-edge-auth-doctor", ...Object.fromEntries(headers), ...length },
        agent: false,
      });
      late = setTimeout(() => request.destroy(new Error(`no answer within ${SECONDS} s`)), SECONDS * 1000);
      request.on("error", fail);
      request.on("response", (response) => {
        const chunks = [];
        let size = 0;
        const whole = (all) => {
          const pairs = [];
          const body = Buffer.concat(chunks);
          for (let i = 0; i < response.rawHeaders.length; i += 2) pairs.push([response.rawHeaders[i].toLowerCase(), response.rawHeaders[i + 1]]);
          give({ status: response.statusCode, headers: pairs, body: body.toString("utf8"), whole: all, garbled: !isUtf8(body), address: response.socket.remoteAddress ?? null });
          request.destroy();
        };
        response.on("error", fail);
        response.on("data", (chunk) => {
          size += chunk.length;
          if (size > BYTES) whole(false);
          else chunks.push(chunk);
        });
        response.on("end", () => whole(true));
        // An event stream has begun to answer, and does not end.
        if (/^text\/event-stream/.test(response.headers["content-type"] ?? "")) whole(false);
      });
      request.end(body ?? undefined);
    } catch (error) {
      fail(error);
    }
  });
}

function print({ level, check, says, todo }) {
  console.log(plain(`${level.padEnd(5)} ${check}: ${says}`));
  if (todo) console.log(plain(`      → ${todo}`));
}

function summary() {
  const count = (level) => lines.filter((line) => line.level === level).length;
  console.log(`\n${count("ok")} ok, ${count("warn")} to look at, ${count("FAIL")} failed.`);
  const left = [!args.includes("--url") && "a deployment (--url URL)", token === null && "a token (--token FILE)"].filter(Boolean);
  if (left.length && lines.some(({ level, check }) => check === "settings" && level === "ok")) console.log(`Not looked at: ${left.join(", ")}.`);
}
