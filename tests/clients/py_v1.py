"""The Python SDK of the first line, as most scripts still have it:
python py_v1.py BINARY STORE [http]
"""

import asyncio
import sys
from contextlib import asynccontextmanager

from mcp import ClientSession, McpError, StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp.client.streamable_http import streamablehttp_client
from mcp.types import ElicitResult, ResourceTemplateReference
from pydantic import AnyUrl
from story import ProtocolError, tell


class Session:
    def __init__(self, client, version, heard):
        self.client = client
        self.version = version
        self.heard = heard

    async def list_tools(self):
        return as_wire(await self.client.list_tools())["tools"]

    async def call_tool(self, name, arguments):
        try:
            return as_wire(await self.client.call_tool(name, arguments))
        except McpError as error:
            raise ProtocolError(error.error.code, error.error.message) from error

    async def ask(self, method, *arguments):
        if method == "read_resource":
            arguments = [AnyUrl(arguments[0])]
        return as_wire(await getattr(self.client, method)(*arguments))

    async def complete(self, template, argument):
        ref = ResourceTemplateReference(type="ref/resource", uri=template)
        return as_wire(await self.client.complete(ref, argument))

    @asynccontextmanager
    async def watch(self, uri):
        await self.client.subscribe_resource(AnyUrl(uri))
        yield self.heard.get


def as_wire(model):
    return model.model_dump(mode="json", by_alias=True, exclude_unset=True)


@asynccontextmanager
async def transport(server, errlog):
    if "url" in server:
        headers = {"Authorization": f"Bearer {server['token']}"}
        async with streamablehttp_client(server["url"], headers=headers) as (read, write, _):
            yield read, write
    else:
        async with stdio_client(StdioServerParameters(**server), errlog) as (read, write):
            yield read, write


@asynccontextmanager
async def connect(server, errlog, person=None):
    async def asked(_, params):
        action, content = person(params.message)
        return ElicitResult(action=action, content=content)

    heard = asyncio.Queue()

    async def hear(message):
        notice = getattr(message, "root", None)
        if getattr(notice, "method", None) == "notifications/resources/updated":
            heard.put_nowait(str(notice.params.uri))

    async with transport(server, errlog) as (read, write):
        async with ClientSession(
            read, write, elicitation_callback=person and asked, message_handler=hear
        ) as client:
            agreed = await client.initialize()
            yield Session(client, agreed.protocolVersion, heard)


if __name__ == "__main__":
    binary, store, *http = sys.argv[1:]
    tell("py v1", connect, binary, store, "2025-11-25", http)
