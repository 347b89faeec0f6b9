"""Whether a token is ever accepted by a request that began after its revocation was answered: by any
of eight processes on one store, while one of them is under load.

The same question is put to a reader that keeps what it was told for a moment, as many do. It must
be caught, or the check proves nothing.
"""

import http.client
import threading
import time
from contextlib import ExitStack
from functools import partial
from urllib.parse import urlsplit

from .load import Load, keywright
from .session import Session
from .verify import some

SERVERS = 4
SESSIONS = 4
# How long the deliberately stale reader remembers, in seconds.
REMEMBERS = 0.25
# Each process is asked so often after each revocation.
AFTER = 5


class OverHttp:
    """Asks one server whether whoever presents a value may pass."""

    def __init__(self, url):
        self.place = urlsplit(url).netloc
        self.connection = http.client.HTTPConnection(self.place)

    def is_accepted(self, value):
        return self.ask("GET", "/v1/verify", value) == 200

    def ask(self, method, path, value):
        self.connection.request(method, path, headers={"Authorization": f"Bearer {value}"})
        answer = self.connection.getresponse()
        answer.read()
        if answer.status not in (200, 204, 401):
            raise RuntimeError(f"{method} {path}: {answer.status}")
        return answer.status


class OverStdio:
    """A process that was started with the value."""

    def __init__(self, stage, store, value):
        env = {**stage.env, "KEYWRIGHT_TOKEN": value}
        self.session = Session([stage.program, "mcp", "--store", store], env)

    def is_accepted(self, _):
        result = self.session.ask("tools/call", {"name": "whoami", "arguments": {}})
        return not result.get("isError")


class Forgetful:
    """Keeps a good answer for a moment instead of asking again: the control."""

    def __init__(self, url):
        self.asks = OverHttp(url)
        self.kept = (None, 0)

    def is_accepted(self, value):
        known, until = self.kept
        if known == value and time.monotonic() < until:
            return True
        accepted = self.asks.is_accepted(value)
        self.kept = (value, time.monotonic() + REMEMBERS) if accepted else (None, 0)
        return accepted


def measure(stage, subject):
    store, tokens = stage.seeded("keywright", stage.few)
    caller = stage.caller(store)
    rounds = 10 if stage.quick else 100
    values = dict(tokens)
    doomed = [(id, values[id]) for id in stage.parted(tokens)[1][:rounds]]
    asked = stale = caught = 0
    with ExitStack() as stack:
        urls = [stack.enter_context(keywright(stage, store)).url for _ in range(SERVERS)]
        load = Load(stage, urls[0], "GET", [("/v1/verify", f"Bearer {value}", "") for value in some(tokens)])
        done = threading.Event()
        noise = threading.Thread(target=keep_busy, args=(load, done))
        noise.start()
        try:
            for turn, (id, value) in enumerate(doomed):
                # Whoever revokes is another process each time.
                url = urls[turn % SERVERS]
                with ExitStack() as sessions:
                    readers = [OverHttp(url) for url in urls]
                    for _ in range(SESSIONS):
                        readers.append(OverStdio(stage, store, value))
                        sessions.enter_context(readers[-1].session)
                    readers.append(Forgetful(url))
                    seen = revoked_under(readers, value, partial(end, url, id, caller))
                asked += sum(len(one) for one in seen[:-1])
                stale += sum(sum(one) for one in seen[:-1])
                caught += any(seen[-1])
        finally:
            done.set()
            noise.join()
    subject.figure("checks that began after a revocation was answered", "", [asked])
    subject.ratio("of them accepted", [stale], at_most=0)
    subject.ratio("revocations after which the control accepted / all", [caught / len(doomed)], at_least=0.5)


def end(url, id, caller):
    OverHttp(url).ask("DELETE", f"/v1/tokens/{id}", caller)


def revoked_under(readers, value, revoke):
    """What each reader was answered by checks that began after the revocation was answered; all of
    them ask without pause from before it."""
    revoked = threading.Event()
    ready = threading.Barrier(len(readers) + 1)
    seen = [[] for _ in readers]
    broken = []

    def ask(reader, answers):
        try:
            if not reader.is_accepted(value):
                raise RuntimeError("a good token was refused")
            ready.wait()
            while len(answers) < AFTER:
                began_after = revoked.is_set()
                accepted = reader.is_accepted(value)
                if began_after:
                    answers.append(accepted)
        except Exception as error:  # Told below, by the thread that waits.
            broken.append(error)
            ready.abort()

    threads = [threading.Thread(target=ask, args=pair) for pair in zip(readers, seen, strict=True)]
    for thread in threads:
        thread.start()
    try:
        ready.wait()
        revoke()
    except threading.BrokenBarrierError:
        pass
    finally:
        revoked.set()
        for thread in threads:
            thread.join()
    if broken:
        raise broken[0]
    return seen


def keep_busy(load, done):
    while not done.is_set():
        load.run(16, seconds=1)
