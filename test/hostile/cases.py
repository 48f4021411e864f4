"""Hostile model files, each with the exit codes it may end with.

A case is a function of a folder: it makes the file (and what the file refers to)
and returns its path. `CASES` maps its name to (function, codes of `check`).
"""

import gzip
import os
import struct

import numpy as np
from onnx import AttributeProto, TensorProto, helper, numpy_helper

MALFORMED, UNSUPPORTED, BUDGET = 4, 5, 7
CASES = {}


def case(*codes):
    def register(function):
        CASES[function.__name__] = (function, set(codes))
        return function

    return register


def write(folder, data, name="m.onnx"):
    path = folder / name
    path.write_bytes(data if isinstance(data, bytes) else data.SerializeToString())
    return path


def value(name, dims=(2, 3), kind=TensorProto.FLOAT):
    return helper.make_tensor_value_info(name, kind, dims)


def model(nodes, inputs=None, outputs=None, opset=17, **more):
    """A model with input x and output y unless said otherwise."""
    graph = helper.make_graph(nodes, "g", inputs or [value("x")], outputs or [value("y", None)], **more)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)


def node(kind, inputs=("x",), outputs=("y",), **attributes):
    return helper.make_node(kind, list(inputs), list(outputs), **attributes)


def with_weight(tensor, kind="Add"):
    return model([node(kind, ["x", "w"])], initializer=[tensor])


def raw_tensor(dims, raw, kind=TensorProto.FLOAT):
    tensor = TensorProto(name="w", data_type=kind, raw_data=raw)
    tensor.dims.extend(dims)
    return tensor


def sound():
    return model([node("Relu")]).SerializeToString()


# --- File ----------------------------------------------------------------------


@case(3, MALFORMED)
def empty_file(folder):
    return write(folder, b"")


@case(MALFORMED)
def one_byte(folder):
    return write(folder, b"\x08")


@case(3, MALFORMED)
def a_folder(folder):
    (folder / "m.onnx").mkdir()
    return folder / "m.onnx"


@case(3)
def absent(folder):
    return folder / "absent.onnx"


@case(3, MALFORMED)
def a_pipe(folder):
    os.mkfifo(folder / "m.onnx")
    return folder / "m.onnx"


@case(MALFORMED)
def random_bytes(folder):
    return write(folder, np.random.default_rng(3).bytes(5000))


@case(MALFORMED)
def zipped(folder):
    return write(folder, gzip.compress(sound()))


@case(MALFORMED)
def a_text(folder):
    return write(folder, b"ir_version: 8\ngraph { name: 'g' }\n" * 20)


@case(MALFORMED)
def a_picture(folder):
    return write(folder, b"\x89PNG\r\n\x1a\n" + bytes(200))


@case(0)
def name_is_not_utf8(folder):
    path = os.fsdecode(os.fsencode(folder) + b"/m\xff.onnx")
    with open(path, "wb") as file:
        file.write(sound())
    return path


# --- Wire format ---------------------------------------------------------------


def field(number, kind):
    return bytes([number << 3 | kind])


def varint(number):
    out = b""
    while number >= 128:
        out, number = out + bytes([number % 128 + 128]), number // 128
    return out + bytes([number])


@case(MALFORMED)
def varint_too_long(folder):
    return write(folder, field(1, 0) + b"\xff" * 11 + b"\x01")


@case(MALFORMED)
def length_past_the_end(folder):
    return write(folder, field(7, 2) + varint(1 << 20) + b"abc")


@case(MALFORMED)
def length_over_two_gigabytes(folder):
    return write(folder, field(7, 2) + varint(1 << 40) + b"abc")


@case(MALFORMED)
def group_wire_type(folder):
    return write(folder, sound() + field(7, 3) + field(7, 4))


@case(MALFORMED, UNSUPPORTED, BUDGET)
def nested_a_thousand_deep(folder):
    # Graph in attribute in node in graph ...
    graph = b""
    for _ in range(1000):
        attribute = field(6, 2) + varint(len(graph)) + graph
        inner = field(5, 2) + varint(len(attribute)) + attribute
        graph = field(1, 2) + varint(len(inner)) + inner
    return write(folder, field(7, 2) + varint(len(graph)) + graph)


@case(0, MALFORMED)
def unknown_fields(folder):
    return write(folder, sound() + b"\xf8\x3f\x07" * 100)


@case(MALFORMED, BUDGET)
def three_million_opset_imports(folder):
    return write(folder, field(8, 2) + b"\x00" + (field(8, 2) + b"\x00") * 3_000_000)


# --- Tensors -------------------------------------------------------------------


@case(MALFORMED)
def raw_data_too_short(folder):
    return write(folder, with_weight(raw_tensor([2, 3], bytes(20))))


