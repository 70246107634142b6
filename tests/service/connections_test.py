"""Clients that are slow, many, or gone: they are cut, and nothing of them stays."""
import os
import pathlib
import socket
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
import hostile_requests  # noqa: E402
import service  # noqa: E402
import tap  # noqa: E402
from alive import Alive, setUpModule, tearDownModule  # noqa: E402, F401

# The limits are 2 s; what is not cut is given up after 10. A busy machine has the time between.
SOON_S = 8


class Time(Alive):
    def drip(self, data, pause=0.05, seconds=6):
        """Sends byte after byte until the server has enough; (what came back, seconds)."""
        start = time.monotonic()
        with socket.create_connection(("127.0.0.1", self.server.port), timeout=10) as peer:
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
        self.assertLess(seconds, SOON_S)
        self.assertGreater(seconds, 1.5)

    def test_slow_headers_are_cut(self):
        self.check_cut(b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-A: " + b"a" * 4000)

    def test_a_slow_request_line_is_cut(self):
        self.check_cut(b"GET /" + b"a" * 2000)

    def test_a_slow_body_is_cut(self):
        key = self.server.key().encode()
        head = (b"POST /v1/liveness HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + key
                + b"\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n")
        with socket.create_connection(("127.0.0.1", self.server.port), timeout=10) as peer:
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
            self.assertEqual(service.code_of(got), "REQUEST_TOO_SLOW")

    def test_silence_is_cut(self):
        with socket.create_connection(("127.0.0.1", self.server.port), timeout=10) as peer:
            start = time.monotonic()
            service.receive(peer)
            self.assertLess(time.monotonic() - start, SOON_S)

    def test_an_idle_connection_is_cut(self):
        with socket.create_connection(("127.0.0.1", self.server.port), timeout=10) as peer:
            peer.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
            start = time.monotonic()
            got = service.receive(peer)
            self.assertEqual(service.statuses(got), [200])
            self.assertLess(time.monotonic() - start, SOON_S)

    def test_an_answer_that_is_not_taken_is_cut(self):
        def cut():
            return len([line for line in self.server.log() if line.get("code") == "ANSWER_NOT_TAKEN"])
        before, end = cut(), time.monotonic() + 15
        with socket.socket() as peer:
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
            peer.settimeout(10)
            peer.connect(("127.0.0.1", self.server.port))
            peer.sendall(b"GET /docs HTTP/1.1\r\nHost: x\r\n\r\n" * 200)
            while cut() == before and time.monotonic() < end:
                time.sleep(0.1)
        self.assertGreater(cut(), before)


class Connections(Alive):
    def test_pipelined_requests_are_answered_in_order(self):
        one = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
        got = self.server.raw(one * 10 + b"GET /nope HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        self.assertEqual(service.statuses(got), [200] * 10 + [404])

    def test_what_follows_a_refused_body_is_no_request(self):
        inner = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
        got = self.server.raw(b"POST /v1/liveness HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n"
                              b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n" % len(inner) + inner)
        self.assertEqual(service.statuses(got), [400], got)

    def test_early_close(self):
        key = self.server.key().encode()
        for cut in (1, 20, 60, 120):
            data = (b"POST /v1/liveness HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + key
                    + b"\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{\"image\": \"AAAA")
            with socket.create_connection(("127.0.0.1", self.server.port), timeout=5) as peer:
                peer.sendall(data[:-cut])
        got = self.server.raw(data, end=True)
        self.assertIn(service.statuses(got), ([], [400], [408]))

    def test_one_address_has_a_limited_number_of_connections(self):
        """Silent connections: those that were accepted are told that they are too slow, the others get no byte."""
        peers = [socket.create_connection(("127.0.0.1", self.server.port), timeout=10) for _ in range(70)]
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
                if self.server.ask("GET", "/readyz").status != 200:
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
        return len(os.listdir(f"/proc/{self.server.process.pid}/{what}"))

    def test_nothing_is_left_open(self):
        def round_of_abuse():
            for name, data, _, _ in hostile_requests.cases(self.server.key()):
                if "100000" not in name and "endless" not in name:
                    with socket.create_connection(("127.0.0.1", self.server.port), timeout=5) as peer:
                        try:
                            peer.sendall(data)
                        except OSError:
                            pass
        def read():
            for _ in range(10):
                self.server.ask("GET", "/v1/sessions/nobody", self.server.key())
        def settled():
            """What is open a while after a round: what was only closing is gone."""
            round_of_abuse()
            time.sleep(3)
            return self.count("fd"), self.count("task")
        # The store opens its connections for reading when they are first needed at once.
        readers = [threading.Thread(target=read) for _ in range(16)]
        self.server.key()
        for reader in readers:
            reader.start()
        for reader in readers:
            reader.join()
        # That may come as late as in a round, but not in each: what leaks grows with every one.
        counts = [settled()]
        while len(counts) < 2 or any(now > before for now, before in zip(counts[-1], counts[-2])):
            self.assertLess(len(counts), 6, f"descriptors and threads only grow: {counts}")
            counts.append(settled())

tap.main()
