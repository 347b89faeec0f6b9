"""The story that every Python client plays against a real `keywright mcp` or
`keywright serve`, and the checks it makes on the way. story.mjs tells the same
one for Node.

A client brings `connect(server, errlog)`, where `server` is what a door gives (see
doors.py): an asynchronous context manager that gives an object with `version`,
`list_tools()` and `call_tool(name, arguments)`. All three answer as the wire does,
in plain dictionaries with the wire's names; a protocol error is raised as
`ProtocolError`.
"""

import asyncio
import json
import re
import subprocess
import sys
import tempfile
import traceback
from contextlib import asynccontextmanager
from datetime import datetime, timezone
from time import monotonic

from anyio._backends import _asyncio
from confirm import confirming
from doors import Http, Stdio
from watch import watching

TOOLS = [
    "create_token",
    "delete_token",
    "get_token",
    "list_app_envs",
    "list_audit_records",
    "list_tokens",
    "reveal_app_env_token",
    "reveal_user_token",
    "rotate_token",
    "update_token",
    "whoami",
]
HINTS = ["readOnlyHint", "destructiveHint", "idempotentHint", "openWorldHint"]
WITH_SECRETS = "read:tokens write:tokens delete:tokens read:envs read:secrets"


class ProtocolError(Exception):
    """An answer that is an error of the protocol, not of the tool."""

    def __init__(self, code, message):
        super().__init__(f"{code}: {message}")
        self.code = code


class Checks:
    """Prints a line for each check and remembers whether one was bad."""

    def __init__(self, name):
        self.name = name
        self.failed = 0

    def __call__(self, sentence, good, seen=None):
        print(f"{'ok' if good else 'not ok'} - {self.name}: {sentence}", flush=True)
        if not good:
            self.failed += 1
        if not good and seen is not None:
            print(f"    seen: {redacted(seen)}", flush=True)


def tell(name, connect, binary, store, version, http=False):
    """Plays the story and ends the process: with 0 only if every check was good."""
    check = Checks(f"{name} http" if http else name)
    try:
        door = (Http if http else Stdio)(binary, store)
        asyncio.run(story(check, connect, door, version))
        asyncio.run(confirming(check, connect, door))
        asyncio.run(watching(check, connect, door))
    except BaseException:
        check("the story is played to its end", False, traceback.format_exc()[-2000:])
    sys.exit(1 if check.failed else 0)


