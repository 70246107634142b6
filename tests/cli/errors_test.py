"""bonafide errors: which errors it finds, what it says of them, packages, and reviews that come back."""
import csv
import html.parser
import io
import json
import os
import pathlib
import random
import re
import stat
import sys
import tarfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
import program  # noqa: E402
from scores_table import to_csv  # noqa: E402
import tap  # noqa: E402

try:
    import jsonschema
except ImportError:
    jsonschema = None

PLAIN = {"label": "live", "attack_type": "", "person_id": "", "session_id": "", "device_class": "", "capture_type": "",
         "review_status": "confirmed", "split": "", "status": "ok", "code": "", "decision": "approve", "reason": "LIVE",
         "score": "95", "live_llr": "3", "raw.a": "1", "llr.a": "2", "state.a": "present", "raw.b": "1", "llr.b": "1",
         "state.b": "present", "q.Sharpness": "80", "n.Sharpness": "0.8", "quality_passed": "true", "face_iod_px": "90",
         "ms.total": "50", "stack": "abc", "flow": "account_opening", "decision.account_opening": "approve",
         "sha256": "", "face_x0": "", "face_y0": "", "face_x1": "", "face_y1": ""}
ATTACK = {"label": "spoof", "attack_type": "print", "score": "5", "live_llr": "-3", "llr.a": "-2", "llr.b": "-1",
          "decision": "reject", "decision.account_opening": "reject", "reason": "LIVENESS_FAILED"}


def base(seed=1):
    """Forty bona fide and forty attacks that are judged rightly, with evidence that varies a little."""
    chance = random.Random(seed)
    rows = []
    for n in range(80):
        row = {"sample_id": f"n{n:02}", **PLAIN, **({} if n % 2 else ATTACK), "person_id": f"p{n // 4}"}
        for detector in ("a", "b"):
            row[f"llr.{detector}"] = f"{float(row[f'llr.{detector}']) + chance.uniform(-0.5, 0.5):.4f}"
        rows.append(row)
    return rows


class WithTable(unittest.TestCase):
    def setUp(self):
        self.folder = program.scratch()

    def table(self, rows):
        path = self.folder / "scores.csv"
        path.write_text(to_csv(rows), encoding="utf-8")
        return path

    def review(self, rows, *options):
        """What errors.json says of a table."""
        done = program.run("errors", "--no-date", "-o", self.folder / "out", *options, self.table(rows))
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return json.loads((self.folder / "out/errors.json").read_text(encoding="utf-8"))

    def one(self, *options, **values):
        """What is said of a single row beside those that are judged rightly."""
        errors = self.review([*base(), {"sample_id": "x", **PLAIN, **values}], *options)["errors"]
        self.assertEqual([error["sample_id"] for error in errors], ["x"])
        return errors[0]

    def causes(self, error, strong=True):
        return [found["cause"] for found in error["evidence"] if found["strong"] == strong]


