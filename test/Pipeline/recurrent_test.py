"""What LSTM, GRU and RNN become: the products with the inputs are one matmul over
all steps, before the loop; weights are brought to the layout of their kernels at
build time; a step is a few launches. And the numbers are those of a plain
evaluation in double precision, for sizes that fit no vector.

recurrent_test.py NESTOR
"""

import pathlib
import re
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tools" / "dev"))
import harness

harness.need("numpy", "onnx")

import numpy as np
from onnx import TensorProto, helper, numpy_helper, save

NESTOR = sys.argv[1]
GATES = {"LSTM": 4, "GRU": 3, "RNN": 1}


def weights(op, inputs, hidden, directions):
    rng = np.random.default_rng(1)
    rows = GATES[op] * hidden
    draw = lambda *shape: (rng.standard_normal(shape) / 4).astype(np.float32)
    return draw(directions, rows, inputs), draw(directions, rows, hidden), draw(directions, 2 * rows)


def write(path, op, steps, batch, inputs, hidden, directions=1, linear=0):
    states = ["h", "c"] if op == "LSTM" else ["h"]
    attributes = {"linear_before_reset": linear} if op == "GRU" else {}
    direction = "bidirectional" if directions == 2 else "forward"
    node = helper.make_node(
        op, ["x", "w", "r", "b"], ["y", *states], hidden_size=hidden, direction=direction, **attributes
    )
    value = lambda name, shape: helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
    graph = helper.make_graph(
        [node],
        "g",
        [value("x", [steps, batch, inputs])],
        [value("y", [steps, directions, batch, hidden])] + [value(s, [directions, batch, hidden]) for s in states],
        [numpy_helper.from_array(a, n) for a, n in zip(weights(op, inputs, hidden, directions), "wrb")],
    )
    save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def evaluate(op, x, hidden, directions=1, linear=0):
    """y of the operator's definition, in double precision."""
    w, r, b = (a.astype(np.float64) for a in weights(op, x.shape[2], hidden, directions))
    y = np.zeros((x.shape[0], directions, x.shape[1], hidden))
    for d in range(directions):
        wb, rb = np.split(b[d], 2)
        h = np.zeros((x.shape[1], hidden))
        c = h.copy()
        for t in range(x.shape[0])[:: -1 if d else 1]:
            px, ph = x[t] @ w[d].T + wb, h @ r[d].T + rb
            if op == "RNN":
                h = np.tanh(px + ph)
            elif op == "LSTM":
                i, o, f, g = np.split(px + ph, 4, axis=1)
                c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
                h = sigmoid(o) * np.tanh(c)
            else:
                (zx, rx, gx), (zh, rh, gh) = np.split(px, 3, axis=1), np.split(ph, 3, axis=1)
                z, reset = sigmoid(zx + zh), sigmoid(rx + rh)
                part = slice(2 * hidden, 3 * hidden)
                inner = reset * gh if linear else (reset * h) @ r[d, part].T + rb[part]
                h = (1 - z) * np.tanh(gx + inner) + z * h
            y[t, d] = h
    return y


class Recurrent(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.model = pathlib.Path(self.folder.name) / "m.onnx"

    def nestor(self, *arguments):
        done = harness.run([NESTOR, *arguments], 120)
        self.assertEqual(done.code, 0, done.err)
        return done.out

    def main_of(self, *model):
        """The lines of @main before its loop over time, and those of the loop."""
        write(self.model, *model)
        text = self.nestor("compile", self.model, "--emit=partition")
        main = re.search(r"func\.func @main.*?\n  \}", text, re.S).group(0)
        before, loop = main.split("scf.for", 1)
        return before, loop.split("\n    }\n", 1)[0]

    def test_the_input_product_is_one_matmul_outside_of_the_loop(self):
        for op, launches in (("LSTM", 4), ("GRU", 4), ("RNN", 3)):
            before, loop = self.main_of(op, 9, 1, 24, 32)
            self.assertEqual(len(re.findall(r"launch @\w*matmul", before)), 1, op)
            self.assertLessEqual(loop.count("host.launch"), launches, op)
            self.assertIn("matmul", loop, op)

    def test_weights_are_packed_at_build_time(self):
        write(self.model, "LSTM", 9, 1, 24, 64)
        text = self.nestor("compile", self.model, "--emit=nest")
        main = re.search(r"func\.func @main.*?\n  \}", text, re.S).group(0)
        self.assertNotIn("launch @transpose", main)
        self.assertNotIn("launch @pack", main)
        self.assertIn("launch @pack", text)

    def test_numbers(self):
        rng = np.random.default_rng(2)
        cases = [
            ("LSTM", 7, 1, 5, 8, 1),
            ("LSTM", 5, 3, 11, 13, 2),
            ("LSTM", 1, 2, 3, 1, 1),
            ("GRU", 6, 1, 9, 17, 1, 0),
            ("GRU", 6, 2, 4, 31, 2, 1),
            ("RNN", 8, 2, 3, 19, 2),
        ]
        for op, steps, batch, inputs, hidden, *rest in cases:
            write(self.model, op, steps, batch, inputs, hidden, *rest)
            x = rng.standard_normal((steps, batch, inputs)).astype(np.float32)
            folder = self.model.parent
            np.save(folder / "x.npy", x)
            self.nestor(
                "run", self.model, "--input", f"x=@{folder}/x.npy", "--save-outputs", folder / "y.npz", "--threads=2"
            )
            with np.load(folder / "y.npz") as outputs:
                np.testing.assert_allclose(outputs["y"], evaluate(op, x, hidden, *rest), rtol=1e-5, atol=1e-5)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
