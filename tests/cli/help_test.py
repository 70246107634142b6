"""Help, usage errors, man pages and shell completion: all must agree with each other."""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
import program  # noqa: E402
import tap  # noqa: E402

COMMANDS = ("check", "inspect", "match", "replay", "serve", "version", "models list", "models verify", "models import",
            "models optimise", "policy lint", "policy test", "policy explain", "keys create", "keys list",
            "keys rotate", "keys revoke", "killswitch on", "killswitch off", "killswitch status",
            "dataset init", "dataset validate", "dataset summary", "dataset split", "dataset diff", "score", "eval",
            "errors", "compare", "fuse", "threshold", "calibrate",
            "vault rotate-key", "audit export", "audit verify", "audit checkpoint", "audit key")
GROUPS = sorted({command.split()[0] for command in COMMANDS if " " in command})


def options_of(command):
    """The long options that a command's help names."""
    text = program.run(*command.split(), "--help").stdout
    return re.findall(r"^ +(?:-[a-z], )?(--[a-z-]+)", text, re.MULTILINE)


class Help(unittest.TestCase):
    def test_the_program_lists_its_commands(self):
        done = program.run("--help")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        listed = re.findall(r"^  ([a-z]+(?: [a-z-]+)?)  ", done.stdout.split("Exit status")[0], re.MULTILINE)
        for command in COMMANDS:
            self.assertIn(command, listed)

    def test_every_command_has_help_of_80_columns(self):
        for command in ["", *GROUPS, *COMMANDS]:
            done = program.run(*command.split(), "--help")
            self.assertEqual((done.returncode, done.stderr), (0, ""), command)
            self.assertTrue(done.stdout.startswith(f"Usage: bonafide {command}".rstrip()), command)
            self.assertLessEqual(max(map(len, done.stdout.splitlines())), 80, command)

    def test_help_can_be_asked_for_in_three_ways(self):
        told = program.run("policy", "lint", "--help").stdout
        self.assertEqual(program.run("help", "policy", "lint").stdout, told)
        self.assertEqual(program.run("policy", "help", "lint").stdout, told)
        self.assertEqual(program.run("policy", "lint", "-h").stdout, told)

    def test_version(self):
        done = program.run("--version")
        self.assertRegex(done.stdout, r"^bonafide \d+\.\d+\.\d+ \(.+\), onnxruntime \d+\.\d+\.\d+\n$")
        self.assertEqual(program.run("version").stdout, done.stdout)

    def test_no_command_is_an_error(self):
        self.assertEqual(program.run().returncode, 64)


