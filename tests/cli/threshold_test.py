"""bonafide threshold: the bands it proposes, what it refuses, the patch that it writes, and bad input."""
import html.parser
import json
import math
import pathlib
import random
import shutil
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
import program  # noqa: E402
from scores_table import to_csv  # noqa: E402
import tap  # noqa: E402

try:
    import jsonschema
except ImportError:
    jsonschema = None
try:
    import scipy.stats
except ImportError:
    scipy = None

REFUSED = 13
SPECIES = ("mask", "print", "replay")
CHANNELS = ("", "android_app", "desktop_web", "ios_app")


def make_rows(live, attacks, seed=1, persons=150, distance=3.0, channels=CHANNELS):
    """So many bona fide presentations and attacks of each species in each of three splits, of different persons."""
    chance = random.Random(seed)
    rows = []
    for split in ("train", "dev", "test"):
        for species in [""] * live + [name for name in SPECIES for _ in range(attacks)]:
            mean = distance if not species else 0.3 * SPECIES.index(species) - distance
            score = 100 / (1 + math.exp(-chance.gauss(mean, 1.3)))
            judged = chance.random() > 0.04
            rows.append({
                "sample_id": f"s{len(rows)}", "label": "spoof" if species else "live", "attack_type": species,
                "person_id": f"{split}{chance.randrange(persons)}", "channel": chance.choice(channels), "split": split,
                "review_status": "confirmed", "status": "ok" if judged else "could_not_judge",
                "code": "" if judged else "NO_FACE", "score": f"{score:.6f}" if judged else "",
                "quality_passed": "true" if judged else "", "match_outcome": "strong" if judged else "not_judged",
                "stack": "0123456789abcdef", "flow": "account_opening"})
    return rows


def upper_bound(count, total):
    return 1.0 if count == total else scipy.stats.beta.ppf(0.95, count + 1, total - count)


class WithTable(unittest.TestCase):
    def setUp(self):
        self.folder = program.scratch()
        self.output = self.folder / "bands"

    def run_on(self, rows, *options):
        path = self.folder / "scores.csv"
        path.write_text(rows if isinstance(rows, str) else to_csv(rows), encoding="utf-8")
        return program.run("threshold", "--no-date", "--output", self.output, *options, path)

    def proposed(self, rows, *options):
        done = self.run_on(rows, "--json", *options)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return json.loads(done.stdout)

    def refused(self, rows, *options):
        done = self.run_on(rows, *options)
        self.assertEqual((done.returncode, done.stdout), (REFUSED, ""))
        self.assertFalse(self.output.exists())
        return done.stderr


