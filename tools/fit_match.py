#!/usr/bin/env python3
"""Fits the match calibration from pair similarities and says what bands would cost.

usage: tools/fit_match.py pairs.csv calibration/match-fr.yaml VERSION DETECTOR_VERSION MODEL_SHA256

pairs.csv comes from build/tools/pair_similarities. Persons weigh equally, whatever the number of their pictures: a pair
of the same person counts 1 / (pairs of that person), a pair of two persons 1 / (pairs of these two), and both classes
get the same total. Needs numpy.
"""
import collections
import csv
import sys

import numpy as np


def fit(x, y, w, ridge=1e-3, rounds=100):
    """Weighted logistic regression on one value, by Newton's method; returns slope and intercept."""
    design = np.column_stack([x, np.ones_like(x)])
    beta = np.zeros(2)
    for _ in range(rounds):
        p = 1 / (1 + np.exp(-design @ beta))
        gradient = design.T @ (w * (y - p)) - ridge * beta
        hessian = (design * (w * p * (1 - p))[:, None]).T @ design + ridge * np.eye(2)
        step = np.linalg.solve(hessian, gradient)
        beta += step
        if np.abs(step).max() < 1e-9:
            break
    return beta


def main():
    pairs_path, out_path, version, detector_version, sha256 = sys.argv[1:6]
    rows = list(csv.DictReader(open(pairs_path, newline="")))
    x = np.array([float(r["similarity"]) for r in rows])
    y = np.array([float(r["same"]) for r in rows])
    keys = [tuple(sorted((r["person_a"], r["person_b"]))) for r in rows]
    counts = collections.Counter(keys)
    w = np.array([1 / counts[k] for k in keys])
    for value in (0, 1):
        w[y == value] *= 100 / w[y == value].sum()
    slope, intercept = fit(x, y, w)
    print(f"slope {slope:.3f} intercept {intercept:.3f}, LLR is 0 at {-intercept / slope:.3f}")
    for t in np.arange(0.25, 0.61, 0.05):
        missed, taken = (x[y == 1] < t).mean(), (x[y == 0] >= t).mean()
        print(f"similarity >= {t:.2f}: FNMR {100 * missed:.2f} %, FMR {100 * taken:.3f} %")
    with open(out_path, "w") as out:
        out.write(f"""# Fitted by tools/fit_match.py; see models/match-fr/card.md.
format: 1
detector: match-fr
version: {version}
fitted_on:
  detector_version: "{detector_version}"
  model_sha256: {sha256}
  dataset: development corpus, {len(set(p for k in keys for p in k))} people, all pairs
  live: {int(y.sum())}
  attack: {int((1 - y).sum())}
platt:
  slope: {slope:.4f}
  intercept: {intercept:.4f}
  prior_log_odds: 0
llr:
  min: -6
  max: 6
""")


if __name__ == "__main__":
    main()