class Kinds(WithTable):
    def test_what_weighed_is_counted_and_told(self):
        told = {"x": "EVIDENCE_BORDER EVIDENCE_NETWORK", "y": "EVIDENCE_BORDER NO_SUCH_CODE RISK_HIGH", "z": ""}
        rows = [{**PLAIN, "sample_id": sample, "score": "40", "evidence_reasons": told[sample]} for sample in told]
        report = self.review([*base(), *rows])
        self.assertEqual({error["sample_id"]: error["evidence_reasons"] for error in report["errors"]},
                         {"x": told["x"].split(), "y": ["EVIDENCE_BORDER"], "z": []})
        self.assertEqual(report["counts"]["false_reject"]["evidence_reasons"]["EVIDENCE_BORDER"], 2)
        page = (self.folder / "out/errors.html").read_bytes()
        self.assertIn(b'<code>EVIDENCE_BORDER</code></td><td class="n"><b>2</b></td>', page)

    def test_no_error_is_said_so(self):
        report = self.review(base())
        self.assertEqual(report["errors"], [])
        self.assertIn("There is no error to review.", (self.folder / "out/errors.html").read_text(encoding="utf-8"))

    def test_each_kind(self):
        odd = [("fa", {**ATTACK, "score": "90"}, "false_accept", False),
               ("fa2", {**ATTACK, "score": "80", "decision": "approve"}, "false_accept", True),
               ("aa", {**ATTACK, "score": "10", "decision": "approve"}, "approved_attack", True),
               ("fr", {"score": "79.99", "decision": "retry"}, "false_reject", False),
               ("rl", {"score": "85", "decision": "reject", "reason": "MATCH_NONE"}, "rejected_bona_fide", True),
               ("nr", {"status": "could_not_judge", "code": "NO_FACE", "score": "", "decision": "retry"}, "no_response",
                False),
               ("er", {"status": "error", "code": "INFERENCE_FAILED", "score": "", "decision": "retry"}, "no_response",
                False)]
        report = self.review([*base(), *({"sample_id": name, **PLAIN, **values} for name, values, _, _ in odd)])
        found = {error["sample_id"]: (error["error"], error["policy_erred"]) for error in report["errors"]}
        self.assertEqual(found, {name: (kind, policy) for name, _, kind, policy in odd})
        for kind in {kind for _, _, kind, _ in odd}:
            self.assertEqual(report["counts"][kind]["found"], sum(odd_kind == kind for _, _, odd_kind, _ in odd))

    def test_the_threshold_is_the_users(self):
        rows = [*base(), {"sample_id": "x", **PLAIN, "score": "60"}]
        self.assertEqual(self.review(rows, "--threshold", "60")["errors"], [])
        self.assertEqual(len(self.review(rows, "--threshold", "60.1")["errors"]), 1)

    def test_the_limit_keeps_the_worst_and_is_said(self):
        rows = [*base(), *({"sample_id": f"x{n}", **PLAIN, "score": str(10 + n)} for n in range(9))]
        report = self.review(rows, "--limit", "3")
        self.assertEqual([error["score"] for error in report["errors"]], [10, 11, 12])
        self.assertEqual({key: report["counts"]["false_reject"][key] for key in ("found", "shown")},
                         {"found": 9, "shown": 3})
        self.assertIn("6 further errors are not shown", (self.folder / "out/errors.html").read_text(encoding="utf-8"))

    def test_excluded_samples_are_no_errors(self):
        report = self.review([*base(), {"sample_id": "x", **PLAIN, "score": "1", "review_status": "excluded"}])
        self.assertEqual((report["errors"], report["input"]["excluded"]), ([], 1))

    def test_a_split_is_listed_and_compared_with_all(self):
        rows = [{**row, "split": "train"} for row in base()]
        rows += [{"sample_id": name, **PLAIN, "score": "50", "split": split} for name, split in
                 (("x", "test"), ("y", "train"))]
        errors = self.review(rows, "--split", "test")["errors"]
        self.assertEqual([error["sample_id"] for error in errors], ["x"])
        self.assertRegex(errors[0]["nearest"]["by_evidence"]["bona_fide"]["sample_id"], "^n")


