"""bonafide compare: every verdict, what must not matter, bad input, and the reports."""
import json
import pathlib
import random
import re
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
import program  # noqa: E402
import tap  # noqa: E402
from page import Page  # noqa: E402
from releases import WithTables, experiment, judge, make_samples, to_csv  # noqa: E402

try:
    import jsonschema
except ImportError:
    jsonschema = None


class Verdicts(WithTables):
    def setUp(self):
        super().setUp()
        self.samples = make_samples(3000)
        self.a = judge(self.samples, 1)

    def code(self, b, text, samples=None):
        return self.run_compare(self.a[:samples], b[:samples], "--output", self.folder / "out", text=text).returncode

    def test_a_candidate_as_good_passes(self):
        self.assertEqual(self.code(judge(self.samples, 2), experiment()), 0)

    def test_a_candidate_that_is_worse_fails(self):
        self.assertEqual(self.code(judge(self.samples, 2, shift=-2), experiment()), 1)

    def test_few_samples_decide_nothing(self):
        self.assertEqual(self.code(judge(self.samples, 2), experiment(0.01, 0.01), 250), 2)

    def test_superiority_needs_an_improvement(self):
        text = experiment(more="  - {metric: bpcer, superior: 0.02}\n")
        self.assertEqual(self.code(judge(self.samples, 2, shift=1.5), text), 0)
        self.assertEqual(self.code(judge(self.samples, 2, shift=-1), text), 1)
        self.assertNotEqual(self.code(judge(self.samples, 2), text), 0)

    def test_a_table_is_not_better_than_itself(self):
        for by in ("bound", "estimate"):
            text = experiment(more="  - {metric: bpcer, superior: 0, by: %s}\n" % by)
            self.assertNotEqual(self.code(self.a, text), 0, by)

    def test_the_estimate_alone_decides_where_that_is_stated(self):
        text = experiment(0.05, 0.05).replace("non_inferior: 0.05}", "non_inferior: 0.05, by: estimate}")
        text += "minimum: {bona_fide: 1, attacks_per_species: 1, persons: 2}\n"
        self.assertEqual(self.code(self.a, text, 60), 0)
        self.assertEqual(self.code(self.a, text.replace(", by: estimate", ""), 60), 2)

    def test_a_protected_segment_can_fail_alone(self):
        b = judge(self.samples, 2, shift=0.3)
        hurt = judge(self.samples, 2, shift=-2)
        b = [bad if bad["lighting_bucket"] == "dark" and bad["label"] == "live" else good for good, bad in zip(b, hurt)]
        wide = experiment(0.05, 0.5)
        self.assertEqual(self.code(b, wide), 0)
        protected = wide + "protected_segments: [{segment: lighting_bucket=%s, metric: bpcer, margin: 0.05}]\n"
        self.assertEqual(self.code(b, protected % "dark"), 1)
        self.assertEqual(self.code(b, protected % "bright"), 0)
        self.assertEqual(self.code(b, protected % "*"), 1)

    def test_persons_are_those_of_the_class(self):
        rows = [[{**row, "person_id": "p1"} if row["label"] == "spoof" else row for row in rows]
                for rows in (self.a, judge(self.samples, 2))]
        criteria = {row["metric"]: row for row in self.report(*rows, text=experiment())["criteria"]}
        self.assertEqual(criteria["bpcer"]["outcome"], "pass")
        self.assertEqual(criteria["max_apcer"]["outcome"], "inconclusive")
        self.assertIn("Persons: 1,", criteria["max_apcer"]["reason"])

    def test_where_there_is_nothing_to_protect(self):
        rows = [[{**row, "channel": "lab"} if row["label"] == "spoof" else row for row in rows]
                for rows in (self.a, judge(self.samples, 2))]
        protected = experiment() + "protected_segments: [{segment: channel=%s, metric: bpcer, margin: 0.2}]\n"
        report = self.report(*rows, text=protected % "*")
        self.assertEqual({row["segment"]["value"] for row in report["criteria"] if row["segment"]},
                         {"kiosk", "desktop_web"})
        self.assertEqual(self.report(*rows, text=protected % "lab")["verdict"], "inconclusive")

    def test_too_small_counts_never_pass_and_plain_harm_fails(self):
        for shift, code in ((1.5, 2), (0, 2), (-2, 1)):
            b = judge(self.samples, 2, shift=shift)
            self.assertEqual(self.code(b, experiment() + "minimum: {persons: 1000}\n"), code, shift)
            few = experiment() + "minimum: {attacks_per_species: 100000, bona_fide: 100000}\n"
            self.assertEqual(self.code(b, few), code, shift)

    def few(self, hurt, persons):
        """The report of tables of so many persons, of whom the first `hurt` are accepted by A and rejected by B."""
        keep = sorted({row["person_id"] for row in self.a if row["label"] == "live"})[:persons]
        a = [{**row, "status": "ok", "code": "", "score": "95"} if row["label"] == "live" else row for row in self.a
             if row["label"] == "spoof" or row["person_id"] in keep]
        b = [{**row, "score": "20"} if row["label"] == "live" and row["person_id"] in keep[:hurt] else row for row in a]
        report = self.report(a, b, text=experiment(0.5, 0.05))
        return next(row for row in report["criteria"] if row["metric"] == "bpcer")

    def test_plain_harm_on_few_persons_fails(self):
        found = self.few(7, 7)
        self.assertEqual(found["outcome"], "fail")
        self.assertIn("of 7 persons B is worse for 7 and better for 0", found["reason"])
        self.assertEqual(self.few(3, 3)["outcome"], "fail")
        self.assertEqual(self.few(6, 12)["outcome"], "fail")

    def test_harm_that_is_not_plain_on_few_persons_decides_nothing(self):
        for hurt, persons in ((5, 12), (2, 2), (0, 12)):
            found = self.few(hurt, persons)
            self.assertEqual(found["outcome"], "inconclusive", (hurt, persons))
            self.assertIn("fewer than the 20", found["reason"])

    def test_a_species_can_stand_beside_the_maximum(self):
        b = judge(self.samples, 2)
        for row in b:
            if row["attack_type"] == "mask" and row["status"] == "ok":
                row["score"] = "99"
        self.assertEqual(self.code(b, experiment()), 1)
        self.assertEqual(self.code(b, experiment() + "beside: [mask]\n"), 0)
        report = self.report(self.a, b, text=experiment() + "beside: [mask]\n")
        self.assertEqual([kind["species"] for kind in report["kinds"] if kind["beside"]], ["mask"])
        self.assertIn("mask", " ".join(report["notes"]))
        more = "  - {metric: apcer(mask), non_inferior: 0.1}\nbeside: [mask]\n"
        self.assertEqual(self.code(b, experiment(more=more)), 1)

    def test_the_defaults_are_printed(self):
        done = self.run_compare(self.a, judge(self.samples, 2), "--output", self.folder / "out")
        self.assertIn("max_apcer: not worse by more than 1 percentage point\n", done.stdout)
        self.assertIn("bpcer: not worse by more than 1 percentage point\n", done.stdout)
        self.assertRegex(done.stdout, r"Verdict: [a-z]+\.")


