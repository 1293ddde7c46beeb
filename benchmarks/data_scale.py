"""Data of growing size through `data check`, `train` (an epoch) and `convert`: time, memory and open files of each.

    python benchmarks/data_scale.py [--clips 1000 2000 4000 8000] [--hours 1 2 4 8] [--tree OTHER_CHECKOUT]

Generated data, the same for the same size: clips of a second (Speech Commands has 105,829), and hours in files of
three. Every verb runs as a process that may open no more than --open-files. Printed is a Markdown table by size, and
for each verb the line that its processor time follows. Exits with 1 where a verb fails or needs more than --memory.
The full sizes, 105829 clips and 100 hours, take 15 GB and 40 GB in --folder, and hours.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

from edge_runtime.machine.describe import describe_machine, machine_line

REPOSITORY = Path(__file__).resolve().parents[1]
SAMPLE_RATE = 16_000  # Hz
RECORDING_HOURS = 3.0  # of a file, or shorter where the hours would not make nine files
LEAST_RECORDINGS = 9  # three labels, each on three sides
LABELS = {"clips": 35, "hours": 3}  # as Speech Commands has, and as few recordings allow
BLOCK_SECONDS = 60.0  # that are made at once
VERBS = ("check", "train", "convert")
POLL_SECONDS = 0.1
EXPONENTS = np.arange(0.50, 2.51, 0.01)


@dataclass(frozen=True, kw_only=True)
class Measured:
    """One verb on one set of data.

    Attributes
    ----------
    kind : str
        "clips" or "hours".
    size : float
        How many clips, or hours.
    audio_hours : float
    verb : str
    seconds, cpu_seconds : float
        Of the whole process, by the clock and of processor time, which other work on the machine stretches less.
    memory_mb : float
        Highest resident memory.
    open_files : int
        The most that were seen open at once.
    exit_code : int
    last_line : str
        That the process wrote to stderr.
    """

    kind: str
    size: float
    audio_hours: float
    verb: str
    seconds: float
    cpu_seconds: float
    memory_mb: float
    open_files: int
    exit_code: int
    last_line: str


def main() -> int:
    """Make the data, run the verbs, print the table."""
    args = _arguments()
    machine = machine_line(describe_machine())
    print(f"{args.tree or REPOSITORY.name}; {machine}; at most {args.open_files} open files", flush=True)
    measured: list[Measured] = []
    if args.folder:
        args.folder.mkdir(parents=True, exist_ok=True)
    for kind, sizes in (("clips", args.clips), ("hours", args.hours)):
        for size in sizes:
            with tempfile.TemporaryDirectory(dir=args.folder) as folder:
                hours = make_data(Path(folder) / "data", kind, size, args.seed)
                for row in run_verbs(Path(folder), kind, size, hours, args):
                    measured.append(row)
                    print(table([row]).splitlines()[-1], file=sys.stderr, flush=True)
    print(table(measured))
    print("\n".join(lines_of_time(measured)))
    if args.json:
        args.json.write_text(json.dumps([dataclasses.asdict(row) for row in measured], indent=2) + "\n")
    fits = all(row.memory_mb <= args.memory and row.open_files <= args.open_files for row in measured)
    return 0 if fits and all(_went_through(row) for row in measured) else 1


def _arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clips", type=int, nargs="*", default=[1000, 2000, 4000, 8000], help="of a second each")
    parser.add_argument("--hours", type=float, nargs="*", default=[1, 2, 4, 8], help="in files of three hours")
    parser.add_argument("--only", choices=VERBS, nargs="+", default=VERBS, help="verbs (convert needs train)")
    parser.add_argument("--tree", type=Path, help="another checkout of earproof, to be measured in place of this one")
    parser.add_argument("--folder", type=Path, help="where the data go (default: the system's temporary folder)")
    parser.add_argument("--open-files", type=int, default=64, help="that a process may have (default 64)")
    parser.add_argument("--memory", type=float, default=2000.0, help="MB that it should need at most (default 2000)")
    parser.add_argument("--timeout", type=float, help="seconds after which a verb is ended")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path, help="write what was measured there too")
    return parser.parse_args()


def make_data(folder: Path, kind: str, size: float, seed: int) -> float:
    """Write one folder a label with 16-bit WAV files; return the hours of audio."""
    if kind == "clips":
        count, seconds = int(size), 1.0
    else:
        count = max(LEAST_RECORDINGS, round(size / RECORDING_HOURS))
        seconds = size * 3600 / count
    for label in range(LABELS[kind]):
        (folder / f"label{label:02d}").mkdir(parents=True)
    for number in range(count):
        label = number % LABELS[kind]
        path = folder / f"label{label:02d}" / f"{number:06d}.wav"
        with soundfile.SoundFile(path, "w", SAMPLE_RATE, 1, "PCM_16") as file:
            for block in _sound(label, seconds, np.random.default_rng([seed, number])):
                file.write(block)
    return count * seconds / 3600


def _sound(label: int, seconds: float, rng: np.random.Generator) -> Iterator[np.ndarray]:
    """Yield noise with a tone of the label in it, int16, no two recordings alike."""
    frequency = 150.0 * 1.1**label * rng.uniform(0.97, 1.03)
    left = round(seconds * SAMPLE_RATE)
    while left:
        length = min(left, round(BLOCK_SECONDS * SAMPLE_RATE))
        tone = np.sin(2 * np.pi * frequency / SAMPLE_RATE * np.arange(length, dtype=np.float32))
        yield (6000 * rng.uniform(0.3, 1.0) * tone + rng.integers(-900, 900, length, np.int16)).astype(np.int16)
        left -= length


def run_verbs(folder: Path, kind: str, size: float, hours: float, args: argparse.Namespace) -> Iterator[Measured]:
    """Run the verbs one after the other, as far as they go."""
    data, run, cache = (str(folder / name) for name in ("data", "run", "cache"))
    few = ["--num-runs", "20", "--warmup-runs", "2"]
    commands = {
        "check": ["data", "check", data],
        "train": ["train", "waveform_cnn", data, "--out", run, "--cache", cache, "--epochs", "1"],
        "convert": ["convert", run, "--out", str(folder / "files"), "--cache", cache, *few],
    }
    for verb in args.only:
        row = Measured(kind=kind, size=size, audio_hours=hours, verb=verb, **_measure(commands[verb], folder, args))
        yield row
        if not _went_through(row) and verb == "train":
            return
    shutil.rmtree(cache, ignore_errors=True)


def _measure(command: list[str], folder: Path, args: argparse.Namespace) -> dict:
    """Run earproof under the limit; return what `Measured` holds of it."""
    tree = (args.tree or REPOSITORY).resolve()
    limit = (args.open_files, args.open_files)
    log = folder / "stderr.log"
    begin = time.monotonic()
    with log.open("wb") as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", "earproof", *command],
            cwd=tree,
            env={**os.environ, "PYTHONPATH": str(tree)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=errors,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, limit),
        )
    most = [0]
    watcher = threading.Thread(target=_count_files, args=(process.pid, most), daemon=True)
    watcher.start()
    timer = threading.Timer(args.timeout, process.kill) if args.timeout else None
    if timer:
        timer.start()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.monotonic() - begin
    if timer:
        timer.cancel()
    said = log.read_text(errors="replace").replace("\r", "\n").strip().splitlines()
    return {
        "seconds": seconds,
        "cpu_seconds": usage.ru_utime + usage.ru_stime,
        "memory_mb": usage.ru_maxrss / 1000,  # Linux counts kilobytes
        "open_files": most[0],
        "exit_code": process.returncode,
        "last_line": said[-1] if said else "",
    }


def _count_files(pid: int, most: list[int]) -> None:
    """Note the highest number of open files of a process while it lives."""
    while True:
        try:
            most[0] = max(most[0], len(os.listdir(f"/proc/{pid}/fd")))
        except OSError:
            return
        time.sleep(POLL_SECONDS)


def _went_through(row: Measured) -> bool:
    """Whether a verb did its work: a finding (1) is a result, as is a file that fails its parity after one epoch."""
    return row.exit_code in (0, 1) and "Traceback" not in row.last_line


def table(rows: list[Measured]) -> str:
    """Return what was measured as Markdown."""
    lines = [
        "| data | audio (h) | verb | seconds | CPU seconds | peak memory (MB) | open files | result |",
        "|---" * 8 + "|",
    ]
    for row in rows:
        data = f"{row.size:,.0f} clips of 1 s" if row.kind == "clips" else f"{row.size:g} h"
        result = "done" if _went_through(row) else f"exit {row.exit_code}: {row.last_line[:150]}"
        numbers = f"{row.seconds:.1f} | {row.cpu_seconds:.1f} | {row.memory_mb:.0f} | {row.open_files}"
        lines.append(f"| {data} | {row.audio_hours:.2f} | {row.verb} | {numbers} | {result} |")
    return "\n".join(lines)


def lines_of_time(rows: list[Measured]) -> list[str]:
    """Return for each verb the line that its processor time follows, and the power of the audio that fits best."""
    found = []
    for kind in LABELS:
        for verb in VERBS:
            own = [row for row in rows if (row.kind, row.verb) == (kind, verb) and _went_through(row)]
            if len(own) < 3:
                continue
            hours, seconds = np.array([[row.audio_hours, row.cpu_seconds] for row in own]).T
            offset, slope, unexplained = _fit(hours, seconds)
            power = min(EXPONENTS, key=lambda exponent: _fit(hours**exponent, seconds)[2])
            found.append(
                f"{kind}, {verb}: {offset:.1f} CPU s + {slope:.2f} an hour of audio, R2 {1 - unexplained:.4f}; "
                f"best power {power:.2f} ({len(own)} sizes)"
            )
    return found


def _fit(amounts: np.ndarray, seconds: np.ndarray) -> tuple[float, float, float]:
    """Return offset and slope of the line of least squares, and the share of the variance that it leaves."""
    slope, offset = np.polyfit(amounts, seconds, 1)
    left = np.square(seconds - offset - slope * amounts).sum()
    return float(offset), float(slope), float(left / max(np.square(seconds - seconds.mean()).sum(), 1e-9))


if __name__ == "__main__":
    sys.exit(main())
