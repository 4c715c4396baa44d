"""What the Python SDK's client reads in challenges: [[status, line], ...] on standard input."""

import json
import sys

from httpx2 import Response
from mcp.client.auth import utils

read = []
for status, line in json.load(sys.stdin):
    response = Response(status, headers={"WWW-Authenticate": line})
    read.append(
        {
            "resource_metadata": utils.extract_resource_metadata_from_www_auth(response),
            "scope": utils.extract_scope_from_www_auth(response),
            "error": utils.extract_field_from_www_auth(response, "error"),
        }
    )
print(json.dumps(read))
