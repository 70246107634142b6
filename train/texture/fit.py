#!/usr/bin/env python3
"""Fits the weights of passive.texture.

usage: train/texture/fit.py SCORES FEATURES --model FILE --release VERSION
                            [--unfitted SPECIES]... [--hold-out person|source] [--out-of-fold FILE]

SCORES         scores.csv of `bonafide score` (label, species, person and source of each sample)
FEATURES       features.csv of the program beside this script, for the same dataset
--model        models/passive.texture/model.yaml, rewritten
--release      version of the new model
--unfitted     a species that is never fitted on, such as generated faces, which texture cannot show; repeatable
--hold-out     what --out-of-fold leaves out in turn: a person (default), or a source, which also is a camera
--out-of-fold  writes SCORES with raw.passive.texture from models that have not seen the sample's person or source:
               the table that calibrations and fusions must be fitted on

Needs Debian's python3-numpy. A weighted logistic regression on standardised features, with a penalty on the squares of
the coefficients. Both classes weigh the same, and within a class a source of n samples weighs sqrt(n): otherwise one
source with most of the photos would decide alone. The fit is deterministic.
"""
import argparse
import collections
import csv
import hashlib
import json
import os
import pathlib
import sys

import numpy as np

DETECTOR = "passive.texture"
RIDGE = 1.0
RAW = f"raw.{DETECTOR}"


def weights_of(live, sources):
    """One weight for each sample; together they are the count."""
    counts = collections.Counter(zip(live, sources))
    w = np.array([counts[key] ** -0.5 for key in zip(live, sources)])
    for side in (True, False):
        w[live == side] /= w[live == side].sum()
    return w * len(live) / 2


def fit(x, live, sources):
    """The model {mean, scale, weight, bias} by Newton's method."""
    w = weights_of(live, sources)
    mean = np.average(x, axis=0, weights=w)
    scale = np.sqrt(np.average((x - mean) ** 2, axis=0, weights=w)) + 1e-9
    z = np.c_[(x - mean) / scale, np.ones(len(x))]
    penalty = np.diag(np.r_[np.full(x.shape[1], RIDGE), 1e-6])
    beta = np.zeros(z.shape[1])
    for _ in range(100):
        p = 1 / (1 + np.exp(-np.clip(z @ beta, -40, 40)))
        gradient = z.T @ (w * (live - p)) - penalty @ beta
        hessian = (z * (w * p * (1 - p) + 1e-12)[:, None]).T @ z + penalty
        step = np.linalg.solve(hessian, gradient)
        size = np.abs(step).max()
        beta += step * min(1, 4 / max(size, 1e-12))
        if size < 1e-10:
            break
    return {"mean": mean, "scale": scale, "weight": beta[:-1], "bias": beta[-1]}


def raw(model, x):
    return model["bias"] + ((x - model["mean"]) / model["scale"]) @ model["weight"]


