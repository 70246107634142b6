"""Who may do what: every route of api/openapi.yaml, asked by every role with every kind of credential. What must come
of it follows from the description's own x-roles; what is refused leaves no trace."""
import base64
import hashlib
import hmac
import json
import pathlib
import sqlite3
import sys
import time
import unittest

import yaml

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
import program  # noqa: E402
import service  # noqa: E402
import tap  # noqa: E402

ROLES = ("integrator", "reviewer", "auditor", "operator")
# What a key of another client sees of a session or decision: integrators and reviewers are of one client.
SEE_ALL_CLIENTS = ("auditor", "operator")
FLOW = "account_opening"
PICTURE = base64.b64encode(b"no picture at all").decode()
BODIES = {
    "liveness": {"image": PICTURE, "flow_type": FLOW},
    "match": {"image": PICTURE, "reference": PICTURE, "flow_type": FLOW},
    "session_create": {"flow_type": FLOW},
    "session_reference": {"reference": PICTURE},
    "session_plan": {"exclude": ["blink"]},
    "session_attempt": {"image": PICTURE},
}
# What the holder of the right credential gets; a picture that is none is 422.
RIGHT = {"session_create": (201,), "liveness": (200, 422), "match": (200, 422), "session_reference": (200, 422),
         "session_attempt": (200, 422)}
QUERIES = {"session_media": "?name=reference"}
server = None


def setUpModule():
    global server
    if not program.has_weights():
        raise unittest.SkipTest("the networks are not in the cache")
    server = service.Server({"metrics": "operator"})


def tearDownModule():
    if server:
        server.stop()


class Operation:
    def __init__(self, path, method, described, default_security):
        self.path, self.method, self.id = path, method.upper(), described["operationId"]
        self.roles = described["x-roles"]
        self.kind = next((name for one in described.get("security", default_security) for name in one), None)
        self.body = BODIES[self.id] if "requestBody" in described else None
        self.query = QUERIES.get(self.id, "")

    def statuses(self):
        return RIGHT.get(self.id, (200,))


def operations():
    described = yaml.safe_load((program.SOURCE / "api/openapi.yaml").read_text(encoding="utf-8"))
    return [Operation(path, method, item[method], described["security"]) for path, item in described["paths"].items()
            for method in ("get", "post", "put", "patch", "delete") if method in item]


OPERATIONS = operations()
BY_KEY = [one for one in OPERATIONS if one.kind == "serverKey"]
BY_TOKEN = [one for one in OPERATIONS if one.kind == "clientToken"]
ATTEMPT = next(one for one in OPERATIONS if one.id == "session_attempt")
OPEN = [one for one in OPERATIONS if one.kind is None]


def new_session(client="acme"):
    """(id, client token) of a session."""
    answer = server.ask("POST", "/v1/sessions", server.key(client=client), BODIES["session_create"])
    assert answer.status == 201, answer
    return answer.json["session"]["id"], answer.json["client_token"]


def new_decision():
    """The request id of a decision."""
    name = f"decision-{time.monotonic_ns()}"
    answer = server.ask("POST", "/v1/liveness", server.key(), BODIES["liveness"], {"X-Request-ID": name})
    assert answer.status in RIGHT["liveness"], answer
    return name


def target(operation):
    """The operation's path with something behind its parameter that belongs to the client acme."""
    if "{request_id}" in operation.path:
        return operation.path.replace("{request_id}", new_decision())
    if operation.id == "session_media":
        session, _ = new_session()
        kept = server.ask("POST", f"/v1/sessions/{session}/reference", server.key(), BODIES["session_reference"])
        assert kept.status in RIGHT["session_reference"], kept
        return operation.path.replace("{id}", session) + operation.query
    return operation.path.replace("{id}", new_session()[0] if "{id}" in operation.path else "").replace("{n}", "0")


def ask(operation, place, headers):
    return server.ask(operation.method, place, None, operation.body, headers)


def bearer(credential):
    return {"Authorization": f"Bearer {credential}"}


def swap(text, at):
    """The text with another digit at a place."""
    return text[:at] + ("1" if text[at] == "0" else "0") + text[at + 1:]


def key_id(key):
    return key.split("_")[1]


def bad_keys(role):
    """{what is wrong: headers} for a role."""
    good = server.key(role)
    expired, revoked = server.key(role, fresh=True), server.key(role, fresh=True)
    server.run("keys", "rotate", key_id(expired), "--overlap", "0")
    server.run("keys", "revoke", key_id(revoked))
    server.keys.clear()
    return {"none": {}, "empty": {"Authorization": ""}, "no text": bearer(""),
            "another scheme": {"Authorization": "Basic " + base64.b64encode(good.encode()).decode()},
            "capitals": bearer("bf_" + good[3:].upper()), "cut": bearer(good[:-1]), "longer": bearer(good + "0"),
            "wrong secret": bearer(swap(good, len(good) - 1)), "unknown id": bearer(swap(good, 3)),
            "expired": bearer(expired), "revoked": bearer(revoked), "a client token": bearer(new_session()[1])}


