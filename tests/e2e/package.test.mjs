// The npm package as an operator has it: what is in it, and the way from an empty folder to an MCP
// client that logs in and calls a tool, without Rust, a compiler or a build.
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { after, before, test } from "node:test";
import { choosePorts } from "../../cli/serve/ports.mjs";
import { startAuthorizationServer } from "../../demo/authorization-server.mjs";
import { connect } from "../../demo/client.mjs";
import { filesBelow, PACKED_BYTES } from "../../scripts/package.mjs";
import { ROOT } from "./support/bundle.mjs";
import { givenWrangler, installPackage } from "./support/installed.mjs";
import { startMcpServer } from "./support/mcp-server.mjs";
import { bounded, until } from "./support/until.mjs";

const STEP_MS = 120_000;
const { version } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
const bytesOf = (place) => Object.fromEntries(filesBelow(place).map((file) => [file, readFileSync(join(place, file), "base64")]));

let machine;
before(async () => (machine = await installPackage()));
after(() => machine?.remove());

test("it has what an operator needs, in less than 1 MiB, and depends on wrangler alone", () => {
  const { packed, installed } = machine;
  assert.ok(statSync(packed).size < PACKED_BYTES, `${statSync(packed).size} bytes`);
  const { dependencies, peerDependencies, private: isPrivate, scripts, devDependencies, ...manifest } = JSON.parse(readFileSync(join(installed, "package.json"), "utf8"));
  assert.deepEqual([dependencies, isPrivate, scripts, devDependencies], [undefined, undefined, undefined, undefined]);
  assert.deepEqual(Object.keys(peerDependencies), ["wrangler"]);
  assert.deepEqual([manifest.version, manifest.license], [version, "MIT OR Apache-2.0"]);
  const places = [manifest.bin["mcp-edge-auth"], ...Object.values(manifest.exports).flatMap((to) => (typeof to === "string" ? to : Object.values(to)))];
  for (const place of places) assert.ok(existsSync(join(installed, place)), place);
  const kinds = /^(LICENSE(-APACHE|-MIT)?|README\.md|package\.json|\.dev\.vars\.example|docs\/settings\.schema\.json|worker\/.*\.(js|mjs|wasm)|worker\/entry\.d\.m?ts|cli\/.*\.mjs|cli\/build\/(index\.js|index_bg\.wasm|package\.json)|demo\/[\w-]+\.mjs)$/;
  assert.deepEqual(filesBelow(installed).filter((file) => !kinds.test(file)), []);
});

test("what is packed is, byte for byte, what was built from the sources", () => {
  const { installed } = machine;
  const { "entry.d.ts": types, "entry.d.mts": sameTypes, ...worker } = bytesOf(join(installed, "worker"));
  assert.deepEqual(worker, bytesOf(join(ROOT, "build")));
  assert.deepEqual(bytesOf(join(installed, "cli", "build")), bytesOf(join(ROOT, "cli", "build")));
  assert.ok(types && types === sameTypes);
});

