"""The benchmark's arithmetic and its closing line; the model test's comparison."""

import importlib.machinery
import importlib.util
import pathlib
import sys
import tempfile
import unittest

TOP = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / "tools" / "dev"))
sys.dont_write_bytecode = True
import harness

harness.need("numpy", "onnx", "onnxruntime")

import numpy as np
from onnx import TensorProto, helper, save


def load(path):
    loader = importlib.machinery.SourceFileLoader(path.replace("/", "_"), str(TOP / path))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(loader.name, loader))
    loader.exec_module(module)
    return module


class Compare(unittest.TestCase):
    compare = load("benchmarks/compare")

    def test_closing_line(self):
        rows = [dict(case=c, ratio=r, threads=t, cpu="avx512") for c, r, t in
                [("a", 0.5, 1), ("b/x=1", 2.0, 1), ("c", 0.25, 2)]]
        self.assertEqual(self.compare.summary(rows, 1), "geomean=1.00 worst=0.50 (a) n=2 cpu=avx512 threads=1")
        self.assertEqual(self.compare.summary(rows, 2), "geomean=0.25 worst=0.25 (c) n=1 cpu=avx512 threads=2")

    def test_says_where_more_threads_are_slower(self):
        rows = [dict(case=c, threads=t, ours=m) for c, t, m in
                [("a", 1, [1.0, 3]), ("a", 2, [1.04, 9]), ("b", 1, [1.0]), ("b", 2, [2, 1.5]), ("c", 2, [9.0])]]
        notes = list(self.compare.slower_with_more(rows))
        self.assertEqual(notes, ["slower with 2 threads than with one: b by 50%"])

    def test_dims_name_every_open_size_once(self):
        value = helper.make_tensor_value_info
        inputs = [value("x", TensorProto.FLOAT, ["batch", 3, "?", None]), value("y", TensorProto.FLOAT, ["batch"])]
        node = helper.make_node("Identity", ["x"], ["z"])
        graph = helper.make_graph([node], "g", inputs, [value("z", TensorProto.FLOAT, None)])
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "m.onnx"
            save(helper.make_model(graph), path)
            feeds = {"x": np.zeros((2, 3, 4, 5)), "y": np.zeros(2)}
            self.assertEqual(self.compare.dims_of(path, feeds), ["--dims=batch=2,x_d2=4,x_d3=5"])

    def test_cpu_kind_goes_by_features(self):
        for flags, kind in [("avx2 fma", "avx2"), ("avx2 avx512f", "avx512"), ("avx2 avx512f amx_tile", "amx")]:
            with tempfile.NamedTemporaryFile("w") as file:
                file.write(f"model name : AMX 9000\nflags\t\t: {flags}\n")
                file.flush()
                self.assertEqual(harness.cpu_kind(file.name), kind)


class Difference(unittest.TestCase):
    models = load("test/models/run")

    def ratio(self, got, want):
        return self.models.difference(np.array(got), np.array(want))[0]

    def test_floats_have_room_by_magnitude(self):
        self.assertLess(self.ratio(np.float32([1000.0, 0.009]), np.float32([1000.5, 0.0])), 1)
        self.assertGreater(self.ratio(np.float32([1000.0, 0.02]), np.float32([1000.0, 0.0])), 1)
        self.assertEqual(self.ratio(np.float32([np.nan, np.inf]), np.float32([np.nan, np.inf])), 0)
        self.assertEqual(self.ratio(np.float32([np.nan]), np.float32([1.0])), np.inf)

    def test_integers_shapes_and_types_are_exact(self):
        self.assertEqual(self.ratio(np.int64([3]), np.int64([3])), 0)
        self.assertEqual(self.ratio(np.int64([3]), np.int64([4])), np.inf)
        self.assertEqual(self.ratio(np.float32([3]), np.float64([3])), np.inf)
        self.assertEqual(self.ratio(np.float32([3]), np.float32([[3]])), np.inf)


if __name__ == "__main__":
    unittest.main()
