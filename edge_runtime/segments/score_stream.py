"""Scores of a whole recording on one grid in time, block by block, from windows that overlap.

A model with frame scores scores every frame of a window. Windows begin on a frame of the recording, and each frame has
the mean of all windows that score it. A model without has one score a window, which stands for the time around the
middle of the window, as long as the hop from window to window.
Axis order: rows first, labels second.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edge_runtime.audio.windows import windows_at
from edge_runtime.model.classifier import Classifier
from edge_runtime.segments.score_grid import FloatArray, ScoreGrid
from metadata.spec import ModelSpec

_ROUNDING = 1e-9  # rows by which a hop may lie beside the number that was meant


@dataclass(frozen=True, kw_only=True)
class ScoreRows:
    """Which rows of scores a recording has, and the windows that they come from; `score_rows` makes one for a model.

    Attributes
    ----------
    spec : ModelSpec
    row_length : int
        Samples at the model's rate: row i stands for those from i * row_length to (i + 1) * row_length.
    hop_rows : int
        From one window to the next.
    rounded : str
        What was rounded so that windows begin on a row; empty if nothing was.
    """

    spec: ModelSpec
    row_length: int
    hop_rows: int
    rounded: str = ""

    @property
    def row_seconds(self) -> float:
        """What a row stands for."""
        return self.row_length / self.spec.sample_rate

    @property
    def rows_per_window(self) -> int:
        """How many rows a window scores: its frames, or one."""
        return self.spec.frames.num_frames if self.spec.frames else 1

    def num_rows(self, num_samples: int) -> int:
        """Return the rows of a recording; the last one may begin inside it and end behind it."""
        return -(-num_samples // self.row_length)

    def num_windows(self, num_samples: int) -> int:
        """Return how many windows a recording is scored in."""
        return 1 + max(0, -(-(self.num_rows(num_samples) - self.rows_per_window) // self.hop_rows))

    def windows(
        self, blocks: Iterable[npt.ArrayLike], num_samples: int, first: int = 0
    ) -> Iterator[tuple[int, FloatArray]]:
        """Yield the first row and the samples of each window that scores row `first` or a later one.

        Parameters
        ----------
        blocks : iterable of array_like of float
            The recording at the model's rate, in pieces of any length.
        num_samples : int
            Of the whole recording. Zeros lie behind it, and where it is shorter than a window.
        first : int

        Yields
        ------
        int, ndarray of float32, shape (window_length,)

        Raises
        ------
        ValueError
            As for `stream_windows`.
        """
        skipped = max(0, (first - self.rows_per_window) // self.hop_rows + 1)
        rows = range(skipped * self.hop_rows, self.num_windows(num_samples) * self.hop_rows, self.hop_rows)
        starts = (self._start(row, num_samples) for row in rows)
        cut = windows_at(blocks, num_samples, self.spec.window_length, starts)
        for row, (_, samples) in zip(rows, cut, strict=True):
            yield row, samples

    def _start(self, row: int, num_samples: int) -> int:
        """Return where the window begins that scores from a row on."""
        if self.spec.frames:
            return row * self.row_length
        around = row * self.row_length + (self.row_length - self.spec.window_length) // 2
        return max(0, min(around, num_samples - self.spec.window_length))  # inside the recording


def score_rows(spec: ModelSpec, hop_seconds: float | None = None) -> ScoreRows:
    """Return how a model scores a recording.

    Parameters
    ----------
    spec : ModelSpec
    hop_seconds : float, optional
        From window to window; half a window by default. With frame scores it is rounded to whole frames.

    Raises
    ------
    ValueError
        A hop that leaves samples between windows, or is less than a sample.
    """
    hop = spec.window_seconds / 2 if hop_seconds is None else hop_seconds
    if not 1 / spec.sample_rate <= hop <= spec.window_seconds:
        raise ValueError(
            f"the hop from window to window is {hop:g} s; expected one of up to {spec.window_seconds:g} s, the window"
        )
    if spec.frames is None:
        return ScoreRows(spec=spec, row_length=max(1, round(hop * spec.sample_rate)), hop_rows=1)
    length = spec.frames.hop_length
    exact = hop * spec.sample_rate / length
    # No more than lie in a window whole, so that no sample is left out between two windows.
    whole = max(1, min(int(exact + _ROUNDING), spec.window_length // length, spec.frames.num_frames))
    seconds = length / spec.sample_rate
    rounded = (
        f"windows begin every {whole * seconds:.6g} s in place of {hop:g} s: a whole number of frames, "
        f"{whole} of {seconds:.6g} s"
    )
    return ScoreRows(
        spec=spec, row_length=length, hop_rows=whole, rounded="" if abs(whole - exact) <= _ROUNDING else rounded
    )


def averaged_rows(scored: Iterable[tuple[int, FloatArray]], num_rows: int, first: int = 0) -> Iterator[FloatArray]:
    """Yield the rows of a recording in blocks, each row as soon as no later window can score it.

    Parameters
    ----------
    scored : iterable of (int, ndarray of float32, shape (rows_per_window, n_labels))
        First row and scores of each window, ascending, without a gap between two.
    num_rows : int
        Of the recording; what a window scores behind is dropped.
    first : int
        Rows before it are dropped.

    Yields
    ------
    ndarray of float32, shape (n, n_labels)
        The mean of the windows that score a row. The blocks one after the other are the rows from `first` on.
    """
    sums, begin = np.zeros((0, 0)), first  # of scores, and behind them how many they are
    for row, scores in scored:
        if (done := min(row - begin, len(sums))) > 0:
            yield _means(sums[:done])
            sums, begin = sums[done:], begin + done
        own = scores[max(begin - row, 0) : max(num_rows - row, 0)]
        place = max(row - begin, 0)
        more = np.zeros((max(place + len(own) - len(sums), 0), scores.shape[1] + 1))
        sums = np.concatenate([sums, more]) if len(sums) else more
        sums[place : place + len(own)] += np.column_stack([own, np.ones(len(own))])
    if len(sums):
        yield _means(sums)


def score_blocks(
    classifier: Classifier, blocks: Iterable[npt.ArrayLike], num_samples: int, rows: ScoreRows, first: int = 0
) -> Iterator[FloatArray]:
    """Yield the scores of a recording from row `first` on in blocks, in constant memory.

    Parameters
    ----------
    classifier : Classifier
    blocks, num_samples, first
        As for `ScoreRows.windows`.
    rows : ScoreRows
        Of the classifier's spec.

    Raises
    ------
    ValueError, ModelContractError
        As for `ScoreRows.windows` and `Classifier.scores`.
    """
    score = classifier.scores if rows.spec.frames is None else classifier.frame_scores
    windows = rows.windows(blocks, num_samples, first)
    scored = ((row, score(window).reshape(rows.rows_per_window, -1)) for row, window in windows)
    return averaged_rows(scored, rows.num_rows(num_samples), first)


def recording_scores(
    classifier: Classifier, blocks: Iterable[npt.ArrayLike], hop_seconds: float | None = None
) -> ScoreGrid:
    """Return the scores of a whole recording in memory, which comes in blocks at the model's rate.

    Raises
    ------
    ValueError, ModelContractError
        As for `score_rows` and `score_blocks`; a recording without samples.
    """
    whole = [np.asarray(block) for block in blocks]
    num_samples = sum(block.size for block in whole)
    if not num_samples:
        raise ValueError("the recording has no samples; expected at least one")
    rows = score_rows(classifier.spec, hop_seconds)
    scores = np.concatenate(list(score_blocks(classifier, whole, num_samples, rows)))
    return ScoreGrid(hop_seconds=rows.row_seconds, labels=classifier.spec.labels, scores=scores)


def _means(sums: npt.NDArray[np.float64]) -> FloatArray:
    """Return sums over how many they are of, which stands in the last column."""
    return np.asarray(sums[:, :-1] / sums[:, -1:], np.float32)
