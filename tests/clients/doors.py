"""The two doors that a client can come in by: a process of its own, or HTTP.
doors.mjs tells the same for Node.

What a door gives is what a client connects to: a dictionary of `command`, `args` and
`env`, or of `url` and `token`.
"""

import atexit
import re
import subprocess

USUAL = "read:tokens write:tokens delete:tokens read:envs"
# A token gives away only what it carries itself.
GIVES = "notes:read"


class Stdio:
    """Over standard input and output: a process for each session."""

    is_http = False

    def __init__(self, binary, store):
        self.binary = binary
        self.store = store

    def local(self, scopes=None):
        """Whoever holds these scopes."""
        narrowed = ["--scopes", scopes] if scopes else []
        return self.server("--local", *narrowed)

    def holding(self, value):
        """Whoever presents this value."""
        return {**self.server(), "env": {"KEYWRIGHT_TOKEN": value}}

    def server(self, *args):
        return {"command": self.binary, "args": ["mcp", "--store", self.store, *args], "env": None}


class Http:
    """Over HTTP, by a server that runs until this process ends."""

    is_http = True

    def __init__(self, binary, store):
        self.binary = binary
        self.store = store
        serve = [binary, "serve", "--listen", "127.0.0.1:0", "--store", store]
        server = subprocess.Popen(serve, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
        atexit.register(server.kill)
        said = iter(server.stderr.readline, "")
        at = next(filter(None, (re.search(r"serving (http:\S+)", line) for line in said)))
        self.url = f"{at.group(1)}/mcp"

    def local(self, scopes=USUAL):
        mint = [self.binary, "token", "create", "agent", "--to", "stdout", "--store", self.store]
        mint += ["--scopes", f"{scopes} {GIVES}"]
        made = subprocess.run(mint, input="", capture_output=True, text=True, timeout=20)
        return self.holding(made.stdout.strip())

    def holding(self, value):
        return {"url": self.url, "token": value}
