"""docs/threat-model.md: every threat is covered by a test that exists, or says plainly that none does."""
import pathlib
import re
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
import source_tree  # noqa: E402
import tap  # noqa: E402

PAGE = "docs/threat-model.md"
# `tests/unit/token_test.c: test_name`, `tests/survive/failure_test.py: Class.test_name`, `fuzz/token_fuzz.c`
TEST = re.compile(r"`((?:tests|fuzz)/[\w/]+\.(?:c|py))(?:: ([\w.]+))?`")
UNTESTED = "no test: "
# Each has a section of its own.
SURFACES = ["HTTP listener", "Request parser", "Tokens and sessions", "API keys and roles", "Signed requests",
            "Media and workers", "Store", "Vault", "Audit log", "Webhooks", "Configuration and policies",
            "Logs", "Metrics", "Command line", "Supply chain", "The client's device"]


def case_exists(text, suffix, case):
    """Whether a test's file has the case: a C function, or a method of a Python class."""
    if suffix == ".c":
        return re.search(rf"\b{re.escape(case)}\s*\(", text) is not None
    kind, _, method = case.rpartition(".")
    if not re.search(rf"^\s*def {re.escape(method)}\(", text, re.MULTILINE):
        return False
    return not kind or re.search(rf"^class {re.escape(kind)}\b", text, re.MULTILINE) is not None


def rows(page):
    """(line number, section, cells) of each row of a table of threats."""
    section, head = "", []
    for number, line in enumerate(page.splitlines(), 1):
        if line.startswith("#"):
            section = line.lstrip("# ")
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")] if line.startswith("|") else []
        head = (head or cells) if cells else []
        if head[:1] == ["Threat"] and len(cells) == 3 and cells != head and not set(cells[0]) <= set("-: "):
            yield number, section, cells


def findings(page, read):
    """`read` gives the text of a file, or None when there is no such file."""
    found, sections = [], set()
    for number, section, (threat, _, tests) in rows(page):
        sections.add(section)
        named = TEST.findall(tests)
        if not named and UNTESTED not in tests:
            found.append(f"{PAGE}:{number}: no test covers: {threat}")
        for path, case in named:
            text = read(path)
            if text is None:
                found.append(f"{PAGE}:{number}: there is no {path}")
            elif case and not case_exists(text, pathlib.PurePosixPath(path).suffix, case):
                found.append(f"{PAGE}:{number}: {path} has no case {case}")
            elif not case and not path.startswith("fuzz/"):
                found.append(f"{PAGE}:{number}: which case of {path}?")
        if "`" in TEST.sub("", tests):
            found.append(f"{PAGE}:{number}: not of the form `FILE: CASE`: {tests}")
    return found + [f"{PAGE}: no section on: {name}" for name in SURFACES if name not in sections]


class ThreatModel(tap.Findings):
    def test_each_threat_names_a_test_that_exists(self):
        def read(path):
            return source_tree.read(path) if (source_tree.ROOT / path).exists() else None
        self.assert_none(findings(source_tree.read(PAGE), read))


class TheChecksCanFail(unittest.TestCase):
    FILES = {"tests/a_test.py": "class A(x):\n    def test_b(self):\n",
             "tests/c_test.c": "static void test_d(void)\n{"}

    def found(self, tests):
        page = "".join(f"## {name}\n| Threat | Done | Test |\n|---|---|---|\n| t | d | {tests} |\n"
                       for name in SURFACES)
        return findings(page, self.FILES.get)

    def test_tests_that_exist_are_accepted(self):
        self.assertEqual(self.found("`tests/a_test.py: A.test_b`, `tests/c_test.c: test_d`"), [])
        self.assertEqual(self.found("no test: it is a promise"), [])

    def test_tests_that_do_not_exist_are_found(self):
        for tests in ("", "words", "`tests/a_test.py: A.test_x`", "`tests/a_test.py: B.test_b`", "`tests/x.c: test_d`",
                      "`tests/c_test.c: test_e`", "`tests/c_test.c`", "`tests/c_test.c test_d`"):
            self.assertEqual(len(self.found(tests)) >= len(SURFACES), True, tests)

    def test_a_missing_surface_is_found(self):
        self.assertEqual(len(findings("# nothing\n", self.FILES.get)), len(SURFACES))


tap.main()
