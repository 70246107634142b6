"""train/texture/fit.py on made-up features whose right answers are known."""
import csv
import pathlib
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
import source_tree  # noqa: E402
import tap  # noqa: E402

SCRIPT = source_tree.ROOT / "train/texture/fit.py"
sys.path.insert(0, str(SCRIPT.parent))
try:
    import numpy as np
    import fit
except ImportError as error:
    if error.name != "numpy":
        raise
    np = None

COLUMNS = ["sample_id", "label", "attack_type", "person_id", "source", "review_status", "raw.passive.texture", "other"]


@unittest.skipIf(np is None, "numpy is not installed")
class Fitting(unittest.TestCase):
    def test_the_generating_line_is_found(self):
        rng = np.random.default_rng(1)
        x = rng.normal(3, 2, (40000, 1))
        live = rng.random(40000) < 1 / (1 + np.exp(-1.5 * (x[:, 0] - 3)))
        model = fit.fit(x, live, np.full(40000, "a"))
        self.assertAlmostEqual(model["weight"][0] / model["scale"][0], 1.5, delta=0.05)
        self.assertAlmostEqual(float(fit.raw(model, np.array([[3.0]]))[0]), 0, delta=0.05)

    def test_classes_weigh_the_same_and_large_sources_less(self):
        live = np.array([True] * 20 + [False] * 5)
        w = fit.weights_of(live, np.array(["a"] * 16 + ["b"] * 4 + ["a"] * 5))
        self.assertAlmostEqual(w[:20].sum(), w[20:].sum())
        self.assertAlmostEqual(w[:16].sum() / w[16:20].sum(), 2)
        self.assertAlmostEqual(w.sum(), 25)


@unittest.skipIf(np is None, "numpy is not installed")
class WholeRun(unittest.TestCase):
    def setUp(self):
        temp = tempfile.TemporaryDirectory()
        self.addCleanup(temp.cleanup)
        self.root = pathlib.Path(temp.name)
        rng = np.random.default_rng(3)
        self.rows, features = [], [["sample_id", "a", "b"]]
        for i in range(240):
            live = i % 2 == 0
            species = "" if live else ("print", "replay", "generated")[i % 6 // 2]
            self.rows.append([f"s{i}", "live" if live else "spoof", species, f"p{i % 12}", f"c{i % 3}/set",
                              "disputed" if i == 7 else "", "" if i == 9 else "0.5", f"x,{i}"])
            # The second feature is the person's own and says nothing: p0 to p11 have labels of one kind only.
            shown = 1.0 if live or species == "generated" else -1.0
            features.append([f"s{i}", rng.normal(shown, 1), rng.normal(0, 1)])
        self.write("scores.csv", [COLUMNS, *self.rows])
        self.write("features.csv", features)

    def write(self, name, rows):
        with open(self.root / name, "w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows(rows)

    def read(self, name):
        with open(self.root / name, newline="", encoding="utf-8") as file:
            return list(csv.DictReader(file))

    def run_script(self, *arguments):
        return subprocess.run([sys.executable, SCRIPT, "scores.csv", "features.csv", "--model", "model.yaml",
                               "--release", "2.0.0", *arguments], cwd=self.root, text=True, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, check=False)

    def test_the_model_holds_what_generated_the_features(self):
        done = self.run_script("--unfitted", "generated")
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertIn("fitted on 120 bona fide and 78 attack presentations", done.stdout)
        lines = (self.root / "model.yaml").read_text(encoding="utf-8").splitlines()
        self.assertEqual(lines[1:4], ["format: 1", "name: passive.texture", "version: 2.0.0"])
        weight = [float(line.rsplit(" ", 1)[1].rstrip("}")) for line in lines if "weight" in line]
        self.assertGreater(weight[0], 5 * abs(weight[1]))

    def test_held_out_values_replace_the_raw_ones_and_nothing_else(self):
        done = self.run_script("--out-of-fold", "held.csv")
        self.assertEqual(done.returncode, 0, done.stdout)
        before, after = self.read("scores.csv"), self.read("held.csv")
        for old, new in zip(before, after):
            changed = {name for name in COLUMNS if old[name] != new[name]}
            expected = set() if old["sample_id"] in ("s7", "s9") else {"raw.passive.texture"}
            self.assertEqual(changed, expected, old)

    def test_a_held_out_source_is_not_known(self):
        # The source c0 is told apart by the features the other way round: only a model that saw it can know.
        features = [["sample_id", "a", "b"]]
        for row in self.rows:
            live = row[1] == "live"
            features.append([row[0], (1 if live else -1) * (-1 if row[4] == "c0/set" else 1), 0.1 * len(features) % 1])
        self.write("features.csv", features)
        self.assertEqual(self.run_script("--hold-out", "source", "--out-of-fold", "held.csv").returncode, 0)
        for row in self.read("held.csv"):
            if row["source"] == "c0/set" and row["sample_id"] not in ("s7", "s9"):
                self.assertEqual(float(row["raw.passive.texture"]) > 0, row["label"] == "spoof", row)

    def test_the_same_input_gives_the_same_bytes(self):
        self.assertEqual(self.run_script("--out-of-fold", "held.csv").returncode, 0)
        first = (self.root / "model.yaml").read_bytes(), (self.root / "held.csv").read_bytes()
        self.assertEqual(self.run_script("--out-of-fold", "held.csv").returncode, 0)
        self.assertEqual(((self.root / "model.yaml").read_bytes(), (self.root / "held.csv").read_bytes()), first)

    def test_a_table_without_the_detector_is_refused(self):
        self.write("scores.csv", [["sample_id", "label"], ["a", "live"]])
        done = self.run_script()
        self.assertEqual(done.returncode, 1)
        self.assertIn("a column is missing", done.stdout)
        self.assertFalse((self.root / "model.yaml").exists())


if __name__ == "__main__":
    tap.main()