@case(MALFORMED)
def raw_data_too_long(folder):
    return write(folder, with_weight(raw_tensor([2, 3], bytes(28))))


@case(MALFORMED)
def two_kinds_of_data(folder):
    tensor = raw_tensor([2, 3], bytes(24))
    tensor.float_data.extend([1.0] * 6)
    return write(folder, with_weight(tensor))


@case(MALFORMED, BUDGET)
def dims_overflow(folder):
    return write(folder, with_weight(raw_tensor([2**32, 2**32, 2**32], bytes(24))))


@case(MALFORMED)
def negative_dim(folder):
    return write(folder, with_weight(raw_tensor([-2, -3], bytes(24))))


@case(MALFORMED, BUDGET)
def huge_dims_without_data(folder):
    return write(folder, with_weight(raw_tensor([2**62], b"")))


@case(MALFORMED, UNSUPPORTED, BUDGET)
def rank_of_a_million(folder):
    return write(folder, with_weight(raw_tensor([1] * 1_000_000, bytes(4))))


@case(MALFORMED, UNSUPPORTED)
def unknown_type(folder):
    return write(folder, with_weight(raw_tensor([2, 3], bytes(24), kind=99)))


@case(MALFORMED, UNSUPPORTED)
def sparse_with_bad_indices(folder):
    values = numpy_helper.from_array(np.ones(2, np.float32), "w")
    indices = numpy_helper.from_array(np.array([5, 10**9], np.int64), "i")
    sparse = helper.make_sparse_tensor(values, indices, [2, 3])
    return write(folder, model([node("Add", ["x", "w"])], sparse_initializer=[sparse]))


# --- External data ---------------------------------------------------------------


def external(folder, location, extra=(), size=24, content=None):
    (folder / "data.bin").write_bytes(bytes(size) if content is None else content)
    tensor = TensorProto(name="w", data_type=TensorProto.FLOAT, data_location=TensorProto.EXTERNAL)
    tensor.dims.extend([2, 3])
    for key, text in [("location", location), *extra]:
        tensor.external_data.add(key=key, value=text)
    return write(folder, with_weight(tensor))


@case(0)
def external_data_that_is_sound(folder):
    return external(folder, "data.bin")


@case(MALFORMED)
def external_path_goes_up(folder):
    (folder / "sub").mkdir()
    return external(folder, "../data.bin").rename(folder / "sub" / "m.onnx")


@case(MALFORMED)
def external_path_is_absolute(folder):
    return external(folder, str(folder / "data.bin"))


@case(MALFORMED)
def external_path_holds_nul(folder):
    return external(folder, "data.bin\0.txt")


@case(MALFORMED)
def external_url(folder):
    return external(folder, "http://localhost/data.bin")


@case(MALFORMED)
def external_symbolic_link(folder):
    path = external(folder, "link.bin")
    (folder / "link.bin").symlink_to(folder / "data.bin")
    return path


@case(MALFORMED)
def external_hard_link(folder):
    path = external(folder, "link.bin")
    os.link(folder / "data.bin", folder / "link.bin")
    return path


@case(MALFORMED)
def external_device(folder):
    path = external(folder, "pipe")
    os.mkfifo(folder / "pipe")
    return path


@case(3, MALFORMED)
def external_file_absent(folder):
    return external(folder, "no.bin")


@case(MALFORMED)
def external_past_the_end(folder):
    return external(folder, "data.bin", [("offset", "8")])


@case(MALFORMED)
def external_offset_negative(folder):
    return external(folder, "data.bin", [("offset", "-4")])


@case(MALFORMED)
def external_offset_overflows(folder):
    return external(folder, "data.bin", [("offset", str(2**63)), ("length", "24")])


@case(MALFORMED)
def external_length_is_not_the_shape(folder):
    return external(folder, "data.bin", [("length", "20")])


# --- Graph -----------------------------------------------------------------------


@case(MALFORMED)
def cycle(folder):
    return write(folder, model([node("Add", ["x", "b"], ["a"]), node("Relu", ["a"], ["b"]), node("Relu", ["b"])]))


@case(MALFORMED)
def self_loop(folder):
    return write(folder, model([node("Add", ["x", "y"])]))


@case(MALFORMED)
def defined_twice(folder):
    return write(folder, model([node("Relu"), node("Neg")]))


@case(MALFORMED)
def used_before_defined(folder):
    return write(folder, model([node("Relu", ["a"]), node("Neg", ["x"], ["a"])]))


@case(MALFORMED)
def undefined_input(folder):
    return write(folder, model([node("Add", ["x", "nothing"])]))


@case(MALFORMED)
def undefined_output(folder):
    return write(folder, model([node("Relu")], outputs=[value("z", None)]))


