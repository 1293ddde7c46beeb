"""The scores of a model on windows, however many there are."""

from __future__ import annotations

from typing import Any

import numpy as np

from train.batches.window_rows import WindowRows

BYTES_AT_ONCE = 32 << 20  # of windows in memory


def predict(model: Any, windows: np.ndarray | WindowRows, batch_size: int = 64) -> np.ndarray:
    """Return the model's scores, float32 (n_windows, n_labels); those of the window where there are frame scores too.

    Parameters
    ----------
    model : keras.Model
        Or whatever has its `predict`.
    windows : np.ndarray or WindowRows
        float32 (n_windows, ...); of rows that are made when read no more than `BYTES_AT_ONCE` exist at a time.
    batch_size : int

    Notes
    -----
    Whole batches go to the model, so that the scores are those of one call with all windows, bit for bit.
    """
    return predict_outputs(model, windows, batch_size)[0]


def predict_outputs(model: Any, windows: np.ndarray | WindowRows, batch_size: int = 64) -> list[np.ndarray]:
    """Return what each output of a model holds, float32 (n_windows, ...); see `predict`."""
    row_bytes = 4 * int(np.prod(windows.shape[1:]))
    at_once = max(1, BYTES_AT_ONCE // row_bytes // batch_size) * batch_size
    parts = []
    for first in range(0, len(windows), at_once):
        found = model.predict(windows[first : first + at_once], batch_size=batch_size, verbose=0)
        parts.append([np.asarray(one, np.float32) for one in (found if isinstance(found, list | tuple) else [found])])
    return [one[0] if len(one) == 1 else np.concatenate(one) for one in zip(*parts, strict=True)]
