"""bonafide calibrate: its curves against independent implementations, what must not matter, bad tables, its files."""
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
    import sklearn.isotonic
    import sklearn.metrics
except ImportError:
    sklearn = None
try:
    import jsonschema
except ImportError:
    jsonschema = None

EVIDENCE = {"alpha": {"version": "3.0", "model_sha256": "ab" * 32, "calibration": "1.2.3"},
            "beta.own": {"version": "1.0.0+x", "model_sha256": None, "calibration": None}}


def make_rows(count=600, seed=1, persons=60):
    """Persons are live or spoof; alpha tells them apart well, beta.own badly and is missing in places."""
    chance = random.Random(seed)
    rows = []
    for i in range(count):
        person = chance.randrange(persons)
        live = person % 2 == 0
        has_beta = chance.random() < 0.8
        alpha = chance.gauss(2 if live else -2, 2)
        rows.append({
            "sample_id": f"s{i}", "label": "live" if live else "spoof",
            "attack_type": "" if live else ("print", "replay")[person % 4 == 1], "person_id": f"p{person}",
            "channel": ("kiosk", "ios_app")[person % 3 == 0], "source": f"src{chance.randrange(3)}",
            "review_status": "confirmed", "status": "ok", "score": "50", "raw.alpha": f"{alpha:.6f}",
            "llr.alpha": f"{max(-5, min(5, 0.2 * alpha)):.6f}", "state.alpha": "present",
            "raw.beta.own": f"{chance.gauss(0.4 if live else 0, 1):.6f}" if has_beta else "", "llr.beta.own": "",
            "state.beta.own": "present" if has_beta else "not_applicable", "stack": "abc"})
    return rows


def read_map(text):
    """The calibration in a file's text as a function of raw, without the clamp; and its knots."""
    if "knots:" in text:
        found = re.findall(r"^  - \{raw: (\S+), llr: (\S+)\}$", text.split("by_channel")[0], re.MULTILINE)
        return [(float(raw), float(llr)) for raw, llr in found]
    return {key: float(re.search(rf"^  {key}: (\S+)$", text, re.MULTILINE)[1])
            for key in ("slope", "intercept", "prior_log_odds")}


class WithTable(unittest.TestCase):
    def setUp(self):
        self.folder = program.scratch()

    def calibrate(self, rows, *options, meta=EVIDENCE, name="scores"):
        """Runs the command on a table of these rows; the answer, and what it wrote by name."""
        path, out = self.folder / f"{name}.csv", self.folder / f"{name}-out"
        path.write_text(rows if isinstance(rows, str) else to_csv(rows), encoding="utf-8")
        if meta is not None:
            (self.folder / f"{name}.meta.json").write_text(json.dumps({"evidence": meta}), encoding="utf-8")
        done = program.run("calibrate", "--no-date", "-o", out, *options, path)
        return done, {file.name: file.read_text(encoding="utf-8") for file in sorted(out.glob("*"))}

    def files(self, rows, *options, **more):
        done, files = self.calibrate(rows, *options, **more)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return files

    def refused(self, rows, *options, code=65, **more):
        done, files = self.calibrate(rows, *options, **more)
        self.assertEqual((done.returncode, done.stdout), (code, ""))
        self.assertEqual(files, {})
        return done.stderr


def values(rows, detector="alpha"):
    rows = [row for row in rows if row[f"state.{detector}"] == "present"]
    return (numpy.array([float(row[f"raw.{detector}"]) for row in rows]),
            numpy.array([row["label"] == "live" for row in rows], float), rows)


def weights_of(rows):
    """Both classes alike; a source of n rows of a class weighs sqrt(n)."""
    counts = {}
    for row in rows:
        key = row["label"], row["source"]
        counts[key] = counts.get(key, 0) + 1
    weight = numpy.array([counts[row["label"], row["source"]] ** -0.5 for row in rows])
    live = numpy.array([row["label"] == "live" for row in rows])
    for side in (True, False):
        weight[live == side] *= len(rows) / 2 / weight[live == side].sum()
    return weight


