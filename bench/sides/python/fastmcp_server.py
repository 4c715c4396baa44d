"""FastMCP behind its own JWTVerifier, with one tool. argv[1]: the settings as JSON."""

import json
import sys

import uvicorn
from fastmcp import FastMCP
from fastmcp.server.auth.providers.jwt import JWTVerifier

settings = json.loads(sys.argv[1])
verifier = JWTVerifier(
    jwks_uri=settings["jwks_uri"],
    issuer=settings["issuer"],
    audience=settings["audience"],
    algorithm=settings["algorithm"],
)
server = FastMCP("bench", auth=verifier)


@server.tool
def echo(text: str) -> str:
    """Gives the text back."""
    return text


if __name__ == "__main__":
    app = server.http_app(path="/mcp", stateless_http=True, json_response=True)
    uvicorn.run(app, host="127.0.0.1", port=settings["port"], log_level="warning", access_log=False)
