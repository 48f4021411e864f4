"""One process of ONNX Runtime: times whole runs of a model, prints JSON.

Runs in the peer's own environment:
onnxruntime_run.py MODEL INPUTS.npz THREADS SECONDS [--out=FILE.npz] [--reshape]
"""

import json
import sys
import time

import numpy as np
import onnxruntime


def main():
    model, inputs, threads, seconds = sys.argv[1], sys.argv[2], int(sys.argv[3]), float(sys.argv[4])
    out = next((a.removeprefix("--out=") for a in sys.argv[5:] if a.startswith("--out=")), None)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    with np.load(inputs) as file:
        feeds = {name: file[name] for name in file.files}
    for _ in range(3):
        outputs = session.run(None, feeds)
    if out:
        np.savez(out, **dict(zip((o.name for o in session.get_outputs()), outputs)))
    times, end = [], time.perf_counter() + seconds
    while time.perf_counter() < end or len(times) < 5:
        started = time.perf_counter()
        session.run(None, feeds)
        times.append(1e3 * (time.perf_counter() - started))
    facts = {"median_ms": float(np.median(times)), "min_ms": min(times), "runs": len(times), "version": onnxruntime.__version__}
    # The demo shows the answer beside the latency.
    facts["top"] = int(np.argmax(outputs[0])) if outputs[0].size else 0
    print(json.dumps(facts))


main()
