"""The Python SDK of the first line, as most scripts still have it:
python py_v1.py BINARY STORE
"""

import sys
from contextlib import asynccontextmanager

from mcp import ClientSession, McpError, StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp.types import ElicitResult
from story import ProtocolError, tell


class Session:
    def __init__(self, client, version):
        self.client = client
        self.version = version

    async def list_tools(self):
        return as_wire(await self.client.list_tools())["tools"]

    async def call_tool(self, name, arguments):
        try:
            return as_wire(await self.client.call_tool(name, arguments))
        except McpError as error:
            raise ProtocolError(error.error.code, error.error.message) from error


def as_wire(model):
    return model.model_dump(mode="json", by_alias=True, exclude_unset=True)


@asynccontextmanager
async def connect(server, errlog, person=None):
    async def asked(_, params):
        action, content = person(params.message)
        return ElicitResult(action=action, content=content)

    async with stdio_client(StdioServerParameters(**server), errlog) as (read, write):
        async with ClientSession(read, write, elicitation_callback=person and asked) as client:
            agreed = await client.initialize()
            yield Session(client, agreed.protocolVersion)


if __name__ == "__main__":
    binary, store = sys.argv[1:]
    tell("py v1", connect, binary, store, "2025-11-25")
