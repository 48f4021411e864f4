"""torch on CPU: for each request, a JSON line, times an operator in a process of
its own and answers with a line.

The process forks after torch was imported and before it started any thread.
Runs in the peer's own environment. Request: {"op", "files", "shapes", "threads",
"seconds", "out"}; answer: {"median_ms", "min_ms", "runs", "version"} or {"error"}.
"""

import json
import os
import sys
import time

import numpy as np
import torch
import torch.nn.functional as F

OPERATORS = {
    "softmax": lambda x: torch.softmax(x, -1),
    "layernorm": lambda x, scale, bias: F.layer_norm(x, (x.shape[-1],), scale, bias, 1e-5),
    "gelu": F.gelu,
    "attention": F.scaled_dot_product_attention,
    "attention-causal": lambda q, k, v: F.scaled_dot_product_attention(q, k, v, is_causal=True),
}


def answer(request):
    torch.set_num_threads(request["threads"])
    arrays = [np.fromfile(f, np.float32).reshape(s) for f, s in zip(request["files"], request["shapes"])]
    tensors = [torch.from_numpy(array) for array in arrays]
    run = OPERATORS[request["op"]]
    with torch.inference_mode():
        result = run(*tensors)
        if request["out"]:
            result.contiguous().numpy().tofile(request["out"])
        seconds = request["seconds"]
        end = time.perf_counter() + min(0.1 * seconds, 0.3)
        while time.perf_counter() < end:
            run(*tensors)
        times, end = [], time.perf_counter() + seconds
        while time.perf_counter() < end or len(times) < 5:
            started = time.perf_counter()
            run(*tensors)
            times.append(1e3 * (time.perf_counter() - started))
    return {"median_ms": float(np.median(times)), "min_ms": min(times), "runs": len(times), "version": torch.__version__}


def main():
    for line in sys.stdin:
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            try:
                text = answer(json.loads(line))
            except Exception as problem:
                text = {"error": repr(problem)}
            os.write(writing, json.dumps(text).encode())
            os._exit(0)
        os.close(writing)
        with os.fdopen(reading) as pipe:
            text = pipe.read()
        os.waitpid(child, 0)
        print(text or json.dumps({"error": "the process died"}), flush=True)


main()
