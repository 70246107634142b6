"""Two replicas on one PostgreSQL behind nginx, with the files of deploy/ as they ship."""
import base64
import concurrent.futures
import contextlib
import http.client
import json
import os
import pathlib
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import uuid
import zlib

import postgres
import program
import service

DEPLOY = program.SOURCE / "deploy"
NGINX = shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:" + os.environ.get("PATH", ""))
START_S = 30


def grey_picture(number):
    """A PNG without a face, and another one each time."""
    side = 160
    rows = b"".join(b"\0" + bytes([100 + number % 100]) * side * 3 for _ in range(side))

    def chunk(kind, data):
        return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")
    head = side.to_bytes(4, "big") * 2 + b"\x08\x02\0\0\0"
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"tEXt", b"n\0%d" % number)
            + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


def shipped(name):
    return (DEPLOY / name).read_text(encoding="utf-8")


def put(text, *changes):
    """The text with paths and ports of the test; each has to be there as it ships."""
    for old, new in changes:
        if old not in text:
            raise AssertionError(f"deploy/ no longer holds {old!r}")
        text = text.replace(old, new)
    return text


def at_once(calls):
    """Runs them at the same moment; their results in order."""
    barrier = threading.Barrier(len(calls))

    def run(call):
        barrier.wait(30)
        return call()
    with concurrent.futures.ThreadPoolExecutor(len(calls)) as pool:
        return [future.result(120) for future in [pool.submit(run, call) for call in calls]]


# What deploy/systemd asks of the kernel, as far as a test can: no memory that was writable becomes executable (systemd
# does it by a filter, this by PR_SET_MDWE), and no new privileges. Kernels before 6.3 do not know the first.
CONFINED = [sys.executable, "-c", "import ctypes, os, sys; libc = ctypes.CDLL(None); libc.prctl(65, 1, 0, 0, 0);"
            "libc.prctl(38, 1, 0, 0, 0); os.execv(sys.argv[1], sys.argv[1:])"]


class Replica(service.Server):
    """A server with the configuration that ships, in folders of the test."""

    def __init__(self, number, folder, store_url):
        self.number = number
        self.shared = folder
        self.store_url = store_url
        place = folder / f"replica-{number}"
        place.mkdir()
        super().__init__(folder=place, command=CONFINED if number == 2 else ())

    def write_config(self):
        name = f"replica-{self.number}"
        text = put(shipped(f"{name}.yaml"),
                   (f"unix:/run/bonafide-{name}/http.sock", f"unix:{self.socket}"),
                   ("/var/lib/bonafide/vault", f"{self.shared}/vault"),
                   ("state_dir: /var/lib/bonafide", f"state_dir: {self.shared}"),
                   ("postgresql://bonafide@db.example.com/bonafide?sslmode=verify-full", self.store_url),
                   ("/etc/bonafide/master.key", f"{self.shared}/master.key"),
                   ("/etc/bonafide/audit.key", f"{self.shared}/audit.key"))
        self.config = {"listen": [None]}
        more = ("workers: {count: 1, queue: 16}\nwebhooks: {allow_private: true, allow_http: true}\n"
                "rates: {per_key: {per_second: 0, burst: 1}, per_address: {per_second: 0, burst: 1},"
                " per_subject: {per_second: 0, burst: 1}}\n")
        self.path.write_text(text + more, encoding="utf-8")

    @property
    def socket(self):
        return self.folder / "http.sock"


