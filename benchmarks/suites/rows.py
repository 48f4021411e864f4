"""norms (softmax, layer normalisation, GELU) and attention, against torch on CPU.

torch takes a second to import, so one process of it forks a fresh one for each
measurement (peers/torch_serve.py).
"""

import json
import os
import subprocess

import common
import harness
import numpy as np
import operators
from onnx import helper
from operators import Case

SOFTMAX = [(128, 1000), (1, 32000), (1536, 128), (6144, 512), (512, 4096)]
LAYERNORM = [(128, 768), (384, 1024), (4096, 256), (512, 4096), (1, 4096)]
GELU = [(1, 3072), (128, 3072), (384, 4096), (4096, 1024)]
# Sequence lengths; 12 heads of 64.
ATTENTION = [128, 256, 512, 1024]
CAUSAL = [512]
HEADS, DEPTH = 12, 64


def normal(rng, *shape):
    return rng.standard_normal(shape).astype(np.float32)


def norm_case(name, shape):
    def graph(rng):
        inputs, constants, opset = {"x": normal(rng, *shape)}, {}, 21
        if name == "softmax":
            node = helper.make_node("Softmax", ["x"], ["y"], axis=-1)
        elif name == "layernorm":
            node = helper.make_node("LayerNormalization", ["x", "scale", "bias"], ["y"], axis=-1, epsilon=1e-5)
            constants = {"scale": 1 + 0.1 * normal(rng, shape[1]), "bias": normal(rng, shape[1])}
        else:
            node = helper.make_node("Gelu", ["x"], ["y"])
        return [node], inputs, {"y": (np.float32, shape)}, constants, opset

    files = ["x"] + (["scale", "bias"] if name == "layernorm" else [])
    shapes = [shape] + ([shape[1:]] * 2 if name == "layernorm" else [])
    # Probabilities are small: what counts is their relative error.
    atol = 1e-9 if name == "softmax" else 1e-5
    text = "x".join(map(str, shape))
    return Case(f"{name}/{text}", graph, dict(op=name, files=files, shapes=shapes), atol=atol, rtol=2e-5)


def attention_case(length, causal):
    shape = (1, HEADS, length, DEPTH)

    def graph(rng):
        inputs = {name: normal(rng, *shape) for name in ("q", "k", "v")}
        node = helper.make_node("Attention", list(inputs), ["y"], is_causal=int(causal))
        return [node], inputs, {"y": (np.float32, shape)}, {}, 23

    op = "attention-causal" if causal else "attention"
    # Two products; a causal one needs about half of each.
    gflop = 4e-9 * HEADS * length * length * DEPTH / (2 if causal else 1)
    peer = dict(op=op, files=["q", "k", "v"], shapes=[shape] * 3)
    return Case(f"{op}/{length}", graph, peer, gflop=gflop, atol=2e-5, rtol=1e-4)


def cases(suite):
    if suite == "attention":
        return [attention_case(n, False) for n in ATTENTION] + [attention_case(n, True) for n in CAUSAL]
    shapes = dict(softmax=SOFTMAX, layernorm=LAYERNORM, gelu=GELU)
    return [norm_case(name, shape) for name, those in shapes.items() for shape in those]


class Torch:
    """The process that imported torch, and what it is asked."""

    def __init__(self):
        command = [common.peer("torch"), harness.TOP / "benchmarks/peers/torch_serve.py"]
        # Freed memory stays: else every result is pages that the system clears.
        env = {**os.environ, "MALLOC_MMAP_THRESHOLD_": str(1 << 30), "MALLOC_TRIM_THRESHOLD_": str(1 << 30)}
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, env=env)

    def ask(self, args, prepared, threads, out=None, seconds=None):
        peer = prepared.case.peer
        seconds = args.time if seconds is None else seconds
        request = dict(op=peer["op"], shapes=peer["shapes"], threads=threads, seconds=seconds)
        request.update(files=[str(prepared.files[name]) for name in peer["files"]], out=str(out) if out else None)
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline() or '{"error": "torch ended"}')
        if "error" in answer:
            raise common.Failed(f"torch: {answer['error']}")
        return answer

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def run(args, threads, report):
    served = []

    def peers(args):
        served.append(Torch())
        return {"torch": lambda prepared, number, **more: served[0].ask(args, prepared, number, **more)}

    try:
        operators.run(args, threads, cases(args.suite), peers, report)
    finally:
        for torch in served:
            torch.close()
