// docs/settings.schema.json, judged by ajv: every example in the documentation is valid, typical
// faults are not, and of single values it says what the Worker's own reader says.
import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

import Ajv from "ajv/dist/2020.js";

import { loadCore } from "../../cli/core.mjs";
import { ROOT } from "./support/bundle.mjs";

const { check } = await loadCore();
const { experimental_readRawConfig: readRawConfig } = createRequire(import.meta.url)("wrangler");
const SCHEMA = JSON.parse(readFileSync(join(ROOT, "docs", "settings.schema.json"), "utf8"));
const DEFINED = SCHEMA.$defs;
// Strict: a keyword that ajv does not know would be a rule that nobody applies. An `if` may require
// what stands elsewhere.
const validate = new Ajv({ strict: true, strictRequired: false, allowUnionTypes: true }).compile(SCHEMA);
const isValid = (vars) => validate({ vars });

const CANONICAL = "MCP_SERVER_AUTH_CANONICAL_URL";
const SERVERS = "MCP_SERVER_AUTH_AUTHORIZATION_SERVERS";
const POLICY = "MCP_SERVER_AUTH_POLICY";
const RESOURCES = "MCP_SERVER_AUTH_RESOURCES";
const SOUND = {
  [CANONICAL]: "https://mcp.acme.test/mcp",
  [SERVERS]: [{ authorization_server_url: "https://login.acme.test" }],
  ORIGIN_URL: "https://origin.acme.test/mcp",
};

/** The configuration files that are in the documentation, by the place where each is. */
function examples() {
  const pages = readdirSync(join(ROOT, "docs")).filter((name) => name.endsWith(".md")).map((name) => join("docs", name));
  const found = [];
  for (const page of ["README.md", join("package", "README.md"), ...pages]) {
    const text = readFileSync(join(ROOT, page), "utf8");
    for (const [at, [, kind, code]] of [...text.matchAll(/^```(toml|jsonc)\n(.*?)^```$/gms)].entries()) {
      if (/MCP_SERVER_AUTH_|ORIGIN_/.test(code)) found.push([`${page}, example ${at + 1}`, kind, code]);
    }
  }
  const wrangler = readFileSync(join(ROOT, "wrangler.toml"), "utf8");
  const [before, production] = wrangler.split("# [env.production]");
  const uncommented = `${before}[env.production]${production.replaceAll(/^# ?/gm, "")}`;
  return [...found, ["wrangler.toml", "toml", wrangler], ["wrangler.toml with its environment", "toml", uncommented]];
}

