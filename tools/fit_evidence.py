#!/usr/bin/env python3
"""Fits what turns evidence into a score, and says how good it is.

usage: tools/fit_evidence.py EVIDENCE.jsonl MANIFEST.csv [--texture PROGRAM] [--mirrored FILE] [--data DIR]
                             [--release VERSION] [--report FILE] [--dry-run]

EVIDENCE.jsonl   records of `bonafide check --jsonl --full-evidence` on the data set (joined to the manifest by the
                 sha256 of each photo)
MANIFEST.csv     path (relative to the manifest), label (live, spoof), attack_type, person_id, source, sha256
--texture        build/tools/texture_features, to fit the weights of passive.texture too; without it the records' own
                 raw values are calibrated
--mirrored       records of the same photos taken with --mirror, to say what mirroring gains (no file depends on it)
--data           where models/, calibration/ and fusion/ are (the repository)
--release        version written into the files (1.0.0)
--report         also write the figures as Markdown
--dry-run        write no model, calibration or fusion file, and no figures into the model cards

Needs Debian's python3-numpy. What is fitted, and why so:
- Attacks of the types in pad_figures.UNFITTED are never fitted on, only reported: no detector here can see them.
- Every sample weighs such that both classes count the same and a source with n samples of a class counts as sqrt(n):
  otherwise one data set with most of the photos would decide alone.
- Logistic models are regularised (RIDGE) on standardised inputs; calibrations never fall (slope > 0) and are clamped;
  fusion weights shrink towards one common weight.
- Cross-validation refits everything (texture weights, calibrations, fusion) without the persons, or the source, that
  are judged. Scores of a model are never calibrated on the photos it was fitted on.
"""
import argparse
import collections
import csv
import hashlib
import json
import pathlib
import subprocess
import sys

import numpy as np

from pad_cards import write_cards
from pad_figures import LIVE_PRIOR, UNFITTED, cost_table, describe, gain_table, response_table, table

# Penalty on the squares of standardised coefficients; "deviation": of fusion weights from their common weight.
RIDGE = {"texture": 1.0, "platt": 10.0, "fusion": 3.0, "deviation": 300.0}
SLOPE_MIN = 0.001
WEIGHT_MIN = 0.01
# What a detector may claim at most, natural log. A few hundred photos of a few people cannot support more.
LLR_RANGE = {"passive.texture": (-2.0, 2.0), "passive.spectrum": (-2.0, 0.1), "passive.context": (-3.0, 0.1)}
NETWORK_LLR_RANGE = (-5.0, 5.0)
FUSED_LLR_RANGE = (-6.0, 6.0)
# Name, detectors it needs, detectors that only speak against. In order of preference. Own detectors that are in none
# are calibrated and reported, and run on demand only.
CONTEXT, SPECTRUM = ("passive.context",), ("passive.spectrum",)
CONFIGURATIONS = (
    ("dual-passive", ("passive-fr", "silentface-v2", "passive.texture"), CONTEXT),
    ("dual-networks", ("passive-fr", "silentface-v2"), CONTEXT),
    ("default", ("passive-fr", "passive.texture"), CONTEXT),
    ("network-only", ("passive-fr",), CONTEXT),
)
# What speaks of a clip as a whole is not fitted here, since the corpus is of photos. It counts only against, but for
# what was asked just now; steps count for half, because who drives a picture can make it do them.
CLIP_AGAINST = (("sequence.consistency", 1), ("sequence.motion", 1), ("sequence.stream", 1))
CLIP_BESIDES = (("sequence.challenge", 0.5), ("sequence.flash", 1))
COMPARED = (  # reported only: what the shipped configurations were chosen from
    ("dual-passive, no context", ("passive-fr", "silentface-v2", "passive.texture"), ()),
    ("default, no context", ("passive-fr", "passive.texture"), ()),
    ("dual-passive, spectrum too", ("passive-fr", "silentface-v2", "passive.texture"), CONTEXT + SPECTRUM),
    ("default, spectrum too", ("passive-fr", "passive.texture"), CONTEXT + SPECTRUM),
    ("silentface-v2 and texture", ("silentface-v2", "passive.texture"), CONTEXT),
)
MIRRORED = " mirrored"  # added to a network's name for its evidence from the mirrored run
COMPARED_MIRRORED = (
    ("dual-passive, mirrored", ("passive-fr mirrored", "silentface-v2 mirrored", "passive.texture"), CONTEXT),
    ("default, mirrored", ("passive-fr mirrored", "passive.texture"), CONTEXT),
)
QUESTIONS = (  # does the first beat the second by more than chance?
    ("dual-networks", "network-only"), ("default", "network-only"), ("dual-passive", "dual-networks"),
    ("dual-passive", "default"), ("dual-passive", "silentface-v2 and texture"),
    ("dual-passive", "dual-passive, no context"), ("default", "default, no context"),
    ("dual-passive, spectrum too", "dual-passive"), ("default, spectrum too", "default"),
    ("dual-passive, mirrored", "dual-passive"), ("default, mirrored", "default"),
)
TEXTURE = "passive.texture"


