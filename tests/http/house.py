"""A real `keywright serve` on a throw-away store, and what is told of it: `ok - ...` or `not ok - ...`."""

import http.client
import http.server
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import tempfile
import threading
import time

PATIENCE = 20  # seconds; the longest that anything is waited for


class Checks:
    """Tells, line by line, what was found."""

    def __init__(self):
        self.failed = 0

    def __call__(self, what, is_so, seen=None):
        print(("ok - " if is_so else "not ok - ") + what, flush=True)
        if not is_so:
            self.failed += 1
            print(f"  # {seen!r}", flush=True)
        return is_so


class Answer:
    def __init__(self, response):
        self.status = response.status
        self.headers = response.headers
        self.text = response.read().decode()

    def __repr__(self):
        return f"{self.status} {dict(self.headers)} {self.text[:300]}"


def ask(port, path, token=None, method="GET", headers=(), body=None):
    """What the server at this port answers. `headers` are pairs, sent as they are."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    headers = list(headers)
    connection.putrequest(method, path, skip_host=any(name.lower() == "host" for name, _ in headers))
    if token is not None:
        connection.putheader("Authorization", f"Bearer {token}")
    for name, value in headers:
        connection.putheader(name, value)
    if body is not None:
        connection.putheader("Content-Length", str(len(body)))
    connection.endheaders(body)
    try:
        return Answer(connection.getresponse())
    finally:
        connection.close()


def free_port():
    """One that nobody has at this moment."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def until(is_so, what):
    end = time.monotonic() + PATIENCE
    while not is_so():
        if time.monotonic() > end:
            raise TimeoutError(what)
        time.sleep(0.02)


def listens(port):
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


class Program:
    """A program that listens at a port, in a folder of its own, until it is stopped."""

    def __init__(self, command, port, folder, env=None):
        # Not in the folder that a program may write to.
        self.log = tempfile.TemporaryFile()
        self.process = subprocess.Popen(
            command, cwd=folder, env=env, stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log
        )
        try:
            until(lambda: listens(port) or self.process.poll() is not None, command)
            if self.process.poll() is not None:
                raise ChildProcessError(f"{command} ended: {self.said()}")
        except BaseException:
            self.stop()
            raise

    def said(self):
        self.log.seek(0)
        return self.log.read().decode(errors="replace")

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


class House:
    """Keywright, with a store of its own."""

    def __init__(self, binary, *flags):
        self.binary = binary
        self.flags = flags
        self.folder = tempfile.TemporaryDirectory()
        self.root = pathlib.Path(self.folder.name)
        self.store = self.root / "kw" / "store.db"
        self.port = free_port()
        self.server = None

    def shell(self, *arguments):
        command = [self.binary, "--store", self.store, *arguments]
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)
        if done.returncode != 0:
            raise ChildProcessError(done.stderr)
        return done.stdout.strip()

    def token(self, label, scopes):
        """A new token's value."""
        to = ["--to", "stdout", "--scopes", scopes]
        return self.shell("token", "create", label, *to)

    def revoke(self, label):
        tokens = json.loads(self.shell("token", "list", "--json"))["tokens"]
        token = next(token for token in tokens if token["label"] == label)
        self.shell("token", "revoke", token["id"])

    def start(self):
        command = [self.binary, "serve", "--store", self.store, "--listen", f"127.0.0.1:{self.port}"]
        self.server = Program([*command, *self.flags], self.port, self.root)

    def stop(self):
        if self.server:
            self.server.stop()
            self.server = None

    def lock(self):
        """Puts the store out of reach."""
        self.store.parent.rename(self.root / "away")

    def unlock(self):
        (self.root / "away").rename(self.store.parent)

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()
        self.folder.cleanup()


class Recorder:
    """A server in this process that writes down what it is asked. It answers itself, or what the
    server at `behind` answers; or `instead`: a status, headers and a body, or nothing at all."""

    SILENT = "silent"

    def __init__(self, behind=None):
        self.seen = seen = []
        self.instead = None
        self.is_closed = threading.Event()
        recorder = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self):
                if recorder.is_closed.is_set():
                    self.close_connection = True
                    return None
                length = int(self.headers.get("Content-Length") or 0)
                body = self.rfile.read(length).decode()
                if self.headers.get("Transfer-Encoding"):
                    body += "[chunks]"
                headers = [(name.lower(), value) for name, value in self.headers.items()]
                seen.append({"method": self.command, "path": self.path, "headers": headers, "body": body})
                if recorder.instead == Recorder.SILENT:
                    recorder.is_closed.wait(PATIENCE)
                    self.close_connection = True
                    return None
                if recorder.instead is not None:
                    return self.send(*recorder.instead)
                if behind is None:
                    return self.send(200, [], b"the page")
                try:
                    sent = [(n, v) for n, v in headers if n not in ("content-length", "transfer-encoding")]
                    answer = ask(behind(), self.path, None, self.command, sent, body.encode() or None)
                except OSError:
                    self.close_connection = True
                    return None
                own = ("content-length", "connection", "date")
                head = [(n, v) for n, v in answer.headers.items() if n.lower() not in own]
                return self.send(answer.status, head, answer.text.encode())

            def send(self, status, headers, body):
                self.send_response(status)
                for name, value in headers:
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(body)

            do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = answer

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_):
                """Clients come and go as they like."""

        self.server = Server(("127.0.0.1", 0), Handler)
        self.port = self.server.server_port
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def last(self):
        return self.seen[-1]

    def close(self):
        self.is_closed.set()
        self.server.shutdown()
        self.server.server_close()


def with_ports(text, ports):
    """An example with other ports than those that are written in it."""
    return re.sub(r"(?<=[: ])(\d{4})\b", lambda found: str(ports.get(int(found[1]), found[1])), text)


def without_keywright(env=os.environ):
    """The environment, without what would send Keywright elsewhere."""
    return {name: value for name, value in env.items() if not name.startswith("KEYWRIGHT_")}
