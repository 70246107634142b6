"""Figures of presentation attack detection from log-likelihood ratios, and their tables in Markdown.

A sample is a dictionary with live (bool), species (of an attack), person, source, judged (the pipeline gave a result),
code (why not) and evidence (by detector). Scores are natural-log likelihood ratios, bona fide over attack; a
presentation is accepted when its probability at LIVE_PRIOR is at least BAND percent. After ISO/IEC 30107-3.
"""
import collections
import math

import numpy as np

UNFITTED = ("generated",)  # species that are reported beside the headline and never fitted on
LIVE_PRIOR = 0.5
BAND = 80  # percent; the default pass band of the policies
BOOTSTRAPS = 2000


def auc(live, attack):
    order = np.sort(attack)
    return float((np.searchsorted(order, live, "left") + np.searchsorted(order, live, "right")).sum()
                 / (2 * len(live) * len(attack)))


def eer(live, attack):
    best = (2.0, 1.0)
    for t in np.unique(np.r_[live, attack]):
        apcer, bpcer = float((attack >= t).mean()), float((live < t).mean())
        best = min(best, (abs(apcer - bpcer), (apcer + bpcer) / 2))
    return best[1]


def cllr(live, attack):
    """Cost of the log-likelihood ratios in bits: 0 is perfect, 1 says nothing."""
    return float(np.logaddexp(0, -live).mean() + np.logaddexp(0, attack).mean()) / (2 * math.log(2))


def binomial_tail(n, k, p):
    """P(X >= k)."""
    if p <= 0 or k <= 0:
        return float(k <= 0)
    if p >= 1:
        return 1.0
    logs = [math.lgamma(n + 1) - math.lgamma(i + 1) - math.lgamma(n - i + 1) + i * math.log(p)
            + (n - i) * math.log1p(-p) for i in range(k, n + 1)]
    return min(1.0, sum(math.exp(v) for v in logs))


def clopper_pearson(k, n, level=0.95):
    def solve(holds):
        low, high = 0.0, 1.0
        for _ in range(60):
            middle = (low + high) / 2
            low, high = (middle, high) if holds(middle) else (low, middle)
        return low
    tail = (1 - level) / 2
    lower = 0.0 if k == 0 else solve(lambda p: binomial_tail(n, k, p) < tail)
    upper = 1.0 if k == n else solve(lambda p: 1 - binomial_tail(n, k + 1, p) > tail)
    return lower, upper


def threshold_llr(percent):
    return math.log(percent / (100 - percent)) - math.log(LIVE_PRIOR / (1 - LIVE_PRIOR))


def rate(k, n):
    if n == 0:
        return "-"
    low, high = clopper_pearson(k, n)
    return f"{100 * k / n:.1f} ({100 * low:.1f}-{100 * high:.1f})"


class Scores:
    """Scores of one configuration: live, and attacks by species."""

    def __init__(self, samples, llrs, name, judged_only):
        self.live, self.species = [], collections.defaultdict(list)
        for s, llr in zip(samples, llrs):
            value = None if judged_only and not s["judged"] else llr.get(name)
            if value is not None:
                (self.live if s["live"] else self.species[s["species"]]).append(value)
        self.live = np.array(self.live)
        self.fitted = {k: np.array(v) for k, v in self.species.items() if k not in UNFITTED}
        self.attack = np.concatenate(list(self.fitted.values()))

    def usable(self):
        return len(self.live) > 0 and all(len(v) > 0 for v in self.fitted.values())

    def bpcer_at_apcer(self, target):
        """BPCER at the lowest threshold where the highest APCER of the fitted species is at most `target`."""
        t = max(-math.inf if target >= 1 else self.pass_limit(v, target) for v in self.fitted.values())
        return int((self.live <= t).sum())

    @staticmethod
    def pass_limit(values, target):
        """Attacks above this value are at most the share `target`."""
        allowed = int(math.floor(target * len(values)))
        return np.sort(values)[::-1][allowed] if allowed < len(values) else -math.inf

    def row(self, name):
        t = threshold_llr(BAND)
        passed = {k: int((v >= t).sum()) for k, v in sorted(self.fitted.items())}
        missed = int((self.live < t).sum())
        worst = max(passed, key=lambda k: passed[k] / len(self.fitted[k]))
        generated = np.array(self.species.get("generated", []))
        cells = [name, f"{auc(self.live, self.attack):.4f}", f"{100 * eer(self.live, self.attack):.1f}",
                 f"{cllr(self.live, self.attack):.3f}"]
        cells += [f"{100 * passed[k] / len(self.fitted[k]):.1f}" for k in sorted(passed)]
        cells += [rate(passed[worst], len(self.fitted[worst])), rate(missed, len(self.live)),
                  rate(self.bpcer_at_apcer(0.05), len(self.live)),
                  f"{100 * float((generated >= t).mean()):.0f}" if len(generated) else "-"]
        return cells


