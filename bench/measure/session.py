"""A client of MCP over stdio, the same for every server: a line out, a line in."""

import json
import subprocess
import time

HELLO = {
    "protocolVersion": "2025-11-25",
    "capabilities": {},
    "clientInfo": {"name": "bench", "version": "0"},
}


class Session:
    """A server's process, from its start to the end of the conversation."""

    def __init__(self, command, env):
        self.begun = time.perf_counter()
        self.process = subprocess.Popen(
            command, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        self.number = 0
        self.took = 0.0
        self.ask("initialize", HELLO)
        self._say({"jsonrpc": "2.0", "method": "notifications/initialized"})

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()

    def ask(self, method, params):
        """The result; whatever else the server says meanwhile is passed over."""
        self.number += 1
        asked = self._say({"jsonrpc": "2.0", "id": self.number, "method": method, "params": params})
        while line := self.process.stdout.readline():
            # What it takes us to read the answer is no time of the server's.
            self.took = (time.perf_counter() - asked) * 1e3
            answer = json.loads(line)
            if answer.get("id") == self.number:
                if "result" not in answer:
                    raise RuntimeError(f"{method}: {answer}")
                return answer["result"]
        raise RuntimeError(f"{method}: the server ended with {self.process.wait()}")

    def call(self, tool, arguments):
        """The structured answer of a tool; a refusal is an error of ours."""
        result = self.ask("tools/call", {"name": tool, "arguments": arguments})
        if result.get("isError"):
            raise RuntimeError(f"{tool}: {result}")
        return result["structuredContent"]

    def timed(self, tool, arguments):
        """Milliseconds from the question to the answer."""
        self.call(tool, arguments)
        return self.took

    def resident(self):
        """Megabytes of memory."""
        with open(f"/proc/{self.process.pid}/status", encoding="utf-8") as status:
            kilobytes = next(line for line in status if line.startswith("VmRSS:"))
        return int(kilobytes.split()[1]) / 1e3

    def _say(self, message):
        """The moment in which it was said."""
        line = json.dumps(message).encode() + b"\n"
        asked = time.perf_counter()
        self.process.stdin.write(line)
        self.process.stdin.flush()
        return asked


def cold_start(command, env):
    """Milliseconds from the start to the answer that lists the tools, and the memory then."""
    with Session(command, env) as session:
        session.ask("tools/list", {})
        took = (time.perf_counter() - session.begun) * 1e3
        return took, session.resident()
