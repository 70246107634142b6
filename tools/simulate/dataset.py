#!/usr/bin/python3
"""Makes a dataset to try evaluation on: stills of simulated people, prints and displays, with a manifest.

usage: tools/simulate/dataset.py FOLDER PHOTO ... [--seeds N] [--jobs N] [--build DIR]

Each PHOTO is one person. For each person, seed (5) and kind a capture of two seconds is rendered and its frames are
kept as samples of one session: FOLDER/live/PERSON/*.jpg, FOLDER/spoof/TYPE/PERSON/*.jpg and FOLDER/manifest.csv. It
shows how the commands work together. What error rates come out of it says nothing about anybody's cameras.
"""
import argparse
import concurrent.futures
import csv
import hashlib
import os
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile

FRAMES = 2
# What is rendered, attack type ("" for bona fide), light.
KINDS = (
    ("live", "", "", "ordinary"), ("live", "dim", "", "dim"), ("live", "bright", "", "bright"),
    ("live", "noisy", "", "dim"), ("live", "far", "", "ordinary"), ("live", "glasses", "", "ordinary"),
    ("print_still", "", "print", "ordinary"), ("print_bent", "", "print", "ordinary"),
    ("screen", "", "replay", "ordinary"), ("screen_moved", "dim", "replay", "dim"),
)
DEVICES = (("desktop", "laptop", "desktop_web"), ("android", "phone", "mobile_web"), ("ios", "phone", "mobile_web"))
COLUMNS = ("sample_id", "path", "label", "attack_type", "person_id", "session_id", "platform", "device_class",
           "channel", "capture_type", "lighting_bucket", "source", "licence", "sha256")


def render(program, photo, what, nuisance, seed, folder):
    """The frames of one capture, as bytes."""
    command = [program, "--still", photo, "--what", what, "--seed", str(seed), "--seconds", "2",
               "--rate", str(FRAMES / 2), "--frames", folder] + (["--nuisance", nuisance] if nuisance else [])
    done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"dataset.py: {photo}, {what}: {done.stderr.strip()}")
    return [path.read_bytes() for path in sorted(pathlib.Path(folder).glob("*.jpg"))[:FRAMES]]


def one_session(work):
    """Renders and writes a session's samples; their rows."""
    options, number, photo, kind, seed = work
    what, nuisance, species, light = kind
    person, label = photo.stem, "spoof" if species else "live"
    device = random.Random(f"{person} {what} {seed}").choice(DEVICES)
    session = f"session-{number:04d}"
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        frames = render(options.build / "tools/simulate/simulate", photo, what, nuisance, seed, folder)
    for i, data in enumerate(frames):
        path = pathlib.Path(label, species, person, f"{session}-{i}.jpg")
        (options.folder / path).parent.mkdir(parents=True, exist_ok=True)
        (options.folder / path).write_bytes(data)
        rows.append((f"{session}-{i}", path, label, species, person, session, *device, "photo", light, "simulated",
                     "CC0-1.0", hashlib.sha256(data).hexdigest()))
    return rows


def main():
    parser = argparse.ArgumentParser(usage=__doc__.split("\n\n")[1].replace("usage: ", ""))
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("photos", type=pathlib.Path, nargs="+")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--build", type=pathlib.Path, default=pathlib.Path("build"))
    options = parser.parse_args()
    if options.folder.exists():
        sys.exit(f"dataset.py: {options.folder} is there already")
    work = [(photo, kind, 100 * i + seed) for i, photo in enumerate(options.photos) for kind in KINDS
            for seed in range(1, options.seeds + 1)]
    work = [(options, number, *one) for number, one in enumerate(work)]
    try:
        with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
            rows = [row for rows in pool.map(one_session, work) for row in rows]
    except BaseException:
        shutil.rmtree(options.folder, ignore_errors=True)
        raise
    with open(options.folder / "manifest.csv", "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(rows)
    print(f"{options.folder}: {len(rows)} samples of {len(options.photos)} persons")


if __name__ == "__main__":
    main()
