#!/usr/bin/env python3
"""Runs every fuzz target for a while, one on each core, each with its own growing corpus in the cache.

usage: tools/run_fuzzers.py FOLDER SECONDS [NAME ...]

A target is a program FOLDER/fuzz/*_fuzz. It starts from fuzz/seeds/NAME/ (where that exists), from the seeds that
FOLDER/fuzz/fuzz_seeds writes for it (where that exists), and from what earlier runs found, kept in CACHE/fuzz/NAME/.
An input that crashes, leaks, hangs or takes too much memory is kept in CACHE/fuzz/NAME.findings/ and fails the run.
"""
import concurrent.futures
import os
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
CACHE = pathlib.Path(os.environ.get("BONAFIDE_CACHE_DIR") or ROOT / ".cache").absolute()
INPUT_SECONDS_MAX = 20
MEMORY_MB_MAX = 2048


def run(program, seconds):
    name = program.name
    corpus, findings = CACHE / "fuzz" / name, CACHE / "fuzz" / f"{name}.findings"
    corpus.mkdir(parents=True, exist_ok=True)
    findings.mkdir(exist_ok=True)
    command = [program, f"-max_total_time={seconds}", f"-timeout={INPUT_SECONDS_MAX}",
               f"-rss_limit_mb={MEMORY_MB_MAX}", f"-artifact_prefix={findings}/", "-print_final_stats=1", corpus]
    words = ROOT / "fuzz" / f"{name}.dict"
    command += [seeds for seeds in (ROOT / "fuzz" / "seeds" / name, program.parent / "seeds" / name) if seeds.is_dir()]
    if words.is_file():
        command.insert(1, f"-dict={words}")
    env = dict(os.environ, BONAFIDE_SOURCE_DIR=str(ROOT), BONAFIDE_CACHE_DIR=str(CACHE))
    env.setdefault("ASAN_OPTIONS", "allocator_may_return_null=1:detect_leaks=1")
    env.setdefault("UBSAN_OPTIONS", "halt_on_error=1:print_stacktrace=1")
    env.setdefault("LSAN_OPTIONS", f"suppressions={ROOT}/tests/lsan.supp:print_suppressions=0")
    done = subprocess.run(command, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, check=False)
    text = done.stdout.decode("utf-8", "replace")
    runs = re.search(r"number_of_executed_units:\s*(\d+)", text)
    count = runs.group(1) if runs else "?"
    if done.returncode == 0:
        print(f"fuzz: {name}: {seconds} s, {count} inputs, no finding", flush=True)
        return True
    print("\n".join(text.splitlines()[-60:]) +
          f"\nfuzz: {name}: FOUND something after {count} inputs; the input is in {findings}", flush=True)
    return False


def write_seeds(folder):
    """The seeds that are encoded rather than kept; without an encoder there are fewer of them."""
    generator = folder / "fuzz" / "fuzz_seeds"
    if generator.is_file():
        seeds = folder / "fuzz" / "seeds"
        seeds.mkdir(exist_ok=True)
        subprocess.run([generator, seeds], check=True, env=dict(os.environ, ASAN_OPTIONS="detect_leaks=0"))


def main(arguments):
    folder, seconds, names = pathlib.Path(arguments[0]).absolute(), int(arguments[1]), arguments[2:]
    programs = [path for path in sorted((folder / "fuzz").glob("*_fuzz")) if path.is_file()]
    programs = [path for path in programs if not names or path.name in names]
    if not programs:
        print("fuzz: there are no fuzz targets in this build")
        return 1
    write_seeds(folder)
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        clean = list(pool.map(lambda program: run(program, seconds), programs))
    print(f"fuzz: {clean.count(True)} targets clean, {clean.count(False)} with findings")
    return 0 if all(clean) else 1


if __name__ == "__main__":
    if len(sys.argv) < 3 or not sys.argv[2].isdigit():
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1:]))
