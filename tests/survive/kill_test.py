"""kill -9 at random moments under load, and a new start: nothing that was acknowledged may be missing.

usage: kill_test.py sqlite|postgres [MOMENTS [SEED]]

After each kill and new start: no process of the old server is left; every decision that was acknowledged since the
last kill is there with its record and a proof; the audit log verifies; a request that was answered and is sent again
with its Idempotency-Key gets the first answer, byte for byte. In the end: those that were never answered get an answer
when they are sent again; every session that is open can be finished, or is over by itself.
"""
import pathlib
import random
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
import mixed_load  # noqa: E402
import processes  # noqa: E402
import program  # noqa: E402
import rig  # noqa: E402
import tap  # noqa: E402
from http_client import inclusion_root  # noqa: E402

STORE = sys.argv[1] if len(sys.argv) > 1 else "sqlite"
MOMENTS = int(sys.argv[2]) if len(sys.argv) > 2 else 12
SEED = int(sys.argv[3]) if len(sys.argv) > 3 else 20261125
UNDER_LOAD_S = 0.8   # a kill comes between 0 and this long after the load began
CLIENTS = 6
REPEATS = 6          # idempotency keys that are tried after each kill
JOB_MS = 4000
PATIENCE_S = 45      # how long a claim of a request that was killed may stand in the way
SESSION_S = 20       # the longest life of a session that nobody finishes
QUIET = {"IDEMPOTENCY_IN_PROGRESS", "ATTEMPT_IN_PROGRESS", "OVERLOADED", *mixed_load.OVER}
# What a slow machine may bring now and then. Such a request was refused and is not acknowledged.
SLOW = {"WORKER_LOST", "STORE_UNAVAILABLE"}


class KillNine(tap.Findings):
    def setUp(self):
        if not program.has_weights():
            self.skipTest("the networks are not in the cache")
        self.chance = random.Random(SEED)
        url = None
        if STORE == "postgres":
            cluster = rig.cluster(self)
            self.addCleanup(cluster.remove)
            url = cluster.create_database("killed")
        self.rig = rig.Rig(store=url, workers={"job_ms": JOB_MS},
                           sessions={"token_s": SESSION_S, "session_s": SESSION_S})
        self.rig.start()
        photos = rig.photos("person-1.jpg", "person-2.jpg", "person-4.jpg")
        self.asker = self.rig.client(timeout=10)
        self.load = mixed_load.Load(self.rig.client(timeout=10), photos, SEED, QUIET | SLOW)
        self.began = time.monotonic()

    def tearDown(self):
        if hasattr(self, "rig"):
            self.rig.kill()

    def turn(self):
        """One kill under load and a new start; what is wrong afterwards."""
        self.load.start(CLIENTS, patient=False)
        time.sleep(self.chance.random() * UNDER_LOAD_S)
        before = self.rig.kill()
        self.load.stop()
        left = processes.wait_gone(before, 5)
        found = [f"process {pid} outlived its server" for pid in left]
        self.rig.start()
        self.load.client.close()
        self.asker.close()
        return found

    def check(self, pairs, sessions):
        """What is missing or changed of what was acknowledged."""
        found = [mixed_load.decision_problem(self.asker, *pair) for pair in pairs if pair[0].target != "/v1/sessions"]
        found += [mixed_load.session_problem(self.asker, session) for session in sessions]
        return [problem for problem in found if problem]

    def check_repeats(self):
        answered, found = self.load.ledger.answered, []
        for request, answer in self.chance.sample(answered, min(REPEATS, len(answered))):
            problem = mixed_load.repeat_problem(self.load, request, answer)
            found += [problem] if problem else []
        return found

    def finish_lost(self):
        """Requests without an answer are sent again until they have one: their claims do not stand for ever."""
        ledger, found = self.load.ledger, []
        lost, ledger.lost = ledger.lost, []
        until = time.monotonic() + PATIENCE_S
        for request in lost:
            if request.session is not None:
                continue
            while not mixed_load.accepted(answer := self.load.send(request)) and time.monotonic() < until:
                time.sleep(0.1)
            if not mixed_load.accepted(answer):
                found.append(f"{request.name}: sent again for {PATIENCE_S} s, and still {answer!r}")
        return found

    def finish_sessions(self):
        """Every second open session is finished by attempts, the others have to end by themselves."""
        found, ledger = [], self.load.ledger
        for number, session in enumerate(list(ledger.sessions.values())):
            if session.over or number % 2 and not session.sent:
                continue
            problem = self.finish(session)
            found += [problem] if problem else []
        return found

    def finish(self, session):
        until = time.monotonic() + PATIENCE_S
        while not session.over and time.monotonic() < until:
            if not session.sent:
                session.sent = mixed_load.attempt(session, self.load.photos[0], self.load.name("end"))
            sent = session.sent
            if not mixed_load.accepted(self.load.finish(session)) and not session.over:
                session.sent = sent
                time.sleep(0.1)
        return None if session.over else f"session {session.id} is stuck: {self.state(session)}"

    def state(self, session):
        return self.asker.ask("GET", "/v1/sessions/" + session.id).json.get("session")

    def wait_for_ends(self):
        """The sessions that are still open when their time is over."""
        until = time.monotonic() + SESSION_S + 10
        open_ones = [one for one in self.load.ledger.sessions.values()]
        while open_ones and time.monotonic() < until:
            open_ones = [one for one in open_ones if self.state(one)["state"] in ("CREATED", "IN_PROGRESS")]
            time.sleep(0.5 if open_ones else 0)
        return [f"session {one.id} is over time and open: {self.state(one)}" for one in open_ones]

    def test_nothing_acknowledged_is_lost(self):
        found, seen, ledger = [], 0, self.load.ledger
        for moment in range(MOMENTS):
            found += self.turn()
            found += self.check(ledger.answered[seen:], [])
            found += self.check_repeats()
            if moment % 4 == 3:
                found += filter(None, [self.rig.audit_problem()])
            seen = len(ledger.answered)
            if found:
                break
        found += self.finish_lost()
        found += self.finish_sessions()
        found += filter(None, [self.rig.audit_problem()])
        found += self.check(ledger.answered, ledger.sessions.values())
        found += self.wait_for_ends()
        found += [f"{target} {name}: {answer!r}" for target, name, answer in ledger.strange]
        print(f"# {MOMENTS} kills in {time.monotonic() - self.began:.0f} s: {len(ledger.answered)} answers and "
              f"{len(ledger.sessions)} sessions kept; {dict(ledger.counts)}")
        self.assertGreater(len(ledger.answered), MOMENTS)
        self.assertLess(sum(ledger.counts[code] for code in SLOW), len(ledger.answered) / 20)
        self.assert_none(found)


class TheChecksCanFail(unittest.TestCase):
    def test_a_proof_of_another_leaf_does_not_hold(self):
        import hashlib
        leaves = [hashlib.sha256(b"\0" + bytes([number])).digest() for number in range(3)]
        left = hashlib.sha256(b"\1" + leaves[0] + leaves[1]).digest()
        root = hashlib.sha256(b"\1" + left + leaves[2]).digest()
        self.assertEqual(inclusion_root(leaves[1], 1, 3, [leaves[0], leaves[2]]), root)
        self.assertNotEqual(inclusion_root(leaves[2], 1, 3, [leaves[0], leaves[2]]), root)
        self.assertIsNone(inclusion_root(leaves[1], 3, 3, [leaves[0], leaves[2]]))


if __name__ == "__main__":
    tap.main()