class WhatMustNotMatter(WithTables):
    def setUp(self):
        super().setUp()
        samples = make_samples(700)
        self.a, self.b = judge(samples, 1), judge(samples, 2, stack="b")
        self.text = experiment(secondary="eer, auc, brier") + (
            "protected_segments: [{segment: channel=*, metric: bpcer, margin: 0.1}]\n")

    def outputs(self, a, b, *options):
        out = self.folder / "out"
        done = self.run_compare(a, b, "--no-date", "--output", out, *options, text=self.text)
        self.assertEqual(done.stderr, "")
        return [done.stdout] + [(out / name).read_bytes() for name in ("compare.json", "compare.html", "flips.csv")]

    def test_the_order_of_rows_columns_and_threads(self):
        first = self.outputs(self.a, self.b)
        chance = random.Random(3)
        a, b = (chance.sample(rows, len(rows)) for rows in (self.a, self.b))
        self.assertEqual(self.outputs(a, b), first)
        columns = list(reversed(self.a[0]))
        self.assertEqual(self.outputs(to_csv(self.a, columns), to_csv(self.b, columns)), first)
        self.assertEqual(self.outputs(self.a, self.b, "--jobs", "1"), first)
        self.assertEqual(self.outputs(self.a, self.b, "--jobs", "5"), first)

    def test_the_seed_does(self):
        self.assertNotEqual(self.outputs(self.a, self.b, "--seed", "2")[1], self.outputs(self.a, self.b)[1])

    def test_turned_round_differences_turn_their_sign(self):
        there, back = self.report(self.a, self.b), self.report(self.b, self.a)
        for one, other in zip(there["metrics"], back["metrics"]):
            self.assertAlmostEqual(one["contrast"]["difference"], -other["contrast"]["difference"], places=9)
            if one["contrast"]["by_person"]:
                self.assertAlmostEqual(one["contrast"]["by_person"][0], -other["contrast"]["by_person"][1], places=7)


