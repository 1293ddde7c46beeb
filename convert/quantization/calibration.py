"""The windows that static quantization measures its ranges on.

The choice is seeded and recorded by hash: a quantized file can be made again, and the hash says what
windows a file was calibrated on. Windows are float32 (n_windows, window_length), samples in [-1, 1].
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np

from metadata.plural import counted
from train.batches.window_rows import WindowRows

DEFAULT_NUM_WINDOWS = 200


@dataclass(frozen=True, kw_only=True, eq=False)
class CalibrationSet:
    """Calibration windows and where they came from.

    Attributes
    ----------
    windows : np.ndarray or WindowRows
        float32 (num_windows, window_length), in the order of `indices`.
    indices : np.ndarray
        int64 (num_windows,), ascending positions in the array they were chosen from.
    sha256 : str
        Of the windows as little-endian float32, row after row.
    """

    windows: np.ndarray | WindowRows
    indices: np.ndarray
    sha256: str

    def __len__(self) -> int:
        return len(self.windows)


def choose_calibration(
    windows: np.ndarray | WindowRows, labels: np.ndarray, num_windows: int = DEFAULT_NUM_WINDOWS, seed: int = 0
) -> CalibrationSet:
    """Choose windows for calibration, as evenly over the labels as the data allows.

    Parameters
    ----------
    windows : np.ndarray or WindowRows
        float32 (n_windows, window_length), from the training split: the test split must stay unseen. Of rows that are
        made when read the chosen ones are made, and no others.
    labels : np.ndarray
        (n_windows,), the label of each window, numbers or text; or bool (n_windows, n_labels), its set of labels, and
        then the choice is as even over the sets as the data allows.
    num_windows : int
        How many to choose; all of them if there are fewer.
    seed : int
        Of the random choice.

    Raises
    ------
    ValueError
        No window, not a 2-D array, NaN or infinite samples, every window constant, labels of another length,
        or num_windows below 1.

    Notes
    -----
    A label that has too few windows gives all it has, and the others fill its place. Constant windows (digital
    silence) are legal input of a model and stay in the choice; a set of nothing else would give every range the
    width zero.
    """
    windows, labels = _checked(windows, labels, num_windows)
    generator = np.random.default_rng(seed)
    indices = _balanced(_set_numbers(labels, generator) if labels.ndim == 2 else labels, num_windows, generator)
    chosen = np.asarray(windows[indices], np.float32)
    _check_numbers(chosen, indices)
    if not _varies(chosen):
        raise ValueError(
            f"all {counted(len(chosen), 'calibration window is', 'calibration windows are')} constant (value "
            f"{chosen.flat[0]}); expected recordings with "
            f"sound in them. Were the clips decoded to zeros?"
        )
    return CalibrationSet(windows=chosen, indices=indices, sha256=windows_sha256(chosen))


def windows_sha256(windows: np.ndarray) -> str:
    """Return the hash that identifies a set of windows: of its samples as little-endian float32."""
    return hashlib.sha256(np.ascontiguousarray(windows, dtype="<f4").tobytes()).hexdigest()


def check_window_shape(calibration: CalibrationSet, shape: tuple[int, ...]) -> None:
    """Check that calibration windows fit one input of a model, `shape` without the batch.

    Raises
    ------
    ValueError
        Their size differs.
    """
    expected = int(np.prod(shape))
    found = int(np.prod(calibration.windows.shape[1:]))
    if found != expected:
        raise ValueError(
            f"the calibration windows have {counted(found, 'value')} each; the model takes {expected} (shape "
            f"{list(shape)}). "
            f"Were they cut for another model?"
        )


def _checked(
    windows: np.ndarray | WindowRows, labels: np.ndarray, num_windows: int
) -> tuple[np.ndarray | WindowRows, np.ndarray]:
    """Return the arguments as arrays, or say what is wrong with them."""
    windows = windows if isinstance(windows, WindowRows) else np.asarray(windows)
    labels = np.asarray(labels)
    if windows.ndim < 2 or windows.size == 0:
        raise ValueError(
            f"the windows have the shape {windows.shape}; expected (n_windows, window_length) with at least one window"
        )
    fits = labels.ndim == 1 or (labels.ndim == 2 and labels.dtype == bool)
    if not fits or len(labels) != len(windows):
        raise ValueError(
            f"there are {counted(len(windows), 'window')} and labels of shape {labels.shape}; expected one a window"
        )
    if num_windows < 1:
        raise ValueError(f"num_windows is {num_windows}; expected at least 1 (a few hundred serve well)")
    if not isinstance(windows, WindowRows):
        _check_numbers(windows, np.arange(len(windows)))
    return windows, labels


def _check_numbers(windows: np.ndarray, places: np.ndarray) -> None:
    """Raise ValueError where a window holds NaN or infinity."""
    broken = np.flatnonzero(~np.isfinite(windows).reshape(len(windows), -1).all(axis=1))
    if broken.size:
        raise ValueError(
            f"{broken.size} of {counted(len(windows), 'window')} hold NaN or infinite samples, the first is number "
            f"{places[broken[0]]}; expected finite samples. Is a recording corrupt?"
        )


def _varies(windows: np.ndarray) -> bool:
    """Whether any window has two different samples."""
    flat = windows.reshape(len(windows), -1)
    return bool((flat.min(axis=1) < flat.max(axis=1)).any())


def _set_numbers(sets: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Return a number for each different set of labels; at random, so that fewer windows than sets favour none."""
    _, number = np.unique(sets, axis=0, return_inverse=True)
    number = number.reshape(-1)
    return generator.permutation(number.max() + 1)[number]


def _balanced(labels: np.ndarray, num_windows: int, generator: np.random.Generator) -> np.ndarray:
    """Return ascending positions, taken in turn from each label's shuffled windows."""
    queues = [generator.permutation(np.flatnonzero(labels == label)) for label in np.unique(labels)]
    rank = np.concatenate([np.arange(len(queue)) for queue in queues])
    order = np.argsort(rank, kind="stable")
    return np.sort(np.concatenate(queues)[order][:num_windows])