# ---- reading -------------------------------------------------------------------------------------------------------

def source_group(row):
    """Sources of one collector share persons and cameras: they are held out together."""
    return row["source"].split("/")[0]


def read_samples(evidence_path, manifest_path):
    manifest = {row["sha256"]: row for row in csv.DictReader(open(manifest_path, newline="", encoding="utf-8"))}
    samples, strangers = [], 0
    for line in open(evidence_path, encoding="utf-8"):
        record = json.loads(line)
        row = manifest.pop(record["input"]["sha256"], None)
        if row is None:
            strangers += 1
            continue
        samples.append({
            "live": row["label"] == "live", "species": row["attack_type"] or "", "person": row["person_id"],
            "source": source_group(row), "path": row["path"], "sha256": row["sha256"],
            "judged": record["error"] is None, "code": (record["error"] or {}).get("code", "judged"),
            "box": record["diagnostics"]["primary_box"], "evidence": {e["detector"]: e for e in record["evidence"]},
            "models": record["versions"]["models"],
        })
    if strangers or manifest:
        print(f"{strangers} records are not in the manifest, {len(manifest)} photos of it have no record",
              file=sys.stderr)
    return samples


def add_mirrored(samples, path):
    by_hash = {s["sha256"]: s for s in samples}
    for line in open(path, encoding="utf-8"):
        record = json.loads(line)
        sample = by_hash.get(record["input"]["sha256"])
        for e in record["evidence"] if sample else []:
            if "." not in e["detector"]:
                sample["evidence"][e["detector"] + MIRRORED] = e


def add_texture_features(samples, program, root):
    with_face = [s for s in samples if s["box"]]
    lines = "".join("{} {} {} {} {}\n".format(*s["box"], root / s["path"]) for s in with_face)
    done = subprocess.run([program], input=lines, stdout=subprocess.PIPE, text=True, check=False)
    found = {}
    for line in done.stdout.splitlines():
        path, *numbers = line.split("\t")
        found[path] = np.array([float(n) for n in numbers])
    for s in with_face:
        s["features"] = found.get(str(root / s["path"]))
    for s in samples:  # the detector decides when it applies, the program only measures
        status = s["evidence"].get(TEXTURE, {}).get("status")
        if s.get("features") is None or status != "present":
            s["features"] = None


# ---- logistic models -----------------------------------------------------------------------------------------------

def weights_of(samples):
    """Both classes weigh the same; within a class a source of n samples weighs sqrt(n). They sum to the count."""
    counts = collections.Counter((s["live"], s["source"]) for s in samples)
    w = np.array([counts[s["live"], s["source"]] ** -0.5 for s in samples])
    live = np.array([s["live"] for s in samples])
    for side in (True, False):
        w[live == side] /= w[live == side].sum()
    return w * len(samples) / 2


def fit_logistic(x, live, weights, ridge, lower=None):
    """Weighted ridge logistic regression by Newton's method on columns in their own units; the penalty acts on
    coefficients times the column's spread. Columns whose coefficient would fall below `lower` are held there."""
    n, columns = x.shape
    mean = np.average(x, axis=0, weights=weights)
    spread = np.sqrt(np.average((x - mean) ** 2, axis=0, weights=weights)) + 1e-9
    z = np.c_[(x - mean) / spread, np.ones(n)]
    held = np.zeros(columns, bool)
    while True:
        beta = np.zeros(columns + 1)
        if lower is not None:
            beta[:columns][held] = lower * spread[held]
        free = np.r_[~held, True]
        penalty = np.diag(np.r_[np.broadcast_to(ridge, columns), 1e-6])[np.ix_(free, free)]
        for _ in range(100):
            p = 1 / (1 + np.exp(-np.clip(z @ beta, -40, 40)))
            gradient = z[:, free].T @ (weights * (live - p)) - penalty @ beta[free]
            hessian = (z[:, free] * (weights * p * (1 - p) + 1e-12)[:, None]).T @ z[:, free] + penalty
            step = np.linalg.solve(hessian, gradient)
            size = np.abs(step).max()
            beta[free] += step * min(1, 4 / max(size, 1e-12))
            if size < 1e-10:
                break
        coefficients = beta[:columns] / spread
        if lower is None or not (coefficients[~held] < lower).any():
            return coefficients, beta[columns] - float(coefficients @ mean), mean, spread
        held |= coefficients < lower


