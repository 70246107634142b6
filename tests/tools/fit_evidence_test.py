"""tools/fit_evidence.py on made-up evidence whose right answers are known."""
import csv
import hashlib
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
import source_tree  # noqa: E402
import tap  # noqa: E402

sys.path.insert(0, str(source_tree.ROOT / "tools"))
try:
    import numpy as np
    import fit_evidence
    import pad_cards
    import pad_figures
except ImportError as error:
    if error.name != "numpy":
        raise
    np = None

FEATURES = 31


def made_up(count, seed=3):
    """Records and manifest rows: passive-fr has log-odds of unit slope plus noise, silentface-v2 sees replays only."""
    rng = np.random.default_rng(seed)
    records, rows = [], []
    for i in range(count):
        live, person, source = i % 2 == 0, f"p{i % 12}", f"s{i % 3}/set"
        species = "" if live else ("print", "replay", "generated")[i % 6 // 2]
        sha256 = hashlib.sha256(str(i).encode()).hexdigest()
        raws = {"passive-fr": rng.normal(2 if live else -2, 2.0), "silentface-v2": rng.normal(3 if live else -3, 3.0),
                "passive.context": 0.0 if live else -1.0 * (i % 4 == 1), "passive.spectrum": 0.0}
        evidence = [{"detector": name, "status": "present", "raw": float(raw), "llr": None, "version": "1", "ms": 0.5}
                    for name, raw in raws.items()]
        if i % 50 == 7:
            evidence[1].update(status="not_applicable", raw=None)
        records.append({"input": {"sha256": sha256}, "error": {"code": "NO_FACE"} if i % 40 == 3 else None,
                        "diagnostics": {"primary_box": [0, 0, 100, 100]}, "evidence": evidence,
                        "versions": {"models": {}}})
        rows.append({"path": f"{i}.jpg", "label": "live" if live else "spoof", "attack_type": species,
                     "person_id": person, "source": source, "sha256": sha256})
    return records, rows


@unittest.skipIf(np is None, "numpy is not installed")
class Figures(unittest.TestCase):
    def test_clopper_pearson_meets_the_published_values(self):
        for k, n, low, high in ((0, 10, 0, 0.3085), (5, 10, 0.1871, 0.8129), (10, 10, 0.6915, 1),
                                (1, 150, 0.0002, 0.0366)):
            found = pad_figures.clopper_pearson(k, n)
            self.assertAlmostEqual(found[0], low, places=4)
            self.assertAlmostEqual(found[1], high, places=4)

    def test_auc_counts_ties_half(self):
        self.assertEqual(pad_figures.auc(np.array([1.0, 2.0]), np.array([0.0, 1.0])), 0.875)
        self.assertEqual(pad_figures.auc(np.array([1.0]), np.array([1.0])), 0.5)

    def test_equal_error_rate(self):
        self.assertEqual(pad_figures.eer(np.array([1.0, 2, 3, 4]), np.array([-1.0, 0, 0.5, 2.5])), 0.25)

    def test_cllr_of_no_information_is_one(self):
        self.assertAlmostEqual(pad_figures.cllr(np.zeros(4), np.zeros(3)), 1)

    def test_the_headline_is_the_worst_species(self):
        samples = [{"live": False, "species": "print", "judged": True}] * 10
        samples += [{"live": False, "species": "replay", "judged": True}] * 5
        samples += [{"live": True, "species": "", "judged": True}] * 4
        llrs = [{"x": -3}] * 10 + [{"x": 2}] + [{"x": -3}] * 4 + [{"x": 3}] * 3 + [{"x": 1}]
        row = pad_figures.Scores(samples, llrs, "x", False).row("x")
        self.assertEqual(row[4:6], ["0.0", "20.0"])
        self.assertTrue(row[6].startswith("20.0 ("), row)
        self.assertTrue(row[7].startswith("25.0 ("), row)


@unittest.skipIf(np is None, "numpy is not installed")
class Fitting(unittest.TestCase):
    def test_logistic_regression_finds_the_generating_line(self):
        rng = np.random.default_rng(1)
        x = rng.normal(0, 2, (40000, 1))
        live = (rng.random(40000) < 1 / (1 + np.exp(-(1.5 * x[:, 0] - 0.7)))).astype(float)
        slope, intercept, _, _ = fit_evidence.fit_logistic(x, live, np.ones(40000), 0.0)
        self.assertAlmostEqual(slope[0], 1.5, delta=0.05)
        self.assertAlmostEqual(intercept, -0.7, delta=0.05)

    def test_a_falling_column_is_held_at_the_least_slope(self):
        x = np.linspace(-1, 1, 50)[:, None]
        slope, _, _, _ = fit_evidence.fit_logistic(x, (x[:, 0] < 0).astype(float), np.ones(50), 0.1, 0.001)
        self.assertAlmostEqual(slope[0], 0.001)

    def test_classes_weigh_the_same_and_large_sources_less(self):
        samples = [{"live": True, "source": "a"}] * 16 + [{"live": True, "source": "b"}] * 4
        samples += [{"live": False, "source": "a"}] * 5
        w = fit_evidence.weights_of(samples)
        self.assertAlmostEqual(w[:20].sum(), w[20:].sum())
        self.assertAlmostEqual(w[:16].sum() / w[16:20].sum(), 2)
        self.assertAlmostEqual(w.sum(), 25)


@unittest.skipIf(np is None, "numpy is not installed")
class Cards(unittest.TestCase):
    def test_the_section_is_replaced_and_nothing_else(self):
        section = pad_cards.HEADING + "\n\nnew\n"
        card = "# x\n\n## Before\n\na\n\n" + pad_cards.HEADING + "\n\nold\n\n## Known limits\n\nb\n"
        expected = card.replace("old", "new")
        self.assertEqual(pad_cards.replace_section(card, section), expected)
        without = "# x\n\n## Before\n\na\n\n## Known limits\n\nb\n"
        self.assertEqual(pad_cards.replace_section(without, section), expected)


@unittest.skipIf(np is None, "numpy is not installed")
class WholeRun(unittest.TestCase):
    def setUp(self):
        temp = tempfile.TemporaryDirectory()
        self.addCleanup(temp.cleanup)
        self.root = pathlib.Path(temp.name)
        for folder in ("calibration", "fusion", "models/passive.texture"):
            (self.root / folder).mkdir(parents=True)
        records, rows = made_up(600)
        (self.root / "evidence.jsonl").write_text("".join(json.dumps(r) + "\n" for r in records), encoding="utf-8")
        with open(self.root / "manifest.csv", "w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, rows[0].keys())
            writer.writeheader()
            writer.writerows(rows)

    def run_tool(self, *arguments):
        return subprocess.run([sys.executable, source_tree.ROOT / "tools/fit_evidence.py", self.root / "evidence.jsonl",
                               self.root / "manifest.csv", "--data", self.root, *arguments], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, check=False, env=dict(os.environ))

    def read(self, path):
        return (self.root / path).read_text(encoding="utf-8")

    def test_the_files_hold_what_generated_the_data(self):
        done = self.run_tool("--report", self.root / "tables.md")
        self.assertEqual(done.returncode, 0, done.stdout)
        lines = dict(line.strip().split(": ") for line in self.read("calibration/passive-fr.yaml").splitlines()
                     if ": " in line and not line.startswith("#"))
        # Two normal distributions 4 apart with deviation 2: log-likelihood ratio = raw x 4 / 2^2; the penalty on so few
        # samples holds the slope below that.
        self.assertTrue(0.6 < float(lines["slope"]) < 1.05, lines["slope"])
        self.assertAlmostEqual(float(lines["intercept"]), 0, delta=0.3)
        self.assertIn("| network-only |", self.read("tables.md"))
        self.assertIn("dual-networks over network-only", self.read("tables.md"))

    def test_the_same_input_gives_the_same_bytes(self):
        self.assertEqual(self.run_tool().returncode, 0)
        first = self.read("fusion/default.yaml")
        self.assertEqual(self.run_tool().returncode, 0)
        self.assertEqual(self.read("fusion/default.yaml"), first)

    def test_a_dry_run_writes_nothing(self):
        self.assertEqual(self.run_tool("--dry-run").returncode, 0)
        self.assertEqual(list((self.root / "calibration").iterdir()), [])


if __name__ == "__main__":
    tap.main()
