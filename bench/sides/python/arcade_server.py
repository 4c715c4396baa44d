"""Arcade's MCP server behind its own ResourceServerAuth, with one tool. argv[1]: the settings as JSON."""

import json
import sys
from typing import Annotated

import uvicorn
from arcade_core.catalog import ToolCatalog
from arcade_mcp_server.decorators import tool
from arcade_mcp_server.resource_server.base import AuthorizationServerEntry
from arcade_mcp_server.resource_server.validators.auth import ResourceServerAuth
from arcade_mcp_server.settings import MCPSettings
from arcade_mcp_server.worker import create_arcade_mcp
from loguru import logger

settings = json.loads(sys.argv[1])
logger.remove()
logger.add(sys.stderr, level="WARNING")


@tool(name="echo")
def echo(text: Annotated[str, "What to give back"]) -> Annotated[str, "The same"]:
    """Gives the text back."""
    return text


class SessionPerConnection:
    """What each client does for itself: initialize, then carry the session's id.

    Arcade's transport files the requests of one session under their JSON-RPC ids, and two of one id at the same time would wait for
    ever; the load sends one body over all of its connections. So each connection gets a session of its own, at its first request.
    """

    def __init__(self, app):
        self.app = app
        self.sessions = {}

    async def __call__(self, scope, receive, send):
        if scope["type"] == "http":
            client = scope["client"]
            session = self.sessions.get(client) or await self.initialise(client)
            scope["headers"].append((b"mcp-session-id", session))
        await self.app(scope, receive, send)

    async def initialise(self, client):
        info = {"name": "bench", "version": "1.0.0"}
        params = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": info}
        headers = await self.post([], {"id": 1, "method": "initialize", "params": params})
        session = self.sessions[client] = headers[b"mcp-session-id"]
        await self.post([(b"mcp-session-id", session)], {"method": "notifications/initialized"})
        return session

    async def post(self, headers, message):
        """Past the authentication: there is no token at hand, and this is not what is measured."""
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        headers = [(b"content-type", b"application/json"), (b"accept", b"application/json, text/event-stream"), *headers]
        scope = {"type": "http", "method": "POST", "path": "/mcp/", "query_string": b"", "headers": headers}
        answer = {}

        async def receive():
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message):
            answer.update(message.get("headers", []))

        await app.state.session_manager.handle_request(scope, receive, send)
        return answer


catalog = ToolCatalog()
catalog.add_tool(echo, "bench")
entry = AuthorizationServerEntry(
    authorization_server_url=settings["issuer"],
    issuer=settings["issuer"],
    jwks_uri=settings["jwks_uri"],
    algorithm=settings["algorithm"],
    expected_audiences=[settings["audience"]],
)
auth = ResourceServerAuth(authorization_servers=[entry], canonical_url=settings["canonical_url"])
app = create_arcade_mcp(catalog, MCPSettings(), resource_server_validator=auth)

if __name__ == "__main__":
    uvicorn.run(SessionPerConnection(app), host="127.0.0.1", port=settings["port"], log_level="warning", access_log=False)
