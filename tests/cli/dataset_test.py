"""bonafide dataset: what it prints, what it writes, how it ends."""
import csv
import json
import pathlib
import shutil
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
import program  # noqa: E402
import tap  # noqa: E402


def dataset(rows, header="sample_id,path,label,attack_type,person_id"):
    """A folder with a manifest of these rows, and a picture under each path that does not begin with 'missing'."""
    folder = program.scratch()
    (folder / "manifest.csv").write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    pictures = sorted(path for path in program.hostile()[0].glob("*.png") if program.hostile()[1][path.name] == "OK")
    for number, row in enumerate(rows):
        path = folder / row.split(",")[1]
        if not path.name.startswith("missing"):
            path.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(pictures[number % len(pictures)], path)
    return folder


def many(persons=30):
    """Live samples and attacks of many persons, without files."""
    return [f"s{n},missing{n}.jpg,{'live' if n % 2 else 'spoof'},{'' if n % 2 else 'print'},p{n // 4}"
            for n in range(4 * persons)]


class Validate(unittest.TestCase):
    def test_every_bad_row_is_named(self):
        folder = dataset(["a,a.png,live,,p1", "b,missing.png,live,,p2", "c,c.png,lve,,p3", "a,d.png,spoof,print,p3"])
        done = program.run("dataset", "validate", folder, "--no-pictures")
        self.assertEqual((done.returncode, done.stderr), (65, ""))
        manifest = folder / "manifest.csv"
        self.assertIn(f"{manifest}, row 3: error: 'missing.png' cannot be read; is the path right?\n", done.stdout)
        self.assertIn(f"{manifest}, row 4: error: label 'lve' is none; did you mean 'live'?\n", done.stdout)
        self.assertIn(f"{manifest}, row 5: error: sample_id 'a' is also that of row 2;", done.stdout)
        self.assertRegex(done.stdout, r"dataset@[0-9a-f]{12}: 3 usable samples, 2 live and 1 spoof; errors: 3, ")

    def test_warnings_alone_are_no_failure(self):
        done = program.run("dataset", "validate", "--rows-only", dataset(["a,missing.png,live,,p1"]))
        self.assertEqual(done.returncode, 0)
        self.assertIn("warning: every sample is live;", done.stdout)

    def test_a_manifest_without_labels_is_given_one(self):
        folder = dataset(["a,a.png"], header="sample_id,path")
        done = program.run("dataset", "validate", folder)
        self.assertEqual(done.returncode, 65)
        self.assertIn("--label live", done.stderr)
        self.assertEqual(program.run("dataset", "validate", folder, "--label", "live").returncode, 0)

    def test_broken_tables_are_named_with_their_row(self):
        folder = program.scratch()
        (folder / "manifest.csv").write_bytes(b"path,label\na.jpg,live\nb.jpg\n")
        done = program.run("dataset", "validate", folder)
        self.assertEqual((done.returncode, done.stdout), (65, ""))
        self.assertIn(f"{folder}/manifest.csv, row 3: there are 1 values for 2 columns.", done.stderr)
        self.assertEqual(program.run("dataset", "validate", folder / "nothing").returncode, 65)

    def test_the_corpora_are_read_where_they_are(self):
        """Manifests of the kinds that are about: without ids, without labels, with labels that name the attack."""
        for header, row, options in (("path,label,what", "missing.mov,spoof/replay,\"a, b\"", []),
                                     ("path,person_id,source,sha256", "missing/1.jpg,p,x,", ["--label", "live"])):
            folder = program.scratch()
            (folder / "manifest.csv").write_text(f"{header}\n{row}\n")
            done = program.run("dataset", "validate", folder, "--rows-only", *options)
            self.assertEqual((done.returncode, done.stderr), (0, ""), done.stdout)