class Choosing(WithTable):
    def rates(self, rows, split, band):
        of_split = [row for row in rows if row["split"] == split and row["status"] == "ok"]
        for species in ("", *SPECIES):
            scores = [float(row["score"]) for row in of_split if row["attack_type"] == species]
            errors = sum(score < band for score in scores) if species == "" else sum(score >= band for score in scores)
            yield species, errors, len(scores)

    @unittest.skipIf(scipy is None, "python3-scipy is not installed")
    def test_the_lowest_band_whose_bounds_keep_to_the_target(self):
        rows = make_rows(300, 450)
        report = self.proposed(rows, "--apcer", "2%")
        band = report["scopes"][0]["proposed"]["pass"]
        for at, keeps in ((band, True), (band - 0.02, False)):
            worst = max(upper_bound(errors, total) for species, errors, total in self.rates(rows, "dev", at) if species)
            self.assertEqual(worst <= 0.02, keeps)
        for kind in report["scopes"][0]["kinds"]:
            expected = {species: (errors, total) for species, errors, total in self.rates(rows, "dev", band)}
            error = kind["error_proposed"]
            self.assertEqual((error["count"], error["total"]), expected[kind["species"] or ""])
            self.assertAlmostEqual(error["upper_bound"], upper_bound(error["count"], error["total"]), places=8)

    def test_the_highest_band_that_keeps_to_bpcer(self):
        rows = make_rows(400, 100)
        report = self.proposed(rows, "--bpcer", "10%", "--point")
        band = report["scopes"][0]["proposed"]["pass"]
        live = [(errors, total) for species, errors, total in self.rates(rows, "dev", band) if not species][0]
        beyond = [(errors, total) for species, errors, total in self.rates(rows, "dev", band + 1) if not species][0]
        self.assertLessEqual(live[0] / live[1], 0.1)
        self.assertGreater(beyond[0] / beyond[1], 0.1)

    def test_by_person_the_worst_attack_of_each_counts(self):
        rows = make_rows(300, 450)
        report = self.proposed(rows, "--apcer", "5%", "--by-person")
        band = report["scopes"][0]["proposed"]["pass"]
        self.assertGreater(band, self.proposed(rows, "--apcer", "5%")["scopes"][0]["proposed"]["pass"])
        for kind in report["scopes"][0]["kinds"][1:]:
            worst = {}
            for row in rows:
                if row["split"] == "dev" and row["attack_type"] == kind["species"] and row["score"]:
                    worst[row["person_id"]] = max(float(row["score"]), worst.get(row["person_id"], 0))
            error = kind["error_proposed"]
            self.assertEqual((error["count"], error["total"]), (sum(s >= band for s in worst.values()), len(worst)))
            self.assertEqual(error["persons"]["count"], error["count"])
        self.assertIn("it takes 299 persons of each species", self.refused(rows, "--apcer", "1%", "--by-person"))

    def test_the_first_target_leads_and_the_second_must_hold(self):
        rows = make_rows(600, 400, distance=4.0)
        one = self.proposed(rows, "--apcer", "1%")
        both = self.proposed(rows, "--apcer", "0.01", "--bpcer", "20 %")
        self.assertEqual(one["scopes"][0]["proposed"], both["scopes"][0]["proposed"])

    def test_a_channel_with_enough_rows_has_bands_of_its_own(self):
        rows = make_rows(700, 700, channels=("desktop_web", "desktop_web", "desktop_web", "ios_app"))
        scopes = {scope["channel"]: scope for scope in self.proposed(rows, "--apcer", "1%")["scopes"]}
        self.assertTrue(scopes["desktop_web"]["own_bands"])
        self.assertFalse(scopes["ios_app"]["own_bands"])
        self.assertEqual(scopes["ios_app"]["proposed"]["pass"], scopes[None]["proposed"]["pass"])

    def test_a_channel_with_few_rows_is_not_made_laxer(self):
        rows = make_rows(400, 400, distance=6.0)
        scopes = {scope["channel"]: scope for scope in self.proposed(rows, "--apcer", "1%")["scopes"]}
        self.assertLess(scopes[None]["proposed"]["pass"], 85)
        self.assertFalse(scopes["desktop_web"]["own_bands"])
        self.assertEqual(scopes["desktop_web"]["proposed"]["pass"], 85)

    def test_the_order_of_rows_does_not_matter(self):
        rows = make_rows(300, 350)
        one = self.run_on(rows, "--json", "--apcer", "1%", "--validate", "test").stdout
        random.Random(5).shuffle(rows)
        self.assertEqual(self.run_on(rows, "--json", "--apcer", "1%", "--validate", "test").stdout, one)

    def test_development_rows_come_before_training_rows(self):
        rows = make_rows(200, 100)
        self.assertEqual(self.proposed(rows, "--apcer", "10%")["input"]["split"], "dev")
        rows = [row for row in rows if row["split"] != "dev"]
        self.assertEqual(self.proposed(rows, "--apcer", "10%")["input"]["split"], "train")
        rows = [{**row, "split": ""} for row in rows]
        self.assertIsNone(self.proposed(rows, "--apcer", "10%")["input"]["split"])

    def test_costs_add_up(self):
        report = self.proposed(make_rows(300, 350), "--apcer", "1%")
        for kind in report["costs"]:
            for state in kind["today"]["after_attempts"] + kind["proposed"]["after_attempts"]:
                self.assertAlmostEqual(sum(state.values()), 1, places=8)


