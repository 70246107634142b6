"""Bad input: each kind has its own clear error or a retry, the right exit code, and nothing crashes."""
import json
import os
import pathlib
import shutil
import struct
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
import program  # noqa: E402
import tap  # noqa: E402

RETRY, UNREADABLE, USAGE, INTERNAL = 10, 65, 64, 70


class Media(program.WithModels):
    # What people read; every line of the table is exact.
    TABLE = """\
FILE             VERDICT     SCORE  DECISION   WHY
empty.jpg        unreadable      -  retry      The file is empty.
text.jpg         unreadable      -  retry      The content looks like text.
truncated.jpg    unreadable      -  retry      The JPEG image is damaged or cut short.
bitflip.jpg      unreadable      -  retry      The JPEG image is damaged or cut short.
huge_header.png  unreadable      -  retry      The image is too large: 60000 x 60000 pixels.
one_pixel.png    unreadable      -  retry      The image is too small: 1 x 1 pixels.
apng.png         unreadable      -  retry      The PNG file holds an animation; one still image is expected.
noise.png        not judged      -  retry      no face: show face
black.png        not judged      -  retry      no face: show face
missing.jpg      unreadable      -  retry      Cannot open missing.jpg: No such file or directory.
10 files: 10 retry (8 unreadable)
"""

    def test_the_table_is_exact(self):
        folder, _ = program.hostile()
        names = [line.split()[0] for line in self.TABLE.splitlines()[1:-1]]
        done = program.run("check", "--no-timing", *names, cwd=folder)
        self.assertEqual((done.returncode, done.stdout, done.stderr), (UNREADABLE, self.TABLE, ""))

    def test_every_hostile_file_has_its_error(self):
        folder, expected = program.hostile()
        # To the decoder of stills a video is unknown; who judges captures reads it, and finds no picture.
        expected = dict(expected, **{"video.mp4": "CORRUPT_IMAGE"})
        records, code = self.records(*expected, cwd=folder)
        self.assertEqual(code, UNREADABLE)
        self.assertEqual(len(records), len(expected))
        for record, (name, error) in zip(records, expected.items()):
            with self.subTest(file=name):
                self.assertEqual(record["request_id"], name)
                self.assertFalse(record["success"])
                self.assertIsNone(record["result"])
                self.assertEqual(record["decision"]["decision"], "retry")
                self.assertTrue(record["error"]["message"])
                if error == "OK":
                    self.assertEqual(record["status"], "could_not_judge")
                    self.assertIn(record["error"]["code"], ("NO_FACE", "INPUT_QUALITY_TOO_LOW", "MULTIPLE_FACES"))
                else:
                    self.assertEqual((record["status"], record["error"]["code"]), ("error", error))

    def test_each_hostile_file_alone_ends_with_its_code(self):
        folder, expected = program.hostile()
        for name in ("empty.jpg", "many_scans.jpg", "memory.jpg", "animated.webp", "several.heic", "wide_header.png"):
            if name in expected:
                self.assertEqual(program.run("check", name, cwd=folder).returncode, UNREADABLE, name)
        for name in ("noise.png", "white.png", "cartoon.png"):
            self.assertEqual(program.run("check", name, cwd=folder).returncode, RETRY, name)

    def test_what_is_no_file(self):
        folder = program.scratch()
        os.mkfifo(folder / "pipe.jpg")
        (folder / "empty").mkdir()
        (folder / "dangling.jpg").symlink_to("nowhere")
        for name, message in (("pipe.jpg", "Cannot read pipe.jpg: it is not a regular file."),
                              ("dangling.jpg", "Cannot open dangling.jpg: No such file or directory.")):
            done = program.run("check", name, cwd=folder)
            self.assertEqual(done.returncode, UNREADABLE)
            self.assertIn(message, done.stdout)
        done = program.run("check", "empty", cwd=folder)
        self.assertEqual((done.returncode, done.stdout), (UNREADABLE, ""))
        self.assertTrue(done.stderr.startswith("bonafide check: There is no picture in the folder empty.\n"))

    def test_an_unreadable_file(self):
        if os.geteuid() == 0:
            self.skipTest("root reads everything")
        path = program.scratch() / "closed.jpg"
        path.write_bytes(b"x")
        path.chmod(0)
        done = program.run("check", path)
        self.assertEqual(done.returncode, UNREADABLE)
        self.assertIn("Permission denied", done.stdout)

    def test_a_file_that_is_too_large(self):
        path = program.scratch() / "large.jpg"
        with open(path, "wb") as file:
            file.truncate((20 << 20) + 1)
        records, code = self.records(path)
        self.assertEqual((code, records[0]["error"]["code"]), (UNREADABLE, "IMAGE_TOO_LARGE"))

    def test_a_photo_upside_down_is_no_spoof(self):
        # A JPEG begins with its marker of two bytes; what says "turned by 180 degrees" goes behind it.
        exif = b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x03\0\0\0\0\0\0"
        turned = program.scratch() / "turned.jpg"
        for name in ("person-2.jpg", "person-5.jpg", "sample1.jpg"):
            photo = self.sample(name).read_bytes()
            turned.write_bytes(photo[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + photo[2:])
            records, code = self.records(turned)
            self.assertEqual((code, records[0]["status"]), (RETRY, "could_not_judge"), name)
            self.assertEqual(records[0]["integrity"]["orientation"], 3)

    def test_several_people_are_asked_to_be_one(self):
        records, code = self.records(self.sample("sample1.jpg"))
        self.assertEqual((code, records[0]["error"]["code"]), (RETRY, "MULTIPLE_FACES"))
        self.assertEqual(records[0]["decision"]["guidance"][0], "one_person_only")

    def test_a_reference_that_cannot_be_used(self):
        folder, _ = program.hostile()
        done = program.run("check", "--reference", "missing.jpg", "noise.png", cwd=folder)
        self.assertEqual((done.returncode, done.stdout), (UNREADABLE, ""))
        self.assertIn("Cannot open missing.jpg", done.stderr)
        photo = self.sample("person-4.jpg")
        for name, problem in (("text.jpg", "REFERENCE_UNREADABLE"), ("black.png", "REFERENCE_NO_FACE")):
            records, code = self.records("--reference", folder / name, photo)
            self.assertEqual(records[0]["match"]["problem"], problem)
            self.assertNotEqual(code, 0)
            # The portrait's fault is not the selfie's.
            self.assertIn(records[0]["status"], ("ok", "could_not_judge"))


class Requests(program.WithModels):
    def fails(self, code, message, *arguments):
        folder, _ = program.hostile()
        done = program.run("check", *arguments, "noise.png", cwd=folder)
        self.assertEqual((done.returncode, done.stdout), (code, ""))
        self.assertIn(message, done.stderr)

    def test_unknown_names(self):
        self.fails(USAGE, "There is no journey named 'login'.", "--flow", "login")
        self.fails(USAGE, "Known journeys: account_opening,", "--flow", "login")
        self.fails(USAGE, "There is no channel named 'web'.", "--channel", "web")

    def test_bad_contexts(self):
        folder = program.scratch()
        for content, code, message in (
                ('{"risk_teir": "low"}', USAGE, "unknown key 'risk_teir'; did you mean 'risk_tier'?"),
                ('{"risk_tier": "hihg"}', USAGE, "unknown risk_tier 'hihg'; did you mean 'high'?"),
                ('{"retry_count": -1}', USAGE, "'retry_count' must be a whole number from 0"),
                ("not json", USAGE, "not valid JSON"),
                ("", USAGE, "not valid JSON"),
                ('{"risk_tier": "low"}\0{', UNREADABLE, "holds a NUL byte"),
                ("[" * 100, USAGE, "more than 32 levels"),
                (" " * (1 << 20) + "{}", UNREADABLE, "is larger than 1048576 bytes")):
            (folder / "context.json").write_text(content)
            self.fails(code, message, "--context", folder / "context.json")
        self.fails(UNREADABLE, "No such file", "--context", folder / "none.json")


class Installation(program.WithModels):
    """Models that are missing or were changed: no judgement, and exit code 70."""

    def copies(self):
        """A copy of data and weights that may be spoilt; large files are linked."""
        folder = program.scratch()
        for name in ("models", "policies", "calibration", "fusion"):
            shutil.copytree(program.SOURCE / name, folder / name)
        (folder / "weights").mkdir()
        for path in program.WEIGHTS.iterdir():
            (folder / "weights" / path.name).symlink_to(path.resolve())
        return folder

    def check(self, folder):
        hostile, _ = program.hostile()
        return program.run("check", "--data", folder, hostile / "noise.png")

    def test_the_copy_works(self):
        self.assertEqual(self.check(self.copies()).returncode, RETRY)

    def test_a_missing_model(self):
        folder = self.copies()
        for path in (folder / "weights").glob("fr_detect*"):
            path.unlink()
        done = self.check(folder)
        self.assertEqual((done.returncode, done.stdout), (INTERNAL, ""))
        self.assertIn("face-detect", done.stderr)

    def test_a_tampered_model(self):
        folder = self.copies()
        path = folder / "weights/fr_eye.onnx"
        content = bytearray(path.read_bytes())
        path.unlink()
        content[len(content) // 2] ^= 1
        path.write_bytes(content)
        for optimised in (folder / "weights").glob("fr_eye.opt*"):
            optimised.unlink()
        done = self.check(folder)
        self.assertEqual((done.returncode, done.stdout), (INTERNAL, ""))
        self.assertIn("eye-state", done.stderr)
        listed = program.run("models", "verify", "--data", folder)
        self.assertEqual(listed.returncode, INTERNAL)
        self.assertRegex(listed.stdout, r"eye-state +\S+ +\S+ +tampered")

    def test_an_unapproved_model(self):
        folder = self.copies()
        manifest = folder / "models/face-detect/manifest.yaml"
        text = manifest.read_text()
        self.assertIn("approved: true", text)
        manifest.write_text(text.replace("approved: true", "approved: false"))
        done = self.check(folder)
        self.assertEqual((done.returncode, done.stdout), (INTERNAL, ""))
        self.assertIn("approve", done.stderr)

    def test_a_broken_policy(self):
        folder = self.copies()
        path = folder / "policies/login_step_up.yaml"
        path.write_text(path.read_text() + "\nunknwon: 1\n")
        done = self.check(folder)
        self.assertEqual((done.returncode, done.stdout), (INTERNAL, ""))
        self.assertRegex(done.stderr, r"policies/login_step_up\.yaml:\d+: unknown key 'unknwon'")


class Output(program.WithModels):
    def test_an_output_that_cannot_be_written(self):
        folder, _ = program.hostile()
        for arguments in (["check", "noise.png"], ["check", "--json", "noise.png"], ["check", "-j2", "."],
                          ["models", "list"], ["--help"], ["check", "--help"]):
            with open("/dev/full", "w", encoding="ascii") as full:
                done = program.run(*arguments, cwd=folder, stdout=full)
            self.assertEqual(done.returncode, INTERNAL, arguments)
            self.assertEqual(done.stderr.count("cannot write the output"), 1, arguments)

    def test_a_drawing_that_cannot_be_written(self):
        folder, _ = program.hostile()
        done = program.run("inspect", "noise.png", "-o", "/no/such/folder/out.png", cwd=folder)
        self.assertEqual((done.returncode, done.stdout), (INTERNAL, ""))
        self.assertIn("Cannot write /no/such/folder/out.png: No such file or directory.", done.stderr)

    def test_a_reader_that_goes_away_ends_the_work(self):
        folder, _ = program.hostile()
        command = f"'{program.PROGRAM}' check --jsonl -j2 . . . . | head -n 1"
        done = subprocess.run(["sh", "-c", command], cwd=folder, env=program.ENVIRONMENT, stdout=subprocess.PIPE,
                              text=True, timeout=60, check=True)
        self.assertIn("decision", json.loads(done.stdout))


tap.main()
