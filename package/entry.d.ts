// The built Worker: `main` of a wrangler configuration, or, for a Worker of your own that does
// more, `import auth from "mcp-edge-auth"`. `Request` and `Response` are those that `wrangler
// types` writes.

/** Answers a request: refuses it, or forwards it to the MCP server. */
declare const worker: {
  fetch(request: Request, env: object, context: { waitUntil(promise: Promise<unknown>): void }): Promise<Response>;
};
export default worker;
