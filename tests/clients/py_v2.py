"""The Python SDK of the second line, which speaks both eras:
python py_v2.py BINARY STORE legacy|auto|2026-07-28 [http]
"""

import asyncio
import sys
from contextlib import asynccontextmanager

from mcp import Client, MCPError, StdioServerParameters
from httpx2 import AsyncClient
from mcp.client.stdio import stdio_client
from mcp.client.streamable_http import streamable_http_client
from mcp.types import ElicitResult, ResourceTemplateReference
from story import ProtocolError, tell


class Session:
    def __init__(self, client, heard):
        self.client = client
        self.heard = heard
        self.version = client.protocol_version

    async def list_tools(self):
        return as_wire(await self.client.list_tools(cache_mode="bypass"))["tools"]

    async def call_tool(self, name, arguments):
        try:
            return as_wire(await self.client.call_tool(name, arguments))
        except MCPError as error:
            raise ProtocolError(error.code, error.message) from error

    async def ask(self, method, *arguments):
        return as_wire(await getattr(self.client, method)(*arguments))

    async def complete(self, template, argument):
        ref = ResourceTemplateReference(type="ref/resource", uri=template)
        return as_wire(await self.client.complete(ref, argument))

    @asynccontextmanager
    async def watch(self, uri):
        if self.version < "2026-07-28":
            await self.client.subscribe_resource(uri)
            yield self.heard.get
            return
        async with self.client.listen(resource_subscriptions=[uri]) as events:

            async def news():
                return (await anext(aiter(events))).uri

            yield news


def as_wire(model):
    return model.model_dump(mode="json", by_alias=True, exclude_unset=True)


@asynccontextmanager
async def connect(server, errlog, person=None):
    async def asked(_, params):
        action, content = person(params.message)
        return ElicitResult(action=action, content=content)

    heard = asyncio.Queue()

    async def hear(message):
        notice = getattr(message, "root", message)
        if getattr(notice, "method", None) == "notifications/resources/updated":
            heard.put_nowait(str(notice.params.uri))

    if "url" in server:
        headers = {"Authorization": f"Bearer {server['token']}"}
        transport = streamable_http_client(server["url"], http_client=AsyncClient(headers=headers))
    else:
        transport = stdio_client(StdioServerParameters(**server), errlog)
    async with Client(
        transport, mode=mode, elicitation_callback=person and asked, message_handler=hear
    ) as client:
        yield Session(client, heard)


if __name__ == "__main__":
    binary, store, mode, *http = sys.argv[1:]
    version = "2025-11-25" if mode == "legacy" else "2026-07-28"
    tell(f"py v2 {mode}", connect, binary, store, version, http)
