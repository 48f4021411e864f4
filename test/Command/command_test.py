"""The command as its users meet it: exit codes, JSON, input and output files.

command_test.py NESTOR
"""

import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time
import unittest
import unittest.mock

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tools" / "dev"))
import harness

harness.need("numpy", "onnx")

import numpy as np
from onnx import TensorProto, helper, numpy_helper, save

NESTOR = sys.argv[1]


def make_model(path, nodes, inputs, outputs, weights=()):
    value = lambda name, shape: helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
    graph = helper.make_graph(
        nodes,
        "g",
        [value(*i) for i in inputs],
        [value(*o) for o in outputs],
        [numpy_helper.from_array(array, name) for name, array in weights],
    )
    save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)


class Command(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.top = pathlib.Path(cls.folder.name)
        rng = np.random.default_rng(0)
        cls.weights = rng.standard_normal((8, 5), np.float32)
        cls.model = cls.top / "m.onnx"
        node = helper.make_node("MatMul", ["x", "w"], ["y"])
        make_model(cls.model, [node], [("x", ["n", 8])], [("y", ["n", 5])], [("w", cls.weights)])
        cls.x = rng.standard_normal((3, 8), np.float32)
        np.save(cls.top / "x.npy", cls.x)
        np.savez(cls.top / "x.npz", x=cls.x)
        np.savez_compressed(cls.top / "packed.npz", x=np.asfortranarray(cls.x))
        (cls.top / "x.pb").write_bytes(numpy_helper.from_array(cls.x).SerializeToString())
        (cls.top / "x.bin").write_bytes(cls.x.tobytes())

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def nestor(self, *arguments, code=0):
        done = harness.run([NESTOR, *arguments], 60)
        self.assertEqual(done.code, code, done.err)
        if code:
            self.assertIn("error", done.err)
        return done

    def outputs(self, *arguments):
        file = self.top / "out.npz"
        self.nestor("run", *arguments, "--save-outputs", file)
        with np.load(file) as saved:
            return dict(saved)

    def test_every_form_of_input(self):
        forms = ["x=@{}/x.npy", "x=@{}/x.npz", "@{}/x.npz", "x=@{}/packed.npz", "x=@{}/x.pb", "x:f32:3x8@{}/x.bin"]
        for form in forms:
            y = self.outputs(self.model, "--input", form.format(self.top))["y"]
            np.testing.assert_allclose(y, self.x @ self.weights, rtol=1e-5, atol=1e-5)

    def test_artefact_gives_the_same_bits(self):
        artefact = self.top / "same.nst"
        self.nestor("compile", self.model, "-o", artefact)
        given = ["--input", f"x=@{self.top}/x.npy"]
        self.assertEqual(self.outputs(self.model, *given)["y"].tobytes(), self.outputs(artefact, *given)["y"].tobytes())

    def test_random_inputs_come_from_a_seed(self):
        first = self.outputs(self.model, "--dims", "n=4")["y"]
        self.assertEqual(first.shape, (4, 5))
        np.testing.assert_array_equal(first, self.outputs(self.model, "--dims", "n=4")["y"])
        self.assertFalse(np.array_equal(first, self.outputs(self.model, "--dims", "n=4", "--seed=1")["y"]))

    def test_bench_json(self):
        facts = json.loads(self.nestor("bench", self.model, "--json", "--time=0.05", "--threads=1").out)
        for key in "median_ms p90_ms p99_ms first_ms n threads cpu compile_s peak_rss_mb".split():
            self.assertIn(key, facts)
        self.assertEqual(facts["threads"], 1)
        self.assertLessEqual(facts["median_ms"], facts["p99_ms"])

    def test_verify(self):
        data = self.top / "set"
        data.mkdir()
        right = self.x @ self.weights
        (data / "input_0.pb").write_bytes(numpy_helper.from_array(self.x).SerializeToString())
        (data / "output_0.pb").write_bytes(numpy_helper.from_array(right).SerializeToString())
        self.assertIn("needed", self.nestor("verify", self.model, "--data", data).out)
        self.nestor("verify", self.model)  # with the interpreter

        wrong = self.top / "wrong"
        wrong.mkdir()
        right[1, 2] += 0.5
        (wrong / "input_0.pb").write_bytes((data / "input_0.pb").read_bytes())
        (wrong / "output_0.pb").write_bytes(numpy_helper.from_array(right).SerializeToString())
        done = self.nestor("verify", self.model, "--data", wrong, code=9)
        self.assertIn("first at 7", done.err)
        self.nestor("verify", self.model, "--data", wrong, "--atol=0.6")

        rows = self.top / "list.tsv"
        rows.write_text(f"{self.model}\t{data}\n# a comment\n{self.model}\t{wrong}\t1e-3\t1e-5\n")
        lines = [json.loads(line) for line in self.nestor("verify", "--list", rows).out.splitlines()]
        self.assertEqual([line["status"] for line in lines], ["passed", "failed"])
        self.assertAlmostEqual(lines[1]["max_abs"], 0.5, places=5)

    def test_wrong_inputs_end_with_8(self):
        np.save(self.top / "wide.npy", np.zeros((3, 9), np.float32))
        done = self.nestor("run", self.model, "--input", f"x=@{self.top}/wide.npy", code=8)
        self.assertIn("input 'x' must be f32[n,8] but is f32[3,9]", done.err)
        np.save(self.top / "ints.npy", np.zeros((3, 8), np.int32))
        self.nestor("run", self.model, "--input", f"x=@{self.top}/ints.npy", code=8)

    def test_mistakes_end_with_2(self):
        for arguments in ([], ["walk"], ["run"], ["run", self.model, "--bogus"], ["run", self.model, "--dims", "n"]):
            self.nestor(*arguments, code=2)
        done = self.nestor("run", self.model, "--input", f"q=@{self.top}/x.npy", code=2)
        self.assertIn("it has: x", done.err)

    def test_files_that_cannot_be_read_end_with_3(self):
        pipe = self.top / "pipe"
        os.mkfifo(pipe)
        for path in (self.top / "none.onnx", self.top, "/dev/zero", pipe):
            for verb in ("run", "check", "inspect", "compile"):
                self.nestor(verb, path, code=3)
        self.nestor("run", self.model, "--input", f"x=@{self.top}/none.npy", code=3)
        self.nestor("compile", self.model, "-o", self.top / "none" / "m.nst", code=3)

    def test_malformed_and_unsupported_models(self):
        text = self.top / "text.onnx"
        text.write_text("no model\n")
        self.nestor("check", text, code=4)
        strange = self.top / "strange.onnx"
        nodes = [helper.make_node("Frobnicate", ["x"], ["y"]), helper.make_node("Twiddle", ["y"], ["z"])]
        make_model(strange, nodes, [("x", [2])], [("z", [2])])
        done = self.nestor("check", strange, "--json", code=5)
        # All of them at once, and the same as JSON.
        self.assertIn("Frobnicate", done.err)
        self.assertEqual(json.loads(done.out)["error"]["code"], 5)

    def test_precision(self):
        rng = np.random.default_rng(3)
        weights = rng.integers(-127, 128, size=(64, 16)).astype(np.int8)
        scale = np.array(0.01, np.float32)
        nodes = [
            helper.make_node("Cast", ["w"], ["f"], to=1),
            helper.make_node("Mul", ["f", "s"], ["r"]),
            helper.make_node("MatMul", ["x", "r"], ["y"]),
        ]
        path = self.top / "bytes.onnx"
        make_model(path, nodes, [("x", [5, 64])], [("y", [5, 16])], [("w", weights), ("s", scale)])
        x = rng.standard_normal((5, 64)).astype(np.float32)
        np.save(self.top / "data.npy", x)
        right = x @ (weights * scale)
        away = {}
        for precision in ("model", "int8"):
            saved = self.top / f"{precision}.npz"
            data = ["--input", f"x=@{self.top}/data.npy", "--save-outputs", saved]
            self.nestor("run", path, f"--precision={precision}", *data)
            away[precision] = np.abs(np.load(saved)["y"] - right).max() / np.abs(right).max()
        self.assertLess(away["model"], 1e-5)
        self.assertGreater(away["int8"], 1e-5)
        self.assertLess(away["int8"], 0.02)
        self.nestor("run", path, "--precision=int4", code=2)

    def test_targets(self):
        done = self.nestor("run", self.model, "--target=pdp11", code=6)
        self.assertIn("x86-64-v3", done.err)

    def test_damaged_artefacts_end_with_10(self):
        artefact = self.top / "damaged.nst"
        self.nestor("compile", self.model, "-o", artefact)
        whole = artefact.read_bytes()
        for size in (0, 1, 63, 64, 4000, len(whole) - 1):
            artefact.write_bytes(whole[:size])
            self.nestor("run", artefact, code=10)
        for at in (5, 40, 100, len(whole) // 2, len(whole) - 100):
            artefact.write_bytes(whole[:at] + bytes([whole[at] ^ 4]) + whole[at + 1 :])
            self.nestor("run", artefact, code=10)

    def test_failed_compile_leaves_nothing_behind(self):
        text = self.top / "left.onnx"
        text.write_text("no model\n")
        before = set(self.top.iterdir())
        self.nestor("compile", text, "-o", self.top / "left.nst", code=4)
        self.assertEqual(set(self.top.iterdir()), before)

    def test_limits_end_with_7(self):
        self.nestor("run", self.model, "--time-limit=0.001", code=7)

    def test_interrupt_ends_with_130(self):
        command = [NESTOR, "bench", self.model, "--time=30"]
        child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        time.sleep(1)
        child.send_signal(signal.SIGINT)
        error = child.communicate(timeout=20)[1]
        self.assertEqual(child.returncode, 130)
        self.assertIn("interrupted", error)

    def test_inspect(self):
        model = json.loads(self.nestor("inspect", self.model, "--json").out)
        self.assertEqual(model["operators"], {"MatMul": 1})
        self.assertEqual(model["weights_bytes"], 160)
        artefact = self.top / "inspect.nst"
        self.nestor("compile", self.model, "-o", artefact)
        facts = json.loads(self.nestor("inspect", artefact, "--json").out)
        self.assertEqual(facts["inputs"], [{"name": "x", "type": "f32[n,8]"}])
        self.assertGreater(len(facts["kernels"]), 0)
        for kernel in facts["kernels"]:
            self.assertTrue(kernel["name"] and kernel["hash"])

    def test_machine(self):
        facts = json.loads(self.nestor("doctor", "--json").out)
        self.assertGreaterEqual(facts["threads"], 1)
        self.assertIn("llvm", json.loads(self.nestor("version", "--json").out))

    def test_calibration(self):
        file = self.top / "rates.json"
        with unittest.mock.patch.dict(os.environ, {"NESTOR_CALIBRATION": str(file)}):
            before = json.loads(self.nestor("doctor", "--json").out)
            self.assertFalse(before["rates"]["measured"])
            self.assertIn("as shipped", self.nestor("doctor").out)
            after = json.loads(self.nestor("doctor", "--calibrate", "--json").out)
            self.assertTrue(after["rates"]["measured"])
            self.assertEqual(after["rates"]["file"], str(file))
            self.assertEqual(json.loads(file.read_text())["rates"], after["rates"]["values"])
            # Later commands take it, and an artefact says so.
            self.assertEqual(json.loads(self.nestor("doctor", "--json").out), after)
            self.assertIn("measured here", self.nestor("doctor").out)
            artefact = self.top / "measured.nst"
            self.nestor("compile", self.model, "-o", artefact)
            self.assertIn(", rates ", json.loads(self.nestor("inspect", artefact, "--json").out)["target"])
            # A damaged file is told of, and is no error for those who compile.
            file.write_text(file.read_text()[:100])
            self.assertIn("is ignored", self.nestor("doctor").out)
            self.nestor("compile", self.model, "-o", artefact)
            self.assertNotIn(", rates ", json.loads(self.nestor("inspect", artefact, "--json").out)["target"])
            self.nestor("doctor", "--calibrate")
            self.assertTrue(json.loads(self.nestor("doctor", "--json").out)["rates"]["measured"])
        with unittest.mock.patch.dict(os.environ, {"NESTOR_CALIBRATION": str(self.top / "none" / "rates.json" / "x")}):
            (self.top / "none").write_text("")
            self.nestor("doctor", "--calibrate", code=3)

    def test_emit(self):
        for kind in ("import", "partition", "schedule", "nest", "llvm", "asm"):
            self.assertTrue(self.nestor("compile", self.model, f"--emit={kind}").out, kind)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
