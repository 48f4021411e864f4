"""The plumbing of the benchmark's suites, without any peer; the model test's comparison."""

import contextlib
import importlib.machinery
import importlib.util
import io
import json
import pathlib
import subprocess
import sys
import tempfile
import types
import unittest
import unittest.mock

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


COMPARE = TOP / "benchmarks" / "compare"
sys.path[:0] = [str(TOP / "benchmarks" / "suites"), str(TOP / "benchmarks" / "polybench")]
import common
import graphs
import models
import operators


def row(case, ratio=1.0, threads=1, ours=(1.0,)):
    facts = dict(ours=list(ours), theirs=[ratio], ours_ms=1.0, theirs_ms=ratio, peer="p", peer_version="1")
    return dict(facts, case=case, ratio=ratio, threads=threads, cpu="avx512")


class Compare(unittest.TestCase):
    def test_closing_line(self):
        rows = [row("a", 0.5), row("b/x=1", 2.0), row("c", 0.25, 2)]
        self.assertEqual(common.summary(rows, 1), "geomean=1.00 worst=0.50 (a) n=2 cpu=avx512 threads=1")
        self.assertEqual(common.summary(rows, 2), "geomean=0.25 worst=0.25 (c) n=1 cpu=avx512 threads=2")
        rows = [dict(row("a"), target="x86-64-v3", busy=True)]
        self.assertTrue(common.summary(rows, 1).endswith(" cpu=avx512 threads=1 target=x86-64-v3 busy"))

    def test_says_where_more_threads_are_slower(self):
        rows = [row(c, threads=t, ours=m) for c, t, m in
                [("a", 1, [1.0, 3]), ("a", 2, [1.04, 9]), ("b", 1, [1.0]), ("b", 2, [2, 1.5]), ("c", 2, [9.0])]]
        notes = list(common.slower_with_more(rows))
        self.assertEqual(notes, ["slower with 2 threads than with one: b by 50%"])

    def test_a_row_is_written_when_it_comes(self):
        with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()) as out:
            path = pathlib.Path(folder) / "rows.jsonl"
            report = common.Report(path, "suite")
            for number in (1, 2):
                report.add(row("a", threads=number))
                lines = path.read_text().splitlines()
                self.assertEqual(len(lines), number)
            self.assertEqual(json.loads(lines[1])["suite"], "suite")
            self.assertEqual(report.close([1, 2]), 0)
            report.fail("b", "wrong result")
            self.assertEqual(report.close([1, 2]), 1)
        self.assertIn("failed: b", out.getvalue())

    def settings(self, processes):
        return types.SimpleNamespace(threads=[1], processes=processes, busy=False, target=None)

    def test_the_best_peer_counts_and_a_hopeless_one_stops(self):
        turns = []

        def side(name, *times):
            left = list(times)

            def run(threads):
                turns.append(name)
                if not left:
                    raise common.Failed(f"{name} cannot")
                return dict(median_ms=left.pop(0), min_ms=0, version=name)

            return run

        peers = dict(fast=side("fast", 2, 3, 4), near=side("near", 2.5, 2.5, 2.6), slow=side("slow", 9), none=side("none"))
        (got,) = common.take_turns(self.settings(3), "case", side("ours", 1, 1, 5), peers)
        self.assertEqual((got["peer"], got["theirs_ms"], got["ratio"]), ("near", 2.5, 2.5))
        self.assertEqual([turns.count(n) for n in ("ours", "fast", "slow", "none")], [3, 3, 1, 1])
        self.assertEqual(got["failed"], {"none": "none cannot"})
        with self.assertRaises(common.Failed):
            list(common.take_turns(self.settings(1), "case", side("ours", 1), {"none": side("none")}))

    def test_a_wrong_result_fails(self):
        case = operators.Case("c", None, {}, atol=1e-3, rtol=0)
        operators.check(case, np.float32([1, 2]), np.float32([1, 2.0009]), "peer")
        for got in ([1, 2.1], [1, np.nan]):
            with self.assertRaisesRegex(common.Failed, "wrong result: .* at \\[1\\], peer has 2.0"):
                operators.check(case, np.float32(got), np.float32([1, 2]), "peer")
        bytes = operators.Case("c", None, {}, dtype=np.uint8, atol=1, rtol=0)
        operators.check(bytes, np.uint8([0]), np.uint8([1]), "peer")
        with self.assertRaises(common.Failed):
            operators.check(bytes, np.uint8([0]), np.uint8([255]), "peer")
        with self.assertRaises(common.Failed):
            models.check("y", np.float32([1]), np.float32([2]))
        models.check("y", np.float32([1]), np.float32([1.001]))

    def compare(self, *arguments):
        done = harness.run([COMPARE, *arguments], 60)
        return done.code, done.out, done.err

    def test_refuses_what_it_does_not_know(self):
        for arguments, text in [
            (["nonsense"], "invalid choice: 'nonsense'"),
            (["gemm-f32", "--against=torch"], "gemm-f32 is compared with onednn or"),
            (["gemm-f32", "--threads=0"], "are 1 or more"),
            (["gemm-f32", "--filter=17x", "--list"], "no case matches 17x"),
        ]:
            code, _, err = self.compare(*arguments)
            self.assertEqual(code, 2)
            self.assertIn(text, err)

    def test_lists_cases(self):
        for suite, case in [("gemm-f32", "16x4096x4096"), ("gemm-int8", "100x100x100"), ("conv-f32", "3-64-7x7-s2@224"),
                            ("depthwise", "960-3x3-s1@7"), ("norms", "gelu/128x3072"), ("attention", "attention-causal/512"),
                            ("kernels-absolute", "1024x1024x1024"), ("models", "bert-base/length=128"), ("polybench", "gemm")]:
            code, out, _ = self.compare(suite, "--list")
            self.assertEqual(code, 0)
            self.assertIn(case, out.splitlines())

    def test_a_missing_peer_ends_with_6(self):
        with unittest.mock.patch.object(common.subprocess, "run") as run, contextlib.redirect_stderr(io.StringIO()) as err:
            run.return_value = subprocess.CompletedProcess([], 1, "", "trying\nerror: cannot set up onednn-gomp: no index\n")
            with self.assertRaises(SystemExit) as end:
                common.peer("onednn-gomp")
        self.assertEqual(end.exception.code, 6)
        self.assertIn("no peer onednn-gomp: error: cannot set up", err.getvalue())

    def test_types_that_this_cpu_lacks_are_not_measured(self):
        import gemm

        args = types.SimpleNamespace(suite="gemm-int8", filter="")
        with unittest.mock.patch.object(operators, "cpu_flags", return_value={"avx2"}):
            with self.assertRaisesRegex(common.NotMeasured, "no VNNI"):
                gemm.run(args, [1], None)

    def test_graphs_have_the_real_sizes(self):
        # Without the embeddings 85.6 million; a layer has 7.09 million.
        model = graphs.bert_base(layers=1, words=10)
        sizes = sum(int(np.prod(w.dims)) for w in model.graph.initializer if w.data_type == TensorProto.FLOAT)
        self.assertAlmostEqual(sizes / 1e6, (10 + 2 + 512 + 2) * 768 / 1e6 + 7.09 + 0.59, places=2)
        sizes = sum(int(np.prod(w.dims)) for w in graphs.mobilenet_v2().graph.initializer)
        self.assertAlmostEqual(sizes / 1e6, 3.49, places=2)

    def test_dims_name_every_open_size_once(self):
        value = helper.make_tensor_value_info
        inputs = [value("x", TensorProto.FLOAT, ["batch", 3, "?", None]), value("y", TensorProto.FLOAT, ["batch"])]
        node = helper.make_node("Identity", ["x"], ["z"])
        graph = helper.make_graph([node], "g", inputs, [value("z", TensorProto.FLOAT, None)])
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "m.onnx"
            save(helper.make_model(graph), path)
            feeds = {"x": np.zeros((2, 3, 4, 5)), "y": np.zeros(2)}
            self.assertEqual(models.dims_of(path, feeds), ["--dims=batch=2,x_d2=4,x_d3=5"])

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
