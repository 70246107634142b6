"""bonafide eval: its figures against independent implementations, what must not matter, bad tables, and the reports."""
import json
import math
import pathlib
import random
import re
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
import program  # noqa: E402
from page import Page  # noqa: E402
from scores_table import to_csv  # noqa: E402
import tap  # noqa: E402

try:
    import numpy
    import scipy.stats
    import sklearn.metrics
except ImportError:
    sklearn = None
try:
    import jsonschema
except ImportError:
    jsonschema = None

COLUMNS = ("sample_id", "label", "attack_type", "person_id", "device_class", "channel", "lighting_bucket",
           "review_status", "split", "status", "decision", "score", "live_probability", "match_outcome",
           "face_iod_px", "ms.detect", "ms.total", "stack", "flow")


def make_rows(count, seed=1, grid=None):
    """Rows of a made-up table. With `grid`, scores are rounded to it, so that many are equal."""
    chance = random.Random(seed)
    rows = []
    for i in range(count):
        live = chance.random() < 0.5
        species = "" if live else chance.choice(("print", "replay", "mask"))
        logit = chance.gauss(2 if live else -2 + (species == "replay"), 1.5)
        probability = 1 / (1 + math.exp(-logit))
        score = 100 * probability if grid is None else grid * round(100 * probability / grid)
        judged = chance.random() > 0.07
        rows.append({
            "sample_id": f"s{i}", "label": "live" if live else "spoof", "attack_type": species,
            "person_id": f"p{chance.randrange(30)}", "device_class": chance.choice(("low", "high")),
            "channel": chance.choice(("kiosk", "ios_app")), "lighting_bucket": chance.choice(("dark", "bright")),
            "review_status": "uncertain" if chance.random() < 0.03 else "confirmed",
            "split": chance.choice(("train", "test")),
            "status": "ok" if judged else chance.choice(("could_not_judge", "error")),
            "decision": "approve" if judged and score >= 80 else chance.choice(("retry", "reject")),
            "score": f"{score:.4f}" if judged else "", "live_probability": f"{probability:.6f}" if judged else "",
            "match_outcome": chance.choice(("strong", "none")) if judged else "not_judged",
            "face_iod_px": f"{chance.uniform(40, 120):.1f}", "ms.detect": f"{chance.uniform(5, 9):.3f}",
            "ms.total": f"{chance.uniform(20, 30):.3f}", "stack": "abc", "flow": "account_opening"})
    return rows


class WithTable(unittest.TestCase):
    def setUp(self):
        self.folder = program.scratch()

    def table(self, rows, columns=None):
        path = self.folder / "scores.csv"
        path.write_text(rows if isinstance(rows, str) else to_csv(rows, columns), encoding="utf-8")
        return path

    def printed(self, rows, *options, columns=None):
        """What eval --json prints."""
        done = program.run("eval", "--json", "--no-date", *options, self.table(rows, columns))
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return done.stdout

    def report(self, rows, *options):
        return json.loads(self.printed(rows, *options))


def counted(rows, label, species=None):
    return [row for row in rows if row["review_status"] == "confirmed" and row["label"] == label
            and species in (None, row["attack_type"])]


def scores(rows):
    return [float(row["score"]) for row in rows if row["status"] == "ok"]


