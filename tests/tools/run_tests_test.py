"""tools/run_tests.py counts what happened and never calls a broken run a good one."""
import importlib.util
import pathlib
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
import source_tree  # noqa: E402
import tap  # noqa: E402

spec = importlib.util.spec_from_file_location("run_tests", source_tree.ROOT / "tools/run_tests.py")
run_tests = importlib.util.module_from_spec(spec)
spec.loader.exec_module(run_tests)


def outcome_of(script, timeout=60):
    with tempfile.TemporaryDirectory() as folder:
        test = {"name": "t", "cmd": ["sh", "-c", script], "env": {}, "timeout": timeout, "workdir": folder}
        return run_tests.run(folder, test)


class Counting(unittest.TestCase):
    def expect(self, script, passed, failed, skipped, **options):
        outcome = outcome_of(script, **options)
        self.assertEqual((len(outcome.passed), len(outcome.failed), len(outcome.skipped)), (passed, failed, skipped),
                         (outcome.failed, outcome.output))
        return outcome

    def test_cases_are_counted(self):
        self.expect("echo 1..3; echo ok 1 - a; echo 'ok 2 # SKIP b'; echo 'not ok 3 - c'; exit 1", 1, 1, 1)

    def test_cmocka_says_not_ok_for_a_skipped_case(self):
        outcome = self.expect("echo 1..1; echo 'not ok 1 # SKIP needs_models'", 0, 0, 1)
        self.assertEqual(outcome.skipped, ["needs_models"])

    def test_two_groups_in_one_program_add_up(self):
        self.expect("echo 1..1; echo ok 1 - a; echo 1..2; echo ok 1 - b; echo ok 2 - c", 3, 0, 0)

    def test_a_crash_is_a_failure(self):
        outcome = self.expect("echo 1..2; echo ok 1 - a; kill -SEGV $$", 1, 1, 0)
        self.assertIn("SIGSEGV", outcome.failed[0])

    def test_fewer_cases_than_planned_is_a_failure(self):
        self.expect("echo 1..3; echo ok 1 - a", 1, 1, 0)

    def test_a_bad_exit_code_after_good_cases_is_a_failure(self):
        self.expect("echo 1..1; echo ok 1 - a; exit 23", 1, 1, 0)

    def test_a_program_without_cases_is_judged_by_its_exit_code(self):
        self.expect("true", 1, 0, 0)
        self.expect("exit 3", 0, 1, 0)
        self.expect("exit 77", 0, 0, 1)

    def test_a_plan_without_cases_is_a_failure(self):
        self.expect("echo 1..2", 0, 1, 0)

    def test_a_program_that_hangs_is_ended(self):
        outcome = self.expect("echo 1..1; sleep 60 & wait", 0, 1, 0, timeout=1)
        self.assertLess(outcome.seconds, 30)


tap.main()
