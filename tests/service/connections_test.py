"""Clients that are slow, many, or gone: they are cut, and nothing of them stays."""
import os
import pathlib
import socket
import sys
import threading
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
import hostile_requests  # noqa: E402
import program  # noqa: E402
import service  # noqa: E402
import tap  # noqa: E402

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
        server.__exit__(None)


class Alive(unittest.TestCase):
    """After each case the server still answers."""

    def tearDown(self):
        self.assertIsNone(server.process.poll(), server.log_text()[-2000:])
        self.assertEqual(server.ask("GET", "/healthz").status, 200)


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
        self.assertEqual(service.statuses(got), [408], got[:300])
        self.assertEqual(service.code_of(got), "REQUEST_TOO_SLOW")
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
            self.assertEqual(service.statuses(got), [408], got[:300])
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
            self.assertEqual(service.statuses(got), [200])
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
        self.assertEqual(service.statuses(got), [200] * 10 + [404])

    def test_what_follows_a_refused_body_is_no_request(self):
        inner = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
        got = server.raw(b"POST /v1/liveness HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n"
                         b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n" % len(inner) + inner)
        self.assertEqual(service.statuses(got), [400], got)

    def test_early_close(self):
        key = server.key().encode()
        for cut in (1, 20, 60, 120):
            data = (b"POST /v1/liveness HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + key
                    + b"\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{\"image\": \"AAAA")
            with socket.create_connection(("127.0.0.1", server.port), timeout=5) as peer:
                peer.sendall(data[:-cut])
        got = server.raw(data, end=True)
        self.assertIn(service.statuses(got), ([], [400], [408]))

    def test_one_address_has_a_limited_number_of_connections(self):
        """Silent connections: those that were accepted are told that they are too slow, the others get no byte."""
        peers = [socket.create_connection(("127.0.0.1", server.port), timeout=10) for _ in range(70)]
        try:
            got = [service.statuses(service.receive(peer)) for peer in peers]
        finally:
            for peer in peers:
                peer.close()
        self.assertLessEqual({tuple(statuses) for statuses in got}, {(), (408,)})
        self.assertGreater(got.count([408]), 30)
        self.assertGreaterEqual(got.count([]), 10)

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
            for name, data, _, _ in hostile_requests.cases(server.key()):
                if "100000" not in name and "endless" not in name:
                    with socket.create_connection(("127.0.0.1", server.port), timeout=5) as peer:
                        try:
                            peer.sendall(data)
                        except OSError:
                            pass
        def read():
            for _ in range(10):
                server.ask("GET", "/v1/sessions/nobody", server.key())
        # The store opens its connections for reading when they are first needed at once.
        readers = [threading.Thread(target=read) for _ in range(16)]
        server.key()
        for reader in readers:
            reader.start()
        for reader in readers:
            reader.join()
        round_of_abuse()
        time.sleep(3)
        files, threads = self.count("fd"), self.count("task")
        for _ in range(3):
            round_of_abuse()
        end = time.monotonic() + 15
        while (self.count("fd") > files or self.count("task") > threads) and time.monotonic() < end:
            time.sleep(0.2)
        self.assertLessEqual(self.count("fd"), files)
        self.assertLessEqual(self.count("task"), threads)

tap.main()
