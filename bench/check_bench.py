"""Whole runs of `bonafide check`: a cold one against the loading of its models, and two jobs against one.

usage: check_bench.py BONAFIDE LOAD_BENCH DATA_DIR WEIGHTS_DIR SAMPLES_DIR

Runs alternate, so that a machine whose speed drifts slows both sides alike; medians are compared.
"""
import os
import pathlib
import resource
import statistics
import subprocess
import sys
import time

COLD_ROUNDS = 15
JOB_ROUNDS = 3
COPIES = 60  # of each photo, so that starting up does not count


def wall(command):
    began = time.perf_counter()
    subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    return 1e3 * (time.perf_counter() - began)


def line(text, ratio, limit, at_most, note):
    good = ratio <= limit if at_most else ratio >= limit
    print(f"ratio {text:42} {ratio:.3f}   limit {limit:.2f}  {'ok' if good else 'OVER'}   ({note})")


def main():
    program, load_bench, data, weights, samples = sys.argv[1:6]
    photos = sorted(str(p) for p in pathlib.Path(samples).glob("person-*.jpg"))
    if not photos:
        sys.exit("check_bench: there are no sample photos")
    common = [program, "check", "--data", data, "--weights", weights]
    cold, load = [], []
    for _ in range(COLD_ROUNDS):
        cold.append(wall(common + ["--jobs", "1", photos[0]]))
        load.append(float(subprocess.check_output([load_bench, data, weights])))
    one, two = [], []
    for _ in range(JOB_ROUNDS):
        one.append(wall(common + ["--jobs", "1"] + photos * COPIES))
        two.append(wall(common + ["--jobs", "2"] + photos * COPIES))
    m = statistics.median
    line("cold-check / models'-load-time", m(cold) / m(load), 2.5, True, f"{m(cold):.0f} / {m(load):.0f} ms")
    if (os.cpu_count() or 1) >= 2:
        line("one-job / two-jobs", m(one) / m(two), 1.8, False,
             f"{m(one):.0f} / {m(two):.0f} ms, {len(photos) * COPIES} photos")
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print(f"peak memory of a whole `bonafide check` with up to two jobs: {peak:.0f} MB   limit 250 MB  "
          f"{'ok' if peak < 250 else 'OVER'}")


if __name__ == "__main__":
    main()
