"""What goes wrong around a server, one thing at a time: workers, disk, database, clock, certificate, models, signals.

usage: failure_test.py [PART]    (only cases with PART in their names)
"""
import contextlib
import json
import os
import pathlib
import signal
import sqlite3
import ssl
import struct
import subprocess
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
import mixed_load  # noqa: E402
import processes  # noqa: E402
import program  # noqa: E402
import rig  # noqa: E402
import service  # noqa: E402
import tap  # noqa: E402
from http_client import Lost  # noqa: E402

PATIENCE_S = 15
BEGUN_MS = 20   # of processor time: taking a job costs much less, judging an enlarged photo much more
CLOCK_SHIM = program.BUILD / "tests/survive/libclock_shim.so"


class WithServer(tap.Findings):
    SETTINGS = {}

    def setUp(self):
        if not program.has_weights():
            self.skipTest("the networks are not in the cache")
        photos = rig.photos("person-1.jpg", "person-2.jpg", "person-4.jpg")
        if not photos:
            self.skipTest("there are no sample photos")
        self.photos = photos
        self.rig = rig.Rig(**self.SETTINGS)
        self.addCleanup(self.rig.kill)

    def started(self):
        self.rig.start()
        self.client = self.rig.client()
        return self.rig

    def judge(self, picture=None, name=None):
        return self.client.ask("POST", "/v1/liveness", service.form([("image", picture or self.photos[0])]),
                               X_Request_ID=name, Idempotency_Key=name)

    def in_background(self, *arguments):
        """Judges in a thread; a list that will hold the answer, and the thread."""
        answers = []

        def work():
            try:
                answers.append(self.judge(*arguments))
            except Lost as problem:
                answers.append(problem)
            self.client.close()
        thread = threading.Thread(target=work, daemon=True)
        thread.start()
        return answers, thread

    def judged_again(self, seconds=PATIENCE_S):
        """Asks until a judgement succeeds; the answers until then."""
        until, answers = time.monotonic() + seconds, []
        while time.monotonic() < until:
            try:
                answers.append(self.judge())
            except Lost as problem:
                self.fail(f"a server that should be there is not: {problem}\n{self.rig.tail()}")
            if answers[-1].status == 200:
                return answers
            time.sleep(0.1)
        self.fail(f"no judgement within {seconds} s: {answers[-1]!r}\n{self.rig.tail()}")

    def ready(self):
        return self.rig.client(None).ask("GET", "/readyz")

    def wait_for(self, what, condition, seconds=PATIENCE_S, pause_s=0.05):
        until = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > until:
                self.fail(f"not within {seconds} s: {what}\n{self.rig.tail()}")
            time.sleep(pause_s)

    def assert_refused(self, answer, code, retryable=True):
        self.assertNotIsInstance(answer, Lost)
        self.assertEqual((answer.status, answer.code), (503, code), answer)
        self.assertIs(answer.json["error"]["retryable"], retryable)

    def assert_decided(self, name, answer):
        """The server has the decision that this answer was."""
        self.assertIsNone(mixed_load.decision_problem(self.client, mixed_load.judgement(b"", name), answer))

    def assert_log_verifies(self):
        problem = self.rig.audit_problem()
        self.assertIsNone(problem, problem)