class Figures(WithTable):
    """Against plain definitions, on tables with and without equal scores."""

    def check(self, rows, threshold):
        report = self.report(rows, "--threshold", threshold)
        live = scores(counted(rows, "live"))
        attacks = {name: scores(counted(rows, "spoof", name)) for name in ("mask", "print", "replay")}
        apcer = {name: sum(s >= threshold for s in values) / len(values) for name, values in attacks.items()}
        for species in report["species"]:
            self.assertAlmostEqual(species["apcer"]["value"], apcer[species["species"]], places=8)
            everyone = counted(rows, "spoof", species["species"])
            self.assertEqual(species["apnrr"]["count"], sum(row["status"] != "ok" for row in everyone))
            self.assertEqual(species["apnrr"]["total"], len(everyone))
        self.assertAlmostEqual(report["headline"]["max_apcer"]["value"], max(apcer.values()), places=8)
        bpcer = sum(s < threshold for s in live) / len(live)
        self.assertAlmostEqual(report["headline"]["bpcer"]["value"], bpcer, places=8)
        self.assertAlmostEqual(report["headline"]["acer"]["value"], (max(apcer.values()) + bpcer) / 2, places=8)
        self.check_curve(report["curve"], live, attacks)

    def check_curve(self, curve, live, attacks):
        pooled = sum(attacks.values(), [])
        wins = sum((a > b) + (a == b) / 2 for a in live for b in pooled)
        self.assertAlmostEqual(curve["auc"]["value"], wins / (len(live) * len(pooled)), places=8)
        points = [(sum(s < t for s in live) / len(live),
                   max(sum(s >= t for s in values) / len(values) for values in attacks.values()), t)
                  for t in sorted(set(live + pooled))]
        for name, target in (("bpcer10", 0.1), ("bpcer20", 0.05), ("bpcer100", 0.01)):
            allowed = [(rate, t) for rate, worst, t in points if worst <= target]
            rate, threshold = min(allowed) if allowed else (1, None)
            self.assertAlmostEqual(curve[name]["value"], rate, places=8, msg=name)
            self.assertEqual(curve[name]["threshold"] is None, threshold is None)
        convenient = [(worst, t) for rate, worst, t in points if rate <= 0.01]
        self.assertAlmostEqual(curve["apcer_at_bpcer_1_percent"]["value"], min(convenient)[0], places=8)

    def test_of_a_table_without_equal_scores(self):
        self.check(make_rows(700), 80)

    def test_of_tables_with_many_equal_scores(self):
        for seed in range(3):
            self.check(make_rows(400, seed, 5), 65)

    def test_of_scores_at_both_ends(self):
        rows = make_rows(300, 4, 50)
        self.check(rows, 0)
        self.check(rows, 100)

    def test_iapar_counts_what_both_accept(self):
        rows = make_rows(600)
        report = self.report(rows, "--threshold", "50")
        for species in report["species"]:
            everyone = counted(rows, "spoof", species["species"])
            both = sum(row["status"] == "ok" and float(row["score"]) >= 50 and row["match_outcome"] == "strong"
                       for row in everyone)
            self.assertEqual((species["iapar"]["count"], species["iapar"]["total"]), (both, len(everyone)))
            self.assertAlmostEqual(species["riapar"], 1 + (species["iapar"]["value"] - (
                1 - report["bona_fide"]["frr"]["value"])), places=8)

    def test_segments_split_what_the_headline_sums_up(self):
        rows = make_rows(900)
        report = self.report(rows)
        cells = report["segments"]["device_class"]
        self.assertEqual({cell["value"] for cell in cells}, {"low", "high"})
        self.assertEqual(sum(cell["bpcer"]["count"] for cell in cells), report["headline"]["bpcer"]["count"])
        low = [cell for cell in cells if cell["value"] == "low"][0]
        mine = [row for row in rows if row["device_class"] == "low"]
        self.assertEqual(low["bpcer"]["total"], len(scores(counted(mine, "live"))))
        worst = max(sum(s >= 80 for s in part) / len(part) for part in
                    (scores(counted(mine, "spoof", name)) for name in ("mask", "print", "replay")))
        self.assertAlmostEqual(low["apcer"]["value"], worst, places=8)
        surely = [max(cell["bpcer"]["low"], cell["apcer"]["low"]) for cell in cells]
        self.assertEqual(surely, sorted(surely, reverse=True))

    def test_without_errors_there_is_no_interval_by_person(self):
        report = self.report(make_rows(300), "--threshold", "0")
        self.assertEqual((report["headline"]["bpcer"]["count"], report["headline"]["bpcer"]["by_person"]), (0, None))
        self.assertEqual([species["apcer"]["by_person"] for species in report["species"]], [None] * 3)

    def test_percentiles_are_by_nearest_rank(self):
        rows = make_rows(500)
        times = sorted(float(row["ms.detect"]) for row in rows if row["review_status"] == "confirmed")
        latency = self.report(rows)["latency_ms"]["detect"]
        for name, share in (("p50", 0.5), ("p90", 0.9), ("p99", 0.99)):
            self.assertAlmostEqual(latency[name], times[math.ceil(share * len(times)) - 1], places=6)
        self.assertAlmostEqual(latency["max"], times[-1], places=6)