def read(scores_path, features_path):
    """The rows of the scores table, its columns, and for each row that has them its place in the features."""
    with open(scores_path, newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        rows, columns = list(reader), reader.fieldnames
    with open(features_path, newline="", encoding="utf-8") as file:
        names, *lines = csv.reader(file)
    found = {line[0]: [float(value) for value in line[1:]] for line in lines}
    if not {"sample_id", "label", "attack_type", "person_id", "source", RAW} <= set(columns):
        sys.exit(f"fit.py: {scores_path} is no table of `bonafide score`: a column is missing")
    # The detector decides when it applies; the program only measures.
    usable = [row for row in rows if row["sample_id"] in found and row[RAW] != ""
              and row.get("review_status", "") in ("", "confirmed")]
    x = np.array([found[row["sample_id"]] for row in usable])
    return rows, columns, usable, x, names[1:]


def is_live(row):
    return row["label"] in ("live", "bona_fide")


def source_group(row):
    """Sources of one collector share persons and cameras: what stands before a slash is one source."""
    return row["source"].split("/")[0]


def held_out(usable, x, live, sources, fitted, key):
    """For each usable row a raw value of a model without its person or source."""
    groups = np.array([row["person_id"] or row["sample_id"] if key == "person" else source_group(row)
                       for row in usable])
    values = np.zeros(len(usable))
    whole = fit(x[fitted], live[fitted], sources[fitted])
    for group in sorted(set(groups)):
        inside = groups == group
        rest = fitted & ~inside
        model = fit(x[rest], live[rest], sources[rest]) if (rest != fitted).any() else whole
        values[inside] = raw(model, x[inside])
    return values


def write_whole(path, text):
    """Nobody ever sees half a file."""
    part = pathlib.Path(str(path) + ".part")
    part.write_text(text, encoding="utf-8")
    os.replace(part, path)


def model_text(model, names, release):
    lines = ["# Weights of the texture model, fitted by train/texture/fit.py; see card.md.", "format: 1",
             f"name: {DETECTOR}", f"version: {release}", f"bias: {model['bias']:.6g}", "features:"]
    for row in zip(names, model["mean"], model["scale"], model["weight"]):
        lines.append("  - {{name: {}, mean: {:.6g}, scale: {:.6g}, weight: {:.6g}}}".format(*row))
    return "\n".join(lines) + "\n"


def meta_path(table):
    return table.with_name(table.name.removesuffix(".csv") + ".meta.json")


def write_meta(scores, path, version):
    """What stands beside the scores, with the new model's version: to which `bonafide calibrate` binds what it fits."""
    if meta_path(scores).is_file():
        meta = json.loads(meta_path(scores).read_text(encoding="utf-8"))
        meta.setdefault("evidence", {})[DETECTOR] = {"version": version}
        write_whole(meta_path(path), json.dumps(meta, indent=1) + "\n")


def write_scores(path, rows, columns, values):
    part = pathlib.Path(str(path) + ".part")
    with open(part, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns, lineterminator="\n")
        writer.writeheader()
        for row in rows:
            if row["sample_id"] in values:
                row = {**row, RAW: repr(float(values[row["sample_id"]]))}
            writer.writerow(row)
    os.replace(part, path)


def main():
    parser = argparse.ArgumentParser(usage=__doc__.split("\n\n")[1].replace("usage: ", ""))
    parser.add_argument("scores", type=pathlib.Path)
    parser.add_argument("features", type=pathlib.Path)
    parser.add_argument("--model", type=pathlib.Path, required=True)
    parser.add_argument("--release", required=True)
    parser.add_argument("--unfitted", action="append", default=[])
    parser.add_argument("--hold-out", choices=("person", "source"), default="person")
    parser.add_argument("--out-of-fold", type=pathlib.Path)
    options = parser.parse_args()
    rows, columns, usable, x, names = read(options.scores, options.features)
    live = np.array([is_live(row) for row in usable], bool)
    sources = np.array([source_group(row) for row in usable])
    fitted = np.array([row["attack_type"] not in options.unfitted for row in usable], bool)
    if not (live & fitted).any() or not (~live & fitted).any():
        sys.exit("fit.py: bona fide and attack presentations with features are both needed")
    text = model_text(fit(x[fitted], live[fitted], sources[fitted]), names, options.release)
    write_whole(options.model, text)
    version = f"{options.release}+{hashlib.sha256(text.encode()).hexdigest()[:12]}"
    print(f"{options.model}: {version}, fitted on "
          f"{int((live & fitted).sum())} bona fide and {int((~live & fitted).sum())} attack presentations")
    if options.out_of_fold:
        values = held_out(usable, x, live, sources, fitted, options.hold_out)
        write_scores(options.out_of_fold, rows, columns, {r["sample_id"]: v for r, v in zip(usable, values)})
        write_meta(options.scores, options.out_of_fold, version)
        print(f"{options.out_of_fold}: {RAW} held out by {options.hold_out}")


if __name__ == "__main__":
    main()