# ---- the chain: texture weights, calibrations, fusion ---------------------------------------------------------------

def with_features(samples):
    return [s for s in samples if s.get("features") is not None]


def fit_texture(samples):
    usable = with_features(samples)
    x = np.array([s["features"] for s in usable])
    live = np.array([s["live"] for s in usable], float)
    coefficients, bias, mean, spread = fit_logistic(x, live, weights_of(usable), RIDGE["texture"])
    return {"mean": mean, "scale": spread, "weight": coefficients * spread,
            "bias": bias + float(coefficients @ mean)}


def texture_raw(model, features):
    return float(model["bias"] + model["weight"] @ ((features - model["mean"]) / model["scale"]))


def fold_texture(samples):
    """Raw texture values of `samples`, each from a model that has not seen the person."""
    raws = {}
    for person in sorted({s["person"] for s in samples}):
        rest = [s for s in samples if s["person"] != person]
        model = fit_texture(rest)
        for s in with_features([s for s in samples if s["person"] == person]):
            raws[id(s)] = texture_raw(model, s["features"])
    return raws


def raw_of(sample, detector, texture_raws):
    if detector == TEXTURE and texture_raws is not None:
        return texture_raws.get(id(sample))
    evidence = sample["evidence"].get(detector)
    return evidence["raw"] if evidence and evidence["status"] == "present" else None


def llr_range(detector):
    return LLR_RANGE.get(detector, NETWORK_LLR_RANGE)


def fit_platt(samples, detector, texture_raws):
    usable = [s for s in samples if raw_of(s, detector, texture_raws) is not None]
    x = np.array([[raw_of(s, detector, texture_raws)] for s in usable])
    live = np.array([s["live"] for s in usable], float)
    slope, intercept, _, _ = fit_logistic(x, live, weights_of(usable), RIDGE["platt"], SLOPE_MIN)
    return {"slope": float(slope[0]), "intercept": float(intercept), "prior_log_odds": 0.0,
            "live": int(live.sum()), "attack": int(len(live) - live.sum())}


def llr_of(platt, detector, raw):
    low, high = llr_range(detector)
    return min(max(platt["slope"] * raw + platt["intercept"] - platt["prior_log_odds"], low), high)


def llrs_of(chain, sample, detectors, texture_raws):
    raws = [raw_of(sample, d, texture_raws) for d in detectors]
    if any(raw is None for raw in raws):
        return None
    return [llr_of(chain["platt"][d], d, raw) for d, raw in zip(detectors, raws)]


def fit_fusion(chain, samples, needs, texture_raws):
    """Weights shrink towards one common weight rather than towards zero: the ratios between detectors are what a small
    data set of few cameras knows least about. What only speaks against gets the mean weight and no part in the bias, so
    that its silence neither lifts nor lowers."""
    pairs = [(s, llrs_of(chain, s, needs, texture_raws)) for s in samples]
    usable = [s for s, llrs in pairs if llrs]
    llrs = np.array([llrs for _, llrs in pairs if llrs])
    live = np.array([s["live"] for s in usable], float)
    ridge = np.r_[RIDGE["fusion"], np.full(len(needs), RIDGE["deviation"])]
    x = np.c_[llrs.sum(axis=1), llrs]
    coefficients, bias, _, _ = fit_logistic(x, live, weights_of(usable), ridge)
    weights = np.maximum(coefficients[0] + coefficients[1:], WEIGHT_MIN)
    return {"weights": [float(w) for w in weights], "against": float(weights.mean()), "bias": float(bias)}


def fuse(chain, sample, configuration, texture_raws):
    """The fused llr, or None when something that is needed is absent; the same rule as src/fuse."""
    name, needs, against = configuration
    llrs, fusion = llrs_of(chain, sample, needs, texture_raws), chain["fusion"][name]
    if llrs is None:
        return None
    total = fusion["bias"] + sum(w * llr for w, llr in zip(fusion["weights"], llrs))
    for detector in against:
        found = llrs_of(chain, sample, (detector,), texture_raws)
        total += fusion["against"] * min(found[0], 0) if found else 0
    return min(max(total, FUSED_LLR_RANGE[0]), FUSED_LLR_RANGE[1])


