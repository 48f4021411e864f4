"""Tests of the tree's own checks: each accepts a good tree and refuses a bad one."""

import pathlib
import subprocess
import tempfile
import unittest

TOP = pathlib.Path(__file__).resolve().parents[2]


class Tree(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)
        layers = "Support:\nNest: Support\nLower: Nest\nRuntime:\ntools/cli: Lower\n"
        self.write("tools/dev/layers.txt", layers)

    def write(self, path, text):
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def check(self, tool, *words):
        command = [TOP / "tools/dev" / tool, *words, "--root", self.root]
        done = subprocess.run(command, capture_output=True, text=True)
        return done.returncode, done.stdout + done.stderr


class Layers(Tree):
    def refused(self, path, include, words):
        self.write(path, f'// A comment.\n#include "{include}"\n')
        code, text = self.check("check-layers")
        self.assertEqual(code, 1, text)
        self.assertIn(f"{path}:2: error:", text)
        self.assertIn(words, text)

    def test_accepts_own_room_and_those_below(self):
        self.write("lib/Lower/A.cpp", '#include "nestor/Lower/A.h"\n#include "nestor/Support/B.h"\n')
        self.write("include/nestor/Nest/N.h", '#include "nestor/Support/B.h"\n#include "mlir/IR/X.h"\n')
        self.write("lib/Nest/Deep/Inner.cpp", '#include "../Private.h"\n')
        self.write("tools/cli/main.cpp", '#include "nestor/Nest/N.h"\n')
        self.assertEqual(self.check("check-layers")[0], 0)

    def test_refuses_an_include_upward(self):
        self.refused("lib/Nest/N.cpp", "nestor/Lower/A.h", "Nest may not use Lower")

    def test_refuses_an_include_upward_in_a_header(self):
        self.refused("include/nestor/Support/S.h", "nestor/Nest/N.h", "Support may not use Nest")

    def test_refuses_an_unknown_room(self):
        self.refused("lib/Nest/N.cpp", "nestor/Attic/A.h", "no room")

    def test_refuses_a_tool_beyond_its_line(self):
        self.refused("tools/cli/main.cpp", "nestor/Runtime/R.h", "may not use Runtime")

    def test_refuses_llvm_in_the_runtime(self):
        self.refused("lib/Runtime/R.cpp", "llvm/ADT/SmallVector.h", "without LLVM")

    def test_refuses_a_way_around(self):
        self.refused("lib/Nest/N.cpp", "../Lower/A.h", "by their place")

    def test_refuses_a_folder_without_a_line(self):
        self.write("lib/Attic/A.cpp", "int a;\n")
        code, text = self.check("check-layers")
        self.assertEqual(code, 1)
        self.assertIn("lib/Attic/A.cpp:1: error: in no room", text)

    def test_refuses_a_cycle(self):
        self.write("tools/dev/layers.txt", "A: B\nB: A\n")
        code, text = self.check("check-layers")
        self.assertEqual(code, 1)
        self.assertIn("a cycle", text)


class Rules(Tree):
    def verdict(self, rule, path, text):
        self.write(path, text)
        code, output = self.check("check-tree", rule)
        if code:
            self.assertIn(path, output)
        return code

    def test_sizes(self):
        self.assertEqual(self.verdict("sizes", "lib/A.cpp", "\n" * 600), 0)
        self.assertEqual(self.verdict("sizes", "lib/A.cpp", "\n" * 601), 1)

    def test_format(self):
        self.assertEqual(self.verdict("format", "lib/A.cpp", "int a;\n"), 0)
        self.assertEqual(self.verdict("format", "lib/A.cpp", "int   a ;\n"), 1)

    def test_links(self):
        ninja = "build/build.ninja"
        good = " LINK_LIBRARIES = -lMLIR /usr/lib/llvm-22/lib/libLLVM.so.1 lib/liblldELF.a lib/libNestorLower.a\n"
        self.assertEqual(self.verdict("links", ninja, good), 0)
        self.assertEqual(self.verdict("links", ninja, good + " LINK_LIBRARIES = lib/libMLIRIR.a\n"), 1)
        self.assertEqual(self.verdict("links", ninja, good + " LINK_LIBRARIES = lib/libLLVMCore.a\n"), 1)

    def test_words(self):
        self.assertEqual(self.verdict("words", "docs/a.md", "see /usr/lib and a/work/b\n"), 0)
        self.assertEqual(self.verdict("words", "docs/a.md", "cd /home/" + "someone/src\n"), 1)


if __name__ == "__main__":
    unittest.main()