class Causes(WithTable):
    def test_close_to_the_threshold(self):
        self.assertEqual(self.one(score="78.5")["likely_cause"], "threshold")
        self.assertIn("threshold", self.causes(self.one(score="76"), strong=False))
        self.assertNotIn("threshold", [found["cause"] for found in self.one(score="74")["evidence"]])

    def test_the_proposed_threshold_mends_it(self):
        error = self.one("--proposed", "60", score="65")
        self.assertEqual(error["likely_cause"], "threshold")
        self.assertNotIn("threshold", self.causes(self.one("--proposed", "70", score="65")))

    def test_the_policy_decides_against_the_score(self):
        self.assertEqual(self.one(decision="reject", reason="MATCH_NONE")["likely_cause"], "threshold")

    def test_failures_are_of_the_infrastructure(self):
        for values in ({"status": "error", "code": "INFERENCE_FAILED", "score": ""},
                       {"status": "could_not_judge", "code": "CORRUPT_IMAGE", "score": ""},
                       {"score": "30", "state.b": "failed", "raw.b": "", "llr.b": ""}):
            self.assertEqual(self.one(**values)["likely_cause"], "infrastructure", values)

    def test_long_times_are_a_hint(self):
        self.assertIn("infrastructure", self.causes(self.one(score="30", **{"ms.total": "260"}), strong=False))
        self.assertNotIn("infrastructure", self.causes(self.one(score="30", **{"ms.total": "240"}), strong=False))

    def test_poor_pictures(self):
        for values in ({"status": "could_not_judge", "code": "NO_FACE", "score": ""}, {"quality_passed": "false"},
                       {"face_iod_px": "59"}, {"q.Sharpness": "12"}):
            self.assertEqual(self.one(**{"score": "30", **values})["likely_cause"], "capture_ux", values)
        self.assertIn("capture_ux", self.causes(self.one(score="30", **{"q.Sharpness": "60"}), strong=False))
        self.assertNotIn("capture_ux", self.causes(self.one(score="30", **{"q.Sharpness": "75"}), strong=False))

    def test_a_poor_picture_does_not_excuse_an_attack(self):
        error = self.one(**{**ATTACK, "score": "90", "quality_passed": "false", "face_iod_px": "20"})
        self.assertNotIn("capture_ux", self.causes(error))
        self.assertIn("capture_ux", self.causes(error, strong=False))

    def test_labels_that_are_not_sure(self):
        self.assertEqual(self.one(score="30", review_status="disputed")["likely_cause"], "data")
        rows = base()
        rows[0]["sha256"] = "f" * 64
        error = self.review([*rows, {"sample_id": "x", **PLAIN, "score": "30", "sha256": "f" * 64}])["errors"][0]
        self.assertEqual((error["likely_cause"], error["nearest"]["same_picture_other_label"]["sample_id"]),
                         ("data", "n00"))

    def test_a_label_that_everything_contradicts_is_a_hint_only(self):
        error = self.one(**{**ATTACK, "score": "96", "llr.a": "2", "llr.b": "1.2"})
        self.assertIn("data", self.causes(error, strong=False))
        self.assertNotIn("data", self.causes(error))

    def test_a_species_that_was_never_trained_on(self):
        rows = [{**row, "split": "train"} for row in base()]
        new = {"sample_id": "x", **PLAIN, **ATTACK, "attack_type": "mask", "score": "90"}
        error = self.review([*rows, new])["errors"][0]
        self.assertEqual(error["likely_cause"], "data")
        self.assertTrue(error["form"]["known_or_new"].startswith("new"))

    def test_attacks_of_a_new_kind(self):
        for values in ({"capture_type": "injected"}, {"attack_type": "face_swap"}, {"attack_type": "video_injection"}):
            self.assertEqual(self.one(**{**ATTACK, "score": "90", **values})["likely_cause"], "security", values)

    def test_a_species_that_no_detector_speaks_against(self):
        silent = [{"sample_id": f"m{n}", **PLAIN, **ATTACK, "attack_type": "mask", "score": "90", "llr.a": "1",
                   "llr.b": "0.5"} for n in range(12)]
        for error in self.review([*base(), *silent])["errors"]:
            self.assertEqual(error["likely_cause"], "security")
            self.assertIn("No detector knows this species", error["evidence"][0]["text"])

    def test_what_remains_is_the_models(self):
        error = self.one(score="30", **{"llr.a": "-3", "llr.b": "0.5"})
        self.assertEqual(error["likely_cause"], "model")
        self.assertIn("1 of 2 detectors speak for an attack (llr): a -3.00.", error["evidence"][0]["text"])

    def test_nothing_known_is_unclear(self):
        nothing = {"llr.a": "", "raw.a": "", "state.a": "absent", "llr.b": "", "raw.b": "", "state.b": "absent"}
        error = self.one(score="30", decision="retry", **nothing, **{"decision.account_opening": "retry"})
        self.assertEqual((error["likely_cause"], error["evidence"]), ("unclear", []))

    def test_the_closest_by_evidence(self):
        rows = base()
        rows[7].update({"llr.a": "-2.9", "llr.b": "0.4"})
        rows[8].update({"llr.a": "-3.2", "llr.b": "0.4"})
        nearest = self.review([*rows, {"sample_id": "x", **PLAIN, "score": "30", "llr.a": "-3", "llr.b": "0.4"}])[
            "errors"][0]["nearest"]["by_evidence"]
        self.assertEqual((nearest["bona_fide"]["sample_id"], nearest["attack"]["sample_id"]), ("n07", "n08"))


