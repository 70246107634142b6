"""bonafide compare: its figures against plain definitions and independent implementations."""
import csv
import math
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
import tap  # noqa: E402
from releases import SPECIES, WithTables, experiment, judge, make_samples  # noqa: E402

try:
    import numpy
    import scipy.optimize
    import scipy.stats
    import sklearn.metrics
except ImportError:
    sklearn = None


def judged(rows, label, species=None):
    return {row["sample_id"]: float(row["score"]) for row in rows if row["status"] == "ok" and row["label"] == label
            and species in (None, row["attack_type"])}


class Figures(WithTables):
    """Against plain definitions."""

    def setUp(self):
        super().setUp()
        samples = make_samples(1500)
        self.a, self.b = judge(samples, 1), judge(samples, 2, shift=0.4, stack="b")
        self.told = self.report(self.a, self.b, text=experiment(secondary="apcer(print), apnrr, latency_p95(total)"))

    def metric(self, name):
        return next(part["contrast"] for part in self.told["metrics"] if part["metric"] == name)

    def test_rates_and_pairs(self):
        for kind in self.told["kinds"]:
            label = "spoof" if kind["species"] else "live"
            a, b = (judged(rows, label, kind["species"]) for rows in (self.a, self.b))
            wrong = (lambda score: score >= 80) if kind["species"] else (lambda score: score < 80)
            error = kind["error"]
            self.assertAlmostEqual(error["a"], sum(map(wrong, a.values())) / len(a), places=8)
            self.assertAlmostEqual(error["b"], sum(map(wrong, b.values())) / len(b), places=8)
            self.assertAlmostEqual(error["difference"], error["b"] - error["a"], places=8)
            both = a.keys() & b.keys()
            self.assertEqual(error["paired"]["pairs"], len(both))
            self.assertEqual(error["paired"]["only_b_wrong"], sum(wrong(b[s]) and not wrong(a[s]) for s in both))
            self.assertEqual(error["paired"]["only_a_wrong"], sum(wrong(a[s]) and not wrong(b[s]) for s in both))
            low, high = error["interval"]
            for part in (error["by_person"], error["paired"]["interval"]):
                self.assertTrue(part is None or low <= part[0] <= part[1] <= high)

    def test_the_maximum_is_that_of_each_release(self):
        worst = max(kind["error"]["a"] for kind in self.told["kinds"][1:])
        self.assertEqual(self.metric("max_apcer")["a"], worst)
        self.assertEqual(self.metric("apcer(print)")["b"], next(
            kind["error"]["b"] for kind in self.told["kinds"] if kind["species"] == "print"))

    def test_silence(self):
        rates = [max(sum(row["status"] != "ok" for row in rows if row["attack_type"] == species) /
                     sum(row["attack_type"] == species for row in rows) for species in SPECIES)
                 for rows in (self.a, self.b)]
        self.assertAlmostEqual(self.metric("apnrr")["a"], rates[0], places=8)
        self.assertAlmostEqual(self.metric("apnrr")["b"], rates[1], places=8)

    def test_percentiles_are_by_nearest_rank(self):
        for name, rows in (("a", self.a), ("b", self.b)):
            times = sorted(float(row["ms.total"]) for row in rows)
            self.assertAlmostEqual(self.metric("latency_p95(total)")[name], times[math.ceil(0.95 * len(times)) - 1],
                                   places=6)
            self.assertEqual(self.told["latency_ms"]["total"][name]["p95"], self.metric("latency_p95(total)")[name])

    def test_decisions_and_flips(self):
        pairs = list(zip(self.a, self.b))
        for label, name in (("live", "bona_fide"), ("spoof", "attacks")):
            for old in ("approve", "retry", "reject"):
                for new in ("approve", "retry", "reject"):
                    self.assertEqual(self.told["decisions"][name][old][new], sum(
                        a["label"] == label and (a["decision"], b["decision"]) == (old, new) for a, b in pairs))
        done = self.run_compare(self.a, self.b, "--output", self.folder / "out")
        self.assertEqual(done.stderr, "")
        with open(self.folder / "out" / "flips.csv", encoding="utf-8", newline="") as file:
            flips = list(csv.DictReader(file))
        self.assertEqual(len(flips), sum(self.told["flips"].values()))

        def answer(row):
            return "no_response" if row["status"] != "ok" else "accepted" if float(row["score"]) >= 80 else "rejected"
        expected = {a["sample_id"]: (answer(a), answer(b)) for a, b in pairs if answer(a) != answer(b)}
        self.assertEqual({row["sample_id"]: (row["answer_a"], row["answer_b"]) for row in flips}, expected)
        self.assertEqual([row["change"] for row in flips],
                         sorted((row["change"] for row in flips), key=list(self.told["flips"]).index))
        worst = [abs(float(row["difference"] or "inf")) for row in flips if row["change"] == "bona fide now rejected"]
        self.assertEqual(worst, sorted(worst, reverse=True))

    def test_thresholds_that_stand_for_those_of_a(self):
        live, attacks = judged(self.b, "live"), [judged(self.b, "spoof", species) for species in SPECIES]

        def bpcer(threshold):
            return sum(score < threshold for score in live.values()) / len(live)

        def apcer(threshold):
            return max(sum(score >= threshold for score in part.values()) / len(part) for part in attacks)
        every = sorted({*live.values(), *(score for part in attacks for score in part.values())})
        for band in self.told["bands"]:
            self.assertAlmostEqual(band["same_threshold"]["bpcer"], bpcer(band["threshold_of_a"]), places=8)
            self.assertAlmostEqual(band["same_threshold"]["max_apcer"], apcer(band["threshold_of_a"]), places=8)
            most = max(t for t in every if bpcer(t) <= band["bpcer_of_a"] + 1e-9)
            self.assertAlmostEqual(band["same_bpcer"]["threshold"], most, places=6)
            least = min(t for t in every if apcer(t) <= band["max_apcer_of_a"] + 1e-9)
            self.assertAlmostEqual(band["same_max_apcer"]["threshold"], least, places=6)

    def test_segments_split_what_the_whole_sums_up(self):
        dark = [row for row in self.told["segments"] if row["value"] == "dark"][0]
        mine = [[row for row in rows if row["lighting_bucket"] == "dark"] for rows in (self.a, self.b)]
        for name, rows in zip("ab", mine):
            live = judged(rows, "live").values()
            self.assertEqual((dark["bpcer"][name]["count"], dark["bpcer"][name]["total"]),
                             (sum(score < 80 for score in live), len(live)))
        self.assertEqual(sum(row["bpcer"]["a"]["total"] for row in self.told["segments"] if row["column"] == "channel"),
                         len(judged(self.a, "live")))


