#!/usr/bin/env python3
"""Checks the layout of the C code and runs the analyser; every finding fails.

usage: tools/lint.py FOLDER    (a configured build folder, for its compile_commands.json)
"""
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent


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


def main(folder):
    checks = [layout_is_right()]
    print("lint: " + ("clean" if all(checks) else "there are findings"))
    return 0 if all(checks) else 1


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    sys.exit(main(pathlib.Path(sys.argv[1])))