@unittest.skipIf(sklearn is None, "python3-sklearn is not installed")
class Independent(WithTable):
    """Against scikit-learn and SciPy."""

    def setUp(self):
        super().setUp()
        self.rows = make_rows(1500, 11)
        self.told = self.report(self.rows)
        judged = [row for row in self.rows if row["review_status"] == "confirmed" and row["status"] == "ok"]
        self.truth = numpy.array([row["label"] == "live" for row in judged])
        self.scores = numpy.array([float(row["score"]) for row in judged])
        self.probabilities = numpy.array([float(row["live_probability"]) for row in judged])

    def test_auc(self):
        self.assertAlmostEqual(self.told["curve"]["auc"]["value"],
                               sklearn.metrics.roc_auc_score(self.truth, self.scores), places=8)

    def test_eer(self):
        import scipy.optimize
        accepted, kept, _ = sklearn.metrics.roc_curve(self.truth, self.scores, drop_intermediate=False)
        eer = scipy.optimize.brentq(lambda x: 1 - x - numpy.interp(x, accepted, kept), 0, 1, xtol=1e-14)
        self.assertAlmostEqual(self.told["curve"]["eer"]["value"], eer, places=8)

    def test_brier_score_and_log_loss(self):
        error = self.told["calibration"]["as_is"]
        brier = sklearn.metrics.brier_score_loss(self.truth, self.probabilities)
        self.assertAlmostEqual(error["brier"], brier, places=8)
        self.assertAlmostEqual(error["log_loss"], sklearn.metrics.log_loss(self.truth, self.probabilities), places=8)
        weight = numpy.where(self.truth, 1 / self.truth.sum(), 1 / (~self.truth).sum())
        self.assertAlmostEqual(self.told["calibration"]["balanced"]["log_loss"], sklearn.metrics.log_loss(
            self.truth, self.probabilities, sample_weight=weight), places=8)

    def test_clopper_pearson(self):
        rates = [species["apcer"] for species in self.told["species"]] + [
            self.told["headline"]["bpcer"], self.told["bona_fide"]["bpnrr"]] + [
            cell["bpcer"] for cells in self.told["segments"].values() for cell in cells]
        for rate in rates:
            k, n = rate["count"], rate["total"]
            self.assertAlmostEqual(rate["low"], scipy.stats.beta.ppf(0.025, k, n - k + 1) if k else 0, places=8)
            self.assertAlmostEqual(rate["high"], scipy.stats.beta.ppf(0.975, k + 1, n - k) if k < n else 1, places=8)

    def test_bootstrap_by_person(self):
        chance = numpy.random.default_rng(3)
        live = [row for row in counted(self.rows, "live") if row["status"] == "ok"]
        persons = sorted({row["person_id"] for row in self.rows
                          if row["review_status"] == "confirmed" and row["status"] == "ok"})
        shape = numpy.array([[sum(row["person_id"] == p for row in live),
                              sum(row["person_id"] == p and float(row["score"]) < 80 for row in live)]
                             for p in persons])
        drawn = shape[chance.integers(0, len(persons), (4000, len(persons)))].sum(axis=1)
        low, high = numpy.percentile(drawn[:, 1] / drawn[:, 0], (2.5, 97.5))
        told = self.told["headline"]["bpcer"]["by_person"]
        self.assertAlmostEqual(told[0], low, delta=0.01)
        self.assertAlmostEqual(told[1], high, delta=0.01)