test("no module of it imports what is not in it", () => {
  const { installed } = machine;
  const modules = filesBelow(installed).filter((file) => /\.m?js$/.test(file));
  const imports = modules.flatMap((file) => {
    const text = readFileSync(join(installed, file), "utf8");
    return [...text.matchAll(/^(?:import|export) (?:[^;"=(]* from )?"([^"]+)"|\bimport\("([^"]+)"\)/gm)].map(([, whole, lazy]) => [file, whole ?? lazy]);
  });
  assert.ok(imports.length > 50, `${imports.length} imports`);
  const isHere = ([file, from]) => from.startsWith(".") && existsSync(join(installed, dirname(file), from));
  const others = imports.filter((one) => !one[1].startsWith("node:") && !isHere(one)).map((one) => one.join(" "));
  // The runtime's own module, and the package that `dev` asks for where its local login is wanted.
  assert.deepEqual(others, ["demo/authorization-server.mjs oidc-provider", "worker/entry.mjs cloudflare:workers"]);
});

test("the command is there, and says which version it is", async () => {
  const { ok } = machine;
  assert.match((await ok("npx", ["mcp-edge-auth", "--help"])).out, /^usage: npx mcp-edge-auth COMMAND/);
  assert.equal((await ok("npx", ["mcp-edge-auth", "--version"])).out, `${version}\n`);
  const { d, kty } = JSON.parse((await ok("npx", ["mcp-edge-auth", "keygen"])).out);
  assert.ok(d && kty === "EC");
});

test("from an empty folder to a Worker that is ready to deploy, without a build", async (t) => {
  const { project, run, ok } = machine;
  const options = ["--provider", "keycloak", "--domain", "id.acme.test", "--realm", "main", "--canonical-url", "https://mcp.acme.test/mcp", "--origin", "https://origin.acme.test/mcp"];
  const init = await run("npx", ["mcp-edge-auth", "init", ...options]);
  // No host below .test is ever there: the doctor says so, and only that is wrong.
  assert.equal(init.code, 1, init.err);
  assert.match(init.out, /^Written: wrangler\.jsonc/);
  const check = await ok("npx", ["mcp-edge-auth", "check"]);
  assert.match(check.out, /^Resource Server auth enabled: true$/m);
  const doctor = await run("npx", ["mcp-edge-auth", "doctor"]);
  assert.equal(doctor.code, 1, doctor.err);
  assert.match(doctor.out, /^ok {4}settings: /m);
  assert.match(doctor.out, /^FAIL {2}authorization_server\.metadata: https:\/\/id\.acme\.test\/realms\/main /m);
  const deploy = await ok("npx", ["mcp-edge-auth", "deploy", "--dry-run"]);
  assert.match(deploy.out, /--dry-run: exiting now/);
  const wrangler = await ok("npx", ["wrangler", "deploy", "--dry-run", "--outdir", "out"]);
  const wasm = readdirSync(join(project, "out")).filter((name) => name.endsWith(".wasm"));
  assert.equal(wasm.length, 1);
  assert.ok(readFileSync(join(project, "out", wasm[0])).equals(readFileSync(join(ROOT, "build", "index_bg.wasm"))), "wrangler bundles it as it is");
  const steps = { init, check, doctor, deploy, "wrangler deploy --dry-run": wrangler };
  t.diagnostic(Object.entries(steps).map(([name, { seconds }]) => `${name} ${seconds} s`).join(", "));
});

test("wrangler writes types that go with those of the package", async () => {
  const { project, ok } = machine;
  await ok("npx", ["wrangler", "types"]);
  const types = readFileSync(join(project, "worker-configuration.d.ts"), "utf8");
  assert.match(types, /typeof import\("\.\/node_modules\/mcp-edge-auth\/worker\/entry"\)/);
  assert.match(types, /^\t+JWKS_CACHE: KVNamespace;$/m);
  if (!givenWrangler) return; // TypeScript is not here
  writeFileSync(join(project, "own.ts"), `import auth from "mcp-edge-auth";
const same: Cloudflare.GlobalProps["mainModule"]["default"] = auth;
export default { fetch: (request, env, context) => same.fetch(request, env, context) } satisfies ExportedHandler<Env>;
`);
  const compilerOptions = { noEmit: true, strict: true, target: "es2024", lib: ["es2024"], module: "es2022", moduleResolution: "bundler", types: [] };
  writeFileSync(join(project, "tsconfig.json"), JSON.stringify({ compilerOptions, files: ["own.ts", "worker-configuration.d.ts"] }));
  await ok("npx", ["tsc"]);
});

test("serve: the official client logs in and calls a tool", async (t) => {
  const { project, ok, start } = machine;
  const ports = await choosePorts({ worker: 0, issuer: 0 }, (_, sentence) => assert.fail(sentence));
  const url = `http://127.0.0.1:${ports.worker}/mcp`;
  const { issuer, close } = await startAuthorizationServer({ port: ports.issuer, resource: url });
  t.after(close);
  const server = await startMcpServer(t, { tools: { greet: "hello" } });
  const main = "node_modules/mcp-edge-auth/worker/entry.mjs";
  const vars = { MCP_SERVER_AUTH_CANONICAL_URL: url, ORIGIN_URL: server.url, MCP_SERVER_AUTH_AUTHORIZATION_SERVERS: [{ authorization_server_url: issuer }] };
  writeFileSync(join(project, "local.json"), JSON.stringify({ name: "local", main, compatibility_date: "2026-04-26", vars }));
  const doctor = await ok("npx", ["mcp-edge-auth", "doctor", "--config", "local.json"]);
  assert.match(doctor.out, / 0 failed\.$/m);

  const since = performance.now();
  const serve = start("npx", ["mcp-edge-auth", "serve", "--config", "local.json", "--port", String(ports.worker)]);
  t.after(() => serve.kill());
  const failed = serve.ended.then((code) => assert.fail(`serve ended with ${code}\n${serve.err}`));
  await Promise.race([failed, until("serve listens", () => serve.err.includes("Listening on "), STEP_MS)]);
  const { client } = await connect(url);
  t.after(() => client.close());
  const { content } = await client.callTool({ name: "greet", arguments: {} });
  assert.equal(content[0].text, "hello");
  failed.catch(() => {}); // from here on it is to end
  serve.kill("SIGTERM");
  await bounded("the end of serve", serve.ended, STEP_MS);
  assert.match(serve.out, /"reason":"ok"/);
  t.diagnostic(`serve, login, call, end: ${((performance.now() - since) / 1000).toFixed(1)} s`);
});
