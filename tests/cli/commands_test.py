"""inspect, match, replay, models and policy: what they print, write and end with."""
import hashlib
import json
import pathlib
import shutil
import struct
import sys
import unittest
import zlib

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
import program  # noqa: E402
import tap  # noqa: E402


def read_png(path):
    """(width, height, rows of RGB bytes) of an 8-bit RGB PNG without interlacing."""
    data, at, packed, size = path.read_bytes(), 8, b"", None
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    while at < len(data):
        length, kind = struct.unpack(">I4s", data[at:at + 8])
        body = data[at + 8:at + 8 + length]
        assert zlib.crc32(kind + body) == struct.unpack(">I", data[at + 8 + length:at + 12 + length])[0]
        if kind == b"IHDR":
            size = struct.unpack(">IIBBBBB", body)
        elif kind == b"IDAT":
            packed += body
        at += 12 + length
    return size[0], size[1], zlib.decompress(packed)


class Inspect(program.WithModels):
    def inspect(self, photo, *arguments):
        output = program.scratch() / "out.png"
        done = program.run("inspect", photo, "-o", output, *arguments)
        if "built without cairo" in done.stderr:
            self.skipTest("built without cairo")
        return done, output

    def test_a_drawing_is_written(self):
        photo = self.sample("person-4.jpg")
        done, output = self.inspect(photo, "--reference", photo)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertTrue(done.stdout.endswith(f"drawn in {output}\n"))
        width, height, pixels = read_png(output)
        self.assertTrue(800 <= width <= 1500 and 700 <= height <= 1500, (width, height))
        self.assertGreater(len(set(pixels[::997])), 50)
        self.assertEqual([path.name for path in output.parent.iterdir()], ["out.png"])

    def test_what_could_not_be_judged_is_drawn_too(self):
        folder, _ = program.hostile()
        for name in ("noise.png", "cartoon.png", "white.png"):
            done, output = self.inspect(folder / name)
            self.assertEqual((done.returncode, done.stderr), (0, ""), name)
            self.assertGreater(read_png(output)[0], 800)

    def test_the_same_photo_gives_the_same_drawing(self):
        photo = self.sample("sample1.jpg")
        self.assertEqual(self.inspect(photo)[1].read_bytes(), self.inspect(photo)[1].read_bytes())

    def test_what_cannot_be_read_is_not_drawn(self):
        folder, _ = program.hostile()
        for path in (folder / "text.jpg", folder / "truncated.png", folder / "none.jpg", folder):
            done, output = self.inspect(path)
            self.assertEqual((done.returncode, done.stdout, output.exists()), (65, "", False), path)
            self.assertTrue(done.stderr.startswith("bonafide inspect: "))


class Match(program.WithModels):
    def test_outcomes(self):
        one, same, other = (self.sample(name) for name in ("person-1.jpg", "person-1-other.jpg", "person-2.jpg"))
        done = program.run("match", one, same)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertRegex(done.stdout, r"^strong: the same person, similarity 0\.\d{4}\n$")
        done = program.run("match", one, other)
        self.assertEqual(done.returncode, 12, done.stdout + done.stderr)
        self.assertRegex(done.stdout, r"^none: another person, similarity -?0\.\d{4}\n$")

    def test_faces_and_files_that_cannot_be_used(self):
        face, folder = self.sample("person-1.jpg"), program.hostile()[0]
        for first, second, code, text in (
                (face, folder / "black.png", 10, "not judged: No face was found on the reference portrait.\n"),
                (folder / "black.png", face, 10, "not judged: No face was found.\n"),
                (face, folder / "text.jpg", 65, "not judged: The reference portrait could not be decoded.\n"),
                (folder / "truncated.jpg", face, 65, "not judged: The file is damaged or cut short.\n")):
            done = program.run("match", first, second)
            self.assertEqual((done.returncode, done.stdout, done.stderr), (code, text, ""))
        done = program.run("match", face, folder / "none.jpg")
        self.assertEqual((done.returncode, done.stdout), (65, ""))

    def test_the_record_says_nothing_about_liveness(self):
        face = self.sample("person-1.jpg")
        record = json.loads(program.run("match", "--json", face, face).stdout)
        self.assertEqual((record["success"], record["result"], record["match"]["outcome"]), (False, None, "strong"))
        self.assertNotEqual(record["decision"]["decision"], "approve")


