"""A service that lets in whoever holds a token with the scope `read:page`:

    python3 guard.py TOKEN_FILE 127.0.0.1:8484 127.0.0.1:8000

`guard` goes around any WSGI application. TOKEN_FILE holds a token of the service's own, which carries
`introspect:tokens`; it is read every time, so that it can be rotated. Standard library only."""

import http.client
import json
import sys
import urllib.parse
from wsgiref.simple_server import make_server

TOKEN_FILE, KEYWRIGHT, LISTEN = sys.argv[1:]


def introspect(bearer):
    """What Keywright knows of `bearer`. Any exception means that nobody can tell."""
    with open(TOKEN_FILE) as file:
        headers = {
            "Authorization": "Bearer " + file.read().strip(),
            "Content-Type": "application/x-www-form-urlencoded",
        }
    connection = http.client.HTTPConnection(KEYWRIGHT, timeout=2)
    try:
        connection.request("POST", "/v1/introspect", urllib.parse.urlencode({"token": bearer}), headers)
        answer = connection.getresponse()
        # 401 is about our own token, not about the one that was shown.
        if answer.status != 200:
            raise ConnectionError(f"Keywright answered {answer.status}")
        known = json.load(answer)
        if known["active"] not in (True, False):
            raise ValueError("Keywright answered something else")
        return known
    finally:
        connection.close()


def guard(app, scope):
    """`app`, for those whose token carries `scope`. Every request is asked about: nothing is cached,
    so that a revocation holds at once."""

    def guarded(environ, start_response):
        def refuse(status, name, value):
            start_response(status, [(name, value), ("Content-Length", "0")])
            return []

        scheme, _, bearer = environ.get("HTTP_AUTHORIZATION", "").partition(" ")
        if scheme.lower() != "bearer":
            return refuse("401 Unauthorized", "WWW-Authenticate", "Bearer")
        try:
            known = introspect(bearer.strip())
        except Exception as error:
            print(f"Keywright cannot be asked: {error}", file=sys.stderr)
            return refuse("503 Service Unavailable", "Retry-After", "1")
        if not known["active"]:
            return refuse("401 Unauthorized", "WWW-Authenticate", 'Bearer error="invalid_token"')
        if scope not in known["scope"].split():
            challenge = f'Bearer error="insufficient_scope", scope="{scope}"'
            return refuse("403 Forbidden", "WWW-Authenticate", challenge)
        environ["keywright"] = known
        return app(environ, start_response)

    return guarded


def page(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain; charset=utf-8")])
    return [f"hello {environ['keywright']['sub']}\n".encode()]


if __name__ == "__main__":
    host, port = LISTEN.rsplit(":", 1)
    make_server(host, int(port), guard(page, "read:page")).serve_forever()
