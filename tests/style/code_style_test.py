"""Length of functions, files and lines; white space."""
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
import source_tree  # noqa: E402
import tap  # noqa: E402

FUNCTION_LINES_MAX = 70
FUNCTION_LINES_USUAL = 40
USUAL_SHARE_MIN = 0.9
FILE_LINES_MAX = 500
LINE_COLUMNS_MAX = 120
TEXT_SUFFIXES = (".c", ".h", ".py", ".sh", ".inc", ".ts", ".mjs", ".css")
GENERATED = ("include/bonafide/codes.h", "src/base/codes.inc", "src/server/api.inc", "src/server/docs.inc",
             "src/server/openapi.inc", "web/src/generated/codes.ts")
# One sentence a line, as long as it is.
SENTENCES = "web/src/texts/"


def code_files():
    return [path for path in source_tree.project_files()
            if (path.suffix in TEXT_SUFFIXES or path.parts[0] == "tools") and str(path) not in GENERATED
            and not str(path).startswith(SENTENCES)]


def lay_out_findings(text):
    """What is wrong with single lines: too long, tabs, blanks at the end; or with the end of the file."""
    found = []
    for number, line in enumerate(text.split("\n"), 1):
        if len(line) > LINE_COLUMNS_MAX:
            found.append(f"{number}: {len(line)} columns")
        if "\t" in line:
            found.append(f"{number}: a tab")
        if line != line.rstrip():
            found.append(f"{number}: blanks at the end")
    if text and not text.endswith("\n"):
        found.append("no newline at the end of the file")
    return found


class Code(tap.Findings):
    def test_functions_are_short(self):
        lengths = []
        for path in source_tree.c_files():
            for name, line, count in source_tree.functions(source_tree.read(path)):
                lengths.append((count, f"{path}:{line}: {name} has {count} lines"))
        self.assertGreater(len(lengths), 20)
        self.assert_none([text for count, text in lengths if count > FUNCTION_LINES_MAX])
        usual = sum(count <= FUNCTION_LINES_USUAL for count, _ in lengths) / len(lengths)
        self.assertGreaterEqual(usual, USUAL_SHARE_MIN, f"share of functions of at most {FUNCTION_LINES_USUAL} lines")

    def test_files_are_short(self):
        counts = {str(path): source_tree.read(path).count("\n") for path in code_files()}
        self.assert_none([f"{path}: {count} lines" for path, count in counts.items() if count > FILE_LINES_MAX])

    def test_lines_are_laid_out(self):
        self.assert_none([f"{path}:{found}" for path in code_files()
                          for found in lay_out_findings(source_tree.read(path))])


class TheChecksCanFail(unittest.TestCase):
    def test_a_long_function_is_measured(self):
        text = "static int f(int (*g)(void), int b)\n{\n" + "    b++;\n" * 80 + "    return b;\n}\n"
        self.assertEqual(source_tree.functions(text), [("f", 2, 83)])

    def test_braces_in_strings_comments_and_initialisers_do_not_count(self):
        text = 'static const int a[] = {1};\n/* { */\nint f(void)\n{\n    g("}", \'{\'); // }\n}\nstruct s {\n};\n'
        self.assertEqual(source_tree.functions(text), [("f", 4, 3)])

    def test_bad_lines_are_found(self):
        found = lay_out_findings("a \n\tb\n" + "x" * 121)
        self.assertEqual(len(found), 4, found)


tap.main()