@unittest.skipIf(sklearn is None, "python3-sklearn is not installed")
class Numbers(WithTable):
    def test_platt(self):
        rows = make_rows()
        x, y, kept = values(rows)
        w = weights_of(kept)
        persons = len({(row["label"], row["person_id"]) for row in kept})
        spread = numpy.sqrt(numpy.average((x - numpy.average(x, weights=w)) ** 2, weights=w))

        def loss(ab):
            z = ab[0] * x + ab[1]
            prior = (ab[0] * spread) ** 2 / 2 / 2 * len(x) / persons
            return (w * (numpy.logaddexp(0, z) - y * z)).sum() + prior
        best = scipy.optimize.minimize(loss, (0, 0), method="BFGS", options={"gtol": 1e-9})
        told = read_map(self.files(rows, "-m", "platt", "-d", "alpha")["alpha.yaml"])
        self.assertAlmostEqual(told["slope"], best.x[0], places=5)
        self.assertAlmostEqual(told["intercept"], best.x[1], places=5)

    def test_isotonic(self):
        for seed in range(3):
            rows = [{**row, "raw.alpha": f"{round(float(row['raw.alpha']), 1)}"} for row in make_rows(500, seed)]
            knots = read_map(self.files(rows, "-m", "isotonic", "-d", "alpha")["alpha.yaml"])
            expected = self.isotonic_knots(rows)
            self.assertEqual(len(knots), len(expected))
            self.assertLess(numpy.abs(numpy.array(knots) - numpy.array(expected)).max(), 1e-6)

    def isotonic_knots(self, rows):
        x, y, kept = values(rows)
        w = weights_of(kept)
        level = sklearn.isotonic.IsotonicRegression().fit(x, y, sample_weight=w).predict(x)
        blocks = []  # [level, rows, weight of attacks, of live, weight x raw]
        for value in sorted(set(level.round(12))):
            of = level.round(12) == value
            blocks.append([of.sum(), w[of & (y == 0)].sum(), w[of & (y == 1)].sum(), (w * x)[of].sum()])

        def share(block):
            return (block[2] + 1) / (block[1] + block[2] + 2)
        while len(blocks) > 1 and min(block[0] for block in blocks) < max(10, len(x) / 30):
            at = min(range(len(blocks)), key=lambda i: blocks[i][0])
            near = [i for i in (at - 1, at + 1) if 0 <= i < len(blocks)]
            into = min(near, key=lambda i: abs(share(blocks[i]) - share(blocks[at])))
            low = min(at, into)
            blocks[low:low + 2] = [[a + b for a, b in zip(blocks[low], blocks[low + 1])]]
        shares = numpy.array([share(block) for block in blocks])
        level = sklearn.isotonic.IsotonicRegression().fit_transform(
            range(len(blocks)), shares, sample_weight=[block[1] + block[2] for block in blocks]).round(12)
        pools = [numpy.sum([block for block, at in zip(blocks, level) if at == value], axis=0)
                 for value in sorted(set(level))]
        shares = numpy.maximum.accumulate([share(pool) for pool in pools])
        return [(pool[3] / (pool[1] + pool[2]), math.log(p / (1 - p))) for pool, p in zip(pools, shares)]

    def test_baselines(self):
        rows = make_rows()
        x, _, kept = values(rows)
        w = weights_of(kept)
        mean = (w * x).sum() / w.sum()
        deviation = math.sqrt((w * (x - mean) ** 2).sum() / w.sum())
        told = read_map(self.files(rows, "-m", "z-score", "-d", "alpha")["alpha.yaml"])
        self.assertAlmostEqual(told["slope"], 1 / deviation, places=7)
        self.assertAlmostEqual(told["intercept"], -mean / deviation, places=7)
        for raw, llr in read_map(self.files(rows, "-m", "min-max", "-d", "alpha")["alpha.yaml"]):
            share = (raw - x.min()) / (x.max() - x.min())
            self.assertAlmostEqual(llr, math.log(share / (1 - share)), places=6)

    def test_figures_are_those_of_the_values_held_out(self):
        rows = make_rows()
        out = self.folder / "held-out.csv"
        files = self.files(rows, "-d", "alpha", "--out-of-fold", out)
        with open(out, newline="", encoding="utf-8") as table:
            held = list(csv.DictReader(table))
        self.assertEqual([row["sample_id"] for row in held], [row["sample_id"] for row in rows])
        live = numpy.array([row["label"] == "live" for row in held])
        probability = 1 / (1 + numpy.exp(-numpy.array([float(row["llr.alpha"]) for row in held])))
        weight = numpy.where(live, 1 / live.sum(), 1 / (~live).sum())
        told = json.loads(files["calibration.json"])["detectors"][0]["after"]["figures"]
        log_loss = sklearn.metrics.log_loss(live, probability, sample_weight=weight)
        self.assertAlmostEqual(told["log_loss"], log_loss, places=7)
        self.assertAlmostEqual(told["cllr"], log_loss / math.log(2), places=7)
        self.assertAlmostEqual(told["brier"], sklearn.metrics.brier_score_loss(live, probability,
                                                                               sample_weight=weight), places=7)

    def test_the_interval_of_a_difference_holds_what_is_true(self):
        """Two equal calibrations differ by nothing, and a useless one before is beaten by more than chance."""
        rows = make_rows(900)
        told = json.loads(self.files(rows, "-d", "alpha")["calibration.json"])["detectors"][0]
        low, high = told["before"]["log_loss"]["by_person"]
        self.assertLess(low, told["before"]["log_loss"]["value"])
        self.assertLess(told["before"]["log_loss"]["value"], high)
        self.assertLess(high, 0)


