"""Which folder may include which, which calls nobody may make, and that judging stays a pure function."""
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
import source_tree  # noqa: E402
import tap  # noqa: E402

# No bound, no error, hidden state, or a shell: there is a better call for each.
BANNED = ("strcpy", "stpcpy", "strncpy", "strcat", "strncat", "sprintf", "vsprintf", "gets", "scanf", "sscanf",
          "fscanf", "atoi", "atol", "atoll", "atof", "strtok", "system", "popen", "alloca", "rand", "srand", "random",
          "mktemp", "tmpnam", "asctime", "ctime", "gmtime", "localtime", "setenv", "putenv")
# ONNX Runtime's telemetry can be switched off only by the environment, before its first call.
ALLOWED = {("src/infer/runtime.c", "setenv")}
# The allocator of base/bytes.h can be told to fail, so that tests reach every way out.
ALLOCATION = ("malloc", "calloc", "realloc", "reallocarray", "strdup", "strndup", "asprintf", "vasprintf",
              "posix_memalign", "aligned_alloc")
ALLOCATOR = "src/base/bytes.c"
# Judging depends on nothing but what it was given.
IMPURE = ("time", "clock", "clock_gettime", "gettimeofday", "getenv", "secure_getenv", "printf", "fprintf", "vfprintf",
          "puts", "fputs", "perror", "syslog", "getrandom", "randombytes_buf", "randombytes_random", "setlocale")
PROGRAM = "cli"
# The last folder of the library; those after it are the service, which has clocks, chance and files.
LAST_OF_THE_LIBRARY = "pipeline"
# Made by the build outside of src/.
GENERATED = ("web/web_files.inc",)


def include_findings(folder, text, order):
    """Includes of a file of src/FOLDER that point downwards, leave the tree, or name no folder."""
    found = []
    for line, target in source_tree.includes(text):
        parts = target.split("/")
        if parts[0] == "bonafide" or target in GENERATED:
            continue
        if len(parts) < 2 or parts[0] not in order or ".." in parts:
            found.append(f"{line}: \"{target}\" is not \"folder/file.h\"")
        elif order.index(parts[0]) > order.index(folder):
            found.append(f"{line}: {folder} includes {parts[0]}, which is further down the flow")
    return found


class Layers(tap.Findings):
    def test_a_folder_includes_only_folders_above_it(self):
        order = source_tree.folder_order()
        found = []
        for path in source_tree.c_files("src"):
            self.assertIn(path.parts[1], order, f"{path}: src/meson.build does not list the folder")
            found += [f"{path}:{text}" for text in include_findings(path.parts[1], source_tree.read(path), order)]
        self.assert_none(found)

    def test_public_headers_include_only_public_headers(self):
        self.assert_none([f"{path}:{line}: {target}" for path in source_tree.c_files("include", "examples")
                          for line, target in source_tree.includes(source_tree.read(path))
                          if not target.startswith("bonafide/")])

    def test_banned_calls_are_not_made(self):
        self.assert_none([f"{path}:{line}: {name}" for path in source_tree.c_files("src", "examples")
                          for line, name in source_tree.calls(source_tree.read(path), BANNED)
                          if (str(path), name) not in ALLOWED])

    def test_only_the_allocator_allocates(self):
        self.assert_none([f"{path}:{line}: {name}" for path in source_tree.c_files("src") if str(path) != ALLOCATOR
                          for line, name in source_tree.calls(source_tree.read(path), ALLOCATION)])

    def test_judging_is_pure(self):
        order = source_tree.folder_order()
        library = order[:order.index(LAST_OF_THE_LIBRARY) + 1]
        self.assert_none([f"{path}:{line}: {name}" for path in source_tree.c_files("src") if path.parts[1] in library
                          for line, name in source_tree.calls(source_tree.read(path), IMPURE)])


class TheChecksCanFail(unittest.TestCase):
    ORDER = ["base", "image", "decode"]

    def test_a_downward_include_is_found(self):
        self.assertEqual(include_findings("image", '#include "base/a.h"\n#include "decode/b.h"\n', self.ORDER),
                         ["2: image includes decode, which is further down the flow"])

    def test_an_include_without_its_folder_is_found(self):
        self.assertEqual(len(include_findings("base", '#include "a.h"\n#include "../x/y.h"\n', self.ORDER)), 2)

    def test_a_banned_call_is_found_and_a_word_like_it_is_not(self):
        text = '/* strcpy(a) */ x = my_strcpy(a); y.system(1); z = "rand()";\n  strcpy (a, b);\n'
        self.assertEqual(source_tree.calls(text, BANNED), [(2, "strcpy")])


tap.main()
