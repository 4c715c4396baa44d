// The demo's origin: the MCP project's own @modelcontextprotocol/server-everything over streamable
// HTTP, path /mcp.
//
// It promises to listen on 127.0.0.1 only. The package itself listens on every interface, and
// behind a gateway that would be a way around it: anyone on the network could call its tools
// without a token.
//
// PORT=8789 node demo/origin.mjs

import { Server } from "node:net";

const listen = Server.prototype.listen;
Server.prototype.listen = function (port, ...rest) {
  return listen.call(this, Number(port), "127.0.0.1", ...rest);
};

process.argv[2] = "streamableHttp";
await import("@modelcontextprotocol/server-everything/dist/index.js");
