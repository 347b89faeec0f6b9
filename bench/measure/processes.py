"""Eight processes on one store: how fairly they write, and whether any of them accepts a token after
its revocation was answered.
"""

import multiprocessing
import time

from . import freshness
from .mcp import NEW
from .report import Subject, beside
from .session import Session

PROCESSES = 8


def measure(stage):
    ours, _ = stage.fresh("keywright", stage.few)
    rivals, _ = stage.fresh("mcp", stage.few)
    servers = {
        "Keywright": [stage.program, "mcp", "--local", "--store", ours],
        "TypeScript SDK": [stage.node, stage.rival("mcp_tokens.mjs"), rivals],
    }
    rates, fair, tails, worst, errors = ({name: [] for name in servers} for _ in range(5))
    for _ in range(stage.rounds):
        for name, command in servers.items():
            times, refused = together(stage, command)
            counts = [len(one) for one in times]
            seen = sorted(sum(times, []))
            rates[name].append(len(seen) / stage.seconds)
            fair[name].append(min(counts) / max(counts))
            tails[name].append(seen[len(seen) * 99 // 100])
            worst[name].append(seen[-1])
            errors[name].append(refused)
    subject = Subject()
    for name in servers:
        subject.figure(f"creates by {PROCESSES} processes, {name}", "/s", rates[name])
    for name in servers:
        subject.figure(f"p99 of a create, {name}", "ms", tails[name])
    for name in servers:
        subject.figure(f"slowest create, {name}", "ms", worst[name])
    for name in servers:
        subject.figure(f"errors, {name}", "", [sum(errors[name])])
    subject.ratio("errors", [sum(errors["Keywright"])], at_most=0)
    subject.ratio("slowest process / fastest", fair["Keywright"], at_least=1 / 2)
    subject.ratio("slowest process / fastest, TypeScript's", fair["TypeScript SDK"])
    subject.ratio("p99 / TypeScript's", beside(tails["Keywright"], tails["TypeScript SDK"]), at_most=1 / 10)
    freshness.measure(stage, subject)
    return subject


def together(stage, command):
    """The milliseconds of each create of each process, and how many were refused. Every client is a
    process, too, so that none waits for another."""
    fork = multiprocessing.get_context("fork")
    ready = fork.Barrier(PROCESSES)
    told = fork.SimpleQueue()
    clients = [
        fork.Process(target=client, args=(stage, command, ready, told)) for _ in range(PROCESSES)
    ]
    for one in clients:
        one.start()
    answers = [told.get() for _ in clients]
    for one in clients:
        one.join()
    return [times for times, _ in answers], sum(refused for _, refused in answers)


def client(stage, command, ready, told):
    times, refused = [], 0
    with Session(command, stage.env) as session:
        session.call("list_tokens", {"limit": 1})
        ready.wait()
        end = time.perf_counter() + stage.seconds
        while time.perf_counter() < end:
            try:
                times.append(session.timed("create_token", NEW))
            except RuntimeError:
                refused += 1
    told.put((times, refused))
