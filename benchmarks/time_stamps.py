"""Stamp programmes of test recordings whose borders are known: seconds right, and how far borders are off.

    python benchmarks/time_stamps.py FILE.tflite ../shared/data/musan_like --split test

A programme is made of recordings of one side of the split, one after the other, with silence between some. It is the
same for the same seed. Every programme is stamped twice: with refined borders, and on the plain grid of seconds.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

import earproof
from edge_runtime.timeline.second_rows import SILENCE
from train.data.prepare import find_and_split, load_to_train
from train.recordings.store.clip_store import LoadedClips

SAMPLE_RATE = 16_000  # Hz
LEVEL_RANGE_DB = (-30.0, -18.0)  # RMS of a part
PART_RANGE_SECONDS = (2.5, 9.0)
SILENCE_RANGE_SECONDS = (1.5, 4.0)
PROGRAMME_RANGE_SECONDS = (60.0, 180.0)
LEAST_SECONDS = 1.5
FURTHEST_SECONDS = 2.0  # from a true border to the one that is taken for it


@dataclass(frozen=True)
class Programme:
    """Samples, float32, with the onset, offset and label of each part in seconds."""

    samples: np.ndarray
    parts: list[tuple[float, float, str]]


def programmes(clips: LoadedClips, split: str, count: int, seed: int = 0) -> Iterator[Programme]:
    """Yield programmes of one side of the split, neighbours of different labels."""
    rng = np.random.default_rng(seed)
    places: dict[str, list[int]] = {}
    for place in clips.places(split):
        places.setdefault(clips.index.clips[place].labels[0], []).append(place)
    for _ in range(count):
        length = round(rng.uniform(*PROGRAMME_RANGE_SECONDS) * SAMPLE_RATE)
        samples, parts, last, position = [], [], SILENCE, 0
        while position < length:
            label = str(rng.choice([name for name in (*places, SILENCE) if name != last]))
            part = _part(clips, places, label, rng)
            if part.size < LEAST_SECONDS * SAMPLE_RATE:
                continue
            samples.append(part)
            parts.append((position / SAMPLE_RATE, (position + part.size) / SAMPLE_RATE, label))
            position, last = position + part.size, label
        yield Programme(np.clip(np.concatenate(samples), -0.99, 0.99), parts)


def _part(clips: LoadedClips, places: dict[str, list[int]], label: str, rng: np.random.Generator) -> np.ndarray:
    """A stretch of a recording at a drawn level, or silence."""
    if label == SILENCE:
        return np.zeros(round(rng.uniform(*SILENCE_RANGE_SECONDS) * SAMPLE_RATE), np.float32)
    waveform = clips.waveforms[places[label][int(rng.integers(len(places[label])))]]
    length = min(waveform.size, round(rng.uniform(*PART_RANGE_SECONDS) * SAMPLE_RATE))
    start = int(rng.integers(waveform.size - length + 1))
    part = np.asarray(waveform[start : start + length], np.float32)
    level = max(float(np.sqrt(np.mean(np.square(part)))), 1e-6)
    return part * np.float32(10.0 ** (rng.uniform(*LEVEL_RANGE_DB) / 20.0) / level)


def right_seconds(programme: Programme, seconds: list[dict[str, Any]]) -> tuple[int, int]:
    """Return how many seconds have the label that fills most of them, and how many there are."""
    right = 0
    for row in seconds:
        shares: dict[str, float] = {}
        for onset, offset, label in programme.parts:
            common = min(offset, row["end_seconds"]) - max(onset, row["start_seconds"])
            shares[label] = shares.get(label, 0.0) + max(common, 0.0)
        right += row["decision"] == [max(shares, key=lambda label: shares[label])]
    return right, len(seconds)


def border_errors(programme: Programme, segments: list[dict[str, Any]]) -> list[float]:
    """Return for each true border how far the nearest found one of the same labels is, NaN where there is none."""
    found = [(two["onset"], one["label"], two["label"]) for one, two in pairwise(segments)]
    errors = []
    for (_, border, before), (_, _, behind) in pairwise(programme.parts):
        near = [abs(time - border) for time, *labels in found if labels == [before, behind]]
        errors.append(min(near) if near and min(near) <= FURTHEST_SECONDS else float("nan"))
    return errors


def main() -> None:
    """Make the programmes, stamp them, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file", type=Path)
    parser.add_argument("data", type=Path)
    parser.add_argument("--split", default="test", choices=("train", "val", "test"))
    parser.add_argument("--count", type=int, default=50)
    parser.add_argument("--cache", type=Path)
    args = parser.parse_args()
    clips = load_to_train(find_and_split([args.data], None, 0), SAMPLE_RATE, args.cache, False)
    print("| borders | seconds right | borders found | median error (s) | 95th percentile (s) |")
    print("| --- | --- | --- | --- | --- |")
    with tempfile.TemporaryDirectory() as folder:
        made = {}
        for number, programme in enumerate(programmes(clips, args.split, args.count)):
            path = Path(folder) / f"{number:03}.wav"
            soundfile.write(path, programme.samples, SAMPLE_RATE, subtype="PCM_16")
            made[str(path)] = programme
        for name, options in (("refined", []), ("plain grid", ["--plain-borders"])):
            out = Path(folder) / "stamps.json"
            with contextlib.redirect_stdout(io.StringIO()):
                earproof.main(["timeline", str(args.file), *made, "--out", str(out), "--force", *options])
            print(_row(name, made, json.loads(out.read_text())))


def _row(name: str, made: dict[str, Programme], document: dict[str, Any]) -> str:
    """A row of the table."""
    counts, errors = np.zeros(2, int), []
    for recording in document["recordings"]:
        programme = made[recording["file"]]
        counts += right_seconds(programme, recording["seconds"])
        errors += border_errors(programme, recording["segments"])
    found = np.array([error for error in errors if not np.isnan(error)])
    return (
        f"| {name} | {counts[0] / counts[1]:.1%} of {counts[1]} | {found.size} of {len(errors)} | "
        f"{np.median(found):.3f} | {np.percentile(found, 95):.3f} |"
    )


if __name__ == "__main__":
    main()