class Refusing(WithTable):
    def test_too_few_attacks_are_named_with_how_many_more(self):
        rows = make_rows(300, 350)
        few = [row for row in rows if row["attack_type"] != "mask" or int(row["sample_id"][1:]) % 4 == 0]
        said = self.refused(few, "--apcer", "1%")
        count = sum(row["attack_type"] == "mask" and row["split"] == "dev" and row["status"] == "ok" for row in few)
        self.assertIn("it takes 299 presentations of each species", said)
        self.assertIn(f"mask: {count} of ", said)
        self.assertIn(f"; {299 - count} more, of about ", said)
        self.assertNotIn("print:", said)
        beside = self.proposed(few, "--apcer", "1%", "--beside", "mask")
        self.assertIn("Not claimed for mask.", beside["patch"]["why"])

    def test_too_few_bona_fide(self):
        rows = make_rows(90, 100)
        self.assertIn("it takes 299 bona fide presentations", self.refused(rows, "--bpcer", "1%"))
        self.assertIn("at the lower band", self.refused(rows, "--apcer", "5%", "--reject-bpcer", "1%"))

    def test_targets_that_exclude_each_other(self):
        said = self.refused(make_rows(400, 400, distance=1.2), "--apcer", "1%", "--bpcer", "25%")
        self.assertIn("No band keeps to both targets", said)
        self.assertIn("more samples would not help", said)

    def test_how_many_samples_would_settle_a_near_miss(self):
        said = self.refused(make_rows(150, 400, distance=3.6), "--apcer", "1%", "--bpcer", "3%")
        self.assertRegex(said, r"If it stayed so, \d+ bona fide presentations would do: \d+ more")

    def test_attacks_as_good_as_anybody(self):
        rows = make_rows(300, 350)
        rows = [{**row, "score": "100"} if row["attack_type"] == "print" and row["score"] else row for row in rows]
        self.assertIn("species print score as high as anybody", self.refused(rows, "--apcer", "1%"))

    def test_a_refusal_for_programs(self):
        done = self.run_on(make_rows(20, 20), "--json", "--apcer", "1%")
        self.assertEqual(done.returncode, REFUSED)
        report = json.loads(done.stdout)
        self.assertEqual((report["verdict"], report["patch"]), ("refused", None))
        self.assertEqual(report["scopes"][0]["result"], "too_few_attacks")
        self.assertEqual(len(report["refusals"]), 4)

    def test_bands_that_other_persons_contradict(self):
        rows = make_rows(300, 400)
        rows = [{**row, "score": "99.99"} if row["split"] == "test" and row["attack_type"] == "replay" and row["score"]
                else row for row in rows]
        self.assertIn("On the split test the APCER of replay is 100 %",
                      self.refused(rows, "--apcer", "1%", "--validate", "test"))
        self.assertEqual(self.proposed(rows, "--apcer", "1%")["validation"]["result"], "none")

    def test_the_test_split_is_not_chosen_on(self):
        done = self.run_on(make_rows(20, 20), "--apcer", "1%", "--split", "test")
        self.assertEqual((done.returncode, done.stdout), (65, ""))
        self.assertIn("Bands are not chosen on the split 'test'", done.stderr)


class Writing(WithTable):
    def write(self, *options):
        done = self.run_on(make_rows(400, 400), "--apcer", "1%", "--validate", "test", *options)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return done.stdout

    def test_the_policy_lints_as_written(self):
        said = self.write()
        self.assertIn("account_opening        pass ", said)
        self.assertEqual(sorted(str(path.relative_to(self.output)) for path in self.output.rglob("*.*")),
                         ["account_opening.patch", "proposed/account_opening.yaml", "proposed/base/common.yaml",
                          "threshold.html", "threshold.json"])
        done = program.run("policy", "lint", self.output / "proposed/account_opening.yaml")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        band = json.loads((self.output / "threshold.json").read_text())["scopes"][0]["proposed"]
        explained = program.run("policy", "explain", self.output / "proposed/account_opening.yaml").stdout
        self.assertIn(f"{band['pass']:g}", explained)

    @unittest.skipIf(shutil.which("patch") is None, "patch is not installed")
    def test_the_patch_leads_from_the_policy_of_today_to_the_new_one(self):
        self.write()
        today = self.folder / "account_opening.yaml"
        shutil.copy(program.SOURCE / "policies/account_opening.yaml", today)
        subprocess.run(["patch", "-p1", "-s", "-d", self.folder, "-i", self.output / "account_opening.patch"],
                       check=True)
        self.assertEqual(today.read_text(), (self.output / "proposed/account_opening.yaml").read_text())

    def test_test_cases_that_state_the_old_bands_are_named(self):
        self.write()
        patch = json.loads((self.output / "threshold.json").read_text())["patch"]
        done = program.run("policy", "test", self.output / "proposed/account_opening.yaml")
        self.assertEqual(done.stdout.count("FAIL"), patch["test_cases_to_change"])
        self.assertEqual(len(patch["cases"]), patch["test_cases_to_change"])

    def test_the_page_loads_nothing_and_defines_its_terms(self):
        self.write()
        page = (self.output / "threshold.html").read_text(encoding="utf-8")
        links, targets, tags = set(), set(), set()

        class Parser(html.parser.HTMLParser):
            def handle_starttag(self, tag, attrs):
                tags.add(tag)
                links.update(value for name, value in attrs if name == "href")
                targets.update("#" + value for name, value in attrs if name == "id")

        Parser().feed(page)
        self.assertEqual(links - targets, set())
        self.assertFalse(tags & {"script", "link", "img", "iframe"})
        self.assertNotIn("nan", page.lower().replace("finance", ""))

    @unittest.skipIf(jsonschema is None, "python3-jsonschema is not installed")
    def test_the_json_is_what_the_schema_says(self):
        schema = json.loads((program.SOURCE / "api/threshold.schema.json").read_text(encoding="utf-8"))
        self.write()
        jsonschema.validate(json.loads((self.output / "threshold.json").read_text()), schema)
        refusal = self.run_on(make_rows(20, 20), "--json", "--apcer", "1%").stdout
        jsonschema.validate(json.loads(refusal), schema)

    def test_equal_input_gives_equal_bytes(self):
        self.write()
        first = {path: path.read_bytes() for path in self.output.rglob("*.*")}
        self.write()
        self.assertEqual({path: path.read_bytes() for path in self.output.rglob("*.*")}, first)

    def test_an_output_that_cannot_be_written(self):
        self.output.write_text("a file")
        done = self.run_on(make_rows(100, 100), "--apcer", "10%")
        self.assertEqual(done.returncode, 65)
        self.assertIn("Not a directory", done.stderr)


