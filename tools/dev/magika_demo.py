"""File types by the model of the PyPI package `magika`, ours beside ONNX Runtime's.

magika_demo.py PACKAGE FILE...: PACKAGE is the unpacked wheel. The features are
the model's own recipe (its config.min.json): the first and last bytes of a file
without surrounding white space, padded with a token. For each file `nestor run`
answers; then both sides are timed on the same input.
"""

import json
import pathlib
import subprocess
import sys
import tempfile

import numpy as np

from harness import NESTOR, TOP

SECONDS = "0.5"


def features(data, config):
    """The model's input: beginning and end of `data` as int32 tokens."""
    size, pad, block = config["beg_size"], config["padding_token"], config["block_size"]
    begin = list(data[:block].lstrip()[:size])
    end = list(data[-block:].rstrip()[-config["end_size"] :])
    tokens = begin + [pad] * (size - len(begin)) + [pad] * (config["end_size"] - len(end)) + end
    return np.array([tokens], np.int32)


def answer_json(command):
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"error: {command[0]} ended with {done.returncode}: {done.stderr.strip()}")
    return json.loads(done.stdout)


def main():
    package, files = pathlib.Path(sys.argv[1]), sys.argv[2:]
    folder = next(package.glob("magika/models/*/config.min.json")).parent
    config = json.loads((folder / "config.min.json").read_text())
    labels, model = config["target_labels_space"], folder / "model.onnx"
    print(f"{'file':28} {'nestor says':>12} {'ms':>7}   {'ONNX Runtime says':>18} {'ms':>7}")
    with tempfile.TemporaryDirectory() as tmp:
        inputs, outputs = f"{tmp}/bytes.npy", f"{tmp}/out.npz"
        artefact = f"{tmp}/magika.nst"
        compiled = subprocess.run([NESTOR, "compile", model, "-o", artefact])
        if compiled.returncode:
            sys.exit(f"error: nestor compile ended with {compiled.returncode}")
        for file in files:
            tokens = features((TOP / file).read_bytes(), config)
            np.save(inputs, tokens)
            np.savez(f"{tmp}/bytes.npz", bytes=tokens)
            given = ["--input", f"bytes=@{inputs}", "--json"]
            answer_json([NESTOR, "run", artefact, *given, "--save-outputs", outputs])
            with np.load(outputs) as saved:
                label = labels[int(np.argmax(saved["target_label"]))]
            ours = answer_json([NESTOR, "bench", artefact, *given, "--threads=1", f"--time={SECONDS}"])
            peer = TOP / "benchmarks" / "peers" / "onnxruntime_run.py"
            theirs = answer_json([sys.executable, peer, model, f"{tmp}/bytes.npz", "1", SECONDS])
            answer = labels[theirs["top"]]
            row = f"{file:28} {label:>12} {ours['median_ms']:7.2f}   {answer:>18} {theirs['median_ms']:7.2f}"
            print(row, flush=True)
            if label != answer:
                sys.exit(f"error: {file}: the answers differ")


if __name__ == "__main__":
    main()