def fit_chain(samples, configurations, detectors, has_texture):
    """Everything that ships, from the samples of one training set."""
    fitted = [s for s in samples if s["species"] not in UNFITTED]
    chain = {"texture": fit_texture(fitted) if has_texture else None, "platt": {}, "fusion": {}}
    texture_raws = fold_texture(fitted) if has_texture else None
    for detector in detectors:
        chain["platt"][detector] = fit_platt(fitted, detector, texture_raws)
    for name, needs, _ in configurations:
        chain["fusion"][name] = fit_fusion(chain, fitted, needs, texture_raws)
    return chain


def judge(chain, samples, configurations, detectors):
    """The fused llr of every configuration and the llr of every detector alone, for samples the chain has not seen."""
    raws = None
    if chain["texture"]:
        raws = {id(s): texture_raw(chain["texture"], s["features"]) for s in with_features(samples)}
    for s in samples:
        for detector in detectors:
            llrs = llrs_of(chain, s, (detector,), raws)
            s["llr"][detector] = llrs[0] if llrs else None
        for configuration in configurations:
            s["llr"][configuration[0]] = fuse(chain, s, configuration, raws)


def cross_validate(samples, key, configurations, detectors, has_texture):
    """Scores each sample by a chain fitted without its group. Groups that are only unfitted attacks (or without a
    group) are scored by the chain of all others."""
    for s in samples:
        s["llr"] = {}
    for group in sorted({s[key] for s in samples}):
        held = [s for s in samples if s[key] == group]
        rest = [s for s in samples if s[key] != group]
        judge(fit_chain(rest, configurations, detectors, has_texture), held, configurations, detectors)
    return [dict(s["llr"]) for s in samples]


# ---- writing -------------------------------------------------------------------------------------------------------

def number(value):
    return f"{value:.6g}"


def texture_names(data):
    """The order of the features, from the model file that is being replaced."""
    text = (data / "models" / TEXTURE / "model.yaml").read_text(encoding="utf-8")
    return [line.split("name: ")[1].split(",")[0] for line in text.splitlines() if line.startswith("  - {name: ")]


def write_texture(data, model, release):
    lines = ["# Weights of the texture model, fitted by tools/fit_evidence.py; see card.md.", "format: 1",
             f"name: {TEXTURE}", f"version: {release}", f"bias: {number(model['bias'])}", "features:"]
    for row in zip(texture_names(data), model["mean"], model["scale"], model["weight"]):
        lines.append("  - {{name: {}, mean: {}, scale: {}, weight: {}}}".format(row[0], *map(number, row[1:])))
    text = "\n".join(lines) + "\n"
    (data / "models" / TEXTURE / "model.yaml").write_text(text, encoding="utf-8")
    return f"{release}+{hashlib.sha256(text.encode()).hexdigest()[:12]}"


def write_calibration(data, detector, platt, version, sha256, release, dataset):
    low, high = llr_range(detector)
    text = (f"# Fitted by tools/fit_evidence.py on {dataset}; figures in docs/results/passive.md.\n"
            f"format: 1\ndetector: {detector}\nversion: {release}\nfitted_on:\n  detector_version: \"{version}\"\n"
            + (f"  model_sha256: {sha256}\n" if sha256 else "")
            + f"  dataset: {dataset}\n  live: {platt['live']}\n  attack: {platt['attack']}\n"
            f"platt:\n  slope: {number(platt['slope'])}\n  intercept: {number(platt['intercept'])}\n"
            f"  prior_log_odds: {number(platt['prior_log_odds'])}\nllr:\n  min: {number(low)}\n  max: {number(high)}\n")
    (data / "calibration" / f"{detector}.yaml").write_text(text, encoding="utf-8")


def write_fusion(data, chain, configurations, release, dataset):
    lines = [f"# Fitted by tools/fit_evidence.py on {dataset}; figures in docs/results/passive.md.",
             "# The weights of what speaks of a clip as a whole (sequence.*) are set, not fitted: see"
             " docs/results/sequences.md.",
             "format: 1",
             "name: default", f"version: {release}", f"live_prior: {number(LIVE_PRIOR)}",
             f"llr: {{min: {number(FUSED_LLR_RANGE[0])}, max: {number(FUSED_LLR_RANGE[1])}}}", "configurations:"]
    for name, needs, against in configurations:
        fusion = chain["fusion"][name]
        lines += [f"  - name: {name}", f"    bias: {number(fusion['bias'])}", "    needs:"]
        lines += [f"      {d}: {number(w)}" for d, w in zip(needs, fusion["weights"])]
        lines += ["    against:"] + [f"      {d}: {number(fusion['against'])}" for d in against]
        lines += [f"      {d}: {number(w)}" for d, w in CLIP_AGAINST]
        lines += ["    besides:"] + [f"      {d}: {number(w)}" for d, w in CLIP_BESIDES]
    (data / "fusion" / "default.yaml").write_text("\n".join(lines) + "\n", encoding="utf-8")


