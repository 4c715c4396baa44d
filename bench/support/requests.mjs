// What is asked of the sides: a tools/call as an MCP client sends it.
import { requestBytes } from "./load.mjs";
import { PATH } from "./stage.mjs";

const TOKENS = 32; // different ones, in turn: no two requests in a row are the same

export const HEADERS = {
  "content-type": "application/json",
  accept: "application/json, text/event-stream",
  "mcp-protocol-version": "2025-11-25",
};

/** What the 2026-07-28 revision adds to HEADERS and to a call's params. */
export const MODERN_HEADERS = { ...HEADERS, "mcp-protocol-version": "2026-07-28", "mcp-method": "tools/call", "mcp-name": "echo" };
export const MODERN_PARAMS = {
  _meta: {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientInfo": { name: "bench", version: "1.0.0" },
    "io.modelcontextprotocol/clientCapabilities": {},
  },
};

/** A tools/call of exactly so many bytes; `params` are more of them. */
export function callOf(bytes, params = {}) {
  const call = (text) => JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/call", params: { name: "echo", arguments: { text }, ...params } });
  return call("x".repeat(bytes - call("").length));
}

export const BODY = callOf(1024);

export const LIST = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/list" });

export const bearer = (token) => (token === undefined ? {} : { authorization: `Bearer ${token}` });

/**
 * tools/call with each of the tokens that `token(i)` makes; path, headers and body may be a side's
 * own.
 */
export function calls(token, { path = PATH, body = BODY, headers = HEADERS, count = TOKENS } = {}) {
  return Array.from({ length: count }, (_, i) => requestBytes({ path, headers: { ...headers, ...bearer(token(i)) }, body }));
}

export const gets = (path) => [requestBytes({ method: "GET", path, headers: { accept: "application/json" } })];