class Page(html.parser.HTMLParser):
    VOID = {"meta", "img", "br"}

    def __init__(self, text):
        super().__init__()
        self.open, self.ids, self.links, self.sources = [], set(), [], []
        self.feed(text)
        self.close()
        assert not self.open, self.open

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        assert tag != "script" and not any(name.startswith("on") for name in attributes)
        if "id" in attributes:
            assert attributes["id"] not in self.ids, attributes["id"]
            self.ids.add(attributes["id"])
        self.links += [attributes[name] for name in ("href",) if name in attributes]
        self.sources += [attributes[name] for name in ("src",) if name in attributes]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag, tag


class WithPictures(WithTable):
    def setUp(self):
        super().setUp()
        self.dataset = self.folder / "set"
        self.dataset.mkdir()
        good, told = program.hostile()
        pictures = sorted(path for path in good.glob("*.png") if told[path.name] == "OK")
        rows = [*base(), *({"sample_id": f"x{n}", **PLAIN, **ATTACK, "score": "91"} for n in range(2)),
                {"sample_id": "y", **PLAIN, "score": "20"}]
        manifest = ["sample_id,path,label,attack_type,mine"]
        for number, row in enumerate(rows):
            (self.dataset / f"{number}.png").write_bytes(pictures[number % len(pictures)].read_bytes())
            manifest.append(f"{row['sample_id']},{number}.png,{row['label']},{row['attack_type']},\"a, b\"")
        self.manifest = self.dataset / "manifest.csv"
        self.manifest.write_text("\n".join(manifest) + "\n", encoding="utf-8")
        self.rows = rows

    def samples(self):
        with self.manifest.open(encoding="utf-8", newline="") as file:
            return {row["sample_id"]: row for row in csv.DictReader(file)}


