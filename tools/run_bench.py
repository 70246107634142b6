#!/usr/bin/env python3
"""Runs the benchmark programs that meson knows, one after the other, and lets them speak for themselves.

usage: tools/run_bench.py FOLDER
"""
import json
import os
import subprocess
import sys


def main(folder):
    told = subprocess.run(["meson", "introspect", "--benchmarks", folder], check=True, stdout=subprocess.PIPE).stdout
    benchmarks = json.loads(told)
    failed = []
    for bench in benchmarks:
        print(f"bench: {bench['name']}", flush=True)
        env = dict(os.environ, **bench["env"])
        if subprocess.run(bench["cmd"], cwd=bench["workdir"] or None, env=env, check=False).returncode != 0:
            failed.append(bench["name"])
    if failed:
        print("bench: failed: " + ", ".join(failed))
    if not benchmarks:
        print("bench: this build has no benchmark programs")
    return 1 if failed or not benchmarks else 0


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1]))
