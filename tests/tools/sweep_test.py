"""A small sweep: simulated people are believed, simulated attacks are not. The large one is in
docs/results/simulated.md; this one fails when a detector is broken, not when it is a little worse."""
import importlib.util
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(os.environ.get("BONAFIDE_SOURCE_DIR") or pathlib.Path(__file__).resolve().parents[2])
CACHE = pathlib.Path(os.environ.get("BONAFIDE_CACHE_DIR") or ROOT / ".cache")
BUILD = pathlib.Path(os.environ.get("BONAFIDE_BUILD_DIR") or ROOT / "build")
sys.path.insert(0, str(ROOT / "tests/lib"))
import tap  # noqa: E402

SPEC = importlib.util.spec_from_file_location("tables", ROOT / "tools/simulate/tables.py")
tables = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(tables)

PHOTOS = [CACHE / f"samples/person-{number}.jpg" for number in (3, 4)]
SEEDS = 2
# Shares, least and most.
LIMITS = {
    "live": {"challenge.not_followed": [0, 0], "noticed": [0, 0]},
    "print_moved": {"challenge.followed": [0, 0], "noticed": [1, 1], "sequence.motion.live": [0, 0]},
    "replay": {"challenge.followed": [0, 0]},
    "loop": {"challenge.followed": [0, 0], "sequence.stream.attack": [0.5, 1]},
}


class SmallSweep(tap.Findings):
    def test_people_are_believed_and_attacks_are_not(self):
        weights = CACHE / "weights"
        if not weights.is_dir() or not all(photo.is_file() for photo in PHOTOS):
            self.skipTest("there are no weights or no sample photos")
        command = [str(BUILD / "tools/simulate/sweep"), "--seeds", str(SEEDS), "--steps", "1", "--jobs", "2",
                   "--cases", ",".join(LIMITS), "--data", str(ROOT), "--weights", str(weights), *map(str, PHOTOS)]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False, timeout=840)
        self.assertEqual(done.returncode, 0)
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        self.assertEqual(len(lines), SEEDS * len(LIMITS))
        with tempfile.NamedTemporaryFile("w", suffix=".json") as kept:
            kept.write(done.stdout)
            kept.flush()
            again = subprocess.run([*command, "--skip", kept.name], stdout=subprocess.PIPE, text=True, check=False,
                                   timeout=60)
        self.assertEqual((again.returncode, again.stdout), (0, ""), "what was judged is judged again")
        self.assertEqual({line["status"] for line in lines} - {"ok", "could_not_judge"}, set())
        self.assert_none(tables.broken_limits(tables.summarise(lines), LIMITS))


class TheLimitsCanBreak(unittest.TestCase):
    def test_an_attack_that_passes_is_found(self):
        line = {"case": "loop", "seed": 1, "still": 0, "status": "ok", "decision": "approve",
                "result": {"band": "pass"}, "challenge": "followed", "track": {}, "sequence": [],
                "signals": [], "evidence": {}}
        limits = {"loop": LIMITS["loop"]}
        self.assertEqual(len(tables.broken_limits(tables.summarise([line]), limits)), len(limits["loop"]))


tap.main()