def manifest_sha256(data, detector):
    """Hash of the published weights that the model's manifest states, or "" (own detectors, golden vectors)."""
    path = data / "models" / detector / "manifest.yaml"
    if not path.is_file():
        return ""
    hashes = [line.split()[1] for line in path.read_text(encoding="utf-8").splitlines()
              if line.strip().startswith("sha256:")]
    return hashes[0] if hashes else ""


def write_files(data, chain, samples, detectors, configurations, release, dataset):
    versions = {}
    for s in samples:
        for name, evidence in s["evidence"].items():
            versions[name] = evidence["version"]
    if chain["texture"]:
        versions[TEXTURE] = write_texture(data, chain["texture"], release)
    for detector in detectors:
        write_calibration(data, detector, chain["platt"][detector], versions[detector],
                          manifest_sha256(data, detector), release, dataset)
    write_fusion(data, chain, configurations, release, dataset)


def main():
    parser = argparse.ArgumentParser(usage=__doc__.split("\n\n")[1].replace("usage: ", ""))
    parser.add_argument("evidence", type=pathlib.Path)
    parser.add_argument("manifest", type=pathlib.Path)
    parser.add_argument("--texture")
    parser.add_argument("--mirrored", type=pathlib.Path)
    parser.add_argument("--data", type=pathlib.Path, default=pathlib.Path("."))
    parser.add_argument("--release", default="1.0.0")
    parser.add_argument("--report", type=pathlib.Path)
    parser.add_argument("--dry-run", action="store_true")
    options = parser.parse_args()
    samples = read_samples(options.evidence, options.manifest)
    if options.texture:
        add_texture_features(samples, options.texture, options.manifest.parent)
    if options.mirrored:
        add_mirrored(samples, options.mirrored)
    detectors = sorted({d for s in samples for d in s["evidence"]}, key=lambda d: ("." in d, d))
    shipped = [d for d in detectors if not d.endswith(MIRRORED)]
    tried = CONFIGURATIONS + COMPARED + (COMPARED_MIRRORED if options.mirrored else ())
    tried = tuple(configuration for configuration in tried if set(configuration[1]) <= set(detectors))
    configurations = [configuration for configuration in CONFIGURATIONS if configuration in tried]
    for name, needs, _ in CONFIGURATIONS:
        if not set(needs) <= set(detectors):
            print(f"no evidence for the configuration {name}: it will not be in the fusion file", file=sys.stderr)
    names = shipped + [configuration[0] for configuration in configurations]
    has_texture = options.texture is not None
    questions = [pair for pair in QUESTIONS if set(pair) <= {configuration[0] for configuration in tried}]
    person = cross_validate(samples, "person", tried, detectors, has_texture)
    source = cross_validate(samples, "source", tried, detectors, has_texture)
    parts = ["### What was judged\n\n" + describe(samples),
             "### What the quality gate lets through (account_opening)\n\n" + response_table(samples),
             "### Cost\n\n" + cost_table(samples, shipped),
             "### Does it earn its time?\n\n" + gain_table(samples, person, source, questions),
             "### All photos with a face, persons held out in turn\n\n" + table(samples, person, names, False),
             "### All photos with a face, sources held out in turn\n\n" + table(samples, source, names, False),
             "### Photos that pass the quality gate, persons held out in turn\n\n"
             + table(samples, person, names, True),
             "### Photos that pass the quality gate, sources held out in turn\n\n"
             + table(samples, source, names, True)]
    text = "\n\n".join(parts) + "\n"
    print(text)
    chain = fit_chain(samples, tried, detectors, has_texture)
    dataset = f"the development corpus ({len(samples)} photos)"
    if not options.dry_run:
        write_files(options.data, chain, samples, shipped, configurations, options.release, dataset)
        write_cards(options.data, samples, person, source)
    if options.report:
        title = ("# Figures of the passive evidence\n\n"
                 "Written by tools/fit_evidence.py; read them with [passive.md](passive.md).\n\n")
        options.report.write_text(title + text.replace("### ", "## "), encoding="utf-8")


if __name__ == "__main__":
    main()
