"""For test files that abuse one server, which has short time limits and few connections.

    from alive import Alive, setUpModule, tearDownModule

The server starts with the file's first case and ends with its last."""
import unittest

import program
import service


class Alive(unittest.TestCase):
    """After each case the server still answers."""
    server = None

    def tearDown(self):
        self.assertIsNone(self.server.process.poll(), self.server.log_text()[-2000:])
        self.assertEqual(self.server.ask("GET", "/healthz").status, 200)


def setUpModule():
    if not program.has_weights():
        raise unittest.SkipTest("the networks are not in the cache")
    Alive.server = service.Server({
        "limits": {"request_s": 2, "idle_s": 2, "body_bytes": 200000, "header_bytes": 8192, "connections": 60,
                   "connections_per_address": 50},
        "cors_origins": ["https://onboarding.example.com"]})


def tearDownModule():
    if Alive.server:
        Alive.server.__exit__(None)
