"""FastMCP behind mcp-edge-auth: its own JWTVerifier checks the assertion that the Worker sends as the bearer token."""

import os
import sys

from fastmcp import FastMCP
from fastmcp.server.auth.providers.jwt import JWTVerifier
from fastmcp.server.dependencies import get_access_token

# What is empty, JWTVerifier does not check.
ISSUER, AUDIENCE, JWKS_URI = (os.environ[name] or sys.exit(f"{name} is empty") for name in ("ISSUER", "AUDIENCE", "JWKS_URI"))

server = FastMCP(
    "whoami",
    auth=JWTVerifier(
        jwks_uri=JWKS_URI,
        issuer=ISSUER,
        audience=AUDIENCE,
        algorithm=os.environ.get("ALGORITHM", "ES256"),
    ),
)


@server.tool
def whoami() -> dict:
    """Who is calling, as the assertion says."""
    claims = get_access_token().claims
    return {name: claims.get(name) for name in ("sub", "idp", "client_id", "scope")}


if __name__ == "__main__":
    server.run(transport="http", host="127.0.0.1", port=int(os.environ["PORT"]), path="/mcp")
