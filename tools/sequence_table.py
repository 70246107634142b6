#!/usr/bin/env python3
"""What every detector said of a set of clips, as tables in Markdown.

usage: bonafide check --jsonl --full-evidence [--flow NAME] CLIP ... | tools/sequence_table.py [MANIFEST.csv]

MANIFEST.csv has a line for each clip with its `path` and its `label` ("live", "spoof/replay"); without it nothing is
known of the truth. Only numbers and names of findings are written, nothing of what is to be seen.
"""
import csv
import json
import os
import sys

# From this log-likelihood ratio on a detector is said to have told the clip.
TELLING = 1.0


def short(name):
    """A clip's name without folder and ending, and without the long numbers that some collections use."""
    stem = os.path.splitext(os.path.basename(name))[0]
    return "_".join(part[:6] if len(part) > 20 else part for part in stem.split("_"))


def number(value, digits=2):
    return "-" if value is None else f"{value:+.{digits}f}"


def read_truth(path):
    if path is None:
        return {}
    with open(path, encoding="utf-8", newline="") as file:
        return {row["path"]: row["label"].split("/")[0].split(" ")[0] for row in csv.DictReader(file)}


def verdict(record):
    if record["result"]:
        return f"{record['result']['label']} {record['result']['score']:.1f}"
    return record["error"]["code"].lower().replace("_", " ")


def told_by(record, truth):
    """The detectors that say clearly what is true, and what the track noticed."""
    found = [(abs(one["llr"]), f"{one['detector']} ({number(one['llr'])})") for one in record["evidence"]
             if one["llr"] is not None and abs(one["llr"]) >= TELLING and (one["llr"] > 0) == (truth == "live")]
    names = [text for _, text in sorted(found, reverse=True)]
    track = record["capture"]["track"]
    if truth != "live" and record["error"] and record["error"]["code"] == "MULTIPLE_FACES" and track:
        names.insert(0, f"second person for {track['second_face_ms'] / 1e3:.1f} s")
    return ", ".join(names) if names else "-"


def write_table(head, rows):
    print("| " + " | ".join(head) + " |")
    print("|" + "---|" * len(head))
    for row in rows:
        print("| " + " | ".join(row) + " |")
    print()


def main(manifest=None):
    truth = read_truth(manifest)
    records = [json.loads(line) for line in sys.stdin if line.strip()]
    records = [record for record in records if record["capture"]["kind"] != "still"]
    if not records:
        sys.exit("sequence_table: there is no record of a burst or a video on standard input.")
    detectors = []
    for record in records:
        detectors += [one["detector"] for one in record["evidence"] if one["detector"] not in detectors]
    verdicts, ratios, noticed = [], [], []
    for record in sorted(records, key=lambda record: short(record["request_id"] or "")):
        name = record["request_id"] or ""
        label = truth.get(os.path.basename(name), "?")
        capture, llr = record["capture"], {one["detector"]: one["llr"] for one in record["evidence"]}
        verdicts.append([short(name), label, verdict(record), record["decision"]["decision"], told_by(record, label)])
        ratios.append([short(name), label] + [number(llr.get(detector)) for detector in detectors])
        codes = [f"{one['detector'].removeprefix('sequence.')}: {finding['code']}"
                 + (f" at {finding['ms'] / 1e3:.1f} s" if finding["ms"] is not None else "")
                 for one in capture["sequence"] for finding in one["findings"]]
        codes += [f"{signal['name']} ({signal['severity']})" for signal in capture["signals"]]
        if capture["track"]["breaks"]:
            codes.append(f"track: broken at {capture['track']['break_ms'] / 1e3:.1f} s")
        noticed.append([short(name), f"{capture['duration_ms'] / 1e3:.1f}", str(capture["frames"]["analysed"]),
                        str(len(capture["chosen"])), "; ".join(codes) if codes else "-"])
    write_table(["clip", "truth", "verdict", "decision", "told by (log-likelihood ratio)"], verdicts)
    write_table(["clip", "truth"] + detectors, ratios)
    write_table(["clip", "seconds", "frames analysed", "chosen", "noticed"], noticed)


if __name__ == "__main__":
    if len(sys.argv) > 2 or (len(sys.argv) == 2 and sys.argv[1] in ("-h", "--help")):
        sys.exit(__doc__)
    main(*sys.argv[1:])
