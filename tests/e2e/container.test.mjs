// The Containerfile, as far as it can be tried without a builder: what it copies is there, and what
// it runs needs nothing but /tmp to write to.
import assert from "node:assert/strict";
import { chmodSync, lstatSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { after, before, test } from "node:test";
import { filesBelow } from "../../scripts/package.mjs";
import { ROOT } from "./support/bundle.mjs";
import { send } from "./support/http.mjs";
import { installPackage } from "./support/installed.mjs";
import { bounded, until } from "./support/until.mjs";

const STEP_MS = 60_000;
const lines = readFileSync(join(ROOT, "Containerfile"), "utf8").split("\n").filter((line) => line && !line.startsWith("#"));
const having = (instruction) => lines.filter((line) => line.startsWith(`${instruction} `)).map((line) => line.slice(instruction.length + 1));

let machine;
before(async () => (machine = await installPackage()));
after(() => machine?.remove());

test("it copies the file that `npm run package` makes, and installs the pinned wrangler", () => {
  const [packed] = having("COPY").filter((line) => !line.startsWith("--from="));
  const pattern = new RegExp(`^${basename(packed.split(" ")[0]).replaceAll(".", "\\.").replace("*", ".*")}$`);
  assert.match(basename(machine.packed), pattern);
  const { devDependencies } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
  assert.ok(having("RUN").some((line) => line.endsWith(` wrangler@${devDependencies.wrangler}`)), having("RUN").join("\n"));
});

test("it runs as nobody", () => {
  assert.deepEqual(having("USER"), ["65534:65534"]);
  assert.ok(lines.indexOf("USER 65534:65534") < lines.findIndex((line) => line.startsWith("ENTRYPOINT ")));
});

test("what it runs serves, and writes nowhere but into /tmp", async (t) => {
  const { folder, project, start } = machine;
  const vars = { MCP_SERVER_AUTH_CANONICAL_URL: "https://mcp.acme.test/mcp", ORIGIN_URL: "http://127.0.0.1:9/mcp", MCP_SERVER_AUTH_AUTHORIZATION_SERVERS: [{ authorization_server_url: "http://127.0.0.1:9" }] };
  writeFileSync(join(project, "wrangler.json"), JSON.stringify({ name: "contained", compatibility_date: "2026-04-26", vars }));
  const temporary = join(folder, "tmp");
  mkdirSync(temporary);
  const places = [project, ...readdirSync(project, { recursive: true, withFileTypes: true }).filter((entry) => entry.isDirectory()).map((entry) => join(entry.parentPath ?? entry.path, entry.name))];
  for (const place of places) chmodSync(place, 0o555);
  t.after(() => places.forEach((place) => chmodSync(place, 0o755)));
  const before = seen(project);

  const [[entry], [command]] = [having("ENTRYPOINT"), having("CMD")].map((all) => all.map(JSON.parse));
  assert.equal(entry[0], "/nodejs/bin/node", "where distroless has it");
  const [port, ofHere] = [command.indexOf("--port") + 1, (word) => word.replace(/^\/tmp\b/, temporary)];
  const args = [...entry.slice(1), ...command.with(port, "0").map(ofHere)].map((word) => (word === "0.0.0.0" ? "127.0.0.1" : word));
  const env = Object.fromEntries(having("ENV").map((line) => line.split("=")).map(([name, value]) => [name, ofHere(value)]));
  const serve = start(process.execPath, args, { env: { ...env, TMPDIR: temporary } });
  t.after(() => serve.kill());
  const failed = serve.ended.then((code) => assert.fail(`serve ended with ${code}\n${serve.err}`));
  failed.catch(() => {});
  await Promise.race([failed, until("serve listens", () => serve.err.includes("Listening on "), STEP_MS)]);
  const listening = Number(/Listening on http:\/\/127\.0\.0\.1:(\d+)/.exec(serve.err)[1]);
  assert.equal((await send(listening, { path: "/healthz" })).status, 200);
  serve.kill("SIGTERM");
  assert.equal(await bounded("the end of serve", serve.ended, STEP_MS), 0, serve.err);

  assert.deepEqual(seen(project), before);
  assert.deepEqual(readdirSync(join(folder, "home")).filter((name) => name !== ".npm"), [], "its home is another one");
  const left = filesBelow(temporary).filter((file) => !/^(keys|\.config|\.cache)\//.test(file));
  assert.deepEqual(left, [], "the configuration, secrets included, is gone");
});

/** What is in a folder, and when it was written: of a folder, when something came into it. */
const seen = (folder) => ["", ...readdirSync(folder, { recursive: true })].map((path) => [path, lstatSync(join(folder, path)).mtimeMs]);
