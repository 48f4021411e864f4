"""conv-f32 (every different convolution of ResNet-50) and depthwise (those of
MobileNetV2-1.0), batch 1, images as [h, w, c] on both sides, nothing fused,
against oneDNN's convolution with weights in its own format.

ONNX writes images as [c, h, w], so the model turns its input and its result.
Leaves true: a Winograd algorithm of the library would not be asked for; ours has
none either.
"""

import numpy as np
import operators
from onnx import helper
from operators import Case

# (input channels, output channels, window, stride, input size)
RESNET = [
    (3, 64, 7, 2, 224),
    (64, 64, 1, 1, 56),
    (64, 64, 3, 1, 56),
    (64, 256, 1, 1, 56),
    (256, 64, 1, 1, 56),
    (256, 128, 1, 1, 56),
    (128, 128, 3, 2, 56),
    (128, 512, 1, 1, 28),
    (256, 512, 1, 2, 56),
    (512, 128, 1, 1, 28),
    (128, 128, 3, 1, 28),
    (512, 256, 1, 1, 28),
    (256, 256, 3, 2, 28),
    (256, 1024, 1, 1, 14),
    (512, 1024, 1, 2, 28),
    (1024, 256, 1, 1, 14),
    (256, 256, 3, 1, 14),
    (1024, 512, 1, 1, 14),
    (512, 512, 3, 2, 14),
    (512, 2048, 1, 1, 7),
    (1024, 2048, 1, 2, 14),
    (2048, 512, 1, 1, 7),
    (512, 512, 3, 1, 7),
]
# (channels, stride, input size), window 3
MOBILENET = [
    (32, 1, 112),
    (96, 2, 112),
    (144, 1, 56),
    (144, 2, 56),
    (192, 1, 28),
    (192, 2, 28),
    (384, 1, 14),
    (576, 1, 14),
    (576, 2, 14),
    (960, 1, 7),
]


def case(name, ic, oc, window, stride, size, groups=1):
    pad = window // 2
    out = (size + 2 * pad - window) // stride + 1

    def graph(rng):
        nodes = [
            helper.make_node("Transpose", ["x"], ["planes"], perm=[0, 3, 1, 2]),
            helper.make_node(
                "Conv", ["planes", "w"], ["made"], group=groups, strides=[stride] * 2, pads=[pad] * 4
            ),
            helper.make_node("Transpose", ["made"], ["y"], perm=[0, 2, 3, 1]),
        ]
        x = rng.uniform(-1, 1, size=(1, size, size, ic)).astype(np.float32)
        w = rng.uniform(-1, 1, size=(oc, ic // groups, window, window)).astype(np.float32)
        return nodes, {"x": x}, {"y": (np.float32, (1, out, out, oc))}, {"w": w}, 21

    options = dict(type="f32", ih=size, iw=size, ic=ic, oc=oc, kh=window, kw=window, stride=stride)
    options.update(pad=pad, groups=groups)
    depth = ic // groups * window * window
    peer = dict(op="conv", options=options, files=dict(src="x", weights="w"))
    return Case(name, graph, peer, gflop=2e-9 * out * out * oc * depth, atol=6e-8 * (depth + 16))


def cases(suite):
    if suite == "depthwise":
        return [case(f"{c}-3x3-s{s}@{size}", c, c, 3, s, size, groups=c) for c, s, size in MOBILENET]
    return [case(f"{i}-{o}-{w}x{w}-s{s}@{size}", i, o, w, s, size) for i, o, w, s, size in RESNET]


def run(args, threads, report):
    operators.run(args, threads, cases(args.suite), operators.onednn, report)
