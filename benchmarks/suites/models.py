"""models: whole runs of real models and of the graphs of graphs.py, ours and
theirs, same inputs, against ONNX Runtime, OpenVINO, or per model the better one.

Ours is one artefact for all sizes unless --specialise fixes them (--dims); then
OpenVINO's model is reshaped to them too. Outputs are compared with ONNX Runtime's
once for each case, loosely (test/models/run is the exact test): a result that is
elsewhere fails the case. A peer that cannot run a model is left out for it.
"""

import pathlib
import re
import tempfile

import common
import graphs
import harness
import numpy as np

SEED = 7
BEST = "best-of-onnxruntime-openvino"
PEERS = {"onnxruntime": ["onnxruntime"], "openvino": ["openvino"], BEST: ["onnxruntime", "openvino"]}
# Of the largest magnitude; int8 weights meet rounding of activations, and where
# activations are bytes one quantum moves the next layers'.
ROOM = {"models": 2e-2, "models-int8": 1e-1}


def cases(suite="models"):
    import modelzoo

    if suite == "models-int8":
        return [c for c in modelzoo.CASES if c.bench and c.model == "minilm-int8" or c.model in modelzoo.QUANTISED]
    return [case for case in modelzoo.CASES if case.bench] + graphs.CASES


def path_of(name):
    import modelzoo

    return graphs.fetch(name) if name in graphs.BUILDERS else modelzoo.fetch(name)


def prepare(args, case, folder):
    """Compiles the case's model once and writes its inputs; what a process needs."""
    path = path_of(case.model)
    feeds = case.feeds(np.random.default_rng(SEED))
    inputs = folder / f"{re.sub(r'[^a-z0-9]+', '-', case.name)}.npz"
    np.savez(inputs, **feeds)
    flags = []
    for index, (name, array) in enumerate(feeds.items()):
        file = inputs.with_suffix(f".{index}.npy")
        np.save(file, array)
        flags += ["--input", f"{name}=@{file}"]
    dims = dims_of(path, feeds) if args.specialise else []
    artefact = folder / f"{case.model}.nst" if not dims else inputs.with_suffix(".nst")
    if not artefact.exists():
        print(f"{case.model}: compiled in {common.compile(args, path, artefact, dims):.1f} s", flush=True)
    return path, inputs, artefact, flags


def dims_of(path, feeds):
    """--dims for the sizes of these inputs: fixes every named size of the model."""
    import onnx

    graph = onnx.load(path, load_external_data=False).graph
    weights = {i.name for i in graph.initializer}
    sizes = {}
    for value in graph.input:
        if value.name not in weights:
            for axis, dim in enumerate(value.type.tensor_type.shape.dim):
                if dim.dim_value <= 0:
                    anonymous = dim.dim_param in ("", "?")
                    name = f"{value.name}_d{axis}" if anonymous else dim.dim_param
                    sizes[name] = feeds[value.name].shape[axis]
    return ["--dims=" + ",".join(f"{n}={s}" for n, s in sizes.items())] if sizes else []


def side(args, name, prepared):
    runner, script = common.peer(name), harness.TOP / "benchmarks/peers" / f"{name}_run.py"
    path, inputs, _, _ = prepared

    def run(threads, seconds=None, out=None):
        command = [runner, script, path, inputs, threads, args.time if seconds is None else seconds]
        command += [f"--out={out}"] if out else []
        return common.measure(command + (["--reshape"] if args.specialise else []), name)

    return run


def compare_outputs(args, prepared, run, threads):
    _, inputs, artefact, flags = prepared
    saved = {who: inputs.with_suffix(f".{who}.npz") for who in ("ours", "theirs")}
    done = harness.run([args.nestor, "run", artefact, "--save-outputs", saved["ours"], *flags], 300)
    if done.code:
        raise common.Failed(f"nestor run ended with {done.code}: {done.first_error()}")
    run(threads, seconds=0, out=saved["theirs"])
    with np.load(saved["ours"]) as got, np.load(saved["theirs"]) as want:
        for name in want.files:
            check(name, got[name], want[name], ROOM[args.suite])


def check(name, got, want, part=ROOM["models"]):
    if got.shape != want.shape or got.dtype != want.dtype:
        raise common.Failed(f"wrong result: {name} is {got.dtype}{got.shape}, not {want.dtype}{want.shape}")
    if not want.size:
        return
    if not np.issubdtype(want.dtype, np.floating):
        off, room = np.sum(got != want), 0
    else:
        off, room = np.max(np.abs(got - want)), part * np.max(np.abs(want))
    if not off <= room:
        raise common.Failed(f"wrong result: {name} is off by {off:.3g}, {room:.3g} is allowed")


def run(args, threads, report):
    known = cases(args.suite)
    wanted = common.pick(args, [case.name for case in known])
    how = "specialised by --dims" if args.specialise else "one artefact for all sizes"
    print(f"ours: {how}; medians over {args.processes} processes, with their spread, in ms", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        for case in (case for case in known if case.name in wanted):
            try:
                prepared = prepare(args, case, pathlib.Path(folder))
                _, _, artefact, flags = prepared
                compare_outputs(args, prepared, side(args, "onnxruntime", prepared), threads[-1])
                sides = {name: side(args, name, prepared) for name in PEERS[args.against]}
                command = [args.nestor, "bench", artefact, "--json", f"--time={args.time}", *flags]
                mine = lambda number: common.measure([*command, f"--threads={number}"], "nestor bench")
                for row in common.take_turns(args, case.name, mine, sides):
                    report.add(dict(row, specialised=args.specialise))
            except common.Failed as problem:
                report.fail(case.name, problem)
