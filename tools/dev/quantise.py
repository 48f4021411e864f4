"""Quantised models, made of the zoo's by onnxruntime.quantization.

Kinds: qdq (static, int8 weights a channel, uint8 data), qoperator (the same as
QLinear operators) and dynamic (int8 weights, data quantised as it comes). Weights keep 7 bits: the u8 x
s8 kernels that ONNX Runtime has for AVX2 saturate in 16 bits with 8, and then are
no reference. Deterministic: calibrated on seeded inputs.
"""

import logging
import pathlib
import tempfile


def with_float_weights(model):
    """Cast(int8) * scale becomes f32 initializers: what the quantiser looks for."""
    import numpy as np
    from onnx import numpy_helper

    graph = model.graph
    known = {i.name: i for i in graph.initializer}
    casts = {n.output[0]: n.input[0] for n in graph.node if n.op_type == "Cast" and n.input[0] in known}
    dropped = set()
    for node in graph.node:
        if node.op_type == "Mul" and node.input[0] in casts and node.input[1] in known:
            bytes_, scale = (numpy_helper.to_array(known[n]) for n in (casts[node.input[0]], node.input[1]))
            real = (bytes_.astype(np.float32) * scale).astype(np.float32)
            graph.initializer.append(numpy_helper.from_array(real, node.output[0]))
            dropped |= {node.output[0], node.input[0]}
    kept = [n for n in graph.node if n.output[0] not in dropped]
    del graph.node[:]
    graph.node.extend(kept)
    used = {name for n in graph.node for name in n.input}
    initializers = [i for i in graph.initializer if i.name in used]
    del graph.initializer[:]
    graph.initializer.extend(initializers)
    return model


def prepared(source, folder):
    """The model in opset 13 with batch normalisations folded, as a file."""
    import onnx
    import onnx.version_converter
    from onnxruntime.quantization.shape_inference import quant_pre_process

    model = onnx.load(source)
    if next(o.version for o in model.opset_import if o.domain in ("", "ai.onnx")) < 13:
        # Initializers that are inputs too cannot be folded.
        names = {i.name for i in model.graph.initializer}
        inputs = [i for i in model.graph.input if i.name not in names]
        del model.graph.input[:]
        model.graph.input.extend(inputs)
        model.ir_version = max(model.ir_version, 4)
        model = onnx.version_converter.convert_version(model, 13)
    model = with_float_weights(model)
    old, new = folder / "old.onnx", folder / "new.onnx"
    onnx.save(model, old)
    quant_pre_process(str(old), str(new), skip_symbolic_shape=True)
    return new


def quantise(source, kind, feeds):
    """The bytes of the model; `feeds`: inputs to calibrate on (not for dynamic)."""
    import onnxruntime.quantization as q

    class Reader(q.CalibrationDataReader):
        def __init__(self):
            self.left = iter(feeds)

        def get_next(self):
            return next(self.left, None)

    logging.getLogger().setLevel(logging.ERROR)
    with tempfile.TemporaryDirectory() as folder:
        model = prepared(source, pathlib.Path(folder))
        made = pathlib.Path(folder) / "quantised.onnx"
        if kind == "dynamic":
            q.quantize_dynamic(model, made, weight_type=q.QuantType.QInt8, per_channel=True, reduce_range=True)
        else:
            form = {"qdq": q.QuantFormat.QDQ, "qoperator": q.QuantFormat.QOperator}[kind]
            q.quantize_static(
                model,
                made,
                Reader(),
                quant_format=form,
                activation_type=q.QuantType.QUInt8,
                weight_type=q.QuantType.QInt8,
                per_channel=True,
                reduce_range=True,
                # Not Softmax: bytes of it say too little to compare.
                op_types_to_quantize=["Conv", "MatMul", "Gemm", "Add", "Concat", "MaxPool", "GlobalAveragePool"],
            )
        return made.read_bytes()
