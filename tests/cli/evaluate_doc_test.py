"""docs/evaluate.md: its commands, run one after the other as they stand there."""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
import program  # noqa: E402
import source_tree  # noqa: E402
import tap  # noqa: E402

TOUR = source_tree.ROOT / "docs/evaluate.md"
BLOCK = re.compile(r"^```sh\n(.*?)^```$", re.DOTALL | re.MULTILINE)
EXITS = re.compile(r"\s+# exits ([0-9 ,or]+)$")


def commands():
    """(command, allowed exit codes) of every line."""
    for block in BLOCK.findall(TOUR.read_text(encoding="utf-8")):
        for line in block.splitlines():
            exits = EXITS.search(line)
            codes = {int(code) for code in re.findall(r"\d+", exits.group(1))} if exits else {0}
            yield EXITS.sub("", line), codes


class Tour(program.WithModels):
    def test_every_command_does_what_the_page_says(self):
        here = program.scratch()
        for name in ("models", "policies", "calibration", "fusion"):  # copies: the tour writes into copies of its own
            shutil.copytree(source_tree.ROOT / name, here / name)
        (here / "tools").symlink_to(source_tree.ROOT / "tools")
        (here / "build").symlink_to(program.BUILD)
        (here / ".cache").symlink_to(program.CACHE)
        path = f"{program.BUILD.resolve()}:{os.environ['PATH']}"
        environment = dict(program.ENVIRONMENT, PATH=path, XDG_CACHE_HOME=str(here / "kept"))
        ran = 0
        for command, codes in commands():
            if command.startswith("ninja"):
                continue
            if command.startswith("tools/simulate/dataset.py"):
                command = command.replace("--seeds 2", "--seeds 1")
            done = subprocess.run(command, shell=True, cwd=here, env=environment, text=True, stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, check=False, timeout=600)
            self.assertIn(done.returncode, codes, f"{command}\n{done.stdout}")
            ran += 1
        self.assertGreater(ran, 12)
        for page in ("report/report.html", "calibrated/calibration.html", "fused/fusion.html", "bands/threshold.html",
                     "compared/compare.html", "errors/errors.html", "review/reviews.csv"):
            self.assertGreater((here / page).stat().st_size, 500, page)


if __name__ == "__main__":
    tap.main()