class Init(unittest.TestCase):
    def folder(self, *paths):
        folder = program.scratch()
        picture = program.hostile()[0] / "noise.png"
        for path in paths:
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(picture, folder / path)
        return folder

    def rows(self, folder):
        with (folder / "manifest.csv").open(encoding="utf-8", newline="") as file:
            return {row["path"]: row for row in csv.DictReader(file)}

    def test_labels_types_and_persons_come_from_folders(self):
        folder = self.folder("live/anna/1.png", "spoof/print/anna/2.png", "spoof/mask/3.png", "x/real/4.png", "5.png",
                             "notes.txt", "spoof/6.png")
        # However the folder is named.
        done = program.run("dataset", "init", f"{folder}//")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertIn("6 samples, 2 live and 3 spoof", done.stdout)
        self.assertIn("Fill in the label of the other 1", done.stdout)
        told = {path: (row["label"], row["attack_type"], row["person_id"]) for path, row in self.rows(folder).items()}
        self.assertEqual(told, {"live/anna/1.png": ("live", "", "anna"),
                                "spoof/print/anna/2.png": ("spoof", "print", "anna"),
                                "spoof/mask/3.png": ("spoof", "mask", ""), "x/real/4.png": ("live", "", ""),
                                "5.png": ("", "", ""), "spoof/6.png": ("spoof", "", "")})
        self.assertEqual({len(row["sha256"]) for row in self.rows(folder).values()}, {64})
        self.assertIn("label '' is none", program.run("dataset", "validate", folder).stdout)

    def test_what_it_makes_is_valid(self):
        folder = self.folder("1.png", "Jürgen, \"der\" 2.png")
        self.assertEqual(program.run("dataset", "init", folder, "--label", "spoof/print").returncode, 0)
        done = program.run("dataset", "validate", folder)
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertIn("2 usable samples, 0 live and 2 spoof", done.stdout)

    def test_a_manifest_is_not_overwritten_unasked(self):
        folder = self.folder("live/1.png")
        (folder / "manifest.csv").write_text("mine")
        done = program.run("dataset", "init", folder)
        self.assertEqual(done.returncode, 65)
        self.assertIn("is there already; --force replaces it.", done.stderr)
        self.assertEqual((folder / "manifest.csv").read_text(), "mine")
        self.assertEqual(program.run("dataset", "init", folder, "--force").returncode, 0)

    def test_another_manifest_is_taken_over(self):
        folder = self.folder("part/1.png", "part/2.png")
        (folder / "part/list.csv").write_text("path,label,camera\n1.png,spoof/replay,\"x, y\"\n2.png,live,z\n")
        done = program.run("dataset", "init", folder, "--from", folder / "part/list.csv")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        rows = self.rows(folder)
        self.assertEqual(rows["part/1.png"]["camera"], "x, y")
        self.assertEqual(rows["part/1.png"]["attack_type"], "replay")
        # Both are one file with two labels.
        self.assertEqual(program.run("dataset", "validate", folder, "--no-pictures").returncode, 65)

    def test_what_cannot_be_taken_over_is_said(self):
        folder = self.folder("1.png")
        (folder / "list.csv").write_text("path,label\n1.png,lve\n")
        done = program.run("dataset", "init", folder, "--from", folder / "list.csv")
        self.assertEqual(done.returncode, 65)
        self.assertIn("list.csv, row 2: label 'lve' is none", done.stderr)
        (folder / "list.csv").write_text("path,label\n1.png,live\n")
        other = program.scratch()
        done = program.run("dataset", "init", other, "--from", folder / "list.csv")
        self.assertEqual(done.returncode, 65)
        self.assertIn("are not below", done.stderr)
        self.assertFalse((folder / "manifest.csv").exists() or (other / "manifest.csv").exists())
        self.assertEqual(program.run("dataset", "init", other).returncode, 65)
        self.assertEqual(program.run("dataset", "init", folder / "list.csv").returncode, 65)
        self.assertEqual(program.run("dataset", "init", folder, "--label", "alive").returncode, 64)


class Diff(unittest.TestCase):
    def test_every_change_is_shown(self):
        before = dataset(["a,missing.png,live,,p1,x", "b,missingb.png,spoof,print,p2,", "c,missingc.png,live,,p3,"],
                         header="sample_id,path,label,attack_type,person_id,camera")
        after = dataset(["d,missingd.png,live,,p3", "b,missingb.png,spoof,mask,p2", "a,missing.png,live,,p1"])
        done = program.run("dataset", "diff", before, after)
        self.assertEqual((done.returncode, done.stderr), (11, ""))
        self.assertEqual(done.stdout.splitlines()[:-1], ["~ a: camera 'x' -> ''", "~ b: attack_type 'print' -> 'mask'",
                                                         "- c", "+ d"])
        self.assertRegex(done.stdout.splitlines()[-1], "^dataset@.* -> dataset@.*: samples removed: 1, added: 1; "
                                                       "values changed: 2$")
        told = json.loads(program.run("dataset", "diff", "--json", before, after).stdout)
        self.assertEqual((told["removed"], told["added"], told["values"], len(told["changes"])), (1, 1, 2, 4))

    def test_equal_datasets_do_not_differ(self):
        rows = ["a,missing.png,live,,p1", "b,missingb.png,spoof,print,p2"]
        done = program.run("dataset", "diff", dataset(rows), dataset(rows[::-1]))
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertIn("removed: 0, added: 0; values changed: 0", done.stdout)

    def test_long_lists_are_cut(self):
        before, after = dataset(many()), dataset(["x,missing.png,live,,p"])
        self.assertIn("and 81 more; --all prints them", program.run("dataset", "diff", before, after).stdout)
        self.assertEqual(program.run("dataset", "diff", "--all", before, after).stdout.count("\n- "), 119)


