"""Servers over HTTP, and the load that they are put under: the same generator for all of them."""

import json
import os
import random
import re
import socket
import subprocess
import threading
import time

from .stage import BENCH

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"


class Server:
    """A process that says `serving URL`, until the end of the block."""

    def __init__(self, command, env):
        self.process = subprocess.Popen(
            command, env=env, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        )
        said = []
        for line in self.process.stderr:
            said.append(line)
            if found := re.match(r"serving (http://\S+)", line):
                self.url = found[1]
                break
        else:
            raise RuntimeError(f"{command[:2]} does not serve: {''.join(said)}")
        # Whatever else it says must not fill the pipe.
        self.rest = threading.Thread(target=self.process.stderr.read, daemon=True)
        self.rest.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()
        self.rest.join()
        self.process.stderr.close()

    def resident(self):
        """Megabytes of memory."""
        with open(f"/proc/{self.process.pid}/status", encoding="utf-8") as status:
            kilobytes = next(line for line in status if line.startswith("VmRSS:"))
        return int(kilobytes.split()[1]) / 1e3


def keywright(stage, store):
    rates = ["--rate-per-token", "0", "--rate-per-address", "0"]
    return Server([stage.program, "serve", "--listen", "127.0.0.1:0", *rates, "--store", store], stage.env)


class Load:
    """Requests to one server, which `wrk` makes in turn."""

    def __init__(self, stage, url, method, lines, kind=JSON):
        self.stage = stage
        self.url = url
        self.method = method
        self.kind = kind
        self.file = stage.folder / f"load-{random.getrandbits(64):x}"
        with open(self.file, "w", encoding="utf-8", opener=private) as file:
            file.writelines("\t".join(line) + "\n" for line in lines)

    def run(self, connections, seconds=None):
        """What came of it; a request that was refused or broken off is an error of ours."""
        seconds = seconds or self.stage.seconds
        told = json.loads(
            self.stage.run(
                *("wrk", "-t1", "-c", str(connections), "-d", f"{seconds}s", "--timeout", "30s"),
                *("-s", str(BENCH / "load.lua"), self.url, "--", self.method, self.kind, str(self.file)),
            ).splitlines()[-1]
        )
        if told["refused"] or told["broken"] or not told["requests"]:
            raise RuntimeError(f"{self.method} {self.url}: {told}")
        told["rate"] = told["requests"] / told["seconds"]
        return told


def private(path, flags):
    return os.open(path, flags, 0o600)


class Redis:
    """A server that keeps nothing on disk, with `count` keys of the size of a token's row."""

    def __init__(self, stage, count):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = str(free.getsockname()[1])
        self.stage = stage
        self.count = str(count)
        only = ["--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", str(stage.folder)]
        self.process = subprocess.Popen(
            ["redis-server", "--port", self.port, *only], env=stage.env, stdout=subprocess.DEVNULL
        )

    def __enter__(self):
        fill = "for n = 0, ARGV[1] - 1 do redis.call('SET', string.format('key:%012d', n), ARGV[2]) end"
        cli = ["redis-cli", "-p", self.port]
        deadline = time.monotonic() + 10
        while subprocess.run([*cli, "ping"], capture_output=True, text=True).stdout != "PONG\n":
            if time.monotonic() > deadline or self.process.poll() is not None:
                raise RuntimeError("redis-server does not answer")
        self.stage.run(*cli, "eval", fill, "0", self.count, "x" * 250)
        self.rate = 20_000
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()

    def run(self, connections):
        """`GET` of any of the keys."""
        requests = str(int(self.rate * self.stage.seconds))
        told = self.stage.run(
            *("redis-benchmark", "-p", self.port, "-c", str(connections), "-n", requests),
            *("-r", self.count, "--csv", "GET", "key:__rand_int__"),
        )
        names, figures = (line.replace('"', "").split(",") for line in told.splitlines()[-2:])
        found = dict(zip(names, figures, strict=True))
        self.rate = float(found["rps"])
        return {"rate": self.rate, "p99_ms": float(found["p99_latency_ms"])}