@case(0)
def chain_of_twenty_thousand(folder):
    count = 20_000
    names = ["x"] + [f"v{i}" for i in range(count - 1)] + ["y"]
    return write(folder, model([node("Relu", [a], [b]) for a, b in zip(names, names[1:])]))


@case(0)
def ten_thousand_dead_nodes(folder):
    return write(folder, model([node("Relu")] + [node("Neg", ["x"], [f"v{i}"]) for i in range(10_000)]))


@case(0, MALFORMED, UNSUPPORTED, BUDGET)
def subgraphs_twenty_five_deep(folder):
    leaf = helper.make_graph([node("Relu", ["x"], ["t"])], "g", [], [value("t", None)])
    graph = leaf
    for _ in range(25):
        branch = node("If", ["c"], ["t"], then_branch=graph, else_branch=leaf)
        graph = helper.make_graph([branch], "g", [], [value("t", None)])
    nodes = [node("If", ["c"], then_branch=graph, else_branch=leaf)]
    return write(folder, model(nodes, [value("x"), value("c", [], TensorProto.BOOL)]))


def function(name, body):
    return helper.make_function("own", name, ["x"], ["y"], body, [helper.make_opsetid("", 17), helper.make_opsetid("own", 1)])


def with_functions(functions):
    result = model([helper.make_node("F", ["x"], ["y"], domain="own")])
    result.opset_import.append(helper.make_opsetid("own", 1))
    result.functions.extend(functions)
    return result


@case(MALFORMED)
def function_calls_itself(folder):
    return write(folder, with_functions([function("F", [helper.make_node("F", ["x"], ["y"], domain="own")])]))


@case(MALFORMED)
def functions_call_each_other(folder):
    calls = lambda other: [helper.make_node(other, ["x"], ["y"], domain="own")]
    return write(folder, with_functions([function("F", calls("G")), function("G", calls("F"))]))


@case(MALFORMED, BUDGET)
def functions_that_double(folder):
    # Each calls the next twice: 2^40 nodes when written out.
    def body(other):
        first = helper.make_node(other, ["x"], ["t"], domain="own")
        return [first, helper.make_node(other, ["t"], ["y"], domain="own")]

    functions = [function("F", body("F1"))] + [function(f"F{i}", body(f"F{i + 1}")) for i in range(1, 40)]
    return write(folder, with_functions(functions + [function("F40", [node("Relu")])]))


@case(0, MALFORMED)
def output_is_input(folder):
    return write(folder, model([], outputs=[value("x")]))


