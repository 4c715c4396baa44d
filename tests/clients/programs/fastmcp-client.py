# FastMCP's client with its OAuth as it is: it opens a browser, which is whatever BROWSER names, and
# listens for its return itself. See ../support/flow.mjs for what is printed, and for CALL and
# OAUTH.
import asyncio
import json
import os
import sys

from fastmcp import Client
from fastmcp.client.auth import OAuth


async def main(url):
    async with Client(url, auth=OAuth(**json.loads(os.environ["OAUTH"]))) as client:
        tools = await client.list_tools()
        result = await client.call_tool(**json.loads(os.environ["CALL"]))
        shown = {"tools": [tool.name for tool in tools], "result": {"content": [part.model_dump(mode="json") for part in result.content]}}
        print(f"done {json.dumps(shown)}", flush=True)


asyncio.run(main(sys.argv[1]))
