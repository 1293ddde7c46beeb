"""Annotated and found segments by recording, brought into one order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from edge_runtime.segments.segment import Segment
from metadata.plural import counted

FloatArray = npt.NDArray[np.float64]
Segments = Mapping[str, Sequence[Segment]]
"""The segments of each recording, by its name."""


def labels_of(*segments: Segments) -> tuple[str, ...]:
    """Return the labels that occur, sorted."""
    return tuple(sorted({one.label for recordings in segments for each in recordings.values() for one in each}))


def paired(reference: Segments, estimated: Segments) -> list[tuple[list[Segment], list[Segment]]]:
    """Return reference and estimated segments of each recording, both sorted; in the order of `reference`.

    A recording without an entry in `estimated` has no estimated segments.

    Raises
    ------
    ValueError
        No recording, or estimated segments of a recording that the reference does not have.
    """
    if not reference:
        raise ValueError("the reference has no recording; expected at least one")
    strange = sorted(set(estimated) - set(reference))
    if strange:
        raise ValueError(
            f"{counted(len(strange), 'recording')} of the predictions are not in the reference, the first is "
            f"{strange[0]}; the reference has {next(iter(reference))} and {len(reference) - 1} more"
        )
    return [(in_order(events), in_order(estimated.get(name, ()))) for name, events in reference.items()]


def in_order(segments: Sequence[Segment]) -> list[Segment]:
    """Return segments by onset, offset and label."""
    return sorted(segments, key=lambda one: (one.onset, one.offset, one.label))


def joined(segments: Sequence[Segment], label: str) -> FloatArray:
    """Return onsets and offsets of one label, float64 (n, 2), sorted; what overlaps or touches is one stretch."""
    stretches: list[list[float]] = []
    for one in in_order([segment for segment in segments if segment.label == label]):
        if stretches and one.onset <= stretches[-1][1]:
            stretches[-1][1] = max(stretches[-1][1], one.offset)
        else:
            stretches.append([one.onset, one.offset])
    return np.array(stretches, np.float64).reshape(-1, 2)