class Workers(WithServer):
    SETTINGS = {"workers": {"count": 1, "job_ms": 4000}}

    def kill_while_it_judges(self, picture, name=None):
        """Kills the one worker when it has certainly begun: when it has used processor time for this picture."""
        self.wait_for("a worker", lambda: processes.workers(self.rig.pid))
        worker = processes.workers(self.rig.pid)[0]
        before = processes.run_ms(worker)
        answers, thread = self.in_background(picture, name)
        self.wait_for("the worker to begin", lambda: processes.run_ms(worker) > before + BEGUN_MS, pause_s=0.001)
        os.kill(worker, signal.SIGKILL)
        thread.join(PATIENCE_S)
        self.assertEqual(len(answers), 1, "no answer")
        return answers[0]

    def test_a_worker_killed_while_it_judges_costs_one_request(self):
        self.started()
        self.assertEqual(self.judge().status, 200)
        large = rig.enlarged(self.photos[0])
        answer = self.kill_while_it_judges(large, "killed-1")
        self.assert_refused(answer, "WORKER_LOST")
        again = self.judged_again()
        self.assertLessEqual(len(again), 20)
        self.assertEqual(self.judge(large, "killed-1").status, 200, "the same request, sent again")
        self.assert_log_verifies()

    def test_a_stuck_worker_is_replaced(self):
        self.started()
        worker = processes.workers(self.rig.pid)[0]
        os.kill(worker, signal.SIGSTOP)
        began = time.monotonic()
        self.assert_refused(self.judge(), "WORKER_LOST")
        self.assertLess(time.monotonic() - began, 4 + 3)
        self.judged_again()
        self.assertFalse(processes.alive(worker))

    def test_a_poisoned_input_is_quarantined(self):
        self.started()
        poison = rig.enlarged(self.photos[1])
        for _ in range(2):
            self.assert_refused(self.kill_while_it_judges(poison), "WORKER_LOST")
            self.judged_again()
        worker = processes.workers(self.rig.pid)
        answer = self.judge(poison)
        self.assertNotEqual(answer.status, 200)
        self.assertEqual(answer.code, "INPUT_QUARANTINED", answer)
        self.assertIs(answer.json["error"]["retryable"], False)
        self.assertEqual(processes.workers(self.rig.pid), worker, "no worker saw it")
        self.assertEqual(self.judge(self.photos[0]).status, 200, "other pictures are judged")
        self.rig.stop()
        self.rig.start()
        self.client.close()
        self.assertEqual(self.judge(poison).code, "INPUT_QUARANTINED", "remembered by the store")
        self.assert_log_verifies()

    def test_a_killed_nursery_is_replaced(self):
        self.started()
        nursery = processes.nursery(self.rig.pid)
        os.kill(nursery, signal.SIGKILL)
        self.judged_again()
        self.assertEqual(processes.wait_gone([nursery], 2), [])
        self.wait_for("readiness", lambda: self.ready().status == 200)


class Disk(WithServer):
    def setUp(self):
        super().setUp()
        if os.geteuid() != 0:
            self.skipTest("only root can mount a small disk")
        state = self.rig.folder / "state"
        state.mkdir(mode=0o700)
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=6m,mode=0700", "tmpfs", str(state)], check=False,
                              stderr=subprocess.DEVNULL)
        if done.returncode != 0:
            self.skipTest("this machine mounts nothing")
        self.addCleanup(subprocess.run, ["umount", str(state)], check=False)
        self.addCleanup(self.rig.kill)
        self.state = state

    def fill(self):
        filler = self.state / "filler"
        with contextlib.suppress(OSError), open(filler, "wb", buffering=0) as out:
            while True:
                out.write(bytes(4096))
        return filler

    def test_a_full_disk_refuses_and_forgets_nothing(self):
        self.started()
        kept = [(f"before-{n}", self.judge(mixed_load.NO_PICTURE, f"before-{n}")) for n in range(20)]
        filler = self.fill()
        refused = None
        for number in range(400):
            answer = self.judge(mixed_load.NO_PICTURE, f"full-{number}")
            if answer.status == 503:
                refused = answer
                break
            kept.append((f"full-{number}", answer))
        self.assertIsNotNone(refused, "a full disk was not noticed")
        self.assert_refused(refused, "STORE_UNAVAILABLE")
        self.wait_for("readiness to say so", lambda: self.ready().status == 503)
        self.assertNotEqual(self.ready().json["checks"]["store"], "ok")
        self.assertEqual(self.rig.client(None).ask("GET", "/healthz").status, 200)
        filler.unlink()
        self.judged_again()
        self.wait_for("readiness", lambda: self.ready().status == 200)
        for name, answer in kept:
            self.assert_decided(name, answer)
        self.assert_log_verifies()


