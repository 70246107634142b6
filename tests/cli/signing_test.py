"""The example of docs/reference/access.md signs with nothing but a shell, openssl and curl; what it sends is put before
the very check that the service makes."""
import http.server
import json
import pathlib
import re
import shutil
import subprocess
import sys
import threading
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
import program  # noqa: E402
import tap  # noqa: E402

PAGE = (program.SOURCE / "docs/reference/access.md").read_text(encoding="utf-8")
BODY = '{"flow_type": "account_opening", "channel": "mobile_web"}'


class Receiver(http.server.BaseHTTPRequestHandler):
    """Keeps what arrived."""

    def do_POST(self):
        self.server.arrived = (self.path, dict(self.headers),
                               self.rfile.read(int(self.headers["Content-Length"])).decode())
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_):
        pass


@unittest.skipUnless(shutil.which("openssl") and shutil.which("curl"), "no openssl or no curl")
class Example(unittest.TestCase):
    def setUp(self):
        self.folder = program.server_state()
        made = program.run("keys", "create", "--role", "integrator", "--client", "a_bank", "--signed", "--json",
                           "--config", self.folder / "bonafide.yaml")
        self.assertEqual(made.returncode, 0, made.stderr)
        self.key = json.loads(made.stdout)
        (self.folder / "session.json").write_text(BODY, encoding="utf-8")

    def send(self):
        """Runs the page's shell block; what a server got of it."""
        script = re.search(r"runs this block\. -->\n```sh\n(.*?)```", PAGE, re.DOTALL).group(1)
        with http.server.HTTPServer(("127.0.0.1", 0), Receiver) as server:
            thread = threading.Thread(target=server.handle_request)
            thread.start()
            done = subprocess.run(["sh", "-eu", "-c", script], cwd=self.folder, stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE, text=True, timeout=program.TIMEOUT_S, check=False,
                                  env={**program.ENVIRONMENT, "KEY": self.key["key"],
                                       "SECRET": self.key["signing_secret"],
                                       "URL": f"http://127.0.0.1:{server.server_port}"})
            thread.join(program.TIMEOUT_S)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            return server.arrived

    def check(self, header, method="POST", target="/v1/sessions", body="session.json"):
        done = subprocess.run([str(program.BUILD / "tests/support/check_signature"), "sqlite:bonafide.db", "master.key",
                               self.key["id"], method, target, body, header], cwd=self.folder, stdout=subprocess.PIPE,
                              text=True, timeout=program.TIMEOUT_S, check=True)
        return done.stdout.strip()

    def test_what_it_sends_is_rightly_signed(self):
        path, headers, body = self.send()
        self.assertEqual((path, body), ("/v1/sessions", BODY))
        self.assertEqual(headers["Authorization"], f"Bearer {self.key['key']}")
        header = headers["Bonafide-Signature"]
        (self.folder / "other.json").write_text(BODY + "\n", encoding="utf-8")
        self.assertEqual(self.check(header, target="/v1/match"), "SIGNATURE_INVALID")
        self.assertEqual(self.check(header, method="PUT"), "SIGNATURE_INVALID")
        self.assertEqual(self.check(header, body="other.json"), "SIGNATURE_INVALID")
        self.assertEqual(self.check(header), "OK")
        self.assertEqual(self.check(header), "SIGNATURE_INVALID", "a nonce is good once")

    def test_the_page_lists_a_true_example(self):
        """The table's own numbers, computed by openssl."""
        table = dict(re.findall(r"^\| ([a-zA-Z][^|]*?) \| (.*?) \|$", PAGE, re.MULTILINE))
        secret = re.search(r"bfs_([0-9a-f]{64})", table["signing secret"]).group(1)
        method, target = re.findall(r"`(.*?)`", table["method, path"])
        time, nonce = re.findall(r"`(.*?)`", table["time, nonce"])
        self.assertEqual(table["body"], f"`{BODY}`")
        digest = self.openssl(["-sha256", "-r"], BODY)
        self.assertEqual(table["its SHA-256"], f"`{digest}`")
        lines = "\n".join(["bonafide-request-v1", method, target, time, nonce, digest])
        mac = self.openssl(["-sha256", "-r", "-mac", "HMAC", "-macopt", f"hexkey:{secret}"], lines)
        self.assertEqual(table["signature"], f"`{mac}`")

    def openssl(self, options, text):
        done = subprocess.run(["openssl", "dgst", *options], input=text, stdout=subprocess.PIPE, text=True,
                              timeout=program.TIMEOUT_S, check=True)
        return done.stdout.split()[0]


tap.main()