class Replay(program.WithModels):
    def setUp(self):
        super().setUp()
        self.photo = self.sample("person-4.jpg")
        self.path = program.scratch() / "record.json"

    def record(self, *arguments, photo=None):
        text = program.run("check", "--json", *arguments, photo or self.photo).stdout
        self.path.write_text(text, encoding="utf-8")
        return json.loads(text)

    def replay(self, *arguments, photo=None):
        return program.run("replay", self.path, "--media", photo or self.photo, *arguments)

    def test_records_are_reproduced_bit_for_bit(self):
        context = program.scratch() / "context.json"
        context.write_text('{"risk_tier": "high", "document_confidence": 0.1234567}')
        folder, _ = program.hostile()
        for photo in (self.photo, self.sample("sample1.jpg"), folder / "noise.png", folder / "text.jpg"):
            for arguments in ([], ["--flow", "video_kyc", "--channel", "kiosk", "--context", context, "--mirror",
                                   "--full-evidence", "--geometry"]):
                record = self.record(*arguments, photo=photo)
                done = self.replay(photo=photo)
                self.assertEqual((done.returncode, done.stdout, done.stderr),
                                 (0, f"Reproduced bit for bit: {record['decision']['decision']}.\n", ""))

    def test_a_reference_is_part_of_it(self):
        reference = self.sample("person-1.jpg")
        self.record("--reference", reference)
        self.assertEqual(self.replay("--reference", reference).returncode, 0)
        done = self.replay()
        self.assertEqual(done.returncode, 64)
        self.assertIn("the record has a reference portrait", done.stderr)
        done = self.replay("--reference", self.photo)
        self.assertEqual(done.returncode, 65)
        self.assertIn("is not the reference portrait of the record", done.stderr)

    def test_what_differs_is_said_versions_first(self):
        record = self.record()
        record["versions"]["code"] = "0.0.1"
        record["result"]["score"] = 1.5
        self.path.write_text(json.dumps(record))
        done = self.replay()
        self.assertEqual(done.returncode, 11)
        lines = done.stdout.splitlines()
        self.assertEqual(lines[0], "Versions that differ, and so may explain the rest:")
        self.assertRegex(lines[1], r'^  versions\.code: recorded "0\.0\.1", now "\d')
        self.assertEqual(lines[2], "Other values that differ:")
        self.assertRegex(lines[3], r"^  result\.score: recorded 1\.5, now \d")
        self.assertRegex(lines[4], r"^The same decision \([a-z]+\); 2 values differ\.$")

    def test_another_decision_is_told_loudly(self):
        record = self.record()
        record["decision"]["decision"] = "approve" if record["decision"]["decision"] != "approve" else "reject"
        self.path.write_text(json.dumps(record))
        done = self.replay()
        self.assertEqual(done.returncode, 12)
        self.assertIn("ANOTHER DECISION", done.stdout)

    def test_another_photo_is_refused(self):
        self.record()
        done = self.replay(photo=self.sample("person-2.jpg"))
        self.assertEqual((done.returncode, done.stdout), (65, ""))
        self.assertIn("is not the media of the record", done.stderr)

    def test_what_is_no_record_is_refused(self):
        for content in ("", "{}", "[]", "nonsense", '{"decision": {}, "decision": {}}', "[" * 5000, "\0"):
            self.path.write_text(content)
            done = self.replay()
            self.assertEqual((done.returncode, done.stdout), (65, ""), content[:20])
        self.assertIn("NUL", done.stderr)


