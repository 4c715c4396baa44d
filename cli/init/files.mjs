// The files that `init` writes.

import { COMPATIBILITY_DATE } from "../place.mjs";

const PACKAGE = "node_modules/mcp-edge-auth";
const SCHEMA = `${PACKAGE}/docs/settings.schema.json`;
const MAIN = `${PACKAGE}/worker/entry.mjs`;

/** What wrangler makes of the file, as far as it matters: for a check before it is written. */
export const settingsOf = (vars) => ({ vars, kv_namespaces: [{ binding: "JWKS_CACHE" }], compatibility_date: COMPATIBILITY_DATE });

/** wrangler.jsonc with these variables: { name, host, vars }, where the host may be none. */
export function jsonc({ name, host, vars }) {
  const { MCP_SERVER_AUTH_CANONICAL_URL: canonical, ORIGIN_URL: origin, MCP_SERVER_AUTH_AUTHORIZATION_SERVERS: servers } = vars;
  const text = JSON.stringify;
  return `{
  // \`npx mcp-edge-auth check\` finds the faults, \`npx mcp-edge-auth deploy\` deploys.
  // Editors complete and explain what is in "vars" by this schema.
  "$schema": ${text(`./${SCHEMA}`)},
  "name": ${text(name)},
  // The package has the Worker built: there is no build step.
  "main": ${text(MAIN)},
  "compatibility_date": ${text(COMPATIBILITY_DATE)},

  // One door: ${DOORS[host ? "domain" : "none"]}
${host ? `  "routes": [{ "pattern": ${text(host)}, "custom_domain": true }],\n` : ""}  "preview_urls": false,

  // Key sets, shared by every isolate. Without an id, wrangler makes the namespace at the first
  // deploy.
  "kv_namespaces": [{ "binding": "JWKS_CACHE" }],

  // Each line of the log has the version that wrote it.
  "version_metadata": { "binding": "VERSION" },

  // The log, and traces: how long each call to your server, to KV and to the issuer took.
  "observability": { "enabled": true, "traces": { "enabled": true } },

  // Secrets do not belong here: .dev.vars.example names them.
  "vars": {
    // The public URL of the MCP server, as clients are given it.
    "MCP_SERVER_AUTH_CANONICAL_URL": ${text(canonical)},
    // Where the MCP server really is.
    "ORIGIN_URL": ${text(origin)},
    // The scopes that a login asks for. Without it, clients ask for every one that there is.
    // "MCP_SERVER_AUTH_DEFAULT_CHALLENGE_SCOPES": "mcp:use",
    // Whose tokens are accepted.
    "MCP_SERVER_AUTH_AUTHORIZATION_SERVERS": [
${servers.map((entry) => `      { ${Object.entries(entry).map(([field, value]) => `${text(field)}: ${inline(value)}`).join(", ")} }`).join(",\n")}
    ]
  }
}
`;
}

/** wrangler.toml with the same. */
export function toml({ name, host, vars }) {
  const { MCP_SERVER_AUTH_CANONICAL_URL: canonical, ORIGIN_URL: origin, MCP_SERVER_AUTH_AUTHORIZATION_SERVERS: servers } = vars;
  const text = tomlText;
  return `#:schema ./${SCHEMA}
# \`npx mcp-edge-auth check\` finds the faults, \`npx mcp-edge-auth deploy\` deploys.
# Editors complete and explain what is in [vars] by this schema.
name = ${text(name)}
# The package has the Worker built: there is no build step.
main = ${text(MAIN)}
compatibility_date = ${text(COMPATIBILITY_DATE)}

# One door: ${DOORS[host ? "domain" : "none"]}
${host ? `routes = [{ pattern = ${text(host)}, custom_domain = true }]\n` : ""}preview_urls = false

# Key sets, shared by every isolate. Without an id, wrangler makes the namespace at the first
# deploy.
[[kv_namespaces]]
binding = "JWKS_CACHE"

# Each line of the log has the version that wrote it.
[version_metadata]
binding = "VERSION"

# The log, and traces: how long each call to your server, to KV and to the issuer took.
[observability]
enabled = true

[observability.traces]
enabled = true

# Secrets do not belong here: .dev.vars.example names them.
[vars]
# The public URL of the MCP server, as clients are given it.
MCP_SERVER_AUTH_CANONICAL_URL = ${text(canonical)}
# Where the MCP server really is.
ORIGIN_URL = ${text(origin)}
# The scopes that a login asks for. Without it, clients ask for every one that there is.
# MCP_SERVER_AUTH_DEFAULT_CHALLENGE_SCOPES = "mcp:use"

# Whose tokens are accepted.
${servers.map((entry) => `[[vars.MCP_SERVER_AUTH_AUTHORIZATION_SERVERS]]\n${Object.entries(entry).map(([field, value]) => `${field} = ${tomlValue(value)}\n`).join("")}`).join("\n")}`;
}

const DOORS = {
  domain: "this domain, in a zone of your account. The workers.dev address goes away.",
  none: "no preview addresses beside it.",
};

/** Arrays with blanks, as one writes them. */
const inline = (value) => (Array.isArray(value) ? `[${value.map((item) => JSON.stringify(item)).join(", ")}]` : JSON.stringify(value));

const tomlValue = (value) => (Array.isArray(value) ? `[${value.map(tomlText).join(", ")}]` : tomlText(value));

/** A basic string. JSON escapes as TOML does, but for DEL, which TOML wants escaped, too. */
const tomlText = (text) => JSON.stringify(text).replaceAll("\u007f", "\\u007f");
