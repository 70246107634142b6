#!/usr/bin/env python3
"""Runs the test programs that meson knows and counts single test cases.

usage: tools/run_tests.py [--suite NAME] [--without NAME] [--name PART] [--jobs N] FOLDER[:SUITE] ...

Each FOLDER is a configured and built build folder; with :SUITE only the tests of that suite run there. Suite `slow`
runs only when named. A test program writes TAP (cmocka does when told so by the environment; tests/lib/tap.py does
for Python). One that writes none counts as a single case, judged by its exit code. A program that crashes, runs out
of time, writes fewer cases than it planned or exits non-zero without a failed case counts as one failure more.

The last line is `N passed, N failed, N skipped`. The exit code is 0 only when nothing failed and something passed.
"""
import argparse
import concurrent.futures
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import time

RESULT = re.compile(r"^\s*(not ok|ok)\b\s*(\d+)?\s*(?:-\s*)?(.*)$")
PLAN = re.compile(r"^\s*1\.\.(\d+)\s*(#.*)?$")
SKIP = re.compile(r"#\s*SKIP\b\s*", re.IGNORECASE)
MESON_SKIP = 77


class Outcome:
    """What one program said: names of its cases by result, and its output for when something failed."""

    def __init__(self, name):
        self.name = name
        self.passed, self.failed, self.skipped = [], [], []
        self.output = ""
        self.seconds = 0.0


def read_tap(outcome):
    planned = 0
    for line in outcome.output.splitlines():
        if plan := PLAN.match(line):
            planned += int(plan.group(1))
        elif result := RESULT.match(line):
            verdict, _, text = result.groups()
            if SKIP.search(text):
                outcome.skipped.append(SKIP.sub("", text).strip() or "?")
            elif verdict == "ok":
                outcome.passed.append(text)
            else:
                outcome.failed.append(text)
    return planned


def judge(outcome, code, timed_out, timeout):
    """Adds what the exit code says and the cases did not."""
    planned = read_tap(outcome)
    seen = len(outcome.passed) + len(outcome.failed) + len(outcome.skipped)
    if timed_out:
        outcome.failed.append(f"the program was still running after {timeout} s")
    elif code < 0:
        outcome.failed.append(f"the program was ended by {signal.Signals(-code).name}")
    elif seen == 0 and code == MESON_SKIP:
        outcome.skipped.append("the whole program")
    elif seen == 0 and planned == 0:
        (outcome.failed if code else outcome.passed).append(f"exit code {code}")
    elif seen < planned:
        outcome.failed.append(f"the program stopped after {seen} of {planned} cases (exit code {code})")
    elif code != 0 and not outcome.failed:
        outcome.failed.append(f"every case passed but the exit code is {code}")


def run(folder, test):
    outcome = Outcome(f"{folder}: {test['name']}")
    env = dict(os.environ, **test["env"])
    env["CMOCKA_MESSAGE_OUTPUT"] = "TAP"
    env.setdefault("ASAN_OPTIONS", "abort_on_error=1:allocator_may_return_null=1:detect_leaks=1")
    env.setdefault("UBSAN_OPTIONS", "halt_on_error=1:abort_on_error=1:print_stacktrace=1")
    env.setdefault("TSAN_OPTIONS", "halt_on_error=1:second_deadlock_stack=1")
    # A test that needs more than its promised time is wrong; sanitizers make it slow, not endless.
    timeout = test["timeout"] or 300
    start = time.monotonic()
    code, timed_out = 0, False
    with subprocess.Popen(test["cmd"], cwd=test["workdir"] or folder, env=env, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True) as process:
        try:
            output, _ = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            timed_out = True
            os.killpg(process.pid, signal.SIGKILL)
            output, _ = process.communicate()
        code = process.returncode
    outcome.seconds = time.monotonic() - start
    outcome.output = output.decode("utf-8", "replace")
    judge(outcome, code, timed_out, timeout)
    return outcome


def report(outcome):
    counts = f"{len(outcome.passed)} passed"
    if outcome.failed:
        counts += f", {len(outcome.failed)} FAILED"
    if outcome.skipped:
        counts += f", {len(outcome.skipped)} skipped"
    print(f"{outcome.name}: {counts} ({outcome.seconds:.1f} s)", flush=True)
    if not outcome.failed:
        return
    for name in outcome.failed:
        print(f"    FAILED: {name}")
    lines = [line for line in outcome.output.splitlines() if not re.match(r"^\s*ok\b", line)]
    if len(lines) > 120:
        lines = lines[:60] + [f"... {len(lines) - 120} lines left out ..."] + lines[-60:]
    print("\n".join("    | " + line for line in lines), flush=True)


def suites_of(test):
    return {suite.split(":")[-1] for suite in test["suite"]}


def select(options):
    """Pairs of a build folder and one of its tests, in the order of the command line."""
    chosen = []
    for place in options.folders:
        folder, _, suite = place.partition(":")
        told = subprocess.run(["meson", "introspect", "--tests", folder], check=True, stdout=subprocess.PIPE).stdout
        for test in json.loads(told):
            suites = suites_of(test)
            named = {suite, options.suite} - {"", None}
            if not named <= suites or suites & set(options.without) or ("slow" in suites and "slow" not in named):
                continue
            if options.name and options.name not in test["name"]:
                continue
            chosen.append((folder, test))
    return chosen


def main():
    parser = argparse.ArgumentParser(usage=__doc__.split("\n\n")[1].removeprefix("usage: "), add_help=True)
    parser.add_argument("--suite")
    parser.add_argument("--without", action="append", default=[])
    parser.add_argument("--name")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("folders", nargs="+")
    options = parser.parse_args()

    chosen = select(options)
    # Tests that measure time or share a resource say is_parallel: false and run alone, after the others.
    together = [pair for pair in chosen if pair[1]["is_parallel"]]
    alone = [pair for pair in chosen if not pair[1]["is_parallel"]]
    outcomes = []
    with concurrent.futures.ThreadPoolExecutor(max(1, options.jobs)) as pool:
        for done in concurrent.futures.as_completed([pool.submit(run, *pair) for pair in together]):
            outcomes.append(done.result())
            report(outcomes[-1])
    for pair in alone:
        outcomes.append(run(*pair))
        report(outcomes[-1])

    skipped = [f"{outcome.name}: {case}" for outcome in outcomes for case in outcome.skipped]
    if skipped:
        print("skipped:\n" + "\n".join("    " + line for line in sorted(skipped)))
    failed = [f"{outcome.name}: {case}" for outcome in outcomes for case in outcome.failed]
    if failed:
        print("failed:\n" + "\n".join("    " + line for line in sorted(failed)))
    passed = sum(len(outcome.passed) for outcome in outcomes)
    print(f"{passed} passed, {len(failed)} failed, {len(skipped)} skipped")
    return 0 if passed and not failed else 1


if __name__ == "__main__":
    sys.exit(main())
