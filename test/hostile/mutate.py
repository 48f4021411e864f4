"""Damaged model files, made from sound ones: the same seed gives the same bytes.

Two ways, half and half: bytes (cut, flip, splice, numbers gone extreme), which
break the wire format; and fields (dims, attributes, edges, types, tensors), which
keep the wire format sound and lie about everything else.
"""

import random

# Small, and together of every kind of node: static, dynamic, with subgraphs,
# with weights, quantised, with data-dependent sizes.
BASES = """
test_add_bcast test_argmax_keepdims_example test_averagepool_2d_ceil test_basic_conv_with_padding
test_batchnorm_example test_cast_FLOAT_to_DOUBLE test_clip_example test_concat_2d_axis_1
test_constantofshape_int_zeros test_convtranspose_pads test_convinteger_with_padding test_cumsum_2d_axis_1
test_depthtospace_example test_dequantizelinear_axis test_dynamicquantizelinear test_einsum_batch_matmul
test_expand_dim_changed test_gather_negative_indices test_gathernd_example_int32 test_gemm_all_attributes
test_gru_seq_length test_if test_instancenorm_example test_layer_normalization_3d_axis1_epsilon
test_logsoftmax_axis_1 test_loop11 test_lrn test_lstm_with_peepholes test_matmul_4d test_matmulinteger
test_maxpool_2d_dilations test_nonmaxsuppression_two_classes test_nonzero_example test_onehot_with_axis
test_pow_bcast_array test_quantizelinear_axis test_range_float_type_positive_delta test_reduce_sum_keepdims_example
test_reflect_pad test_reshape_allowzero_reordered test_resize_upsample_scales_cubic
test_scatter_elements_with_axis test_scatternd test_shape_start_1_end_negative_1 test_slice_neg_steps
test_softmax_large_number test_split_variable_parts_2d_opset13 test_squeeze_negative_axes test_tile
test_top_k test_transpose_default test_tril_neg test_unsqueeze_three_axes test_where_example
""".split()

EXTREMES = [0, 1, -1, 2, -2, 7, 2**7, 2**15, 2**31 - 1, 2**31, -(2**31), 2**32, 2**62, 2**63 - 1, -(2**63)]
FLOATS = [0.0, -0.0, 1e30, -1e30, 1e-40, float("inf"), float("-inf"), float("nan")]


def varint(value):
    value &= 2**64 - 1
    out = bytearray()
    while value >= 128:
        out.append(value % 128 + 128)
        value //= 128
    return bytes(out + bytes([value]))


def break_bytes(data, other, rng):
    """Damages the wire format of `data`; `other` is a second sound model."""
    data = bytearray(data)
    for _ in range(rng.choice([1, 1, 1, 2, 4, 16])):
        at = rng.randrange(len(data)) if data else 0
        length = rng.choice([1, 2, 4, 8, 64])
        way = rng.randrange(8)
        if way == 0:
            del data[at:]
        elif way == 1 and data:
            data[at] ^= 1 << rng.randrange(8)
        elif way == 2 and data:
            data[at] = rng.choice([0, 1, 0x7F, 0x80, 0xFF])
        elif way == 3:
            del data[at : at + length]
        elif way == 4:
            data[at:at] = rng.randbytes(length)
        elif way == 5:
            data[at : at + 1] = varint(rng.choice(EXTREMES))
        elif way == 6:
            data[at:at] = data[at : at + length] * rng.choice([2, 100])
        else:
            data[at:] = other[rng.randrange(len(other)) :]
    return bytes(data)


def graphs_of(graph):
    yield graph
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.HasField("g"):
                yield from graphs_of(attribute.g)


def break_shape(value, rng):
    dims = value.type.tensor_type.shape.dim
    if not dims or rng.random() < 0.2:
        dims.add().dim_value = rng.choice(EXTREMES)
    elif rng.random() < 0.2:
        del dims[rng.randrange(len(dims))]
    else:
        dim = rng.choice(dims)
        if rng.random() < 0.3:
            dim.dim_param = rng.choice(["", "n", "?", "n" * 1000])
        else:
            dim.dim_value = rng.choice(EXTREMES)