class BadInput(WithTables):
    def setUp(self):
        super().setUp()
        self.samples = make_samples(120)
        self.a, self.b = judge(self.samples, 1), judge(self.samples, 2)
        self.live = next(i for i, row in enumerate(self.a) if row["label"] == "live")
        self.attack = next(i for i, row in enumerate(self.a) if row["label"] == "spoof")

    def refused(self, a, b, *said, options=(), text=None):
        out = self.folder / "out"
        done = self.run_compare(a, b, "--output", out, *options, text=text)
        self.assertEqual((done.returncode, done.stdout), (65, ""))
        for words in said:
            self.assertIn(words, done.stderr)
        self.assertFalse(out.exists())

    def changed(self, place, **values):
        return [{**row, **values} if i == place else row for i, row in enumerate(self.b)]

    def test_samples_that_are_not_the_same(self):
        row = f"b.csv, row {self.live + 2}: "
        self.refused(self.a, self.changed(self.live, label="spoof", attack_type="print"), row + "label of the sample")
        self.refused(self.a, self.changed(self.live, sha256="f" * 64), row + "sha256 of the sample")
        self.refused(self.a, self.changed(self.live, person_id="other"), row + "person_id of the sample")
        self.refused(self.a, self.changed(self.live, split="other"), row + "split of the sample")
        self.refused(self.a, self.changed(self.attack, attack_type="other"), f"row {self.attack + 2}: attack_type of",
                     f"a.csv, row {self.attack + 2}", "one version of the dataset")

    def test_the_first_of_several_is_named(self):
        b = [{**row, "sha256": "f" * 64} for row in self.b]
        self.refused(self.a, b, "b.csv, row 2: sha256", "one of several")

    def test_samples_that_only_one_has(self):
        self.refused(self.a, self.b[:-3], "3 samples are only in a.csv and 0 only in b.csv", "--common",
                     f"a.csv, row {len(self.a) - 1}")
        report = self.report(self.a[2:], self.b[:-3], "--common")
        self.assertEqual((report["input"]["a"]["only_here"], report["input"]["b"]["only_here"]), (3, 2))
        self.assertEqual(report["input"]["pairs"], len(self.a) - 5)
        self.assertTrue(any("Samples only in A: 3" in note for note in report["notes"]))
        other = [{**row, "sample_id": "x" + row["sample_id"]} for row in self.b]
        self.refused(self.a, other, "no sample in common", options=("--common",))

    def test_tables_that_nobody_can_use(self):
        self.refused(self.a, self.changed(5, stack="other"), "b.csv, row 7", "stack")
        self.refused([{**row, "stack": "x" if i == 3 else "a"} for i, row in enumerate(self.a)], self.b, "a.csv, row 5")
        self.refused(self.a, self.changed(0, score="high", status="ok"), "b.csv, row 2", "score")
        self.refused(self.a + self.a[:1], self.b, "stands in an earlier row already")
        live = [row for row in self.a if row["label"] == "live"]
        self.refused(live, [row for row in self.b if row["label"] == "live"], "bona fide presentations only")
        silent = [{**row, "status": "error"} if row["label"] == "spoof" else row for row in self.b]
        self.refused(self.a, silent, "No attack presentation got a response from both")
        self.refused(self.a, self.b, "nosuch", options=("--split", "nosuch"))
        self.assertEqual(program.run("compare", self.folder / "none.csv", self.folder / "none.csv").returncode, 65)

    def test_experiments_with_faults_are_named_by_line(self):
        good, last = experiment(), "metric: bpcer, non_inferior: 0.05"
        for fault, line, words in (
                (good.replace("format: 1", "format: 2"), 1, "format"),
                (good.replace("objective", "objectiv"), 4, "did you mean 'objective'"),
                (good.replace("[max_apcer, bpcer]", "[max_apcer, bpcr]"), 6, "did you mean 'bpcer'"),
                (good.replace("[max_apcer, bpcer]", "[max_apcer, max_apcer]"), 6, "named already"),
                (good.replace("[max_apcer, bpcer]", "[max_apcer, eer]"), 6, "eer has no criterion"),
                (good.replace(last, "metric: bpcer"), 9, "either non_inferior or"),
                (good.replace(last, "metric: bpcer, non_inferior: 5"), 9, "non_inferior"),
                (good.replace(last, "metric: apcer, superior: 0"), 9, "needs a species"),
                (good.replace(last, "metric: latency_p95, superior: 0"), 9, "a stage"),
                (good + "bands: [50, 40]\n", 10, "rise"),
                (good + "minimum: {persons: 1}\n", 10, "persons"),
                (good + "confidence: 0.5\n", 10, "confidence"),
                (good + "thresholds: {a: 101}\n", 10, "a"),
                (good + "protected_segments: [{segment: colour=red, metric: bpcer, margin: 0}]\n", 10, "is no segment"),
                (good + "protected_segments: [{segment: channel, metric: bpcer, margin: 0}]\n", 10, "COLUMN=VALUE")):
            self.refused(self.a, self.b, f"experiment.yaml:{line}:", words, text=fault)

    def test_experiments_about_other_tables(self):
        protected = "protected_segments: [{segment: %s, metric: bpcer, margin: 0.1}]\n"
        self.refused(self.a, self.b, "no channel 'phone'", text=experiment(more=protected % "channel=phone"))
        self.refused(self.a, self.b, "no platform '*'", text=experiment(more=protected % "platform=*"))
        self.refused(self.a, self.b, "no attack species 'wax'", text=experiment(secondary="apcer(wax)"))
        self.refused(self.a, self.b, "no attack species 'wax'", text=experiment() + "beside: [wax]\n")
        self.refused(self.a, self.b, "no stage 'match'", text=experiment(secondary="latency_p50(match)"))

    def test_usage(self):
        a = self.put("a.csv", to_csv(self.a))
        for arguments in ((), (a,), (a, a, a), ("-", a), ("--seed", "x", a, a), ("--jobs", "0", a, a)):
            self.assertEqual(program.run("compare", *arguments).returncode, 64, arguments)

    def test_a_folder_that_cannot_be_made(self):
        done = self.run_compare(self.a, self.b, "--output", self.put("file", ""))
        self.assertNotIn(done.returncode, (0, 1, 2))
        self.assertEqual(done.stdout, "")


