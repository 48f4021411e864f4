#!/usr/bin/env python3
"""Every printed schedule, read back, gives the same bytes; a broken one is named.

Compiles with --dump-dir, then again with only the HASH.sequence.mlir files as
--override-dir: the schedules are then replayed instead of chosen.
"""

import argparse
import pathlib
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools" / "dev"))


def compile_model(nestor, model, artefact, *options):
    command = [nestor, "compile", str(model), "-o", str(artefact), *options]
    return subprocess.run(command, capture_output=True, text=True)


def check(nestor, model, folder):
    dumps, sequences = folder / "dumps", folder / "sequences"
    done = compile_model(nestor, model, folder / "a.nst", f"--dump-dir={dumps}")
    if done.returncode:
        return f"{model}: {done.stderr}"
    sequences.mkdir()
    files = sorted(dumps.glob("*.sequence.mlir"))
    for file in files:
        shutil.copy(file, sequences)
    done = compile_model(nestor, model, folder / "b.nst", f"--override-dir={sequences}")
    if done.returncode:
        return f"{model}: replay: {done.stderr}"
    if (folder / "a.nst").read_bytes() != (folder / "b.nst").read_bytes():
        return f"{model}: {len(files)} replayed schedules give other bytes"
    print(f"{model.name}: {len(files)} schedules replayed to the same bytes")

    broken = sequences / files[0].name
    broken.write_text("this is no schedule")
    done = compile_model(nestor, model, folder / "c.nst", f"--override-dir={sequences}")
    if done.returncode == 0 or files[0].name not in done.stderr:
        return f"{model}: a broken {files[0].name} was not named: {done.stderr}"
    return None


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--nestor", default=str(ROOT / "build" / "bin" / "nestor"))
    args = parser.parse_args()
    models = [ROOT / "docs" / "tour" / "matmul.mlir"]
    downloaded = ROOT / "build" / "models" / "magika.onnx"
    if downloaded.exists():
        models.append(downloaded)
    for model in models:
        with tempfile.TemporaryDirectory() as folder:
            if complaint := check(args.nestor, model, pathlib.Path(folder)):
                sys.exit(complaint)


if __name__ == "__main__":
    main()
