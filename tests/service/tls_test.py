"""TLS: which versions are spoken, changing the certificate while running, and saying so when it has expired."""
import pathlib
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import unittest
import warnings

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
import program  # noqa: E402
import service  # noqa: E402
import tap  # noqa: E402


def certificate(folder, name, days=2):
    """Makes NAME.pem and NAME.key; with fewer than no days, one that has expired."""
    template, key, pem = (folder / f"{name}.{ending}" for ending in ("cfg", "key", "pem"))
    when = f"expiration_days = {days}" if days > 0 else ("activation_date = \"2020-01-01 00:00:00 UTC\"\n"
                                                         "expiration_date = \"2020-02-01 00:00:00 UTC\"")
    template.write_text(f"cn = {name}\ndns_name = localhost\nip_address = 127.0.0.1\n{when}\n"
                        "tls_www_server\nsigning_key\n")
    for command in (["certtool", "--generate-privkey", "--key-type", "ecdsa", "--outfile", str(key)],
                    ["certtool", "--generate-self-signed", "--load-privkey", str(key), "--template", str(template),
                     "--outfile", str(pem)]):
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return pem, key


@unittest.skipUnless(program.has_weights(), "the networks are not in the cache")
@unittest.skipUnless(shutil.which("certtool"), "no certtool")
class Tls(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = program.scratch()
        cls.first, cls.second, cls.old = (certificate(cls.folder, name, days)
                                          for name, days in (("first", 2), ("second", 2), ("old", 0)))

    def server(self, pair, **more):
        self.use(pair)
        return service.Server({"tls": {"certificate": str(self.folder / "used.pem"),
                                       "key": str(self.folder / "used.key")}, **more})

    def use(self, pair):
        shutil.copy(pair[0], self.folder / "used.pem")
        shutil.copy(pair[1], self.folder / "used.key")

    def trusting(self, pair):
        return ssl.create_default_context(cafile=str(pair[0]))

    def versions(self, server, lowest, highest):
        context = ssl._create_unverified_context()
        context.set_ciphers("ALL:@SECLEVEL=0")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            context.minimum_version, context.maximum_version = lowest, highest
        with socket.create_connection(("127.0.0.1", server.port), timeout=10) as peer:
            with context.wrap_socket(peer) as wrapped:
                return wrapped.version()

    def test_only_current_versions_are_spoken(self):
        version = ssl.TLSVersion
        with self.server(self.first) as server:
            self.assertTrue(server.url.startswith("https://"))
            self.assertEqual(self.versions(server, version.TLSv1_3, version.TLSv1_3), "TLSv1.3")
            self.assertEqual(self.versions(server, version.TLSv1_2, version.TLSv1_2), "TLSv1.2")
            for old in (version.TLSv1, version.TLSv1_1):
                with self.assertRaisesRegex(ssl.SSLError, "alert|EOF"):
                    self.versions(server, old, old)
            answer = server.ask("GET", "/readyz", connection=server.connection(self.trusting(self.first)))
            self.assertEqual((answer.status, answer.json["checks"]["certificate"]), (200, "ok"))
            self.assertEqual(answer.headers["Strict-Transport-Security"], "max-age=31536000")
            self.assertIn(b"bonafide_certificate", server.ask("GET", "/metrics").body)

    def test_plain_requests_are_not_answered(self):
        with self.server(self.first) as server:
            got = server.raw(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
            self.assertNotIn(b"HTTP/1.1 200", got)
            self.assertEqual(server.ask("GET", "/healthz").status, 200)

    def test_a_large_body_arrives_and_a_larger_one_is_refused(self):
        with self.server(self.first, limits={"body_bytes": 2000000}) as server:
            for size, status, code in ((1500000, 422, "UNSUPPORTED_FORMAT"), (2500000, 413, "BODY_TOO_LARGE")):
                def pieces(left=size):
                    head = service.form([("image", b"")])[1].split(b"\r\n\r\n")[0] + b"\r\n\r\n"
                    yield head
                    while left > 0:
                        yield b"x" * min(left, 50000)
                        left -= 50000
                    yield b"\r\n------bonafide-test--\r\n"
                connection = server.connection()
                kind = service.form([])[0]
                headers = {"Authorization": f"Bearer {server.key()}", "Content-Type": kind}
                try:
                    connection.request("POST", "/v1/liveness", body=pieces(), headers=headers, encode_chunked=True)
                except OSError:
                    pass
                try:
                    got = connection.getresponse()
                    answer = service.Answer(got.status, got.headers, got.read())
                    self.assertEqual((answer.status, answer.code), (status, code))
                except (ConnectionError, ssl.SSLError):
                    self.assertEqual(status, 413)
                connection.close()

    def test_the_certificate_changes_without_a_restart(self):
        with self.server(self.first) as server:
            kept = server.connection(self.trusting(self.first))
            self.assertEqual(server.ask("GET", "/healthz", connection=kept).status, 200)
            self.use(self.second)
            server.send(signal.SIGHUP)
            server.wait_log("reloaded")
            # The connection that was open goes on; a new one sees the new certificate.
            self.assertEqual(server.ask("GET", "/healthz", connection=kept).status, 200)
            kept.close()
            new = server.connection(self.trusting(self.second))
            self.assertEqual(server.ask("GET", "/healthz", connection=new).status, 200)
            new.close()
            with self.assertRaises(ssl.SSLError):
                server.ask("GET", "/healthz", connection=server.connection(self.trusting(self.first)))

    def test_a_pair_that_does_not_fit_is_not_taken(self):
        with self.server(self.first) as server:
            self.use((self.second[0], self.first[1]))
            server.send(signal.SIGHUP)
            failed = server.wait_log("reload_failed")
            self.assertIn("is not the key of the certificate", failed[0]["message"])
            old = server.connection(self.trusting(self.first))
            self.assertEqual(server.ask("GET", "/healthz", connection=old).status, 200)

    def test_an_expired_certificate_is_told(self):
        with self.server(self.old) as server:
            answer = server.ask("GET", "/readyz")
            self.assertEqual((answer.status, answer.json["status"]), (503, "not_ready"))
            self.assertEqual(answer.json["checks"]["certificate"], "the certificate has expired")


tap.main()