class BadInput(WithTable):
    def check(self, rows, expected, *options, code=65):
        done = self.run_on(rows, *(options or ("--apcer", "10%")))
        self.assertEqual(done.returncode, code)
        self.assertIn(expected, done.stderr)
        self.assertFalse(self.output.exists())

    def test_wrong_usage(self):
        rows = make_rows(5, 5)
        self.check(rows, "A target is missing", "--point", code=64)
        for rate in ("0", "1", "60%", "-1%", "x", "", "%"):
            self.check(rows, "--apcer must be a rate above 0 and up to 50%", "--apcer", rate, code=64)
        self.check(rows, "must differ", "--apcer", "1%", "--split", "dev", "--validate", "dev", code=64)

    def test_tables_that_cannot_be_used(self):
        rows = make_rows(30, 30)
        self.check(to_csv(rows).replace("strong", "maybe", 1), "match_outcome is 'maybe'")
        self.check([{**row, "quality_passed": "yes"} for row in rows], "quality_passed is 'yes'")
        self.check([{**row, "flow": "login_step_up" if row["split"] == "dev" else row["flow"]} for row in rows],
                   "does not say which journey")
        self.check([{**row, "stack": row["split"]} for row in rows], "was scored by stack")
        self.check(rows + rows[:1], "stands in an earlier row already")
        self.check([row for row in rows if row["label"] == "live"], "bona fide presentations only")
        self.check([row for row in rows if row["split"] != "dev" or row["label"] == "live"],
                   "In the split dev there is no attack presentation")

    def test_splits_that_cannot_be_used(self):
        rows = make_rows(30, 30)
        self.check(rows, "no row that counts in the split 'none'", "--apcer", "10%", "--split", "none")
        self.check(rows, "no row that counts in the split 'none'", "--apcer", "10%", "--validate", "none", "--point")
        leaking = [{**row, "person_id": row["person_id"][-2:]} for row in rows]
        self.check(leaking, "persons are in the split 'test' and in what", "--apcer", "10%", "--point", "--validate",
                   "test")

    def test_policies_that_cannot_be_used(self):
        rows = make_rows(60, 60)
        self.check(rows, "scored for the journey 'account_opening'", "--apcer", "10%", "--policy",
                   program.SOURCE / "policies/video_kyc.yaml")
        self.check(rows, "none.yaml", "--apcer", "10%", "--policy", self.folder / "none.yaml")
        bad = self.folder / "bad.yaml"
        bad.write_text("flow: account_opening\n")
        self.check(rows, "bad.yaml:1: ", "--apcer", "10%", "--policy", bad)
        self.check(rows, "no attack species 'x'", "--apcer", "10%", "--beside", "x")


tap.main()