test("every example in the documentation is valid, and so are wrangler.toml and its environment", (t) => {
  const folder = mkdtempSync(join(tmpdir(), "mcp-edge-auth-schema-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const all = examples();
  assert.ok(all.length > 30, `${all.length} examples`);
  for (const [place, kind, code] of all) {
    const file = join(folder, `wrangler.${kind}`);
    writeFileSync(file, code);
    const { rawConfig } = readRawConfig({ config: file });
    assert.ok(rawConfig.vars || rawConfig.env, `${place} has settings`);
    assert.ok(validate(rawConfig), `${place}: ${JSON.stringify(validate.errors, null, 1)}`);
  }
});

test("typical faults are not valid", () => {
  const entry = (change) => ({ [SERVERS]: [{ ...SOUND[SERVERS][0], ...change }] });
  const faults = {
    "a name that is misspelled": { MCP_SERVER_AUTH_SCOPE_SUPPORTED: "mcp" },
    "the same in the second spelling": { MCP_RESOURCE_SERVER_POLICIES: {} },
    "a canonical URL with http": { [CANONICAL]: "http://mcp.acme.test/mcp" },
    "one in the second spelling": { MCP_RESOURCE_SERVER_CANONICAL_URL: "http://mcp.acme.test/mcp" },
    "an origin with a query": { ORIGIN_URL: "https://origin.acme.test/mcp?x" },
    "an origin as a variable, which is a binding": { ORIGIN: "https://origin.acme.test" },
    "one entry and no array": { [SERVERS]: { authorization_server_url: "https://login.acme.test" } },
    "no entry": { [SERVERS]: [] },
    "a field that there is not": entry({ audience: "x" }),
    "an algorithm with a shared secret": entry({ algorithm: "HS256" }),
    "an option that there is not": entry({ validation_options: { verify_aud: false } }),
    "a provider that there is not": entry({ provider: "auth1" }),
    "a parameter of another provider": entry({ provider: "auth0", tenant: "00000000-0000-0000-0000-000000000000" }),
    "a parameter of no provider": entry({ domain: "acme.test" }),
    "a policy as a word": { [POLICY]: "report" },
    "a policy with a member that there is not": { [POLICY]: { scopes: ["mcp"] } },
    "a rule that denies with a text": { [POLICY]: { rules: [{ deny: "true" }] } },
    "a member that is the whole Worker's": { [RESOURCES]: [{ canonical_url: SOUND[CANONICAL], cache_ttl: 60 }] },
    "a number of seconds that is too large": { MCP_SERVER_AUTH_CACHE_TTL: 86_401 },
    "a word that there is not": { MCP_SERVER_AUTH_COMPATIBILITY: "accept" },
  };
  assert.ok(isValid(SOUND));
  for (const [name, change] of Object.entries(faults)) assert.ok(!isValid({ ...SOUND, ...change }), name);
});

// Of all shapes, and for each setting one that it takes and one that it does not.
const VALUES = [
  ...[null, true, "true", "yes", 0, 100, 4000, 1.5, "", " ", "60", "4000", "acme", "a b", "a,b", "https://acme.test/x", "https://acme.test/x#y"],
  ...["https://acme.test/?q", "http://acme.test", "http://127.0.0.1:1/x", "ftp://acme.test", "https://u@acme.test", "header", "off", "remove"],
  ...["enforce", "RS256", "HS256", "accept-header", "ORIGIN_HEADERS_A", [], [""], ["a"], ["a", "b"], ["a", 1], ["a,b"], ["a b"], ["RS256", "ES256"]],
  ...[["accept-header"], ["tools/list"], {}, { a: "b" }, { a: "" }, { a: 1 }, { a: ["b"] }, { a: [] }, { "a..b": "c" }, { verify_exp: true }],
  ...[{ mode: "enforce" }, [{ deny: true }], [{}], "[", '["a"]', '{"a":"b"}'],
  ...[{ a: { min: 1 } }, { a: { min: -0.5, max: "2026-01-31T12:00:00Z" } }, { a: { min: "2026" } }, { a: { max: 2 ** 53 } }, { a: { min: 2, max: 1 } }],
  ...[{ a: { present: false } }, { a: { present: "no" } }, { a: { present: true, min: 1 } }, { a: { max_length: 5 } }, { a: { max_length: -1 } }],
  ...["authzen", "allow", { url: "https://acme.test/x" }],
  ...[10, 60, "user", [{ by: "user" }], [{ by: "user", binding: "CALLS" }]],
  ...[{ a: {} }, { a: [{ min: 1 }] }, { a: 2 ** 53 }, { [Array(17).fill("a").join(".")]: "b" }],
];

// Where the schema takes more than the Worker: what it cannot say, or what the Worker finds only
// when it looks inside.
const LAXER = {
  "a key, which is looked into": (name) => ["MCP_SERVER_AUTH_ASSERTION_KEY", "MCP_SERVER_AUTH_AUDIT_KEY", "MCP_SERVER_AUTH_DPOP_NONCE_KEY", "MCP_SERVER_AUTH_SESSION_KEY"].includes(name),
  "headers, of which some are the Worker's own": (name) => name === "ORIGIN_HEADERS",
  "origins, which are compared with what a browser sends": (name) => /allowed_origins$/i.test(name),
  "a text that may be JSON": (_, value) => typeof value === "string" && /^[[{]/.test(value),
  "seconds as text, which no pattern counts": (name, value) => /_ttl$|_seconds$/i.test(name) && typeof value === "string",
  "a binding and a secret, which have to be there": (name) => /\.(binding|origin_headers|client_secret)$/.test(name),
  "a client of the Worker's own at the endpoint": (name, value) => name.endsWith(".introspection") && value?.url !== undefined,
  "a method, which has no blanks and no list in it": (name) => /methods$/.test(name),
  "bounds, which are compared with each other": (name, value) => /(claims|arguments)$/.test(name) && value.a?.min > value.a?.max,
  "the length of a path": (name, value) => /arguments$/.test(name) && Object.keys(value)[0].length > 30,
  "what is missing": (name, value) => /(canonical_url|origin_url|_servers|resources|rules|introspection)$/i.test(name) && /^(" ?"|\[\{\}\]|\{\})$/.test(JSON.stringify(value)),
};

// Sound settings that have one value in one place.
const ENTRY = { authorization_server_url: "https://login.acme.test", jwks_uri: "https://login.acme.test/jwks" };
const NONCES = { MCP_SERVER_AUTH_DPOP_NONCE_KEY: "k".repeat(43) };
const SINGLE = { jwks_uri: "https://login.acme.test/jwks", issuer: "acme", audience: "acme" };
const believed = (name) => (/^(MCP_SERVER_AUTH_)?(JWKS_URI|ISSUER|AUDIENCE|ALGORITHM)$/i.test(name) ? SINGLE : { authorization_servers: [ENTRY] });
const prefixed = (members) => Object.fromEntries(Object.entries(members).map(([name, value]) => [`MCP_SERVER_AUTH_${name.toUpperCase()}`, value]));
const PLACES = [
  ["vars", "", (name, value) => ({ [CANONICAL]: SOUND[CANONICAL], ORIGIN_URL: SOUND.ORIGIN_URL, allow_token_passthrough: true, ...prefixed(believed(name)), [name]: value })],
  ["entry", `${SERVERS}[0].`, (name, value) => ({ ...SOUND, ...(name === "dpop_nonce" && NONCES), [SERVERS]: [{ ...ENTRY, ...(name.startsWith("dpop_") && { dpop: "accept" }), [name]: value }] })],
  ["options", `${SERVERS}[0].validation_options.`, (name, value) => ({ ...SOUND, [SERVERS]: [{ ...ENTRY, validation_options: { [name]: value } }] })],
  ["introspection", `${SERVERS}[0].introspection.`, (name, value) => ({ ...SOUND, [SERVERS]: [{ ...ENTRY, introspection: { client_id: "edge", client_secret: "AS_SECRET", [name]: value } }] })],
  ["policy", `${POLICY}.`, (name, value) => ({ ...SOUND, [POLICY]: { rules: [{ deny: true }], [name]: value } })],
  ["decide", `${POLICY}.decide.`, (name, value) => ({ ...SOUND, [POLICY]: { decide: { url: "https://pdp.acme.test/x", [name]: value } } })],
  ["limit", `${POLICY}.limits[0].`, (name, value) => ({ ...SOUND, [POLICY]: { limits: [{ by: "user", binding: "CALLS", [name]: value }] } })],
  ["rule", `${POLICY}.rules[0].`, (name, value) => ({ ...SOUND, [POLICY]: { rules: [{ ...(name !== "deny" && { deny: true }), scopes: "a", ...(name === "arguments" && { methods: "tools/call" }), [name]: value }] } })],
  ["server", `${RESOURCES}[0].`, (name, value) => ({ [RESOURCES]: [{ canonical_url: SOUND[CANONICAL], origin_url: SOUND.ORIGIN_URL, allow_token_passthrough: true, ...believed(name), [name]: value }] })],
];

/** The faults that `npm run check` finds in these variables. */
function faults(vars) {
  const kv_namespaces = [{ binding: "JWKS_CACHE", id: "0123456789abcdef0123456789abcdef" }];
  const { lines } = check({ settings: { vars, kv_namespaces, ratelimits: [{ name: "CALLS", simple: { limit: 1, period: 60 } }] } });
  return lines.filter(({ level }) => level === "fault").map(({ says }) => says);
}

test("the Worker has none of its sentences", () => {
  const worker = readFileSync(join(ROOT, "build", "index_bg.wasm")).toString("latin1");
  const sentences = JSON.stringify(SCHEMA).match(/"description":"[^"]{20,}"/g).map((member) => member.slice(15, -1));
  assert.ok(sentences.length > 60, `${sentences.length} sentences`);
  assert.deepEqual(sentences.filter((sentence) => worker.includes(Buffer.from(sentence).toString("latin1"))), []);
});

test("of single values it says what the Worker's own reader says", () => {
  const differ = [];
  const used = new Set();
  let compared = 0;
  for (const [defined, prefix, settings] of PLACES) {
    for (const [name, schema] of Object.entries(DEFINED[defined].properties)) {
      if (name.startsWith("MCP_RESOURCE_SERVER_") || schema === false) continue;
      if (schema.examples) continue; // a parameter, which is in tests/native/settings_presets.rs
      // The members of a server are read as the variables are, by the same code: every fourth value
      // will do.
      const values = defined === "server" ? VALUES.filter((_, at) => at % 4 === 0) : VALUES;
      const found = values.map((value) => {
        const vars = settings(name, value);
        const place = prefix + name;
        return [value, isValid(vars), !faults(vars).some((line) => line.startsWith(place) && !/^\w/.test(line.slice(place.length)))];
      });
      compared += found.length;
      for (const [value, schemaTakes, workerTakes] of found) {
        if (schemaTakes === workerTakes) continue;
        const reason = schemaTakes && Object.keys(LAXER).find((reason) => LAXER[reason](prefix + name, value));
        if (reason) used.add(reason);
        else differ.push(`${prefix}${name} = ${JSON.stringify(value)}: schema ${schemaTakes}, Worker ${workerTakes}`);
      }
    }
  }
  assert.deepEqual(differ, []);
  assert.ok(compared > 3000, `${compared} values`);
  assert.deepEqual(Object.keys(LAXER).filter((reason) => !used.has(reason)), [], "each reason is needed");
});
