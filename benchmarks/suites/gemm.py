"""gemm-f32, gemm-bf16, gemm-int8: a matrix product with constant weights, rows of
A and C as one writes them, against oneDNN's matmul with weights in its own format.

gemm-int8 is u8 x s8 with a scale for each column, requantised to u8.
"""

import common
import numpy as np
import operators
from onnx import helper
from operators import Case

# (m, n, k)
SQUARE = [(s, s, s) for s in (64, 100, 256, 512, 1024, 2048)]
BERT = [(128, 768, 768), (128, 3072, 768), (128, 768, 3072), (384, 1024, 1024)]
SKINNY = [(16, 4096, 4096)]
GEMV = [(1, 4096, 4096), (1, 11008, 4096)]
# The 1x1 convolutions of ResNet-50 as products: a row for each pixel.
RESNET = [
    (3136, 64, 64),
    (3136, 256, 64),
    (3136, 64, 256),
    (3136, 128, 256),
    (784, 512, 128),
    (784, 128, 512),
    (196, 1024, 256),
    (196, 256, 1024),
    (49, 2048, 512),
    (49, 512, 2048),
]
SHAPES = [*SQUARE, *BERT, *SKINNY, *GEMV, *RESNET]
# What CPUs call the instructions for the types that not all of them have.
NEEDS = {
    "bf16": ({"avx512_bf16", "amx_bf16"}, "AVX512-BF16 and no AMX-BF16"),
    "u8s8": ({"avx512_vnni", "avx_vnni", "amx_int8"}, "VNNI and no AMX-INT8"),
}
ZERO = 128  # of the result of u8s8


def floats(shape, rng, dtype=np.float32):
    return rng.uniform(-1, 1, size=shape).astype(dtype)


def float_graph(m, n, k, dtype):
    def graph(rng):
        node = helper.make_node("MatMul", ["A", "B"], ["C"])
        constants = {"B": floats((k, n), rng, dtype)}
        return [node], {"A": floats((m, k), rng, dtype)}, {"C": (dtype, (m, n))}, constants, 21

    return graph


def int8_graph(m, n, k):
    def graph(rng):
        names = ["A", "a_scale", "a_zero", "B", "b_scale", "b_zero", "c_scale", "c_zero"]
        node = helper.make_node("QLinearMatMul", names, ["C"])
        constants = {
            "B": rng.integers(-127, 128, size=(k, n)).astype(np.int8),
            "a_scale": np.float32(1),
            "a_zero": np.uint8(0),
            # The sums spread over some 40 steps of the result around its zero.
            "b_scale": (rng.uniform(0.5, 1.5, size=n) * 40 / (74 * 148 * np.sqrt(k))).astype(np.float32),
            "b_zero": np.zeros(n, np.int8),
            "c_scale": np.float32(1),
            "c_zero": np.uint8(ZERO),
        }
        constants = {name: np.asarray(array) for name, array in constants.items()}
        inputs = {"A": rng.integers(0, 256, size=(m, k)).astype(np.uint8)}
        return [node], inputs, {"C": (np.uint8, (m, n))}, constants, 21

    return graph


def case(m, n, k, kind):
    options = dict(type=kind, m=m, n=n, k=k)
    files = dict(src="A", weights="B")
    facts = dict(gflop=2e-9 * m * n * k)
    if kind == "u8s8":
        graph = int8_graph(m, n, k)
        options.update(zero=ZERO)
        files.update(scales="b_scale")
        facts.update(dtype=np.uint8, atol=1, rtol=0)  # a sum on the edge of two steps
    elif kind == "bf16":
        import ml_dtypes

        graph = float_graph(m, n, k, ml_dtypes.bfloat16)
        facts.update(dtype=ml_dtypes.bfloat16, atol=2**-8 * np.sqrt(k), rtol=2**-7)
    else:
        graph = float_graph(m, n, k, np.float32)
        facts.update(atol=6e-8 * (k + 16), rtol=1e-5)
    return Case(f"{m}x{n}x{k}", graph, dict(op="matmul", options=options, files=files), **facts)


def cases(suite):
    kind = {"gemm-f32": "f32", "gemm-bf16": "bf16", "gemm-int8": "u8s8"}[suite]
    return [case(*shape, kind) for shape in SHAPES]


def run(args, threads, report):
    kind = {"gemm-bf16": "bf16", "gemm-int8": "u8s8"}.get(args.suite)
    flags, missing = NEEDS.get(kind, (set(), ""))
    if kind and not flags & operators.cpu_flags():
        raise common.NotMeasured(f"no {missing} on this CPU")
    operators.run(args, threads, cases(args.suite), operators.onednn, report)
