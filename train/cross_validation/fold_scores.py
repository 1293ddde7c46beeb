"""What one fold gave: scores of its windows, kept in a file from which they are read again."""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from edge_runtime.scoring.measures import decisions
from metadata.atomic_file import write_atomically

_ARRAYS = "scores", "truth", "clips", "groups"


@dataclass(frozen=True, kw_only=True, eq=False)
class FoldScores:
    """Scores of the windows of one test side.

    Attributes
    ----------
    scores : np.ndarray
        float32 (n_windows, n_labels).
    truth : np.ndarray
        int64 (n_windows,), or bool (n_windows, n_labels) where several labels may be heard.
    clips : np.ndarray
        int64 (n_windows,), which clip a window is from.
    groups : np.ndarray
        str (n_windows,), or (n_windows, k) of mixtures.
    thresholds : tuple of float, optional
        From which labels count; None where the highest score decides.
    kept_epoch : int, optional
        None where a head was fitted, without epochs.
    seconds : float
        From the recordings to the scores.
    notes : tuple of str
        What the training told.
    """

    scores: np.ndarray
    truth: np.ndarray
    clips: np.ndarray
    groups: np.ndarray
    thresholds: tuple[float, ...] | None
    kept_epoch: int | None
    seconds: float
    notes: tuple[str, ...] = ()

    def right_windows(self) -> np.ndarray:
        """Return whether each window is decided rightly, bool (n_windows,)."""
        return _is_right(decisions(self.scores, self.thresholds), self.truth)

    def right_clips(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return the clips, whether the mean score of each decides rightly, and their groups."""
        clips, first, owner = np.unique(self.clips, return_index=True, return_inverse=True)
        sums = np.zeros((clips.size, self.scores.shape[1]))
        np.add.at(sums, owner, self.scores)
        means = (sums / np.bincount(owner)[:, np.newaxis]).astype(np.float32)
        truth = self.truth[first]
        if self.truth.ndim == 2:
            truth = np.zeros(means.shape, bool)
            np.logical_or.at(truth, owner, self.truth)
        return clips, _is_right(decisions(means, self.thresholds), truth), self.groups[first]


def write_scores(path: Path, found: FoldScores) -> None:
    """Write one fold's scores, whole or not at all."""
    told = {
        "thresholds": found.thresholds,
        "kept_epoch": found.kept_epoch,
        "seconds": found.seconds,
        "notes": found.notes,
    }
    content = io.BytesIO()
    np.savez_compressed(content, told=np.array(json.dumps(told)), **{name: getattr(found, name) for name in _ARRAYS})
    write_atomically(path, content.getvalue())


def read_scores(path: Path) -> FoldScores:
    """Read what `write_scores` wrote.

    Raises
    ------
    ValueError
        Another file, or a damaged one.
    """
    try:
        with np.load(path, allow_pickle=False) as held:
            told = json.loads(str(held["told"]))
            thresholds = told.pop("thresholds")
            return FoldScores(
                **{name: held[name] for name in _ARRAYS},
                thresholds=None if thresholds is None else tuple(thresholds),
                kept_epoch=told["kept_epoch"],
                seconds=told["seconds"],
                notes=tuple(told["notes"]),
            )
    except (KeyError, ValueError, zipfile.BadZipFile) as error:
        raise ValueError(f"{path} does not hold the scores of a fold ({error}); remove it and go on") from error


def _is_right(decided: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Whether decisions are the truth, all labels of a row together."""
    return np.asarray((decided == truth).reshape(len(truth), -1).all(axis=1))
