"""What the suites of compare share: sides that take turns, rows, and how they
are told.

A side is a name and a function of the number of threads that runs one process
and returns its facts, with "median_ms" and "min_ms". Leaves true: every row is in the file of
--json as soon as it is known, so an interrupted run keeps what it measured.
"""

import datetime
import json
import math
import pathlib
import re
import statistics
import subprocess
import sys

import harness

# A peer that was that much slower than the fastest one takes no further turns.
HOPELESS = 1.5
MISSING = 6  # as the command's exit code for what is not there


class NotMeasured(Exception):
    """This machine cannot run the suite; the text says what it lacks."""


class Failed(Exception):
    """A case went wrong: it did not compile, or run, or its result is wrong."""


def pick(args, names):
    """Those of `names` that --filter lets through."""
    chosen = [name for name in names if re.search(args.filter, name)]
    if not chosen:
        print(f"error: no case matches {args.filter}", file=sys.stderr)
        sys.exit(2)
    return chosen


def compile(args, model, artefact, flags=()):
    """Compiles a model with the settings of the run; returns the seconds."""
    target = [f"--target={args.target}"] if args.target else []
    done = harness.run([args.nestor, "compile", model, "-o", artefact, *target, *flags], 600)
    if done.code:
        raise Failed(f"nestor compile ended with {done.code}: {done.first_error()}")
    return done.seconds


def measure(command, what, timeout=300, env=None):
    """The facts that one process prints as JSON."""
    done = harness.run(command, timeout, env)
    if done.code:
        raise Failed(f"{what} ended with {done.code}: {done.first_error()}")
    return json.loads(done.out)


def peer(name):
    """What runs the peer `name` (a Python or a program), set up if it is not."""
    command = [sys.executable, harness.TOP / "tools/dev/peers", name]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        print(f"error: no peer {name}: {reason}", file=sys.stderr)
        sys.exit(MISSING)
    return done.stdout.split()[-1]


def take_turns(args, case, ours, peers):
    """The rows of a case, one for each number of threads. Processes take turns:
    all sides and numbers of threads see the same hours of the machine. The peer
    with the lowest median counts."""
    threads, key = args.threads, "min_ms" if args.busy else "median_ms"
    mine = {n: [] for n in threads}
    theirs = {n: {name: [] for name in peers} for n in threads}
    facts, failures = {}, {}
    for _ in range(args.processes):
        for number in threads:
            mine[number].append(ours(number)[key])
            running = theirs[number]
            for name in [n for n in running if not out_of_reach(n, running)]:
                try:
                    facts[name] = peers[name](number)
                    running[name].append(facts[name][key])
                except Failed as problem:
                    failures[name] = str(problem)
                    del running[name]
    for number in threads:
        known = {name: times for name, times in theirs[number].items() if times}
        if not known:
            raise Failed("; ".join(failures.values()))
        medians = {name: statistics.median(times) for name, times in known.items()}
        best = min(medians, key=medians.get)
        row = dict(case=case, threads=number, peer=best, peer_version=facts[best]["version"])
        row.update(ours_ms=statistics.median(mine[number]), theirs_ms=medians[best])
        row.update(ours=mine[number], theirs=known[best], ratio=medians[best] / statistics.median(mine[number]))
        if args.busy:
            row.update(busy=True)
        if args.target:
            row.update(target=args.target)
        if len(peers) > 1:
            row.update(peers=known)
        if failures:
            row.update(failed=failures)
        if "kernel" in facts[best]:
            row.update(kernel=facts[best]["kernel"])
        yield dict(row, cpu=harness.cpu_kind())


def out_of_reach(name, running):
    """Whether peer `name` has had its turn and was far behind another one."""
    known = [min(times) for times in running.values() if times]
    return bool(running[name]) and min(running[name]) > HOPELESS * min(known)


# --- Telling -------------------------------------------------------------------


def spread(times):
    return f"{min(times):.4g}..{max(times):.4g}"


def line_of(row):
    text = f"{row['case']:26} threads={row['threads']} ours {row['ours_ms']:8.4g} ({spread(row['ours'])})"
    text += f" theirs {row['theirs_ms']:8.4g} ({spread(row['theirs'])}) ratio {row['ratio']:.2f}"
    if "gflop" in row:
        text += f" | {row['gflop'] / row['ours_ms'] * 1e3:.1f} GF/s, theirs {row['gflop'] / row['theirs_ms'] * 1e3:.1f}"
    told = f" {row['peer']} {row['peer_version']}"
    return text + told + "".join(f"; {name} failed" for name in row.get("failed", ()))


def summary(rows, threads):
    """The closing line of one number of threads."""
    rows = [row for row in rows if row["threads"] == threads]
    geomean = math.exp(statistics.fmean(math.log(row["ratio"]) for row in rows))
    worst = min(rows, key=lambda row: row["ratio"])
    text = f"geomean={geomean:.2f} worst={worst['ratio']:.2f} ({worst['case']}) "
    text += f"n={len(rows)} cpu={rows[0]['cpu']} threads={threads}"
    # Not what the figures usually mean.
    text += f" target={rows[0]['target']}" if "target" in rows[0] else ""
    return text + (" busy" if "busy" in rows[0] else "")


def slower_with_more(rows):
    """Where more threads make ours slower than one by more than 5 %, by the
    fastest process of each: what else the machine does only adds."""
    alone = {row["case"]: min(row["ours"]) for row in rows if row["threads"] == 1}
    for row in rows:
        ratio = min(row["ours"]) / alone.get(row["case"], min(row["ours"]))
        if ratio > 1.05:
            yield f"slower with {row['threads']} threads than with one: {row['case']} by {ratio - 1:.0%}"


def commit():
    command = ["git", "-C", harness.TOP, "rev-parse", "--short", "HEAD"]
    return subprocess.run(command, capture_output=True, text=True).stdout.strip()


class Report:
    """The rows of a run: each is printed and written when it comes."""

    def __init__(self, path, suite):
        self.path = pathlib.Path(path) if path else None
        self.stamp = dict(date=datetime.date.today().isoformat(), commit=commit(), suite=suite)
        self.rows, self.failures = [], []

    def add(self, row):
        self.rows.append(row)
        print(line_of(row), flush=True)
        if self.path:
            with open(self.path, "a") as file:
                file.write(json.dumps({**self.stamp, **row}) + "\n")

    def fail(self, case, why):
        self.failures.append(case)
        print(f"error: {case}: {why}", flush=True)

    def close(self, threads):
        """The closing lines; returns the exit code."""
        for note in slower_with_more(self.rows):
            print(note)
        for number in threads:
            if any(row["threads"] == number for row in self.rows):
                print(summary(self.rows, number))
        if self.failures:
            print(f"failed: {', '.join(self.failures)}")
        return 1 if self.failures or not self.rows else 0
