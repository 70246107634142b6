"""bonafide audit: what it prints, and the log checked by somebody else's code: hashlib and OpenSSL."""
import base64
import hashlib
import json
import pathlib
import re
import shutil
import sqlite3
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
import program  # noqa: E402
import tap  # noqa: E402

# What comes before the 32 bytes of an Ed25519 key in a DER file.
DER = bytes.fromhex("302a300506032b6570032100")
LEAVES = 7


def leaf_hash(text):
    return hashlib.sha256(b"\x00" + text.encode()).digest()


def root_of(hashes):
    """RFC 6962, section 2.1, as it is written there."""
    if len(hashes) < 2:
        return hashes[0] if hashes else hashlib.sha256(b"").digest()
    k = 1
    while 2 * k < len(hashes):
        k *= 2
    return hashlib.sha256(b"\x01" + root_of(hashes[:k]) + root_of(hashes[k:])).digest()


def path_of(index, hashes):
    """RFC 6962, section 2.1.1."""
    if len(hashes) < 2:
        return []
    k = 1
    while 2 * k < len(hashes):
        k *= 2
    if index < k:
        return path_of(index, hashes[:k]) + [root_of(hashes[k:])]
    return path_of(index - k, hashes[k:]) + [root_of(hashes[:k])]


def root_by(leaf, index, size, path):
    """RFC 9162, section 2.1.3.2: the root that a proof of inclusion leads to."""
    last = size - 1
    for step in path:
        if index & 1 or index == last:
            leaf = hashlib.sha256(b"\x01" + step + leaf).digest()
            while not index & 1 and index:
                index, last = index >> 1, last >> 1
        else:
            leaf = hashlib.sha256(b"\x01" + leaf + step).digest()
        index, last = index >> 1, last >> 1
    return leaf if last == 0 else None


class WithLog(unittest.TestCase):
    folder = None

    @classmethod
    def setUpClass(cls):
        if not WithLog.folder:
            WithLog.make()

    @classmethod
    def make(cls):
        """One log for all cases, in which they change nothing."""
        cls.folder = program.scratch()
        cls.config = cls.folder / "bonafide.yaml"
        cls.config.write_text("format: 1\nstate_dir: .\n", encoding="utf-8")
        key = cls.folder / "audit.key"
        key.touch(0o600)
        key.write_text(f"bonafide-log-key-v1 test.example/log {base64.b64encode(bytes(range(32))).decode()}\n",
                       encoding="utf-8")
        cls.checkpoints = []
        for i in range(LEAVES):
            done = program.run("killswitch", "off" if i % 2 else "on", "--config", cls.config)
            assert done.returncode == 0, done.stderr
            cls.checkpoints.append(program.run("audit", "checkpoint", "--config", cls.config).stdout)
        cls.export = program.run("audit", "export", "--config", cls.config).stdout
        cls.key = program.run("audit", "key", "--config", cls.config).stdout.strip()
        cls.rows = [json.loads(line) for line in cls.export.splitlines()]

    def verify(self, export, *options, code):
        done = program.run("audit", "verify", *options, "-", stdin=export)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done.stdout, done.stderr

    def changed(self, number, **values):
        """The export with other values in one row, and the count of lines as it was."""
        rows = [{**row, **(values if i == number else {})} for i, row in enumerate(self.rows)]
        return "".join(json.dumps(row) + "\n" for row in rows)

    def file(self, name, text):
        path = self.folder / name
        path.write_text(text, encoding="utf-8")
        return path


