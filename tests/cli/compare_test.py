"""bonafide compare: every verdict, its figures against independent implementations, what must not matter, bad input."""
import csv
import io
import json
import math
import pathlib
import random
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
import program  # noqa: E402
import tap  # noqa: E402

try:
    import scipy.stats
except ImportError:
    scipy = None
try:
    import sklearn.metrics
except ImportError:
    sklearn = None
try:
    import jsonschema
except ImportError:
    jsonschema = None

SPECIES = ("mask", "print", "replay")


def score_of(chance, logit):
    probability = 1 / (1 + math.exp(-logit))
    return f"{100 * probability:.4f}", f"{probability:.6f}", 100 * probability


def make_samples(count, seed=1, persons=80):
    """What the samples are, and the logit that a perfect judge of them would give."""
    chance = random.Random(seed)
    samples = []
    for i in range(count):
        live = chance.random() < 0.5
        species = "" if live else chance.choice(SPECIES)
        samples.append(({
            "sample_id": f"s{i}", "sha256": f"{i:064x}", "label": "live" if live else "spoof", "attack_type": species,
            "person_id": f"p{chance.randrange(persons)}", "channel": chance.choice(("kiosk", "desktop_web")),
            "lighting_bucket": chance.choice(("dark", "bright")), "split": chance.choice(("train", "test"))},
            chance.gauss(3 if live else -3 + (species == "replay"), 1.5)))
    return samples


def judge(samples, seed, shift=0.0, noise=0.5, silent=0.02, stack="a"):
    """A release that judges with noise, and is better by `shift` of the logit."""
    chance = random.Random(seed)
    rows = []
    for sample, logit in samples:
        live = sample["label"] == "live"
        text, probability, score = score_of(chance, logit + chance.gauss(0, noise) + (shift if live else -shift))
        judged = chance.random() >= silent
        rows.append({**sample, "status": "ok" if judged else "could_not_judge", "score": text if judged else "",
                     "live_probability": probability if judged else "",
                     "decision": "retry" if not judged else "approve" if score >= 80 else "reject",
                     "ms.total": f"{chance.uniform(20, 30):.3f}", "stack": stack, "flow": "account_opening"})
    return rows


def to_csv(rows, columns=None):
    text = io.StringIO()
    writer = csv.DictWriter(text, columns or list(rows[0]), lineterminator="\n", extrasaction="ignore")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


EXPERIMENT = """format: 1
name: test
version: 1.0.0
objective: A test.
hypothesis: It passes.
metrics: {primary: [max_apcer, bpcer]%s}
criteria:
  - {metric: max_apcer, non_inferior: %g}
  - {metric: bpcer, non_inferior: %g}
%s"""


def experiment(max_apcer=0.05, bpcer=0.05, secondary="", more=""):
    return EXPERIMENT % (f", secondary: [{secondary}]" if secondary else "", max_apcer, bpcer, more)


class WithTables(unittest.TestCase):
    def setUp(self):
        self.folder = program.scratch()

    def put(self, name, text):
        path = self.folder / name
        path.write_text(text, encoding="utf-8")
        return path

    def run_compare(self, a, b, *options, text=None):
        paths = [self.put(f"{name}.csv", rows if isinstance(rows, str) else to_csv(rows))
                 for name, rows in (("a", a), ("b", b))]
        if text is not None:
            options = ("--experiment", self.put("experiment.yaml", text), *options)
        return program.run("compare", *options, *paths)

    def report(self, a, b, *options, text=None):
        done = self.run_compare(a, b, "--json", "--no-date", *options, text=text)
        self.assertEqual(done.stderr, "")
        self.assertIn(done.returncode, (0, 1, 2))
        report = json.loads(done.stdout)
        self.assertEqual(("pass", "fail", "inconclusive")[done.returncode], report["verdict"])
        return report


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

    def test_too_small_counts_are_inconclusive_whatever_was_measured(self):
        b = judge(self.samples, 2, shift=-2)
        self.assertEqual(self.code(b, experiment() + "minimum: {persons: 1000}\n"), 2)
        self.assertEqual(self.code(b, experiment() + "minimum: {attacks_per_species: 100000, bona_fide: 100000}\n"), 2)

    def test_the_defaults_are_printed(self):
        done = self.run_compare(self.a, judge(self.samples, 2), "--output", self.folder / "out")
        self.assertIn("max_apcer: not worse by more than 1 percentage point\n", done.stdout)
        self.assertIn("bpcer: not worse by more than 1 percentage point\n", done.stdout)
        self.assertRegex(done.stdout, r"Verdict: [a-z]+\.")


tap.main()
