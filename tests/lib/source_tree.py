"""The project's own files, and just enough C reading for the style tests: no parser, only our formatting."""
import os
import pathlib
import re
import subprocess

ROOT = pathlib.Path(os.environ.get("BONAFIDE_SOURCE_DIR") or pathlib.Path(__file__).resolve().parents[2])
CODE_FOLDERS = ("src", "include", "tests", "fuzz", "bench", "examples")


def project_files():
    """Every file that is or would be committed, as paths relative to ROOT. Outside git: every file not ignored."""
    git = subprocess.run(["git", "-C", str(ROOT), "ls-files", "--cached", "--others", "--exclude-standard"],
                         stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=False)
    if git.returncode == 0 and git.stdout:
        names = git.stdout.splitlines()
    else:
        names = [str(path.relative_to(ROOT)) for path in ROOT.rglob("*") if path.is_file()]
        names = [name for name in names if not re.match(r"(build[^/]*|\.cache|\.git|node_modules)/", name)]
    return sorted(pathlib.PurePosixPath(name) for name in names
                  if (ROOT / name).is_file() and "__pycache__" not in pathlib.PurePosixPath(name).parts)


def c_files(*folders):
    wanted = folders or CODE_FOLDERS
    return [path for path in project_files() if path.suffix in (".c", ".h") and path.parts[0] in wanted]


def read(path):
    return (ROOT / path).read_text(encoding="utf-8")


TOKEN = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.DOTALL)


def without_comments(text, keep_strings=False):
    """The C text with comments and, unless told otherwise, the insides of strings blanked; lines stay in place."""
    def blank(match):
        token = match.group(0)
        if token[0] in "\"'":
            return token if keep_strings else token[0] + re.sub(r"[^\n]", " ", token[1:-1]) + token[-1]
        return re.sub(r"[^\n]", " ", token)
    return TOKEN.sub(blank, text)


def functions(text):
    """(name, first line, number of lines of the body with its braces) of each function defined in C text."""
    code = re.sub(r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*", lambda m: "\n" * m.group(0).count("\n"), without_comments(text),
                  flags=re.MULTILINE)
    found, depth, start, head = [], 0, 0, 0
    for at, char in enumerate(code):
        if char == "{":
            if depth == 0:
                start = at
            depth += 1
        elif char == "}":
            depth -= 1
            if depth == 0:
                name = re.search(r"(\w+)\s*\((?:[^()]|\([^()]*\))*\)\s*$", code[head:start])
                if name:
                    found.append((name.group(1), code.count("\n", 0, start) + 1, code.count("\n", start, at) + 1))
                head = at + 1
        elif char == ";" and depth == 0:
            head = at + 1
    return found


def includes(text):
    """(line number, path) of each #include "..."."""
    code = without_comments(text, keep_strings=True)
    return [(code.count("\n", 0, match.start()) + 1, match.group(1))
            for match in re.finditer(r'^[ \t]*#[ \t]*include[ \t]+"([^"]+)"', code, re.MULTILINE)]


def calls(text, names):
    """(line number, name) of each use of one of `names` as a function."""
    code = without_comments(text)
    pattern = re.compile(r"(?<![\w.>])(" + "|".join(names) + r")\s*\(")
    return [(code.count("\n", 0, match.start()) + 1, match.group(1)) for match in pattern.finditer(code)]


def folder_order():
    """The folders of src/ in order of flow, as src/meson.build lists them, and the program last."""
    lists = re.findall(r"foreach\s+\w+\s*:\s*\[(.*?)\]", read("src/meson.build"), re.DOTALL)
    order = [name for listed in lists for name in re.findall(r"'([\w-]+)'", listed)]
    return order if "cli" in order else order + ["cli"]
