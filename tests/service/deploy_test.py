"""Two replicas on one PostgreSQL behind nginx, with the files of deploy/ as they ship: no nonce is used twice, no retry
count is lost, and there is one audit sequence."""
import base64
import concurrent.futures
import contextlib
import hashlib
import hmac
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
import sys
import tempfile
import threading
import time
import unittest
import uuid
import zlib

import yaml

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
import postgres  # noqa: E402
import program  # noqa: E402
import service  # noqa: E402
import tap  # noqa: E402

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
        more = ("workers: {count: 1}\nwebhooks: {allow_private: true, allow_http: true}\n"
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

    def insist(self, method, target, key, body=None, headers=None):
        """As a caller should: what failed on its way is sent again, under the same Idempotency-Key."""
        headers = {"Idempotency-Key": uuid.uuid4().hex, **(headers or {})}
        for _ in range(40):
            with contextlib.suppress(OSError, http.client.HTTPException):
                answer = self.ask(method, target, key, body, headers)
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


class Files(unittest.TestCase):
    """What ships, as far as it can be checked without the systems that it is for."""

    def check_config(self, text, *changes):
        folder = program.scratch()
        Nginx.make_certificate(folder)
        text = put(text, ("/var/lib/bonafide", f"{folder}/state"), *[(old, str(folder / new)) for old, new in changes])
        (folder / "bonafide.yaml").write_text(text, encoding="utf-8")
        done = program.run("serve", "--check", "--create", "--config", folder / "bonafide.yaml")
        self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_the_configuration_of_one_machine(self):
        self.check_config(shipped("main.yaml"), ("/etc/bonafide/tls", "tls"), ("/etc/bonafide/master", "master"),
                          ("/etc/bonafide/audit", "audit"))

    def test_the_configuration_of_containers(self):
        self.check_config(shipped("container.yaml"), ("/run/secrets/bonafide/master", "master"),
                          ("/run/secrets/bonafide/audit", "audit"))

    def test_kubernetes(self):
        parts = list(yaml.safe_load_all(shipped("kubernetes/bonafide.yaml")))
        by_kind = {part["kind"]: part for part in parts}
        self.assertEqual(len(by_kind), len(parts))
        self.assertEqual(yaml.safe_load(by_kind["ConfigMap"]["data"]["bonafide.yaml"]),
                         yaml.safe_load(shipped("container.yaml")))
        pod = by_kind["Deployment"]["spec"]["template"]["spec"]
        container = pod["containers"][0]
        volumes = {volume["name"] for volume in pod["volumes"]}
        self.assertEqual({mount["name"] for mount in container["volumeMounts"]}, volumes)
        labels = by_kind["Deployment"]["spec"]["template"]["metadata"]["labels"]
        for kind in ("Service", "PodDisruptionBudget", "NetworkPolicy"):
            spec = by_kind[kind]["spec"]
            selector = spec.get("selector") or spec.get("podSelector")
            self.assertEqual(selector.get("matchLabels", selector), labels)

    def test_compose(self):
        services = yaml.safe_load(shipped("compose.yaml"))["services"]
        self.assertEqual(set(services), {"postgres", "replica-1", "replica-2", "nginx"})
        # The command that adapts nginx.conf has to find what it replaces.
        self.assertIn("unix:/run/bonafide-replica-1/http.sock", shipped("nginx.conf"))
        for name in ("replica-1", "replica-2"):
            self.assertIn("./container.yaml:/etc/bonafide/bonafide.yaml:ro", services[name]["volumes"])

    def test_the_unit(self):
        """Where systemd is there to be asked; set-up does not bring it."""
        if not shutil.which("systemd-analyze"):
            return
        folder = program.scratch()
        unit = put(shipped("systemd/bonafide@.service"), ("/usr/local/bin/bonafide", str(program.PROGRAM)))
        (folder / "bonafide@.service").write_text(unit, encoding="utf-8")
        done = subprocess.run(["systemd-analyze", "verify", "--man=no", "--recursive-errors=no",
                               folder / "bonafide@.service"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True, check=False)
        self.assertEqual((done.returncode, done.stdout), (0, ""))


@unittest.skipUnless(NGINX and postgres.available() and program.has_weights(), "needs nginx, PostgreSQL and networks")
class TwoReplicas(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.all = Deployment()
        cls.addClassCleanup(cls.all.stop)

    def test_through_nginx(self):
        self.assertEqual(self.all.ask("GET", "/healthz").status, 200)
        ready = self.all.ask("GET", "/readyz")
        self.assertEqual((ready.status, ready.json["status"]), (200, "ready"), ready)
        self.assertEqual(ready.headers["Strict-Transport-Security"], "max-age=31536000")
        self.assertEqual(self.all.ask("GET", "/v1/sessions/none", self.all.key).status, 404)
        metrics = self.all.ask("GET", "/metrics", self.all.operator)
        self.assertEqual(metrics.status, 200)
        self.assertIn(b"bonafide_ready 1\n", metrics.body)
        plain = http.client.HTTPConnection("127.0.0.1", self.all.nginx.plain_port, timeout=10)
        plain.request("GET", "/v1/sessions/none")
        self.assertEqual(plain.getresponse().status, 301)

    def test_the_person_is_told_apart_by_address(self):
        """nginx says who is asking; what the client claims about that is not believed."""
        self.all.ask("GET", "/v1/sessions/none", self.all.key, headers={"X-Forwarded-For": "203.0.113.9",
                                                                        "X-Request-ID": "told-apart"})
        text = "".join(one.log_text() for one in self.all.replicas)
        line = [line for line in text.splitlines() if "told-apart" in line]
        self.assertEqual(len(line), 1)
        self.assertNotIn("203.0.113.9", line[0])

    def test_no_photo_is_written_to_disk_by_nginx(self):
        made = self.all.create()
        big = grey_picture(1) + bytes(5 << 20)
        self.all.insist("POST", f"/v1/sessions/{made['session']['id']}/attempts", made["client_token"],
                        {"image": base64.b64encode(big).decode()})
        self.assertEqual([path for path in (self.all.nginx.folder / "client_body").rglob("*") if path.is_file()], [])
        self.assertNotIn("buffered to a temporary file", (self.all.nginx.folder / "error.log").read_text())

    def test_sessions_through_both(self):
        """Each attempt goes to the other replica; no count is lost, whichever replica is asked."""
        def way(number):
            made = self.all.create()
            token, session = made["client_token"], made["session"]["id"]
            answers = []
            while token and len(answers) < 20:
                replica = self.all.replicas[(number + len(answers)) % 2]
                answer = replica.ask("POST", f"/v1/sessions/{session}/attempts", token,
                                     attempt_body(100 * number + len(answers)))
                self.assertEqual(answer.status, 200, answer)
                answers.append(answer.json)
                token = answer.json["client_token"]
            return session, answers
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            ways = list(pool.map(way, range(8)))
        for session, answers in ways:
            self.assertGreater(len(answers), 1)
            states = [one.ask("GET", f"/v1/sessions/{session}", self.all.key).json for one in self.all.replicas]
            self.assertEqual(states[0]["session"], states[1]["session"])
            told = states[0]["session"]
            self.assertEqual(told["state"], "COMPLETED")
            self.assertEqual(told["attempts_made"], len(answers))
            self.assertEqual(told["quality_retries"] + told["uncertain_retries"] + 1, len(answers))
            self.assertEqual([one["attempt"] for one in states[0]["attempts"]], list(range(1, len(answers) + 1)))

    def test_a_token_is_good_once(self):
        made = self.all.create()
        target = f"/v1/sessions/{made['session']['id']}/attempts"
        answers = at_once([lambda n=n: self.all.replicas[n % 2].ask("POST", target, made["client_token"],
                                                                    attempt_body(n)) for n in range(12)])
        taken = [answer for answer in answers if answer.status == 200]
        refused = [answer.code for answer in answers if answer.status != 200]
        self.assertEqual(len(taken), 1, answers)
        self.assertLessEqual(set(refused), {"ATTEMPT_IN_PROGRESS", "ATTEMPT_REPLAYED"})
        told = self.all.session(made["session"]["id"])
        self.assertEqual((told["attempts_made"], told["quality_retries"]), (1, 1))
        self.assertEqual(told["replays"], refused.count("ATTEMPT_REPLAYED"))

    def test_a_nonce_is_good_once(self):
        made = self.all.replicas[0].run("keys", "create", "--client", "acme", "--role", "integrator", "--signed")
        key = re.search(r"bf_[0-9a-f]+_[0-9a-f]+", made.stdout).group(0)
        secret = bytes.fromhex(re.search(r"bfs_([0-9a-f]{64})", made.stdout).group(1))

        def signed(nonce):
            now, target = int(time.time() * 1000), "/v1/sessions/none"
            text = f"bonafide-request-v1\nGET\n{target}\n{now}\n{nonce}\n{hashlib.sha256(b'').hexdigest()}"
            mac = hmac.new(secret, text.encode(), hashlib.sha256).hexdigest()
            return target, {"Bonafide-Signature": f"t={now}, n={nonce}, v1={mac}"}
        for number in range(5):
            target, headers = signed(f"nonce-of-the-test-{number}")
            answers = at_once([lambda n=n: self.all.replicas[n % 2].ask("GET", target, key, headers=headers)
                               for n in range(10)])
            codes = sorted(answer.code for answer in answers)
            self.assertEqual(codes, ["NOT_FOUND"] + ["SIGNATURE_INVALID"] * 9)
        self.assertEqual(self.all.ask("GET", target, key).code, "SIGNATURE_INVALID")

    def test_an_idempotency_key_makes_one_session(self):
        name, body = uuid.uuid4().hex, {"flow_type": "account_opening", "subject": "twice"}
        calls = [lambda n=n: self.all.replicas[n % 2].ask("POST", "/v1/sessions", self.all.key, body,
                                                          {"Idempotency-Key": name}) for n in range(12)]
        answers = at_once(calls)
        made = {answer.json["session"]["id"] for answer in answers if answer.status == 201}
        others = {answer.code for answer in answers if answer.status != 201}
        self.assertEqual(len(made), 1)
        self.assertLessEqual(others, {"IDEMPOTENCY_IN_PROGRESS"})
        self.assertEqual(self.all.cluster.sql("SELECT COUNT(*) FROM session WHERE subject = 'twice'", "bonafide"), "1")

    def test_webhooks_come_once(self):
        secret_of = self.all.replicas[0].run("keys", "create", "--client", "hooked", "--role", "integrator").stdout
        key = re.search(r"bf_[0-9a-f]+_[0-9a-f]+", secret_of).group(0)
        secret = re.search(r"bfs_([0-9a-f]{64})", secret_of).group(1)
        log = self.all.folder / "webhooks"
        receiver = subprocess.Popen([sys.executable, program.SOURCE / "tests/unit/webhook_receiver.py", log, secret],
                                    stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        port = int(receiver.stdout.readline())
        ended = set()
        for _ in range(12):
            made = self.all.insist("POST", "/v1/sessions", key, {
                "flow_type": "account_opening", "webhook": {"url": f"http://127.0.0.1:{port}/ok"}}).json
            self.assertEqual(self.all.insist("DELETE", f"/v1/sessions/{made['session']['id']}", key).status, 200)
        for _ in range(6):
            made = self.all.insist("POST", "/v1/sessions", key, {
                "flow_type": "account_opening", "webhook": {"url": f"http://127.0.0.1:{port}/ok"}}).json
            ended.add(made["session"]["id"])
            token = made["client_token"]
            while token:
                token = self.all.insist("POST", f"/v1/sessions/{made['session']['id']}/attempts", token,
                                        attempt_body(len(ended))).json["client_token"]
        end = time.monotonic() + 20
        told = []
        while time.monotonic() < end and len({entry["id"] for entry in told}) < len(ended):
            time.sleep(0.1)
            told = [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []
        time.sleep(1.5)
        told = [json.loads(line) for line in log.read_text().splitlines()]
        receiver.stdin.close()
        receiver.wait(10)
        receiver.stdout.close()
        self.assertTrue(all(entry["signed"] for entry in told))
        bodies = [json.loads(entry["body"]) for entry in told]
        self.assertEqual(sorted(body["session_id"] for body in bodies if body["session_id"] in ended), sorted(ended))

    def files(self):
        return {path for path in (self.all.folder / "vault").rglob("*") if path.is_file()}

    def test_media_is_kept_and_erased(self):
        """What one replica stores the other reads and erases."""
        one, two = self.all.replicas
        before = self.files()
        made = self.all.create(retain="days", retain_days=3,
                               reference=base64.b64encode(service.sample("person-1-other.jpg")).decode())
        target = f"/v1/sessions/{made['session']['id']}"
        self.assertEqual(len(self.files() - before), 1)
        photo = service.sample("person-1.jpg")
        answer = two.ask("POST", f"{target}/attempts", made["client_token"], [("image", photo)])
        self.assertEqual(answer.status, 200, answer)
        record = one.ask("GET", target, self.all.key).json["attempts"][0]["record"]
        self.assertEqual(record["match"]["outcome"], "strong")
        kept = self.files() - before
        self.assertEqual(len(kept), 2)
        for path in kept:
            stored = path.read_bytes()
            self.assertTrue(stored.startswith(b"BFVAULT1"))
            self.assertNotIn(photo[200:232], stored)
        self.assertEqual(two.ask("DELETE", target, self.all.key).status, 200)
        self.assertEqual(self.files(), before)
        for table in ("vault_key", "vault_object", "vault_trash"):
            count = self.all.cluster.sql(f"SELECT COUNT(*) FROM {table} WHERE session_id = '{made['session']['id']}'",
                                         "bonafide")
            self.assertEqual(count, "0", table)

    def test_zz_the_master_key_is_changed(self):
        """As docs/reference/vault.md says: stopped, rotated, started with the other key."""
        one, two = self.all.replicas
        made = self.all.create(retain="days", retain_days=3,
                               reference=base64.b64encode(service.sample("person-1-other.jpg")).decode())
        old, new = self.all.folder / "master.key", self.all.folder / "master-2.key"
        refused = one.run("vault", "rotate-key", "--create", "--new-key", str(new), check=False)
        self.assertEqual(refused.returncode, 70)
        self.assertIn("is in use", refused.stderr)
        one.stop()
        two.stop()
        self.assertIn("1 session keys", one.run("vault", "rotate-key", "--new-key", str(new)).stdout)
        with self.assertRaises(AssertionError):
            one.start()
        self.assertIn("another master key", one.log_text())
        os.replace(new, old)
        one.start()
        two.start()
        target = f"/v1/sessions/{made['session']['id']}"
        # The token followed from the old key; the reference can be read by the new one.
        self.assertEqual(one.ask("POST", f"{target}/attempts", made["client_token"], attempt_body(1)).code,
                         "UNAUTHENTICATED")
        answer = two.ask("POST", "/v1/liveness", self.all.key,
                         [("session_id", made["session"]["id"]), ("image", service.sample("person-1.jpg"))])
        self.assertEqual((answer.status, answer.json["match"]["outcome"]), (200, "strong"), answer)

    def test_replicas_come_and_go(self):
        """One replica is stopped in order, then the other killed, under load; callers who repeat see nothing."""
        stop, made, failures = threading.Event(), [], []

        def load():
            while not stop.is_set():
                try:
                    made.append(self.all.create()["session"]["id"])
                except Exception as error:  # noqa: BLE001: told below
                    failures.append(repr(error))
                    return
        threads = [threading.Thread(target=load) for _ in range(4)]
        for thread in threads:
            thread.start()
        try:
            one, two = self.all.replicas
            for action, replica in ((one.stop, one), (two.kill, two)):
                time.sleep(0.5)
                action()
                time.sleep(0.5)
                replica.start()
            time.sleep(0.5)
        finally:
            stop.set()
            for thread in threads:
                thread.join(60)
        self.assertEqual(failures, [])
        self.assertGreater(len(made), 20)
        self.assertEqual(len(set(made)), len(made))
        known = set(self.all.cluster.sql("SELECT id FROM session", "bonafide").splitlines())
        self.assertLessEqual(set(made), known)

    def test_zzz_one_audit_sequence(self):
        """After all of the above."""
        leaves = self.all.leaves()
        self.assertEqual([leaf["index"] for leaf in leaves], list(range(len(leaves))))
        times = [leaf["at"] for leaf in leaves]
        self.assertEqual(times, sorted(times))
        created = [leaf for leaf in leaves if leaf["kind"] == "session_created"]
        sessions = self.all.cluster.sql("SELECT COUNT(*) FROM session", "bonafide")
        self.assertEqual(len(created), int(sessions))
        decided = [leaf for leaf in leaves if leaf["kind"] == "decision"]
        self.assertEqual(len(decided), int(self.all.cluster.sql("SELECT COUNT(*) FROM decision", "bonafide")))
        checkpoints = [one.ask("GET", "/v1/audit/checkpoint", self.all.auditor).json for one in self.all.replicas]
        self.assertEqual(checkpoints[0]["checkpoint"], checkpoints[1]["checkpoint"])
        self.assertEqual(checkpoints[0]["size"], len(leaves))


tap.main()