class Init(WithTables):
    def test_a_template_is_written_once_and_works(self):
        path = self.folder / "experiment.yaml"
        self.assertEqual(program.run("compare", "--init", path).returncode, 0)
        self.assertEqual(program.run("compare", "--init", path).returncode, 64)
        samples = make_samples(200)
        report = self.report(judge(samples, 1), judge(samples, 2), text=path.read_text(encoding="utf-8"))
        self.assertTrue(report["experiment"]["id"].startswith("candidate@1.0.0+"))
        # What stands in comments works too.
        text = re.sub(r"^#( *- \{|protected|beside)", r"\1", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
        text = text.replace("person_group=*", "channel=*")
        self.assertEqual(len(self.report(judge(samples, 1), judge(samples, 2), text=text)["criteria"]), 8)


class Reports(WithTables):
    def setUp(self):
        super().setUp()
        samples = make_samples(400)
        self.a, self.b = judge(samples, 1), judge(samples, 2, stack="b")

    def page(self, a, b, *options, text=None):
        done = self.run_compare(a, b, "--output", self.folder / "out", *options, text=text)
        self.assertEqual(done.stderr, "")
        return Page((self.folder / "out" / "compare.html").read_text(encoding="utf-8"))

    def test_the_page_is_whole_and_loads_nothing(self):
        page = self.page(self.a, self.b, text=experiment(
            secondary="bpcer10, eer, auc, apnrr, bpnrr, cllr, brier, latency_p99(total), apcer_at_bpcer_1_percent",
            more="protected_segments: [{segment: channel=*, metric: bpcer, margin: 0.1}]\n"))
        self.assertEqual(page.open, [])
        self.assertEqual({link for link in page.links if link[0] != "#"}, set())
        self.assertEqual({link for link in page.links if link[1:] not in page.ids}, set())
        self.assertFalse(page.tags & {"script", "img", "link", "iframe", "object"})
        self.assertNotIn("nan", re.findall(r"[a-z]+", page.text))

    def test_poor_tables_still_give_a_page(self):
        poor = [[{name: row[name] for name in ("sample_id", "label", "status", "score")} for row in rows[:40]]
                for rows in (self.a, self.b)]
        self.assertEqual(self.page(*poor).open, [])
        self.assertIn("sha256", " ".join(self.report(*poor)["notes"]))

    def test_names_from_outside_stay_text(self):
        for rows in (self.a, self.b):
            for row in rows:
                row["channel"] = "<b>&\""
                row["sample_id"] = "<script>" + row["sample_id"]
                if row["attack_type"] == "mask":
                    row["attack_type"] = "<script>alert('x')</script>"
        text = experiment(more="protected_segments: [{segment: 'channel=<b>&\"', metric: bpcer, margin: 0.1}]\n")
        page = self.page(self.a, self.b, text=text.replace("A test.", "<i>A test</i>"))
        self.assertFalse(page.tags & {"script", "i"})
        self.assertIn("<i>A test</i>", page.text)
        self.assertIn("<script>alert('x')</script>", page.text)

    def test_what_would_mislead_is_said(self):
        same = self.report(self.a, self.a)
        self.assertIn("one release twice", " ".join(same["notes"]))
        self.assertEqual(same["verdict"], "inconclusive")
        silent = [{**row, "status": "error"} if row["label"] == "live" and i % 5 == 0 else row
                  for i, row in enumerate(self.b)]
        self.assertIn("no response", " ".join(self.report(self.a, silent)["notes"]))

    @unittest.skipIf(jsonschema is None, "python3-jsonschema is not installed")
    def test_the_json_is_what_the_schema_says(self):
        schema = json.loads((program.SOURCE / "api/compare_report.schema.json").read_text(encoding="utf-8"))
        text = experiment(secondary="bpcer10, eer, auc, latency_p99(total)",
                          more="protected_segments: [{segment: channel=*, metric: bpcer, margin: 0.1}]\n")
        poor = [[{name: row[name] for name in ("sample_id", "label", "status", "score")} for row in rows[:40]]
                for rows in (self.a, self.b)]
        one = [[{**row, "person_id": "p"} for row in rows] for rows in (self.a, self.b)]
        jsonschema.validate(self.report(self.a, self.b, text=text), schema)
        for tables in (poor, one, (self.a, self.a)):
            jsonschema.validate(self.report(*tables), schema)


tap.main()
