"""Whether mixing on the fly keeps up with training, and how long it takes to index all pairs.

    python benchmarks/mixing.py

Trains `isocc` for a few steps at a time, by turns with windows from memory, single clips cut on the fly, and single
clips and mixtures by halves, and prints windows a second and seconds of both cores a window, each beside training from
memory; two of the feeds by Keras' own `fit` as well. Then what one thread cuts and mixes without a training, and the
time to pair 400 clips of 10 labels (72,000 pairs) and to write their table. Clips are made by code; --data takes a
folder of real ones.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from train.fitting.backend import load_keras, seed_everything
from train.mixtures.mixture_index import pair_clips
from train.mixtures.mixture_table import write_mixtures
from train.recordings.clip import Clip
from train.recordings.clip_index import ClipIndex, find_clips
from train.recordings.split import split_clips
from train.recordings.store.clip_store import LoadedClips, load_clips
from train.settings import TrainingSettings

SAMPLE_RATE = 16_000  # Hz
NUM_LABELS, CLIPS_A_LABEL, SECONDS = 10, 40, 5.0
SHARES = {"train": 0.8, "val": 0.1, "test": 0.1}
CORES = 2
BASE = "windows from memory"


def main() -> int:
    """Print the tables; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, help="a folder of clips of at least two labels (default: made by code)")
    parser.add_argument("--rounds", type=int, default=5, help="of each feed, by turns (default 5)")
    parser.add_argument("--steps", type=int, default=5, help="of training in a round (default 5)")
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--only", choices=("index", "generate", "train"), help="one of the three measurements")
    args = parser.parse_args()
    if args.data and not args.data.is_dir():
        print(f"skipped: {args.data} is not there", file=sys.stderr)
        return 0
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:CORES])
    load_keras()
    clips = _read(args.data) if args.data else made_clips()
    if args.only in (None, "index"):
        index_pairs(clips.index)
        index_pairs(clips.index.without_split())
    if args.only in (None, "generate"):
        generate(clips, args)
    if args.only in (None, "train"):
        train(clips, args)
    return 0


def made_clips() -> LoadedClips:
    """Return 32, 4 and 4 clips of each of ten labels: noise around a frequency of their own."""
    rng = np.random.default_rng(0)
    seconds = np.arange(int(SECONDS * SAMPLE_RATE)) / SAMPLE_RATE
    clips, waveforms = [], []
    for label in range(NUM_LABELS):
        for number in range(CLIPS_A_LABEL):
            split = "train" if number < 32 else "val" if number < 36 else "test"
            clips.append(Clip(f"{label}/{number}.flac", (f"label {label}",), f"{label}/{number}", split))
            swing = np.sin(2 * np.pi * (200 + 300 * label + 5 * number) * seconds)
            waveforms.append((0.3 * swing + 0.05 * rng.standard_normal(seconds.size)).astype(np.float32))
    labels = tuple(f"label {label}" for label in range(NUM_LABELS))
    return LoadedClips(ClipIndex(Path(), labels, tuple(clips)), waveforms, [""] * len(clips), [])


def _read(folder: Path) -> LoadedClips:
    """The clips of a folder on their sides, in memory as made ones are."""
    clips = load_clips(split_clips(find_clips(folder), 0, SHARES), SAMPLE_RATE)
    clips.waveforms[:] = [np.array(waveform) for waveform in clips.waveforms]
    return clips


def index_pairs(index: ClipIndex) -> None:
    """Pair all clips and write the table, and print how long both took."""
    cores = time.process_time()
    begin = time.perf_counter()
    mixtures = pair_clips(index)
    paired = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        write_mixtures(Path(folder) / "mixtures.csv", mixtures)
    done, cores = time.perf_counter(), time.process_time() - cores
    print(
        f"{len(mixtures):,} pairs of {len(index.clips)} clips ({mixtures.left_out:,} left out): paired in "
        f"{paired - begin:.2f} s, written in {done - paired:.2f} s ({cores:.2f} s of a core)"
    )


def generate(clips: LoadedClips, args: argparse.Namespace) -> None:
    """Print what one thread cuts, mixes and varies, without a training."""
    from train.models import isocc

    print("\n| windows, one thread, no training | ms of a core a window |\n| --- | --- |")
    for name, sources in (("single", (1,)), ("single and mixed", (1, 2)), ("mixed", (2,))):
        for varied in (False, True):
            windows = _mixtures(clips, sources, args, augment=varied)
            windows[0]
            begin = time.process_time()
            for batch in range(1, 5):
                windows[batch]
            cost = (time.process_time() - begin) / (4 * args.batch_size)
            how = "varied" if varied else "as they are"
            print(f"| {name}, {how} ({isocc.WINDOW_LENGTH:,} samples) | {1000 * cost:.2f} |")


