"""Ten-hour recordings and a stream of a day, through the command, with the memory it holds on the way.

    python benchmarks/long_runs.py MODEL.tflite [--hours 10] [--stream-hours 24] [--audio AUDIO...] [--only listen]

Real recordings, one after the other over and over, are written as 16 kHz WAV, as stereo 44.1 kHz RF64 (above
4 GiB from 6.8 hours on) and as FLAC, each heard by `earproof classify`; then a day of them is piped into
`earproof listen`. Exits with 1 where memory grows or a tick is missing. Needs the train extra, and 6 GB in --folder.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import soundfile

from edge_runtime.audio.sample_format import to_shorts
from edge_runtime.machine.describe import describe_machine, machine_line
from train.recordings.decoding.decode import decode

REPOSITORY = Path(__file__).resolve().parents[1]
SAMPLE_RATE = 16_000  # Hz
TICKS_PER_HOUR = 3600 * 2
SETTLED = 0.1  # share of a run after which memory is not to grow; starting takes seconds, so measure hours
MOST_GROWTH = 4.0  # MiB from there to the end; what is one list of scores too many is hundreds
FORMATS = {  # name: suffix, rate in Hz, channels, libsndfile's format
    "WAV, 16 kHz mono": ("wav", 16_000, 1, "WAV"),
    "RF64, 44.1 kHz stereo": ("wav", 44_100, 2, "RF64"),
    "FLAC, 16 kHz mono": ("flac", 16_000, 1, "FLAC"),
}


def main() -> int:
    """Run everything and print a line each."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", type=Path, help="a .tflite file for 16 kHz audio")
    parser.add_argument("--hours", type=float, default=10.0, help="of each recording (default 10)")
    parser.add_argument("--stream-hours", type=float, default=24.0, help="of the stream (default 24)")
    parser.add_argument("--audio", type=Path, nargs="+", help="recordings (default: data_short)")
    parser.add_argument("--folder", type=Path, help="where the long files go (default: the system's temporary folder)")
    parser.add_argument("--only", choices=("classify", "listen"), help="run one of the two")
    args = parser.parse_args()
    paths = args.audio or sorted(REPOSITORY.glob("data_short/*/*.flac"))
    recordings = np.concatenate([to_shorts(decode(path, SAMPLE_RATE)) for path in paths])
    print(
        f"{len(paths)} recordings, {recordings.size / SAMPLE_RATE:.0f} s, over and over; {args.model.name}", flush=True
    )
    passed = True
    with tempfile.TemporaryDirectory(dir=args.folder) as folder:
        for name, (suffix, rate, channels, kind) in FORMATS.items() if args.only != "listen" else ():
            path = Path(folder) / f"long.{suffix}"
            write_long(path, recordings, args.hours, rate, channels, kind)
            passed &= classify(args.model, path, name, args.hours)
            path.unlink()
    if args.only != "classify":
        passed &= listen(args.model, recordings, args.stream_hours)
    print(machine_line(describe_machine()))
    return 0 if passed else 1


def write_long(path: Path, recordings: np.ndarray, hours: float, rate: int, channels: int, kind: str) -> None:
    """Write a file of so many hours; at another rate than 16 kHz the same samples, which then sound higher."""
    with soundfile.SoundFile(str(path), "w", rate, channels, "PCM_16", format=kind) as file:
        for piece in repeated(recordings, round(hours * 3600 * rate)):
            file.write(np.repeat(piece[:, np.newaxis], channels, axis=1))


def repeated(recordings: np.ndarray, num_samples: int) -> Iterator[np.ndarray]:
    """Yield the recordings over and over until there are so many samples."""
    while num_samples > 0:
        yield recordings[:num_samples]
        num_samples -= min(recordings.size, num_samples)


def classify(model: Path, path: Path, name: str, hours: float) -> bool:
    """Let the command classify a recording window by window; return whether memory stayed."""
    out = path.with_suffix(".csv")
    command = [sys.executable, "-m", "earproof", "classify", str(model), str(path), "--out", str(out)]
    begin, memory = time.monotonic(), []
    child = subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while child.poll() is None:
        memory.append(resident_mib(child.pid))
        time.sleep(0.2)
    seconds, num_windows = time.monotonic() - begin, out.read_text().count("\n") - 1
    out.unlink()
    gigabytes = path.stat().st_size / 1e9
    wanted = round(hours * 3600 / 2)  # one window of two seconds after the other
    stayed = child.returncode == 0 and num_windows == wanted
    print(f"classify {name}: {hours:g} h, {gigabytes:.2f} GB, {num_windows} of {wanted} windows, {seconds:.0f} s")
    return report_memory(memory) and stayed


def listen(model: Path, recordings: np.ndarray, hours: float) -> bool:
    """Pipe so many hours into the command as fast as it takes them; return whether no tick is missing."""
    command = [sys.executable, "-m", "earproof", "listen", str(model), "-", "--raw-rate", str(SAMPLE_RATE)]
    begin, memory, hour = time.monotonic(), [], 3600 * SAMPLE_RATE
    every = max(1, hour // 4 // recordings.size)  # a quarter of an hour
    with tempfile.TemporaryFile() as events, tempfile.TemporaryFile() as notes:
        child = subprocess.Popen(command, cwd=REPOSITORY, stdin=subprocess.PIPE, stdout=events, stderr=notes)
        for number, piece in enumerate(repeated(recordings, round(hours * hour))):
            child.stdin.write(piece.tobytes())
            if number % every == 0:
                memory.append(resident_mib(child.pid))
        child.stdin.close()
        child.wait()
        notes.seek(0)
        summary = next(line for line in notes.read().decode().splitlines() if "ticks" in line)
    num_ticks, wanted = int(summary.split(" ticks")[0].rsplit(" ", 1)[1]), round(hours * TICKS_PER_HOUR)
    seconds = time.monotonic() - begin
    print(
        f"listen to {hours:g} h: {summary}; {wanted} ticks expected; {seconds:.0f} s, "
        f"{hours * 3600 / seconds:.0f} x real time"
    )
    return report_memory(memory) and child.returncode == 0 and num_ticks == wanted


def resident_mib(pid: int) -> float:
    """Return the memory that a process holds now."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except FileNotFoundError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS")), 0.0)


def report_memory(memory: list[float]) -> bool:
    """Print the memory at eleven points of a run; return whether it stayed."""
    held = [one for one in memory if one]
    settled = held[round(SETTLED * (len(held) - 1)) :]
    growth = max(settled) - settled[0]
    points = " ".join(f"{held[round(place * (len(held) - 1) / 10)]:.1f}" for place in range(11))
    print(f"  resident MiB from beginning to end: {points}; growth after the first tenth {growth:.2f}", flush=True)
    return growth <= MOST_GROWTH


if __name__ == "__main__":
    sys.exit(main())
