"""Starting and stopping a server with everything in a folder of its own, and talking to it.

    with service.Server() as server:
        key = server.key("integrator")
        answer = server.ask("GET", "/v1/sessions/x", key)
        answer.status, answer.json, answer.headers

The same kind of server serves every test of the service; what differs is told as changes of its configuration."""
import atexit
import http.client
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import time
import urllib.parse

import program

START_S = 60
STOP_S = 60
ANSWER_S = 60


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def code(self):
        """The error's code; None where there is none."""
        return (self.json.get("error") or {}).get("code")

    def __repr__(self):
        return f"<{self.status} {self.body[:300]!r}>"


def yaml_of(value):
    """JSON is YAML, and the configuration is read strictly either way."""
    return json.dumps(value)


def form(fields, boundary="----bonafide-test"):
    """(content type, body) of a form; a value of bytes is a file."""
    out = b""
    for name, value in fields:
        out += f"--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"".encode()
        if isinstance(value, bytes):
            out += b"; filename=\"photo.jpg\"\r\nContent-Type: image/jpeg"
        else:
            value = value.encode() if isinstance(value, str) else json.dumps(value).encode()
        out += b"\r\n\r\n" + value + b"\r\n"
    return f"multipart/form-data; boundary={boundary}", out + f"--{boundary}--\r\n".encode()