class Outputs(WithPictures):
    def test_the_page_shows_pictures_and_loads_nothing(self):
        report = self.review(self.rows, "--dataset", self.dataset)
        self.assertTrue(report["input"]["pictures"])
        self.assertRegex(report["input"]["dataset"], "^dataset@")
        text = (self.folder / "out/errors.html").read_text(encoding="utf-8")
        page = Page(text)
        self.assertIn("This page shows faces.", text)
        self.assertIn("default-src 'none'; img-src data:; style-src 'unsafe-inline'", text)
        self.assertGreaterEqual(len(page.sources), 3)
        self.assertTrue(all(source.startswith("data:image/webp;base64,") for source in page.sources))
        self.assertTrue(all(link[1:] in page.ids for link in page.links), page.links)

    def test_the_face_is_shown_beside_the_whole_picture(self):
        def sources(*box):
            self.rows[-1].update(zip(("face_x0", "face_y0", "face_x1", "face_y1"), box))
            self.review(self.rows, "--dataset", self.dataset)
            return Page((self.folder / "out/errors.html").read_text(encoding="utf-8")).sources
        plain = sources("", "", "", "")
        for nowhere in (("90000", "90000", "90100", "90100"), ("30", "30", "10", "10"), ("4", "", "", "")):
            self.assertEqual(sources(*nowhere), plain, nowhere)
        self.assertEqual(len(set(sources("4", "4", "20", "20")) - set(plain)), 1)

    def test_faces_can_be_left_out(self):
        self.review(self.rows, "--dataset", self.dataset, "--no-pictures")
        text = (self.folder / "out/errors.html").read_text(encoding="utf-8")
        self.assertEqual(Page(text).sources, [])
        self.assertNotIn("This page shows faces.", text)

    def test_files_are_their_owners_only(self):
        self.review(self.rows, "--dataset", self.dataset, "--package", self.folder / "package")
        for path in [*(self.folder / "out").iterdir(), *(self.folder / "package").rglob("*")]:
            mode = stat.S_IMODE(path.stat().st_mode)
            self.assertEqual(mode, 0o700 if path.is_dir() else 0o600, path)

    def test_markup_in_values_is_harmless(self):
        self.rows[-1].update({"person_id": "<script>alert(1)</script>", "reason": "\"><img src=x onerror=y>"})
        self.review(self.rows, "--dataset", self.dataset)
        Page((self.folder / "out/errors.html").read_text(encoding="utf-8"))

    def test_equal_input_gives_equal_bytes_in_any_order(self):
        texts = []
        for seed in (1, 2):
            random.Random(seed).shuffle(self.rows)
            self.review(self.rows, "--dataset", self.dataset, "--package", self.folder / "p.tar")
            texts.append([path.read_bytes() for path in (*sorted((self.folder / "out").iterdir()),
                                                         self.folder / "p.tar")])
        self.assertEqual(texts[0], texts[1])

    def test_a_changed_file_is_not_shown(self):
        for row in self.rows:
            row["sha256"] = "0" * 64
        self.review(self.rows, "--dataset", self.dataset)
        text = (self.folder / "out/errors.html").read_text(encoding="utf-8")
        self.assertEqual(Page(text).sources, [])
        self.assertIn(f"{len(self.rows)} files are not those that were scored", text)

    def test_nearly_the_same_picture_with_the_other_label(self):
        copy = (self.dataset / "0.png").read_bytes()
        (self.dataset / f"{len(self.rows) - 1}.png").write_bytes(copy)
        errors = self.review(self.rows, "--dataset", self.dataset)["errors"]
        error = next(error for error in errors if error["sample_id"] == "y")
        self.assertEqual(error["likely_cause"], "data")

    @unittest.skipIf(jsonschema is None, "python3-jsonschema is not installed")
    def test_the_json_is_what_the_schema_says(self):
        schema = json.loads((program.SOURCE / "api/errors_report.schema.json").read_text(encoding="utf-8"))
        jsonschema.Draft202012Validator.check_schema(schema)
        for options in ((), ("--dataset", self.dataset), ("--threshold", "99", "--proposed", "50")):
            jsonschema.validate(self.review(self.rows, *options), schema)


