"""A model in double precision, by ONNX's reference evaluator: what f32 results
are measured by where two f32 implementations differ.

Every f32 tensor of the model becomes f64. Conv is written out here, as the
evaluator's own takes minutes; models with operators that the evaluator does not
know, or with subgraphs, raise.
"""

import numpy as np
import onnx
from onnx import AttributeProto, TensorProto, numpy_helper
from onnx.reference import ReferenceEvaluator
from onnx.reference.op_run import OpRun


class Conv(OpRun):
    """Convolution as a product of windows and weights."""

    op_domain = ""

    def _run(self, X, W, B=None, auto_pad=None, dilations=None, group=None, kernel_shape=None, pads=None, strides=None):
        axes = range(X.ndim - 2)
        strides = strides or [1 for _ in axes]
        dilations = dilations or [1 for _ in axes]
        reach = [(k - 1) * d + 1 for k, d in zip(W.shape[2:], dilations)]
        low = list(pads[: len(axes)]) if pads else [0 for _ in axes]
        high = list(pads[len(axes) :]) if pads else [0 for _ in axes]
        if auto_pad in ("SAME_UPPER", "SAME_LOWER"):
            for i in axes:
                size = X.shape[2 + i]
                total = max((-(-size // strides[i]) - 1) * strides[i] + reach[i] - size, 0)
                low[i] = total // 2 if auto_pad == "SAME_UPPER" else total - total // 2
                high[i] = total - low[i]
        padded = np.pad(X, [(0, 0), (0, 0), *zip(low, high)])
        spatial = tuple(range(2, X.ndim))
        windows = np.lib.stride_tricks.sliding_window_view(padded, reach, axis=spatial)
        steps = tuple(slice(None, None, s) for s in strides) + tuple(slice(None, None, d) for d in dilations)
        windows = windows[(slice(None), slice(None)) + steps]
        inputs, outputs = X.shape[1] // (group or 1), W.shape[0] // (group or 1)
        summed = ([1, *range(X.ndim, 2 * X.ndim - 2)], [1, *spatial])
        parts = [
            np.tensordot(windows[:, g * inputs : (g + 1) * inputs], W[g * outputs : (g + 1) * outputs], axes=summed)
            for g in range(group or 1)
        ]
        result = np.moveaxis(np.concatenate(parts, axis=-1), -1, 1)
        if B is not None:
            result = result + B.reshape((1, -1) + (1,) * len(axes))
        return (np.ascontiguousarray(result),)


def _widen(tensor):
    if tensor.data_type == TensorProto.FLOAT:
        wide = numpy_helper.to_array(tensor).astype(np.float64)
        tensor.CopyFrom(numpy_helper.from_array(wide, tensor.name))


class Doubles:
    """Calls the model at `path` in double precision."""

    def __init__(self, path):
        model = onnx.load(str(path))
        graph = model.graph
        for tensor in graph.initializer:
            _widen(tensor)
        for node in graph.node:
            for attribute in node.attribute:
                if attribute.type == AttributeProto.TENSOR:
                    _widen(attribute.t)
                if node.op_type == "Cast" and attribute.name == "to" and attribute.i == TensorProto.FLOAT:
                    attribute.i = TensorProto.DOUBLE
        for value in [*graph.input, *graph.output, *graph.value_info]:
            kind = value.type.tensor_type
            if kind.elem_type == TensorProto.FLOAT:
                kind.elem_type = TensorProto.DOUBLE
        self.names = [output.name for output in graph.output]
        self.evaluator = ReferenceEvaluator(model, new_ops=[Conv])

    def __call__(self, feeds):
        wide = {name: a.astype(np.float64) if a.dtype == np.float32 else a for name, a in feeds.items()}
        return dict(zip(self.names, self.evaluator.run(None, wide)))