def rows():
    """What a refused request must not change."""
    with sqlite3.connect(f"file:{server.folder}/state/bonafide.db?mode=ro", uri=True) as store:
        return [store.execute(f"SELECT COUNT(*) FROM {table}").fetchone()[0]
                for table in ("session", "decision", "audit_leaf", "idempotency", "api_key", "request_nonce")]


class Keys(unittest.TestCase):
    """Routes for API keys."""

    def test_bad_keys_open_nothing_and_all_look_alike(self):
        places = {one.id: target(one) for one in BY_KEY}
        for role in ROLES:
            bad = bad_keys(role)
            before = rows()
            for operation in BY_KEY:
                said = set()
                for name, headers in bad.items():
                    with self.subTest(operation=operation.id, role=role, credential=name):
                        answer = ask(operation, places[operation.id], headers)
                        self.assertEqual((answer.status, answer.code), (401, "UNAUTHENTICATED"))
                        if "Authorization" in headers:
                            said.add(str({**answer.json, "request_id": None}))
                self.assertEqual(len(said), 1, said)
            self.assertEqual(rows(), before)

    def test_every_role_does_what_the_description_says_and_nothing_else(self):
        allowed = 0
        for operation in BY_KEY:
            for role in ROLES:
                with self.subTest(operation=operation.id, role=role):
                    place = target(operation)
                    key = server.key(role)
                    before = rows()
                    answer = ask(operation, place, bearer(key))
                    if role in operation.roles:
                        self.assertIn(answer.status, operation.statuses(), answer)
                        allowed += 1
                    else:
                        self.assertEqual((answer.status, answer.code), (403, "FORBIDDEN"))
                        self.assertEqual(rows(), before)
        self.assertEqual(allowed, sum(len(one.roles) for one in BY_KEY))

    def test_another_client_sees_nothing(self):
        for operation in (one for one in BY_KEY if "{id}" in one.path or "{request_id}" in one.path):
            for role in operation.roles:
                with self.subTest(operation=operation.id, role=role):
                    place = target(operation)
                    answer = ask(operation, place, bearer(server.key(role, client="other")))
                    nowhere = operation.path.replace("{id}", "nothing").replace("{request_id}", "nothing")
                    nowhere += operation.query
                    nothing = ask(operation, nowhere, bearer(server.key(role, client="other")))
                    if role in SEE_ALL_CLIENTS:
                        self.assertIn(answer.status, operation.statuses(), answer)
                        continue
                    self.assertEqual((answer.status, answer.code), (404, "NOT_FOUND"))
                    # Whether it exists is not told either.
                    self.assertEqual({**answer.json, "request_id": None}, {**nothing.json, "request_id": None})


class Tokens(unittest.TestCase):
    """Routes for the person's device."""

    def refused(self, operation, place, headers, status, *codes):
        before = rows()
        answer = ask(operation, place, headers)
        self.assertEqual(answer.status, status, answer)
        self.assertIn(answer.code, codes)
        self.assertEqual(rows()[:2], before[:2])

    def test_only_the_sessions_own_token_opens_it(self):
        for operation in BY_TOKEN:
            session, token = new_session()
            place = operation.path.replace("{id}", session)
            bad = {"none": {}, "empty": {"Authorization": ""}, "another scheme": {"Authorization": f"Basic {token}"},
                   "cut": bearer(token[:-1]), "longer": bearer(token + "A"), "changed": bearer(swap(token, 20)),
                   **{f"a key of role {role}": bearer(server.key(role)) for role in ROLES}}
            for name, headers in bad.items():
                with self.subTest(operation=operation.id, credential=name):
                    self.refused(operation, place, headers, 401, "UNAUTHENTICATED")
            with self.subTest(operation=operation.id, credential="another session's"):
                self.refused(operation, place, bearer(new_session()[1]), 404, "NOT_FOUND")
                self.refused(operation, place, bearer(new_session("other")[1]), 404, "NOT_FOUND")
                self.refused(operation, operation.path.replace("{id}", "none"), bearer(token), 404, "NOT_FOUND")
            with self.subTest(operation=operation.id, credential="right"):
                self.assertIn(ask(operation, place, bearer(token)).status, operation.statuses())

    def test_a_token_is_good_once(self):
        for operation in BY_TOKEN:
            session, token = new_session()
            place = operation.path.replace("{id}", session)
            self.assertIn(ask(operation, place, bearer(token)).status, operation.statuses())
            if operation.id == "session_plan":  # before the capture, so the token is still to be used
                self.assertEqual(ask(ATTEMPT, f"/v1/sessions/{session}/attempts", bearer(token)).status, 200)
            self.refused(operation, place, bearer(token), 409, "ATTEMPT_REPLAYED", "SESSION_FINISHED")

    def test_a_cancelled_session_takes_nothing(self):
        for operation in BY_TOKEN:
            session, token = new_session()
            self.assertEqual(server.ask("DELETE", f"/v1/sessions/{session}", server.key()).status, 200)
            self.refused(operation, operation.path.replace("{id}", session), bearer(token), 409, "SESSION_FINISHED")

    def test_a_token_ends(self):
        with service.Server({"sessions": {"token_s": 1}}) as short:
            for operation in BY_TOKEN:
                answer = short.ask("POST", "/v1/sessions", short.key(), BODIES["session_create"])
                session, token = answer.json["session"]["id"], answer.json["client_token"]
                time.sleep(1.1)
                answer = short.ask(operation.method, operation.path.replace("{id}", session), token, operation.body)
                self.assertEqual((answer.status, answer.code), (410, "SESSION_EXPIRED"))


