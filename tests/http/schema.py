"""Holds the server against its own description, by schemathesis:

    python3 schema.py BINARY SCHEMATHESIS [FLAG...]

Once with a token that may do everything, and once with one that may do nothing. What is tried is the
same every time; a longer search: `... --max-examples 1000 --seed 2`."""

import os
import pathlib
import re
import subprocess
import sys
import tempfile

from house import Checks, House, ask, without_keywright

HERE = pathlib.Path(__file__).parent
ALL = """read:tokens write:tokens delete:tokens read:secrets read:envs write:envs introspect:tokens read:audit
    manage:account read:page"""


def run(house, schemathesis, scopes, flags):
    """What it found, and how often the server was asked."""
    value = house.token("schemathesis", scopes)
    address = f"http://127.0.0.1:{house.port}/v1/openapi.json"
    usual = ["--max-examples=25", "--seed=1", "--generation-database=none", "--request-timeout=10", "--warnings=off"]
    command = [schemathesis, "--config-file", HERE / "schemathesis.toml", "run", address, "--no-color", *usual, *flags]
    env = without_keywright() | {"APP_ENV_ID": app_env(house), "TOKEN": value}
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=600)
    return done, ask(house.port, "/v1/whoami", value)


def app_env(house):
    """One with a CLI token, to be revealed."""
    name = f"env-{os.urandom(4).hex()}"
    made = house.shell("env", "create", name, "--cli-env-name", name, "--json")
    house.shell("cli-token", "set", "--env", name)
    return re.search(r'"id": ?"([^"]+)"', made)[1]


def main(binary, schemathesis, *flags):
    check = Checks()
    with House(binary, "--rate-per-address=0", "--rate-per-token=0") as house:
        house.shell("cli-token", "set")
        for who, scopes in (("who may do everything", ALL), ("who may do nothing", "")):
            done, whoami = run(house, schemathesis, scopes, flags)
            is_so = check(f"the description is true for those {who}", done.returncode == 0)
            if not is_so:
                print(done.stdout, done.stderr)
            found = re.search(r"(\d+) generated", done.stdout)
            check("requests were made", found and int(found[1]) > 500, done.stdout[-500:])
            # Otherwise the rest was only ever refused.
            check("and the token was good to the end", whoami.status == 200, whoami)
        statuses = set(re.findall(r"status=(\d+)", house.server.said()))
        check("whatever was asked, nothing went wrong", not statuses & {"500", "503"}, statuses)
    return check.failed


if __name__ == "__main__":
    sys.exit(1 if main(*sys.argv[1:]) else 0)