class Detectors(WithTable):
    """Each detector alone, against plain definitions."""

    def setUp(self):
        super().setUp()
        chance = random.Random(8)
        self.rows = make_rows(500)
        for row in self.rows:
            llr = round(chance.gauss(1 if row["label"] == "live" else -1, 1), 1)
            state = chance.choice(("present", "present", "present", "failed"))
            row.update({"raw.b": f"{llr / 10 + 0.5:.2f}", "llr.b": f"{llr:.1f}", "state.b": state, "raw.a": "0.25",
                        "state.a": "present", "ms.b": f"{chance.uniform(1, 3):.3f}"})
        self.told = {(one["detector"], one["value"]): one for one in self.report(self.rows)["detectors"]}
        self.heard = [row for row in self.rows if row["review_status"] == "confirmed" and row["status"] == "ok"]
        self.said = [row for row in self.heard if row["state.b"] == "present"]

    def test_which_there_are_and_how_often(self):
        self.assertEqual(list(self.told), [("a", "raw"), ("b", "raw"), ("b", "llr")])
        present = self.told["b", "llr"]["present"]
        self.assertEqual((present["count"], present["total"]), (len(self.said), len(self.heard)))
        self.assertAlmostEqual(self.told["a", "raw"]["auc"], 0.5)
        self.assertIsNone(self.told["b", "raw"]["cllr"])
        times = [float(row["ms.b"]) for row in self.rows if row["review_status"] == "confirmed"]
        self.assertAlmostEqual(self.told["b", "raw"]["ms_mean"], sum(times) / len(times), places=3)
        self.assertIsNone(self.told["a", "raw"]["ms_mean"])

    def test_figures(self):
        live = [float(row["llr.b"]) for row in self.said if row["label"] == "live"]
        attacks = {name: [float(row["llr.b"]) for row in self.said if row["attack_type"] == name]
                   for name in ("mask", "print", "replay")}
        pooled, told = sum(attacks.values(), []), self.told["b", "llr"]
        wins = sum((a > b) + (a == b) / 2 for a in live for b in pooled)
        self.assertAlmostEqual(told["auc"], wins / len(live) / len(pooled), places=8)
        self.assertAlmostEqual(self.told["b", "raw"]["auc"], told["auc"], places=8)
        cllr = (sum(math.log2(1 + math.exp(-x)) for x in live) / len(live)
                + sum(math.log2(1 + math.exp(x)) for x in pooled) / len(pooled)) / 2
        self.assertAlmostEqual(told["cllr"], cllr, places=6)
        at = max(t for t in live + pooled if sum(x < t for x in live) / len(live) <= 0.05)
        self.assertAlmostEqual(told["at_bpcer_5_percent"]["threshold"], at, places=5)
        for species in told["at_bpcer_5_percent"]["species"]:
            scores = attacks[species["species"]]
            self.assertEqual(species["apcer"]["count"], sum(x >= at - 1e-6 for x in scores))
            self.assertEqual(species["apcer"]["total"], len(scores))
        points = [(sum(x < t for x in live) / len(live), t) for t in sorted(set(live + pooled))
                  if max(sum(x >= t for x in scores) / len(scores) for scores in attacks.values()) <= 0.1]
        self.assertAlmostEqual(told["bpcer10"]["value"], min(points)[0], places=8)

    def test_a_value_that_is_none_is_refused(self):
        self.rows[7]["llr.b"] = "x"
        self.rows[7].update({"state.b": "present", "review_status": "confirmed"})
        done = program.run("eval", "--json", self.table(self.rows))
        self.assertEqual(done.returncode, 65)
        self.assertIn("row 9: llr.b is 'x'.", done.stderr)