class Commands(WithLog):
    WHOLE = "test.example/log: whole; 7 leaves signed, 0 decisions (0 erased), 0 kept checkpoints\n"
    TAMPERED = WHOLE.replace("whole", "TAMPERED WITH")

    def test_a_whole_log(self):
        self.assertEqual(self.verify(self.export, "--key", self.key, code=0), (self.WHOLE, ""))
        told, hint = self.verify(self.export, code=0)
        self.assertEqual(told, self.WHOLE)
        self.assertIn("the key was taken from the export itself; --key says whose log it must be.\n", hint)

    def test_the_export_as_a_file(self):
        path = self.folder / "export.jsonl"
        done = program.run("audit", "export", "--config", self.config, "--output", path)
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "", ""))
        self.assertEqual(path.stat().st_mode & 0o777, 0o600)
        self.assertEqual(path.read_text(encoding="utf-8").splitlines()[1:], self.export.splitlines()[1:])
        self.assertFalse((self.folder / "export.jsonl.part").exists())
        self.assertEqual(program.run("audit", "verify", "-k", self.key, path).stdout, self.WHOLE)
        done = program.run("audit", "export", "--config", self.config, "-o", self.folder / "no" / "folder")
        self.assertEqual(done.returncode, 65)

    def test_tampering(self):
        number = next(i for i, row in enumerate(self.rows) if row["row"] == "leaf" and row["index"] == 4)
        text = self.rows[number]["data"]
        self.assertEqual(self.verify(self.changed(number, data=text.replace("uid:", "uid:9")), code=12)[0],
                         "leaf 4: its text was changed\n" + self.TAMPERED)
        self.assertEqual(self.verify(self.changed(number, at_ms=1), code=12)[0],
                         "leaf 4: its column 'at_ms' was changed\n" + self.TAMPERED)
        lines = self.export.splitlines(keepends=True)
        self.assertEqual(self.verify("".join(lines[:-1]), code=12)[0],
                         "the export ends before its last line\n" + self.TAMPERED)
        self.assertIn("leaf 4: missing\n", self.verify("".join(lines[:number] + lines[number + 1:]), code=12)[0])

    def test_tampering_with_the_store(self):
        folder = program.scratch()
        for name in ("bonafide.yaml", "audit.key", "bonafide.db"):
            shutil.copy(self.folder / name, folder / name)
        with sqlite3.connect(folder / "bonafide.db") as store:
            store.execute("DELETE FROM audit_leaf WHERE idx = 2")
        export = program.run("audit", "export", "--config", folder / "bonafide.yaml").stdout
        self.assertEqual(self.verify(export, "-k", self.key, code=12)[0], "leaf 2: missing\n" + self.TAMPERED)

    def test_a_log_is_not_continued_with_another_key(self):
        folder = program.scratch()
        for name in ("bonafide.yaml", "bonafide.db"):
            shutil.copy(self.folder / name, folder / name)
        (folder / "audit.key").touch(0o600)
        (folder / "audit.key").write_text(
            f"bonafide-log-key-v1 test.example/log {base64.b64encode(bytes(32)).decode()}\n", encoding="utf-8")
        done = program.run("killswitch", "on", "--config", folder / "bonafide.yaml")
        self.assertEqual(done.returncode, 70)
        self.assertIn("not signed by the log's key", done.stderr)
        self.assertEqual(program.run("audit", "checkpoint", "--config", folder / "bonafide.yaml").stdout,
                         self.checkpoints[-1])

    def test_against_a_kept_checkpoint(self):
        for note in self.checkpoints:
            self.assertEqual(self.verify(self.export, "--against", self.file("kept", note), code=0)[0], self.WHOLE)
        # The store as it was two leaves ago, with everything in order.
        folder = program.scratch()
        for name in ("bonafide.yaml", "audit.key"):
            shutil.copy(self.folder / name, folder / name)
        for i in range(3):
            program.run("killswitch", "off" if i % 2 else "on", "--config", folder / "bonafide.yaml")
        other = program.run("audit", "export", "--config", folder / "bonafide.yaml").stdout
        self.assertIn("whole", self.verify(other, "-k", self.key, code=0)[0])
        told, _ = self.verify(other, "-k", self.key, "-a", self.file("kept", self.checkpoints[-1]), code=12)
        self.assertIn("leaves 3 to 6: cut off: a signed checkpoint knows them\n", told)
        told, _ = self.verify(other, "-k", self.key, "-a", self.file("kept", self.checkpoints[1]), code=12)
        self.assertIn("leaves 0 to 1: these are not the leaves of the checkpoint that was kept\n", told)

    def test_another_key(self):
        other = self.key[:-4] + "AAA="
        self.assertEqual(program.run("audit", "verify", "-k", other, "-", stdin="").returncode, 64)
        example = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
        told, _ = self.verify(self.export, "-k", example, code=12)
        self.assertEqual(told, "another log or key: test.example/log\nhead: its column 'note' was changed\n"
                         "example.com/foo: TAMPERED WITH; 0 leaves signed, 0 decisions (0 erased), "
                         "0 kept checkpoints\n")

    def test_what_cannot_be_read(self):
        lines = self.export.splitlines(keepends=True)
        for export, message in (
                ("", "The export is empty."),
                ("{}\n", "Line 1 of the export cannot be read: it is no row of an export."),
                (lines[1], "Line 1 of the export cannot be read: an export begins with its one row 'export'."),
                (lines[0] * 2, "Line 2 of the export cannot be read: an export begins with its one row 'export'."),
                ("x\n", "Line 1 of the export cannot be read: it is no JSON object."),
                (lines[0] + "[]\n", "Line 2 of the export cannot be read: it is no JSON object."),
                (lines[0] + '{"row":"leaf"}\n', "Line 2 of the export cannot be read: a value is missing, or there is "
                 "one more than there should be."),
                (lines[0] + lines[1].replace('"index":0', '"index":null'),
                 "Line 2 of the export cannot be read: the leaf has no number."),
                (lines[0] + '{"row":"leaves"}\n', "Line 2 of the export cannot be read: it is no row of an export."),
                (lines[0].replace('"format":2', '"format":3'),
                 "Line 1 of the export cannot be read: it is of a format that this version does not know."),
                (self.export + lines[-1], "Line 15 of the export cannot be read: it stands behind the end.")):
            with self.subTest(message):
                self.assertEqual(self.verify(export, code=65)[1], f"bonafide audit verify: {message}\n")
        self.verify(self.export, "--against", self.file("kept", "no note"), code=65)
        self.verify(self.export, "--against", self.folder / "nowhere", code=65)
        self.assertEqual(program.run("audit", "verify", self.folder / "nowhere").returncode, 65)

    def test_no_checkpoint_yet(self):
        folder = program.scratch()
        for name in ("bonafide.yaml", "audit.key"):
            shutil.copy(self.folder / name, folder / name)
        done = program.run("audit", "checkpoint", "--config", folder / "bonafide.yaml")
        self.assertEqual((done.returncode, done.stdout), (70, ""))


