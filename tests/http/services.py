"""The examples in examples/services, run as they are written:

    python3 services.py BINARY LANGUAGE COMMAND...

Each guards a page by introspection at a real Keywright; between the two, what it asks is written
down, and sometimes something else is answered."""

import json
import sys
import time

from house import Checks, House, Program, Recorder, ask, free_port, without_keywright

JSON = [("Content-Type", "application/json")]

# What Keywright, or whatever stands in its place, may answer that tells nothing of the token.
UNTOLD = {
    "429": (429, [("Retry-After", "1")], b"{}"),
    "500": (500, [], b""),
    "503": (503, [("Retry-After", "1")], b'{"code":"unavailable"}'),
    "401, which is about the service's own token": (401, [("WWW-Authenticate", "Bearer")], b"{}"),
    "403, which is, too": (403, [], b"{}"),
    "404": (404, [], b"{}"),
    "a redirect": (302, [("Location", "http://127.0.0.1:1/")], b""),
    "no JSON": (200, JSON, b"<html>"),
    "other JSON": (200, JSON, b'{"ok":true}'),
    "half of it": (200, [*JSON, ("Content-Length", "1000")], b'{"active":true,"scope":"read:page"'),
    "`active` in words": (200, JSON, b'{"active":"true","scope":"read:page"}'),
    "a list": (200, JSON, b"[true]"),
    "nothing in time": Recorder.SILENT,
}


def story(check, house, language, port, asked, token_file):
    good, poor = house.token("good", "read:page read:notes"), house.token("poor", "read:pages")
    lasting = house.token("lasting", "read:page")

    def is_so(what, status, token=None, challenge=None, headers=()):
        begun = time.monotonic()
        answer = ask(port, "/", token, headers=headers)
        told = answer.headers.get_all("WWW-Authenticate")
        expected = None if challenge is None else [challenge]
        took = time.monotonic() - begun
        check(f"{language}: {what}", answer.status == status and told == expected and took < 5, (answer, took))
        return answer

    def is_unavailable(what):
        answer = is_so(what, 503, lasting)
        check(f"{language}: and says when to come again", answer.headers["Retry-After"] == "1", answer)

    bad = 'Bearer error="invalid_token"'
    answer = is_so("whoever carries enough passes", 200, good)
    check(f"{language}: the page knows who it is", answer.text.startswith("hello user:"), answer)
    is_so("the scheme is read in any case", 200, headers=[("authorization", f"bEARER {good}")])
    before = len(asked.seen)
    is_so("nobody is asked for a token", 401, None, "Bearer")
    is_so("another scheme is none", 401, None, "Bearer", [("Authorization", "Basic eDp5")])
    check(f"{language}: Keywright is not asked about either", len(asked.seen) == before)
    for token in ("noise", "%00&token=" + good):
        is_so(f"{token[:10]!r} is a bad token", 401, token, bad)
    for what, token in (("an empty one", ""), ("one that is no text", "\xff")):
        check(f"{language}: {what} is none", ask(port, "/", token).status == 401)
    is_so("a token that carries too little is refused", 403, poor, 'Bearer error="insufficient_scope", scope="read:page"')
    house.revoke("good")
    is_so("a token is refused from its revocation on", 401, good, bad)

    before = len(asked.seen)
    ask(port, "/", lasting), ask(port, "/", lasting)
    check(f"{language}: every request is asked about", len(asked.seen) == before + 2)

    for what, instead in UNTOLD.items():
        asked.instead = instead
        is_unavailable(f"nobody passes when Keywright answers {what}")
    asked.instead = (200, JSON, json.dumps({"active": False}).encode())
    is_so("and a token that is not active is a bad one", 401, lasting, bad)
    asked.instead = None

    house.lock()
    is_unavailable("nobody passes while the store is out of reach")
    house.unlock()
    own = token_file.read_text()
    for what, text in (("gone", "noise"), ("without the scope", house.token("own", "read:page")), ("empty", "")):
        token_file.write_text(text)
        is_unavailable(f"nobody passes while the service's own token is {what}")
    token_file.write_text(own)
    is_so("and again once all is well, without a restart", 200, lasting)
    house.stop()
    is_unavailable("nobody passes while Keywright breaks off")
    asked.close()
    is_unavailable("nobody passes while nothing listens there")


def main(binary, language, *command):
    check = Checks()
    with House(binary) as house:
        token_file = house.root / "own.token"
        house.shell("token", "create", "service", "--scopes", "introspect:tokens", "--to", f"file:{token_file}")
        asked, port = Recorder(behind=lambda: house.port), free_port()
        arguments = [token_file, f"127.0.0.1:{asked.port}", f"127.0.0.1:{port}"]
        running = Program([*command, *arguments], port, None, without_keywright())
        try:
            story(check, house, language, port, asked, token_file)
        finally:
            running.stop()
            if check.failed:
                print(running.said()[-3000:], file=sys.stderr)
    return check.failed


if __name__ == "__main__":
    sys.exit(1 if main(*sys.argv[1:]) else 0)
