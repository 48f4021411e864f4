#!/bin/sh
''''exec "$(dirname "$0")/../../tools/dev/python" "$0" "$@" #'''
"""Quantised operators against ONNX Runtime, in quanta.

One model of many branches DequantizeLinear -> operator -> QuantizeLinear, twice:
with scales that are powers of two, where every step is exact and so must the
result be, and with any scales, where a result may be one quantum away when it
lies half-way between two: from what the graph says (ONNX Runtime with its
rewrites off) and from what its own fusions make of it.
"""

import argparse
import pathlib
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "tools" / "dev"))
import harness

harness.need("numpy", "onnx", "onnxruntime")

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

RARE = 0.02  # of the elements may be a quantum away
RARE_IN_SOFTMAX = 0.1  # where ONNX Runtime's fusion looks exponentials up in a table


class Graph:
    """Builds the model; every name is its own."""

    def __init__(self, exact, seed):
        self.exact, self.rng = exact, np.random.default_rng(seed)
        self.nodes, self.initializers, self.outputs, self.inputs, self.count = [], [], [], {}, 0

    def name(self):
        self.count += 1
        return f"v{self.count}"

    def constant(self, array):
        name = self.name()
        self.initializers.append(numpy_helper.from_array(np.asarray(array), name))
        return name

    def op(self, kind, inputs, **attributes):
        name = self.name()
        self.nodes.append(helper.make_node(kind, inputs, [name], **attributes))
        return name

    def scale(self, size=()):
        power = self.rng.integers(-6, -3, size=size)
        return np.float32(2.0**power if self.exact else 2.0**power * self.rng.uniform(0.7, 1.3, size=size))

    def data(self, *shape, kind=np.uint8):
        """An input of bytes and its dequantised tensor."""
        name = self.name()
        low, high = (100, 156) if kind == np.uint8 else (-28, 28)
        self.inputs[name] = self.rng.integers(low, high, size=shape).astype(kind)
        return self.real(name, self.scale(), kind(self.rng.integers(low, high)))

    def real(self, name, scale, zero, **attributes):
        return self.op("DequantizeLinear", [name, self.constant(scale), self.constant(zero)], **attributes)

    def weights(self, *shape, axis=None, kind=np.int8):
        low, high = (-20, 20) if kind == np.int8 else (100, 140)
        array = self.rng.integers(low, high, size=shape).astype(kind)
        count = () if axis is None else (shape[axis],)
        zero = np.full(count, 0 if kind == np.int8 else 121, kind)
        attributes = {} if axis is None else {"axis": axis}
        return self.real(self.constant(array), self.scale(count), zero, **attributes)

    def bias(self, count):
        array = self.rng.integers(-400, 400, size=count).astype(np.int32)
        return self.op("DequantizeLinear", [self.constant(array), self.constant(np.float32(2.0**-8))])

    def result(self, name, label, kind=np.uint8, again=False):
        """Quantises `name` so that few results saturate."""
        scale = np.float32(2.0**-2 if self.exact else 2.0**-2 * self.rng.uniform(0.7, 1.3))
        zero = kind(128 if kind == np.uint8 else 0)
        out = self.op("QuantizeLinear", [name, self.constant(scale), self.constant(zero)])
        if again:
            return self.real(out, scale, zero)
        self.nodes[-1].output[0] = label
        self.outputs.append(helper.make_tensor_value_info(label, TensorProto.UINT8 if kind == np.uint8 else TensorProto.INT8, None))
        return label

    def model(self):
        kinds = {np.dtype(np.uint8): TensorProto.UINT8, np.dtype(np.int8): TensorProto.INT8}
        inputs = [helper.make_tensor_value_info(n, kinds[a.dtype], a.shape) for n, a in self.inputs.items()]
        graph = helper.make_graph(self.nodes, "g", inputs, self.outputs, self.initializers)
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def build(exact):
    g = Graph(exact, 5)
    x = g.data(1, 8, 9, 10)
    conv = g.op("Conv", [x, g.weights(16, 8, 3, 3, axis=0), g.bias(16)], pads=[1, 1, 1, 1], strides=[2, 1])
    g.result(g.op("Relu", [conv]), "conv")
    first = g.result(g.op("Conv", [x, g.weights(16, 8, 1, 1, axis=0)]), "", again=True)
    g.result(g.op("Conv", [first, g.weights(16, 1, 3, 3, axis=0), g.bias(16)], group=16, pads=[1, 1, 1, 1]), "depthwise")
    g.result(g.op("Conv", [first, g.weights(6, 8, 3, 3, axis=0)], group=2), "grouped")
    g.result(g.op("Conv", [first, g.weights(6, 16, 1, 1, kind=np.uint8)]), "weights-shifted")
    g.result(g.op("MaxPool", [first], kernel_shape=[3, 3], pads=[1, 1, 1, 1], strides=[2, 2]), "max")
    g.result(g.op("AveragePool", [first], kernel_shape=[2, 2], strides=[2, 2]), "average")
    other = g.result(g.op("Conv", [x, g.weights(16, 8, 1, 1, axis=0)]), "", again=True)
    g.result(g.op("Add", [first, other]), "add")
    g.result(g.op("Mul", [first, other]), "mul")
    joined = g.result(g.op("Concat", [first, other], axis=1), "", again=True)
    g.result(g.op("Conv", [joined, g.weights(5, 32, 1, 1, axis=0)]), "concat")

    m = g.data(7, 24)
    g.result(g.op("MatMul", [m, g.weights(24, 32, axis=1)]), "matmul")
    g.result(g.op("MatMul", [m, g.weights(24, 33, kind=np.uint8)]), "matmul-shifted", kind=np.int8)
    g.result(g.op("Gemm", [m, g.weights(20, 24, axis=0)], transB=1), "gemm")
    q, k = g.data(2, 3, 5, 16), g.data(2, 3, 6, 16, kind=np.int8)
    turned = g.op("Transpose", [k], perm=[0, 1, 3, 2])
    scores = g.result(g.op("MatMul", [q, turned]), "", again=True)
    g.result(g.op("Softmax", [scores], axis=-1), "attention")
    flat = g.op("Reshape", [g.op("Transpose", [q], perm=[0, 2, 1, 3]), g.constant(np.array([2, 5, 48], np.int64))])
    g.result(g.op("MatMul", [flat, g.weights(48, 12, axis=1)]), "reshaped")
    return g


