// `dev`: the Worker in front of your own MCP server on this machine, with a login that works.
//
// It promises: without a provider, a domain or an account, a client logs in and calls your server's
// tools; what wrangler's file says beside the canonical URL and the authorization servers holds
// here, too; nothing listens anywhere but on loopback; Ctrl-C, SIGTERM, a closed terminal and the
// death of one part stop everything.

import { createRequire } from "node:module";
import { connect } from "node:net";
import { join } from "node:path";

import { SETTINGS_OPTIONS } from "../command.mjs";
import { COMPATIBILITY_DATE, ensurePackages, ensureWorker, here, isRepository, ROOT } from "../place.mjs";
import { plain, plainLines } from "../plain.mjs";
import { Part } from "../serve/part.mjs";
import { printer } from "../serve/people.mjs";
import { choosePorts } from "../serve/ports.mjs";
import { refuseFaults, settingsToServe } from "../serve/settings.mjs";
import { findWorkerd, startWorkerd } from "../serve/workerd.mjs";
import { stop } from "../terminal.mjs";
import { requirePort } from "./serve.mjs";

const PREFIXES = ["MCP_SERVER_AUTH_", "MCP_RESOURCE_SERVER_"];
/** Settings that are this machine's here. */
const OURS = ["CANONICAL_URL", "AUTHORIZATION_SERVERS", "JWKS_URI", "ISSUER", "AUDIENCE", "ALGORITHM"];
/** Where a policy names scopes. */
const SCOPES = ["required_scopes", "scopes", "any_scopes"];
const AUTHORIZATION_SERVER = join("demo", "authorization-server.mjs");
const START_S = 30;

export const dev = {
  does: "the Worker in front of your own MCP server on this machine, with a local login",
  more: "What wrangler's file says beside the canonical URL and the authorization servers holds here, too.",
  options: {
    origin: { type: "string", value: "URL", says: "your MCP server; by default ORIGIN_URL of wrangler's file, if that is on this machine" },
    "authorization-server": { type: "string", value: "URL", says: "yours, in place of a local one where any name logs in" },
    port: { type: "string", value: "N", says: "the Worker's port, 0 for any free one; by default 8787" },
    "as-port": { type: "string", value: "N", says: "the local authorization server's; by default 8788" },
    ...SETTINGS_OPTIONS,
    json: { type: "boolean", says: "the log as JSON on a terminal, too" },
  },
  async run({ origin, "authorization-server": named, port = "8787", "as-port": asPort = "8788", config, env, json }) {
    requirePort("port", port);
    requirePort("as-port", asPort);
    await ensurePackages();
    if (named === undefined) requireAuthorizationServer();
    await ensureWorker();
    const binary = await findWorkerd();
    const given = await givenSettings({ config: config && here(config), env }, origin, named === undefined);
    const wanted = { port: Number(port), ...(named === undefined && { "as-port": Number(asPort) }) };
    const ports = await choosePorts(wanted, (option, sentence) => stop(`${sentence}; choose another one with --${option} N (0: any free port).`));
    const issuer = named ?? `http://127.0.0.1:${ports["as-port"]}`;
    const settings = onThisMachine(given, { port: ports.port, issuer, origin });
    await refuseFaults(binary, settings);
    return start(settings, { binary, ports, isLocal: named === undefined, json });
  },
};

const isLoopback = (url) => URL.canParse(url) && /^(localhost|127(\.\d+){3}|\[::1\])$/.test(new URL(url).hostname);

/** The settings of wrangler's file; where there is none, an origin is enough. */
async function givenSettings({ config, env }, origin, isLocal) {
  const none = { beside: [], variables: {}, limiters: [], compatibilityDate: COMPATIBILITY_DATE, compatibilityFlags: [] };
  const settings = await settingsToServe({ config, env }, origin === undefined ? undefined : none);
  if (PREFIXES.some((prefix) => settings.variables[`${prefix}RESOURCES`])) {
    stop("MCP_SERVER_AUTH_RESOURCES names several servers, and this command has one: name a file with one by --config FILE, or use `npx mcp-edge-auth serve`.");
  }
  const found = settings.variables.ORIGIN_URL;
  if (origin === undefined && !found) stop("Where is your MCP server? Name it with --origin URL.");
  if (origin === undefined && isLocal && !isLoopback(found)) {
    stop(`ORIGIN_URL is ${found}, not a server of this machine, and with the local login anybody here is whoever they say. If you mean that server, name it with --origin URL.`);
  }
  return settings;
}

