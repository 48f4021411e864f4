#!/usr/bin/env python3
"""Every printed schedule, read back, gives the same bytes; a broken one is named.

Compiles, reads each kernel's hash and schedule off `inspect --kernels`, and
compiles again with only those as HASH.sequence.mlir in --override-dir: the
schedules are then replayed instead of chosen. What --dump-dir writes says the
same, and asking for it changes no byte.
"""

import argparse
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools" / "dev"))


def compile_model(nestor, model, artefact, *options):
    command = [nestor, "compile", str(model), "-o", str(artefact), *options]
    return subprocess.run(command, capture_output=True, text=True)


def printed_schedules(nestor, artefact):
    """{hash: sequence} of every kernel of an artefact."""
    done = subprocess.run([nestor, "inspect", "--kernels", artefact], capture_output=True, text=True, check=True)
    kernels = re.split(r"^kernel \S+ hash (\S+)$", done.stdout, flags=re.MULTILINE)[1:]
    return {key: text.strip() + "\n" for key, text in zip(kernels[::2], kernels[1::2])}


def check(nestor, model, folder):
    dumps, sequences = folder / "dumps", folder / "sequences"
    done = compile_model(nestor, model, folder / "a.nst")
    if done.returncode:
        return f"{model}: {done.stderr}"
    original = (folder / "a.nst").read_bytes()

    done = compile_model(nestor, model, folder / "dumped.nst", f"--dump-dir={dumps}")
    if done.returncode:
        return f"{model}: with dumps: {done.stderr}"
    if (folder / "dumped.nst").read_bytes() != original:
        return f"{model}: --dump-dir gives other bytes"

    sequences.mkdir()
    for key, text in printed_schedules(nestor, folder / "a.nst").items():
        (sequences / f"{key}.sequence.mlir").write_text(text)
    files = sorted(sequences.iterdir())
    if not files:
        return f"{model}: inspect --kernels lists none"
    for file in files:
        if (dumps / file.name).read_text().strip() != file.read_text().strip():
            return f"{model}: {file.name} is not what inspect --kernels prints"
    done = compile_model(nestor, model, folder / "b.nst", f"--override-dir={sequences}")
    if done.returncode:
        return f"{model}: replay: {done.stderr}"
    if (folder / "b.nst").read_bytes() != original:
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
    for name in ("magika", "silero-vad", "ppocr-rec"):
        downloaded = ROOT / "build" / "models" / f"{name}.onnx"
        if downloaded.exists():
            models.append(downloaded)
    for model in models:
        with tempfile.TemporaryDirectory() as folder:
            if complaint := check(args.nestor, model, pathlib.Path(folder)):
                sys.exit(complaint)


if __name__ == "__main__":
    main()