class Packages(WithPictures):
    def reviews(self, *options):
        done = program.run("errors", self.table(self.rows), "--dataset", self.dataset,
                           "--package", self.folder / "p.tar", *options)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        with tarfile.open(self.folder / "p.tar") as tar:
            tar.extractall(self.folder)
        with (self.folder / "errors/reviews.csv").open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))

    def give(self, *opinions, name="back.csv"):
        """A table of (sample, verdict, reviewer, cause, note)."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerows([("sample_id", "verdict", "reviewer", "cause", "note"), *opinions])
        path = self.folder / name
        path.write_text(text.getvalue(), encoding="utf-8")
        return program.run("errors", "--import", path, "--dataset", self.dataset)

    def test_what_a_package_holds(self):
        rows = self.reviews()
        self.assertEqual({row["sample_id"] for row in rows}, {"x0", "x1", "y"})
        for row in rows:
            self.assertEqual((row["verdict"], row["cause"], row["note"], row["reviewer"]), ("", "", "", ""))
            self.assertTrue((self.folder / "errors" / row["picture"]).read_bytes().startswith(b"RIFF"))
            self.assertEqual(bool(row["attack_style"]), row["error"] == "false_accept")
            self.assertEqual(bool(row["better_guidance"]), row["error"] == "false_reject")
        self.assertEqual({path.name for path in (self.folder / "errors").iterdir()},
                         {"README.txt", "errors.html", "errors.json", "reviews.csv", "pictures"})
        self.assertFalse((self.folder / "errors.html").exists())

    def test_without_pictures(self):
        self.assertEqual({row["picture"] for row in self.reviews("--no-pictures")}, {""})
        self.assertFalse((self.folder / "errors/pictures").exists())

    def test_a_folder_with_a_review_in_it_is_not_written_over(self):
        options = ("errors", self.table(self.rows), "--dataset", self.dataset, "--package", self.folder / "p")
        self.assertEqual(program.run(*options).returncode, 0)
        done = program.run(*options)
        self.assertEqual(done.returncode, 65)
        self.assertIn("is there already", done.stderr)

    def test_a_round_trip(self):
        rows = self.reviews()
        verdicts = {"x0": ("agreed", "confirmed"), "x1": ("label wrong", "excluded"), "y": ("unclear", "uncertain")}
        for row in rows:
            row.update({"verdict": verdicts[row["sample_id"]][0], "reviewer": "anna", "cause": "model",
                        "note": "looks\nlike a | print"})
        path = self.folder / "back.csv"
        path.write_text(to_csv(rows), encoding="utf-8")
        before = self.samples()
        done = program.run("errors", "--import", path, "--dataset", self.dataset)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        after = self.samples()
        for name, (verdict, status) in verdicts.items():
            self.assertEqual((after[name]["review_status"], after[name]["reviewer"]), (status, "anna"))
            self.assertEqual(after[name]["review_note"], f"anna: {verdict} (model), looks like a / print")
            self.assertRegex(after[name]["reviewed_at"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")
        for name, row in before.items():
            self.assertEqual({key: after[name][key] for key in row}, row)
            if name not in verdicts:
                self.assertEqual((after[name]["review_status"], after[name]["review_note"]), ("", ""))
        once = self.manifest.read_bytes()
        done = program.run("errors", "--import", path, "--dataset", self.dataset)
        self.assertIn("0 rows changed", done.stdout)
        self.assertEqual(self.manifest.read_bytes(), once)
        self.assertEqual(program.run("dataset", "validate", self.dataset, "--rows-only").returncode, 0)

    def test_reviewers_who_differ_dispute(self):
        self.give(("x0", "agreed", "ben", "", ""))
        self.assertEqual(self.samples()["x0"]["review_status"], "confirmed")
        self.give(("x0", "label_wrong", "anna", "", "glare"))
        sample = self.samples()["x0"]
        self.assertEqual((sample["review_status"], sample["reviewer"]), ("disputed", "anna; ben"))
        self.assertEqual(sample["review_note"], "anna: label wrong, glare | ben: agreed")
        self.give(("x0", "label wrong", "ben", "data", ""))
        self.assertEqual(self.samples()["x0"]["review_status"], "excluded")

    def test_the_order_of_imports_does_not_matter(self):
        texts = []
        start = self.manifest.read_bytes()
        for order in ((0, 1, 2), (2, 1, 0), (1, 0, 2)):
            self.manifest.write_bytes(start)
            for which in order:
                self.give(("y", ("agreed", "unclear", "agreed")[which], ("a", "b", "c")[which], "", ""))
            texts.append(re.sub(r"\d{4}-\d\d-\d\dT[\d:]+Z", "", self.manifest.read_text(encoding="utf-8")))
        self.assertEqual(len(set(texts)), 1)

    def test_notes_of_others_are_kept(self):
        lines = self.manifest.read_text(encoding="utf-8").splitlines()
        lines = [lines[0] + ",review_note"] + [line + (",see: ticket | old" if line.startswith("y,") else ",")
                                               for line in lines[1:]]
        self.manifest.write_text("\n".join(lines) + "\n", encoding="utf-8")
        for _ in range(2):
            self.assertEqual(self.give(("y", "agreed", "anna", "", "")).returncode, 0)
        self.assertEqual(self.samples()["y"]["review_note"], "see: ticket | old | anna: agreed")

    def test_bad_reviews_change_nothing(self):
        before = self.manifest.read_bytes()
        good = ("x0", "agreed", "anna", "", "")
        cases = ((("z", "agreed", "anna", "", ""), "row 3: The dataset has no sample 'z'"),
                 (("y", "yes", "anna", "", ""), "row 3: verdict is 'yes'"),
                 (("y", "agreed", "", "", ""), "row 3: reviewer is ''"),
                 (("y", "agreed", "a|b", "", ""), "row 3: reviewer is 'a|b'"),
                 (("y", "agreed", "anna", "fate", ""), "row 3: cause is 'fate'"),
                 (("y", "agreed", "anna", "", "x" * 1001), "row 3: The note is longer than 1000 bytes"),
                 (("x0", "unclear", "anna", "", ""), "row 3: 'anna' has reviewed the sample 'x0' in row 2 already"))
        for bad, said in cases:
            done = self.give(good, bad)
            self.assertEqual(done.returncode, 65, said)
            self.assertIn(said, done.stderr)
            self.assertEqual(self.manifest.read_bytes(), before, said)
        self.assertEqual(os.listdir(self.dataset).count("manifest.csv"), 1)
        self.assertEqual([name for name in os.listdir(self.dataset) if name.startswith("manifest.csv.")], [])

    def test_missing_columns_and_rows_without_a_verdict(self):
        path = self.folder / "back.csv"
        path.write_text("sample_id,verdict\nx0,agreed\n", encoding="utf-8")
        done = program.run("errors", "--import", path, "--dataset", self.dataset)
        self.assertEqual(done.returncode, 65)
        self.assertIn("There is no column 'reviewer'", done.stderr)
        self.assertIn("1 reviews, 1 rows without a verdict", self.give(("x0", "", "", "", ""),
                                                                        ("x1", "agreed", "anna", "", "")).stdout)


class BadInput(WithTable):
    def refuse(self, said, *options, **values):
        done = program.run("errors", "-o", self.folder / "out", *options,
                           self.table([*base(), {"sample_id": "x", **PLAIN, **values}]))
        self.assertEqual(done.returncode, 65, done.stderr)
        self.assertIn(said, done.stderr)
        self.assertFalse((self.folder / "out").exists())

    def test_each_bad_value_is_named_with_its_row(self):
        self.refuse("row 82: label is 'lve'", label="lve")
        self.refuse("row 82: status is 'fine'", status="fine")
        self.refuse("row 82: score is 'nan'", score="nan")
        self.refuse("row 82: status is ok, but there is no score", score="")
        self.refuse("row 82: llr.a is 'much'", **{"llr.a": "much"})
        self.refuse("row 82: state.a is 'odd'", **{"state.a": "odd"})
        self.refuse("row 82: quality_passed is 'maybe'", quality_passed="maybe")
        self.refuse("row 82: This row was scored by stack 'xyz'", stack="xyz")
        self.refuse("The sample_id 'n00' stands in several rows", sample_id="n00")
        self.refuse("has no row that counts in the split test", "--split", "test")

    def test_a_dataset_that_is_another(self):
        other = program.scratch()
        (other / "manifest.csv").write_text("sample_id,path,label\nq,q.png,live\n", encoding="utf-8")
        self.refuse("none of the table's samples is in", "--dataset", other)

    def test_usage(self):
        table = self.table(base())
        for arguments in ((), ("--threshold", "101", table), ("--limit", "0", table), ("--import", "x.csv"),
                          ("--import", "x.csv", "--dataset", ".", table), ("--proposed", "nan", table)):
            self.assertEqual(program.run("errors", *arguments).returncode, 64, arguments)

    def test_standard_input(self):
        done = program.run("errors", "-", "-o", self.folder / "out", stdin=to_csv(base()))
        self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_missing_files(self):
        self.assertEqual(program.run("errors", self.folder / "none.csv").returncode, 65)
        self.assertEqual(program.run("errors", "--dataset", self.folder / "none", self.table(base())).returncode, 65)


tap.main()
