"""Hostile HTTP over raw sockets: each case has the answer it must get, and the server is alive afterwards."""
import base64
import json
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
import hostile_requests  # noqa: E402
import service  # noqa: E402
import tap  # noqa: E402
from alive import Alive, setUpModule, tearDownModule  # noqa: E402, F401

HOST = b"Host: x\r\n"


class Requests(Alive):
    def test_hostile_requests_get_the_answer_they_must(self):
        for name, data, expected, code in hostile_requests.cases(self.server.key()):
            with self.subTest(name):
                got = self.server.raw(data, wait=5)
                found = service.statuses(got)
                self.assertLessEqual(len(found), 1, got[:500])
                self.assertIn(found[0] if found else None, expected, got[:500])
                if code:
                    self.assertEqual(service.code_of(got), code, got[:500])

    def test_answers_of_the_library_leak_nothing(self):
        got = self.server.raw(b"GET /healthz HTTP/1.1\r\n\r\n")
        self.assertNotIn(b"microhttpd", got.lower())


class Bodies(Alive):
    JSON = b"Content-Type: application/json\r\n"

    def post(self, body, headers):
        return self.server.raw(b"POST /v1/liveness HTTP/1.1\r\n" + HOST + b"Authorization: Bearer "
                               + self.server.key().encode() + b"\r\n" + headers
                               + b"Content-Length: %d\r\nConnection: close\r\n\r\n" % len(body) + body)

    def check(self, body, status, code, text=None, headers=JSON):
        got = self.post(body, headers)
        self.assertEqual(service.statuses(got)[-1:], [status], got[:600])
        self.assertEqual(service.code_of(got), code, got[:600])
        if text:
            self.assertIn(text, json.loads(got.rpartition(b"\r\n\r\n")[2])["error"]["message"])

    def test_json_is_read_strictly(self):
        cases = (
            (b"", "The body is missing"), (b"nonsense", "JSON"), (b"[]", "object"), (b"null", "JSON"),
            (b"{", "JSON"), (b"{} {}", "JSON"), (b"{\"image\": \"AAAA\"", "JSON"), (b"{'a': 1}", "JSON"),
            (b"{\"image\": \"AAAA", "ends within"), (b"{\"flow_type\": \"a\", \"flow_type\": \"b\"}", "uplicate"),
            (b"{\"image\": \"AAAA\", \"image\": \"AAAA\"}", "twice"),
            (b"[" * 100000, "levels"), (b"{\"a\":" * 40 + b"1" + b"}" * 40, "levels"),
            (b"{\"image\": 5}", "picture"), (b"{\"image\": null}", "picture"), (b"{\"image\": {\"a\": 1}}", "picture"),
            (b"{\"image\": [\"AAAA\"]}", "picture"), (b"{\"im\\u0061ge\": \"AAAA\"}", "picture"),
            (b"{\"image\": \"not base64!\"}", "base64"), (b"{\"image\": \"AAA\"}", "base64"),
            (b"{\"image\": \"AA==AAAA\"}", "base64"), (b"{\"image\": \"data:image/jpeg;base64,AAAA\"}", "base64"),
            (b"{\"image\": \"AA\\nAA\"}", "base64"), (b"{\"image\": \"AAAA\\u0041\"}", "base64"),
            (b"{}", "'image' is missing"), (b"{\"flow_type\": \"x\"}", "'image' is missing"),
            (b"{\"image\": \"AAAA\", \"imge\": 1}", "did you mean 'image'"),
            (b"{\"image\": \"AAAA\", \"flow_type\": 5}", "flow_type must be a text"),
            (b"{\"image\": \"AAAA\", \"flow_type\": \"A b\"}", "flow_type may only have"),
            (b"{\"image\": \"AAAA\", \"flow_type\": \"\"}", "flow_type must have 1 to 63"),
            (b"{\"image\": \"AAAA\", \"channel\": \"fax\"}", "channel must be one of: android_app"),
            (b"{\"image\": \"AAAA\", \"risk_context\": {\"risk_tier\": \"huge\"}}", "risk_context.risk_tier"),
            (b"{\"image\": \"AAAA\", \"risk_context\": {\"risk_teir\": \"low\"}}", "risk_context.risk_teir"),
            (b"{\"image\": \"AAAA\", \"risk_context\": {\"retry_count\": 1.5}}", "retry_count must be a whole"),
            (b"{\"image\": \"AAAA\", \"risk_context\": {\"retry_count\": -1}}", "retry_count must be from 0"),
            (b"{\"image\": \"AAAA\", \"risk_context\": {\"document_confidence\": 1e999}}", "JSON"),
            (b"{\"image\": \"AAAA\", \"risk_context\": {\"device_signals\": [\"a\", 1]}}", "device_signals[1]"),
            (b"{\"image\": \"AAAA\", \"risk_context\": {\"device_signals\": [" + b"\"a\"," * 16 + b"\"a\"]}}",
             "at most 16"),
            (b"{\"image\": \"AAAA\", \"device_context\": \"x\"}", "device_context must be an object"),
            (b"{\"image\": \"AAAA\", \"flow_type\": \"\xff\xfe\"}", "JSON"), (b"{\"image\": \"AAAA\"}\x00", "JSON"),
            (b"{\"image\": \"AAAA\", \"flow_type\": \"a\\u0000b\"}", ""),
        )
        for body, text in cases:
            with self.subTest(body[:80]):
                self.check(body, 400, "INVALID_REQUEST", text)

    def test_an_empty_picture_is_an_empty_input(self):
        self.check(b"{\"image\": \"\"}", 422, "EMPTY_INPUT")

    def test_bytes_that_are_no_picture_are_judged_as_such(self):
        got = self.post(b"{\"image\": \"AAAA\"}", self.JSON)
        self.assertEqual(service.statuses(got), [422], got[:300])
        self.assertEqual(service.code_of(got), "UNSUPPORTED_FORMAT")

    def test_content_types(self):
        for kind in (b"", b"Content-Type: text/plain\r\n", b"Content-Type: application/x-www-form-urlencoded\r\n",
                     b"Content-Type: application/json; charset=latin1\r\n", b"Content-Type: multipart/form-data\r\n",
                     b"Content-Type: multipart/mixed; boundary=x\r\n", b"Content-Type: application/jsonp\r\n",
                     b"Content-Type: multipart/form-data; boundary=" + b"x" * 71 + b"\r\n"):
            with self.subTest(kind):
                self.check(b"{}", 415, "MEDIA_TYPE_UNSUPPORTED", headers=kind)

    def test_forms_are_read_strictly(self):
        def part(name, value, extra=b""):
            return b"--BB\r\nContent-Disposition: form-data; name=\"%s\"%s\r\n\r\n%s\r\n" % (name, extra, value)
        end = b"--BB--\r\n"
        headers = b"Content-Type: multipart/form-data; boundary=BB\r\n"
        cases = (
            (b"nonsense", None), (end, "'image' is missing"), (part(b"image", b"x"), "boundary"),
            (part(b"image", b"x") + b"--BB\r\n", "boundary"), (b"--BB\r\n\r\nx\r\n" + end, None),
            (part(b"image", b"x") + part(b"image", b"y") + end, "twice"),
            (part(b"flow_type", b"a") + part(b"flow_type", b"b") + part(b"image", b"x") + end, "twice"),
            (part(b"imagee", b"x") + end, "did you mean 'image'"), (part(b"", b"x") + end, None),
            (part(b"image", b"x") + part(b"risk_context", b"{") + end, "JSON"),
            (part(b"image", b"x") + part(b"risk_context", b"[]") + end, "object"),
            (part(b"image", b"x") + part(b"risk_context", b"{\"retry_count\": 1, \"retry_count\": 2}") + end,
             "uplicate"),
            (part(b"image", b"x") + part(b"channel", b"fax") + end, "channel must be one of"),
            (part(b"image", b"x") + part(b"flow_type", b"\xff") + end, "UTF-8"),
            (part(b"image", b"x") + part(b"session_id", b"../..") + end, "session_id"),
            (part(b"image", b"AAAA", b"\r\nContent-Transfer-Encoding: base64") + end, "transfer encoding"),
            (b"--BB\r\n" + b"X-A: " + b"a" * 20000 + b"\r\n\r\nx\r\n" + end, None),
            (b"--BB\r\nContent-Disposition: form-data; name=\"" + b"n" * 300 + b"\"\r\n\r\nx\r\n" + end, None),
        )
        for body, text in cases:
            with self.subTest(body[:100]):
                self.check(body, 400, "INVALID_REQUEST", text, headers)

    def test_a_form_and_json_say_the_same(self):
        photo = service.sample()
        if photo is None:
            self.skipTest("no sample photos")
        records = []
        for body in ([("image", photo), ("flow_type", "account_opening"), ("risk_context", {"risk_tier": "low"})],
                     {"flow_type": "account_opening", "risk_context": {"risk_tier": "low"},
                      "image": base64.b64encode(photo).decode()},
                     json.dumps({"image": base64.b64encode(photo).decode(), "flow_type": "account_opening",
                                 "risk_context": {"risk_tier": "low"}}).replace("/", "\\/").encode()):
            headers = {"Content-Type": "application/json"} if isinstance(body, bytes) else {}
            answer = self.server.ask("POST", "/v1/liveness", self.server.key(), body, headers)
            self.assertEqual(answer.status, 200, answer)
            record = answer.json
            records.append({key: record[key] for key in ("result", "decision", "input", "request")})
        self.assertEqual(records[0], records[1])
        self.assertEqual(records[0], records[2])

    def test_a_file_that_is_too_large_is_refused(self):
        big = service.Server({"limits": {"body_bytes": 40000000}})
        with big:
            answer = big.ask("POST", "/v1/liveness", big.key(), [("image", b"\xff" * ((20 << 20) + 1))])
            self.assertEqual((answer.status, answer.code), (413, "BODY_TOO_LARGE"))


