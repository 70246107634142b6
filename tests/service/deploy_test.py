"""Two replicas on one PostgreSQL behind nginx, with the files of deploy/ as they ship: no nonce is used twice, no retry
count is lost, and there is one audit sequence."""
import base64
import concurrent.futures
import hashlib
import hmac
import http.client
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import threading
import time
import unittest
import uuid

import yaml

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
import postgres  # noqa: E402
import program  # noqa: E402
import service  # noqa: E402
import tap  # noqa: E402
from deployment import NGINX, Deployment, Nginx, at_once, attempt_body, grey_picture, put, shipped  # noqa: E402


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

    def test_alerts(self):
        """Every series and every value of a label that a rule names is one that a server can have."""
        told = (program.SOURCE / "docs/reference/metrics.md").read_text(encoding="utf-8")
        series = dict(re.findall(r"^\| `(\w+)` \| \w+ \| (.*?) \|", told, re.MULTILINE))
        rules = yaml.safe_load(shipped("alerts.yaml"))["groups"][0]["rules"]
        self.assertGreater(len(rules), 10)
        words = (program.SOURCE / "src/monitor/families.c").read_text(encoding="utf-8") + told + " approve"
        for rule in rules:
            used = re.findall(r"\b((?:bonafide|process)_\w+?)(?:_bucket)?\b(?:\{(\w+)=~?\"([^\"]+)\"\})?", rule["expr"])
            self.assertTrue(used, rule)
            for name, label, values in used:
                self.assertIn(name, series, rule["alert"])
                if label:
                    self.assertIn(f"`{label}`", series[name], rule["alert"])
                for value in filter(None, values.split("|")):
                    self.assertRegex(words, rf"\b{value}\b", rule["alert"])

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
                answer = self.all.insist("POST", f"/v1/sessions/{session}/attempts", token,
                                         attempt_body(100 * number + len(answers)), ask=replica.ask)
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
        return set((self.all.folder / "vault").glob("[0-9a-f][0-9a-f]/*"))

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