class Summary(unittest.TestCase):
    def test_counts(self):
        folder = dataset(many())
        done = program.run("dataset", "summary", folder)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertIn("120 samples, 60 live and 60 spoof, 120 of them confirmed; 30 persons, 0 sessions", done.stdout)
        told = json.loads(program.run("dataset", "summary", "--json", folder).stdout)
        self.assertEqual((told["samples"], told["live"], told["persons"]), (120, 60, 30))
        self.assertEqual(told["segments"]["attack_type"], [{"value": "print", "live": 0, "spoof": 60, "persons": 30}])

    def test_a_bad_row_ends_it(self):
        done = program.run("dataset", "summary", dataset(["a,missing.png,lve,,"]))
        self.assertEqual((done.returncode, done.stdout), (65, ""))
        self.assertIn("row 2: label 'lve' is none", done.stderr)


class Split(unittest.TestCase):
    def split(self, folder, *options):
        return program.run("dataset", "split", folder, "--no-pictures", *options)

    def test_persons_are_apart_and_the_name_is_the_content(self):
        folder = dataset(many())
        done = self.split(folder)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        table = next((folder / "splits").glob("person-*.csv"))
        rows = list(csv.DictReader(table.open(encoding="utf-8")))
        parts = {}
        for row in rows:
            parts.setdefault(f"p{int(row['sample_id'][1:]) // 4}", set()).add(row["split"])
        self.assertEqual(len(rows), 120)
        self.assertTrue(all(len(found) == 1 for found in parts.values()))
        self.assertEqual({row["split"] for row in rows}, {"train", "validation", "test"})
        meta = json.loads(table.with_suffix(".meta.json").read_text())
        self.assertEqual(meta["split"], table.stem.replace("-", "@"))
        self.assertEqual([part["samples"] for part in meta["parts"]], [72, 24, 24])
        self.assertEqual(program.run("dataset", "validate", "--rows-only", folder, "--split", table).returncode, 0)

    def test_equal_seeds_give_equal_splits_and_others_do_not(self):
        folder = dataset(many())
        for seed in ("1", "1", "2"):
            self.assertEqual(self.split(folder, "--seed", seed).returncode, 0)
        self.assertEqual(len(list((folder / "splits").glob("person-*.csv"))), 2)

    def test_a_split_that_leaks_is_an_error(self):
        folder = dataset(many())
        table = folder / "own.csv"
        table.write_text("sample_id,split\n" + "".join(f"s{n},{'train' if n % 3 else 'test'}\n" for n in range(120)))
        done = program.run("dataset", "validate", "--rows-only", folder, "--split", table)
        self.assertEqual(done.returncode, 65)
        self.assertIn("row 3: error: the split leaks: it is in train, and row 2, with the same person, in test.",
                      done.stdout)

    def test_what_cannot_be_split_is_said(self):
        folder = dataset(many(1))
        done = self.split(folder)
        self.assertEqual(done.returncode, 65)
        self.assertIn("4 samples in 1 groups", done.stderr)
        self.assertFalse(list(folder.glob("splits/*")))
        self.assertIn("0 devices", self.split(folder, "--by", "device").stderr)
        self.assertIn("row 2: captured_at is empty", self.split(folder, "--by", "time").stderr)

    def test_usage(self):
        for options in (["--by", "age"], ["--parts", "a"], ["--hold-out", "print"], ["--seed", "x"]):
            self.assertEqual(self.split("x", *options).returncode, 64, options)


tap.main()
