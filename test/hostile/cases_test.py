"""Every hostile file ends with the exit code that it deserves, says why in a
sentence, and takes no longer than a sound one. cases_test.py NESTOR [NAME...]"""

import pathlib
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tools" / "dev"))
import harness

harness.need("numpy", "onnx")

import cases

SECONDS = 20  # generous: the command is built with sanitizers
ENDS_OF_RUN = {0, 3, 4, 5, 7, 8}


def try_case(nestor, name):
    make, codes = cases.CASES[name]
    with tempfile.TemporaryDirectory() as folder:
        path = make(pathlib.Path(folder))
        for verb, allowed in (("check", codes), ("run", ENDS_OF_RUN - ({0} if 0 not in codes else set()))):
            done = harness.run([nestor, verb, path], SECONDS, harness.SANITIZERS)
            if done.timed_out:
                yield f"{name}: nestor {verb} took over {SECONDS} s"
            elif done.code not in allowed:
                yield f"{name}: nestor {verb} ended with {done.code}, expected {sorted(allowed)}: {done.first_error()}"
            elif done.code and not done.err.strip():
                yield f"{name}: nestor {verb} ended with {done.code} and said nothing"


def main():
    nestor, names = sys.argv[1], sys.argv[2:] or sorted(cases.CASES)
    problems = [problem for name in names for problem in try_case(nestor, name)]
    for problem in problems:
        print(f"error: {problem}")
    print(f"hostile cases: {len(names)} tried, {len(problems)} problems")
    sys.exit(bool(problems))


if __name__ == "__main__":
    main()
