"""How events are spread over labels, sides and folds: balance, labels that are tested and never trained."""

from __future__ import annotations

from collections.abc import Iterable

from metadata.plural import counted
from train.annotations.event_counts import clips_by_side, count_events, told_events
from train.checks.annotation_findings import MOST_SHOWN
from train.checks.findings import Finding
from train.checks.signal_findings import MOST_IMBALANCE
from train.recordings.clip_index import ClipIndex

_MOST_EMPTY = 0.5  # share of the recordings; with more of them the annotations may not be finished


def find_event_faults(index: ClipIndex, is_whole: bool = True) -> list[Finding]:
    """Return what is notable of the events of an index; sides that lack a label are `find_split_faults`' matter.

    Parameters
    ----------
    index : ClipIndex
        With events.
    is_whole : bool
        Whether all annotations could be read; else a recording without an event may have a faulty one.
    """
    empty = _empty(index) if is_whole else ()
    return [*_missing_in_folds(index), *_imbalance(index), *empty, *_balance(index)]


def _missing_in_folds(index: ClipIndex) -> Iterable[Finding]:
    """Labels that folds lack, where there is no split."""
    if any(clip.split for clip in index.clips):
        return
    folds = {name: {label for clip in clips for label in clip.labels} for name, clips in clips_by_side(index).items()}
    lacking = {label: [name for name, held in folds.items() if label not in held] for label in index.labels}
    alone = tuple(
        f"{label}: {next(name for name in folds if name not in lacking[label])}"
        for label in index.labels
        if len(folds) > 1 and len(lacking[label]) == len(folds) - 1
    )
    if alone:
        yield Finding(
            "error",
            "label_in_one_fold",
            f"one fold alone has the events of {counted(len(alone), 'label')}: tested there, they were never trained",
            alone,
            MOST_SHOWN,
        )
    some = tuple(
        f"{label}: none in {', '.join(names)}" for label, names in lacking.items() if 0 < len(names) < len(folds) - 1
    )
    if some:
        yield Finding(
            "warning",
            "label_missing_in_fold",
            f"folds have no event of {counted(len(some), 'label')}; training refuses such a fold as test or "
            "validation side",
            some,
            MOST_SHOWN,
        )


def _imbalance(index: ClipIndex) -> Iterable[Finding]:
    """Labels that sound far longer than others."""
    seconds = {row["label"]: row["event_seconds"] for row in count_events(index) if row["label"] in index.labels}
    heard = {label: length for label, length in seconds.items() if length}
    if not heard:
        return
    least, most = min(heard, key=heard.__getitem__), max(heard, key=heard.__getitem__)
    if heard[most] > MOST_IMBALANCE * heard[least]:
        yield Finding(
            "warning",
            "event_imbalance",
            f"{most} sounds for {heard[most]:.1f} s, {least} only for {heard[least]:.1f} s; training draws labels "
            "equally often, so that the few events come again and again",
        )


def _empty(index: ClipIndex) -> Iterable[Finding]:
    """Recordings without an event."""
    empty = tuple(clip.path for clip in index.clips if not clip.labels)
    if empty:
        is_most = len(empty) > _MOST_EMPTY * len(index.clips)
        unfinished = "; are the annotations not finished? Move what is not annotated away" if is_most else ""
        yield Finding(
            "warning" if is_most else "note",
            "no_event",
            f"{counted(len(empty), 'recording has', 'recordings have')} no event; training takes it that no label "
            f"sounds there{unfinished}",
            empty,
        )


def _balance(index: ClipIndex) -> Iterable[Finding]:
    """Events and seconds of each label on each side."""
    rows, sides = count_events(index), list(clips_by_side(index))
    told = tuple(told_events(row, sides) for row in rows if row["label"] in index.labels)
    by = " on each side of the split" if sides and not sides[0].startswith("fold ") else " in each fold" * bool(sides)
    yield Finding("note", "event_balance", f"events and seconds of each label{by}", told, MOST_SHOWN)
