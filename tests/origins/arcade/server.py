"""Arcade's MCP server behind mcp-edge-auth: its JWKSTokenValidator checks the assertion that the Worker sends as the bearer token."""

import os
import sys

from arcade_mcp_server import Context, MCPApp
from arcade_mcp_server.resource_server import AccessTokenValidationOptions, JWKSTokenValidator

ISSUER, AUDIENCE, JWKS_URI = (os.environ[name] or sys.exit(f"{name} is empty") for name in ("ISSUER", "AUDIENCE", "JWKS_URI"))

app = MCPApp(
    name="whoami",
    auth=JWKSTokenValidator(
        jwks_uri=JWKS_URI,
        issuer=ISSUER,
        audience=AUDIENCE,
        algorithm=os.environ.get("ALGORITHM", "ES256"),
        cache_ttl=300,  # a new key is not seen before
        validation_options=AccessTokenValidationOptions(leeway=5),  # for the two clocks: `iat` may be a little ahead
    ),
    allowed_origins=["*"],  # the Worker has judged `Origin` already; the default refuses every browser
)


@app.tool
def whoami(context: Context) -> dict:
    """Who is calling, as the assertion says."""
    return {"sub": context.user_id}


if __name__ == "__main__":
    app.run(transport="http", host="127.0.0.1", port=int(os.environ["PORT"]))
