"""Runs unittest cases and writes TAP, so that tools/run_tests.py counts each case. Use: tap.main() as last line."""
import sys
import unittest


class TapResult(unittest.TestResult):
    """One line per case; the reason of a failure follows as comments."""

    def _line(self, verdict, test, note=""):
        print(f"{verdict} {self.testsRun} - {test.id().removeprefix('__main__.')}{note}", flush=True)

    def _reason(self, text):
        print("".join(f"# {line}\n" for line in text.rstrip().splitlines()), end="", flush=True)

    def addSuccess(self, test):
        super().addSuccess(test)
        self._line("ok", test)

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self._line("ok", test, f" # SKIP {reason}")

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self._line("not ok", test)
        self._reason(str(err[1]))

    def addError(self, test, err):
        super().addError(test, err)
        self._line("not ok", test)
        self._reason(self.errors[-1][1])

    def addSubTest(self, test, subtest, err):
        super().addSubTest(test, subtest, err)
        if err is not None:
            self._line("not ok", subtest)
            self._reason(str(err[1]))


class Findings(unittest.TestCase):
    """For checks that collect findings: fails with one a line."""

    def assert_none(self, findings):
        if findings:
            self.fail("\n".join(map(str, findings)))


def main():
    suite = unittest.defaultTestLoader.loadTestsFromModule(sys.modules["__main__"])
    result = TapResult()
    suite.run(result)
    print(f"1..{result.testsRun}")
    sys.exit(0 if result.wasSuccessful() and result.testsRun else 1)
