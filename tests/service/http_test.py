"""Hostile HTTP over raw sockets: each case has the answer it must get, and the server is alive and clean afterwards."""
import json
import os
import pathlib
import signal
import socket
import sys
import threading
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
import program  # noqa: E402
import service  # noqa: E402
import tap  # noqa: E402

HOST = b"Host: x\r\n"
CLOSED = ""  # the connection ends without an answer
server = None


def setUpModule():
    global server
    if not program.has_weights():
        raise unittest.SkipTest("the networks are not in the cache")
    server = service.Server({"limits": {"request_s": 2, "idle_s": 2, "body_bytes": 200000, "header_bytes": 8192,
                                        "connections": 60, "connections_per_address": 50},
                             "cors_origins": ["https://onboarding.example.com"]})


def tearDownModule():
    if server:
        server.stop()


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


class Alive(unittest.TestCase):
    """After each case the server still answers."""

    def tearDown(self):
        self.assertIsNone(server.process.poll(), server.log_text()[-2000:])
        self.assertEqual(server.ask("GET", "/healthz").status, 200)

    def post(self, body, headers=b"", target=b"/v1/liveness", length=None):
        key = server.key().encode()
        length = len(body) if length is None else length
        return server.raw(b"POST " + target + b" HTTP/1.1\r\n" + HOST + b"Authorization: Bearer " + key + b"\r\n"
                          + headers + b"Content-Length: " + str(length).encode() + b"\r\nConnection: close\r\n\r\n" + body)


