"""Tables of simulated captures count what they say, and a broken limit is told."""
import importlib.util
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(os.environ.get("BONAFIDE_SOURCE_DIR") or pathlib.Path(__file__).resolve().parents[2])
sys.path.insert(0, str(ROOT / "tests/lib"))
import tap  # noqa: E402

PROGRAM = ROOT / "tools/simulate/tables.py"
SPEC = importlib.util.spec_from_file_location("tables", PROGRAM)
tables = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(tables)


def line(case, seed, llr, challenge="followed"):
    status = "not_applicable" if llr is None else "present"
    return {"case": case, "seed": seed, "still": 0, "status": "ok", "decision": "review",
            "result": {"band": "uncertain"}, "challenge": challenge, "track": {}, "signals": [],
            "sequence": [{"detector": "sequence.motion", "findings": [{"code": "planar", "ms": None, "value": 1}],
                          "figures": {"residual": 0.5}}],
            "evidence": {"sequence.motion": {"status": status, "llr": llr, "raw": 1},
                         "passive-x": {"status": "present", "llr": -9, "raw": 1}}}


LINES = [line("live", 1, 1.0), line("live", 2, -1.0), line("live", 3, None), line("live+dim", 1, 0.0),
         line("print", 1, -2.0), line("print", 2, 0.5), line("replay", 1, None, "not_followed")]


class Counting(unittest.TestCase):
    def setUp(self):
        self.summary = tables.summarise(LINES)

    def test_only_detectors_over_the_sequence_are_counted(self):
        self.assertEqual(self.summary["detectors"], ["sequence.motion"])

    def test_verdicts(self):
        self.assertEqual(self.summary["cases"]["live"]["detectors"]["sequence.motion"],
                         {"live": 1, "attack": 1, "silent": 1})
        self.assertEqual(self.summary["cases"]["live+dim"]["detectors"]["sequence.motion"], {"silent": 1})

    def test_noticed_by_a_detector_or_by_the_challenge(self):
        noticed = {case: of["noticed"] for case, of in self.summary["cases"].items()}
        self.assertEqual(noticed, {"live": 1, "live+dim": 0, "print": 1, "replay": 1})

    def test_tables_keep_bona_fide_and_attacks_apart(self):
        self.assertIn("| `live` | 3 | 33 (33) | 100 / 0 / 0 | 33 |", tables.table_of(self.summary, True))
        self.assertNotIn("live", tables.table_of(self.summary, False))
        self.assertIn("| `print` | 2 | 50 (0) |", tables.table_of(self.summary, False))

    def test_kinds_add_up_their_cases(self):
        text = tables.table_of_kinds(self.summary)
        self.assertIn("| bona fide | 3 | 33 |", text)
        self.assertIn("| bona fide, with a nuisance | 1 | 0 |", text)
        self.assertIn("| print | 2 | 50 |", text)
        self.assertIn("| capture of another session | 1 | 100 |", text)

    def test_interval(self):
        self.assertEqual(tables.interval(0, 100), "0 to 4")
        self.assertEqual(tables.interval(100, 100), "96 to 100")
        self.assertEqual(tables.interval(0, 0), "-")


class Limits(unittest.TestCase):
    def test_shares_within_and_outside(self):
        summary = tables.summarise(LINES)
        self.assertEqual(tables.broken_limits(summary, {"print": {"noticed": [0.4, 0.6]},
                                                        "replay": {"challenge.not_followed": [1, 1]}}), [])
        self.assertEqual(len(tables.broken_limits(summary, {"print": {"sequence.motion.attack": [0.6, 1]},
                                                            "loop": {}})), 2)

    def test_the_program_fails_with_a_broken_limit(self):
        with tempfile.TemporaryDirectory() as folder:
            lines, limits = pathlib.Path(folder, "lines"), pathlib.Path(folder, "limits.json")
            lines.write_text("\n".join(json.dumps(one) for one in LINES), encoding="utf-8")
            for least, code in ((0.0, 0), (0.9, 1)):
                limits.write_text(json.dumps({"live": {"noticed": [least, 1]}}), encoding="utf-8")
                done = subprocess.run([sys.executable, str(PROGRAM), str(lines), "--limits", str(limits)],
                                      stdout=subprocess.PIPE, text=True, check=False, timeout=60)
                self.assertEqual(done.returncode, code, done.stdout)
                self.assertEqual("noticed" in done.stdout, code == 1)


tap.main()