class SomebodyElse(WithLog):
    """Nothing of bonafide's takes part."""

    def setUp(self):
        self.texts = [row["data"] for row in self.rows if row["row"] == "leaf"]
        self.hashes = [leaf_hash(text) for text in self.texts]

    def test_the_chain(self):
        self.assertEqual(len(self.texts), LEAVES)
        self.assertEqual([row["hash"] for row in self.rows if row["row"] == "leaf"], [h.hex() for h in self.hashes])
        previous = None
        for i, text in enumerate(self.texts):
            leaf = json.loads(text)
            self.assertEqual((leaf["index"], leaf["previous"]), (i, previous))
            previous = self.hashes[i].hex()

    def test_nodes_and_roots(self):
        for row in self.rows:
            if row["row"] == "node":
                width = 1 << row["level"]
                first = row["index"] * width
                self.assertEqual(root_of(self.hashes[first:first + width]).hex(), row["hash"])
        for size, note in enumerate(self.checkpoints, 1):
            origin, count, root = note.split("\n")[:3]
            self.assertEqual((origin, int(count)), ("test.example/log", size))
            self.assertEqual(base64.b64decode(root), root_of(self.hashes[:size]))

    def test_inclusion(self):
        root = base64.b64decode(self.checkpoints[-1].split("\n")[2])
        for i, leaf in enumerate(self.hashes):
            path = path_of(i, self.hashes)
            self.assertEqual(root_by(leaf, i, LEAVES, path), root)
            self.assertNotEqual(root_by(leaf, (i + 1) % LEAVES, LEAVES, path), root)

    def test_signatures(self):
        if not shutil.which("openssl"):
            self.skipTest("no openssl")
        name, key_id, key = self.key.split("+", 2)
        typed = base64.b64decode(key)
        self.assertEqual(typed[0], 1)
        self.assertEqual(hashlib.sha256(name.encode() + b"\n" + typed).hexdigest()[:8], key_id)
        public = self.folder / "public.der"
        public.write_bytes(DER + typed[1:])
        for note in self.checkpoints:
            body, line = note.split("\n\n")
            self.assertEqual(line.split(" ")[:2], ["\u2014", name])
            signature = base64.b64decode(line.split(" ")[2])
            self.assertEqual(signature[:4].hex(), key_id)
            (self.folder / "signature").write_bytes(signature[4:])
            for text, code in ((body + "\n", 0), (body.replace("log", "lag") + "\n", 1)):
                (self.folder / "body").write_text(text, encoding="utf-8")
                done = subprocess.run(["openssl", "pkeyutl", "-verify", "-pubin", "-keyform", "DER", "-inkey",
                                       str(public), "-rawin", "-in", str(self.folder / "body"), "-sigfile",
                                       str(self.folder / "signature")], stdout=subprocess.PIPE,
                                      stderr=subprocess.PIPE, check=False)
                self.assertEqual(done.returncode, code, done.stderr)