class Requests(Alive):
    """(name, request, status, code). A status of None: the connection is closed without an answer. The code is None where
    the HTTP library answers by itself."""

    def key(self):
        return b"Authorization: Bearer " + server.key().encode() + b"\r\n"

    def cases(self):
        get = b"GET /healthz HTTP/1.1\r\n" + HOST
        post = b"POST /v1/liveness HTTP/1.1\r\n" + HOST + self.key() + b"Content-Type: application/json\r\n"
        chunked = post + b"Transfer-Encoding: chunked\r\n\r\n"
        return (
            ("nothing but a newline", b"\r\n", (None, 408), None),
            ("not HTTP at all", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 60 + b"\r\n\r\n",
             (None, 400, 408, 505), None),
            ("a word", b"HELLO\r\n\r\n", (None, 400, 505), None),
            ("no version", b"GET /healthz\r\n\r\n", (None, 400, 505), None),
            ("version 2.0", b"GET /healthz HTTP/2.0\r\n" + HOST + b"\r\n", (400, 505), None),
            ("version 0.9", b"GET /healthz HTTP/0.9\r\n" + HOST + b"\r\n", (400, 505), None),
            ("no host", b"GET /healthz HTTP/1.1\r\n\r\n", (400,), None),
            ("an unknown method", b"BREW /healthz HTTP/1.1\r\n" + HOST + b"\r\n", (405,), "METHOD_NOT_ALLOWED"),
            ("TRACE", b"TRACE /healthz HTTP/1.1\r\n" + HOST + b"\r\n", (405,), "METHOD_NOT_ALLOWED"),
            ("CONNECT", b"CONNECT example.com:443 HTTP/1.1\r\n" + HOST + b"\r\n", (400, 404, 405), None),
            ("a long method", b"G" * 300 + b" /healthz HTTP/1.1\r\n" + HOST + b"\r\n", (400, 405), None),
            ("absolute form", b"GET http://x/healthz HTTP/1.1\r\n" + HOST + b"\r\n", (400,), "INVALID_REQUEST"),
            ("asterisk form", b"OPTIONS * HTTP/1.1\r\n" + HOST + b"\r\n", (400,), "INVALID_REQUEST"),
            ("a path without slash", b"GET healthz HTTP/1.1\r\n" + HOST + b"\r\n", (400,), "INVALID_REQUEST"),
            ("dot segments", b"GET /v1/../healthz HTTP/1.1\r\n" + HOST + b"\r\n", (400,), "INVALID_REQUEST"),
            ("double slash", b"GET //healthz HTTP/1.1\r\n" + HOST + b"\r\n", (400,), "INVALID_REQUEST"),
            ("a backslash", b"GET /v1\\healthz HTTP/1.1\r\n" + HOST + b"\r\n", (400,), "INVALID_REQUEST"),
            ("an encoded slash", b"GET /v1%2Fliveness HTTP/1.1\r\n" + HOST + b"\r\n", (404,), "NOT_FOUND"),
            ("an encoded dot path", b"GET /v1/sessions/%2e%2e HTTP/1.1\r\n" + HOST + self.key() + b"\r\n", (404,),
             "NOT_FOUND"),
            ("an encoded NUL", b"GET /v1/sessions/a%00b HTTP/1.1\r\n" + HOST + self.key() + b"\r\n", (404,),
             "NOT_FOUND"),
            ("an encoded slash in an id", b"GET /v1/sessions/a%2Fattempts HTTP/1.1\r\n" + HOST + self.key() + b"\r\n",
             (404,), "NOT_FOUND"),
            ("a bad escape", b"GET /v1/sessions/a%zz HTTP/1.1\r\n" + HOST + self.key() + b"\r\n", (404,), "NOT_FOUND"),
            ("a NUL in the path", b"GET /health\x00z HTTP/1.1\r\n" + HOST + b"\r\n", (None, 400, 404), None),
            ("a NUL in a header", get + b"X-A: a\x00b\r\n\r\n", (None, 200, 400), None),
            ("bytes beyond ASCII in the path", "GET /héalthz HTTP/1.1\r\n".encode() + HOST + b"\r\n", (400,), None),
            ("a path of 5000 characters", b"GET /" + b"a" * 5000 + b" HTTP/1.1\r\n" + HOST + b"\r\n", (400, 414), None),
            ("a path of 100000 characters", b"GET /" + b"a" * 100000 + b" HTTP/1.1\r\n" + HOST + b"\r\n",
             (400, 414, 431), None),
            ("a query where none is taken", b"GET /healthz?a=b HTTP/1.1\r\n" + HOST + b"\r\n", (400,),
             "INVALID_REQUEST"),
            ("a header of 9000 characters", get + b"X-A: " + b"a" * 9000 + b"\r\n\r\n", (413,), "BODY_TOO_LARGE"),
            ("a header of 100000 characters", get + b"X-A: " + b"a" * 100000 + b"\r\n\r\n", (413, 431), None),
            ("5000 headers", get + b"".join(b"X-%d: a\r\n" % i for i in range(5000)) + b"\r\n", (413, 431), None),
            ("a header without a colon", get + b"nonsense\r\n\r\n", (None, 400), None),
            ("a folded header", get + b"X-A: a\r\n b\r\n\r\n", (200, 400), None),
            ("a blank before the colon", get + b"Content-Length : 5\r\n\r\nhello", (200, 400), None),
            ("two keys", get + b"Authorization: Bearer a\r\nAuthorization: Bearer b\r\n\r\n", (400,), "INVALID_REQUEST"),
            ("two content types", post + b"Content-Type: text/plain\r\nContent-Length: 2\r\n\r\n{}", (400,),
             "INVALID_REQUEST"),
            ("two lengths", post + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{} ", (400,), None),
            ("length and encoding", post + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
             (400,), "INVALID_REQUEST"),
            ("encoding and length", post + b"Transfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
             (400,), "INVALID_REQUEST"),
            ("an unknown encoding", post + b"Transfer-Encoding: gzip\r\n\r\n{}", (400,), "INVALID_REQUEST"),
            ("two encodings", post + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", (400,), "INVALID_REQUEST"),
            ("an unknown expectation", post + b"Expect: a-pony\r\nContent-Length: 2\r\n\r\n{}", (400, 417), None),
            ("a negative length", post + b"Content-Length: -1\r\n\r\n", (400,), None),
            ("a length that is no number", post + b"Content-Length: 0x10\r\n\r\n", (400,), None),
            ("a length with a sign", post + b"Content-Length: +2\r\n\r\n{}", (400,), None),
            ("a length beyond 64 bits", post + b"Content-Length: 99999999999999999999999\r\n\r\n", (400, 413), None),
            ("a huge declared length", post + b"Content-Length: 1000000000000\r\n\r\n", (413,), "BODY_TOO_LARGE"),
            ("a length just too large", post + b"Content-Length: 200001\r\n\r\n", (413,), "BODY_TOO_LARGE"),
            ("no body", post + b"Content-Length: 0\r\n\r\n", (400,), "INVALID_REQUEST"),
            ("a body where none is taken", get + b"Content-Length: 2\r\n\r\n{}", (400,), "INVALID_REQUEST"),
            ("a chunk size that is no number", chunked + b"zz\r\n{}\r\n0\r\n\r\n", (None, 400), None),
            ("a negative chunk", chunked + b"-1\r\n{}\r\n0\r\n\r\n", (None, 400), None),
            ("a chunk beyond 64 bits", chunked + b"fffffffffffffffff\r\n{}", (None, 400, 413), None),
            ("a huge chunk", chunked + b"7fffffffffffffff\r\n" + b" " * 300000, (413,), "BODY_TOO_LARGE"),
            ("a chunk longer than it says", chunked + b"1\r\n{}\r\n0\r\n\r\n", (None, 400), None),
            ("endless small chunks", chunked + b"1\r\n \r\n" * 210000, (413,), "BODY_TOO_LARGE"),
            ("a body within chunks", chunked + b"1\r\n{\r\n1\r\n}\r\n0\r\n\r\n", (400,), "INVALID_REQUEST"),
            ("a chunk extension", chunked + b"2;a=b\r\n{}\r\n0\r\n\r\n", (400,), "INVALID_REQUEST"),
        )

    def test_hostile_requests_get_the_answer_they_must(self):
        for name, data, expected, code in self.cases():
            with self.subTest(name):
                got = server.raw(data, wait=5)
                found = statuses(got)
                self.assertLessEqual(len(found), 1, got[:500])
                self.assertIn(found[0] if found else None, expected, got[:500])
                if code:
                    self.assertEqual(code_of(got), code, got[:500])

    def test_answers_of_the_library_leak_nothing(self):
        got = server.raw(b"GET /healthz HTTP/1.1\r\n\r\n")
        self.assertNotIn(b"microhttpd", got.lower())


class Bodies(Alive):
    JSON = b"Content-Type: application/json\r\n"

    def check(self, body, status, code, text=None, headers=JSON):
        got = self.post(body, headers)
        self.assertEqual(statuses(got)[-1:], [status], got[:600])
        self.assertEqual(code_of(got), code, got[:600])
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
            (b"{\"image\": \"AAAA\", \"risk_context\": {\"device_signals\": [" + b"\"a\"," * 16 + b"\"a\"]}}", "at most 16"),
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
        self.assertEqual(statuses(got), [422], got[:300])
        self.assertEqual(code_of(got), "UNSUPPORTED_FORMAT")

    def test_content_types(self):
        for kind in (b"", b"Content-Type: text/plain\r\n", b"Content-Type: application/x-www-form-urlencoded\r\n",
                     b"Content-Type: application/json; charset=latin1\r\n", b"Content-Type: multipart/form-data\r\n",
                     b"Content-Type: multipart/mixed; boundary=x\r\n", b"Content-Type: application/jsonp\r\n",
                     b"Content-Type: multipart/form-data; boundary=" + b"x" * 71 + b"\r\n"):
            with self.subTest(kind):
                self.check(b"{}", 415, "MEDIA_TYPE_UNSUPPORTED", headers=kind)

    def test_forms_are_read_strictly(self):
        def part(name, value, extra=b""):
            return b"--BB\r\nContent-Disposition: form-data; name=\"" + name + b"\"" + extra + b"\r\n\r\n" + value + b"\r\n"
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
            (part(b"image", b"x") + part(b"risk_context", b"{\"retry_count\": 1, \"retry_count\": 2}") + end, "uplicate"),
            (part(b"image", b"x") + part(b"channel", b"fax") + end, "channel must be one of"),
            (part(b"image", b"x") + part(b"flow_type", b"\xff") + end, "UTF-8"),
            (part(b"image", b"x") + part(b"session_id", b"../..") + end, "session_id"),
            (b"--BB\r\nContent-Disposition: form-data; name=\"image\"\r\nContent-Transfer-Encoding: base64\r\n\r\nAAAA\r\n"
             + end, "transfer encoding"),
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
        import base64
        records = []
        for body in ([("image", photo), ("flow_type", "account_opening"), ("risk_context", {"risk_tier": "low"})],
                     {"flow_type": "account_opening", "risk_context": {"risk_tier": "low"},
                      "image": base64.b64encode(photo).decode()},
                     json.dumps({"image": base64.b64encode(photo).decode(), "flow_type": "account_opening",
                                 "risk_context": {"risk_tier": "low"}}).replace("/", "\\/").encode()):
            headers = {"Content-Type": "application/json"} if isinstance(body, bytes) else {}
            answer = server.ask("POST", "/v1/liveness", server.key(), body, headers)
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
                got = server.raw(b"POST /v1/liveness HTTP/1.1\r\n" + HOST + authorization
                                 + b"Content-Type: application/json\r\nExpect: 100-continue\r\n"
                                   b"Content-Length: 190000\r\n\r\n")
                self.assertEqual(statuses(got), [401], got[:300])
                self.assertEqual(code_of(got), "UNAUTHENTICATED")
                self.assertIn(b"WWW-Authenticate: Bearer", got)

    def test_roles(self):
        key = server.key("auditor")
        answer = server.ask("POST", "/v1/liveness", key, {"image": "AAAA"})
        self.assertEqual((answer.status, answer.code), (403, "FORBIDDEN"))

    def test_methods(self):
        answer = server.ask("PUT", "/v1/sessions/abc", server.key())
        self.assertEqual((answer.status, answer.code), (405, "METHOD_NOT_ALLOWED"))
        self.assertEqual(answer.headers["Allow"], "GET, DELETE")

    def test_request_ids(self):
        given = server.ask("GET", "/healthz", headers={"X-Request-ID": "abc.DEF_1:2-3"})
        self.assertEqual(given.headers["X-Request-ID"], "abc.DEF_1:2-3")
        for bad in ("a b", "x" * 65, "", "<script>"):
            made = server.ask("GET", "/healthz", headers={"X-Request-ID": bad})
            self.assertRegex(made.headers["X-Request-ID"], r"^r-[0-9a-f]{32}$")

    def test_headers_of_every_answer(self):
        for target in ("/healthz", "/nope", "/docs", "/openapi.json"):
            headers = server.ask("GET", target).headers
            self.assertEqual(headers["Cache-Control"], "no-store")
            self.assertEqual(headers["X-Content-Type-Options"], "nosniff")
            self.assertIn("default-src 'none'", headers["Content-Security-Policy"])
            self.assertIsNone(headers["Access-Control-Allow-Origin"])

    def test_origins(self):
        ours, other = "https://onboarding.example.com", "https://evil.example.com"
        asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}
        answer = server.ask("OPTIONS", "/v1/sessions/abc/attempts", headers={"Origin": ours, **asked})
        self.assertEqual((answer.status, answer.headers["Access-Control-Allow-Origin"]), (204, ours))
        self.assertIn("Authorization", answer.headers["Access-Control-Allow-Headers"])
        answer = server.ask("POST", "/v1/sessions/abc/attempts", body={"image": "AAAA"}, headers={"Origin": ours})
        self.assertEqual((answer.status, answer.headers["Access-Control-Allow-Origin"]), (401, ours))
        for target, origin in (("/v1/sessions/abc/attempts", other), ("/v1/liveness", ours), ("/v1/sessions", ours)):
            answer = server.ask("OPTIONS", target, headers={"Origin": origin, **asked})
            self.assertEqual((answer.status, answer.headers["Access-Control-Allow-Origin"]), (405, None), target)


class Time(Alive):
    def drip(self, data, pause=0.05, seconds=6):
        """Sends byte after byte until the server has enough; (what came back, seconds)."""
        start = time.monotonic()
        with socket.create_connection(("127.0.0.1", server.port), timeout=10) as peer:
            for at in range(len(data)):
                try:
                    peer.sendall(data[at:at + 1])
                except OSError:
                    break
                if time.monotonic() - start > seconds:
                    break
                time.sleep(pause)
                peer.setblocking(False)
                try:
                    if peer.recv(1, socket.MSG_PEEK) is not None:
                        break
                except OSError:
                    pass
                peer.setblocking(True)
                peer.settimeout(10)
            peer.setblocking(True)
            peer.settimeout(10)
            return service.receive(peer), time.monotonic() - start

    def check_cut(self, data):
        got, seconds = self.drip(data)
        self.assertEqual(statuses(got), [408], got[:300])
        self.assertEqual(code_of(got), "REQUEST_TOO_SLOW")
        self.assertLess(seconds, 4)
        self.assertGreater(seconds, 1.5)

    def test_slow_headers_are_cut(self):
        self.check_cut(b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-A: " + b"a" * 4000)

    def test_a_slow_request_line_is_cut(self):
        self.check_cut(b"GET /" + b"a" * 2000)

    def test_a_slow_body_is_cut(self):
        key = server.key().encode()
        head = (b"POST /v1/liveness HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + key
                + b"\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n")
        with socket.create_connection(("127.0.0.1", server.port), timeout=10) as peer:
            peer.sendall(head)
            start = time.monotonic()
            for _ in range(60):
                try:
                    peer.sendall(b" ")
                except OSError:
                    break
                time.sleep(0.1)
                if time.monotonic() - start > 3:
                    break
            got = service.receive(peer)
            self.assertEqual(statuses(got), [408], got[:300])
        lines = [line for line in server.log() if line.get("code") == "REQUEST_TOO_SLOW"]
        self.assertTrue(lines)

    def test_silence_is_cut(self):
        with socket.create_connection(("127.0.0.1", server.port), timeout=10) as peer:
            start = time.monotonic()
            service.receive(peer)
            self.assertLess(time.monotonic() - start, 4)

    def test_an_idle_connection_is_cut(self):
        with socket.create_connection(("127.0.0.1", server.port), timeout=10) as peer:
            peer.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
            start = time.monotonic()
            got = service.receive(peer)
            self.assertEqual(statuses(got), [200])
            self.assertLess(time.monotonic() - start, 4)

    def test_an_answer_that_is_not_taken_is_cut(self):
        with socket.socket() as peer:
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
            peer.settimeout(10)
            peer.connect(("127.0.0.1", server.port))
            peer.sendall(b"GET /docs HTTP/1.1\r\nHost: x\r\n\r\n" * 200)
            time.sleep(4)
            before = len([line for line in server.log() if line.get("code") == "ANSWER_NOT_TAKEN"])
            self.assertGreaterEqual(before, 1)


class Connections(Alive):
    def test_pipelined_requests_are_answered_in_order(self):
        one = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
        got = server.raw(one * 10 + b"GET /nope HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        self.assertEqual(statuses(got), [200] * 10 + [404])

    def test_what_follows_a_refused_body_is_no_request(self):
        inner = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
        got = server.raw(b"POST /v1/liveness HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n"
                         b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n" % len(inner) + inner)
        self.assertEqual(statuses(got), [400], got)

    def test_early_close(self):
        key = server.key().encode()
        for cut in (1, 20, 60, 120):
            data = (b"POST /v1/liveness HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + key
                    + b"\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{\"image\": \"AAAA")
            with socket.create_connection(("127.0.0.1", server.port), timeout=5) as peer:
                peer.sendall(data[:-cut])
        got = server.raw(data, end=True)
        self.assertIn(statuses(got), ([], [400], [408]))

    def test_one_address_has_a_limited_number_of_connections(self):
        peers = [socket.create_connection(("127.0.0.1", server.port), timeout=5) for _ in range(70)]
        try:
            time.sleep(0.3)
            answered = 0
            for peer in peers:
                try:
                    peer.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
                    answered += statuses(service.receive(peer)) == [200]
                except OSError:
                    pass
            self.assertGreater(answered, 30)
            self.assertLessEqual(answered, 50)
        finally:
            for peer in peers:
                peer.close()
        time.sleep(0.3)

    def test_many_clients_at_once(self):
        failures = []

        def work():
            for _ in range(20):
                if server.ask("GET", "/readyz").status != 200:
                    failures.append(1)
        threads = [threading.Thread(target=work) for _ in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(failures, [])


class Afterwards(Alive):
    """Descriptors and threads, counted around a round of abuse."""

    def count(self, what):
        return len(os.listdir(f"/proc/{server.process.pid}/{what}"))

    def test_nothing_is_left_open(self):
        def round_of_abuse():
            for name, data, _, _ in Requests().cases():
                if "100000" not in name and "endless" not in name:
                    with socket.create_connection(("127.0.0.1", server.port), timeout=5) as peer:
                        try:
                            peer.sendall(data)
                        except OSError:
                            pass
        round_of_abuse()
        time.sleep(3)
        files, threads = self.count("fd"), self.count("task")
        for _ in range(3):
            round_of_abuse()
        time.sleep(3)
        self.assertLessEqual(self.count("fd"), files + 1)
        self.assertLessEqual(self.count("task"), threads + 1)


class Life(unittest.TestCase):
    """Servers of their own."""

    def test_the_log_names_no_secret(self):
        with service.Server() as own:
            key = own.key()
            own.ask("POST", "/v1/liveness?secret=1", key, {"image": "AAAA"})
            own.ask("POST", "/v1/sessions", key, {"flow_type": "account_opening", "subject": "Jane Doe 1970"})
            text = own.log_text()
            self.assertNotIn(key.split("_")[2], text)
            self.assertNotIn("Jane", text)
            self.assertNotIn("secret=1", text)
            self.assertNotIn("127.0.0.1\"", text)
            lines = [line for line in own.log() if line.get("event") == "request"]
            self.assertEqual(lines[0]["key"], key.split("_")[1])

    def test_a_proxy_is_believed_where_it_is_trusted(self):
        with service.Server({"trusted_proxies": ["127.0.0.1"]}) as own:
            for forwarded in ("198.51.100.7", "203.0.113.9, 198.51.100.7", "junk, 198.51.100.7", "198.51.100.8"):
                own.ask("GET", "/docs", headers={"X-Forwarded-For": forwarded})
            seen = [line["address"] for line in own.wait_log("request", 4)]
            self.assertEqual((seen[0] == seen[1], seen[0] == seen[2], seen[0] == seen[3]), (True, True, False))
        with service.Server() as own:
            for forwarded in ("198.51.100.7", "198.51.100.8"):
                own.ask("GET", "/docs", headers={"X-Forwarded-For": forwarded})
            seen = [line["address"] for line in own.wait_log("request", 2)]
            self.assertEqual(seen[0], seen[1])

    def test_rates(self):
        with service.Server({"rates": {"per_address": {"per_second": 1, "burst": 5}}}) as own:
            got = [own.ask("GET", "/docs") for _ in range(12)]
            refused = [answer for answer in got if answer.status == 429]
            self.assertGreaterEqual(len(refused), 4)
            self.assertEqual(refused[0].code, "RATE_LIMITED")
            self.assertGreaterEqual(int(refused[0].headers["Retry-After"]), 1)
            self.assertEqual(own.ask("GET", "/healthz").status, 200)

    def test_a_unix_socket(self):
        folder = program.scratch()
        with service.Server({"listen": [f"unix:{folder}/http.sock", "127.0.0.1:0"]}) as own:
            self.assertEqual(own.ask("GET", "/healthz").status, 200)
            self.assertEqual(oct(os.stat(folder / "http.sock").st_mode & 0o777), "0o660")
            own.kill()
            own.start()
            self.assertEqual(own.ask("GET", "/healthz").status, 200)
        self.assertFalse((folder / "http.sock").exists())

    def test_a_drain_finishes_what_is_under_way(self):
        photo = service.sample()
        if photo is None:
            self.skipTest("no sample photos")
        own = service.Server()
        results = []

        def work():
            results.append(own.ask("POST", "/v1/liveness", key, [("image", photo)]).status)
        key = own.key()
        threads = [threading.Thread(target=work) for _ in range(6)]
        for thread in threads:
            thread.start()
        time.sleep(0.1)
        self.assertEqual(own.stop(), 0)
        for thread in threads:
            thread.join()
        self.assertEqual(results, [200] * 6)
        self.assertEqual(own.log()[-1]["event"], "end")

    def test_a_second_signal_ends_at_once(self):
        own = service.Server({"limits": {"request_s": 60}})
        with socket.create_connection(("127.0.0.1", own.port), timeout=5) as peer:
            peer.sendall(b"GET /healthz HTTP/1.1\r\n")
            time.sleep(0.3)
            own.send(signal.SIGTERM)
            own.wait_log("drain")
            start = time.monotonic()
            self.assertEqual(own.stop(), 70)
            self.assertLess(time.monotonic() - start, 5)

    def test_reload(self):
        with service.Server() as own:
            self.assertEqual(own.ask("GET", "/metrics").status, 200)
            own.config["metrics"] = "operator"
            own.write_config()
            own.send(signal.SIGHUP)
            own.wait_log("reloaded")
            self.assertEqual(own.ask("GET", "/metrics").status, 401)
            self.assertEqual(own.ask("GET", "/metrics", own.key("integrator")).status, 403)
            self.assertEqual(own.ask("GET", "/metrics", own.key("operator")).status, 200)
            own.config["metrics"] = "nobody"
            own.write_config()
            own.send(signal.SIGHUP)
            failed = own.wait_log("reload_failed")
            self.assertIn("metrics", failed[0]["message"])
            self.assertEqual(own.ask("GET", "/metrics", own.key("operator")).status, 200)


class Configuration(unittest.TestCase):
    def check(self, changes, text):
        own = service.Server(changes, start=False)
        done = own.run("serve", "--check", check=False)
        self.assertEqual(done.returncode, 64, done)
        self.assertIn(text, done.stderr)

    def test_faults_are_named(self):
        self.check({"listen": ["0.0.0.0:80"]}, "plain HTTP")
        self.check({"listen": ["localhost:80"]}, "no address to listen on")
        self.check({"lisen": []}, "did you mean 'listen'")
        self.check({"tls": {"certificate": "a.pem"}}, "belong together")
        self.check({"tls": {"certificate": "a.pem", "key": "a.key"}}, "a.pem")
        self.check({"limits": {"request_s": 0}}, "request_s")
        self.check({"cors_origins": ["*"]}, "no origin")
        self.check({"trusted_proxies": ["10.0.0.0/40"]}, "no address or network")
        self.check({"sessions": {"token_s": 600, "session_s": 60}}, "longer")
        self.check({}, "--create")

    def test_a_good_one_passes(self):
        own = service.Server(start=False)
        self.assertEqual(own.run("serve", "--check", "--create").stdout, f"{own.path}: no fault\n")
        self.assertEqual(oct(os.stat(own.folder / "state").st_mode & 0o777), "0o700")
        self.assertEqual(oct(os.stat(own.folder / "state/master.key").st_mode & 0o777), "0o600")
        self.assertEqual(own.run("serve", "--check").returncode, 0)


tap.main()