def train(clips: LoadedClips, args: argparse.Namespace) -> None:
    """Print windows a second of a training with each feed, by turns, and how they compare with windows from memory."""
    from train.fitting import fit
    from train.fitting.weight_average import WeightAverage
    from train.models import isocc

    seed_everything(0)
    model = isocc.build(len(clips.index.labels), "mixed")
    fit.compile_model(model, isocc.DEFAULT, args.steps)
    average = WeightAverage()

    def ours(windows: Any) -> None:
        fit.train_epoch(model, windows, average)

    def by_keras(windows: Any) -> None:
        model.fit(windows, epochs=1, shuffle=False, verbose=0)

    mixed = _mixtures(clips, (1, 2), args, augment=True)
    in_memory = remembered(mixed, args.steps)

    def drawn(sources: tuple[int, ...], augment: bool) -> Callable[[int], Any]:
        return lambda number: _mixtures(clips, sources, args, augment, number)

    feeds: dict[str, tuple[Callable[[Any], None], Callable[[int], Any]]] = {
        BASE: (ours, lambda number: in_memory),
        "single and mixed, as they are": (ours, drawn((1, 2), False)),
        "single clips, varied": (ours, drawn((1,), True)),
        "single and mixed, varied": (ours, drawn((1, 2), True)),
        f"{BASE}, by Keras' fit": (by_keras, lambda number: in_memory),
        "single and mixed, varied, by Keras' fit": (by_keras, drawn((1, 2), True)),
    }
    for loop, feed in feeds.values():
        loop(feed(0))  # the first call compiles
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in feeds}
    for number in range(args.rounds):
        for name, (loop, feed) in feeds.items():
            windows = feed(number + 1)
            wall, cores = time.perf_counter(), time.process_time()
            loop(windows)
            taken[name].append((time.perf_counter() - wall, time.process_time() - cores))
    _print_training(taken, args)


def _print_training(taken: dict[str, list[tuple[float, float]]], args: argparse.Namespace) -> None:
    """One line a feed: medians, and the ratio within each round to training from memory."""
    per_round = args.steps * args.batch_size
    base = taken[BASE]
    print(
        f"\n{CORES} cores, {args.rounds} rounds of {args.steps} steps of {args.batch_size} windows\n\n"
        "| fed with | windows a second | of from memory, each round | core ms a window | of from memory |\n"
        "| --- | --- | --- | --- | --- |"
    )
    for name, rounds in taken.items():
        speed = statistics.median(per_round / wall for wall, _ in rounds)
        speeds = [other / wall for (wall, _), (other, _) in zip(rounds, base, strict=True)]
        cores = statistics.median(1000 * used / per_round for _, used in rounds)
        costs = [used / other for (_, used), (_, other) in zip(rounds, base, strict=True)]
        print(f"| {name} | {speed:.1f} | {_ratio(speeds)} | {cores:.1f} | {_ratio(costs)} |")


def _ratio(values: list[float]) -> str:
    """A median with the range around it."""
    return f"{statistics.median(values):.2f} [{min(values):.2f}, {max(values):.2f}]"


def _mixtures(clips: LoadedClips, sources: tuple[int, ...], args: argparse.Namespace, augment: bool, epoch: int = 0):
    """Windows cut and mixed on the fly."""
    from train.batches.mixture_windows import MixtureWindows
    from train.models import isocc

    settings = TrainingSettings(
        loss="binary_crossentropy",
        normalization="both",
        batch_size=args.batch_size,
        epoch_windows=args.batch_size * args.steps,
        augment=augment,
    )
    return MixtureWindows(clips, SAMPLE_RATE, isocc.WINDOW_LENGTH, settings, sources, "labels", epoch)


def remembered(windows, steps: int):
    """The first batches of windows as a data set that computes nothing."""
    import keras

    batches = [windows[number] for number in range(min(steps, 2))]

    class Remembered(keras.utils.PyDataset):
        def __len__(self) -> int:
            return steps

        def __getitem__(self, number: int):
            return batches[number % len(batches)]

    return Remembered()


if __name__ == "__main__":
    sys.exit(main())
