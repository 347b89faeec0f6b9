"""The examples in examples/forward-auth, run as they are written but for their ports:

    python3 proxies.py BINARY PROXY COMMAND

Each guards a page with a real Keywright; between the two, what a proxy asks is written down."""

import pathlib
import sys
import tempfile

from house import Checks, House, Program, Recorder, ask, free_port, until, with_ports, without_keywright

EXAMPLES = pathlib.Path(__file__).parents[2] / "examples" / "forward-auth"

# What is answered while Keywright is gone.
GONE = {"nginx": 503, "caddy": 502, "traefik": 500, "envoy": 503}

NAMES = ["token-id", "subject", "user", "account", "scopes", "expires-at"]

# nginx reads the example where Debian's configuration would: within `http`.
NGINX = """
daemon off;
pid {folder}/nginx.pid;
error_log stderr;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/nginx.conf;
}}
"""


def command(proxy, program, folder):
    if proxy == "nginx":
        (folder / "main.conf").write_text(NGINX.format(folder=folder))
        return [program, "-e", "stderr", "-p", folder, "-c", folder / "main.conf"]
    return {
        "caddy": [program, "run", "--config", "Caddyfile"],
        "traefik": [program, "--configFile=traefik.yml"],
        "envoy": [program, "-c", "envoy.yaml", "--base-id-path", "base-id", "--use-dynamic-base-id", "--concurrency", "1"],
    }[proxy]


def story(check, house, proxy, port, page, asked):
    good = house.token("good", "read:page read:notes")
    lasting = house.shell("token", "create", "lasting", "--to", "stdout", "--scopes", "read:page", "--expires", "never")
    poor = house.token("poor", "read:notes")

    def get(token=None, path="/", **more):
        return ask(port, path, token, **more)

    def is_refused(what, status, token=None, challenge=None, **more):
        before = len(page.seen)
        answer = get(token, **more)
        is_so = answer.status == status and len(page.seen) == before
        if challenge is not None:
            is_so = is_so and answer.headers.get_all("WWW-Authenticate") == [f'Bearer realm="keywright"{challenge}']
        check(f"{proxy}: {what}", is_so, (answer, page.seen[before:]))
        return answer

    # Who may pass, and what the page is told.
    answer = get(good)
    check(f"{proxy}: whoever carries enough passes", answer.status == 200 and answer.text == "the page", answer)
    told = dict(page.last()["headers"])
    is_told = told.get("x-auth-subject", "").startswith("user:") and told.get("x-auth-scopes") == "read:notes read:page"
    check(f"{proxy}: the page is told who it is", is_told and all(told.get(f"x-auth-{n}") for n in NAMES), told)
    check(f"{proxy}: and not given the token", "authorization" not in told, told)

    # Who may not.
    is_refused("nobody is asked for a token", 401, challenge="")
    bad = ', error="invalid_token"'
    is_refused("a bad token is refused", 401, "noise", bad)
    is_refused("a token that carries too little is refused", 403, poor, ', error="insufficient_scope", scope="read:page"')

    # What a client may try.
    for spelled in ("X-Auth-{}", "x-auth-{}", "X_Auth_{}"):
        forged = [(spelled.format(n.title() if "X-" in spelled else n.replace("-", "_")), "forged") for n in [*NAMES, "role"]]
        answer = get(lasting, headers=forged)
        told = page.last()["headers"]
        kept = [(name, value) for name, value in told if "forged" in value and (proxy, name) not in KEPT]
        is_so = answer.status == 200 and not kept and dict(told)["x-auth-scopes"] == "read:page"
        check(f"{proxy}: what a client forges as {spelled.format('...')} does not reach the page", is_so, told)
    for path in ("/?scope=openid&token=x", "/v1/verify-for/any/x", "/a%2F..%2f%ff?x=%00", "//x"):
        is_refused(f"{path} lets nobody pass", 403, poor, path=path)
    # nginx says itself that nothing is above the root.
    status = 400 if proxy == "nginx" else 403
    is_refused("/../any/x lets nobody pass", status, poor, path="/../any/x")
    answer = get(good, "/callback?scope=openid&token=x&state=1")
    check(f"{proxy}: a query of the client's own is no hindrance", answer.status == 200 and page.last()["path"].endswith("state=1"), answer)
    two = [("Authorization", f"Bearer {poor}")]
    before = len(page.seen)
    answer = get(good, headers=two)
    check(f"{proxy}: the page is given neither of two tokens", all("authorization" not in dict(s["headers"]) for s in page.seen[before:]), page.seen[before:])

    # Other kinds of request.
    more = {"method": "POST", "headers": [("Origin", "https://app.example.com"), ("Cookie", "a=b")], "body": b"a thing"}
    answer = get(good, **more)
    check(f"{proxy}: a page may be posted to", answer.status == 200 and page.last()["body"] == "a thing", answer)
    check(f"{proxy}: and Keywright is not sent what was posted", asked.last()["body"] == "", asked.last())
    given = dict(asked.last()["headers"])
    check(f"{proxy}: nor a cookie", "cookie" not in given, given)
    is_refused("nobody posts without a token", 401, challenge="", **more)
    check(f"{proxy}: HEAD passes", get(good, method="HEAD").status == 200)

    # Revoked is revoked.
    house.revoke("good")
    is_refused("a token is refused from its revocation on", 401, good, bad)

    # Nobody can tell.
    house.lock()
    is_refused("nobody passes while the store is out of reach", 503, lasting)
    house.unlock()
    check(f"{proxy}: and again once it is back", get(lasting).status == 200)
    house.stop()
    is_refused("nobody passes while Keywright breaks off", GONE[proxy], lasting)
    house.start()
    check(f"{proxy}: and again once it is back", get(lasting).status == 200)
    asked.close()
    is_refused("nobody passes while nothing listens there", GONE[proxy], lasting)


# Headers that a page is given as the client sent them: no names of ours.
KEPT = {("nginx", "x-auth-role"), ("traefik", "x_auth_role")}


def main(binary, proxy, program):
    check = Checks()
    with House(binary, "--rate-per-address=0") as house, tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        asked, page, port = Recorder(behind=lambda: house.port), Recorder(), free_port()
        ports = {8484: asked.port, 8000: page.port, 8080: port}
        for example in EXAMPLES.iterdir():
            (folder / example.name).write_text(with_ports(example.read_text(), ports))
        env = without_keywright() | {"HOME": str(folder), "XDG_CONFIG_HOME": str(folder), "XDG_DATA_HOME": str(folder)}
        running = Program(command(proxy, program, folder), port, folder, env)
        # Traefik listens before it has read what it routes.
        until(lambda: ask(port, "/").status != 404, "a route")
        try:
            story(check, house, proxy, port, page, asked)
        finally:
            running.stop()
            if check.failed:
                print(running.said()[-3000:], file=sys.stderr)
            page.close()
    return check.failed


if __name__ == "__main__":
    sys.exit(1 if main(*sys.argv[1:]) else 0)
