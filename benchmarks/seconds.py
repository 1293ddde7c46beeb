"""Stamp the recordings of one side of a split second by second: how many are right, by file, by label and by source.

    python benchmarks/seconds.py SMALL.tflite PUBLISHED.tflite ../shared/data/musan_like --split test

The seconds are those of `earproof timeline`: the window around a second lies inside the recording, and a second at or
below -60 dBFS is silence and not judged. Files are compared with the first one on the same seconds.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import earproof
from edge_runtime.scoring.intervals import paired_bootstrap_interval, share_interval
from edge_runtime.timeline.second_rows import SILENCE
from train.data.prepare import find_and_split
from train.recordings.clip import Clip


@dataclass(frozen=True)
class Stamped:
    """The seconds of all recordings by one file: what is right, what was told, whose recording."""

    truth: np.ndarray
    told: np.ndarray
    sources: np.ndarray
    groups: np.ndarray

    @property
    def audible(self) -> np.ndarray:
        """Which seconds are judged."""
        return np.not_equal(self.told, SILENCE)

    @property
    def right(self) -> np.ndarray:
        """Which are told rightly."""
        return np.equal(self.told, self.truth)


def stamp(file: Path, clips: Sequence[Clip], root: Path) -> Stamped:
    """Run `earproof timeline` over recordings."""
    paths = {str(root / clip.path): clip for clip in clips}
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
        out = Path(folder) / "stamps.json"
        code = earproof.main(["timeline", str(file), *paths, "--plain-borders", "--out", str(out)])
        if code:
            raise SystemExit(code)
        recordings = json.loads(out.read_text())["recordings"]
    rows = [
        (clip.labels[0], second["decision"][0], clip.source, clip.group)
        for recording in recordings
        for clip in [paths[recording["file"]]]
        for second in recording["seconds"]
    ]
    return Stamped(*(np.array(column) for column in zip(*rows, strict=True)))


def main() -> None:
    """Stamp with each file, and print two tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("files", type=Path, nargs="+", metavar="FILE")
    parser.add_argument("data", type=Path)
    parser.add_argument("--split", default="test", choices=("train", "val", "test"))
    args = parser.parse_args()
    index = find_and_split([args.data], None, 0)
    stamped = {file: stamp(file, index.of_split(args.split), Path(index.root)) for file in args.files}
    first = stamped[args.files[0]]
    print(f"| file | seconds right | {' | '.join(index.labels)} | silent | points over the first file |")
    print("| --- " * (len(index.labels) + 4) + "|")
    for file, one in stamped.items():
        print(_row(file, one, first, index.labels))
    for file, one in stamped.items():
        print(f"\n{file.parent.name}/{file.name}, by source\n")
        print(f"| label | source | seconds | right | told as others |\n{'| --- ' * 5}|")
        print("\n".join(_source_rows(one, index.labels)))


def _row(file: Path, one: Stamped, first: Stamped, labels: Sequence[str]) -> str:
    """A file's seconds, and how it compares with the first file."""
    heard, right = one.audible, one.right
    low, high = share_interval(right[heard], one.groups[heard])
    by_label = [f"{right[heard & (one.truth == label)].mean():.1%}" for label in labels]
    gain = 100.0 * (right[heard].astype(float) - first.right[heard])
    paired = "" if one is first else f"{gain.mean():+.1f} {_interval(gain, one.groups[heard])}"
    share = f"{right[heard].mean():.1%} [{low:.1%}, {high:.1%}] of {heard.sum()}"
    return f"| {file.parent.name}/{file.name} | {share} | {' | '.join(by_label)} | {(~heard).sum()} | {paired} |"


def _interval(values: np.ndarray, groups: np.ndarray) -> str:
    low, high = paired_bootstrap_interval(values, groups)
    return f"[{low:+.1f}, {high:+.1f}]"


def _source_rows(one: Stamped, labels: Sequence[str]) -> list[str]:
    """A row for each label and source."""
    rows = []
    for label in labels:
        for source in np.unique(one.sources[one.truth == label]):
            told = one.told[(one.truth == label) & (one.sources == source) & one.audible]
            others = ", ".join(f"{other} {(told == other).sum()}" for other in labels if other != label)
            rows.append(f"| {label} | {source} | {told.size} | {(told == label).mean():.1%} | {others} |")
    return rows


if __name__ == "__main__":
    main()
