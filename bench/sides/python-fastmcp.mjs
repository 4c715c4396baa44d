// FastMCP with its own JWTVerifier, stateless, so that no session is needed.
import { pythonSide } from "./python/side.mjs";

export const side = pythonSide({ name: "fastmcp", requirements: "requirements-fastmcp.txt", server: "fastmcp_server.py", tool: "echo" });