class Invariance(WithTable):
    def test_the_order_of_rows_does_not_matter(self):
        rows = make_rows(800, 5, 0.5)
        shuffled = rows[:]
        random.Random(2).shuffle(shuffled)
        self.assertEqual(self.printed(rows), self.printed(shuffled))

    def test_the_order_of_columns_and_columns_of_detectors_do_not_matter(self):
        rows = make_rows(300)
        told = self.printed(rows)
        columns = list(rows[0])
        random.Random(3).shuffle(columns)
        columns.remove("ms.total")  # stages are told in the order of their columns
        columns.append("ms.total")
        self.assertEqual(self.printed(rows, columns=columns), told)
        more = [{**row, "raw.none": "", "llr.none": "", "state.none": "absent", "note": "x"} for row in rows]
        report, silent = json.loads(told), self.report(more)
        self.assertEqual([(one["detector"], one["value"], one["present"]["count"], one["auc"])
                          for one in silent.pop("detectors")], [("none", "raw", 0, None), ("none", "llr", 0, None)])
        self.assertEqual(report.pop("detectors"), [])
        self.assertEqual(silent, report)

    def test_rows_that_are_not_confirmed_do_not_matter(self):
        rows = [row for row in make_rows(300) if row["review_status"] == "confirmed"]
        before = self.report(rows)
        more = rows + [{**rows[0], "sample_id": f"u{i}", "review_status": state, "score": "1"}
                       for i, state in enumerate(("uncertain", "disputed", "excluded"))]
        after = self.report(more)
        self.assertEqual(after["input"]["set_aside"], {"uncertain": 1, "disputed": 1, "excluded": 1})
        for part in ("headline", "species", "bona_fide", "curve", "segments"):
            self.assertEqual(before[part], after[part])

    def test_a_split_is_what_its_rows_say(self):
        rows = make_rows(600)
        test = [row for row in rows if row["split"] == "test"]
        self.assertEqual(self.report(rows, "--split", "test")["headline"], self.report(test)["headline"])

    def test_a_species_beside_the_headline_leaves_it(self):
        rows = make_rows(600)
        report = self.report(rows, "--beside", "replay")
        self.assertEqual(report["curve"]["auc"],
                         self.report([row for row in rows if row["attack_type"] != "replay"])["curve"]["auc"])
        self.assertEqual([s["in_headline"] for s in report["species"]], [True, True, False])
        self.assertIn("left out of the headline", json.dumps(report["warnings"]))


class BadTables(WithTable):
    GOOD = make_rows(40, 9)

    def refuse(self, rows, *said, options=(), columns=None):
        out = self.folder / "out"
        done = program.run("eval", "--output", out, *options, self.table(rows, columns))
        self.assertEqual((done.returncode, done.stdout), (65, ""), done.stderr)
        for text in said:
            self.assertIn(text, done.stderr)
        self.assertFalse(out.exists())

    def changed(self, **values):
        rows = [dict(row) for row in self.GOOD]
        rows[7].update(values)
        return rows

    def test_each_bad_value_is_named_with_row_and_remedy(self):
        for values, said in (({"label": "real"}, "label is 'real'"), ({"status": "fine", }, "status is 'fine'"),
                             ({"status": "ok", "score": "nan"}, "score is 'nan'"),
                             ({"status": "ok", "score": "101"}, "score is '101'"),
                             ({"status": "ok", "score": ""}, "there is no score"),
                             ({"live_probability": "1.5"}, "live_probability is '1.5'"),
                             ({"decision": "maybe"}, "decision is 'maybe'"), ({"ms.total": "-1"}, "total is '-1'"),
                             ({"match_outcome": "yes"}, "match_outcome is 'yes'"),
                             ({"review_status": "ok"}, "review_status is 'ok'"),
                             ({"face_iod_px": "inf"}, "face_iod_px is 'inf'"),
                             ({"sample_id": ""}, "sample_id is empty"),
                             ({"sample_id": "s3"}, "'s3' stands in an earlier row"),
                             ({"stack": "def"}, "scored by stack 'def'")):
            with self.subTest(values=values):
                self.refuse(self.changed(review_status="confirmed", **values) if "review_status" not in values
                            else self.changed(**values), "scores.csv, row 9", said)

    def test_one_class_only(self):
        self.refuse([row for row in self.GOOD if row["label"] == "live"], "bona fide presentations only", "both labels")
        self.refuse([row for row in self.GOOD if row["label"] == "spoof"], "attack presentations only")
        self.refuse([{**row, "review_status": "disputed"} for row in self.GOOD], "no row that counts")
        self.refuse([{**row, "status": "could_not_judge"} if row["label"] == "live" else row for row in self.GOOD],
                    "No bona fide presentation has a response")

    def test_missing_columns_splits_and_species(self):
        columns = [name for name in COLUMNS if name != "score"]
        self.refuse(self.GOOD, "There is no column 'score'", columns=columns)
        self.refuse(self.GOOD, "no row that counts in the split final", options=("--split", "final"))
        self.refuse(self.GOOD, "no attack species 'glass'", options=("--beside", "glass"))
        self.refuse("", "scores.csv")

    def test_a_missing_table(self):
        done = program.run("eval", self.folder / "none.csv")
        self.assertEqual((done.returncode, done.stdout), (65, ""))

    def test_mixed_stacks_can_be_allowed(self):
        report = self.report(self.changed(stack="def", review_status="confirmed"), "--mixed-stacks")
        self.assertEqual((report["input"]["stack"], report["input"]["stacks"]), ("several", 2))
        self.assertEqual(report["warnings"][0]["gravity"], "serious")

    def test_one_person_only_is_warned_of(self):
        report = self.report([{**row, "person_id": "p"} for row in self.GOOD])
        self.assertIsNone(report["headline"]["bpcer"]["by_person"])
        self.assertIn("of one person", report["warnings"][0]["text"])

    def test_usage(self):
        for options in (("--threshold", "101"), ("--threshold", "x"), ("--replicates", "1"), ("--seed", "-1")):
            self.assertEqual(program.run("eval", *options, "x.csv").returncode, 64)


