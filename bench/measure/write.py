"""Durable creation and revocation over HTTP, beside the price of one durable write on the same disk,
and beside better-auth with the same durability.
"""

import json
import os
import random
import time
from contextlib import ExitStack

from .load import Load, Server, keywright
from .report import Subject, beside
from .stage import Stage

CLIENTS = (1, 64)
PAGE = 4096


def measure(stage):
    store, tokens = stage.seeded("keywright", stage.many)
    rival, keys = stage.seeded("better-auth", stage.many)
    caller = f"Bearer {stage.caller(store)}"
    command = [stage.node, stage.rival("better-auth.mjs"), "serve", rival, "FULL"]
    new = json.dumps({"label": "agent", "scopes": ["read:notes", "write:notes"]})
    rates = {"fsync": []}
    tails = {}
    with ExitStack() as stack:
        ours = stack.enter_context(keywright(stage, store)).url
        theirs = stack.enter_context(Server(command, stage.env)).url
        left = {"Keywright": shuffled(tokens), "better-auth": shuffled(keys)}
        doomed = {name: len(ids) for name, ids in left.items()}

        def turn(name, clients):
            """A creation load and a revocation load of one contender."""
            url = ours if name == "Keywright" else theirs
            bearer = caller if name == "Keywright" else "-"
            # More than can be revoked in a turn: who runs out of them fails the run.
            room = doomed[name] // stage.rounds // 9 * (1 if clients == 1 else 8)
            ids, left[name] = left[name][:room], left[name][room:]
            yield "create", Load(stage, url, "POST", [("/v1/tokens", bearer, new)])
            yield "revoke", Load(stage, url, "DELETE", [(f"/v1/tokens/{id}", bearer, "") for id in ids])

        for _ in range(stage.rounds):
            for clients in CLIENTS:
                rates["fsync"].append(fsyncs(stage.folder, stage.seconds))
                for name in ("Keywright", "better-auth"):
                    for verb, load in turn(name, clients):
                        told = load.run(clients)
                        of = f"{verb}, {clients} at a time, {name}"
                        rates.setdefault(of, []).append(told["rate"])
                        tails.setdefault(of, []).append(told["p99_ms"])
    return told_of(rates, tails)


def shuffled(tokens):
    """Ids in no order, as people revoke."""
    _, ids = Stage.parted(tokens)
    random.shuffle(ids)
    return ids


def fsyncs(folder, seconds):
    """How often in a second one thread appends a page to a file and waits until it is on the disk."""
    path = folder / "probe"
    page = os.urandom(PAGE)
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        done = 0
        begun = time.perf_counter()
        while (took := time.perf_counter() - begun) < seconds:
            os.write(file, page)
            os.fdatasync(file)
            done += 1
        return done / took
    finally:
        os.close(file)
        path.unlink()


def told_of(rates, tails):
    subject = Subject()
    for name, seen in rates.items():
        subject.figure("append of 4 KiB and fdatasync" if name == "fsync" else name, "/s", seen)
    for name, seen in tails.items():
        subject.figure(f"p99, {name}", "ms", seen)
    # The disk's price was asked right before each turn: first the one client's, then the many's.
    price = rates["fsync"][::2]
    for verb in ("create", "revoke"):
        one, many = (f"{verb}, {clients} at a time" for clients in CLIENTS)
        alone = beside(rates[f"{one}, Keywright"], price)
        subject.ratio(f"one client's {verb}s / fsyncs", alone, at_least=0.7)
        theirs = beside(rates[f"{many}, Keywright"], rates[f"{many}, better-auth"])
        subject.ratio(f"64 clients' {verb}s / better-auth's", theirs, at_least=20)
        theirs = beside(rates[f"{one}, Keywright"], rates[f"{one}, better-auth"])
        subject.ratio(f"one client's {verb}s / better-auth's", theirs)
    return subject