async def story(check, connect, door, version):
    """The story itself. `version` is the protocol revision that must be agreed on."""
    binary, store = door.binary, door.store
    received = tap()
    errlog = tempfile.TemporaryFile("w+")
    odd = []

    def shell(*args):
        return subprocess.run([binary, *args], input="", capture_output=True, text=True, timeout=20)

    @asynccontextmanager
    async def session(who, server):
        async with connect(server, errlog) as client:
            yield Watched(client, odd)
            start = monotonic()
        took = monotonic() - start
        check(f"closing the {who} session takes less than a second", took < 1, f"{took} s")

    async with session("first", door.local()) as agent:
        check(f"speaks {version}", agent.version == version, agent.version)

        tools = await agent.list_tools()
        check("lists exactly the eleven tools", names(tools) == TOOLS, names(tools))
        check("every tool is fully described", not incomplete(tools), incomplete(tools))

        me = await agent.call("whoami")
        check(
            "whoami answers for the local user, who holds no read:secrets",
            me.get("user") and me.get("account")
            and (me.get("current_token", 0) is not None) == door.is_http
            and "read:secrets" not in me["scopes"],
            me,
        )

        # A token is made, and a person picks its value up at the shell.
        label = f"story of {version}"
        made = await agent.call("create_token", label=label, scopes=["notes:read"])
        check(
            "create_token answers with an unclaimed token and no value",
            made.get("id") and made["state"] == "unclaimed" and made["scopes"] == ["notes:read"]
            and "token" not in made,
            made,
        )
        check("the claim has a code, a command and ten minutes", is_claim(made.get("claim")), made)

        claim = shell("claim", made["claim"]["code"], "--store", store, "--to", "stdout")
        value = claim.stdout.rstrip()
        well_formed = re.fullmatch(r"kw_pat_[0-9A-Za-z]{49}", value)
        check("the person claims a well-formed value", well_formed, claim)

        tokens = (await agent.call("list_tokens")).get("tokens", [])
        listed = next((token for token in tokens if token["id"] == made["id"]), {})
        check(
            "list_tokens shows it active and without a value",
            listed.get("state") == "active" and listed["label"] == label and "token" not in listed,
            tokens,
        )

        rotated = await agent.call("rotate_token", id=made["id"], deliver="claim")
        check(
            "rotate_token keeps the id and answers with a claim",
            rotated.get("id") == made["id"] and is_claim(rotated.get("claim"))
            and "token" not in rotated,
            rotated,
        )

        # What needs `read:secrets` is refused without it, and says who can mend it.
        inline = await agent.call("create_token", label="inline", deliver="inline")
        refused = is_refused_for("read:secrets", inline)
        check("an inline value is refused without read:secrets", refused, inline)

        done = shell("cli-token", "set", "--store", store)
        check("the person sets a CLI token", done.returncode == 0, done)

        hidden = await agent.call("reveal_user_token")
        refused = is_refused_for("read:secrets", hidden)
        check("a reveal is refused without read:secrets", refused, hidden)

        async with session("trusted", door.local(WITH_SECRETS)) as trusted:
            shown = await trusted.call("create_token", label="inline", deliver="inline")
            check(
                "with read:secrets an inline value is in the answer",
                re.fullmatch(r"kw_pat_[0-9A-Za-z]{49}", shown.get("token", ""))
                and shown["state"] == "active" and "claim" not in shown,
                shown,
            )

            revealed = await trusted.call("reveal_user_token")
            check(
                "with read:secrets the CLI token is revealed",
                re.fullmatch(r"kw_cli_[0-9A-Za-z]{49}", revealed.get("token", ""))
                and revealed["username"] and revealed["generated_at"],
                revealed,
            )

        # A process that lives on the claimed value loses its rights, not its life.
        async with over_with_its_token(check, door), session("holder's", door.holding(value)) as holder:
            before = await holder.call("whoami")
            known = (before.get("current_token") or {}).get("id") == made["id"]
            check("the holder of the value is known by it", known, before)

            gone = await agent.call("delete_token", id=made["id"])
            check(
                "delete_token revokes exactly this one",
                gone.get("id") == made["id"] and instant(gone["revoked_at"])
                and gone["revoked_count"] == 1,
                gone,
            )

            again = await agent.call("delete_token", id=made["id"])
            check("deleting it again succeeds", again.get("id") == made["id"], again)

            after = await holder.call("whoami")
            refused = after.get("refusal", "").startswith("unauthenticated: ")
            check("the holder is refused at once", refused, after)

            if door.is_http:
                try:
                    still = await holder.list_tools()
                except Exception as error:
                    still = refusal(error)
                refused = (still or "").startswith("unauthenticated: ")
                check("the holder gets no list of tools any more", refused, still)
            else:
                still = names(await holder.list_tools())
                check("the holder still gets the list of tools", still == TOOLS, still)

        # Mistakes are answered in the form that lets a model mend them.
        try:
            code = await agent.call("no_such_tool")
        except ProtocolError as error:
            code = error.code
        check("an unknown tool is the protocol error -32602", code == -32602, code)

        kept = len((await agent.call("list_tokens", limit=200))["tokens"])
        for mistake, arguments in [
            ("an unknown argument", {"label": "mistake", "labels": "mistake"}),
            ("a missing argument", {"scopes": ["notes:read"]}),
            ("a mistyped argument", {"label": 7}),
        ]:
            answer = await agent.call("create_token", **arguments)
            refused = answer.get("refusal", "").startswith("invalid_argument: ")
            check(f"{mistake} is refused", refused, answer)
        now = len((await agent.call("list_tokens", limit=200))["tokens"])
        check("no mistake made a token", 0 < kept == now, (kept, now))

    check("answers are the same as text, and refusals are nothing but text", not odd, odd)

    errlog.seek(0)
    text = "\n".join([*(bytes(stream).decode("latin-1") for stream in received.values()), errlog.read()])
    check("all that the clients received was read along", "reveal_user_token" in text)
    check("no part of the claimed value was in it", value and not has_part(text, value))


