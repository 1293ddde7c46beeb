"""What a second worker gains in a cross-validation: the same folds by one process and by two, in turn.

    python benchmarks/cross_validation.py --backbone yamnet_256

Each process computes with one thread. Efficiency is the time of one process over twice the time of two; begin and end
of the processes count. --scheduler does the same with one and two workers of a Dask cluster that the program starts.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from edge_runtime.machine.describe import describe_machine, machine_line

REPOSITORY = Path(__file__).resolve().parents[1]
NUM_WORKERS = 2
WAIT_SECONDS = 60
ONE_THREAD = {**os.environ, "TF_NUM_INTRAOP_THREADS": "1", "PYTHONPATH": str(REPOSITORY)}


def main() -> int:
    """Time both and print a table; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=REPOSITORY / "data_short")
    parser.add_argument("--model", default="mel_cnn")
    parser.add_argument("--backbone", help="for --model transfer")
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--folds", type=int, default=4)
    parser.add_argument("--num-seeds", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--scheduler", action="store_true", help="by the workers of a Dask cluster")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        times = measure(args, Path(folder))
    print("| workers | seconds, each round | shortest |\n| --- | --- | --- |")
    for workers, seconds in times.items():
        print(f"| {workers} | {', '.join(f'{one:.1f}' for one in seconds)} | {min(seconds):.1f} |")
    print(f"\nefficiency at {NUM_WORKERS}: {min(times[1]) / (NUM_WORKERS * min(times[NUM_WORKERS])):.0%}")
    print(machine_line(describe_machine()))
    return 0


def measure(args: argparse.Namespace, folder: Path) -> dict[int, list[float]]:
    """Return the seconds of each round by the number of workers, in turn."""
    times: dict[int, list[float]] = {1: [], NUM_WORKERS: []}
    seconds_of(args, folder, 1, is_warm_up=True)  # decodes the recordings
    for _ in range(args.rounds):
        for workers, seconds in times.items():
            seconds.append(seconds_of(args, folder, workers))
    return times


def seconds_of(args: argparse.Namespace, folder: Path, workers: int, is_warm_up: bool = False) -> float:
    """Do the cross-validation once and return how long it took."""
    command = [sys.executable, "-m", "earproof", "evaluate", str(args.data), "--model", args.model]
    command += ["--folds", str(args.folds), "--num-seeds", str(args.num_seeds), "--cache", str(folder), "--json"]
    command += ["--set", f"epochs={1 if is_warm_up else args.epochs}", "--set", "patience=1000"]
    command += ["--backbone", args.backbone] if args.backbone else []
    with started_cluster(folder, workers) if args.scheduler else contextlib.nullcontext() as address:
        command += ["--scheduler", address] if address else ["--jobs", str(workers)]
        begin = time.monotonic()
        subprocess.run(
            command, cwd=REPOSITORY, env=ONE_THREAD, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        return time.monotonic() - begin


@contextlib.contextmanager
def started_cluster(folder: Path, workers: int) -> Iterator[str]:
    """Start a scheduler and its workers on this machine and yield the address."""
    written, dask = folder / "scheduler.json", [sys.executable, "-m", "dask"]
    written.unlink(missing_ok=True)
    scheduler = [*dask, "scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard"]
    with contextlib.ExitStack() as running:
        begin(running, [*scheduler, "--scheduler-file", str(written)], folder)
        until = time.monotonic() + WAIT_SECONDS
        while not written.is_file() and time.monotonic() < until:
            time.sleep(0.2)
        address = str(json.loads(written.read_text())["address"])
        for _ in range(workers):
            begin(running, [*dask, "worker", address, "--nthreads", "1", "--no-nanny", "--no-dashboard"], folder)
        time.sleep(5)  # until the workers are known
        yield address


def begin(running: contextlib.ExitStack, command: list[str], folder: Path) -> None:
    """Start a program that ends with the others."""
    process = subprocess.Popen(
        command, cwd=folder, env=ONE_THREAD, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    running.callback(process.wait)
    running.callback(process.terminate)


if __name__ == "__main__":
    sys.exit(main())