class Usage(unittest.TestCase):
    CASES = (
        (["chek"], "bonafide: unknown command 'chek'; did you mean 'check'?\nTry 'bonafide --help'.\n"),
        (["polcy"], "bonafide: unknown command 'polcy'; did you mean 'policy'?\nTry 'bonafide --help'.\n"),
        (["nursery"], "bonafide nursery: is started by 'bonafide serve' only.\n"),
        (["xyzzyx"], "bonafide: unknown command 'xyzzyx'.\nTry 'bonafide --help'.\n"),
        (["policy", "lnt"], "bonafide policy: unknown command 'lnt'; did you mean 'lint'?\n"
                            "Try 'bonafide policy --help'.\n"),
        (["check"], "bonafide check: FILE... is missing.\nTry 'bonafide check --help'.\n"),
        (["check", "--flw", "x", "y"], "bonafide check: unknown option '--flw'; did you mean '--flow'?\n"
                                       "Try 'bonafide check --help'.\n"),
        (["check", "-x", "y"], "bonafide check: unknown option '-x'.\nTry 'bonafide check --help'.\n"),
        (["check", "--json=1", "y"], "bonafide check: '--json' takes no value.\nTry 'bonafide check --help'.\n"),
        (["check", "--flow"], "bonafide check: '--flow' needs a value.\nTry 'bonafide check --help'.\n"),
        (["check", "--json", "--jsonl", "y"], "bonafide check: --json and --jsonl exclude each other.\n"
                                              "Try 'bonafide check --help'.\n"),
        (["check", "-j", "0", "y"], "bonafide check: --jobs must be a whole number from 1 to 64, not '0'.\n"
                                    "Try 'bonafide check --help'.\n"),
        (["check", "-j", "2x", "y"], "bonafide check: --jobs must be a whole number from 1 to 64, not '2x'.\n"
                                     "Try 'bonafide check --help'.\n"),
        (["check", "-", "-"], "bonafide check: Standard input can be read only once.\n"),
        (["check", "--data", "/", "x.jpg"], "bonafide check: --data '/' has no folders models/ and policies/.\n"),
        (["inspect", "x.jpg"], "bonafide inspect: --output is missing: the PNG file to write.\n"
                               "Try 'bonafide inspect --help'.\n"),
        (["match", "a"], "bonafide match: PHOTO REFERENCE is missing.\nTry 'bonafide match --help'.\n"),
        (["match", "a", "b", "c"], "bonafide match: unexpected 'c'.\nTry 'bonafide match --help'.\n"),
        (["replay", "r.json"], "bonafide replay: --media is missing: the photo that was judged.\n"
                               "Try 'bonafide replay --help'.\n"),
        (["models", "import", "x"], "bonafide models import: --as is missing: the name of the model.\n"
                                    "Try 'bonafide models import --help'.\n"),
        (["keys", "create", "--client", "a"], "bonafide keys create: --role is missing: what the key may do.\n"
                                              "Try 'bonafide keys create --help'.\n"),
        (["keys", "create", "--role", "auditor"], "bonafide keys create: --client is missing: whose key it is.\n"
                                                  "Try 'bonafide keys create --help'.\n"),
        (["keys", "create", "-r", "person"], "bonafide keys create: --role must be integrator, reviewer, auditor or "
                                             "operator, not 'person'.\nTry 'bonafide keys create --help'.\n"),
        (["keys", "create", "--expires", "0"], "bonafide keys create: --expires must be a whole number from 1 to 3650, "
                                               "not '0'.\nTry 'bonafide keys create --help'.\n"),
        (["keys", "rotate", "--overlap", "-1", "x"], "bonafide keys rotate: --overlap must be a whole number from 0 to "
                                                     "8784, not '-1'.\nTry 'bonafide keys rotate --help'.\n"),
        (["keys", "rotate"], "bonafide keys rotate: ID is missing.\nTry 'bonafide keys rotate --help'.\n"),
        (["keys", "revoke", "bf_0123456789abcdef_00"], "bonafide keys revoke: Give the key's id only, the 16 digits "
                                                       "after 'bf_'; the rest is secret.\n"
                                                       "Try 'bonafide keys revoke --help'.\n"),
        (["killswitch", "on", "x"], "bonafide killswitch on: unexpected 'x'.\nTry 'bonafide killswitch on --help'.\n"),
        (["version", "x"], "bonafide version: unexpected 'x'.\nTry 'bonafide version --help'.\n"),
    )

    def test_wrong_usage_says_what_is_wrong(self):
        for arguments, expected in self.CASES:
            with self.subTest(arguments=arguments):
                done = program.run(*arguments)
                self.assertEqual((done.returncode, done.stdout, done.stderr), (64, "", expected))


