"""Asking the person, as every Python client plays it: an agent deletes a token
that it did not make, and somebody says yes, no, or nothing that counts.
confirm.mjs tells the same for Node.

`connect(server, errlog, person)` is as in the story; `person` answers the message
of an elicitation with an action and a content, and is None where the client
cannot ask.
"""

import json
import re
import subprocess
import tempfile


async def confirming(check, connect, door):
    binary, store = door.binary, door.store
    server = door.local()
    errlog = tempfile.TemporaryFile("w+")

    def make(label):
        args = ["token", "create", label, "--to", "stdout", "--json", "--store", store]
        return json.loads(
            subprocess.run([binary, *args], input="", capture_output=True, text=True, timeout=20).stdout
        )

    def digits(message):
        return re.search(r"begins with kw_pat_(\w{4})", message).group(1)

    people = [
        ("types the digits", lambda m: ("accept", {"confirmation": digits(m)}), ""),
        (
            "types something else",
            lambda m: ("accept", {"confirmation": "0000"}),
            "forbidden: what was typed is not what confirms it.",
        ),
        ("accepts an empty form", lambda m: ("accept", {}), "forbidden: "),
        ("declines", lambda m: ("decline", None), "forbidden: the person said no."),
        ("closes the question", lambda m: ("cancel", None), "forbidden: the person did not answer."),
    ]
    for does, says, refusal in people:
        token = make(f"asked of a person who {does}")
        asked = []

        def person(message):
            asked.append(message)
            return says(message)

        async with connect(server, errlog, person) as session:
            answer = await session.call_tool("delete_token", {"id": token["id"]})
            record = await session.call_tool("get_token", {"id": token["id"]})
        state = record["structuredContent"]["state"]
        text = answer["content"][0]["text"]
        is_error = answer.get("isError", False)
        right = is_error and text.startswith(refusal) if refusal else not is_error
        check(f"a person who {does} is asked once", len(asked) == 1, asked)
        check(f"whoever {does} has {'nothing' if refusal else 'the token'} deleted", right, text)
        wanted = "active" if refusal else "revoked"
        check(f"the token is {'still good' if refusal else wanted}", state == wanted, state)
        check("no value is in the question", token["token"][11:] not in json.dumps(asked))

    token = make("nobody can be asked")
    async with connect(server, errlog) as session:
        answer = await session.call_tool("delete_token", {"id": token["id"]})
    check("a client that cannot ask goes ahead", not answer.get("isError", False), answer)
