"""compare's suite `polybench`: the nests under the default schedule against the
same kernels in C, each built by several compilers.

The peers' flags: -O3 -march=native -ffast-math, and with Polly its tiling, its
two-level tiling with register tiles, and its parallel code. Ours contracts
products with sums and reassociates the sums that a schedule spreads over lanes,
which these flags allow too. Sizes are constants on both sides.

For each case and number of threads every peer runs once; the fastest one then
takes turns with ours, and is named in the row.
"""

import dataclasses
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys

import common
import harness

HERE = pathlib.Path(__file__).resolve().parent
BUILD = harness.TOP / "build"
RUNNER = BUILD / "bin" / "nestor-polybench"
NAME = "best-of-gcc-clang-polly"

COMMON = ["-O3", "-march=native", "-ffast-math"]
POLLY = ["-mllvm", "-polly"]
# Flags of a peer: the compiler, its own flags, its libraries.
PEERS = {
    "gcc": ("gcc", [], []),
    "clang": ("clang", [], []),
    "polly": ("clang", POLLY, []),
    "polly-two-level": (
        "clang",
        [*POLLY, "-mllvm", "-polly-2nd-level-tiling", "-mllvm", "-polly-register-tiling"],
        [],
    ),
    "polly-parallel": ("clang", [*POLLY, "-mllvm", "-polly-parallel"], ["-lgomp"]),
}


def compiler(kind):
    names = ["clang-22", "clang"] if kind == "clang" else ["gcc"]
    return next((path for path in map(shutil.which, names) if path), None)


def has_polly(clang):
    command = [clang, "-mllvm", "-help-hidden", "-x", "c", os.devnull, "-c", "-o", os.devnull]
    return "--polly-parallel" in subprocess.run(command, capture_output=True, text=True).stdout


def version(path):
    return subprocess.run([path, "--version"], capture_output=True, text=True).stdout.splitlines()[0]


def build_peers(names, small):
    """The shared object of each peer that this machine can build."""
    sources = sorted((HERE / "c").glob("*.c"))
    newest = max(p.stat().st_mtime for p in (*sources, HERE / "c" / "polybench.h", pathlib.Path(__file__)))
    folder = BUILD / "polybench" / ("small" if small else "large")
    folder.mkdir(parents=True, exist_ok=True)
    libraries, said = {}, set()
    for name in names:
        kind, flags, links = PEERS[name]
        path = compiler(kind)
        if not path or (name.startswith("polly") and not has_polly(path)):
            print(f"no {name} here: it is not among the peers", flush=True)
            continue
        if kind not in said:
            print(f"{kind}: {version(path)}, {' '.join(COMMON)}", flush=True)
            said.add(kind)
        library = folder / f"{name}.so"
        if not library.exists() or library.stat().st_mtime < newest:
            command = [path, *COMMON, *flags, *(["-DPB_SMALL"] if small else [])]
            command += ["-fPIC", "-shared", "-fvisibility=hidden", *sources, "-lm", *links, "-o", library]
            done = harness.run(command, 900)
            if done.code:
                sys.exit(f"error: {name} ended with {done.code}: {done.first_error()}")
        libraries[name] = library
    if not libraries:
        sys.exit("error: no peer can be built")
    return libraries


@dataclasses.dataclass
class Case:
    name: str


def cases(suite="polybench"):
    return [Case(path.stem) for path in sorted((HERE / "nests").glob("*.mlir"))]


def time_of(args, case, side, library, threads):
    """The median of one process, in ms."""
    command = [RUNNER, "time", side, f"--library={library}", f"--filter=^{case}$"]
    command += [f"--threads={threads}", f"--time={args.time}"]
    env = {"OMP_NUM_THREADS": str(threads), "OMP_PROC_BIND": "true"}
    done = harness.run(command, 600, env)
    if done.code:
        raise common.Failed(f"{side}, {library}: ended with {done.code}: {done.first_error()}")
    return json.loads(done.out)["median_ms"]


def fastest(times):
    return min(times, key=times.get)


def compare(args, case, libraries, threads):
    """The rows of this case, one for each number of threads; processes take
    turns, as in the suite of models."""
    size = "small" if args.small else "large"
    start = BUILD / "lib" / f"libnestor-polybench-{size}.so"
    peers, mine, theirs, tried = {}, {n: [] for n in threads}, {n: [] for n in threads}, {}
    for number in threads:
        usable = [name for name in libraries if number > 1 or name != "polly-parallel"]
        tried[number] = {name: time_of(args, case, "c", libraries[name], number) for name in usable}
        peers[number] = fastest(tried[number])
    for _ in range(args.processes):
        for number in threads:
            mine[number].append(time_of(args, case, "ours", start, number))
            theirs[number].append(time_of(args, case, "c", libraries[peers[number]], number))
    for number in threads:
        row = dict(case=case, threads=number, peer=NAME, peer_version=peers[number], tried=tried[number])
        row.update(ours_ms=statistics.median(mine[number]), theirs_ms=statistics.median(theirs[number]))
        row.update(ours=mine[number], theirs=theirs[number], ratio=row["theirs_ms"] / row["ours_ms"])
        yield dict(row, cpu=harness.cpu_kind())


def run(args, threads, report):
    names = (args.peers or ",".join(PEERS)).split(",")
    unknown = set(names) - set(PEERS)
    if unknown:
        print(f"error: no peer is called {', '.join(sorted(unknown))}", file=sys.stderr)
        sys.exit(2)
    wanted = common.pick(args, [case.name for case in cases()])
    libraries = build_peers(names, args.small)
    print(f"ours: default schedule, sizes fixed; medians over {args.processes} processes, with their spread, in ms")
    for name in wanted:
        try:
            for row in compare(args, name, libraries, threads):
                report.add(row)
        except common.Failed as problem:
            report.fail(name, problem)