class Reports(WithTable):
    def write(self, rows, *options):
        out = self.folder / "out"
        done = program.run("eval", "--output", out, "--no-date", *options, self.table(rows))
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return done.stdout, (out / "report.json").read_text(encoding="utf-8"), (
            out / "report.html").read_text(encoding="utf-8")

    def test_what_is_written(self):
        rows = make_rows(300)
        told, report, _ = self.write(rows)
        self.assertEqual(report, self.printed(rows))
        self.assertRegex(told, r"highest APCER +\d+\.\d\d %")
        self.assertEqual(sorted(path.name for path in (self.folder / "out").iterdir()), ["report.html", "report.json"])

    def test_the_page_is_whole_and_loads_nothing(self):
        page = Page(self.write(make_rows(300))[2])
        self.assertEqual(page.open, [])
        self.assertTrue(page.links)
        self.assertEqual({link for link in page.links if link[0] != "#"}, set())
        self.assertEqual({link for link in page.links if link[1:] not in page.ids}, set())
        self.assertFalse(page.tags & {"script", "img", "link", "iframe", "object"})
        self.assertNotIn("nan", re.findall(r"[a-z]+", page.text))

    def test_a_poor_table_still_gives_a_page(self):
        few = [{name: row[name] for name in ("sample_id", "label", "status", "score")} for row in make_rows(30)]
        told, report, text = self.write(few)
        self.assertEqual(Page(text).open, [])
        self.assertIsNone(json.loads(report)["calibration"])
        self.assertIn("warnings", told)

    def test_names_from_outside_stay_text(self):
        rows = make_rows(200)
        for row in rows:
            if row["attack_type"] == "mask":
                row["attack_type"] = "<script>alert('x')</script>&\""
        page = Page(self.write(rows, "--title", "<b>T</b>")[2])
        self.assertNotIn("script", page.tags)
        self.assertIn("<script>alert('x')</script>&\"", page.text)
        self.assertIn("<b>T</b>", page.text)

    def test_long_names_in_any_script_are_cut_between_characters(self):
        rows = make_rows(200)
        for row in rows:
            if row["label"] == "spoof":
                row["attack_type"] = "a" + "\u06cc" * 40
            row["flow"] = "a" + "\u06cc" * 40
        _, report, text = self.write(rows)
        self.assertRegex(json.loads(report)["warnings"][0]["text"], "a\u06cc{29} has")
        self.assertTrue("a" + "\u06cc" * 23 + "\u2026" in Page(text).text)

    def test_a_title_that_is_no_text_is_told_as_far_as_it_is(self):
        self.assertEqual(json.loads(self.write(make_rows(100), "--title", "T\udcff")[1])["title"], "T?")

    @unittest.skipIf(jsonschema is None, "python3-jsonschema is not installed")
    def test_the_json_is_what_the_schema_says(self):
        schema = json.loads((program.SOURCE / "api/eval_report.schema.json").read_text(encoding="utf-8"))
        poor = [{name: row[name] for name in ("sample_id", "label", "status", "score")} for row in make_rows(30)]
        one = [{**row, "person_id": "p"} for row in make_rows(60)]
        for rows in (make_rows(300), poor, one):
            jsonschema.validate(json.loads(self.write(rows)[1]), schema)


tap.main()
