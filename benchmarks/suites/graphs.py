"""MobileNetV2-1.0 (224 x 224) and BERT-base (12 layers) with random weights, in
the real architecture and as exporters write them: batch normalisation folded into
convolutions, GELU by Erf, attention by MatMul, Softmax and Transpose.

Leaves true: weights follow from a seed, and keep activations of one magnitude.
Files are made on demand in build/models.
"""

import pathlib

import harness
import modelzoo
import numpy as np
from modelzoo import Case
from onnx import TensorProto, helper, numpy_helper

FOLDER = harness.TOP / "build" / "models"


class Builder:
    """Nodes and weights of a graph; every method returns the name of a value."""

    def __init__(self, seed):
        self.rng = np.random.default_rng(seed)
        self.nodes, self.weights = [], []

    def constant(self, array):
        name = f"w{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(np.asarray(array), name))
        return name

    def normal(self, scale, *shape):
        return self.constant((scale * self.rng.standard_normal(shape, np.float32)).astype(np.float32))

    def add(self, kind, *inputs, **attributes):
        name = f"{kind.lower()}{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [name], name=name, **attributes))
        return name

    def model(self, inputs, outputs):
        def value(name, kind, shape):
            return helper.make_tensor_value_info(name, kind, shape)

        tables = [[value(*entry) for entry in those] for those in (inputs, outputs)]
        graph = helper.make_graph(self.nodes, "graph", *tables, self.weights)
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def mobilenet_v2():
    """Sandler et al. 2018, width 1.0: table 2."""
    b = Builder(1)

    def conv(x, inputs, outputs, window=1, stride=1, groups=1, clip=True, gain=2.0):
        fan_in = inputs // groups * window * window
        w = b.normal(np.sqrt(gain / fan_in), outputs, inputs // groups, window, window)
        pads = [window // 2] * 4
        x = b.add("Conv", x, w, b.normal(0.05, outputs), strides=[stride] * 2, pads=pads, group=groups)
        return b.add("Clip", x, zero, six) if clip else x

    zero, six = b.constant(np.float32(0)), b.constant(np.float32(6))
    x, channels = conv("image", 3, 32, window=3, stride=2), 32
    stages = [(1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1)]
    for expansion, outputs, repeats, stride in stages:
        for block in range(repeats):
            step, inside = stride if block == 0 else 1, channels * expansion
            y = conv(x, channels, inside) if expansion > 1 else x
            y = conv(y, inside, inside, window=3, stride=step, groups=inside)
            y = conv(y, inside, outputs, clip=False, gain=1.0)
            x = b.add("Add", x, y) if step == 1 and channels == outputs else y
            channels = outputs
    x = conv(x, channels, 1280)
    x = b.add("Flatten", b.add("GlobalAveragePool", x), axis=1)
    b.add("Gemm", x, b.normal(np.sqrt(1 / 1280), 1000, 1280), b.normal(0.05, 1000), transB=1)
    b.nodes[-1].output[0] = "scores"
    return b.model([("image", TensorProto.FLOAT, [1, 3, 224, 224])], [("scores", TensorProto.FLOAT, [1, 1000])])


def bert_base(layers=12, width=768, heads=12, inner=3072, words=30522, positions=512):
    """Devlin et al. 2018, base, with the pooler; any batch and length."""
    b = Builder(2)
    integers = {name: b.constant(np.array(v, np.int64)) for name, v in
                dict(first=[0], second=[1], one=[1], last=[-1], heads=[0, 0, heads, width // heads],
                     joined=[0, 0, width]).items()}
    floats = {name: b.constant(np.float32(v)) for name, v in
              dict(one=1, half=0.5, root=np.sqrt(2), least=-10000, scale=1 / np.sqrt(width // heads)).items()}

    def dense(x, inputs, outputs):
        w = b.normal(np.sqrt(1 / inputs), inputs, outputs)
        return b.add("Add", b.add("MatMul", x, w), b.normal(0.02, outputs))

    def norm(x):
        scale = b.constant((1 + 0.1 * b.rng.standard_normal(width)).astype(np.float32))
        return b.add("LayerNormalization", x, scale, b.normal(0.1, width), axis=-1, epsilon=1e-12)

    def split(x, perm):
        return b.add("Transpose", b.add("Reshape", x, integers["heads"]), perm=perm)

    def gelu(x):
        erf = b.add("Erf", b.add("Div", x, floats["root"]))
        return b.add("Mul", b.add("Mul", x, b.add("Add", erf, floats["one"])), floats["half"])

    # Padding gets a large negative score.
    mask = b.add("Unsqueeze", b.add("Unsqueeze", "attention_mask", integers["one"]), integers["one"])
    mask = b.add("Sub", floats["one"], b.add("Cast", mask, to=TensorProto.FLOAT))
    mask = b.add("Mul", mask, floats["least"])
    length = b.add("Slice", b.add("Shape", "input_ids"), integers["second"], b.constant(np.array([2], np.int64)))
    place = b.add("Slice", b.constant(np.arange(positions, dtype=np.int64)[None]), integers["first"], length, integers["one"])
    tables = [("input_ids", words), ("token_type_ids", 2), (place, positions)]
    parts = [b.add("Gather", b.normal(1.0, rows, width), ids) for ids, rows in tables]
    x = norm(b.add("Add", b.add("Add", parts[0], parts[1]), parts[2]))
    for _ in range(layers):
        q, k, v = (dense(x, width, width) for _ in range(3))
        scores = b.add("MatMul", split(q, [0, 2, 1, 3]), split(k, [0, 2, 3, 1]))
        scores = b.add("Add", b.add("Mul", scores, floats["scale"]), mask)
        seen = b.add("MatMul", b.add("Softmax", scores, axis=-1), split(v, [0, 2, 1, 3]))
        seen = b.add("Reshape", b.add("Transpose", seen, perm=[0, 2, 1, 3]), integers["joined"])
        x = norm(b.add("Add", dense(seen, width, width), x))
        x = norm(b.add("Add", dense(gelu(dense(x, width, inner)), inner, width), x))
    b.add("Identity", x)
    b.nodes[-1].output[0] = "hidden"
    first = b.add("Gather", x, b.constant(np.int64(0)), axis=1)
    b.add("Tanh", dense(first, width, width))
    b.nodes[-1].output[0] = "pooled"
    open_shape = ["batch", "length"]
    inputs = [(n, TensorProto.INT64, open_shape) for n in ("input_ids", "attention_mask", "token_type_ids")]
    outputs = [("hidden", TensorProto.FLOAT, [*open_shape, width]), ("pooled", TensorProto.FLOAT, ["batch", width])]
    return b.model(inputs, outputs)


BUILDERS = {"mobilenetv2": mobilenet_v2, "bert-base": bert_base}
CASES = [
    Case("mobilenetv2", "", modelzoo._image("image", 1, 3, 224, 224)),
    Case("bert-base", "length=128", modelzoo._words(1, 128)),
]


def fetch(name):
    """The path of graph `name`, made if it is not there or older than this file."""
    path = FOLDER / f"{name}.onnx"
    if not path.exists() or path.stat().st_mtime < pathlib.Path(__file__).stat().st_mtime:
        modelzoo.store(path, BUILDERS[name]().SerializeToString())
    return path