/** The same with the addresses of this machine. The path of the endpoint stays. */
function onThisMachine(settings, { port, issuer, origin }) {
  const canonical = PREFIXES.map((prefix) => settings.variables[`${prefix}CANONICAL_URL`]).find(Boolean);
  const path = URL.canParse(canonical) ? new URL(canonical).pathname.replace(/\/$/, "") : "/mcp";
  const names = new Set(PREFIXES.flatMap((prefix) => OURS.map((name) => prefix + name)));
  const others = Object.entries(settings.variables).filter(([name]) => !names.has(name));
  const variables = {
    ...Object.fromEntries(others),
    MCP_SERVER_AUTH_CANONICAL_URL: `http://127.0.0.1:${port}${path}`,
    MCP_SERVER_AUTH_AUTHORIZATION_SERVERS: [{ authorization_server_url: issuer }],
    ...(origin !== undefined && { ORIGIN_URL: origin }),
  };
  return { ...settings, variables };
}

async function start(settings, { binary, ports, isLocal, json }) {
  const { MCP_SERVER_AUTH_CANONICAL_URL: url, ORIGIN_URL: origin } = settings.variables;
  const parts = [];
  let ending = false;
  const end = async (code, words) => {
    if (ending) return;
    ending = true;
    await Promise.all(parts.map((part) => part.stop()));
    console.error(plainLines(words));
    process.exit(code);
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => end(0, "Stopped."));
  try {
    if (isLocal) {
      const server = authorizationServer(ports["as-port"], url, scopesOf(settings.variables));
      parts.push(server);
      await server.ready({ url: `http://127.0.0.1:${ports["as-port"]}/.well-known/oauth-authorization-server`, status: 200, seconds: START_S });
      server.exited.then((how) => end(1, `${server.output}\nThe local authorization server stopped by itself (${how}).`));
    }
    const print = printer({ json });
    const heard = (line) => print(line) || console.error(plain(line));
    // Without KV: the local authorization server has new keys at every start.
    const workerd = startWorkerd(settings, { binary, address: `127.0.0.1:${ports.port}`, heard });
    parts.push(workerd);
    process.once("exit", () => workerd.child.kill("SIGKILL")); // nothing stays behind
    await workerd.listening;
    workerd.ended.then((how) => end(1, `The Worker stopped by itself (${how}).`));
  } catch (error) {
    await end(1, `${error.part?.output ?? ""}\n${error.message}`.trim());
  }
  if (!ending) await announce(url, origin, isLocal);
  return new Promise(() => {}); // a signal ends it
}

const authorizationServer = (port, resource, scopes) =>
  new Part({
    name: "local authorization server",
    args: [AUTHORIZATION_SERVER, "--port", String(port), "--resource", resource, ...scopes.flatMap((scope) => ["--scope", scope])],
  });

/** The scopes that the settings name, all of which the local authorization server gives. */
function scopesOf(variables) {
  const words = (value) => (Array.isArray(value) ? value : String(value ?? "").split(/[\s,]+/)).filter((word) => typeof word === "string" && word);
  const named = ["DEFAULT_CHALLENGE_SCOPES", "SCOPES_SUPPORTED"].flatMap((name) => PREFIXES.flatMap((prefix) => words(variables[prefix + name])));
  const below = (value) =>
    typeof value === "object" && value !== null
      ? Object.entries(value).flatMap(([name, inner]) => (SCOPES.includes(name) ? words(inner) : below(inner)))
      : [];
  const policies = PREFIXES.map((prefix) => variables[`${prefix}POLICY`]).map((policy) => (typeof policy === "string" && policy.trim() ? JSON.parse(policy) : policy));
  return [...new Set([...named, ...policies.flatMap(below)])];
}

/** On stderr: stdout is the Worker's log. */
async function announce(url, origin, isLocal) {
  console.error(`${(await listens(origin)) ? "" : `\nNothing listens at ${origin} yet: start your MCP server.`}
URL for an MCP client:   ${url}
How to add it to one:    ${url}   (in a browser${isLocal ? "; any name logs in" : ""})
See the 401:             curl -i ${url}
Log in, list the tools:  ${isRepository ? `npm run client -- ${url}` : `npx -p mcp-remote mcp-remote-client ${url}`}
`);
}

/** Whether somebody listens there. Nothing is asked. */
function listens(url) {
  const { protocol, hostname, port } = new URL(url);
  const socket = connect({ host: hostname.replace(/^\[|\]$/g, ""), port: Number(port || (protocol === "https:" ? 443 : 80)), timeout: 3_000 });
  return new Promise((resolve) => {
    const answer = (is) => {
      socket.destroy();
      resolve(is);
    };
    socket.once("connect", () => answer(true));
    for (const event of ["error", "timeout"]) socket.once(event, () => answer(false));
  });
}

/** The local authorization server is made with an npm package that is only needed here. */
function requireAuthorizationServer() {
  try {
    createRequire(join(ROOT, AUTHORIZATION_SERVER)).resolve("oidc-provider");
  } catch {
    stop("The local authorization server needs an npm package: npm install --save-dev oidc-provider@8. Or name yours with --authorization-server URL.");
  }
}
