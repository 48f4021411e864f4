"""Gives the onnx package's light graphs weights that prove something.

As shipped, each weight is a ConstantOfShape of one value, so a wrong layout or a
skipped channel goes unseen. Before => after:
  w = ConstantOfShape(shape)  =>  initializer w, seeded random by its role
The roles (convolution weight, batch-norm scale, ...) are read off the consumers;
weights keep the variance of what flows through (He), so that 121 layers deep the
values are still of order one and the softmax at the end does not saturate.
"""

import pathlib
import zlib

PASS_THROUGH = ("Unsqueeze", "Reshape", "Identity")
ROLES = {
    "Conv": {1: "weight", 2: "shift"},
    "Gemm": {1: "weight", 2: "shift"},
    "BatchNormalization": {1: "scale", 2: "shift", 3: "shift", 4: "scale"},
    "Mul": {0: "scale", 1: "scale"},
    "Add": {0: "shift", 1: "shift"},
}


def first_use(name, consumers):
    """The node and operand index that tensor `name` ends in, past views of it."""
    while name in consumers:
        node, index = consumers[name][0]
        if node.op_type not in PASS_THROUGH or index:
            return node, index
        name = node.output[0]
    return None, None


def refill(model, seed):
    """Replaces the float weights of `model` in place."""
    import numpy as np
    from onnx import TensorProto, helper, numpy_helper

    graph = model.graph
    known = {i.name: i for i in graph.initializer}
    consumers = {}
    for node in graph.node:
        for index, name in enumerate(node.input):
            consumers.setdefault(name, []).append((node, index))

    def values(name, shape):
        node, index = first_use(name, consumers)
        role = node and ROLES.get(node.op_type, {}).get(index)
        if not role:
            return None
        # Seeded by name: the values do not depend on the order of the graph.
        rng = np.random.default_rng([seed, zlib.crc32(name.encode())])
        if role == "weight":
            transposed = any(a.name == "transB" and a.i for a in node.attribute)
            fan_in = np.prod(shape[1:]) if node.op_type == "Conv" or transposed else shape[0]
            return rng.standard_normal(shape) * np.sqrt(2.0 / fan_in)
        if role == "shift":
            return rng.standard_normal(shape) * 0.1
        # A branch that is summed with another gets a smaller scale: else sixteen
        # residual blocks double the variance sixteen times.
        summed = index == 1 and any(n.op_type == "Sum" for n, _ in consumers.get(node.output[0], []))
        return rng.uniform(0.8, 1.2, size=shape) * (0.5 if summed else 1.0)

    nodes, used_shapes = [], set()
    for node in graph.node:
        if node.op_type == "ConstantOfShape" and node.input[0] in known:
            shape = numpy_helper.to_array(known[node.input[0]])
            data = values(node.output[0], tuple(int(d) for d in shape))
            if data is not None:
                graph.initializer.append(numpy_helper.from_array(data.astype(np.float32), node.output[0]))
                used_shapes.add(node.input[0])
                continue
        nodes.append(node)
    for name, init in known.items():
        data = values(name, tuple(init.dims)) if init.data_type == TensorProto.FLOAT else None
        if data is not None:
            init.CopyFrom(numpy_helper.from_array(data.astype(np.float32), name))
    del graph.node[:]
    graph.node.extend(nodes)
    still_used = {name for node in nodes for name in node.input}
    drop = used_shapes - still_used
    kept = [i for i in graph.initializer if i.name not in drop]
    del graph.initializer[:]
    graph.initializer.extend(kept)
    inputs = [i for i in graph.input if i.name not in drop]
    del graph.input[:]
    graph.input.extend(inputs)


def light_folder():
    """Where the onnx package keeps the light models."""
    import onnx.backend.test.loader

    return pathlib.Path(onnx.backend.test.loader.DATA_DIR) / "light"


def refill_light(name, path, seed=0):
    """Writes the refilled light graph `name` ("resnet50", ...) to `path`."""
    import onnx

    from modelzoo import store

    model = onnx.load(light_folder() / f"light_{name}.onnx")
    refill(model, seed)
    store(pathlib.Path(path), model.SerializeToString())