def break_attribute(attribute, rng):
    if attribute.ints and rng.random() < 0.8:
        attribute.ints[rng.randrange(len(attribute.ints))] = rng.choice(EXTREMES)
    elif attribute.ints:
        del attribute.ints[rng.randrange(len(attribute.ints)) :]
    elif attribute.type == attribute.INT:
        attribute.i = rng.choice(EXTREMES)
    elif attribute.type == attribute.FLOAT:
        attribute.f = rng.choice(FLOATS)
    elif attribute.type == attribute.STRING:
        attribute.s = rng.choice([b"", b"NOTSET", b"\xff\xfe", b"x" * 5000, b"VALID"])
    else:
        attribute.type = rng.randrange(16)


def break_tensor(tensor, rng):
    way = rng.randrange(5)
    if way == 0:
        tensor.dims.append(rng.choice(EXTREMES))
    elif way == 1 and tensor.dims:
        tensor.dims[rng.randrange(len(tensor.dims))] = rng.choice(EXTREMES)
    elif way == 2:
        tensor.data_type = rng.choice([0, 1, 6, 7, 8, 9, 16, 23, 99])
    elif way == 3 and tensor.raw_data:
        tensor.raw_data = tensor.raw_data[: rng.randrange(len(tensor.raw_data))]
    elif tensor.int64_data:
        tensor.int64_data[0] = rng.choice(EXTREMES)
    else:
        tensor.raw_data = rng.randbytes(rng.choice([0, 1, 4, 8, 100]))


def break_node(graph, node, rng, operators):
    way = rng.randrange(9)
    names = [n for other in graph.node for n in list(other.input) + list(other.output)] + ["", "nowhere"]
    if way == 0:
        node.op_type = rng.choice(operators)
    elif way == 1 and node.input:
        node.input[rng.randrange(len(node.input))] = rng.choice(names)
    elif way == 2 and node.output:
        node.output[rng.randrange(len(node.output))] = rng.choice(names)
    elif way == 3 and node.input:
        node.input.pop()
    elif way == 4:
        node.input.extend([rng.choice(names)] * rng.choice([1, 3, 100]))
    elif way == 5 and node.output:
        node.output.pop()
    elif way == 6 and node.attribute:
        del node.attribute[rng.randrange(len(node.attribute))]
    elif way == 7 and node.attribute:
        node.attribute.add().CopyFrom(rng.choice(node.attribute))
    else:
        graph.node.add().CopyFrom(node)


def break_fields(model, rng, operators):
    """Damages what the fields of `model` say, in place."""
    for _ in range(rng.choice([1, 1, 2, 4])):
        graph = rng.choice(list(graphs_of(model.graph)))
        attributes = [a for n in graph.node for a in n.attribute]
        tensors = list(graph.initializer) + [a.t for a in attributes if a.HasField("t")]
        values = list(graph.input) + list(graph.output) + list(graph.value_info)
        way = rng.randrange(7)
        if way == 0 and attributes:
            break_attribute(rng.choice(attributes), rng)
        elif way == 1 and tensors:
            break_tensor(rng.choice(tensors), rng)
        elif way == 2 and values:
            break_shape(rng.choice(values), rng)
        elif way == 3 and values:
            rng.choice(values).type.tensor_type.elem_type = rng.choice([0, 1, 6, 7, 8, 9, 10, 16, 23, 99])
        elif way == 4 and model.opset_import:
            rng.choice(model.opset_import).version = rng.choice(EXTREMES + [6, 11, 13])
        elif way == 5 and graph.initializer:
            del graph.initializer[rng.randrange(len(graph.initializer))]
        elif graph.node:
            break_node(graph, rng.choice(graph.node), rng, operators)


def load_bases():
    """The sound models: (name, bytes)."""
    import pathlib

    import onnx.backend.test.loader

    folder = pathlib.Path(onnx.backend.test.loader.DATA_DIR) / "node"
    found = [(name, folder / name / "model.onnx") for name in BASES]
    return [(name, path.read_bytes()) for name, path in found if path.exists()]


def damaged(bases, index, seed):
    """The `index`th damaged file: what it was made from, and its bytes."""
    import onnx

    rng = random.Random(f"{seed}/{index}")
    name, data = rng.choice(bases)
    if rng.random() < 0.5:
        return f"bytes of {name}", break_bytes(data, rng.choice(bases)[1], rng)
    model = onnx.load_from_string(data)
    operators = sorted({n.op_type for _, d in bases[:12] for n in onnx.load_from_string(d).graph.node})
    try:
        break_fields(model, rng, operators)
    except (ValueError, TypeError):  # the Python types refuse some values
        pass
    return f"fields of {name}", model.SerializeToString()