class Open(unittest.TestCase):
    """Routes that ask for nothing."""

    def test_whoever_asks_is_answered(self):
        for operation in OPEN:
            if operation.id == "metrics":
                continue
            for name, headers in {"none": {}, "nonsense": bearer("nonsense"),
                                  **{role: bearer(server.key(role)) for role in ROLES}}.items():
                with self.subTest(operation=operation.id, credential=name):
                    self.assertEqual(ask(operation, operation.path, headers).status, 200)

    def test_metrics_are_for_operators_where_the_configuration_says_so(self):
        for role in ROLES:
            with self.subTest(role=role):
                answer = server.ask("GET", "/metrics", server.key(role))
                self.assertEqual(answer.status, 200 if role == "operator" else 403)
        for name, headers in bad_keys("operator").items():
            with self.subTest(credential=name):
                self.assertEqual(server.ask("GET", "/metrics", headers=headers).status, 401)


def signature(secret, method, place, body=b"", at_ms=None, nonce=None):
    at_ms = int(time.time() * 1000) if at_ms is None else at_ms
    nonce = nonce or f"nonce-{time.monotonic_ns():020d}"
    lines = "\n".join(["bonafide-request-v1", method, place, str(at_ms), nonce, hashlib.sha256(body).hexdigest()])
    mac = hmac.new(bytes.fromhex(secret.removeprefix("bfs_")), lines.encode(), hashlib.sha256).hexdigest()
    return f"t={at_ms}, n={nonce}, v1={mac}"


class Signatures(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.signed, cls.plain = cls.make("--signed"), cls.make()

    @staticmethod
    def make(*options):
        return json.loads(server.run("keys", "create", "--role", "integrator", "--client", "acme", "--json",
                                     *options).stdout)

    def send(self, key, header, method="POST", place="/v1/sessions", body=b'{"flow_type": "account_opening"}'):
        headers = {"Content-Type": "application/json", **({"Bonafide-Signature": header} if header else {})}
        return server.ask(method, place, key["key"], body or None, headers)

    def sign(self, key, **changes):
        told = {"method": "POST", "place": "/v1/sessions", "body": b'{"flow_type": "account_opening"}', **changes}
        return signature(key["signing_secret"], **told)

    def assert_refused(self, answer):
        self.assertEqual((answer.status, answer.code), (401, "SIGNATURE_INVALID"), answer)

    def test_a_key_that_has_to_sign(self):
        header = self.sign(self.signed)
        self.assertEqual(self.send(self.signed, header).status, 201)
        before = rows()
        self.assert_refused(self.send(self.signed, header))
        self.assert_refused(self.send(self.signed, None))
        self.assert_refused(self.send(self.signed, "nonsense"))
        self.assert_refused(self.send(self.signed, self.sign(self.plain)))
        self.assert_refused(self.send(self.signed, self.sign(self.signed, body=b"{}")))
        self.assert_refused(self.send(self.signed, self.sign(self.signed, place="/v1/sessions?")))
        self.assert_refused(self.send(self.signed, self.sign(self.signed, method="PUT")))
        self.assert_refused(self.send(self.signed, self.sign(self.signed, at_ms=int(time.time() * 1000) - 301000)))
        self.assertEqual(rows(), before)

    def test_a_request_without_body(self):
        session = self.send(self.signed, self.sign(self.signed)).json["session"]["id"]
        place = f"/v1/sessions/{session}"
        for method in ("GET", "DELETE"):
            self.assert_refused(self.send(self.signed, None, method, place, None))
            header = self.sign(self.signed, method=method, place=place, body=b"")
            self.assertEqual(self.send(self.signed, header, method, place, None).status, 200)
            self.assert_refused(self.send(self.signed, header, method, place, None))

    def test_a_key_that_need_not_sign(self):
        self.assertEqual(self.send(self.plain, None).status, 201)
        self.assertEqual(self.send(self.plain, self.sign(self.plain)).status, 201)
        self.assert_refused(self.send(self.plain, self.sign(self.signed)))


class TheMatrix(unittest.TestCase):
    def test_it_is_whole(self):
        """A route that is added is asked too; a role or a kind of credential that nobody knows is noticed."""
        self.assertEqual({one.kind for one in OPERATIONS}, {"serverKey", "clientToken", None})
        self.assertEqual({role for one in BY_KEY for role in one.roles} - set(ROLES), set())
        self.assertTrue(all(one.roles == ["person"] for one in BY_TOKEN))
        self.assertTrue(all(one.roles == [] for one in OPEN))
        self.assertTrue(all(one.roles for one in BY_KEY))


tap.main()