def runtime(model, feeds, plain):
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    if plain:
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    names = [o.name for o in session.get_outputs()]
    return dict(zip(names, session.run(None, feeds)))


def ours(nestor, model, feeds, folder):
    path, saved = folder / "model.onnx", folder / "outputs.npz"
    onnx.save(model, path)
    command = [nestor, "run", path, "--threads=2", "--save-outputs", saved]
    for name, array in feeds.items():
        np.save(folder / f"{name}.npy", array)
        command += ["--input", f"{name}=@{folder / f'{name}.npy'}"]
    done = harness.run(command, 300)
    if done.code:
        sys.exit(f"error: nestor run ended with {done.code}: {done.first_error()}")
    with np.load(saved) as file:
        return {name: file[name] for name in file.files}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nestor", default=harness.NESTOR, metavar="PATH")
    args = parser.parse_args()
    failures = 0
    for exact in (True, False):
        g = build(exact)
        model = g.model()
        with tempfile.TemporaryDirectory() as folder:
            got = ours(args.nestor, model, g.inputs, pathlib.Path(folder))
        for plain in (True, False):
            for name, want in runtime(model, g.inputs, plain).items():
                if got[name].dtype != want.dtype or got[name].shape != want.shape:
                    print(f"error: {name}: {got[name].dtype}{got[name].shape}, expected {want.dtype}{want.shape}")
                    failures += 1
                    continue
                away = np.abs(got[name].astype(int) - want.astype(int))
                rare = RARE_IN_SOFTMAX if name == "attention" and not plain else RARE
                bad = away.max() > (0 if exact else 1) or np.mean(away > 0) > rare
                what = f"{'exact' if exact else 'any'} scales, {'as written' if plain else 'fused by ONNX Runtime'}"
                print(f"{'error: ' if bad else ''}{name}, {what}: at most {away.max()} quanta, {np.mean(away > 0):.3%} differ")
                failures += bad
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
