#!/usr/bin/env python3
"""Checks the layout of the C code, runs the analyser, and checks the types of the web page and its tests; every finding
fails.

usage: tools/lint.py FOLDER    (a configured build folder, for its compile_commands.json)
"""
import concurrent.futures
import json
import os
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
CACHE = pathlib.Path(os.environ.get("BONAFIDE_CACHE_DIR") or ROOT / ".cache").absolute()


def tracked(*patterns):
    done = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard", *patterns], cwd=ROOT,
                          check=True, stdout=subprocess.PIPE, text=True)
    return [name for name in done.stdout.splitlines() if (ROOT / name).is_file()]


def layout_is_right():
    files = tracked("*.c", "*.h")
    print(f"lint: layout of {len(files)} files", flush=True)
    done = subprocess.run(["clang-format", "--dry-run", *files], cwd=ROOT, check=False, stderr=subprocess.PIPE,
                          text=True)
    wrong = sorted({line.split(":")[0] for line in done.stderr.splitlines() if "-Wclang-format-violations" in line})
    for name in wrong:
        print(f"lint: {name} is not laid out as .clang-format says; `make format` does that")
    return done.returncode == 0 and not wrong


def analyse(folder, name):
    """One file a process: with several, version 14 carries state over and finds what is not there."""
    done = subprocess.run(["clang-tidy", "-p", str(folder), "--quiet", name], cwd=ROOT, check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    return done.returncode, done.stdout


def analyser_finds_nothing(folder):
    commands = json.loads((folder / "compile_commands.json").read_text())
    names = {os.path.normpath(os.path.join(command["directory"], command["file"])) for command in commands}
    # This folder does not build them; the analyser takes the flags of the file that is nearest by name.
    names.update(str(ROOT / name) for name in tracked("fuzz/*.c"))
    files = sorted(name for name in names if pathlib.Path(name).is_relative_to(ROOT) and
                   not pathlib.Path(name).is_relative_to(folder.resolve()))
    print(f"lint: clang-tidy on {len(files)} files", flush=True)
    clean = True
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        for code, text in pool.map(lambda name: analyse(folder, name), files):
            if code != 0:
                clean = False
                print(re.sub(re.escape(str(folder)) + r"/\.\./|" + re.escape(str(ROOT)) + "/", "", text), flush=True)
    return clean


def types_are_right():
    print(f"lint: types of {len(tracked('web/*.ts', 'tests/web/*.mjs'))} files", flush=True)
    codes = [subprocess.run([CACHE / "web/typescript/tsc", "--project", project], cwd=ROOT, check=False).returncode
             for project in ("web", "tests/web")]
    return codes == [0, 0]


def main(folder):
    checks = [layout_is_right(), types_are_right(), analyser_finds_nothing(folder)]
    print("lint: " + ("clean" if all(checks) else "there are findings"))
    return 0 if all(checks) else 1


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    sys.exit(main(pathlib.Path(sys.argv[1])))
