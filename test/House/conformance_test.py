"""The conformance runner against a stand-in for `nestor verify`: how ends of a
process are counted, and what the list of expected failures forgives."""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

TOP = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / "tools" / "dev"))
import harness

# Ends as the word in the data folder's path says; refuses other tests.
STAND_IN = """#!/bin/sh
case "$2" in
  *test_abs/*) exit 0;;
  *test_acos/*) echo "error: operator Acos" >&2; exit 5;;
  *test_acosh/*) exit 9;;
  *test_add/*) kill -SEGV $$;;
  *test_and2d/*) sleep 60;;
esac
exit 1
"""
TESTS = "^test_(abs|acos|acosh|add|and2d)$"


class Conformance(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        root = pathlib.Path(folder.name)
        for name in ("test/conformance/run", "tools/dev/harness.py", "tools/dev/refill.py", "tools/dev/modelzoo.py"):
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(TOP / name, root / name)
        self.runner = root / "test/conformance/run"
        self.expected = root / "test/conformance/expected/node.txt"
        self.expected.parent.mkdir()
        self.nestor = root / "nestor"
        self.nestor.write_text(STAND_IN)
        self.nestor.chmod(0o755)

    def run_with(self, expected, tests=TESTS):
        self.expected.write_text(expected)
        command = [sys.executable, self.runner, f"--nestor={self.nestor}", "--timeout=1", f"--filter={tests}"]
        done = subprocess.run(command, capture_output=True, text=True)
        return done.returncode, done.stdout + done.stderr

    LISTED = (
        "test_acos unsupported operator Acos\ntest_acosh failed wrong\ntest_add crashed signal\ntest_and2d crashed hang\n"
    )

    def refused(self, expected, tests, words):
        code, text = self.run_with(expected, tests)
        self.assertEqual(code, 1, text)
        self.assertIn(words, text)

    def test_counts(self):
        code, text = self.run_with(self.LISTED)
        self.assertEqual(code, 0, text)
        last = text.rstrip().splitlines()[-1]
        self.assertEqual(last, "node: 1 passed, 1 unsupported, 1 failed, 2 crashed of 5")

    def test_refuses_an_unlisted_failure(self):
        self.refused("", "^test_acosh$", "test_acosh failed, expected passed")

    def test_refuses_a_listed_test_that_passes(self):
        self.refused("test_abs failed once\n", "^test_abs$", "test_abs passes but is listed")

    def test_refuses_a_worse_end_than_listed(self):
        self.refused("test_acosh unsupported once\n", "^test_acosh$", "test_acosh failed, expected unsupported")

    def test_refuses_a_list_without_reasons(self):
        self.refused("test_acosh failed\n", "^test_acosh$", "and a reason")


if __name__ == "__main__":
    harness.need("numpy", "onnx")
    unittest.main()
