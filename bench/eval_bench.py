"""A million rows through `bonafide eval`, and twice as many through `bonafide compare`, on one core: how long that
takes and how much memory.

usage: eval_bench.py BONAFIDE
"""
import math
import os
import pathlib
import random
import subprocess
import sys
import tempfile
import time

ROWS = 1_000_000
PERSONS = 100_000
TEMPLATES = 20_000  # different scores; ids and persons differ in every row
LIMITS = {"eval": (10, 1000), "compare": (40, 1000)}  # seconds of one core, megabytes
DETECTORS = ("passive-fr", "silentface-v2", "passive.texture", "passive.spectrum", "passive.context")
MEASURES = tuple(f"Measure{i}" for i in range(20))
STAGES = ("decode", "detect", "crop", "quality", "passive", "texture", "fuse", "total")


def template(chance):
    """Label to review status, and from status to the end: what stands around person and split."""
    live = chance.random() < 0.5
    species = "" if live else chance.choice(("print", "replay_phone", "replay_tablet", "mask", "cutout", "projection"))
    llr = chance.gauss(2.5 if live else -2.5, 1.8)
    probability = 1 / (1 + math.exp(-llr))
    judged = chance.random() < 0.95
    head = ["live" if live else "spoof", "", species]
    middle = ["", chance.choice(("android", "ios", "web")), chance.choice(("low", "mid", "high")),
              chance.choice(("android_app", "ios_app", "mobile_web")), "selfie", chance.choice(("dark", "bright")),
              chance.choice(("good", "poor")), "confirmed", "", f"camera{chance.randrange(40)}", "test"]
    tail = ["ok" if judged else "could_not_judge", "", "pass", "approve" if probability >= 0.8 else "retry", "",
            f"{100 * probability:.6f}" if judged else "", f"{llr:.6f}", f"{probability:.8f}" if judged else ""]
    for _ in DETECTORS:
        tail += [f"{chance.random():.6f}", f"{chance.gauss(0, 2):.6f}", "present"]
    for _ in MEASURES:
        tail += [str(chance.randrange(101)), f"{chance.random():.6f}"]
    tail += ["true", f"{chance.uniform(40, 140):.2f}", f"{chance.random():.6f}", "strong"]
    tail += [f"{chance.uniform(1, 20):.3f}" for _ in STAGES]
    tail += ["account_opening", "selfie", "0123456789abcdef", "1.0.0", "1.0.0"]
    return ",".join(head), ",".join(middle + tail)


def write_table(path):
    columns = ["sample_id", "sha256", "label", "attack_family", "attack_type", "person_id", "session_id", "platform",
               "device_class", "channel", "capture_type", "lighting_bucket", "quality_bucket", "review_status",
               "person_group", "source", "split", "status", "code", "band", "decision", "reason", "score", "live_llr",
               "live_probability"]
    columns += [f"{part}.{name}" for name in DETECTORS for part in ("raw", "llr", "state")]
    columns += [f"{part}.{name}" for name in MEASURES for part in ("q", "n")]
    columns += ["quality_passed", "face_iod_px", "match_similarity", "match_outcome"]
    columns += [f"ms.{name}" for name in STAGES]
    columns += ["flow", "channel_asked", "stack", "policy_version", "fusion_version"]
    chance = random.Random(1)
    templates = [template(chance) for _ in range(TEMPLATES)]
    with open(path, "w", encoding="utf-8") as file:
        file.write(",".join(columns) + "\n")
        for i in range(ROWS):
            head, tail = templates[chance.randrange(TEMPLATES)]
            file.write(f"sample_{i:07d},{i:064x},{head},person_{chance.randrange(PERSONS)},{tail}\n")


def on_one_core():
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})


def measure(program, command, folder, *tables):
    began = time.perf_counter()
    process = subprocess.Popen([program, command, "--output", folder, *map(str, tables)], stdout=subprocess.DEVNULL,
                               preexec_fn=on_one_core)
    _, status, used = os.wait4(process.pid, 0)
    wall = time.perf_counter() - began
    code = os.waitstatus_to_exitcode(status)
    if code not in (0, 1, 2):  # 1 and 2 are verdicts
        sys.exit(f"{command} ended with {code}")
    seconds, megabytes = used.ru_utime + used.ru_stime, used.ru_maxrss / 1024
    seconds_max, megabytes_max = LIMITS[command]
    print(f"{command}: {seconds:.1f} s of one core   limit {seconds_max} s  "
          f"{'ok' if seconds < seconds_max else 'OVER'}   ({wall:.1f} s on the clock)")
    print(f"{command}: {megabytes:.0f} MB at its peak   limit {megabytes_max} MB  "
          f"{'ok' if megabytes < megabytes_max else 'OVER'}")


def main():
    with tempfile.TemporaryDirectory() as folder:
        table = pathlib.Path(folder, "scores.csv")
        write_table(table)
        print(f"{ROWS} rows ({table.stat().st_size / 1e6:.0f} MB)")
        measure(sys.argv[1], "eval", folder, table)
        measure(sys.argv[1], "compare", folder, table, table)


if __name__ == "__main__":
    main()
