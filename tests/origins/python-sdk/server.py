"""The Python SDK's server behind mcp-edge-auth: its bearer middleware, and PyJWT to check the Worker's assertion."""

import os
import sys

import anyio
import jwt
from mcp.server import MCPServer
from mcp.server.auth.middleware.auth_context import get_access_token
from mcp.server.auth.provider import AccessToken, TokenVerifier
from mcp.server.auth.settings import AuthSettings
from mcp.server.transport_security import TransportSecuritySettings

ISSUER, AUDIENCE, JWKS_URI = (os.environ[name] or sys.exit(f"{name} is empty") for name in ("ISSUER", "AUDIENCE", "JWKS_URI"))
ALGORITHM = os.environ.get("ALGORITHM", "ES256")
keys = jwt.PyJWKClient(JWKS_URI)


class AssertionVerifier(TokenVerifier):
    async def verify_token(self, token: str) -> AccessToken | None:
        try:
            key = await anyio.to_thread.run_sync(keys.get_signing_key_from_jwt, token)  # fetches with urllib, which would block
            claims = jwt.decode(
                token,
                key,
                algorithms=[ALGORITHM],
                issuer=ISSUER,
                audience=AUDIENCE,
                leeway=5,  # for the two clocks: `iat` may be a little ahead
                options={"require": ["exp", "iss", "aud", "sub"]},
            )
        except jwt.PyJWTError:
            return None
        return AccessToken(
            token=token,
            client_id=claims.get("client_id", "unknown"),
            scopes=claims.get("scope", "").split(),
            expires_at=claims["exp"],
            subject=claims["sub"],
            claims=claims,
        )


server = MCPServer(
    "whoami",
    token_verifier=AssertionVerifier(),
    # No resource_server_url: clients find the authorization server through the Worker.
    auth=AuthSettings(issuer_url=ISSUER, resource_server_url=None),
)


@server.tool()
def whoami() -> dict:
    """Who is calling, as the assertion says."""
    claims = get_access_token().claims
    return {name: claims.get(name) for name in ("sub", "idp", "client_id", "scope")}


if __name__ == "__main__":
    server.run(
        transport="streamable-http",
        host="127.0.0.1",
        port=int(os.environ["PORT"]),
        streamable_http_path="/mcp",
        # On a loopback address it would take loopback hosts and pages only. The Worker has judged `Origin`, and no page has an assertion.
        transport_security=TransportSecuritySettings(enable_dns_rebinding_protection=False),
    )
