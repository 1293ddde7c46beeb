"""What a teacher says of whole recordings: computed once, and kept beside the decoded ones."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from edge_runtime.audio.windows import window_starts
from train.batches.lesson import ScoreTrack
from train.batches.window_rows import WindowRows, cut_window
from train.progress import progress_bar
from train.teaching.teacher import Teacher
from train.transfer.features import kept_features

TAIL = "align"  # a window that is filled up with zeros is no good teacher
_AT_ONCE = 64  # windows between two steps of the progress bar


def score_tracks(
    teacher: Teacher,
    waveforms: Sequence[Any],
    digests: Sequence[str],
    labels: Sequence[str],
    cache: Path | None,
    what: str,
) -> list[ScoreTrack]:
    """Return what a teacher says of each recording, in windows that begin every half window.

    Parameters
    ----------
    teacher : Teacher
    waveforms : sequence
        float32 (n_samples,) each, at the teacher's rate.
    digests : sequence of str
        Of their samples: scores are kept in the cache under these and the digest of the teacher.
    labels : sequence of str
        The order of the scores.
    cache : Path, optional
        The folder of decoded recordings, the user's own if None.
    what : str
        Whose recordings these are, for the progress bar.
    """
    length, rate = teacher.spec.window_length, teacher.spec.sample_rate
    starts = [window_starts(waveform.size, length, max(1, length // 2), TAIL) for waveform in waveforms]
    counts = [one.size for one in starts]
    owners, begins = np.repeat(np.arange(len(waveforms)), counts), np.concatenate(starts)

    def cut(row: int) -> np.ndarray:
        return cut_window(waveforms[owners[row]], int(begins[row]), length)

    windows = WindowRows(begins.size, (length,), cut)
    made_of = [list(digests), teacher.sha256, length, TAIL]
    found = kept_features(cache, made_of, functools.partial(_computed, teacher, windows, what))
    scores = teacher.in_order(found, labels)
    ends = np.cumsum(counts)[:-1]
    return [
        ScoreTrack(middles=(begun + length / 2) / rate, scores=said, window_seconds=teacher.spec.window_seconds)
        for begun, said in zip(starts, np.split(scores, ends), strict=True)
    ]


def _computed(teacher: Teacher, windows: WindowRows, what: str) -> np.ndarray:
    """The scores, with progress."""
    rows = []
    with progress_bar(len(windows), f"{teacher.spec.name} on {what}", "window") as bar:
        for first in range(0, len(windows), _AT_ONCE):
            rows.append(teacher.score(windows[first : first + _AT_ONCE]))
            bar.update(len(rows[-1]))
    return np.concatenate(rows)
