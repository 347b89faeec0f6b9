"""Resources, prompts and completion, as every Python client plays them, and news of
a token that another process ends. watch.mjs tells the same for Node.

A session brings `ask(method, ...)`, which answers as the wire does, and
`watch(uri)`: an asynchronous context manager that gives a function which waits for
the URI of the next resource that has changed.
"""

import asyncio
import json
import subprocess
import tempfile
from time import monotonic

TEMPLATE = "keywright://tokens/{id}"
RECENT = "keywright://audit/recent"


async def watching(check, connect, door):
    binary, store = door.binary, door.store

    def shell(*args):
        args = [binary, *args, "--store", store]
        return subprocess.run(args, input="", capture_output=True, text=True, timeout=20)

    label = "watched by a client"
    token = json.loads(shell("token", "create", label, "--to", "stdout", "--json").stdout)
    uri = TEMPLATE.replace("{id}", token["id"])
    scopes = "read:tokens write:tokens read:audit"
    errlog = tempfile.TemporaryFile("w+")

    async with connect(door.local(scopes), errlog) as session:
        resources = (await session.ask("list_resources"))["resources"]
        uris = [resource["uri"] for resource in resources]
        check("the list has the token and the recent records", {uri, RECENT} <= {*uris}, uris)
        check("no name in it is a label", label not in json.dumps(resources), resources)

        read = json.loads((await session.ask("read_resource", uri))["contents"][0]["text"])
        told = (await session.call_tool("get_token", {"id": token["id"]}))["structuredContent"]
        check("a token reads as its tool answers", read == told, read)
        recent = json.loads((await session.ask("read_resource", RECENT))["contents"][0]["text"])
        targets = [record["target"] for record in recent["records"]]
        check("the recent records tell of it", f"token:{token['id']}" in targets, targets)

        prompts = (await session.ask("list_prompts"))["prompts"]
        names = [prompt["name"] for prompt in prompts]
        check("there are two prompts", names == ["review_tokens", "connect_service"], names)
        filled = {"service": "nightly backup", "expires": "30d"}
        filled = await session.ask("get_prompt", "connect_service", filled)
        text = filled["messages"][0]["content"]["text"]
        check("a prompt is filled in", '"service": "nightly backup"' in text, text)

        found = await session.complete(TEMPLATE, {"name": "id", "value": "WATCHED"})
        found = found["completion"]
        check("an id is found by a label", found["values"] == [token["id"]], found)

        async with session.watch(uri) as news:
            ended = await asyncio.to_thread(shell, "token", "revoke", token["id"])
            heard = await asyncio.wait_for(news(), 10)
            heard_of = ended.returncode == 0 and heard == uri
            check("the end of the token, by another process, is heard of", heard_of, heard)
            start = monotonic()
    took = monotonic() - start
    check("closing a session that waits for news takes less than a second", took < 1, f"{took} s")
