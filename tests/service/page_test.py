"""The capture page: its files, what browsers are told about them, and the demonstration that needs no key."""
import gzip
import os
import re
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.join(os.environ["BONAFIDE_SOURCE_DIR"], "tests", "lib"))
import program
import service
import tap

SCRIPT = "/capture/bonafide-capture.js"
OURS = "https://onboarding.example.com"


class Files(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        if not program.has_weights():
            raise unittest.SkipTest("no weights; run 'make setup' first")
        cls.server = service.Server({"cors_origins": [OURS], "demo": True}).__enter__()

    @classmethod
    def tearDownClass(cls):
        cls.server.__exit__(None, None, None)

    def test_the_script_is_served(self):
        answer = self.server.ask("GET", SCRIPT)
        self.assertEqual((answer.status, answer.headers["Content-Type"]), (200, "text/javascript; charset=utf-8"))
        self.assertIn(b"bonafide-capture", answer.body)
        self.assertEqual(answer.headers["X-Content-Type-Options"], "nosniff")
        self.assertEqual(answer.headers["Cache-Control"], "no-cache")
        self.assertEqual(answer.headers["Access-Control-Allow-Origin"], "*")
        self.assertIsNone(answer.headers["Content-Encoding"])

    def test_it_is_compressed_for_who_takes_that(self):
        whole = self.server.ask("GET", SCRIPT).body
        for accepted in ("gzip", "gzip, deflate, br", "br, GZIP;q=1"):
            answer = self.server.ask("GET", SCRIPT, headers={"Accept-Encoding": accepted})
            self.assertEqual(answer.headers["Content-Encoding"], "gzip", accepted)
            self.assertEqual(gzip.decompress(answer.body), whole)
            self.assertLess(len(answer.body), 60 << 10)
        for accepted in ("gzip;q=0", "br", "notgzip", ""):
            answer = self.server.ask("GET", SCRIPT, headers={"Accept-Encoding": accepted})
            self.assertIsNone(answer.headers["Content-Encoding"], accepted)

    def test_what_is_known_is_not_sent_again(self):
        first = self.server.ask("GET", SCRIPT)
        again = self.server.ask("GET", SCRIPT, headers={"If-None-Match": first.headers["ETag"]})
        self.assertEqual((again.status, again.body), (304, b""))
        self.assertEqual(again.headers["ETag"], first.headers["ETag"])
        other = self.server.ask("GET", SCRIPT, headers={"If-None-Match": '"0123"'})
        self.assertEqual(other.status, 200)

    def test_nothing_inline_may_run(self):
        for target in ("/demo/", "/demo/demo.js", "/demo/demo.css", SCRIPT):
            answer = self.server.ask("GET", target)
            self.assertEqual(answer.status, 200, target)
            policy = answer.headers["Content-Security-Policy"]
            self.assertIn("default-src 'none'", policy)
            self.assertIn("frame-ancestors 'none'", policy)
            self.assertNotIn("unsafe", policy)
        page = self.server.ask("GET", "/demo/").body.decode()
        self.assertNotRegex(page, r"<script(?![^>]*\bsrc=)")
        self.assertNotRegex(page, r"<style|\bstyle=|\son[a-z]+=")

    def test_what_is_not_there(self):
        for target in ("/demo/../capture/bonafide-capture.js", "/capture/", "/demo/none.js", "/demo//", "/DEMO/"):
            self.assertIn(self.server.ask("GET", target).status, (400, 404), target)
        self.assertEqual(self.server.ask("POST", "/demo/", body={}).status, 405)

    def test_without_development_nobody_opens_a_session_without_a_key(self):
        answer = self.server.ask("POST", "/demo/session", body={"flow_type": "account_opening"})
        self.assertEqual((answer.status, answer.code), (404, "NOT_FOUND"))
        self.assertEqual(self.server.ask("GET", "/demo/session?id=s_0").status, 404)

    def test_other_origins(self):
        asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}
        for origin, status in ((OURS, 204), ("https://evil.example.com", 405)):
            answer = self.server.ask("OPTIONS", "/v1/sessions/abc/plan", headers={"Origin": origin, **asked})
            self.assertEqual(answer.status, status)
        answer = self.server.ask("OPTIONS", "/demo/session", headers={"Origin": OURS, **asked})
        self.assertEqual(answer.status, 404)


