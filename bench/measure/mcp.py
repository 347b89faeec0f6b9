"""MCP over stdio beside the same three tools, written with the official SDKs."""

import subprocess
import time
from contextlib import ExitStack

from .report import Subject, beside
from .session import Session, cold_start

# Calls of one server before it is the next one's turn.
TURN = 10
NEW = {"label": "bench", "scopes": ["read:notes"]}


def measure(stage):
    few, many = (stage.seeded("keywright", count)[0] for count in (stage.few, stage.many))
    rivals, _ = stage.seeded("mcp", stage.few)
    local = [stage.program, "mcp", "--local", "--store"]
    servers = {
        f"Keywright, {stage.few:,} tokens": [*local, few],
        f"Keywright, {stage.many:,} tokens": [*local, many],
        "TypeScript SDK": [stage.node, stage.rival("mcp_tokens.mjs"), rivals],
        "Python SDK (FastMCP)": [stage.python, stage.rival("mcp_tokens.py"), rivals],
    }
    ours, ours_many, typescript, python = servers
    subject = Subject()

    nothing = []
    starts, memory = ({name: [] for name in servers} for _ in range(2))
    for _ in range(3 if stage.quick else 20):
        nothing.append(start_of_nothing(stage))
        for name, command in servers.items():
            took, resident = cold_start(command, stage.env)
            starts[name].append(took)
            memory[name].append(resident)
    subject.figure("start of `true`, which does nothing", "ms", nothing)
    for name in servers:
        subject.figure(f"cold start, {name}", "ms", starts[name])
    for name in servers:
        subject.figure(f"memory, {name}", "MB", memory[name])

    lists, creates, revokes = ({name: [] for name in servers} for _ in range(3))
    with ExitStack() as stack:
        sessions = {
            name: stack.enter_context(Session(command, stage.env)) for name, command in servers.items()
        }
        for _ in range(3 if stage.quick else 20):
            for name, session in sessions.items():
                lists[name] += [session.timed("list_tokens", {"limit": 50}) for _ in range(TURN)]
            for name, session in sessions.items():
                creates[name] += [session.timed("create_token", NEW) for _ in range(TURN)]
            for name, session in sessions.items():
                made = [session.call("create_token", NEW)["id"] for _ in range(TURN)]
                revokes[name] += [session.timed("delete_token", {"id": id}) for id in made]
    for what, times in (("list of 50", lists), ("create", creates), ("revoke", revokes)):
        for name in servers:
            subject.figure(f"{what}, {name}", "ms", times[name])

    def ratio(seen, rival, one=ours, turn=1):
        return beside(seen[one], seen[rival], turn)

    subject.ratio("cold start / TypeScript's", ratio(starts, typescript), at_most=1 / 20)
    subject.ratio("cold start / FastMCP's", ratio(starts, python), at_most=1 / 80)
    many = f"{stage.many:,}"
    subject.ratio(f"cold start with {many} / TypeScript's", ratio(starts, typescript, ours_many), at_most=1 / 20)
    subject.ratio(f"cold start with {many} / FastMCP's", ratio(starts, python, ours_many), at_most=1 / 80)
    subject.ratio("memory / TypeScript's", ratio(memory, typescript), at_most=1 / 6)
    subject.ratio(f"memory with {many} / TypeScript's", ratio(memory, typescript, ours_many), at_most=1 / 6)
    subject.ratio("list of 50 / TypeScript's", ratio(lists, typescript, turn=TURN), at_most=1 / 2)
    subject.ratio("durable create / TypeScript's", ratio(creates, typescript, turn=TURN), at_most=1 / 2)
    subject.ratio("durable revoke / TypeScript's", ratio(revokes, typescript, turn=TURN))
    return subject


def start_of_nothing(stage):
    """Milliseconds in which the machine starts and ends a process at all."""
    begun = time.perf_counter()
    subprocess.run(["true"], env=stage.env, check=True)
    return (time.perf_counter() - begun) * 1e3