class Properties(WithTable):
    def test_every_curve_rises_and_reorders_nothing(self):
        rows = make_rows(400, 3)
        for method in ("platt", "bands", "isotonic", "min-max", "z-score"):
            for name, text in self.files(rows, "-m", method).items():
                if not name.endswith(".yaml"):
                    continue
                told = read_map(text)
                if isinstance(told, dict):
                    self.assertGreater(told["slope"], 0)
                    continue
                self.assertGreaterEqual(len(told), 2)
                for (raw, llr), (next_raw, next_llr) in zip(told, told[1:]):
                    self.assertLess(raw, next_raw)
                    self.assertLessEqual(llr, next_llr)

    def test_the_order_of_rows_and_columns_changes_nothing(self):
        rows = make_rows()
        expected = self.files(rows, "--by", "channel", name="scores")
        random.Random(5).shuffle(rows)
        columns = list(rows[0])
        random.Random(6).shuffle(columns)
        (self.folder / "other").mkdir()
        files = self.files([{column: row[column] for column in columns} for row in rows], "--by", "channel",
                           name="other/scores")
        self.assertEqual(files, expected)

    def test_a_detector_that_is_not_there_changes_nothing(self):
        rows = make_rows()
        expected = self.files(rows)
        absent = [{**row, "raw.gamma": "", "llr.gamma": "", "state.gamma": "absent"} for row in rows]
        self.assertEqual(self.files(absent), expected)

    def test_nobody_is_judged_by_a_fit_that_saw_them(self):
        """The values of a person's rows do not depend on the raw value of another row of the same person."""
        rows = make_rows()
        mine = [row for row in rows if row["person_id"] == "p4"]

        def held_out():
            out = self.folder / "held-out.csv"
            self.files(rows, "-d", "alpha", "-m", "platt", "--out-of-fold", out)
            with open(out, newline="", encoding="utf-8") as table:
                return {row["sample_id"]: row["llr.alpha"] for row in csv.DictReader(table)}
        before = held_out()
        mine[0]["raw.alpha"] = "-9.5"
        after = held_out()
        for row in mine[1:]:
            self.assertEqual(before[row["sample_id"]], after[row["sample_id"]])
        self.assertNotEqual(before, after)

    def test_claims_are_what_counts_support_and_only_lowered(self):
        rows = make_rows()
        told = json.loads(self.files(rows, "-d", "alpha")["calibration.json"])["detectors"][0]
        self.assertAlmostEqual(told["llr"]["max"], math.log(told["rows"]["attack"] + 2), places=7)
        self.assertAlmostEqual(told["llr"]["min"], -math.log(told["rows"]["live"] + 2), places=7)
        same = json.loads(self.files(rows, "-d", "alpha", "--llr-max", 20)["calibration.json"])["detectors"][0]
        self.assertEqual(same["llr"], told["llr"])
        text = self.files(rows, "-d", "alpha", "--llr-max", "0.1", "--llr-min", "-1")["alpha.yaml"]
        self.assertIn("llr:\n  min: -1\n  max: 0.1\n", text)


