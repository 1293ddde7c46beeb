"""Look at every recording of a data set before anything is trained on it, and say what is wrong."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from metadata.plural import counted
from train.annotations.read_annotations import ReadAnnotations
from train.checks.annotation_findings import find_annotation_faults
from train.checks.clip_measures import ClipMeasures, measure_clip
from train.checks.duplicates import Duplicate, find_duplicates
from train.checks.event_findings import find_event_faults
from train.checks.findings import Finding, worst_first
from train.checks.fingerprint import SAMPLE_RATE as FINGERPRINT_SAMPLE_RATE
from train.checks.shared_backgrounds import divide_pairs, find_shared_backgrounds
from train.checks.signal_findings import find_signal_faults
from train.checks.split_findings import find_split_faults
from train.recordings.clip_index import ClipIndex
from train.recordings.decoding.decode import AudioError
from train.recordings.decoding.waveform_blocks import excerpt

Tell = Callable[[int], None]


@dataclass(frozen=True)
class DataCheck:
    """What was found.

    Attributes
    ----------
    index : ClipIndex
        The clips that can be read.
    measures : list of ClipMeasures
        One a clip.
    duplicates : list of Duplicate
        Positions are those of the index' clips.
    unreadable : list of str
        Why a file was left out, one text each.
    findings : list of Finding
        Worst first.
    """

    index: ClipIndex
    measures: list[ClipMeasures]
    duplicates: list[Duplicate]
    unreadable: list[str]
    findings: list[Finding]

    @property
    def passed(self) -> bool:
        """Whether there is no error among the findings."""
        return all(finding.level != "error" for finding in self.findings)

    def as_dict(self) -> dict[str, Any]:
        """Return all of it for JSON."""
        return {
            "passed": self.passed,
            "findings": [finding.as_dict() for finding in self.findings],
            "unreadable": self.unreadable,
            "clips": [
                {"path": clip.path, "labels": clip.labels, "group": clip.group, "split": clip.split, "fold": clip.fold}
                | _numbers(measured)
                for clip, measured in zip(self.index.clips, self.measures, strict=True)
            ],
        }


def check_data(index: ClipIndex, tell: Tell | None = None, annotations: Sequence[ReadAnnotations] = ()) -> DataCheck:
    """Measure every recording, look for the same audio under two names, and return what is wrong.

    A block of one recording is in memory at a time, a few minutes of two while a pair is compared.

    Parameters
    ----------
    index : ClipIndex
    tell : callable, optional
        Called with the number of clips measured.
    annotations : sequence of ReadAnnotations
        What the events of the index were read from.

    Raises
    ------
    AudioError
        No recording can be read.
    """
    index, measures, unreadable = measure_clips(index, tell)
    duplicates = duplicates_among(index, measures)
    copies, shared = (duplicates, []) if index.events is None else divide_pairs(index, index.events, duplicates)
    findings = [*find_split_faults(index, copies), *find_signal_faults(index, measures)]
    if index.events is not None:
        findings += find_annotation_faults(annotations)
        findings += [
            *find_shared_backgrounds(index, shared),
            *find_event_faults(index, not any(read.faults for read in annotations)),
        ]
    if unreadable:
        findings.append(
            Finding(
                "error",
                "unreadable",
                f"{counted(len(unreadable), 'file')} cannot be read; training leaves them out",
                tuple(unreadable),
            )
        )
    return DataCheck(index, measures, duplicates, unreadable, worst_first(findings))


def measure_clips(index: ClipIndex, tell: Tell | None = None) -> tuple[ClipIndex, list[ClipMeasures], list[str]]:
    """Return the clips that can be read, their measures, and why the others cannot."""
    kept, measures, unreadable = [], [], []
    for done, clip in enumerate(index.clips, start=1):
        try:
            measures.append(measure_clip(index.root / clip.path))
            kept.append(clip)
        except AudioError as error:
            unreadable.append(str(error))
        if tell:
            tell(done)
    if not kept:
        raise AudioError(
            f"none of the {counted(len(index.clips), 'recording')} can be read; the first: {unreadable[0]}"
        )
    return index.with_clips(kept), measures, unreadable


def duplicates_among(index: ClipIndex, measures: list[ClipMeasures]) -> list[Duplicate]:
    """Return the pairs of clips with the same audio."""

    def load(place: int, first: int, last: int) -> np.ndarray:
        return excerpt(index.root / index.clips[place].path, FINGERPRINT_SAMPLE_RATE, first, last)

    return find_duplicates(
        [measured.digest for measured in measures], [measured.fingerprint for measured in measures], load
    )


def _numbers(measured: ClipMeasures) -> dict[str, Any]:
    """The measures of a clip that a reader of JSON can use."""
    left_out = ("digest", "fingerprint", "cancellation")
    numbers = {name: value for name, value in vars(measured).items() if name not in left_out}
    cancelled = measured.cancellation.share if measured.channels > 1 else 0.0
    return {
        name: round(value, 5) if isinstance(value, float) else value
        for name, value in {**numbers, "cancelled_share": cancelled}.items()
    }