class Admission(Alive):
    def test_nobody_unknown_makes_us_take_a_body(self):
        """The answer comes before the body was sent."""
        for authorization in (b"", b"Authorization: Bearer nonsense\r\n", b"Authorization: Basic YTpi\r\n",
                              b"Authorization: Bearer bf_0_0\r\n", b"Authorization:\r\n"):
            with self.subTest(authorization):
                got = self.server.raw(b"POST /v1/liveness HTTP/1.1\r\n" + HOST + authorization
                                      + b"Content-Type: application/json\r\nExpect: 100-continue\r\n"
                                        b"Content-Length: 190000\r\n\r\n")
                self.assertEqual(service.statuses(got), [401], got[:300])
                self.assertEqual(service.code_of(got), "UNAUTHENTICATED")
                self.assertIn(b"WWW-Authenticate: Bearer", got)

    def test_roles(self):
        key = self.server.key("auditor")
        answer = self.server.ask("POST", "/v1/liveness", key, {"image": "AAAA"})
        self.assertEqual((answer.status, answer.code), (403, "FORBIDDEN"))

    def test_methods(self):
        answer = self.server.ask("PUT", "/v1/sessions/abc", self.server.key())
        self.assertEqual((answer.status, answer.code), (405, "METHOD_NOT_ALLOWED"))
        self.assertEqual(answer.headers["Allow"], "GET, DELETE")

    def test_request_ids(self):
        given = self.server.ask("GET", "/healthz", headers={"X-Request-ID": "abc.DEF_1:2-3"})
        self.assertEqual(given.headers["X-Request-ID"], "abc.DEF_1:2-3")
        for bad in ("a b", "x" * 65, "", "<script>"):
            made = self.server.ask("GET", "/healthz", headers={"X-Request-ID": bad})
            self.assertRegex(made.headers["X-Request-ID"], r"^r-[0-9a-f]{32}$")

    def test_headers_of_every_answer(self):
        for target in ("/healthz", "/nope", "/docs", "/openapi.json"):
            headers = self.server.ask("GET", target).headers
            self.assertEqual(headers["Cache-Control"], "no-store")
            self.assertEqual(headers["X-Content-Type-Options"], "nosniff")
            self.assertIn("default-src 'none'", headers["Content-Security-Policy"])
            self.assertIsNone(headers["Access-Control-Allow-Origin"])

    def test_origins(self):
        ours, other = "https://onboarding.example.com", "https://evil.example.com"
        asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}
        answer = self.server.ask("OPTIONS", "/v1/sessions/abc/attempts", headers={"Origin": ours, **asked})
        self.assertEqual((answer.status, answer.headers["Access-Control-Allow-Origin"]), (204, ours))
        self.assertIn("Authorization", answer.headers["Access-Control-Allow-Headers"])
        answer = self.server.ask("POST", "/v1/sessions/abc/attempts", body={"image": "AAAA"}, headers={"Origin": ours})
        self.assertEqual((answer.status, answer.headers["Access-Control-Allow-Origin"]), (401, ours))
        for target, origin in (("/v1/sessions/abc/attempts", other), ("/v1/liveness", ours), ("/v1/sessions", ours)):
            answer = self.server.ask("OPTIONS", target, headers={"Origin": origin, **asked})
            self.assertEqual((answer.status, answer.headers["Access-Control-Allow-Origin"]), (405, None), target)

tap.main()