class Choices(WithTable):
    def test_what_only_speaks_against_stays_so(self):
        rows = [{**row, "llr.alpha": f"{min(0.1, float(row['llr.alpha'])):.4f}"} for row in make_rows()]
        told = json.loads(self.files(rows, "-d", "alpha")["calibration.json"])["detectors"][0]
        self.assertEqual(told["llr"]["max"], 0.1)
        self.assertTrue(any("never speaks for bona fide by more than 0.10" in text for text in told["warnings"]))
        told = json.loads(self.files(rows, "-d", "alpha", "--llr-max", 2)["calibration.json"])["detectors"][0]
        self.assertEqual(told["llr"]["max"], 2)

    def test_splits(self):
        rows = make_rows()
        for i, row in enumerate(rows):
            row["split"] = ("train", "validation", "test")[int(row["person_id"][1:]) // 2 % 3]
        told = json.loads(self.files(rows)["calibration.json"])["input"]
        self.assertEqual(told["split"], "train")
        self.assertEqual(told["rows"], sum(row["split"] == "train" for row in rows))
        told = json.loads(self.files(rows, "-s", "validation")["calibration.json"])["input"]
        self.assertEqual(told["rows"], sum(row["split"] == "validation" for row in rows))
        out = self.folder / "held-out.csv"
        self.files(rows, "--out-of-fold", out)
        with open(out, newline="", encoding="utf-8") as table:
            self.assertEqual({row["split"] for row in csv.DictReader(table)}, {"train"})

    def test_the_simplest_wins_unless_it_is_worse(self):
        rows = make_rows(900)
        told = json.loads(self.files(rows, "-d", "alpha")["calibration.json"])["detectors"][0]
        self.assertEqual(told["method"], "platt")
        for row in rows:  # most attacks are so far out that a line through all says little where it matters
            chance = random.Random(row["sample_id"])
            centre = 30 if row["label"] == "live" else chance.choice((0, 29, -3000))
            row["raw.alpha"] = f"{chance.gauss(centre, 1):.4f}"
        told = json.loads(self.files(rows, "-d", "alpha")["calibration.json"])["detectors"][0]
        self.assertNotEqual(told["method"], "platt")
        self.assertTrue(told["methods"][0]["significantly_worse"])

    def test_channels(self):
        rows = make_rows(2000, 2, 200)
        for row in rows:
            if row["channel"] == "kiosk":
                row["raw.alpha"] = f"{float(row['raw.alpha']) - 2:.6f}"
        files = self.files(rows, "-d", "alpha", "-m", "platt", "--by", "channel")
        told = json.loads(files["calibration.json"])["detectors"][0]
        shares = {name: channel["share"] for name, channel in told["channels"].items()}
        self.assertEqual(set(shares), {"kiosk", "ios_app"})
        for share in shares.values():
            self.assertTrue(0.3 < share < 0.9)
        self.assertLess(told["methods"][-1]["over_best"]["by_person"][1], 0)
        head, channels = files["alpha.yaml"].split("by_channel:\n")
        self.assertEqual(re.findall(r"^  (\w+):$", channels, re.MULTILINE), ["ios_app", "kiosk"])
        ios, kiosk = (float(value) for value in re.findall(r"intercept: (\S+)", channels))
        self.assertLess(ios, kiosk)

    def test_species_left_out(self):
        rows = make_rows()
        told = json.loads(self.files(rows, "-b", "print")["calibration.json"])
        self.assertEqual(told["input"]["species_left_out"], ["print"])
        self.assertEqual(told["detectors"][0]["rows"]["attack"], sum(row["attack_type"] == "replay" for row in rows))
        self.assertIn("no attack species 'mask'", self.refused(rows, "-b", "mask", name="mask"))

    def test_what_the_file_is_bound_to(self):
        files = self.files(make_rows())
        self.assertIn('version: "1.3.0"\n', files["alpha.yaml"])
        self.assertIn(f'  detector_version: "3.0"\n  model_sha256: "{"ab" * 32}"\n', files["alpha.yaml"])
        self.assertIn('version: "1.0.0"\n', files["beta.own.yaml"])
        self.assertIn('  detector_version: "1.0.0+x"\n', files["beta.own.yaml"])
        self.assertNotIn("model_sha256", files["beta.own.yaml"])
        text = self.files(make_rows(), "--release", 9, "--title", 'our "own" \\ photos\n')["alpha.yaml"]
        self.assertIn('version: "9"\n', text)
        self.assertIn('  dataset: "our ?own? ? photos?"\n', text)

    def test_without_a_document_the_installed_release_is_asked(self):
        rows = [{key.replace("beta.own", "passive.context"): value for key, value in row.items()}
                for row in make_rows()]
        text = self.files(rows, "-d", "passive.context", "--data", program.SOURCE, meta=None)["passive.context.yaml"]
        shipped = (program.SOURCE / "calibration/passive.context.yaml").read_text(encoding="utf-8")
        self.assertEqual(re.search('detector_version: "(.*)"', text)[1],
                         re.search('detector_version: "(.*)"', shipped)[1])
        self.assertIn("which version of alpha", self.refused(rows, "-d", "alpha", meta=None, name="unknown"))

    def test_detectors_with_too_little_are_left_out(self):
        rows = make_rows()
        for i, row in enumerate(row for row in rows if row["label"] == "spoof"):
            if i > 5:
                row.update({"raw.beta.own": "", "state.beta.own": "absent"})
        files = self.files(rows)
        self.assertNotIn("beta.own.yaml", files)
        told = json.loads(files["calibration.json"])
        self.assertEqual([skipped["detector"] for skipped in told["skipped"]], ["beta.own"])
        self.assertIn("At least 10 of each", self.refused(rows, "-d", "beta.own", name="asked"))


class BadTables(WithTable):
    def test_each_is_named_with_a_remedy(self):
        rows = make_rows(80)
        cases = (
            (rows, ("-s", "test"), "Nothing is fitted on a split called 'test'"),
            ([{**row, "split": "test"} for row in rows], (), "no row that counts in the split train"),
            ([row for row in rows if row["label"] == "live"], (), "bona fide presentations only"),
            ([{**row, "person_id": "p1"} for row in rows], (), "one person only"),
            ([{**row, "person_id": "p1" if row["label"] == "live" else "p2"} for row in rows], (), "one person has"),
            (rows + [rows[0]], (), "row 82: The sample_id 's0' stands in an earlier row"),
            ([{**rows[0], "raw.alpha": "nan"}] + rows[1:], (), "row 2: raw.alpha is 'nan'"),
            ([{**rows[0], "label": "maybe"}] + rows[1:], (), "row 2: label is 'maybe'"),
            ([{**rows[0], "stack": "xyz"}] + rows[1:], (), "row 3: This row was scored by stack 'abc'"),
            (rows, ("-d", "gamma"), "no raw value of 'gamma'"),
            ([{**row, "raw.alpha": f"{1e9 + float(row['raw.alpha'])}"} for row in rows], ("-d", "alpha"),
             "a scale that no calibration file can hold"),
            ("", (), "is empty"),
        )
        for i, (table, options, message) in enumerate(cases):
            with self.subTest(message):
                told = self.refused(table, *options, name=f"bad{i}")
                self.assertIn(message, told)

    def test_a_detector_whose_name_is_a_path_is_never_written(self):
        rows = [{key.replace("alpha", "../up"): value for key, value in row.items()} for row in make_rows(200)]
        self.assertIn("'../up' is no name", self.refused(rows, meta={"../up": EVIDENCE["alpha"]}, name="up"))
        self.assertEqual(list(self.folder.glob("**/up.yaml")), [])

    def test_a_document_of_another_table_is_refused(self):
        path = self.folder / "mixed.meta.json"
        path.write_text(json.dumps({"evidence": EVIDENCE, "stack": "xyz"}), encoding="utf-8")
        self.assertIn("is of stack 'xyz', the table of 'abc'", self.refused(make_rows(200), meta=None, name="mixed"))

    def test_usage(self):
        for options, message in ((("--json", "--out-of-fold", "x.csv"), "--json writes no files"),
                                 (("--by", "platform"), "--by must be channel"), (("-m", "best"), "--method must be"),
                                 (("--folds", "1"), "--folds must be"), (("--llr-max", "-1"), "--llr-max must be"),
                                 (("--llr-min", "0"), "--llr-min must be"),
                                 (("--release", "1 2"), "--release must be")):
            self.assertIn(message, self.refused(make_rows(50), *options, code=64, name="usage"))

    def test_a_file_that_cannot_be_written_is_named(self):
        done, _ = self.calibrate(make_rows(200), "--out-of-fold", self.folder / "no/such/file.csv", name="writing")
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("Cannot write", done.stderr)
        self.assertEqual([path.name for path in self.folder.glob("writing-out/*")], [])


class Reports(WithTable):
    @unittest.skipIf(jsonschema is None, "python3-jsonschema is not installed")
    def test_the_json_is_what_the_schema_says(self):
        schema = json.loads((program.SOURCE / "api/calibration_report.schema.json").read_text(encoding="utf-8"))
        jsonschema.Draft202012Validator.check_schema(schema)
        rows = make_rows(200)
        for row in rows:
            row["raw.gamma"] = "1" if row["label"] == "live" else ""
        for options in ((), ("--by", "channel"), ("-b", "print", "-m", "bands")):
            jsonschema.validate(json.loads(self.files(rows, *options)["calibration.json"]), schema)

    def test_the_page_is_whole_and_every_term_is_defined(self):
        rows = [{**row, "attack_type": row["attack_type"] and "<b>&print"} for row in make_rows(300)]
        rows += [{**row, "sample_id": f"x{i}", "attack_type": "other"} for i, row in enumerate(rows)
                 if row["label"] == "spoof"]
        page = self.files(rows, "--by", "channel", "-b", "<b>&print")["calibration.html"]
        self.assertIn("&lt;b&gt;&amp;print", page)
        self.assertNotIn("<b>&print", page)
        targets, links, opened = set(), set(), []

        class Reader(html.parser.HTMLParser):
            def handle_starttag(self, tag, attributes):
                given = dict(attributes)
                targets.add(given.get("id"))
                links.add(given.get("href", ""))
                if tag != "meta":
                    opened.append(tag)

            def handle_endtag(self, tag):
                assert opened.pop() == tag, tag
        Reader().feed(page)
        self.assertEqual(opened, [])
        for link in links - {""}:
            self.assertTrue(link.startswith("#"), link)
            self.assertIn(link[1:], targets)

    def test_json_writes_nothing(self):
        path = self.folder / "scores.csv"
        path.write_text(to_csv(make_rows(200)), encoding="utf-8")
        (self.folder / "scores.meta.json").write_text(json.dumps({"evidence": EVIDENCE}), encoding="utf-8")
        done = program.run("calibrate", "--json", "--no-date", path, cwd=self.folder)
        self.assertEqual(len(json.loads(done.stdout)["detectors"]), 2)
        self.assertEqual(sorted(file.name for file in self.folder.iterdir()), ["scores.csv", "scores.meta.json"])


tap.main()
