"""What the MCP registry is told, held against its published schema and rules:

  python server_json.py BINARY STORE

skillsaw carries every released schema; the registry's own checker is given out as a program alone.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
FOLDER = Path(sys.argv[2]).parent.parent
RULES = ["mcp-registry-server-json-valid", "mcp-registry-version-semver"]
failed = 0


def check(sentence, good, seen=""):
    global failed
    print(f"{'ok' if good else 'not ok'} - server.json: {sentence}")
    if not good:
        failed += 1
        print(f"    seen: {seen}")


def complaints(name, text):
    """What is wrong with `text`, in a folder of its own."""
    folder = FOLDER / name
    folder.mkdir()
    (folder / "server.json").write_text(text)
    rules = [word for rule in RULES for word in ("--rule", rule)]
    command = [sys.executable, "-m", "skillsaw", "lint", "--format", "json", "--strict", *rules, str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, env={**os.environ, "NO_COLOR": "1"})
    # Silence about a file that was not looked at would be no praise.
    if done.returncode == 0 and "mcp-registry" not in done.stdout:
        return f"not looked at: {done.stdout}{done.stderr}"
    return "" if done.returncode == 0 else done.stdout + done.stderr


told = (ROOT / "server.json").read_text()
check("it is valid", not (wrong := complaints("root", told)), wrong)

bundle = FOLDER / "keywright.mcpb"
bundle.write_bytes(b"any")
released = subprocess.run(
    [ROOT / "packaging/server-json", "--at", "https://github.com/keywright/keywright/releases/download/v1", bundle],
    capture_output=True, text=True, timeout=60)
check("with the bundles of a release it is valid", not (wrong := complaints("released", released.stdout)), wrong)

nameless = json.loads(told)
del nameless["name"]
check("without a name it would not be", complaints("nameless", json.dumps(nameless)))
sys.exit(failed)
