"""Programmes with known borders, made of recordings of one label each, one after the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from edge_runtime.segments.segment import Segment
from metadata.plural import counted
from train.recordings.clip import group_of
from train.recordings.store.clip_store import LoadedClips

NUM_PROGRAMMES = 50
PROGRAMME_SECONDS = (60.0, 180.0)
MOST_PIECE_SECONDS = 20.0  # of a recording that is longer, its beginning
LEAST_PIECE_SECONDS = 1.0


@dataclass(frozen=True, kw_only=True)
class Programme:
    """Recordings one after the other.

    Attributes
    ----------
    name : str
    pieces : tuple of (int, int)
        Position of the recording among the clips, and how many of its samples are heard.
    segments : tuple of Segment
        One a piece; neighbours have different labels, so that each join is a border.
    group : str
        All groups of the recordings, as `train.recordings.clip.group_of` joins them.
    sample_rate : int
    """

    name: str
    pieces: tuple[tuple[int, int], ...]
    segments: tuple[Segment, ...]
    group: str
    sample_rate: int

    @property
    def seconds(self) -> float:
        """The length."""
        return self.segments[-1].offset

    def waveform(self, clips: LoadedClips) -> np.ndarray:
        """Return the samples, float32 (n_samples,), joined hard: no fade, no pause."""
        return np.concatenate([np.asarray(clips.waveforms[place][:size], np.float32) for place, size in self.pieces])


def make_programmes(
    clips: LoadedClips,
    sample_rate: int,
    split: str = "test",
    count: int = NUM_PROGRAMMES,
    seconds: tuple[float, float] = PROGRAMME_SECONDS,
    seed: int = 0,
) -> list[Programme]:
    """Return programmes of the recordings of one side.

    Parameters
    ----------
    clips : LoadedClips
        Each clip of the side has one label.
    sample_rate : int
        Hz of the waveforms.
    split : str
        train, val or test.
    count : int
    seconds : tuple of float
        Shortest and longest programme; at least `MOST_PIECE_SECONDS` apart.
    seed : int
        The same seed gives the same programmes.

    Raises
    ------
    ValueError
        Lengths too near each other, a clip of several labels, or recordings of one label only.

    Notes
    -----
    The label of each piece is drawn evenly among the others than the one before, its recording among those of the label
    that were heard least often. A programme ends with the recording that reaches a length drawn evenly.
    """
    shortest, longest = seconds
    if not 0.0 < shortest <= longest - MOST_PIECE_SECONDS:
        raise ValueError(
            f"a programme is from {shortest:g} to {longest:g} s; expected {MOST_PIECE_SECONDS:g} s between both"
        )
    by_label = _usable(clips, sample_rate, split)
    generator = np.random.default_rng(seed)
    heard = np.zeros(len(clips.waveforms), np.int64)
    made = []
    for number in range(count):
        target = float(generator.uniform(shortest, longest - MOST_PIECE_SECONDS)) * sample_rate
        pieces, labels = _draw(clips, by_label, target, sample_rate, heard, generator)
        edges = np.cumsum([0, *(size for _, size in pieces)]) / sample_rate
        segments = [
            Segment(onset=float(onset), offset=float(offset), label=label)
            for onset, offset, label in zip(edges, edges[1:], labels, strict=False)
        ]
        groups = {group for place, _ in pieces for group in clips.index.clips[place].groups}
        made.append(
            Programme(
                name=f"programme-{number:03d}",
                pieces=tuple(pieces),
                segments=tuple(segments),
                group=group_of(*sorted(groups)),
                sample_rate=sample_rate,
            )
        )
    return made


def _usable(clips: LoadedClips, sample_rate: int, split: str) -> dict[str, list[int]]:
    """The recordings of each label that are long enough."""
    by_label: dict[str, list[int]] = {}
    for place in clips.places(split):
        clip = clips.index.clips[place]
        if len(clip.labels) != 1:
            raise ValueError(f"{clip.path} has {counted(len(clip.labels), 'label')}; expected one a recording")
        if clips.waveforms[place].size >= LEAST_PIECE_SECONDS * sample_rate:
            by_label.setdefault(clip.labels[0], []).append(place)
    if len(by_label) < 2:
        raise ValueError(
            f"the {split} side has recordings of {counted(len(by_label), 'label')} of {LEAST_PIECE_SECONDS:g} s or "
            "more; expected two labels at least, or there is no border"
        )
    return by_label


def _draw(
    clips: LoadedClips,
    by_label: dict[str, list[int]],
    target: float,
    sample_rate: int,
    heard: np.ndarray,
    generator: np.random.Generator,
) -> tuple[list[tuple[int, int]], Sequence[str]]:
    """Pieces until their samples reach the target, with their labels."""
    pieces: list[tuple[int, int]] = []
    labels: list[str] = []
    while sum(size for _, size in pieces) < target:
        labels.append(str(generator.choice([label for label in sorted(by_label) if label not in labels[-1:]])))
        places = np.array(by_label[labels[-1]])
        fewest = places[heard[places] == heard[places].min()]
        place = int(generator.choice(fewest))
        heard[place] += 1
        pieces.append((place, min(clips.waveforms[place].size, int(MOST_PIECE_SECONDS * sample_rate))))
    return pieces, labels