class Server:
    """A running server. `changes` goes over the default configuration; `environment` over the program's."""

    def __init__(self, changes=None, environment=None, folder=None, development=False, start=True, command=()):
        self.folder = pathlib.Path(folder or tempfile.mkdtemp(prefix="bonafide-service-"))
        if folder is None:
            atexit.register(shutil.rmtree, self.folder, ignore_errors=True)
        self.config = {"format": 1, "listen": ["127.0.0.1:0"], "state_dir": "state", "metrics": "open",
                       "workers": {"count": 1, "queue": 16}, "rates": {"per_key": {"per_second": 0, "burst": 1},
                                                          "per_address": {"per_second": 0, "burst": 1},
                                                          "per_subject": {"per_second": 0, "burst": 1}},
                       **(changes or {})}
        self.path = self.folder / "bonafide.yaml"
        self.environment = {**program.ENVIRONMENT, **(environment or {})}
        self.log_path = self.folder / "log"
        self.development = development
        self.command = list(command)
        self.process, self.urls, self.keys = None, [], {}
        self.write_config()
        if start:
            self.start()

    def write_config(self):
        self.path.write_text(yaml_of(self.config))

    def start(self):
        """Starts the server and waits until it is ready."""
        arguments = ["serve", "--config", str(self.path), "--create"]
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen([*self.command, str(program.PROGRAM), *arguments], stdout=subprocess.PIPE,
                                            stderr=log, stdin=subprocess.DEVNULL, env=self.environment)
        os.set_blocking(self.process.stdout.fileno(), False)
        said, end = b"", time.monotonic() + START_S
        wanted = len(self.config["listen"])
        while time.monotonic() < end:
            said += self.process.stdout.read() or b""
            self.urls = re.findall(r"^bonafide: ready on (\S+)$", said.decode(), re.MULTILINE)
            if len(self.urls) >= wanted:
                return self
            if self.process.poll() is not None:
                raise AssertionError(f"the server ended with {self.process.returncode}:\n{self.log_text()[-3000:]}")
            time.sleep(0.02)
        raise AssertionError(f"the server was not ready after {START_S} s:\n{self.log_text()[-3000:]}")

    def send(self, number):
        self.process.send_signal(number)

    def stop(self, number=signal.SIGTERM):
        """Ends the server; the exit code."""
        if self.process is None:
            return None
        if self.process.poll() is None:
            self.process.send_signal(number)
        try:
            code = self.process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"the server did not end:\n{self.log_text()[-3000:]}") from None
        finally:
            self.process.stdout.close()
        self.process = None
        return code

    def kill(self):
        return self.stop(signal.SIGKILL)

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        code = self.stop()
        # A sanitized build tells by it of leaks, too.
        if kind is None and code not in (None, 0):
            raise AssertionError(f"the server ended with {code}:\n{self.log_text()[-3000:]}")

    @property
    def url(self):
        return self.urls[0]

    @property
    def port(self):
        return urllib.parse.urlparse(self.url).port

    def log_text(self):
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""

    def log(self):
        """The lines of the log as objects."""
        return [json.loads(line) for line in self.log_text().splitlines() if line.startswith("{")]

    def wait_log(self, event, count=1, seconds=20):
        """Waits until an event stands in the log that often; its lines."""
        end = time.monotonic() + seconds
        while True:
            found = [line for line in self.log() if line.get("event") == event]
            if len(found) >= count:
                return found
            if time.monotonic() > end:
                raise AssertionError(f"no {event} in the log:\n{self.log_text()[-3000:]}")
            time.sleep(0.02)

    def run(self, *arguments, check=True):
        """Runs a command beside the server, with its configuration."""
        done = subprocess.run([str(program.PROGRAM), *arguments, "--config", str(self.path)], env=self.environment,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              timeout=program.TIMEOUT_S, check=False)
        if check and done.returncode != 0:
            raise AssertionError(f"{' '.join(arguments)} ended with {done.returncode}: {done.stderr}")
        return done

    def key(self, role="integrator", *options, client="acme", fresh=False):
        """An API key of a role, made by `bonafide keys create`; the same one again unless `fresh`."""
        place = (role, client, options)
        if fresh or place not in self.keys:
            done = self.run("keys", "create", "--client", client, "--role", role, *options)
            self.keys[place] = re.search(r"bf_[0-9A-Za-z]+_[0-9A-Za-z_-]+", done.stdout).group(0)
        return self.keys[place]

    def connection(self, context=None):
        url = urllib.parse.urlparse(self.url)
        if url.scheme == "unix":
            return UnixConnection(url.path)
        if url.scheme == "https":
            context = context or ssl._create_unverified_context()
            return http.client.HTTPSConnection(url.hostname, url.port, timeout=ANSWER_S, context=context)
        return http.client.HTTPConnection(url.hostname, url.port, timeout=ANSWER_S)

    def ask(self, method, target, key=None, body=None, headers=None, connection=None):
        """One request. `body`: an object becomes JSON, a list of (name, value) a form, bytes are sent as they are."""
        headers = dict(headers or {})
        if key:
            headers.setdefault("Authorization", f"Bearer {key}")
        if isinstance(body, dict):
            headers.setdefault("Content-Type", "application/json")
            body = json.dumps(body).encode()
        elif isinstance(body, list):
            kind, body = form(body)
            headers.setdefault("Content-Type", kind)
        own = connection is None
        connection = connection or self.connection()
        try:
            connection.request(method, target, body=body, headers=headers)
            got = connection.getresponse()
            return Answer(got.status, got.headers, got.read())
        finally:
            if own:
                connection.close()

    def raw(self, data, wait=5.0, end=False):
        """Sends bytes as they are and returns all bytes that come back until the server closes or is silent."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=wait) as peer:
            try:
                peer.sendall(data)
                if end:
                    peer.shutdown(socket.SHUT_WR)
            except OSError:
                pass
            return receive(peer)


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=ANSWER_S)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


def receive(peer):
    """What comes until the end, an error or silence."""
    got = b""
    while True:
        try:
            piece = peer.recv(65536)
        except OSError:
            return got
        if not piece:
            return got
        got += piece


def sample(name="person-1.jpg"):
    """A sample photo's bytes; None where there is none."""
    path = program.SAMPLES / name
    return path.read_bytes() if path.exists() else None


def statuses(data):
    """The status codes of all answers in what came back."""
    found, rest = [], data
    while rest.startswith(b"HTTP/1.1 "):
        head, _, rest = rest.partition(b"\r\n\r\n")
        found.append(int(head.split()[1]))
        length = 0
        for line in head.split(b"\r\n")[1:]:
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        if found[-1] != 100:
            rest = rest[length:]
    return found


def code_of(data):
    body = data.rpartition(b"\r\n\r\n")[2]
    try:
        return (json.loads(body).get("error") or {}).get("code")
    except ValueError:
        return None