@case(0, MALFORMED)
def no_outputs(folder):
    graph = helper.make_graph([node("Relu")], "g", [value("x")], [])
    return write(folder, helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", 17)]))


@case(MALFORMED)
def no_graph(folder):
    result = model([node("Relu")])
    result.ClearField("graph")
    return write(folder, result)


@case(MALFORMED)
def no_opset(folder):
    result = model([node("Relu")])
    del result.opset_import[:]
    return write(folder, result)


@case(MALFORMED, UNSUPPORTED)
def opset_of_the_future(folder):
    return write(folder, model([node("Relu")], opset=999))


@case(MALFORMED, UNSUPPORTED)
def opset_negative(folder):
    return write(folder, model([node("Relu")], opset=-1))


@case(UNSUPPORTED)
def unknown_operator(folder):
    return write(folder, model([node("Frobnicate")]))


@case(MALFORMED, UNSUPPORTED)
def unknown_domain(folder):
    return write(folder, model([helper.make_node("Relu", ["x"], ["y"], domain="nowhere")]))


# --- Attributes ------------------------------------------------------------------


def bad(kind, inputs=("x",), opset=17, shape=(1, 3, 8, 8), weights=None, **attributes):
    tensors = [numpy_helper.from_array(np.asarray(a), n) for n, a in (weights or {}).items()]
    nodes = [node(kind, inputs, **attributes)]

    def make(folder):
        return write(folder, model(nodes, [value("x", shape)], opset=opset, initializer=tensors))

    return make


W3 = {"w": np.ones((4, 3, 3, 3), np.float32)}
ATTRIBUTES = {
    "axis_out_of_range": bad("Softmax", axis=9),
    "axis_of_int64_min": bad("Softmax", axis=-(2**63)),
    "attribute_of_wrong_type": bad("Softmax", axis="one"),
    "required_attribute_missing": bad("Cast"),
    "cast_to_unknown": bad("Cast", to=77),
    "duplicate_axes": bad("ReduceSum", ["x", "a"], weights={"a": np.array([1, 1])}),
    "perm_is_no_permutation": bad("Transpose", perm=[0, 1, 1, 2]),
    "perm_too_short": bad("Transpose", perm=[0, 1]),
    "stride_zero": bad("Conv", ["x", "w"], weights=W3, strides=[0, 1]),
    "stride_huge": bad("Conv", ["x", "w"], weights=W3, strides=[2**62, 2**62]),
    "dilation_zero": bad("Conv", ["x", "w"], weights=W3, dilations=[0, 0]),
    "dilation_overflows": bad("Conv", ["x", "w"], weights=W3, dilations=[2**62, 2**62]),
    "pads_overflow": bad("Conv", ["x", "w"], weights=W3, pads=[2**62] * 4),
    "pads_negative": bad("MaxPool", kernel_shape=[2, 2], pads=[-9, -9, -9, -9]),
    "kernel_larger_than_input": bad("MaxPool", kernel_shape=[99, 99]),
    "kernel_of_zero": bad("MaxPool", kernel_shape=[0, 0]),
    "group_does_not_divide": bad("Conv", ["x", "w"], weights=W3, group=2),
    "group_zero": bad("Conv", ["x", "w"], weights=W3, group=0),
    "channels_do_not_match": bad("Conv", ["x", "w"], weights={"w": np.ones((4, 5, 3, 3), np.float32)}),
    "matmul_does_not_match": bad("MatMul", ["x", "w"], weights={"w": np.ones((9, 4), np.float32)}),
    "shapes_do_not_broadcast": bad("Add", ["x", "w"], weights={"w": np.ones((5,), np.float32)}),
    "einsum_malformed": bad("Einsum", equation="ij,->->k"),
    "einsum_without_rank": bad("Einsum", equation="ab->a"),
    "reshape_to_another_size": bad("Reshape", ["x", "s"], weights={"s": np.array([7, 11])}),
    "reshape_with_two_unknowns": bad("Reshape", ["x", "s"], weights={"s": np.array([-1, -1])}),
    "reshape_to_negative": bad("Reshape", ["x", "s"], weights={"s": np.array([-5, 3])}),
    "slice_step_zero": bad(
        "Slice", ["x", "b", "e", "a", "t"],
        weights={"b": np.array([0]), "e": np.array([5]), "a": np.array([2]), "t": np.array([0])},
    ),
    "concat_does_not_match": bad("Concat", ["x", "w"], weights={"w": np.ones((2, 2), np.float32)}, axis=1),
    "split_does_not_add_up": bad("Split", ["x", "s"], weights={"s": np.array([1, 9])}, axis=1),
    "batch_norm_of_other_channels": bad(
        "BatchNormalization", ["x", "w", "w", "w", "w"], weights={"w": np.ones(7, np.float32)}
    ),
    "gather_of_floats": bad("Gather", ["x", "x"]),
    "depth_to_space_uneven": bad("DepthToSpace", blocksize=2),
    "depth_to_space_zero": bad("DepthToSpace", blocksize=0),
    "too_few_inputs": bad("Add", ["x"]),
}
for name, make in ATTRIBUTES.items():
    CASES[name] = (make, {MALFORMED, UNSUPPORTED})

# What is too much is left alone.
CASES["too_many_inputs"] = (bad("Relu", ["x"] * 50), {0, MALFORMED, UNSUPPORTED})

# Legal to write, impossible to serve.
LIMITS = {
    "expand_to_a_trillion": bad("Expand", ["x", "s"], shape=(1,), weights={"s": np.array([10**6, 10**6])}),
    "constant_of_a_trillion": bad("ConstantOfShape", ["s"], weights={"s": np.array([10**6, 10**6])}),
    "tile_to_a_trillion": bad("Tile", ["x", "s"], shape=(1,), weights={"s": np.array([10**12])}),
    "range_of_a_trillion": bad(
        "Range", ["b", "e", "t"], weights={"b": np.int64(0), "e": np.int64(10**12), "t": np.int64(1)}
    ),
}
for name, make in LIMITS.items():
    # `check` compiles nothing and may find no fault; running must not end well.
    CASES[name] = (make, {0, MALFORMED, UNSUPPORTED, BUDGET})


@case(0, BUDGET)
def input_of_sixteen_gigabytes(folder):
    # Sound; but nobody can make up such an input.
    return write(folder, model([node("Relu")], [value("x", [2, 2**31])]))


@case(MALFORMED)
def duplicate_attribute(folder):
    result = node("Softmax", axis=0)
    result.attribute.append(helper.make_attribute("axis", 1))
    return write(folder, model([result]))


@case(MALFORMED)
def attribute_without_value(folder):
    result = node("Softmax")
    result.attribute.append(AttributeProto(name="axis"))
    return write(folder, model([result]))


@case(0)
def nan_and_infinity_as_weights(folder):
    raw = struct.pack("<6f", float("nan"), float("inf"), float("-inf"), 1e-45, -0.0, 3.4e38)
    return write(folder, with_weight(raw_tensor([2, 3], raw)))