@asynccontextmanager
async def over_with_its_token(check, door):
    """The first line of the SDK ends a session over HTTP, whole, with its first 401."""
    try:
        yield
    except Exception:
        if not door.is_http or "401 Unauthorized" not in traceback.format_exc():
            raise
        check("the holder is refused at once", True)


class Watched:
    """A session whose `call` answers with the structured content, or with a
    `refusal` if the tool refused. What breaks the common form goes to `odd`."""

    def __init__(self, client, odd):
        self.version = client.version
        self.list_tools = client.list_tools
        self.call_tool = client.call_tool
        self.odd = odd

    async def call(self, tool, /, **arguments):
        try:
            result = await self.call_tool(tool, arguments)
        except ProtocolError as error:
            refused = refusal(error)
            if refused is None:
                raise
            return {"refusal": refused}
        text = "\n".join(block.get("text", "") for block in result["content"])
        structured = result.get("structuredContent")
        if result.get("isError"):
            if structured is not None:
                self.odd.append(f"{tool}: structured content in a refusal")
            return {"refusal": text}
        if parsed(text) != structured:
            self.odd.append(f"{tool}: {text}")
        return structured or {}


def tap():
    """Collects every byte that asyncio reads from a child or a connection, stream by
    stream, whatever the client makes of it. `subprocess.run` is not read by asyncio."""
    received = {}

    def tapped(reader, name):
        read = getattr(reader, name)

        def reads(stream, data):
            received.setdefault(stream, bytearray()).extend(data)
            return read(stream, data)

        setattr(reader, name, reads)

    tapped(asyncio.StreamReader, "feed_data")
    tapped(_asyncio.StreamProtocol, "data_received")
    return received


def refusal(error):
    """What a server says in the answer to HTTP itself, where a client makes an error of it."""
    said = re.search(r"(unauthenticated|insufficient_scope): .*", str(error))
    return said and said.group()


def has_part(text, value):
    """Whether any twelve digits of the value, past its visible prefix, are there."""
    secret = value[len("kw_pat_0000"):]
    return any(secret[at:at + 12] in text for at in range(len(secret) - 11))


def parsed(text):
    try:
        return json.loads(text)
    except ValueError:
        return None


def names(tools):
    return sorted(tool["name"] for tool in tools)


def incomplete(tools):
    def described(tool):
        hints = tool.get("annotations") or {}
        return (
            tool.get("title")
            and tool.get("description")
            and tool["inputSchema"].get("additionalProperties") is False
            and (tool.get("outputSchema") or {}).get("type") == "object"
            and all(isinstance(hints.get(hint), bool) for hint in HINTS)
        )

    return names(tool for tool in tools if not described(tool))


def instant(text):
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=timezone.utc)


def is_claim(claim):
    if not claim or claim.get("code", "?") not in claim["command"]:
        return False
    seconds = (instant(claim["expires_at"]) - datetime.now(timezone.utc)).total_seconds()
    return 480 < seconds <= 605


def is_refused_for(scope, answer):
    refusal = answer.get("refusal", "")
    return (
        refusal.startswith("insufficient_scope: ")
        and scope in refusal
        and "Only the person can: " in refusal
    )


def redacted(seen):
    """What is shown of a failed check, without the values of tokens."""
    return re.sub(r"(kw_[a-z]+_\w{4})\w+", r"\1…", str(seen))[:4000]
