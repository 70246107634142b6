"""The page docs/integrate.md: its commands run one after the other against a server and print what the page says."""
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
import program  # noqa: E402
import service  # noqa: E402
import tap  # noqa: E402

PAGE = pathlib.Path(__file__).resolve().parents[2] / "docs" / "integrate.md"
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
TOOLS = ("bash", "curl", "jq", "base64")


def steps(text):
    """(command, what it prints) of the page; a command without a block of text after it prints anything."""
    blocks = BLOCK.findall(text)
    for index, (kind, body) in enumerate(blocks):
        if kind == "sh":
            following = blocks[index + 1] if index + 1 < len(blocks) else ("", "")
            yield body, following[1] if following[0] == "text" else None


def script(commands, marker):
    """One shell script, so that variables live on, which says where each command's output ends."""
    return "set -euo pipefail\n" + "".join(f"{command}\necho {marker}\n" for command in commands)


class Page(unittest.TestCase):
    def test_the_page_works(self):
        missing = [tool for tool in TOOLS if not shutil.which(tool)]
        if missing:
            self.skipTest(f"{', '.join(missing)} not installed")
        photo, portrait = (program.SAMPLES / name for name in ("person-1.jpg", "person-1-other.jpg"))
        if not photo.exists():
            self.skipTest("no sample photos")
        todo = list(steps(PAGE.read_text()))
        self.assertGreater(len(todo), 8)
        marker = "--- end of a step ---"
        with service.Server() as server, tempfile.TemporaryDirectory() as folder:
            environment = {**program.ENVIRONMENT, "URL": server.url, "KEY": server.key("integrator"),
                           "PHOTO": str(photo), "PORTRAIT": str(portrait)}
            done = subprocess.run(["bash", "-c", script([command for command, _ in todo], marker)], cwd=folder,
                                  env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE, text=True, timeout=120, check=False)
        printed = done.stdout.split(marker + "\n")
        for (command, expected), got in zip(todo, printed):
            if expected is not None:
                self.assertEqual(got, expected, f"{command}\n{done.stderr}")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(len(printed), len(todo) + 1)

    def test_the_steps_are_found(self):
        page = "a\n```\nno\n```\n```sh\none\n```\n\n```text\n1\n```\n```sh\ntwo\n```\n"
        self.assertEqual(list(steps(page)), [("one\n", "1\n"), ("two\n", None)])


tap.main()
