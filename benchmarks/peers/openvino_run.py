"""One process of OpenVINO: times whole runs of a model, prints JSON.

Arithmetic in f32 as the model says, one request at a time. (Products with int8
weights it still turns into int8 ones, activations quantised as it runs.)
Runs in the peer's own environment:
openvino_run.py MODEL INPUTS.npz THREADS SECONDS [--reshape]
"""

import json
import sys
import time

import numpy as np
import openvino


def main():
    path, inputs, threads, seconds = sys.argv[1], sys.argv[2], int(sys.argv[3]), float(sys.argv[4])
    core = openvino.Core()
    model = core.read_model(path)
    with np.load(inputs) as file:
        feeds = {name: file[name] for name in file.files}
    if "--reshape" in sys.argv:
        model.reshape({name: list(array.shape) for name, array in feeds.items()})
    settings = {
        "INFERENCE_NUM_THREADS": threads,
        "NUM_STREAMS": 1,
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_PRECISION_HINT": "f32",
    }
    request = core.compile_model(model, "CPU", settings).create_infer_request()
    for _ in range(3):
        request.infer(feeds, share_inputs=True, share_outputs=True)
    times, end = [], time.perf_counter() + seconds
    while time.perf_counter() < end or len(times) < 5:
        started = time.perf_counter()
        request.infer(feeds, share_inputs=True, share_outputs=True)
        times.append(1e3 * (time.perf_counter() - started))
    version = openvino.__version__.split("-")[0]
    print(json.dumps({"median_ms": float(np.median(times)), "min_ms": min(times), "runs": len(times), "version": version}))


main()