class Nginx:
    """nginx with the configuration that ships."""

    def __init__(self, folder, replicas):
        self.folder = folder / "nginx"
        self.folder.mkdir()
        self.port, self.plain_port = postgres.free_port(), postgres.free_port()
        self.make_certificate(self.folder)
        text = put(shipped("nginx.conf"),
                   # Without root there is only one user; with root, the test's folder is root's.
                   ("user www-data;", "user root;" if os.geteuid() == 0 else ""),
                   ("pid /run/nginx.pid;", f"pid {self.folder}/pid; daemon off;"),
                   ("/var/log/nginx", str(self.folder)),
                   ("listen 80 default_server", f"listen 127.0.0.1:{self.plain_port} default_server"),
                   ("listen 443 ssl", f"listen 127.0.0.1:{self.port} ssl"),
                   ("/etc/bonafide/tls", f"{self.folder}/tls"),
                   *[(f"/run/bonafide-replica-{one.number}/http.sock", str(one.socket)) for one in replicas])
        temporary = "".join(f"{kind}_temp_path {self.folder}/{kind};\n"
                            for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        text = put(text, ("http {\n", "http {\n" + temporary))
        self.path = self.folder / "nginx.conf"
        self.path.write_text(text, encoding="utf-8")
        command = [NGINX, "-e", self.folder / "error.log", "-c", self.path]
        checked = subprocess.run([*command, "-t"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                 check=False)
        if checked.returncode != 0:
            raise AssertionError(checked.stdout)
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL)
        end = time.monotonic() + START_S
        while True:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1):
                break
            if time.monotonic() > end or self.process.poll() is not None:
                raise AssertionError("nginx did not start: " + (self.folder / "error.log").read_text())
            time.sleep(0.05)
        self.context = ssl.create_default_context(cafile=self.folder / "tls.pem")

    @staticmethod
    def make_certificate(folder):
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                        "-days", "1", "-subj", "/CN=bonafide.example.com", "-addext",
                        "subjectAltName=DNS:bonafide.example.com", "-keyout", folder / "tls.key", "-out",
                        folder / "tls.pem"], check=True, stderr=subprocess.DEVNULL)
        (folder / "tls.key").chmod(0o600)

    def stop(self):
        self.process.send_signal(signal.SIGQUIT)
        self.process.wait(START_S)

    def connection(self):
        """TLS to the name that the certificate is for, on 127.0.0.1."""
        made = http.client.HTTPSConnection("bonafide.example.com", self.port, timeout=60, context=self.context)
        made._create_connection = lambda address, *rest, **more: socket.create_connection(
            ("127.0.0.1", address[1]), timeout=60)
        return made


class Deployment:
    """Everything, started once for all cases."""

    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="bonafide-deploy-", dir="/tmp"))
        self.cluster = postgres.Cluster()
        self.url = self.cluster.create_database("bonafide")
        self.replicas = [Replica(number, self.folder, self.url) for number in (1, 2)]
        self.nginx = Nginx(self.folder, self.replicas)
        self.key = self.replicas[0].key("integrator")
        self.operator = self.replicas[0].key("operator")
        self.auditor = self.replicas[0].key("auditor")

    def stop(self):
        self.nginx.stop()
        for replica in self.replicas:
            replica.stop()
        self.cluster.remove()
        shutil.rmtree(self.folder, ignore_errors=True)

    def ask(self, method, target, key=None, body=None, headers=None):
        """One request through nginx."""
        return self.replicas[0].ask(method, target, key, body, headers, connection=self.nginx.connection())

    def insist(self, method, target, key, body=None, headers=None, ask=None):
        """As a caller should: what failed on its way, or came to a busy server, is sent again under the same
        Idempotency-Key. Through nginx, or by the `ask` of one replica."""
        headers = {"Idempotency-Key": uuid.uuid4().hex, **(headers or {})}
        for _ in range(40):
            with contextlib.suppress(OSError, http.client.HTTPException):
                answer = (ask or self.ask)(method, target, key, body, headers)
                if answer.status < 500 and answer.code != "IDEMPOTENCY_IN_PROGRESS":
                    return answer
            time.sleep(0.25)
        raise AssertionError(f"{method} {target} had no answer")

    def create(self, **more):
        answer = self.insist("POST", "/v1/sessions", self.key, {"flow_type": "account_opening", **more})
        if answer.status != 201:
            raise AssertionError(answer)
        return answer.json

    def session(self, session_id):
        return self.ask("GET", f"/v1/sessions/{session_id}", self.key).json["session"]

    def leaves(self):
        rows = self.cluster.sql("SELECT data FROM audit_leaf ORDER BY idx", "bonafide")
        return [json.loads(line) for line in rows.splitlines()]


def attempt_body(number):
    return {"image": base64.b64encode(grey_picture(number)).decode()}