class Hidden(unittest.TestCase):
    def test_the_demonstration_is_off_where_nobody_asked_for_it(self):
        if not program.has_weights():
            self.skipTest("no weights")
        with service.Server() as server:
            self.assertIn(server.ask("GET", "/demo/").status, (400, 404))
            self.assertEqual(server.ask("GET", "/demo/demo.js").status, 404)
            self.assertEqual(server.ask("GET", SCRIPT).status, 200)


class Demonstration(unittest.TestCase):
    """A server in development mode, asked as its page does it."""

    @classmethod
    def setUpClass(cls):
        if not program.has_weights():
            raise unittest.SkipTest("no weights; run 'make setup' first")
        cls.process = subprocess.Popen([str(program.PROGRAM), "serve", "--development", str(program.scratch() / "d")],
                                       stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL,
                                       env=program.ENVIRONMENT, text=True)
        said = ""
        for line in cls.process.stdout:
            said += line
            if "Ctrl-C ends it" in line:
                break
        cls.server = service.Server(start=False)
        cls.server.urls = [re.search(r"http://[0-9.:]+", said).group(0)]
        cls.said = said

    @classmethod
    def tearDownClass(cls):
        cls.process.terminate()
        cls.process.wait(60)
        cls.process.stdout.close()
        cls.process.stderr.close()

    def test_the_greeting_names_the_page(self):
        self.assertIn(f"{self.server.url}/demo/", self.said)
        self.assertEqual(self.server.ask("GET", "/demo/").status, 200)

    def test_a_session_is_opened_and_looked_at(self):
        body = {"flow_type": "account_opening", "mode": "active"}
        made = self.server.ask("POST", "/demo/session", body=body, headers={"Origin": self.server.url})
        self.assertEqual(made.status, 201)
        created = made.json
        self.assertGreater(len(created["plan"]["steps"]), 2)
        state = self.server.ask("GET", f"/demo/session?id={created['session']['id']}").json
        self.assertEqual(state["session"]["state"], "CREATED")
        photo = service.sample()
        if photo:
            answer = self.server.ask("POST", f"/v1/sessions/{created['session']['id']}/attempts",
                                     created["client_token"], photo, {"Content-Type": "application/octet-stream"})
            self.assertEqual(answer.status, 200)
            self.assertNotEqual(answer.json["answer"], "pass")  # a still where steps were asked

    def test_foreign_pages_and_places_are_refused(self):
        body = {"flow_type": "account_opening"}
        host = self.server.url.removeprefix("http://")
        for headers in ({"Origin": "https://evil.example.com"}, {"Origin": "null"}, {"Host": "evil.example.com"},
                        {"Host": f"127.0.0.1.evil.example.com:{self.server.port}"},
                        {"Origin": "http://evil.example.com", "Host": "evil.example.com"},
                        {"X-Forwarded-For": "127.0.0.1"}):
            answer = self.server.ask("POST", "/demo/session", body=body, headers=headers)
            self.assertEqual((answer.status, answer.code), (404, "NOT_FOUND"), headers)
        self.assertEqual(self.server.ask("POST", "/demo/session", body=body, headers={"Host": host}).status, 201)
        for target in ("/demo/session?id=../v1/x", "/demo/session?id=", "/demo/session?id=s_1/attempts",
                       "/demo/session?ID=s_1", "/demo/session/x"):
            self.assertIn(self.server.ask("GET", target).status, (400, 404, 405), target)
        made = self.server.ask("POST", "/demo/session", body=body).json
        erased = self.server.ask("DELETE", f"/demo/session?id={made['session']['id']}")
        self.assertEqual((erased.status, erased.code), (404, "NOT_FOUND"))

    def test_other_operations_still_need_a_key(self):
        self.assertEqual(self.server.ask("POST", "/v1/sessions", body={"flow_type": "account_opening"}).status, 401)


tap.main()