def table(samples, llrs, names, judged_only):
    rows, head = [], None
    for name in names:
        scores = Scores(samples, llrs, name, judged_only)
        if not scores.usable():
            continue
        species = sorted(scores.fitted)
        head = (["evidence", "AUC", "EER %", "Cllr"] + [f"APCER {s} %" for s in species]
                + ["max APCER % (95 % interval)", "BPCER % (95 % interval)", "BPCER % at max APCER 5 %",
                   "generated passed %"])
        rows.append(scores.row(name))
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows])


def cost(sample, llr):
    return float(np.logaddexp(0, -llr if sample["live"] else llr)) / math.log(2)


def gain(samples, llrs, better, worse):
    """How much lower the Cllr of `better` is than that of `worse`, where both are present, with the 95 % interval of a
    bootstrap over persons (one person's photos are not independent)."""
    people = collections.defaultdict(lambda: [0.0, 0, 0.0, 0])  # live cost saved, live, attack cost saved, attacks
    for s, llr in zip(samples, llrs):
        if s["species"] in UNFITTED or llr.get(better) is None or llr.get(worse) is None:
            continue
        cell = people[s["person"]]
        saved, at = cost(s, llr[worse]) - cost(s, llr[better]), 0 if s["live"] else 2
        cell[at] += saved
        cell[at + 1] += 1
    if not people:
        return None
    cells, rng = np.array(list(people.values())), np.random.default_rng(1)

    def difference(total):
        return (total[0] / total[1] + total[2] / total[3]) / 2 if total[1] and total[3] else None
    found = [difference(cells[rng.integers(0, len(cells), len(cells))].sum(axis=0)) for _ in range(BOOTSTRAPS)]
    low, high = np.quantile([f for f in found if f is not None], (0.025, 0.975))
    return difference(cells.sum(axis=0)), float(low), float(high)


def gain_table(samples, person, source, questions):
    lines = ["| question | gain, persons held out | gain, sources held out |", "|---|---|---|"]
    for better, worse in questions:
        found = [gain(samples, llrs, better, worse) for llrs in (person, source)]
        if None in found:
            continue
        lines.append(f"| {better} over {worse} | "
                     + " | ".join(f"{g:+.3f} ({low:+.3f} to {high:+.3f})" for g, low, high in found) + " |")
    return "\n".join(lines)


def response_table(samples):
    """What the quality gate lets through, by class and species."""
    groups = collections.defaultdict(collections.Counter)
    for s in samples:
        groups["bona fide" if s["live"] else s["species"]][s["code"]] += 1
    lines = ["| presentations | n | judged | not judged % (95 % interval) |", "|---|---|---|---|"]
    for name, codes in sorted(groups.items()):
        n = sum(codes.values())
        lines.append(f"| {name} | {n} | {codes['judged']} | {rate(n - codes['judged'], n)} |")
    return "\n".join(lines)


def cost_table(samples, detectors):
    """The fastest tenth, because whatever else the machine does only ever adds time."""
    lines = ["| detector | present | ms (10th percentile) |", "|---|---|---|"]
    for detector in detectors:
        found = [s["evidence"][detector] for s in samples if detector in s["evidence"]]
        present = [e for e in found if e["status"] == "present"]
        times = [e["ms"] for e in present if e.get("ms") is not None]
        lines.append(f"| {detector} | {len(present)} of {len(found)} | "
                     + (f"{float(np.quantile(times, 0.1)):.2f}" if times else "-") + " |")
    return "\n".join(lines)


def describe(samples):
    lines = ["| source | persons | bona fide | print | replay | generated |", "|---|---|---|---|---|---|"]
    for source in sorted({s["source"] for s in samples}):
        of = [s for s in samples if s["source"] == source]
        count = collections.Counter("live" if s["live"] else s["species"] for s in of)
        persons = len({s["person"] for s in of if s["person"]})
        lines.append(f"| {source} | {persons} | {count['live']} | {count['print']} | {count['replay']} | "
                     f"{count['generated']} |")
    return "\n".join(lines)
