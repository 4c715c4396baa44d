// The demo's authorization server: real OAuth 2.1 by the npm package oidc-provider, for this
// machine only.
//
// It promises: PKCE is required; any client may register itself (RFC 7591) with redirect URIs on
// loopback or https; an access token is an RS256 at+jwt (RFC 9068) for one audience, the MCP server
// given at the start; a request for another resource (RFC 8707) is refused with invalid_target;
// refresh tokens rotate. Everything is kept in memory: a restart forgets clients, grants and the
// signing key. Any name logs in, and the login page says so.
//
// node demo/authorization-server.mjs --port 8788 --resource http://127.0.0.1:8787/mcp
//   [--scope SCOPE] ...

import { createPrivateKey, generateKeyPairSync, randomBytes, randomUUID } from "node:crypto";
import { createServer } from "node:http";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";

import { plainLines } from "../cli/plain.mjs";
import { answerLogin, loginPage } from "./login-page.mjs";

/**
 * The one scope of the demo's MCP server. Every access token carries it, whatever the client asked
 * for.
 */
export const SCOPE = "mcp:tools";

const HOUR = 3600;
const REGISTRATION_BYTES = 56 * 1024; // as oidc-provider itself
const ROUTES = {
  authorization: "/authorize",
  jwks: "/jwks",
  registration: "/register",
  revocation: "/revoke",
  token: "/token",
  userinfo: "/userinfo",
};
const BROWSER_ENDPOINTS = new Set([ROUTES.jwks, ROUTES.registration, ROUTES.revocation, ROUTES.token, ROUTES.userinfo]);
const RFC8414 = "/.well-known/oauth-authorization-server";
const OPENID = "/.well-known/openid-configuration";

/**
 * Starts the server on 127.0.0.1; resolves to `{ issuer, close }` once it listens. `resource` is
 * the canonical URL. `scopes` are those it grants, the first one always; `clients` (RFC 7591
 * metadata) are registered from the start, and may use client_credentials.
 */
export async function startAuthorizationServer({ port, resource, scopes = [SCOPE], clients = [] }) {
  const { default: Provider, errors } = await import("oidc-provider");
  const issuer = `http://127.0.0.1:${port}`;
  const provider = new Provider(issuer, settings({ resource, scopes, clients }, errors));

  // A grant is one authorization, never a standing session: the next authorization shows the login
  // page again. So no web site can get a token behind the user's back, and logging in under another
  // name needs no log-out.
  provider.use(async (ctx, next) => {
    await next();
    if (ctx.oidc?.entities.AuthorizationCode && ctx.oidc.route === "resume") await ctx.oidc.session.destroy();
  });

  const handle = provider.callback();
  const server = createServer((req, res) => {
    answer(provider, handle, { issuer, resource, scope: scopes[0] }, req, res).catch((error) => {
      const lost = error instanceof errors.SessionNotFound;
      if (!lost) console.error(plainLines(error?.stack ?? error));
      if (!res.headersSent) res.writeHead(lost ? 400 : 500, { "content-type": "text/plain" });
      res.end(lost
        ? "This login is over, or it was begun in another browser. Start again from the client.\n"
        : "The demo's authorization server failed; its output says why.\n");
    });
  });
  await new Promise((resolve, reject) => server.once("error", reject).listen(port, "127.0.0.1", resolve));
  return {
    issuer,
    close: () => new Promise((resolve) => {
      server.close(resolve);
      server.closeAllConnections();
    }),
  };
}

async function answer(provider, handle, { issuer, resource, scope }, req, res) {
  // A page that rebinds its own name to 127.0.0.1 arrives with that name as Host.
  if (`http://${req.headers.host}` !== issuer) {
    res.writeHead(403, { "content-type": "text/plain" }).end(`This server answers only as ${issuer}\n`);
    return;
  }
  const url = new URL(req.url, issuer);
  // oidc-provider 8 serves the document under the OpenID name only; it is the same document.
  if (url.pathname === RFC8414) req.url = OPENID;

  if (url.pathname.startsWith("/.well-known/") || BROWSER_ENDPOINTS.has(url.pathname)) {
    // Browser clients discover, register and redeem from their own origin. No cookie is read here,
    // so `*` gives nothing away.
    res.setHeader("Access-Control-Allow-Origin", "*");
    res.setHeader("Access-Control-Expose-Headers", "WWW-Authenticate");
    if (req.method === "OPTIONS") {
      res.setHeader("Access-Control-Allow-Methods", "GET, POST, OPTIONS");
      res.setHeader("Access-Control-Allow-Headers", req.headers["access-control-request-headers"] ?? "*");
      res.setHeader("Access-Control-Max-Age", "3600");
      res.writeHead(204).end();
      return;
    }
  }
  if (url.pathname === ROUTES.registration && req.method === "POST") return answerRegistration(handle, req, res);
  if (url.pathname === ROUTES.authorization && req.method === "GET") {
    // A client may ask for no scope (RFC 6749 section 3.3); oidc-provider would then refuse to
    // grant nothing.
    const asked = (url.searchParams.get("scope") ?? "").split(" ").filter(Boolean);
    url.searchParams.set("scope", [...new Set([...asked, scope])].join(" "));
    req.url = url.pathname + url.search;
  }
  if (url.pathname.startsWith("/login/")) {
    if (req.method === "GET") return loginPage(provider, resource, req, res);
    if (req.method === "POST") return answerLogin(provider, resource, req, res);
  }
  handle(req, res);
}