class Pages(unittest.TestCase):
    def page_of(self, command):
        name = "bonafide" if command == "version" else f"bonafide-{command.split()[0]}"
        return (program.SOURCE / "man" / f"{name}.1").read_text(encoding="utf-8")

    def test_every_option_has_a_man_page_entry(self):
        for command in COMMANDS:
            page = self.page_of(command)
            for option in options_of(command):
                self.assertIn(f"Fl Fl {option[2:]}", page, f"{command} {option}")

    def test_man_pages_name_no_other_option(self):
        for page in (program.SOURCE / "man").glob("bonafide-*.1"):
            family = page.stem.removeprefix("bonafide-")
            known = {option for command in COMMANDS if command.split()[0] == family for option in options_of(command)}
            named = {f"--{name}" for name in re.findall(r"^\.It (?:Fl . , )?Fl Fl ([a-z-]+)",
                                                        page.read_text(encoding="utf-8"), re.MULTILINE)}
            self.assertEqual(named - known, set(), page.name)

    def test_man_pages_are_well_formed(self):
        if not shutil.which("groff"):
            self.skipTest("no groff")
        for page in (program.SOURCE / "man").glob("*.1"):
            done = subprocess.run(["groff", "-mdoc", "-Tutf8", "-ww", "-z", str(page)], stderr=subprocess.PIPE,
                                  text=True, check=False)
            self.assertEqual(done.stderr, "", page.name)


class Completion(unittest.TestCase):
    def setUp(self):
        self.env = {**program.ENVIRONMENT, "PATH": f"{program.BUILD}:{os.environ['PATH']}"}

    def shell(self, *command):
        done = subprocess.run(command, env=self.env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              stdin=subprocess.DEVNULL, check=False)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return done.stdout.split("\n")[:-1]

    def bash(self, *words):
        """What bash offers for the last word."""
        line = " ".join(f"'{word}'" for word in words)
        return self.shell("bash", "-c", f"source {program.SOURCE}/completion/bonafide.bash; COMP_WORDS=({line}); "
                          f"COMP_CWORD={len(words) - 1}; _bonafide; printf '%s\\n' \"${{COMPREPLY[@]}}\"")

    def zsh(self, *words):
        """The same for zsh; its own functions only print what they are given."""
        if not shutil.which("zsh"):
            self.skipTest("no zsh")
        line = " ".join(f"'{word}'" for word in words)
        stand_ins = ("compadd() { shift; print -rl -- $@ }; _describe() { print -rl -- ${(P)2} }; "
                     "_arguments() { shift; print -rl -- $@ }; ")
        return self.shell("zsh", "-fc", f"{stand_ins} words=({line}); CURRENT={len(words)}; "
                          f"source {program.SOURCE}/completion/_bonafide")

    def test_bash_offers_commands(self):
        self.assertEqual(self.bash("bonafide", "m"), ["match", "models"])
        self.assertEqual(sorted(self.bash("bonafide", "policy", "")), ["explain", "lint", "test"])

    def test_bash_offers_every_option(self):
        for command in COMMANDS:
            self.assertEqual(self.bash("bonafide", *command.split(), "--"), options_of(command), command)

    def test_bash_offers_values(self):
        self.assertEqual(self.bash("bonafide", "check", "--flow", "v"), ["video_kyc"])
        self.assertEqual(self.bash("bonafide", "check", "-c", "k"), ["kiosk"])
        self.assertEqual(self.bash("bonafide", "keys", "create", "--role", "a"), ["auditor"])

    def test_bash_offers_the_shipped_journeys(self):
        shipped = sorted(path.stem for path in (program.SOURCE / "policies").glob("*.yaml"))
        self.assertEqual(self.bash("bonafide", "check", "--flow", ""), shipped)

    def test_zsh_offers_commands(self):
        self.assertEqual(set(self.zsh("bonafide", "")), {command.split()[0] for command in COMMANDS})
        offered = {line.split(":")[0] for line in self.zsh("bonafide", "models", "")}
        self.assertEqual(offered, {command.split()[1] for command in COMMANDS if command.startswith("models ")})

    def test_zsh_offers_every_option(self):
        for command in COMMANDS:
            offered = [re.match(r"--[a-z-]+", line) for line in self.zsh("bonafide", *command.split(), "")]
            self.assertEqual([found.group(0) for found in offered if found], options_of(command), command)


tap.main()