@unittest.skipUnless(all(map(shutil.which, ("jq", "openssl", "basenc"))), "no jq, no openssl or no basenc")
class ByHand(WithLog):
    """The commands of docs/reference/audit.md, on proofs that somebody else's code made."""

    def setUp(self):
        page = (program.SOURCE / "docs/reference/audit.md").read_text(encoding="utf-8")
        self.script = re.search(r"```sh\n(# check_decision.*?)```", page, re.DOTALL).group(1)
        self.texts = [row["data"] for row in self.rows if row["row"] == "leaf"]
        self.hashes = [leaf_hash(text) for text in self.texts]
        (self.folder / "log.key").write_text(self.key + "\n", encoding="utf-8")

    def check(self, **values):
        proof = {"index": 3, "tree_size": LEAVES, "leaf": self.texts[3], "checkpoint": self.checkpoints[-1],
                 "hashes": [base64.b64encode(step).decode() for step in path_of(3, self.hashes)], **values}
        (self.folder / "decision.json").write_text(json.dumps({"proof": proof}), encoding="utf-8")
        return subprocess.run(["sh", "-c", self.script], cwd=self.folder, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, check=False)

    def test_a_proof(self):
        for i in range(LEAVES):
            done = self.check(index=i, leaf=self.texts[i],
                              hashes=[base64.b64encode(step).decode() for step in path_of(i, self.hashes)])
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertIn("Signature Verified Successfully", done.stdout)
            self.assertIn(f'"at": "{json.loads(self.texts[i])["at"]}"', done.stdout)

    def test_what_is_no_proof(self):
        other = self.checkpoints[-1].replace("test.example", "text.example")
        for values in ({"index": 2}, {"leaf": self.texts[3].replace("true", "false").replace("uid:", "uid:1")},
                       {"hashes": []}, {"tree_size": LEAVES - 1}, {"checkpoint": self.checkpoints[-2]},
                       {"checkpoint": other}, {"checkpoint": self.checkpoints[-1][:-7] + "AAAA=\n"}):
            self.assertNotEqual(self.check(**values).returncode, 0, values)


tap.main()
