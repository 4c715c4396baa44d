// An MCP client that needs no browser: the official TypeScript client does the whole OAuth flow
// against the demo.
//
// It promises: POST, 401, protected resource metadata, authorization server metadata, registration,
// PKCE, login on the demo's page (over HTTP, as the user would), token, tools/list, tools/call. It
// works only where that page is the login.
//
// npm run client                    lists the tools of http://127.0.0.1:8787/mcp and calls one npm
// run client -- URL             the same for another URL npm run -s client -- --token      prints
// the access token and nothing else npm run client -- --user NAME     logs in under another name

import { randomUUID } from "node:crypto";
import { pathToFileURL } from "node:url";
// By its default: a named import that an old Node lacks fails before its version is looked at.
import util from "node:util";

import { plain, plainLines } from "../cli/plain.mjs";
import { ensurePackages, requireNode, usage } from "../scripts/setup.mjs";

const DEFAULT_URL = "http://127.0.0.1:8787/mcp";
// Nothing listens there: the browser below reads the code from the redirect instead of following
// it.
const REDIRECT_URI = "http://127.0.0.1:8790/callback";

/**
 * Does the flow and connects. Resolves to `{ client, transport, tokens, steps, provider }`; the
 * caller closes `client`. `fetch` (optional) sees every request of the client; `steps` lists them
 * as `METHOD URL STATUS`. `login` (optional) does with the authorization URL what `logIn` does.
 */
export async function connect(serverUrl = DEFAULT_URL, { user = "demo", login = logIn, fetch: send = fetch, clientOptions = {} } = {}) {
  const { Client, StreamableHTTPClientTransport, UnauthorizedError } = await import("@modelcontextprotocol/client");
  const steps = [];
  const recorded = async (input, init) => {
    const response = await send(input, init);
    steps.push(`${init?.method ?? "GET"} ${input} ${response.status}`);
    return response;
  };
  const provider = new MemoryProvider();
  const open = () => new StreamableHTTPClientTransport(new URL(serverUrl), { authProvider: provider, fetch: recorded });
  const newClient = () => new Client({ name: "mcp-edge-auth demo client", version: "0.1.0" }, {
    // The revision of 2026-07-28 where the server speaks it, else the older ones.
    versionNegotiation: { mode: "auto" },
    ...clientOptions,
  });

  const first = open();
  let refused;
  try {
    await newClient().connect(first);
  } catch (error) {
    refused = error;
  }
  if (!refused) throw new Error(`${serverUrl} let a client in without a token`);
  if (!(refused instanceof UnauthorizedError) || !provider.authorizationUrl) throw refused;

  const callback = await login(provider.authorizationUrl, { user });
  if (callback.searchParams.get("state") !== provider.expectedState) throw new Error("the state came back changed");
  await first.finishAuth(callback.searchParams); // checks `iss`, then redeems the code
  await first.close();

  const transport = open();
  const client = newClient();
  await client.connect(transport);
  return { client, transport, provider, tokens: provider.tokens(), steps };
}

/** Keeps in memory what the client would otherwise ask a user, a browser and a disk for. */
class MemoryProvider {
  #client;
  #tokens;
  #verifier;
  #discovery;
  authorizationUrl;
  expectedState = randomUUID();

  redirectUrl = REDIRECT_URI;
  clientMetadata = {
    client_name: "mcp-edge-auth demo client",
    redirect_uris: [REDIRECT_URI],
    grant_types: ["authorization_code", "refresh_token"],
    response_types: ["code"],
    token_endpoint_auth_method: "none",
  };
  state = () => this.expectedState;
  clientInformation = () => this.#client;
  saveClientInformation = (client) => void (this.#client = client);
  tokens = () => this.#tokens;
  saveTokens = (tokens) => void (this.#tokens = tokens);
  codeVerifier = () => this.#verifier;
  saveCodeVerifier = (verifier) => void (this.#verifier = verifier);
  discoveryState = () => this.#discovery;
  // The code goes to the issuer that was asked.
  saveDiscoveryState = (discovery) => void (this.#discovery = discovery);
  redirectToAuthorization = (url) => void (this.authorizationUrl = url);
}

/**
 * Does what a browser does: follows redirects with cookies, fills in the login form, stops at the
 * redirect URI.
 */
export async function logIn(authorizationUrl, { user = "demo" } = {}) {
  const cookies = new Map();
  let next = new URL(authorizationUrl);
  const redirectUri = next.searchParams.get("redirect_uri");
  let form;
  for (let hop = 0; hop < 12; hop++) {
    const response = await fetch(next, {
      method: form ? "POST" : "GET",
      body: form,
      redirect: "manual",
      headers: { cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join("; ") },
    });
    for (const line of response.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(line);
      if (value) cookies.set(name, value);
      else cookies.delete(name);
    }
    const location = response.headers.get("location");
    if (location) {
      next = new URL(location, next);
      form = undefined;
      if (next.href.startsWith(redirectUri)) {
        const error = next.searchParams.get("error");
        if (error) throw new Error(`the authorization server refused: ${error}: ${next.searchParams.get("error_description")}`);
        return next;
      }
      continue;
    }
    const page = await response.text();
    const action = /<form method="post" action="([^"]+)"/.exec(page)?.[1];
    if (!response.ok || !action || form) {
      throw new Error(`${next.origin}${next.pathname} answered ${response.status} and no login form`);
    }
    next = new URL(action, next);
    form = new URLSearchParams({ name: user, action: "allow" });
  }
  throw new Error("the authorization server redirects in a circle");
}

async function main() {
  usage("usage: npm run client [-- URL] [--user NAME] [--token]");
  requireNode();
  const { values, positionals } = util.parseArgs({
    allowPositionals: true,
    options: { token: { type: "boolean" }, user: { type: "string", default: "demo" } },
  });
  if (!values.token) await ensurePackages();
  else await ensurePackages({ quiet: true }); // stdout belongs to the token
  const url = positionals[0] ?? DEFAULT_URL;
  const { client, transport, tokens, steps } = await connect(url, { user: values.user });
  try {
    if (values.token) {
      console.log(plain(tokens.access_token));
      return;
    }
    for (const step of steps) console.log(plain(step));
    const { tools } = await client.listTools();
    console.log(`\n${tools.length} tools at ${url}, as ${values.user}:`);
    for (const tool of tools) console.log(plain(`  ${tool.name}`));
    const answer = await client.callTool({ name: "echo", arguments: { message: "hello" } });
    console.log(`\n${plainLines(`echo: ${answer.content.map((part) => part.text).join(" ")}`)}`);
  } finally {
    await transport.terminateSession(); // DELETE, where the server keeps sessions
    await client.close();
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  main().catch((error) => {
    const causes = [error];
    while (causes.at(-1).cause) causes.push(causes.at(-1).cause);
    const refused = causes.some((cause) => cause.code === "ECONNREFUSED");
    console.error(plainLines(`client: ${refused ? "nothing answers there; is `npm start` running?" : causes.map((c) => c.message).join(": ")}`));
    process.exit(1);
  });
}
