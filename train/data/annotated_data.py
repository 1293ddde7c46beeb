"""Recordings with annotations for actions that tell their faults instead of refusing them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from edge_runtime.segments.time_units import UNITS
from metadata.csv_rows import raise_faults
from train.annotations.annotated_folder import find_annotations
from train.annotations.annotated_index import index_of
from train.annotations.read_annotations import ReadAnnotations, read_annotations
from train.data.prepare import tell_strays
from train.recordings.clip_index import ClipIndex, find_clips


def find_either(
    data: Path, labels: Sequence[str] | None, dataset: str | None, unit: str | None
) -> tuple[ClipIndex, list[ReadAnnotations]]:
    """Return the index of plain clips, or that of annotated recordings with what its events were read from.

    Raises
    ------
    FileNotFoundError, ValueError
        As for `find_clips` and `read_annotations`, no annotation that can be used, or a unit without annotations.
    """
    if dataset is not None or find_annotations(data) is None:
        if unit is not None:
            raise ValueError(f"--unit {unit} is of annotations, but {data} is read as plain clips; leave it out")
        tell_strays(data)
        return find_clips(data, labels, dataset), []
    read = read_annotations(data, labels=labels, unit=unit or UNITS[0])
    if not any(read.events.values()):
        raise_faults(read.source, [fault.text for fault in read.faults])
        raise ValueError(f"{read.source} has no event; expected onset, offset and label of at least one")
    return index_of(read, labels), [read]
