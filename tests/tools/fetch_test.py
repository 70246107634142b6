"""tools/fetch.py with a stand-in for npm: what is fetched, what is refused, what an interruption leaves."""
import base64
import hashlib
import importlib.util
import io
import json
import os
import pathlib
import sys
import tarfile
import tempfile
import unittest
from unittest import mock

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
import source_tree  # noqa: E402
import tap  # noqa: E402

spec = importlib.util.spec_from_file_location("fetch", source_tree.ROOT / "tools/fetch.py")
fetch = importlib.util.module_from_spec(spec)
spec.loader.exec_module(fetch)

CONTENT = {"package/a.txt": b"first file\n", "package/deep/b.bin": bytes(range(256)) * 40, "package/other": b"unwanted"}
STAND_IN = """#!{python}
import pathlib, shutil, sys
pathlib.Path({count!r}).open("a").write(sys.argv[-1] + "\\n")
if {fail}:
    sys.exit("npm error network is unreachable")
folder = sys.argv[sys.argv.index("--pack-destination") + 1]
shutil.copy({archive!r}, folder)
"""


class Fetch(unittest.TestCase):
    def setUp(self):
        self.temp = tempfile.TemporaryDirectory()
        self.addCleanup(self.temp.cleanup)
        self.root = pathlib.Path(self.temp.name)
        self.archive = self.root / "thing-1.0.0.tgz"
        with tarfile.open(self.archive, "w:gz") as tar:
            for name, data in CONTENT.items():
                member = tarfile.TarInfo(name)
                member.size = len(data)
                tar.addfile(member, io.BytesIO(data))
        self.integrity = base64.b64encode(hashlib.sha512(self.archive.read_bytes()).digest()).decode()
        self.calls = self.root / "calls"
        self.cache = self.root / "cache"
        self.use_npm()
        for name, value in (("LOCK", self.root / "lock.json"), ("CACHE", self.cache)):
            patcher = mock.patch.object(fetch, name, value)
            patcher.start()
            self.addCleanup(patcher.stop)
        patcher = mock.patch.object(fetch, "say", lambda text: None)
        patcher.start()
        self.addCleanup(patcher.stop)
        self.write_lock()

    def use_npm(self, fail=False):
        folder = self.root / "bin"
        folder.mkdir(exist_ok=True)
        npm = folder / "npm"
        npm.write_text(STAND_IN.format(python=sys.executable, count=str(self.calls), fail=fail,
                                       archive=str(self.archive)))
        npm.chmod(0o755)
        patcher = mock.patch.dict(os.environ, PATH=f"{folder}:{os.environ['PATH']}")
        patcher.start()
        self.addCleanup(patcher.stop)

    def write_lock(self, integrity=None, changes=None, **package):
        files = [{"from": name, "to": f"put/{name.split('/')[-1]}", "sha256": hashlib.sha256(data).hexdigest()}
                 for name, data in CONTENT.items() if name != "package/other"]
        files[1]["links"] = ["put/b.link"]
        files[0].update(changes or {})
        entry = {"name": "@some/thing", "version": "1.0.0", "licence": "MIT", "use": "a test", "archive_bytes": 1,
                 "integrity": "sha512-" + (integrity or self.integrity), "files": files, **package}
        here = {"name": "machine", "arch": [fetch.HERE], "files": []}
        (self.root / "lock.json").write_text(json.dumps({"format": 1, "packages": [entry, here]}))

    def put(self):
        return sorted(path.name for path in self.cache.rglob("*") if path.name != ".lock")

    def times_fetched(self):
        return self.calls.read_text().count("\n") if self.calls.exists() else 0

    def test_only_the_wanted_files_are_kept(self):
        self.assertEqual(fetch.main([]), 0)
        self.assertEqual(self.put(), ["a.txt", "b.bin", "b.link", "put"])
        self.assertEqual((self.cache / "put/b.link").read_bytes(), CONTENT["package/deep/b.bin"])
        self.assertEqual(self.calls.read_text(), "@some/thing@1.0.0\n")

    def test_a_second_run_fetches_nothing(self):
        fetch.main([])
        self.assertEqual(fetch.main([]), 0)
        self.assertEqual(self.times_fetched(), 1)
        self.assertEqual(fetch.main(["--check"]), 0)

    def test_a_damaged_file_is_fetched_again(self):
        fetch.main([])
        (self.cache / "put/a.txt").write_bytes(b"first fild\n")
        self.assertEqual(fetch.main(["--check"]), 1)
        self.assertEqual(fetch.main([]), 0)
        self.assertEqual((self.cache / "put/a.txt").read_bytes(), CONTENT["package/a.txt"])

    def test_another_archive_is_refused(self):
        self.write_lock(integrity=base64.b64encode(bytes(64)).decode())
        with self.assertRaisesRegex(fetch.SetupError, "not the pinned archive"):
            fetch.main([])
        self.assertEqual(self.put(), [])

    def test_another_file_is_refused(self):
        self.write_lock(changes={"sha256": "0" * 64})
        with self.assertRaisesRegex(fetch.SetupError, "pinned sha256"):
            fetch.main([])
        self.assertNotIn("a.txt", self.put())
        self.assertNotIn("a.txt.part", self.put())

    def test_a_file_that_is_not_in_the_archive_is_said(self):
        self.write_lock(changes={"from": "package/none"})
        with self.assertRaisesRegex(fetch.SetupError, "has no package/none"):
            fetch.main([])

    def test_a_path_out_of_the_cache_is_refused(self):
        for path in ("../x", "/etc/x", "put/../../x"):
            self.write_lock(changes={"to": path})
            with self.assertRaisesRegex(fetch.SetupError, "outside the cache"):
                fetch.main([])

    def test_without_network_the_reason_is_told(self):
        self.use_npm(fail=True)
        with self.assertRaisesRegex(fetch.SetupError, "could not fetch @some/thing@1.0.0.*network is unreachable"):
            fetch.main([])
        self.assertEqual(self.put(), [])

    def test_leftovers_of_an_interruption_are_removed(self):
        (self.cache / "fetch-abc/npm").mkdir(parents=True)
        (self.cache / "put").mkdir()
        (self.cache / "put/a.txt.part").write_bytes(b"fir")
        self.assertEqual(fetch.main([]), 0)
        self.assertEqual(self.put(), ["a.txt", "b.bin", "b.link", "put"])

    def test_another_machines_package_is_left_alone(self):
        self.write_lock(arch=["no-such-machine"])
        self.assertEqual(fetch.main([]), 0)
        self.assertEqual(self.times_fetched(), 0)

    def folder_entry(self, sha256=None):
        names = {"a.txt": CONTENT["package/a.txt"], "deep/b.bin": CONTENT["package/deep/b.bin"], "other": b"unwanted"}
        lines = "".join(f"{hashlib.sha256(names[name]).hexdigest()}  {name}\n" for name in sorted(names))
        return {"from": "package/", "to": "put/all", "sha256": sha256 or hashlib.sha256(lines.encode()).hexdigest()}

    def test_a_whole_folder_is_kept(self):
        self.write_lock(files=[self.folder_entry()])
        self.assertEqual(fetch.main([]), 0)
        self.assertEqual(self.put(), ["a.txt", "all", "b.bin", "deep", "other", "put"])
        self.assertEqual(fetch.main(["--check"]), 0)
        (self.cache / "put/all/deep/b.bin").write_bytes(b"changed")
        self.assertEqual(fetch.main(["--check"]), 1)
        self.assertEqual(fetch.main([]), 0)
        self.assertEqual((self.cache / "put/all/deep/b.bin").read_bytes(), CONTENT["package/deep/b.bin"])

    def test_another_folder_is_refused(self):
        self.write_lock(files=[self.folder_entry("0" * 64)])
        with self.assertRaisesRegex(fetch.SetupError, "pinned sha256"):
            fetch.main([])
        self.assertNotIn("all", self.put())

    def test_a_program_can_be_run(self):
        self.write_lock(changes={"executable": True})
        fetch.main([])
        self.assertTrue(os.access(self.cache / "put/a.txt", os.X_OK))
        self.assertFalse((self.cache / "put/b.bin").stat().st_mode & 0o111)

    def test_a_package_of_other_jobs_is_left_alone(self):
        self.write_lock(jobs=["test"])
        self.assertEqual(fetch.main(["run"]), 0)
        self.assertEqual(self.times_fetched(), 0)
        self.assertEqual(fetch.main(["--check", "test"]), 1)
        self.assertEqual(fetch.main(["test"]), 0)
        self.assertEqual(self.times_fetched(), 1)

    def test_an_unknown_job_is_refused(self):
        with mock.patch("sys.stderr", io.StringIO()):
            self.assertEqual(fetch.main(["sing"]), 64)

    def test_a_library_of_the_system_makes_a_package_needless(self):
        self.write_lock(unless="system-onnxruntime")
        with mock.patch.object(fetch, "system_has", lambda library: library == "libonnxruntime"):
            self.assertEqual(fetch.main([]), 0)
        self.assertEqual(self.times_fetched(), 0)


class TheRealLock(unittest.TestCase):
    def test_it_is_complete(self):
        lock = json.loads(fetch.LOCK.read_text())
        for package in lock["packages"]:
            self.assertRegex(package["integrity"], r"^sha512-[A-Za-z0-9+/]{86}==$")
            self.assertRegex(package["version"], r"^\d+\.\d+\.\d+$")
            self.assertTrue(package["licence"])
            for entry in package["files"]:
                self.assertRegex(entry["sha256"], r"^[0-9a-f]{64}$")
                fetch.inside_cache(entry["to"])


tap.main()
