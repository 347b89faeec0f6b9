"""What grows with the store: a page of the list, the start, the bytes."""

import time
from contextlib import ExitStack

from .load import keywright
from .report import Subject, beside
from .session import Session, cold_start

PAGE = 50
# Calls of one session before it is the next one's turn.
TURN = 10


def measure(stage):
    between = [] if stage.quick else [10_000, 100_000]
    sizes = [stage.few, *between, stage.many]
    stores = {size: stage.seeded("keywright", size)[0] for size in sizes}
    starts, serves, firsts, middles, memory = ({size: [] for size in sizes} for _ in range(5))
    local = {size: [stage.program, "mcp", "--local", "--store", store] for size, store in stores.items()}
    with ExitStack() as stack:
        sessions = {
            size: stack.enter_context(Session(command, stage.env)) for size, command in local.items()
        }
        half = {size: halfway(session, size) for size, session in sessions.items()}
        for _ in range(3 if stage.quick else 20):
            for size, store in stores.items():
                took, resident = cold_start(local[size], stage.env)
                starts[size].append(took)
                memory[size].append(resident)
                serves[size].append(start_of_server(stage, store))
            for size, session in sessions.items():
                first = {"limit": PAGE}
                firsts[size] += [session.timed("list_tokens", first) for _ in range(TURN)]
                middle = {"limit": PAGE, "cursor": half[size]}
                middles[size] += [session.timed("list_tokens", middle) for _ in range(TURN)]

    subject = Subject()
    whats = {
        "start over stdio": starts,
        "start of `serve`": serves,
        f"first page of {PAGE}": firsts,
        f"page of {PAGE} in the middle": middles,
    }
    for what, times in whats.items():
        for size in sizes:
            subject.figure(f"{what}, {size:,}", "ms", times[size])
    for size in sizes:
        subject.figure(f"memory after the start, {size:,}", "MB", memory[size])
    for what, times in whats.items():
        name = f"{what}: {stage.many:,} / {stage.few:,}"
        turn = TURN if "page" in what else 1
        subject.ratio(name, beside(times[stage.many], times[stage.few], turn), at_most=1.5)
    tokens, audit, others = map(int, stage.run(stage.parts, "bytes", stores[stage.many]).split())
    subject.figure("audit record", "bytes a token", [audit / tokens])
    subject.ratio("bytes of disk a token, audit record apart", [others / tokens], at_most=420)
    return subject


def halfway(session, size):
    """The cursor of the page in the middle of the list."""
    cursor = None
    for _ in range(size // 2 // 200):
        arguments = {"limit": 200} if cursor is None else {"limit": 200, "cursor": cursor}
        cursor = session.call("list_tokens", arguments)["next_cursor"]
    return cursor


def start_of_server(stage, store):
    """Milliseconds until it listens."""
    begun = time.perf_counter()
    with keywright(stage, store):
        return (time.perf_counter() - begun) * 1e3
