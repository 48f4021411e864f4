#!/usr/bin/env python3
"""The listings of docs/tour.md are what the command prints.

Each `<!-- emit: PHASE -->` in the page is followed by a listing of that phase;
--update writes them. The assembly must hold the loop that the page speaks of.
"""

import argparse
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "tour.md"
PROGRAM = ROOT / "docs" / "tour" / "matmul.mlir"


def emit(nestor, phase):
    command = [nestor, "compile", str(PROGRAM), "--target=x86-64-v3", f"--emit={phase}", "-o", "-"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def expected(text, nestor):
    def listing(match):
        return f"<!-- emit: {match[1]} -->\n```mlir\n{emit(nestor, match[1])}\n```\n"

    return re.sub(r"<!-- emit: (\w+) -->\n(?:```mlir\n.*?\n```\n)?", listing, text, flags=re.S)


def check_assembly(text):
    """The block with the most FMAs is the loop over k: 12 of them, no stack."""
    blocks = re.split(r"^\.L\w+:.*$", text, flags=re.M)
    hot = max(blocks, key=lambda block: block.count("vfmadd"))
    fmas = hot.count("vfmadd")
    if fmas < 12 or fmas % 12 != 0:
        return f"the hot loop has {fmas} fused multiply-adds, not a multiple of 12"
    if re.search(r"ymm\d+, -?\d*\(%r[sb]p\)|\(%r[sb]p\), %ymm", hot):
        return "the hot loop spills vectors to the stack"
    return None


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--nestor", default=str(ROOT / "build" / "bin" / "nestor"))
    parser.add_argument("--update", action="store_true")
    args = parser.parse_args()
    text = PAGE.read_text()
    want = expected(text, args.nestor)
    if args.update:
        PAGE.write_text(want)
    elif text != want:
        sys.exit("docs/tour.md differs from what the command prints; run test/Docs/tour_test.py --update and read the difference")
    if complaint := check_assembly(emit(args.nestor, "asm")):
        sys.exit(complaint)


if __name__ == "__main__":
    main()
