"""Two releases judging the same made-up samples, for the tests of comparisons."""
import json
import math
import random
import unittest

import program
from scores_table import to_csv

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
