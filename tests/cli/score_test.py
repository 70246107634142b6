"""bonafide score: tables, the cache of judgements, interruptions, shards."""
import csv
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
import program  # noqa: E402
import tap  # noqa: E402

STATUSES = {"ok", "could_not_judge", "error"}


class Score(program.WithModels):
    """Every case has a dataset of its own; all share one cache where they can, since judging takes its time."""
    common_cache = program.scratch()

    def setUp(self):
        super().setUp()
        self.folder = program.scratch()
        pictures = sorted(program.SAMPLES.glob("person-*.jpg"))[:3]
        good = program.hostile()[0]
        pictures += [good / name for name in ("cartoon.png", "empty.jpg", "truncated.jpg") if (good / name).exists()]
        rows = []
        for number, picture in enumerate(pictures):
            shutil.copy(picture, self.folder / f"{number}{picture.suffix}")
            label = "spoof,print" if number % 2 else "live,"
            channel = ("kiosk", "", "tv")[number % 3]
            rows.append(f"s{number},{number}{picture.suffix},{label},p{number},{channel},\"a, b\"")
        self.header = "sample_id,path,label,attack_type,person_id,channel,source"
        self.write(rows)

    def write(self, rows):
        self.rows = rows
        (self.folder / "manifest.csv").write_text("\n".join([self.header, *rows]) + "\n", encoding="utf-8")

    def score(self, *options, output="scores.csv", cache=None):
        return program.run("score", self.folder, "--output", self.folder / output,
                           "--cache", cache or self.common_cache, "--no-timing", *options)

    def table(self, name="scores.csv"):
        with (self.folder / name).open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))

    def test_a_row_for_each_sample(self):
        done = self.score()
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        table = self.table()
        self.assertEqual([row["sample_id"] for row in table], [f"s{n}" for n in range(len(self.rows))])
        meta = json.loads((self.folder / "scores.meta.json").read_text())
        for row in table:
            self.assertIn(row["status"], STATUSES)
            self.assertEqual(row["source"], "a, b")
            self.assertEqual(row["review_status"], "confirmed")
            self.assertEqual(row["stack"], meta["stack"])
            self.assertEqual(row["flow"], "account_opening")
            self.assertEqual(row["channel_asked"], row["channel"] if row["channel"] == "kiosk" else "")
            self.assertEqual(row["decision.account_opening"], row["decision"])
            self.assertEqual(bool(row["score"]), row["status"] == "ok")
            self.assertEqual(row["ms.total"], "")
            for detector in meta["detectors"]:
                self.assertIn(row[f"state.{detector}"], {"present", "not_applicable", "failed", "absent"})
                self.assertEqual(bool(row[f"raw.{detector}"]), row[f"state.{detector}"] == "present")
        self.assertEqual(sum(meta["counts"].values()), len(self.rows))
        self.assertEqual(meta["counts"]["ok"], sum(row["status"] == "ok" for row in table))
        self.assertEqual(list(meta["evidence"]), meta["detectors"])
        for detector, facts in meta["evidence"].items():
            shipped = (program.SOURCE / f"calibration/{detector}.yaml").read_text(encoding="utf-8")
            self.assertRegex(shipped, f'detector_version: "?{re.escape(facts["version"])}"?\n')
            self.assertRegex(shipped, f'version: "?{re.escape(facts["calibration"])}"?\n')

    def test_it_says_what_check_says(self):
        """Also under the other journeys, which are decided without judging again."""
        self.assertEqual(self.score().returncode, 0)
        for flow in ("account_opening", "browser_first", "video_kyc"):
            for row, line in zip(self.table(), self.rows):
                channel = ["--channel", row["channel_asked"]] if row["channel_asked"] else []
                path = self.folder / line.split(",")[1]
                records, _ = self.records(path, "--full-evidence", "--flow", flow, *channel)
                self.assertEqual(row[f"decision.{flow}"], records[0]["decision"]["decision"], (flow, path.name))
                if flow == "account_opening":
                    self.assertEqual(row["status"], records[0]["status"])
                    self.assertEqual(row["code"], (records[0]["error"] or {"code": ""})["code"])
                    result = records[0]["result"]
                    self.assertEqual(round(float(row["score"]), 2) if row["score"] else None,
                                     result["score"] if result else None)

    def test_a_second_run_judges_nothing_and_writes_the_same(self):
        cache = program.scratch()
        self.assertIn("0 judged before", self.score(cache=cache).stdout)
        first = (self.folder / "scores.csv").read_bytes()
        again = self.score(cache=cache)
        self.assertIn(f"{len(self.rows)} judged before, 0 to judge", again.stdout)
        self.assertEqual((self.folder / "scores.csv").read_bytes(), first)

    def test_only_what_changed_is_judged(self):
        self.assertEqual(self.score().returncode, 0)
        shutil.copy(program.hostile()[0] / "black.png", self.folder / "new.png")
        self.write([*self.rows[:-1], self.rows[-1].replace(",p", ",other"), "new,new.png,live,,p,,"])
        cached = self.score(cache=self.common_cache)
        self.assertIn(f"{len(self.rows) - 1} judged before", cached.stdout)
        self.assertEqual(self.table()[-1]["sample_id"], "new")
        self.assertIn("other", self.table()[-2]["person_id"])
        self.assertIn("0 judged before", self.score("--flow", "video_kyc", cache=program.scratch()).stdout)

    def test_shards_put_together_are_the_whole(self):
        self.assertEqual(self.score().returncode, 0)
        for shard in (1, 2, 3):
            done = self.score("--shard", f"{shard}/3", output=f"{shard}.csv")
            self.assertEqual((done.returncode, done.stderr), (0, ""))
        # In any order: each table's document says which shard it is.
        merged = program.run("score", "--merge", "--output", self.folder / "all.csv",
                             *(self.folder / f"{shard}.csv" for shard in (2, 3, 1)))
        self.assertEqual((merged.returncode, merged.stderr), (0, ""))
        self.assertEqual((self.folder / "all.csv").read_bytes(), (self.folder / "scores.csv").read_bytes())
        self.assertEqual(json.loads((self.folder / "all.meta.json").read_text()),
                         json.loads((self.folder / "scores.meta.json").read_text()))

    def test_shards_that_do_not_belong_together_are_refused(self):
        for shard in (1, 2):
            self.assertEqual(self.score("--shard", f"{shard}/2", output=f"{shard}.csv").returncode, 0)
        self.assertEqual(self.score("--shard", "2/2", "--early-exit", output="early.csv").returncode, 0)

        def merge(*names):
            done = program.run("score", "--merge", "--output", self.folder / "all.csv",
                               *(self.folder / name for name in names))
            self.assertEqual(done.returncode, 65)
            self.assertFalse((self.folder / "all.csv").exists())
            return done.stderr
        self.assertIn("is shard 1 of 2, and 1 tables are given", merge("1.csv"))
        self.assertIn("are both shard 1", merge("1.csv", "1.csv"))
        self.assertIn("differ in 'early_exit'", merge("1.csv", "early.csv"))
        lines = (self.folder / "2.csv").read_text().splitlines()
        (self.folder / "2.csv").write_text("\n".join(lines[:-2]) + "\n")
        self.assertIn("the other shards have too few rows", merge("1.csv", "2.csv"))

    def many(self, count=60):
        """A dataset of so many files of one picture: bytes behind the end of a JPEG make another file."""
        picture = self.sample("person-1.jpg").read_bytes()
        rows = []
        for number in range(count):
            (self.folder / f"many{number}.jpg").write_bytes(picture + bytes([number]))
            rows.append(f"m{number},many{number}.jpg,live,,p,,")
        self.write(rows)

    def test_an_interrupted_run_goes_on(self):
        """SIGINT ends it in an orderly way, SIGKILL does not: what was judged is kept either way."""
        self.many()
        cache = program.scratch()
        for number in (signal.SIGINT, signal.SIGKILL):
            process = subprocess.Popen([program.PROGRAM, "score", self.folder, "-o", self.folder / "scores.csv",
                                        "--cache", cache, "--jobs", "1"], env=program.ENVIRONMENT,
                                       stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            before = sum(path.read_bytes().count(b"\n") for path in cache.glob("*.csv")) or 1
            deadline = time.monotonic() + 60
            while (sum(path.read_bytes().count(b"\n") for path in cache.glob("*.csv")) < before + 3
                   and time.monotonic() < deadline):
                time.sleep(0.01)
            os.kill(process.pid, number)
            _, told = process.communicate(timeout=60)
            self.assertFalse((self.folder / "scores.csv").exists())
            if number == signal.SIGINT:
                self.assertEqual(process.returncode, 70)
                self.assertRegex(told, r"interrupted after \d+ of 60; run it again to go on")
        done = program.run("score", self.folder, "-o", self.folder / "scores.csv", "--cache", cache)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stdout, r"60 samples: [1-9]\d* judged before, [1-9]\d* to judge")
        self.assertEqual(len(self.table()), 60)
        self.assertTrue(all(float(row["ms.total"]) > 0 for row in self.table()))

    def test_the_split_is_told(self):
        split = self.folder / "split.csv"
        split.write_text("sample_id,split\n" + "".join(f"s{n},{('train', 'test')[n % 2]}\n"
                                                       for n in range(len(self.rows))))
        self.assertEqual(self.score("--split", split).returncode, 0)
        self.assertEqual([row["split"] for row in self.table()],
                         [("train", "test")[n % 2] for n in range(len(self.rows))])
        split.write_text("sample_id,split\nnobody,train\n")
        done = self.score("--split", split)
        self.assertEqual(done.returncode, 65)
        self.assertIn("the dataset has no sample 'nobody'; make a new split.", done.stderr)

    def test_bad_input_is_told_before_anything_is_judged(self):
        self.write([*self.rows, "x,missing.jpg,live,,p,,"])
        done = self.score()
        self.assertEqual((done.returncode, done.stdout), (65, ""))
        self.assertIn(f"row {len(self.rows) + 1}: 'missing.jpg' cannot be read; is the path right?", done.stderr)
        self.assertFalse((self.folder / "scores.csv").exists())

    def test_an_unknown_journey_is_usage(self):
        done = self.score("--flow", "no_such")
        self.assertEqual((done.returncode, done.stdout), (64, ""))
        self.assertIn("there is no journey named 'no_such'.", done.stderr)

    def test_a_terminal_sees_progress(self):
        self.many(200)  # more than a second's work
        code, told = program.run_on_terminal("score", self.folder, "-o", self.folder / "scores.csv",
                                             "--cache", program.scratch(), "--jobs", "1")
        self.assertEqual(code, 0, told)
        self.assertRegex(told, r"\[#* *\] \d+/200, \d+ s left")

    def test_usage(self):
        for options in (["--shard", "0/2"], ["--shard", "3/2"], ["--shard", "1"], ["--shard", "1/2x"], ["--jobs", "0"]):
            done = program.run("score", "x", *options)
            self.assertEqual((done.returncode, done.stdout), (64, ""), options)


tap.main()
