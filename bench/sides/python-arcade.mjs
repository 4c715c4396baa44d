// Arcade's Python MCP server with its own ResourceServerAuth: what the Worker takes the checking
// off.
import { pythonSide } from "./python/side.mjs";

export const side = pythonSide({ name: "arcade", requirements: "requirements-arcade.txt", server: "arcade_server.py", tool: "Bench_Echo" });
