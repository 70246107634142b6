"""`make install` gives a library that others can find, link and use: the example is built against it by pkg-config."""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
import source_tree  # noqa: E402
import tap  # noqa: E402

BUILD = pathlib.Path.cwd()
CACHE = pathlib.Path(os.environ["BONAFIDE_CACHE_DIR"])
PREFIX = "usr/local"


def run(*command, **options):
    return subprocess.run([str(part) for part in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          check=False, **options)


class Installed(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.root = pathlib.Path(tempfile.mkdtemp(prefix="bonafide-install-"))
        cls.log = run("meson", "install", "-C", BUILD, "--no-rebuild", "--quiet", "--destdir", cls.root)
        cls.prefix = cls.root / PREFIX
        cls.data = cls.prefix / "share/bonafide"
        cls.libdir = next(iter(cls.prefix.glob("lib*/**/libbonafide.so")), cls.prefix / "lib/none").parent

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.root)

    def setUp(self):
        self.assertEqual(self.log.returncode, 0, self.log.stdout)

    def pkg_config(self, *what):
        done = run("pkg-config", f"--define-variable=prefix={self.prefix}", *what, "bonafide",
                   env=dict(os.environ, PKG_CONFIG_PATH=str(self.libdir / "pkgconfig")))
        self.assertEqual(done.returncode, 0, done.stdout)
        return done.stdout.split()

    def test_data_is_there(self):
        for name in ("models", "calibration", "fusion", "policies"):
            self.assertTrue(any((self.data / name).rglob("*.yaml")), name)
        self.assertEqual(list(self.data.rglob("packages.lock.json")), [])

    def test_nothing_installed_names_the_place_it_was_built_in(self):
        for path in self.prefix.rglob("*"):
            if ".so" in path.name or path.parent.name == "bin":
                text = run("readelf", "-d", path).stdout
            elif path.suffix in (".pc", ".h", ".yaml", ".1"):
                text = path.read_text(encoding="utf-8")
            else:
                continue
            self.assertNotIn(str(source_tree.ROOT), text, path)
            self.assertNotIn(str(CACHE), text, path)

    def test_the_example_builds_and_judges(self):
        program = self.root / "judge_photo"
        done = run("cc", "-std=c99", "-Wall", "-Wextra", "-Werror", source_tree.ROOT / "examples/judge_photo.c",
                   *self.pkg_config("--cflags", "--libs"), "-o", program)
        self.assertEqual(done.returncode, 0, done.stdout)
        photo = CACHE / "samples/person-1.jpg"
        if not photo.exists() or not any((self.data / "weights").glob("*.onnx")):
            self.skipTest("no networks or sample photos in the cache")
        done = run(program, self.data, self.data / "weights", photo,
                   env=dict(os.environ, LD_LIBRARY_PATH=str(self.libdir)))
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertRegex(done.stdout, r"^(approve|retry|challenge|review|reject): [A-Z_]+, score [0-9.]+")

    def test_the_example_is_short(self):
        self.assertLess(source_tree.read("examples/judge_photo.c").count("\n"), 60)

    def test_the_program_runs_from_its_new_place(self):
        program = self.prefix / "bin/bonafide"
        if not program.exists():
            self.skipTest("the program is not built yet")
        done = run(program, "models", "verify", cwd="/", env={"PATH": os.environ["PATH"]})
        self.assertEqual(done.returncode, 0, done.stdout)
        for page in ("man1/bonafide.1",):
            self.assertTrue(list((self.prefix / "share/man").glob(page + "*")), page)


tap.main()
