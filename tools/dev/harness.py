"""What the Python tests and benchmarks share: running a command under a time
limit, skipping with a reason, and where things are.

Leaves true: a command that overran is dead with all its children; a skipped
program ends with status 77, its reason on the last line (CTest shows it).
"""

import dataclasses
import importlib
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time

TOP = pathlib.Path(__file__).resolve().parents[2]
NESTOR = TOP / "build" / "bin" / "nestor"
SKIPPED = 77
# Tests see the same schedules on a machine that was measured; benchmarks do not care.
if pathlib.Path(sys.argv[0]).resolve().is_relative_to(TOP / "test"):
    os.environ.setdefault("NESTOR_CALIBRATION", "off")
# For nestor-sanitized. What the uninstrumented libraries leak at exit is by
# design; an allocation over 512 MB fails, as one too many does on any machine.
SANITIZERS = {
    "ASAN_OPTIONS": "detect_leaks=0:max_allocation_size_mb=512:allocator_may_return_null=1",
    "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1",
}


def skip(reason):
    print(f"skipped: {reason}", flush=True)
    sys.exit(SKIPPED)


def need(*modules):
    """Skips the program unless the Python modules can be imported."""
    for name in modules:
        try:
            importlib.import_module(name)
        except ImportError as missing:
            skip(f"no Python module {name} ({missing}); tools/check installs it")


@dataclasses.dataclass
class Done:
    """How a command ended: `code` is its exit status, or minus the signal."""

    code: int
    out: str
    err: str
    seconds: float
    timed_out: bool
    peak_mb: float

    def first_error(self):
        lines = [l.strip() for l in self.err.splitlines() if l.strip()]
        # A sanitizer's report says more than what the command says of it.
        wanted = ("ERROR: AddressSanitizer", "runtime error:", "error")
        found = (i for word in wanted for i, l in enumerate(lines) if word in l)
        start = next(found, 0)
        if len(lines) > start + 1 and lines[start].endswith(":"):
            return f"{lines[start]} {lines[start + 1]}"  # a list: its first entry
        return lines[start] if lines else ""


def high_water(pid):
    """MB that the process or one of its children has held at most so far.

    Not wait4's ru_maxrss: that one starts from the size of who forked it.
    """
    peak = 0.0
    try:
        status = pathlib.Path(f"/proc/{pid}/status").read_text()
        peak = next((int(l.split()[1]) / 1024 for l in status.splitlines() if l.startswith("VmHWM")), 0.0)
        for child in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
            peak = max(peak, high_water(child))
    except OSError:  # it just ended
        pass
    return peak


def run(command, timeout, env=None):
    """Runs `command` in a process group of its own; never raises."""
    started = time.monotonic()
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        child = subprocess.Popen(
            [str(part) for part in command],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            start_new_session=True,
            env={**os.environ, "NO_COLOR": "1", **(env or {})},
        )
        timed_out, pause, peak_mb = False, 0.001, 0.0
        while child.poll() is None:
            peak_mb = max(peak_mb, high_water(child.pid))
            if not timed_out and time.monotonic() - started > timeout:
                timed_out = True
                os.killpg(child.pid, signal.SIGKILL)
            time.sleep(pause)
            pause = min(pause * 1.5, 0.02)
        texts = []
        for stream in (out, err):
            stream.seek(0)
            texts.append(stream.read().decode(errors="replace"))
    return Done(child.returncode, *texts, time.monotonic() - started, timed_out, peak_mb)


def cpu_kind(cpuinfo="/proc/cpuinfo"):
    """amx, avx512 or avx2 by CPUID's features, never by a model's name."""
    with open(cpuinfo) as file:
        flags = next((l.split(":", 1)[1].split() for l in file if l.startswith("flags")), [])
    if "amx_tile" in flags and "avx512f" in flags:
        return "amx"
    return "avx512" if "avx512f" in flags else "avx2" if "avx2" in flags else "baseline"