/**
 * The Inspector registers with `"scope": ""` where nothing was challenged for, and oidc-provider
 * refuses that.
 */
async function answerRegistration(handle, req, res) {
  const chunks = [];
  let size = 0;
  for await (const chunk of req) {
    size += chunk.length;
    if (size > REGISTRATION_BYTES) return res.writeHead(413).end();
    chunks.push(chunk);
  }
  const body = Buffer.concat(chunks).toString();
  // What oidc-provider reads when the stream is used up.
  req.body = /"scope"\s*:\s*""/.test(body) ? withoutEmptyScope(body) : body;
  handle(req, res);
}

function withoutEmptyScope(body) {
  try {
    const metadata = JSON.parse(body);
    if (metadata.scope === "") delete metadata.scope;
    return JSON.stringify(metadata);
  } catch {
    return body; // oidc-provider says what is wrong with it
  }
}

function settings({ resource, scopes, clients }, errors) {
  return {
    clients,
    jwks: { keys: [signingKey()] },
    cookies: { keys: [randomBytes(32).toString("base64url")] },
    routes: ROUTES,
    scopes: ["openid", "offline_access", ...scopes],
    responseTypes: ["code"],
    pkce: { required: () => true },
    clientBasedCORS: () => true,
    // Loopback redirects may then use any port (RFC 8252 section 7.3).
    clientDefaults: { application_type: "native" },
    extraClientMetadata: {
      properties: ["redirect_uris", "scope"],
      validator(_ctx, name, value, metadata) {
        if (name === "redirect_uris" && Array.isArray(value) && !value.every(safeRedirect)) {
          throw new errors.InvalidRedirectUri("redirect_uris must be https, or http on loopback");
        }
        // A registered list would refuse the scope that every authorization gets here (see answer).
        if (name === "scope") delete metadata.scope;
      },
    },
    interactions: { url: (_ctx, interaction) => `/login/${interaction.uid}` },
    findAccount: (_ctx, name) => ({ accountId: name, claims: () => ({ sub: name }) }),
    loadExistingGrant: (ctx) => {
      const grantId = ctx.oidc.result?.consent?.grantId;
      return grantId && ctx.oidc.provider.Grant.find(grantId);
    },
    issueRefreshToken: (_ctx, client) => client.grantTypeAllowed("refresh_token"),
    expiresWithSession: () => false,
    features: {
      clientCredentials: { enabled: clients.length > 0 },
      devInteractions: { enabled: false },
      pushedAuthorizationRequests: { enabled: false },
      registration: { enabled: true },
      revocation: { enabled: true },
      rpInitiatedLogout: { enabled: false },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => resource,
        useGrantedResource: () => true,
        getResourceServerInfo(_ctx, asked) {
          if (withoutSlash(asked) !== withoutSlash(resource)) {
            throw new errors.InvalidTarget(`this server issues tokens for ${resource} only`);
          }
          return { audience: resource, scope: scopes.join(" "), accessTokenFormat: "jwt", jwt: { sign: { alg: "RS256" } } };
        },
      },
    },
    ttl: {
      AccessToken: HOUR,
      AuthorizationCode: 60,
      Grant: 24 * HOUR,
      IdToken: HOUR,
      Interaction: HOUR,
      RefreshToken: 24 * HOUR,
      Session: HOUR,
    },
  };
}

function signingKey() {
  // By way of PEM: Node 20 can deadlock in the export of a key object that it has just generated
  // itself, when memory is collected meanwhile.
  const { privateKey } = generateKeyPairSync("rsa", {
    modulusLength: 2048,
    privateKeyEncoding: { type: "pkcs8", format: "pem" },
    publicKeyEncoding: { type: "spki", format: "pem" },
  });
  return { ...createPrivateKey(privateKey).export({ format: "jwk" }), kid: randomUUID(), use: "sig", alg: "RS256" };
}

function safeRedirect(value) {
  let url;
  try {
    url = new URL(value);
  } catch {
    return false;
  }
  return url.protocol === "https:" || (url.protocol === "http:" && ["127.0.0.1", "localhost", "[::1]"].includes(url.hostname));
}

const withoutSlash = (url) => (url.endsWith("/") ? url.slice(0, -1) : url);

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const { values } = parseArgs({ options: { port: { type: "string" }, resource: { type: "string" }, scope: { type: "string", multiple: true } } });
  if (!values.port || !values.resource) {
    console.error("usage: node demo/authorization-server.mjs --port PORT --resource URL [--scope SCOPE] ...");
    process.exit(1);
  }
  const scopes = [...new Set([SCOPE, ...(values.scope ?? [])])];
  const { issuer } = await startAuthorizationServer({ port: Number(values.port), resource: values.resource, scopes });
  console.log(`authorization server: ${issuer}, for ${values.resource}`);
}
