"""kernels-absolute: f32 matrix products against the rate of fused multiply-adds
that registers alone reach (peers/peak.cpp), with as many threads, in processes
that take turns with ours. The ratio is the share of the peak.
"""

import common
import gemm
import numpy as np
import operators

SIZES = (256, 384, 512, 768, 1024)


def side(args, runner):
    def peak(prepared, threads, out=None, seconds=None):
        if out:  # what the result must be
            n = prepared.shape[0]
            a, b = (np.fromfile(prepared.files[name], np.float32).reshape(n, n) for name in "AB")
            (a @ b).tofile(out)
        seconds = args.time if seconds is None else seconds
        facts = common.measure([runner, f"threads={threads}", f"seconds={seconds}"], "peak")
        # The times that the product would take at the peak.
        times = dict(median_ms=facts["gflops"], min_ms=facts["best"])
        return {**facts, **{name: 1e3 * prepared.case.gflop / rate for name, rate in times.items()}}

    return peak


def cases(suite):
    return [gemm.case(n, n, n, "f32") for n in SIZES]


def run(args, threads, report):
    peers = lambda args: {"peak": side(args, common.peer("peak"))}
    operators.run(args, threads, cases(args.suite), peers, report)
