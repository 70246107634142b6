"""The public headers: each compiles alone as C and as C++, all in them is documented, nothing else is exported."""
import os
import pathlib
import re
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
import source_tree  # noqa: E402
import tap  # noqa: E402

LANGUAGES = (("cc", "c", "c99"), ("cc", "c", "c17"), ("c++", "c++", "c++11"), ("c++", "c++", "c++20"))
DOC = "\x01"        # stands where a /** comment */ was
DOC_AFTER = "\x02"  # stands where a /**< comment */ was


def marked(text):
    """The header without plain comments and without strings; doc comments become one mark each."""
    def mark(match):
        token = match.group(0)
        if token.startswith("/**<"):
            return DOC_AFTER
        if token.startswith("/**"):
            return DOC
        return token if token[0] in "\"'" else " "
    return source_tree.TOKEN.sub(mark, text)


def macro_findings(text):
    guard = re.search(r"#ifndef\s+(\w+)", text)
    found = []
    for match in re.finditer(r"([^\n]*)\n[ \t]*#[ \t]*define[ \t]+(\w+)((?:[^\n]*\\\n)*[^\n]*)", "\n" + text):
        before, name, rest = match.groups()
        if name != (guard and guard.group(1)) and DOC not in before and DOC_AFTER not in rest:
            found.append(name)
    return found


def member_findings(body, separator):
    """Members of a struct or enum body with neither a comment before nor after."""
    pieces = body.split(separator)
    found = []
    for i, piece in enumerate(pieces):
        # The comment after a member stands at the beginning of the next piece.
        after = i + 1 < len(pieces) and re.match(r"\s*" + DOC_AFTER, pieces[i + 1])
        declared = re.sub(r"^\s*" + DOC_AFTER, "", piece)
        name = re.search(r"(\w+)\s*(?:\[[^\]]*\])?\s*(?:=[^" + DOC_AFTER + r"]*)?$",
                         declared.replace(DOC, "").replace(DOC_AFTER, "").strip())
        if name and DOC not in declared and DOC_AFTER not in declared and not after:
            found.append(name.group(1))
    return found


def declaration_findings(text):
    """Names of functions, types, members and macros of a public header that no doc comment describes."""
    text = marked(text)
    found = macro_findings(text)
    code = re.sub(r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*", "", text, flags=re.MULTILINE)
    code = re.sub(r'extern\s+"C"\s*\{', "", code)
    for match in re.finditer(r"[^;{}]*(?:\{([^{}]*)\}[^;{}]*)?;[ \t]*" + DOC_AFTER + "?", code):
        whole, body = match.group(0), match.group(1)
        head = whole.split("{")[0] if body is not None else whole
        name = re.search(r"(\w+)\s*\(", head) or re.search(r"(\w+)\s*;", whole) or re.search(r"(\w+)\s*$", head)
        if DOC not in head and not whole.endswith(DOC_AFTER):
            found.append(name.group(1) if name else whole.strip())
        if body is not None:
            found += member_findings(body, "," if re.search(r"\benum\b", head) else ";")
    return found


def exported_symbols(library):
    done = subprocess.run(["nm", "-D", "--defined-only", str(library)], stdout=subprocess.PIPE, text=True, check=True)
    return {line.split()[-1].split("@")[0] for line in done.stdout.splitlines() if line.split()[1] in "TDBRVW"}


class PublicHeaders(tap.Findings):
    def setUp(self):
        self.headers = source_tree.c_files("include")
        self.assertTrue(self.headers)

    def test_each_compiles_alone(self):
        for path in self.headers:
            for compiler, language, standard in LANGUAGES:
                done = subprocess.run([compiler, "-x", language, f"-std={standard}", "-Wall", "-Wextra", "-Werror",
                                       "-pedantic", "-fsyntax-only", "-I", str(source_tree.ROOT / "include"), "-"],
                                      input=f'#include "{path.relative_to("include")}"\n', text=True,
                                      stderr=subprocess.PIPE, check=False)
                self.assertEqual(done.returncode, 0, f"{path} as {standard}:\n{done.stderr}")

    def test_everything_is_documented(self):
        self.assert_none([f"{path}: {name}" for path in self.headers
                          for name in declaration_findings(source_tree.read(path))])

    def test_the_library_exports_what_the_headers_declare(self):
        library = pathlib.Path(os.environ.get("BONAFIDE_BUILD_DIR", ".")) / "libbonafide.so"
        if not library.exists():
            self.skipTest(f"no {library}")
        exported = exported_symbols(library)
        declared = set()
        for path in self.headers:
            code = source_tree.without_comments(source_tree.read(path))
            declared |= set(re.findall(r"\b(bf_\w+)\s*\(", code))
        self.assertTrue(exported)
        self.assert_none([f"{name} is exported, but in no public header" for name in sorted(exported - declared)])
        self.assert_none([f"{name} is declared, but not exported" for name in sorted(declared - exported)])


class TheChecksCanFail(unittest.TestCase):
    def test_what_has_no_comment_is_found(self):
        text = """#ifndef G_H
#define G_H
/** A macro. */
#define DOCUMENTED 1
#define NAKED_MACRO 2
/** A type. */
typedef struct a { int x; /**< fine */ int naked_member; /** fine too */ int y; } a;
/** An enum. */
typedef enum e { E_ONE, /**< one */ E_NAKED, E_TWO = 2 /**< two */ } e;
/** A function. */
int bf_good(void);
int bf_naked(const char *name);
#endif
"""
        self.assertEqual(sorted(declaration_findings(text)), ["E_NAKED", "NAKED_MACRO", "bf_naked", "naked_member"])


tap.main()
