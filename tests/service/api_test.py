"""Every route answers as api/openapi.yaml says, on success and on failure."""
import pathlib
import re
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
import program  # noqa: E402
import service  # noqa: E402
import tap  # noqa: E402

sys.path.insert(0, str(program.SOURCE / "api"))
import openapi  # noqa: E402

try:
    import jsonschema
except ImportError:
    jsonschema = None

server, photo = None, None
SPEC = openapi.self_contained(openapi.load())
seen = {}  # operation -> statuses that were seen


def setUpModule():
    global server, photo
    photo = service.sample()
    if not program.has_weights() or photo is None or jsonschema is None:
        raise unittest.SkipTest("networks, sample photos or jsonschema are missing")
    server = service.Server()


def tearDownModule():
    if server:
        server.__exit__(None)


def find(method, target):
    """The operation that a request names."""
    path = target.partition("?")[0]
    for template, found, operation, _ in openapi.operations(SPEC):
        if found == method.lower() and re.fullmatch(re.sub(r"\{[^}]+\}", "[^/]+", template), path):
            return operation
    raise AssertionError(f"{method} {target} is not described")


class Api(unittest.TestCase):
    def ask(self, method, target, key=None, body=None, headers=None, status=200):
        """A request whose answer is held against the description."""
        answer = server.ask(method, target, key, body, headers)
        self.assertEqual(answer.status, status, answer)
        operation = find(method, target)
        seen.setdefault(operation["operationId"], set()).add(status)
        responses = operation["responses"]
        told = openapi.resolve(SPEC, responses.get(str(status), responses["default"]))
        kind = answer.headers["Content-Type"].partition(";")[0]
        self.assertIn(kind, told["content"], target)
        if kind == "application/json":
            schema = {**told["content"][kind]["schema"], "components": SPEC["components"]}
            faults = list(jsonschema.Draft202012Validator(schema).iter_errors(answer.json))
            self.assertEqual([f"{list(fault.path)}: {fault.message[:300]}" for fault in faults[:3]], [], target)
        return answer

    def test_a_session_from_its_beginning_to_its_erasure(self):
        key = server.key()
        made = self.ask("POST", "/v1/sessions", key,
                        {"flow_type": "account_opening", "channel": "mobile_web", "subject": "person-7",
                         "consent": {"text_version": "1", "given_at": "2026-11-25T12:00:00Z"},
                         "risk_context": {"risk_tier": "low"}, "retain": "days", "retain_days": 2},
                        status=201).json
        place = f"/v1/sessions/{made['session']['id']}"
        self.ask("GET", place, key)
        self.ask("POST", f"{place}/reference", key, [("reference", photo)])
        answer = self.ask("POST", f"{place}/attempts", made["client_token"],
                          [("image", photo), ("client", {"platform": "test", "width": 640})]).json
        self.assertIn(answer["answer"], ("pass", "retry", "challenge", "done"))
        state = self.ask("GET", place, key).json
        self.assertEqual(len(state["attempts"]), 1)
        decided = state["attempts"][0]["request_id"]
        self.ask("GET", f"/v1/decisions/{decided}", key)
        self.ask("GET", f"/v1/decisions/{decided}", server.key("auditor"))
        self.ask("DELETE", f"/v1/decisions/{decided}", key, status=400)
        self.assertEqual([one["name"] for one in state["media"]], ["attempt-1", "reference"])
        self.look_at_media(place)
        self.ask("DELETE", place, key)
        self.ask("DELETE", place, key)
        erased = self.ask("GET", place, key).json
        self.assertIsNotNone(erased["session"]["erased_at"])

    def test_a_plan_is_changed_before_the_capture(self):
        made = self.ask("POST", "/v1/sessions", server.key(),
                        {"flow_type": "account_opening", "mode": "active", "capture": {"exclude": ["blink"]}},
                        status=201).json
        place = f"/v1/sessions/{made['session']['id']}"
        wish = {"exclude": ["turn_left", "turn_right", "look_up", "look_down"], "flash": "gentle", "pace": "relaxed"}
        changed = self.ask("POST", f"{place}/plan", made["client_token"], wish).json
        self.assertEqual(changed["answer"], "plan")
        self.assertNotEqual(changed["plan"]["nonce"], made["plan"]["nonce"])
        self.assertEqual({step["type"] for step in changed["plan"]["steps"]} & set(wish["exclude"]), set())
        self.assertEqual(changed["plan"]["flash"]["form"], "gentle")
        self.ask("POST", f"{place}/plan", made["client_token"], {"exclude": ["fly"]}, status=400)
        self.ask("POST", f"{place}/plan", server.key(), wish, status=401)
        state = self.ask("GET", place, server.key()).json
        self.assertEqual(state["plan"]["nonce"], changed["plan"]["nonce"])
        self.assertEqual(state["session"]["capture"]["pace"], "relaxed")

    def look_at_media(self, place):
        """Reviewers see what is kept, and the log knows it."""
        reviewer = server.key("reviewer")
        seen_picture = self.ask("GET", f"{place}/media?name=attempt-1", reviewer)
        self.assertEqual(seen_picture.headers["Content-Type"], "image/jpeg")
        self.assertEqual(seen_picture.body, photo)
        self.ask("GET", f"{place}/media?name=attempt-2", reviewer, status=404)
        self.ask("GET", f"{place}/media", reviewer, status=400)
        self.ask("GET", f"{place}/media?name=../x", reviewer, status=400)
        self.ask("GET", f"{place}/media?name=attempt-1", server.key(), status=403)
        size = self.ask("GET", "/v1/audit/checkpoint", server.key("auditor")).json["size"]
        leaf = self.ask("GET", f"/v1/audit/proof/{size - 1}", server.key("auditor")).json["proof"]["leaf"]
        self.assertIn('"kind":"media_read"', leaf)
        self.assertIn('"media":"attempt-1"', leaf)

    def test_a_record_without_a_session_is_erased_and_its_proof_stays(self):
        key = server.key()
        self.ask("POST", "/v1/liveness", key, [("image", photo)], {"X-Request-ID": "gone-1", "Idempotency-Key": "gone"})
        before = self.ask("GET", "/v1/decisions/gone-1", key).json
        after = self.ask("DELETE", "/v1/decisions/gone-1", key).json
        self.assertIsNotNone(before["record"])
        self.assertIsNone(after["record"])
        self.assertEqual(after["record_sha256"], before["record_sha256"])
        self.assertEqual(after["proof"]["leaf"], before["proof"]["leaf"])
        size = self.ask("GET", "/v1/audit/checkpoint", server.key("auditor")).json["size"]
        self.ask("DELETE", "/v1/decisions/gone-1", key)
        self.assertEqual(self.ask("GET", "/v1/audit/checkpoint", server.key("auditor")).json["size"], size)
        self.ask("DELETE", "/v1/decisions/gone-2", key, status=404)
        # The first answer went with the record: the request id is still taken, so it is not judged anew.
        self.ask("POST", "/v1/liveness", key, [("image", photo)], {"X-Request-ID": "gone-1", "Idempotency-Key": "gone"},
                 status=409)
        whole = server.folder / "export.jsonl"
        server.run("audit", "export", "--output", str(whole))
        verified = program.run("audit", "verify", whole)
        self.assertEqual(verified.returncode, 0, verified.stdout + verified.stderr)

    def test_one_shot(self):
        key = server.key()
        self.ask("POST", "/v1/liveness", key, [("image", photo), ("flow_type", "account_opening")],
                 {"X-Request-ID": "one-shot-1", "Idempotency-Key": "once"})
        again = self.ask("POST", "/v1/liveness", key, [("image", photo), ("flow_type", "account_opening")],
                         {"X-Request-ID": "one-shot-2", "Idempotency-Key": "once"})
        self.assertEqual(again.json["request_id"], "one-shot-1")
        self.ask("POST", "/v1/liveness", key, [("image", photo), ("flow_type", "video_kyc")],
                 {"Idempotency-Key": "once"}, status=422)
        self.ask("POST", "/v1/liveness", key, [("image", b"no picture")], status=422)
        self.ask("POST", "/v1/match", key, [("image", photo), ("reference", service.sample("person-1-other.jpg"))])

    def test_proofs(self):
        key, auditor = server.key(), server.key("auditor")
        self.ask("POST", "/v1/liveness", key, [("image", photo)])
        first = self.ask("GET", "/v1/audit/checkpoint", auditor).json
        self.assertIsNone(first["growth"])
        self.ask("POST", "/v1/liveness", key, [("image", photo)])
        grown = self.ask("GET", f"/v1/audit/checkpoint?since={first['size']}", auditor).json
        self.assertIsInstance(grown["growth"], list)
        self.ask("GET", "/v1/audit/proof/0", auditor)
        self.ask("GET", "/v1/audit/proof/999999", auditor, status=404)

    def test_what_the_server_tells_of_itself(self):
        for target in ("/healthz", "/readyz", "/metrics", "/docs"):
            self.ask("GET", target)
        described = self.ask("GET", "/openapi.json").json
        self.assertEqual(described, SPEC)

    def test_failures_have_the_envelope(self):
        key = server.key()
        post = ("liveness", "match", "sessions", "sessions/nobody/reference")
        for name in post:
            self.ask("POST", f"/v1/{name}", None, {"a": 1}, status=401)
            self.ask("POST", f"/v1/{name}", key, {"a": 1}, status=400)
            self.ask("POST", f"/v1/{name}", server.key("auditor"), {"a": 1}, status=403)
            self.ask("POST", f"/v1/{name}", key, b"x", status=415)
        self.ask("POST", "/v1/sessions/nobody/attempts", "bft_nonsense", {"image": "AAAA"}, status=401)
        for target in ("/v1/sessions/nobody", "/v1/decisions/nobody"):
            self.ask("GET", target, None, status=401)
            self.ask("GET", target, key, status=404)
        self.ask("DELETE", "/v1/sessions/nobody", key, status=404)
        self.ask("GET", "/v1/audit/checkpoint?since=x", server.key("auditor"), status=400)
        self.ask("GET", "/v1/audit/checkpoint?sinec=1", server.key("auditor"), status=400)

    def test_zzz_every_operation_was_seen_to_succeed(self):
        """Runs last, by its name."""
        for _, _, operation, _ in openapi.operations(SPEC):
            name = operation["operationId"]
            self.assertTrue(any(status < 300 for status in seen.get(name, ())), f"{name}: {seen.get(name)}")


tap.main()
