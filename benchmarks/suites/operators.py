"""Suites of single operators: a model of one operator with its weights as
constants, compiled without a hint, against a library's primitive.

Ours is timed as whole runs of the artefact (`nestor bench`): beyond the kernel
they check the inputs and find the output, which `overhead` measures on a model
of one element; it is told and never subtracted. Inputs are files that both sides
read, and outputs are compared once for each case before anything is timed: a
wrong result fails the case and with it the suite.
"""

import dataclasses
import pathlib
import re
import tempfile

import common
import harness
import numpy as np

SEED = 7


@dataclasses.dataclass
class Case:
    """One operator at one size. `graph` makes nodes, inputs, outputs and constants
    for `model`; `peer` are the arguments of a peer's process; the result's element
    type is `dtype`, and it may be off by `atol` and `rtol`."""

    name: str
    graph: object
    peer: dict
    gflop: float = 0.0
    dtype: object = np.float32
    atol: float = 1e-5
    rtol: float = 1e-5


@dataclasses.dataclass
class Prepared:
    case: Case
    folder: pathlib.Path
    artefact: pathlib.Path
    flags: list
    files: dict
    shape: tuple


def model(nodes, inputs, outputs, constants, opset=21):
    """An ONNX model; `inputs` and `constants` are arrays, `outputs` shapes."""
    from onnx import helper, numpy_helper

    def value(name, dtype, shape):
        return helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(np.dtype(dtype)), shape)

    graph = helper.make_graph(
        nodes,
        "operator",
        [value(name, array.dtype, array.shape) for name, array in inputs.items()],
        [value(name, dtype, shape) for name, (dtype, shape) in outputs.items()],
        [numpy_helper.from_array(array, name) for name, array in constants.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=10)


def prepare(args, case, folder):
    """The compiled model and the files of one case."""
    import onnx

    folder = pathlib.Path(folder) / re.sub(r"[^a-z0-9.]+", "-", case.name.lower())
    folder.mkdir(parents=True, exist_ok=True)
    nodes, inputs, outputs, constants, opset = case.graph(np.random.default_rng(SEED))
    path, artefact = folder / "model.onnx", folder / "model.nst"
    onnx.save(model(nodes, inputs, outputs, constants, opset), path)
    files, flags = {}, []
    for name, array in {**inputs, **constants}.items():
        files[name] = folder / f"{name}.bin"
        np.ascontiguousarray(array).tofile(files[name])
        if name in inputs:
            dims = "x".join(map(str, array.shape))
            flags += ["--input", f"{name}:{array.dtype.name}:{dims}@{files[name]}"]
    common.compile(args, path, artefact)
    ((_, shape),) = outputs.values()
    return Prepared(case, folder, artefact, flags, files, shape)


def ours(args, prepared, threads):
    command = [args.nestor, "bench", prepared.artefact, "--json", f"--threads={threads}", f"--time={args.time}"]
    return common.measure(command + prepared.flags, "nestor bench")


def outputs_of_ours(args, prepared, threads):
    saved = prepared.folder / "ours.npz"
    command = [args.nestor, "run", prepared.artefact, f"--threads={threads}", "--save-outputs", saved]
    done = harness.run(command + prepared.flags, 300)
    if done.code:
        raise common.Failed(f"nestor run ended with {done.code}: {done.first_error()}")
    with np.load(saved) as file:
        (name,) = file.files
        return file[name].view(prepared.case.dtype)


def check(case, got, want, who):
    """Raises Failed where ours is not theirs."""
    exact = np.issubdtype(case.dtype, np.integer)
    got, want = (array.astype(np.int64 if exact else np.float64) for array in (got, want))
    off = np.abs(got - want) - case.atol - case.rtol * np.abs(want)
    off = np.where(np.isnan(off), np.inf, off)
    at = np.unravel_index(np.argmax(off), off.shape)
    if off[at] > 0:
        where = [int(i) for i in at]
        raise common.Failed(f"wrong result: {got[at]} at {where}, {who} has {want[at]}")


def theirs(args, prepared, name, runner, threads, out=None, seconds=None):
    """One process of a C++ peer."""
    operation, options = prepared.case.peer["op"], prepared.case.peer["options"]
    command = [runner, operation, *(f"{k}={v}" for k, v in options.items())]
    command += [f"{role}={prepared.files[file]}" for role, file in prepared.case.peer["files"].items()]
    command += [f"threads={threads}", f"seconds={args.time if seconds is None else seconds}"]
    return common.measure(command + ([f"out={out}"] if out else []), name)


def compare_outputs(args, prepared, peers, threads):
    """Ours, by each number of threads, against each peer; returns those that can
    run the case, and why others cannot."""
    able, failures = {}, {}
    got = {number: outputs_of_ours(args, prepared, number) for number in threads}
    for name, run in peers.items():
        out = prepared.folder / f"{name}.bin"
        try:
            run(threads[-1], out=out, seconds=0)
        except common.Failed as problem:
            failures[name] = str(problem)
            continue
        able[name] = run
        want = np.fromfile(out, prepared.case.dtype).reshape(prepared.shape)
        for number in threads:
            check(prepared.case, got[number].reshape(prepared.shape), want, name)
    if not able:
        raise common.Failed("; ".join(failures.values()))
    return able, failures


def overhead(args, threads):
    """ms of a run that computes one element."""
    from onnx import helper

    def graph(rng):
        node = helper.make_node("Relu", ["x"], ["y"])
        return [node], {"x": np.ones(1, np.float32)}, {"y": (np.float32, (1,))}, {}, 21

    with tempfile.TemporaryDirectory() as folder:
        prepared = prepare(args, Case("overhead", graph, {}), folder)
        return {number: ours(args, prepared, number)["median_ms"] for number in threads}


def run(args, threads, cases, peers, report):
    """Measures the cases that the filter lets through; `peers(args)` sets up the
    peers: by name functions of (prepared, threads, out=, seconds=)."""
    wanted = common.pick(args, [case.name for case in cases])
    peers = peers(args)
    cost = overhead(args, threads)
    told = ", ".join(f"{1e3 * ms:.2f} us with {n} threads" for n, ms in cost.items())
    print(f"ours: whole runs; of each, checking inputs and finding the output takes {told}")
    print(f"medians over {args.processes} processes of {args.time} s, with their spread, in ms", flush=True)
    for case in (case for case in cases if case.name in wanted):
        with tempfile.TemporaryDirectory() as folder:
            try:
                prepared = prepare(args, case, args.keep or folder)
                sides = {name: bind(run, prepared) for name, run in peers.items()}
                sides, failures = compare_outputs(args, prepared, sides, threads)
                mine = lambda number: ours(args, prepared, number)
                for row in common.take_turns(args, case.name, mine, sides):
                    row.update(overhead_ms=cost[row["threads"]], **(dict(failed=failures) if failures else {}))
                    report.add(dict(row, gflop=case.gflop) if case.gflop else row)
            except common.Failed as problem:
                report.fail(case.name, problem)


def bind(run, prepared):
    return lambda threads, **more: run(prepared, threads, **more)


def onednn(args):
    """The builds of oneDNN as peers."""

    def side(name, runner):
        return lambda prepared, threads, **more: theirs(args, prepared, name, runner, threads, **more)

    names = ("onednn-gomp", "onednn-sycl") if args.against == "onednn" else (args.against,)
    return {name: side(name, common.peer(name)) for name in names}


def cpu_flags():
    with open("/proc/cpuinfo") as file:
        return next((set(l.split(":", 1)[1].split()) for l in file if l.startswith("flags")), set())
