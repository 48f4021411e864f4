"""An artefact on the CPU it was made for, and on lesser ones under qemu-user:
there the loader must refuse with a text that names what is missing, not die.

cpu_test.py NESTOR NST_LOAD
"""

import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tools" / "dev"))
import harness

harness.need("numpy", "onnx")
if not shutil.which("qemu-x86_64"):
    harness.skip("no qemu-x86_64; the package qemu-user brings it")

from onnx import TensorProto, helper, save

NESTOR, LOAD = sys.argv[1:3]


class Cpu(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        value = helper.make_tensor_value_info
        graph = helper.make_graph(
            [helper.make_node("Add", ["x", "x"], ["y"]), helper.make_node("Exp", ["y"], ["z"])],
            "g",
            [value("x", TensorProto.FLOAT, ["n", 40])],
            [value("z", TensorProto.FLOAT, ["n", 40])],
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
        cls.model = pathlib.Path(cls.folder.name) / "m.onnx"
        save(model, cls.model)

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def artefact(self, target):
        path = self.model.with_name(f"{target}.nst")
        if not path.exists():
            done = harness.run([NESTOR, "compile", self.model, f"--target={target}", "-o", path], 60)
            self.assertEqual(done.code, 0, done.err)
        return path

    def load(self, target, cpu):
        done = harness.run(["qemu-x86_64", "-cpu", cpu, LOAD, self.artefact(target)], 60)
        lines = [l for l in done.err.splitlines() if "warning: TCG" not in l]
        return done.code, done.out.strip(), "\n".join(lines)

    def refused(self, target, cpu, feature):
        code, _, text = self.load(target, cpu)
        self.assertEqual(code, 6, text)
        self.assertIn(feature, text)

    def test_runs_where_the_features_are(self):
        code, answer, text = self.load("x86-64-v3", "max")
        self.assertEqual(code, 0, text)
        self.assertAlmostEqual(float(answer), 7.38906, places=4)

    def test_refuses_avx512_where_there_is_none(self):
        self.refused("x86-64-v4", "max", "avx512")

    def test_refuses_avx2_where_there_is_none(self):
        self.refused("x86-64-v3", "max,-avx2", "avx2")

    def test_same_refusal_by_the_command(self):
        if "avx512f" in pathlib.Path("/proc/cpuinfo").read_text():
            self.skipTest("this CPU has AVX-512")
        done = harness.run([NESTOR, "run", self.artefact("x86-64-v4")], 60)
        self.assertEqual(done.code, 6, done.err)
        self.assertIn("avx512", done.err)

    def test_artefact_needs_no_library(self):
        done = subprocess.run(["readelf", "-d", self.artefact("x86-64-v3")], capture_output=True, text=True, check=True)
        self.assertNotIn("NEEDED", done.stdout)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