class Models(program.WithModels):
    def test_all_that_is_fetched_is_verified(self):
        done = program.run("models", "verify")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        for name in ("eye-state", "face-detect", "head-pose", "landmarks-68", "match-fr", "passive-fr"):
            self.assertRegex(done.stdout, rf"(?m)^{name} +\S+ +\S+ +ok +(published|optimised) +[0-9a-f]{{12}}$")

    def test_an_import_that_is_not_the_model_is_refused(self):
        folder = program.scratch()
        for name in ("models", "policies"):
            shutil.copytree(program.SOURCE / name, folder / name)
        (folder / "weights").mkdir()
        wrong = next(program.WEIGHTS.glob("fr_eye.onnx"))
        for name, file, code in (("face-detect", wrong, 65), ("silentface-v2", wrong, 65), ("no-such", wrong, 65),
                                 ("face-detect", folder / "none.onnx", 65)):
            done = program.run("models", "import", file, "--as", name, "--data", folder)
            self.assertEqual((done.returncode, done.stdout), (code, ""), name)
            self.assertTrue(done.stderr.startswith("bonafide models import: "))
        self.assertEqual(list((folder / "weights").iterdir()), [])

    def test_an_import_of_the_right_file(self):
        folder = program.scratch()
        for name in ("models", "policies"):
            shutil.copytree(program.SOURCE / name, folder / name)
        (folder / "weights").mkdir()
        source = next(program.WEIGHTS.glob("fr_eye.onnx"))
        done = program.run("models", "import", source, "--as", "eye-state", "--data", folder)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        written = folder / "weights/fr_eye.onnx"
        self.assertEqual(hashlib.sha256(written.read_bytes()).digest(), hashlib.sha256(source.read_bytes()).digest())
        listed = program.run("models", "list", "--data", folder)
        self.assertEqual(listed.returncode, 0)
        self.assertRegex(listed.stdout, r"(?m)^eye-state +\S+ +\S+ +ok ")
        self.assertRegex(listed.stdout, r"(?m)^face-detect +\S+ +\S+ +missing ")


    def test_networks_are_optimised_once(self):
        folder = program.scratch()
        for name in ("models", "policies", "calibration", "fusion"):
            shutil.copytree(program.SOURCE / name, folder / name)
        (folder / "weights").mkdir()
        for path in program.WEIGHTS.glob("fr_*.onnx"):
            if not path.name.endswith(".opt.onnx"):
                (folder / "weights" / path.name).symlink_to(path.resolve())
        done = program.run("models", "optimise", "--data", folder)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        for name in ("match-fr", "passive-fr"):
            self.assertRegex(done.stdout, rf"(?m)^{name}: rewritten, \d+ nodes became \d+; outputs differ by at most "
                                          r"\d\.\de-\d\d of their range$")
        again = program.run("models", "optimise", "--data", folder)
        self.assertEqual((again.returncode, again.stdout, again.stderr), (0, "", ""))
        told = program.run("models", "optimise", "--verbose", "--data", folder)
        self.assertIn("match-fr: rewritten before\n", told.stdout)
        listed = program.run("models", "verify", "--data", folder)
        self.assertRegex(listed.stdout, r"(?m)^match-fr +\S+ +\S+ +ok +optimised ")
        none = program.run("models", "optimise", "no-such", "--data", folder)
        self.assertEqual((none.returncode, none.stdout), (70, ""))


class Policy(unittest.TestCase):
    def setUp(self):
        self.shipped = sorted((program.SOURCE / "policies").glob("*.yaml"))

    def test_shipped_policies_are_clean_and_pass_their_tests(self):
        done = program.run("policy", "lint", *self.shipped)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual(done.stdout, "".join(f"{path}: no fault\n" for path in self.shipped))
        done = program.run("policy", "test", *self.shipped)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        for line in done.stdout.splitlines():
            self.assertRegex(line, r"^.+\.yaml: [1-9]\d* passed, 0 failed$")

    def test_passed_cases_are_printed_when_asked_for(self):
        done = program.run("policy", "test", "--verbose", self.shipped[0])
        self.assertRegex(done.stdout, r"(?m)^pass  .+\.yaml:\d+: ")

    def test_a_policy_is_explained(self):
        done = program.run("policy", "explain", self.shipped[0])
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        for word in ("approve", "reject", "retry", "liveness"):
            self.assertIn(word, done.stdout)

    def spoilt(self, old, new):
        """A copy of the policies with one text of the first file changed."""
        folder = program.scratch()
        shutil.copytree(program.SOURCE / "policies", folder / "policies")
        path = folder / "policies" / self.shipped[0].name
        text = path.read_text(encoding="utf-8")
        self.assertIn(old, text)
        path.write_text(text.replace(old, new, 1), encoding="utf-8")
        return path

    def test_a_fault_has_its_line(self):
        path = self.spoilt("flow:", "folw:")
        for command in ("lint", "test", "explain"):
            done = program.run("policy", command, path)
            self.assertEqual((done.returncode, done.stdout), (65, ""), command)
            self.assertRegex(done.stderr, rf"^bonafide policy {command}: .+{path.name}:\d+: unknown key 'folw'; "
                                          "did you mean 'flow'\\?")

    def test_a_missing_file_and_one_good_file(self):
        done = program.run("policy", "lint", "none.yaml", self.shipped[0])
        self.assertEqual((done.returncode, done.stdout), (65, f"{self.shipped[0]}: no fault\n"))
        self.assertIn("none.yaml", done.stderr)


tap.main()