@unittest.skipIf(sklearn is None, "python3-sklearn and python3-scipy are not installed")
class Independent(WithTables):
    """Against SciPy and scikit-learn."""

    def setUp(self):
        super().setUp()
        samples = make_samples(1200, 5)
        self.a, self.b = judge(samples, 3), judge(samples, 4, shift=0.5, stack="b")
        self.told = self.report(self.a, self.b)

    def test_mcnemar_is_the_binomial_test(self):
        for kind in self.told["kinds"]:
            paired = kind["error"]["paired"]
            worse, better = paired["only_b_wrong"], paired["only_a_wrong"]
            p = scipy.stats.binomtest(worse, worse + better, 0.5).pvalue if worse + better else 1
            self.assertAlmostEqual(paired["mcnemar_p"], p, places=7)

    def test_ks(self):
        for kind in self.told["kinds"]:
            label = "spoof" if kind["species"] else "live"
            a, b = (judged(rows, label, kind["species"]) for rows in (self.a, self.b))
            both = sorted(a.keys() & b.keys())
            statistic = scipy.stats.ks_2samp([a[s] for s in both], [b[s] for s in both]).statistic
            self.assertAlmostEqual(kind["score_shift"]["ks"], statistic, places=8)
            difference = numpy.array([b[s] - a[s] for s in both])
            self.assertAlmostEqual(kind["score_shift"]["mean"], difference.mean(), places=6)
            for told, expected in zip(kind["score_shift"]["quantiles"],
                                      numpy.percentile(difference, [0, 5, 25, 50, 75, 95, 100])):
                self.assertAlmostEqual(told, expected, places=6)

    def test_figures_over_all_thresholds(self):
        for name, rows in (("a", self.a), ("b", self.b)):
            ok = [row for row in rows if row["status"] == "ok"]
            truth = numpy.array([row["label"] == "live" for row in ok])
            stated = numpy.array([float(row["live_probability"]) for row in ok])
            told = {part["metric"]: part["contrast"][name] for part in self.told["metrics"]}
            self.assertAlmostEqual(told["auc"], sklearn.metrics.roc_auc_score(truth, stated), places=5)
            weights = numpy.where(truth, 1 / truth.sum(), 1 / (~truth).sum())
            loss = sklearn.metrics.log_loss(truth, stated, sample_weight=weights)
            self.assertAlmostEqual(told["cllr"], loss / math.log(2), places=6)
            self.assertAlmostEqual(told["brier"], numpy.average((truth - stated) ** 2, weights=weights), places=6)

    def test_the_interval_of_pairs_is_what_a_score_test_does_not_reject(self):
        quantile = scipy.stats.norm.ppf(0.975)

        def statistic(n, worse, better, difference):
            def unlikely(q):
                shares = ((worse, q + difference), (better, q), (n - worse - better, 1 - 2 * q - difference))
                return -sum(k * math.log(max(share, 1e-300)) for k, share in shares if k)
            q = scipy.optimize.minimize_scalar(unlikely, bounds=(max(0, -difference), (1 - difference) / 2),
                                               method="bounded", options={"xatol": 1e-12}).x
            variance = n * (2 * q + difference * (1 - difference))
            return (worse - better - n * difference) / math.sqrt(variance)
        checked = 0
        for kind in self.told["kinds"]:
            paired = kind["error"]["paired"]
            n, worse, better = paired["pairs"], paired["only_b_wrong"], paired["only_a_wrong"]
            if worse + better == 0:
                continue
            low, high = paired["interval"]
            self.assertAlmostEqual(statistic(n, worse, better, high), -quantile, places=4)
            self.assertAlmostEqual(statistic(n, worse, better, low), quantile, places=4)
            checked += 1
        self.assertGreater(checked, 1)


tap.main()
