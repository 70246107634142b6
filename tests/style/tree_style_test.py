"""What is committed: no leftovers, no machine's paths, no binaries but small test data, links that lead somewhere,
generated files that are fresh, and no source or test that the build forgot."""
import pathlib
import re
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
import source_tree  # noqa: E402
import tap  # noqa: E402

# Written in halves, so that this file does not find itself.
MARKERS = ["TO" + "DO", "FIX" + "ME", "XX" + "X", "HA" + "CK"]
PLACES = ["/wo" + "rk/", "/ro" + "ot/", "/ho" + "me/", "/tm" + "p/bash", "registry.npm" + "js", "deb.deb" + "ian.org"]
UNWANTED = re.compile("|".join([rf"\b{word}\b" for word in MARKERS] + [re.escape(place) for place in PLACES]))
LISTS_OF_FOLDERS = ("meson.build", "src/meson.build")
BINARIES = ("tests/data/", "fuzz/seeds/", "docs/pictures/")
BINARIES_BYTES_MAX = 64 * 1024
BINARIES_TOTAL_MAX = 1024 * 1024
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)|!\[[^\]]*\]\(([^)\s]+)\)")


def is_binary(path):
    return b"\0" in (source_tree.ROOT / path).read_bytes()


def anchor(heading):
    """The anchor that hosting sites give a heading."""
    plain = re.sub(r"[`*_]|\[([^\]]*)\]\([^)]*\)", r"\1", heading).strip().lower()
    return re.sub(r"[^\w\- ]", "", plain).replace(" ", "-")


def prose(text):
    return re.sub(r"^(```|~~~).*?^\1", "", text, flags=re.MULTILINE | re.DOTALL)


def link_findings(path, text, exists, read):
    """Links of a page that lead to no file of the project, or to no heading of it."""
    found = []
    for match in LINK.finditer(prose(text)):
        target = match.group(1) or match.group(2)
        if re.match(r"[a-z]+:", target):
            continue
        name, _, heading = target.partition("#")
        place = path if not name else normal(path.parent / name)
        if not exists(place):
            found.append(f"{path}: {target} leads nowhere")
        elif heading and str(place).endswith(".md"):
            headings = re.findall(r"^#+\s+(.*?)\s*#*$", prose(read(place)), re.MULTILINE)
            if heading not in [anchor(text) for text in headings]:
                found.append(f"{path}: {target} has no such heading")
    return found


def normal(path):
    parts = []
    for part in path.parts:
        if part == "..":
            if parts:
                parts.pop()
        elif part != ".":
            parts.append(part)
    return pathlib.PurePosixPath(*parts)


class Tree(tap.Findings):
    def test_no_leftovers_and_no_machine(self):
        found = []
        for path in source_tree.project_files():
            if not is_binary(path):
                for number, line in enumerate(source_tree.read(path).splitlines(), 1):
                    if match := UNWANTED.search(line):
                        found.append(f"{path}:{number}: {match.group(0)}")
        self.assert_none(found)

    def test_binaries_are_small_and_have_a_reason(self):
        found, total = [], 0
        for path in source_tree.project_files():
            size = (source_tree.ROOT / path).stat().st_size
            if is_binary(path):
                total += size
                if not str(path).startswith(BINARIES) or size > BINARIES_BYTES_MAX:
                    found.append(f"{path}: a binary file of {size} bytes")
        self.assert_none(found)
        self.assertLessEqual(total, BINARIES_TOTAL_MAX)

    def test_links_lead_somewhere(self):
        def exists(place):
            return (source_tree.ROOT / place).exists()
        self.assert_none([found for path in source_tree.project_files() if path.suffix == ".md"
                          for found in link_findings(path, source_tree.read(path), exists, source_tree.read)])

    def test_generated_files_are_fresh(self):
        done = subprocess.run([sys.executable, str(source_tree.ROOT / "api/generate.py"), "--check"],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stdout)

    def test_nothing_is_left_out_of_the_build(self):
        builds = [path for path in source_tree.project_files() if path.name == "meson.build"]
        found = []
        for path in source_tree.project_files():
            top = path.parts[0]
            if top not in ("src", "tests", "fuzz", "bench") or path.parts[:2] in (("tests", "lib"), ("tests", "data")):
                continue
            if path.suffix == ".c" or path.name.endswith("_test.py"):
                near = [build for build in builds if build.parts[:-1] == path.parts[:len(build.parts) - 1]
                        or top == "tests" and build.parts[0] == top]
                text = "".join(source_tree.read(build) for build in near if str(build) not in LISTS_OF_FOLDERS)
                if text and f"{path.stem}'" not in text and f"{path.name}'" not in text:
                    found.append(f"{path}: no meson.build of its folder names it")
        self.assert_none(found)


class TheChecksCanFail(unittest.TestCase):
    def test_a_dead_link_and_a_dead_anchor_are_found(self):
        pages = {pathlib.PurePosixPath("docs/a.md"): "# One thing\n", pathlib.PurePosixPath("README.md"): ""}
        text = "[x](docs/a.md#one-thing) [y](docs/a.md#two) [z](docs/b.md) [w](https://example.org/)\n"
        found = link_findings(pathlib.PurePosixPath("README.md"), text, pages.__contains__, pages.__getitem__)
        self.assertEqual(len(found), 2, found)
        up = link_findings(pathlib.PurePosixPath("docs/a.md"), "[r](../README.md)", pages.__contains__, pages.get)
        self.assertEqual(up, [])

    def test_markers_are_found_as_words(self):
        self.assertTrue(UNWANTED.search("x " + "TO" + "DO: y"))
        self.assertFalse(UNWANTED.search("mkstemp(\"XXXX" + "XX\")"))


tap.main()
