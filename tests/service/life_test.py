"""A server's life: its configuration, its log, signals, and the end."""
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
import program  # noqa: E402
import service  # noqa: E402
import tap  # noqa: E402


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

    def test_nobody_forges_a_line(self):
        line = b'{"time":"2026-01-01T00:00:00.000Z","event":"forged"}'
        with service.Server() as own:
            for part in (b"\n" + line + b"\n", b"%0a" + line + b"%0a", b"\xe2\x80\xa8" + line, b"\x1b[2J" + line,
                         b'"' + line):
                own.raw(b"GET /v1/sessions/" + part + b" HTTP/1.1\r\nHost: x\r\n\r\n", wait=1)
                own.raw(b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-Request-ID: a" + part + b"\r\n\r\n", wait=1)
            own.ask("GET", "/healthz", headers={"X-Request-ID": "last"})
            own.wait_log("ready")
            lines = own.log_text().splitlines()
            events = [json.loads(text)["event"] for text in lines]
            self.assertNotIn("forged", events)
            self.assertEqual([text for text in lines if "\x1b" in text or "\u2028" in text], [])

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
        own = service.Server({"workers": {"count": 1, "queue": 16}})
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

    def test_a_reload_drops_no_request(self):
        photo = service.sample()
        if photo is None:
            self.skipTest("no sample photos")
        with service.Server({"workers": {"count": 1, "queue": 16}}) as own:
            key, statuses, ending = own.key(), [], threading.Event()

            def work():
                while not ending.is_set():
                    statuses.append(own.ask("POST", "/v1/liveness", key, [("image", photo)]).status)
            threads = [threading.Thread(target=work) for _ in range(3)]
            for thread in threads:
                thread.start()
            for count in (1, 2, 3):
                own.send(signal.SIGHUP)
                own.wait_log("reloaded", count, seconds=60)
            ending.set()
            for thread in threads:
                thread.join()
            self.assertEqual(set(statuses), {200})
            self.assertGreater(len(statuses), 5)

    def test_the_master_key_may_come_from_the_environment(self):
        text = "bonafide-master-key-v1 AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
        with service.Server(environment={"BONAFIDE_MASTER_KEY": text}) as own:
            self.assertEqual(own.ask("GET", "/readyz").status, 200)
            self.assertFalse((own.folder / "state/master.key").exists())
            self.assertNotIn("AAECAwQF", own.log_text())
            below = self.children(own.process.pid)
            self.assertGreaterEqual(len(below), 2)
            for task in below:
                self.assertNotIn(b"BONAFIDE_MASTER_KEY", pathlib.Path(f"/proc/{task}/environ").read_bytes())
                self.assertNotIn(b"AAECAwQF", pathlib.Path(f"/proc/{task}/cmdline").read_bytes())

    def children(self, process):
        """The processes below one."""
        found = []
        for task in pathlib.Path(f"/proc/{process}/task").iterdir():
            try:
                children = (task / "children").read_text().split()
            except FileNotFoundError:
                continue  # a connection's thread that has ended
            for child in children:
                found += [int(child), *self.children(int(child))]
        return found

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
            self.assertEqual([line["message"] for line in own.log() if "restart" in line.get("message", "")], [])
            own.config["limits"] = {"connections": 100, "connections_per_address": 50}
            own.config["rates"]["per_subject"] = {"per_second": 1, "burst": 1}
            own.config["webhooks"] = {"allow_http": True}
            own.write_config()
            own.send(signal.SIGHUP)
            own.wait_log("reloaded", 2)
            self.assertEqual([line["message"] for line in own.log() if "restart" in line.get("message", "")],
                             [f"A change of {key} needs a restart."
                              for key in ("limits.connections", "rates.per_subject", "webhooks")])
            own.config["metrics"] = "nobody"
            own.write_config()
            own.send(signal.SIGHUP)
            failed = own.wait_log("reload_failed")
            self.assertIn("metrics", failed[0]["message"])
            self.assertEqual(own.ask("GET", "/metrics", own.key("operator")).status, 200)


class Development(unittest.TestCase):
    """What `make run` starts."""

    def start(self, folder, sample):
        arguments = ["serve", "--development", str(folder), "--sample", str(sample)]
        process = subprocess.Popen([str(program.PROGRAM), *arguments],
                                   env=program.ENVIRONMENT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True)
        said = ""
        for line in process.stdout:
            said += line
            if "Ctrl-C ends it" in line:
                break
        return process, said

    def end(self, process):
        process.send_signal(signal.SIGINT)
        code = process.wait(60)
        self.assertEqual((code, process.stderr.read()), (0, ""))
        process.stdout.close()
        process.stderr.close()

    def test_it_prints_a_request_that_works(self):
        sample = program.SAMPLES / "person-1.jpg"
        if not sample.exists() or not shutil.which("curl"):
            self.skipTest("no sample photos, or no curl")
        folder = program.scratch() / "development"
        process, said = self.start(folder, sample)
        command = re.search(r"^  (curl .*)$", said, re.MULTILINE).group(1)
        self.assertEqual(oct(folder.stat().st_mode & 0o777), "0o700")
        done = subprocess.run(["sh", "-c", command], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True)
        self.assertEqual(json.loads(done.stdout)["result"]["label"], "live")
        # A second one takes the next port; its keys end those of the first.
        other, other_said = self.start(folder, sample)
        self.assertNotEqual(re.search(r"http://\S+", said).group(0), re.search(r"http://\S+", other_said).group(0))
        done = subprocess.run(["sh", "-c", command], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True)
        self.assertEqual(json.loads(done.stdout)["error"]["code"], "UNAUTHENTICATED")
        self.end(other)
        self.end(process)


class Configuration(unittest.TestCase):
    def check(self, changes, text, *options):
        own = service.Server(changes, start=False)
        done = own.run("serve", "--check", *options, check=False)
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

    def test_a_start_that_fails_says_what_to_do(self):
        own = service.Server(start=False)
        own.run("serve", "--check", "--create")
        with socket.create_server(("127.0.0.1", 0)) as taken:
            own.config["listen"] = [f"127.0.0.1:{taken.getsockname()[1]}"]
            own.write_config()
            said = own.run("serve", check=False).stderr
        self.assertIn("Address already in use", said)
        self.assertIn("change 'listen'", said)
        self.check({"state_dir": "bonafide.yaml"}, "is there and is no folder", "--create")
        for command in (["serve"], ["keys", "list"]):
            done = program.run(*command, "--config", own.folder / "none.yaml")
            self.assertEqual(done.returncode, 64)
            self.assertIn("--config FILE or $BONAFIDE_CONFIG names another", done.stderr)

    def test_a_good_one_passes(self):
        own = service.Server(start=False)
        self.assertEqual(own.run("serve", "--check", "--create").stdout, f"{own.path}: no fault\n")
        self.assertEqual(oct(os.stat(own.folder / "state").st_mode & 0o777), "0o700")
        self.assertEqual(oct(os.stat(own.folder / "state/master.key").st_mode & 0o777), "0o600")
        self.assertEqual(own.run("serve", "--check").returncode, 0)

tap.main()
