"""bonafide vault rotate-key: what it changes, prints and refuses."""
import base64
import fcntl
import hashlib
import json
import os
import pathlib
import re
import signal
import sqlite3
import subprocess
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
import program  # noqa: E402
import tap  # noqa: E402

MASTER = re.compile(r"bonafide-master-key-v1 [A-Za-z0-9+/]{43}=\n")


class RotateKey(unittest.TestCase):
    """The configuration, keys and store of a server that is not running."""

    def setUp(self):
        self.folder = program.server_state()
        self.config = self.folder / "bonafide.yaml"
        self.new_key = self.folder / "new.key"

    def call(self, *arguments):
        return program.run(*arguments, "--config", self.config)

    def rotate(self, *more, expected=0):
        done = self.call("vault", "rotate-key", "--new-key", self.new_key, *more)
        self.assertEqual(done.returncode, expected, done.stdout + done.stderr)
        return done.stdout if expected == 0 else done.stderr

    def create(self):
        return json.loads(self.call("keys", "create", "--role", "integrator", "--client", "a_bank", "--json").stdout)

    def sql(self, text, *values):
        with sqlite3.connect(self.folder / "bonafide.db") as store:
            return store.execute(text, values).fetchall()

    def leaves(self):
        return [json.loads(data) for data, in self.sql(
            "SELECT data FROM audit_leaf WHERE kind = 'vault_rotated' ORDER BY idx")]

    def secrets(self):
        return dict(self.sql("SELECT id, signing_secret FROM api_key"))

    def test_rotation(self):
        keys = [self.create() for _ in range(3)]
        before = self.secrets()
        text = self.rotate("--create")
        self.assertRegex(text, r"^From master key [0-9a-f]{16} to [0-9a-f]{16}: 0 session keys and 3 signing secrets "
                               r"were sealed anew\.\nNext:\n")
        self.assertIn(f"master_key: {self.new_key}", text)
        self.assertRegex(self.new_key.read_text(encoding="utf-8"), MASTER)
        self.assertEqual(self.new_key.stat().st_mode & 0o777, 0o600)
        after = self.secrets()
        self.assertEqual(set(after), {key["id"] for key in keys})
        self.assertFalse(set(after.values()) & set(before.values()))
        first, last = self.leaves()
        self.assertEqual((first["api_keys"], first["complete"], last["complete"]), (3, False, True))
        self.assertEqual(last["actor"], f"uid:{os.getuid()}")
        self.assertEqual((last["from"], last["to"]), tuple(re.findall(r"[0-9a-f]{16}", text)[:2]))
        # Nothing of the keys themselves.
        for secret in (self.new_key.read_text(encoding="utf-8").split()[1], "AAECAwQFBgcICQ"):
            self.assertNotIn(secret, text + json.dumps([first, last]))

    def test_there_and_back(self):
        self.create()
        old = (self.folder / "master.key").read_text(encoding="utf-8")
        self.rotate("--create")
        program.put_key(self.folder / "master.key", self.new_key.read_text(encoding="utf-8"))
        self.new_key.write_text(old, encoding="utf-8")
        self.rotate()
        self.assertEqual([leaf["complete"] for leaf in self.leaves()], [False, True, False, True])

    def test_repeating_changes_nothing(self):
        self.create()
        self.rotate("--create")
        after = self.secrets()
        self.assertIn("0 session keys and 0 signing secrets", self.rotate())
        self.assertEqual(self.secrets(), after)

    def test_a_key_of_neither(self):
        self.create()
        self.create()
        self.rotate("--create")
        # A third key: what is sealed by the second can be opened by neither of these.
        self.new_key.unlink()
        text = self.rotate("--create", expected=70)
        self.assertIn("2 stored secrets could be opened by neither key", text)

    def test_refused_while_the_vault_is_open(self):
        vault = self.folder / "vault"
        vault.mkdir(mode=0o700)
        self.create()
        before = self.secrets()
        fd = os.open(vault, os.O_RDONLY)
        fcntl.flock(fd, fcntl.LOCK_SH)
        text = self.rotate("--create", expected=70)
        os.close(fd)
        self.assertRegex(text, r"The vault .*/vault is in use\.\n.*Stop every server")
        self.assertEqual(self.secrets(), before)
        self.rotate()

    def test_key_files_that_cannot_be_used(self):
        self.create()
        self.rotate(expected=65)
        program.put_key(self.new_key, "something else\n")
        self.rotate(expected=70)
        program.put_key(self.new_key, f"bonafide-master-key-v1 {base64.b64encode(bytes([7] * 32)).decode()}\n")
        self.new_key.chmod(0o644)
        self.rotate(expected=70)
        program.put_key(self.new_key, (self.folder / "master.key").read_text(encoding="utf-8"))
        self.assertIn("The new master key is the old one.", self.rotate(expected=64))
        self.assertEqual(self.leaves(), [])

    def test_the_file_has_to_be_named(self):
        done = self.call("vault", "rotate-key")
        self.assertEqual(done.returncode, 64)
        self.assertIn("--new-key is missing", done.stderr)

    def test_killed_at_any_time(self):
        """Each secret is sealed by one key or the other, and a second run ends the work."""
        self.create()
        sealed = self.sql("SELECT signing_secret FROM api_key")[0][0]
        with sqlite3.connect(self.folder / "bonafide.db") as store:
            store.executemany(
                "INSERT INTO api_key(id, client, role, label, secret_hash, signing_secret, must_sign, created_ms)"
                " VALUES(?, 'c', 'integrator', '', ?, ?, 0, 0)",
                [(hashlib.sha256(b"%d" % i).hexdigest()[:16], b"", sealed) for i in range(20000)])
        done = 0
        program.put_key(self.new_key, f"bonafide-master-key-v1 {base64.b64encode(bytes([7] * 32)).decode()}\n")
        for pause in (0.02, 0.05, 0.08):
            command = [program.PROGRAM, "vault", "rotate-key", "--new-key", self.new_key, "--config", self.config]
            process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                       env=program.ENVIRONMENT)
            time.sleep(pause)
            process.send_signal(signal.SIGKILL)
            process.wait()
            left = self.sql("SELECT COUNT(*) FROM api_key WHERE signing_secret = ?", sealed)[0][0]
            self.assertGreaterEqual(20001 - left, done)
            done = 20001 - left
            self.assertEqual(done, sum(leaf["api_keys"] for leaf in self.leaves() if not leaf["complete"]))
        text = self.rotate()
        self.assertIn(f"{20001 - done} signing secrets", text)
        self.assertEqual(self.sql("SELECT COUNT(*) FROM api_key WHERE signing_secret = ?", sealed), [(0,)])


tap.main()