class Database(WithServer):
    def lock(self):
        other = sqlite3.connect(self.rig.folder / "state" / "bonafide.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        return other

    def test_a_short_lock_is_waited_for(self):
        self.started()
        other = self.lock()
        answers, thread = self.in_background()
        time.sleep(1)
        self.assertEqual(answers, [])
        other.rollback()
        thread.join(PATIENCE_S)
        self.assertEqual(answers[0].status, 200, answers)

    def test_a_long_lock_is_refused_and_then_over(self):
        self.started()
        other = self.lock()
        self.assert_refused(self.judge(None, "locked"), "STORE_UNAVAILABLE")
        self.assertEqual(self.ready().status, 503)
        other.rollback()
        other.close()
        self.judged_again()
        self.assertEqual(self.judge(None, "locked").status, 200)
        self.wait_for("readiness", lambda: self.ready().status == 200)
        self.assert_log_verifies()


class Clock(WithServer):
    def setUp(self):
        super().setUp()
        self.told = self.rig.folder / "clock"
        self.told.write_bytes(bytes(8))
        self.rig.environment.update({"LD_PRELOAD": str(CLOCK_SHIM), "CLOCK_SHIM_FILE": str(self.told)})

    def set_clock(self, seconds):
        """So much off the real time."""
        with open(self.told, "r+b") as out:
            out.write(struct.pack("q", 1000 * seconds))

    def assert_told(self, text):
        """What readiness says of the clock; the first who asks after a jump also brings it into the log."""
        self.assertEqual(self.ready().json["checks"]["clock"], text)
        self.rig.wait_log("clock")

    def open_session(self):
        answer = self.client.ask("POST", "/v1/sessions", {"flow_type": "account_opening", "channel": "mobile_web"})
        self.assertEqual(answer.status, 201, answer)
        return answer.json

    def attempt(self, session):
        return self.client.ask("POST", f"/v1/sessions/{session['session']['id']}/attempts",
                               service.form([("image", self.photos[0])]), key=session["client_token"])

    def test_a_jump_forward_ends_sessions_and_nothing_else(self):
        self.started()
        session = self.open_session()
        self.assertEqual(self.judge().status, 200)
        self.set_clock(3 * 3600)
        self.assert_told("the clock was set a moment ago")
        answer = self.attempt(session)
        self.assertEqual(answer.code, "SESSION_EXPIRED", answer)
        self.assertEqual(self.judge().status, 200)
        self.assertEqual(self.attempt(self.open_session()).status, 200)
        self.wait_for("the session's end", lambda: self.client.ask(
            "GET", "/v1/sessions/" + session["session"]["id"]).json["session"]["state"] == "EXPIRED")
        self.assert_log_verifies()

    def test_a_jump_backward_loses_nothing(self):
        self.started()
        session = self.open_session()
        before = self.judge(None, "before")
        self.set_clock(-26 * 3600)
        self.assert_told("the clock is behind the audit log")
        self.assertEqual(self.attempt(session).status, 200)
        self.assertEqual(self.judge(None, "before").body, before.body, "the idempotency key still holds")
        self.assertEqual(self.judge(None, "after").status, 200)
        self.assert_decided("after", self.judge(None, "after"))
        self.set_clock(0)
        self.assertEqual(self.judge().status, 200)
        self.assert_log_verifies()

    def test_a_clock_that_was_never_set_is_not_ready(self):
        self.started()
        self.set_clock(-30 * 365 * 86400)
        self.wait_for("readiness to say so", lambda: self.ready().status == 503)
        self.assertNotEqual(self.ready().json["checks"]["clock"], "ok")
        self.set_clock(0)
        self.wait_for("readiness", lambda: self.ready().status == 200)
        self.judged_again()


class Certificate(WithServer):
    def setUp(self):
        super().setUp()
        self.files = [self.rig.folder / "tls.pem", self.rig.folder / "tls.key"]
        self.rig.tls = ssl.create_default_context()
        self.rig.tls.check_hostname, self.rig.tls.verify_mode = False, ssl.CERT_NONE
        self.rig.config["tls"] = {"certificate": str(self.files[0]), "key": str(self.files[1])}
        self.rig.write_config()

    def certificate(self, name, days):
        """Makes a certificate that ends so many days from now; days may be negative."""
        template = self.rig.folder / "tls.template"
        ends = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(time.time() + 86400 * days))
        begins = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(time.time() - 86400 * 900))
        template.write_text(f"cn = \"{name}\"\ndns_name = localhost\nactivation_date = \"{begins}\"\n"
                            f"expiration_date = \"{ends}\"\ntls_www_server\n")
        for command in (["--generate-privkey", "--key-type", "ecdsa", "--outfile", str(self.files[1])],
                        ["--generate-self-signed", "--load-privkey", str(self.files[1]), "--template", str(template),
                         "--outfile", str(self.files[0])]):
            subprocess.run(["certtool", *command], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def served(self):
        with ssl.create_connection(("127.0.0.1", self.rig.port), 5) as plain, \
                self.rig.tls.wrap_socket(plain) as secure:
            return secure.getpeercert(True)

    def test_an_expired_certificate_is_told_and_replaced_without_a_restart(self):
        self.certificate("old", -1)
        service.Server.start(self.rig)
        self.client = self.rig.client()
        answer = self.ready()
        self.assertEqual(answer.status, 503)
        self.assertIn("expired", answer.json["checks"]["certificate"])
        before = self.served()
        self.certificate("new", 30)
        self.rig.reload()
        self.wait_for("the new certificate", lambda: self.served() != before)
        self.wait_for("readiness", lambda: self.ready().status == 200)
        self.assertEqual(self.judge().status, 200)


class Models(WithServer):
    def setUp(self):
        super().setUp()
        self.weights = self.rig.folder / "weights"
        self.weights.mkdir()
        for path in program.WEIGHTS.iterdir():
            (self.weights / path.name).symlink_to(path)
        self.rig.config["engine"] = {"data": str(program.SOURCE), "weights": str(self.weights)}
        self.rig.write_config()

    def test_a_removed_model_is_told_at_reload_and_refused_at_start(self):
        self.started()
        for path in self.weights.iterdir():
            path.unlink()
        self.assertEqual(self.judge().status, 200, "what is loaded stays")
        self.rig.reload()
        self.assertIn(str(self.weights), json.dumps(self.rig.wait_log("reload_failed")))
        self.assertEqual(self.judge().status, 200, "the old models stay in service")
        worker = processes.workers(self.rig.pid)[0]
        os.kill(worker, signal.SIGKILL)
        self.judged_again()
        self.rig.stop()
        self.assertIn(str(self.weights), self.rig.refuses_to_start())


class Signals(WithServer):
    def test_a_reload_under_load_drops_nothing(self):
        self.started()
        load = mixed_load.Load(self.rig.client(), self.photos, "reload", {"ATTEMPT_IN_PROGRESS", *mixed_load.OVER})
        load.start(6)
        before = processes.nursery(self.rig.pid)
        for number in range(3):
            time.sleep(0.3)
            self.rig.reload()
            self.rig.wait_log("reloaded", number + 1)
        load.stop()
        self.assertEqual(load.ledger.counts["lost"], 0, f"{load.ledger.counts}\n{self.rig.tail()}")
        self.assert_none(load.ledger.strange)
        self.assertGreater(len(load.ledger.answered), 20)
        self.wait_for("the old engine's end", lambda: not processes.alive(before))
        found = [mixed_load.decision_problem(self.client, *pair) for pair in load.ledger.decisions()]
        self.assert_none([problem for problem in found if problem])

    def test_the_drain_finishes_what_is_under_way(self):
        self.started()
        before = processes.tree(self.rig.pid)
        pending = [self.in_background(self.photos[n % len(self.photos)], f"drain-{n}") for n in range(8)]
        time.sleep(0.05)
        began = time.monotonic()
        self.assertEqual(self.rig.stop(), 0, self.rig.tail())
        self.assertLess(time.monotonic() - began, 10)
        for _, thread in pending:
            thread.join(PATIENCE_S)
        answers = [answer for got, _ in pending for answer in got]
        done = [answer for answer in answers if not isinstance(answer, Lost) and answer.status == 200]
        self.assertEqual(len(answers), 8)
        self.assertGreaterEqual(len(done), 2, answers)
        for answer in answers:
            self.assertNotIsInstance(answer, Lost)
            if answer.status != 200:
                self.assert_refused(answer, "SHUTTING_DOWN")
        self.assertEqual(processes.wait_gone(before, 2), [])
        self.rig.start()
        for answer in done:
            self.assert_decided(answer.json["request_id"], answer)


class Overload(WithServer):
    SETTINGS = {"workers": {"queue": 2}}

    def test_more_than_fits_is_refused_at_once(self):
        self.started()
        pending = [self.in_background(self.photos[n % len(self.photos)]) for n in range(24)]
        for _, thread in pending:
            thread.join(PATIENCE_S)
        answers = [answer for got, _ in pending for answer in got]
        refused = [answer for answer in answers if answer.status != 200]
        self.assertEqual(len(answers), 24)
        self.assertGreaterEqual(len(answers) - len(refused), 4, "two in work, two waiting")
        self.assertGreater(len(refused), 0, "24 at once fit nowhere")
        for answer in refused:
            self.assert_refused(answer, "OVERLOADED")
            self.assertGreaterEqual(int(answer.headers["Retry-After"]), 1)
        took = [line["ms"] for line in self.rig.wait_log("request") if line.get("code") == "OVERLOADED"]
        self.assertLess(min(took), 50, "a refusal does not wait for a worker")
        self.judged_again()
        self.assert_log_verifies()


class Postgres(WithServer):
    @classmethod
    def tearDownClass(cls):
        if hasattr(cls, "cluster"):
            cls.cluster.remove()

    def setUp(self):
        super().setUp()
        if not hasattr(Postgres, "cluster"):
            Postgres.cluster = rig.cluster(self)
        url = self.cluster.create_database(self.id().rsplit("_", 1)[1])
        self.rig = rig.Rig(store=url, **self.SETTINGS)
        self.addCleanup(self.rig.kill)

    def refused_until(self, back):
        """What is asked while the database is away, and after `back` has brought it back."""
        began = time.monotonic()
        self.assert_refused(self.judge(None, "away"), "STORE_UNAVAILABLE")
        self.assertLess(time.monotonic() - began, 8, "a refusal takes no longer than the store's time limit")
        self.wait_for("readiness to say so", lambda: self.ready().status == 503)
        self.assertEqual(self.rig.client(None).ask("GET", "/healthz").status, 200)
        back()
        self.judged_again()
        self.wait_for("readiness", lambda: self.ready().status == 200)
        self.assertEqual(self.judge(None, "away").status, 200)
        self.assert_kept("kept")
        self.assert_log_verifies()

    def assert_kept(self, name):
        answer = self.judge(None, name)
        self.assertEqual(answer.body, self.kept.body)
        self.assert_decided(name, answer)

    def test_a_database_that_stops_and_starts(self):
        self.started()
        self.kept = self.judge(None, "kept")
        self.cluster.stop()
        self.refused_until(self.cluster.start)

    def test_a_database_that_is_killed(self):
        self.started()
        self.kept = self.judge(None, "kept")
        self.cluster.kill()
        self.refused_until(self.cluster.start)

    def test_a_database_that_hangs(self):
        self.started()
        self.kept = self.judge(None, "kept")
        self.cluster.pause()
        self.refused_until(self.cluster.resume)


def only(parts):
    """Leaves the cases whose names have all the parts in them."""
    for kind in WithServer.__subclasses__():
        for name in [name for name in dir(kind) if name.startswith("test_")]:
            if not all(part in f"{kind.__name__}.{name}" for part in parts):
                setattr(kind, name, None)


if __name__ == "__main__":
    only(sys.argv[1:])
    tap.main()
