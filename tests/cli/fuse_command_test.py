"""bonafide fuse: what it fits and chooses, what must not matter, what it keeps, bad tables, and the reports."""
import csv
import html.parser
import json
import math
import pathlib
import random
import re
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
import program  # noqa: E402
from scores_table import to_csv  # noqa: E402
import tap  # noqa: E402

try:
    import numpy
    import scipy.optimize
except ImportError:
    numpy = None
try:
    import jsonschema
except ImportError:
    jsonschema = None

KEPT = """format: 1
name: default
version: 0.9.0
live_prior: 0.4
llr: {min: -5, max: 7}
configurations:
  - name: three
    bias: 0.5
    needs: {net-a: 0.5, net-b: 0.5, net-z: 0.5}
  - name: pair
    bias: 0.25
    needs:
      net-a: 1
      own.texture: 1
    against: {own.context: 1, clip.stream: 0.75}
    besides: {clip.flash: 0.5}
  - name: one
    bias: 0
    needs: {net-z: 1}
"""


def make_rows(count, seed=1, people=60, strange=0.0):
    """Two networks, one of them better, a measure of pixels, and one that only ever speaks against."""
    chance = random.Random(seed)
    rows = []
    for i in range(count):
        person = chance.randrange(people)
        live = person % 2 == 0
        species = "" if live else ("print", "replay", "mask")[person // 2 % 3]
        side = 1 if live else -1
        values = {"net-a": side * 1.2 + chance.gauss(0, 1), "net-b": side * 0.8 + chance.gauss(0, 1),
                  "own.texture": side * 0.5 + chance.gauss(0, 1),
                  "own.context": -2.0 if not live and chance.random() < 0.3 else 0.05}
        row = {"sample_id": f"s{i}", "label": "live" if live else "spoof", "attack_type": species,
               "person_id": f"p{person}", "source": ("north", "south", "east")[person % 3],
               "review_status": "confirmed", "status": "ok", "score": "50", "live_llr": "0", "live_probability": "0.5",
               "decision": "approve", "stack": "abc", "ms.net-a": f"{chance.uniform(5, 9):.3f}"}
        for name, value in values.items():
            present = chance.random() >= strange
            row[f"raw.{name}"] = f"{value:.6f}" if present else ""
            row[f"llr.{name}"] = f"{value:.6f}" if present else ""
            row[f"state.{name}"] = "present" if present else "not_applicable"
        rows.append(row)
    return rows


ROWS = make_rows(300)
QUICK = ("--replicates", "100")


class WithTable(unittest.TestCase):
    def setUp(self):
        self.folder = program.scratch()

    def table(self, rows, columns=None):
        path = self.folder / "scores.csv"
        path.write_text(rows if isinstance(rows, str) else to_csv(rows, columns), encoding="utf-8")
        return path

    def run_fuse(self, rows, *options, columns=None):
        done = program.run("fuse", *QUICK, "--output", self.folder / "out", *options, self.table(rows, columns))
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return done.stdout

    def fuse(self, rows, *options, columns=None):
        """The file and the report."""
        self.run_fuse(rows, "--fresh", *options, columns=columns)
        return ((self.folder / "out/fusion/default.yaml").read_text(encoding="utf-8"),
                json.loads((self.folder / "out/fusion.json").read_text(encoding="utf-8")))


def has_trees(report):
    return report["methods"][3]["refused"] is None


def needs_of(text):
    """The detectors with weights of each configuration's `needs`."""
    found = []
    for part in text.split("  - name: ")[1:]:
        block = re.search(r"    needs:\n((?:      .*\n)+)", part)
        found.append(dict(re.findall(r"      (\S+): (\S+)\n", block.group(1))))
    return found


class Fitting(WithTable):
    def test_every_detector_may_fail(self):
        text, report = self.fuse(ROWS, "--method", "sum")
        needs = [sorted(one) for one in needs_of(text)]
        self.assertEqual(needs, [["net-a", "net-b", "own.texture"], ["net-b", "own.texture"],
                                 ["net-a", "own.texture"], ["net-a", "net-b"], ["net-a"], ["net-b"]])
        self.assertEqual(text.count("    against:\n      own.context: "), 6)
        self.assertEqual([d["heard"] for d in report["detectors"]], ["both ways", "both ways", "against", "both ways"])
        self.assertEqual([d["alone"] for d in report["detectors"]], [True, True, False, False])
        weights = set(needs_of(text)[0].values())
        self.assertEqual(len(weights), 1)

    def test_the_simplest_that_is_not_worse_is_chosen(self):
        report = self.fuse(ROWS)[1]
        order = [m["method"] for m in report["methods"]]
        self.assertEqual(order, ["minimum", "sum", "logistic", "trees"])
        good = [m["method"] for m in report["methods"] if not m["refused"] and not m["worse"] and not m["scarce"]]
        self.assertEqual(report["chosen"], good[0])
        for method in report["methods"]:
            if method["refused"]:
                continue
            more = method["persons_held_out"]["measures"]
            worse = more["cllr"]["more_by_person"][0] > 0 or more["auc"]["more_by_person"][1] < 0
            self.assertEqual(method["worse"], worse and method["method"] != report["best"])
        # The least of three is a poor way to use independent evidence.
        self.assertTrue(report["methods"][0]["worse"])
        self.assertIn(report["chosen"], ("sum", "logistic"))

    def test_detectors_earn_their_place(self):
        report = self.fuse(ROWS, "--method", "logistic")[1]
        by_name = {d["detector"]: d for d in report["detectors"]}
        self.assertGreater(by_name["net-a"]["without"]["measures"]["cllr"]["more_by_person"][0], 0)
        self.assertTrue(5 < by_name["net-a"]["ms_median"] < 9)
        self.assertIsNone(by_name["net-b"]["ms_median"])
        self.assertEqual(by_name["net-a"]["missing"]["judged"], 300)
        # What is left when it fails was fitted without it.
        for name in ("net-a", "net-b", "own.texture"):
            self.assertEqual(by_name[name]["missing"]["measures"], by_name[name]["without"]["measures"])

    @unittest.skipIf(numpy is None, "python3-numpy and python3-scipy are not installed")
    def test_weights_are_those_of_another_optimiser(self):
        text, _ = self.fuse(ROWS, "--method", "logistic", "--detector", "net-a", "--detector", "net-b")
        names = ("net-a", "net-b")
        llr = numpy.array([[float(row[f"llr.{name}"]) for name in names] for row in ROWS])
        live = numpy.array([row["label"] == "live" for row in ROWS], float)
        weight = numpy.zeros(len(ROWS))
        for side in (0.0, 1.0):
            for source in ("north", "south", "east"):
                here = numpy.array([row["source"] == source for row in ROWS]) & (live == side)
                weight[here] = here.sum() ** -0.5
            weight[live == side] /= weight[live == side].sum()
        weight *= len(ROWS) / 2
        x = numpy.c_[llr.sum(axis=1), llr]
        mean = numpy.average(x, axis=0, weights=weight)
        spread = numpy.sqrt(numpy.average((x - mean) ** 2, axis=0, weights=weight))
        z = (x - mean) / spread

        def loss(beta):
            log_odds = z @ beta[:3] + beta[3]
            costs = numpy.logaddexp(0, numpy.where(live == 1, -log_odds, log_odds))
            return weight @ costs + (numpy.array([3, 300, 300]) * beta[:3] ** 2).sum() / 2

        best = scipy.optimize.minimize(loss, numpy.zeros(4), tol=1e-12).x
        expected = best[0] / spread[0] + best[1:3] / spread[1:]
        found = needs_of(text)[0]
        for name, value in zip(names, expected):
            self.assertAlmostEqual(float(found[name]), value, places=4)

    def test_trees_are_written_out(self):
        text, report = self.fuse(ROWS, "--detector", "net-a", "--detector", "own.texture", "--method", "sum")
        if not has_trees(report):
            self.skipTest("libxgboost0 is not installed")
        text, report = self.fuse(ROWS, "--detector", "net-a", "--detector", "own.texture", "--method", "trees")
        self.assertIn("    needs: [net-a]\n    trees:\n      - {value: ", text)
        self.assertEqual(text.count("      - {value: "), report["methods"][3]["trees"])
        self.assertIn("detector: own.texture", text)
        self.assertEqual(report["detectors"][1]["missing"]["judged"], 300)
        self.assertGreater(report["methods"][3]["persons_held_out"]["measures"]["auc"]["value"], 0.8)


class Properties(WithTable):
    def test_rows_and_columns_may_stand_in_any_order(self):
        shuffled = ROWS[:]
        random.Random(5).shuffle(shuffled)
        expected = self.fuse(ROWS)
        self.assertEqual(self.fuse(shuffled, columns=sorted(ROWS[0], reverse=True)), expected)

    def test_an_absent_detector_changes_nothing(self):
        more = [{**row, "raw.net-0": "", "llr.net-0": "", "state.net-0": "absent"} for row in ROWS]
        self.assertEqual(self.fuse(more), self.fuse(ROWS))

    def test_another_seed_is_another_deal(self):
        self.assertNotEqual(self.fuse(ROWS, "--seed", "2")[1], self.fuse(ROWS)[1])

    def test_calibrations_are_fitted_in_the_folds(self):
        # Ratios that are three times too sure: a fold's own calibration mends that, the table's does not.
        rows = [{**row, "llr.net-a": f"{3 * float(row['llr.net-a']):.6f}"} for row in ROWS]
        honest = self.fuse(rows, "--method", "minimum")[1]
        trusted = self.fuse(rows, "--method", "minimum", "--as-calibrated")[1]
        cllr = [one["methods"][0]["persons_held_out"]["measures"]["cllr"]["value"] for one in (honest, trusted)]
        self.assertNotEqual(cllr[0], cllr[1])
        self.assertEqual(honest["methods"][0]["apparent"], trusted["methods"][0]["apparent"])
        self.assertEqual([one["how"]["calibrated_in_folds"] for one in (honest, trusted)], [True, False])

    def test_missing_evidence_is_judged_by_what_is_there(self):
        rows = make_rows(300, strange=0.2)
        text, report = self.fuse(rows, "--method", "logistic")
        judged = sum(row["llr.net-a"] != "" or row["llr.net-b"] != "" for row in rows)
        self.assertEqual(report["methods"][2]["persons_held_out"]["judged"], judged)
        self.assertEqual(len(needs_of(text)), 6)

    def test_held_out_scores_can_be_evaluated(self):
        out = self.folder / "held.csv"
        _, report = self.fuse(ROWS, "--out-of-fold", out)
        with open(out, newline="", encoding="utf-8") as file:
            held = list(csv.DictReader(file))
        self.assertEqual(len(held), len(ROWS))
        for row in held:
            llr, probability = float(row["live_llr"]), float(row["live_probability"])
            self.assertAlmostEqual(probability, 1 / (1 + math.exp(-llr)), places=6)
            self.assertAlmostEqual(float(row["score"]), 100 * probability, places=4)
            self.assertEqual(row["decision"], "")
        done = program.run("eval", "--json", "--no-date", out)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        told = json.loads(done.stdout)
        chosen = next(m for m in report["methods"] if m["method"] == report["chosen"])["persons_held_out"]
        self.assertAlmostEqual(told["curve"]["auc"]["value"], chosen["measures"]["auc"]["value"], places=6)
        self.assertEqual(told["headline"]["bpcer"]["count"], chosen["bpcer"]["count"])


class Keeping(WithTable):
    def test_what_the_table_knows_nothing_of_is_kept(self):
        kept = self.folder / "kept.yaml"
        kept.write_text(KEPT, encoding="utf-8")
        self.run_fuse(ROWS, "--keep", kept, "--method", "sum")
        text = (self.folder / "out/fusion/default.yaml").read_text(encoding="utf-8")
        self.assertIn("live_prior: 0.4\nllr: {min: -5, max: 7}\n", text)
        names = re.findall(r"  - name: (\S+)\n", text)
        self.assertEqual(names, ["net-a+net-b+own.texture", "three", "net-b+own.texture", "pair", "net-a+net-b",
                                 "net-a", "net-b", "one"])
        self.assertIn("  - name: three\n    bias: 0.5\n    needs:\n      net-a: 0.5\n      net-b: 0.5\n"
                      "      net-z: 0.5\n", text)
        pair = text.split("  - name: pair\n")[1].split("  - name:")[0]
        self.assertIn("      clip.stream: 0.75\n    besides:\n      clip.flash: 0.5\n", pair)
        self.assertNotIn("own.context: 1\n", pair)

    def test_a_kept_file_must_be_one(self):
        kept = self.folder / "kept.yaml"
        kept.write_text("format: 7\n", encoding="utf-8")
        done = program.run("fuse", "--keep", kept, self.table(ROWS))
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("kept.yaml:1: format 7 is not known", done.stderr)


class Bad(WithTable):
    def refused(self, rows, message, *options):
        done = program.run("fuse", "--fresh", *QUICK, "--output", self.folder / "out", *options, self.table(rows))
        self.assertEqual((done.returncode, done.stdout), (65, ""))
        self.assertIn(message, done.stderr)
        self.assertFalse((self.folder / "out").exists())

    def test_tables_that_cannot_be_used(self):
        self.refused([row for row in ROWS if row["label"] == "live"], "bona fide presentations only")
        self.refused([{**row, "person_id": "p1"} for row in ROWS], "person")
        self.refused([{**row, "split": "test"} for row in ROWS], "test", "--split", "test")
        self.refused([{**row, "llr.net-a": "much"} for row in ROWS], "row 2")
        self.refused([ROWS[0], *ROWS], ROWS[0]["sample_id"])
        odd = [{k.replace("net-b", "net b: 1"): v for k, v in row.items()} for row in ROWS]
        self.refused(odd, "'net b: 1' is no name of a detector.")
        bare = [{k: "" if k.startswith("llr.") else v for k, v in row.items()} for row in ROWS]
        self.refused(bare, "calibrated evidence")

    def test_names_that_the_table_has_not(self):
        self.refused(ROWS, "The table has no detector 'net-x'.", "--detector", "net-x")
        self.refused(ROWS, "The table has no detector 'net-x'.", "--against", "net-x")
        self.refused(ROWS, "The table has no attack type 'puppet'.", "--beside", "puppet")

    def test_usage(self):
        for options in (["--method", "magic"], ["--folds", "1"], ["--threshold", "101"], ["--name", "../x"],
                        ["--release", "1 0"], ["--json", "--out-of-fold", "x.csv"]):
            self.assertEqual(program.run("fuse", *options, self.table(ROWS)).returncode, 64)

    def test_few_persons_are_said(self):
        report = self.fuse(make_rows(120, people=8))[1]
        self.assertIn("serious", [w["gravity"] for w in report["warnings"]])
        self.assertTrue(report["methods"][2]["scarce"])
        self.assertIn(report["chosen"], ("minimum", "sum"))


class Page(html.parser.HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.ids, self.targets, self.open = set(), set(), []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        values = dict(attributes)
        if "id" in values:
            self.ids.add(values["id"])
        if values.get("href", "").startswith("#"):
            self.targets.add(values["href"][1:])
        if tag not in ("meta", "path", "rect", "circle", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        if self.open.pop() != tag:
            raise ValueError(tag)


class Reports(WithTable):
    def test_every_figure_has_its_definition(self):
        self.fuse([{**row, "attack_type": row["attack_type"].replace("mask", "<mask> & co")} for row in ROWS],
                  "--beside", "<mask> & co")
        text = (self.folder / "out/fusion.html").read_text(encoding="utf-8")
        page = Page(text)
        self.assertEqual(page.open, [])
        self.assertLessEqual(page.targets, page.ids)
        self.assertNotIn("<script", text)
        self.assertNotIn("<mask>", text)
        self.assertNotIn("nan", text)

    @unittest.skipIf(jsonschema is None, "python3-jsonschema is not installed")
    def test_the_json_is_what_the_schema_says(self):
        schema = json.loads((program.SOURCE / "api/fusion_report.schema.json").read_text(encoding="utf-8"))
        for rows in (ROWS, make_rows(120, people=8, strange=0.3), [{**row, "source": ""} for row in ROWS]):
            jsonschema.validate(self.fuse(rows)[1], schema)



tap.main()
