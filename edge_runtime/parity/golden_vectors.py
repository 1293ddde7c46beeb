"""Golden vectors: windows of held-out recordings with what the trained model said about them.

One `.npz` a model, written by `convert.report.golden`: `windows` (n, window_length) int16, as a microphone delivers
them, or float32; `again` int32 (k, 2), rotated windows, the place of one and where it begins; `scores`
float32 (n + k, n_labels); for a model with frame scores `frame_scores` (n + k, num_frames * n_labels); and maybe, for
the n windows, `truth` and `groups`, and for the first of them `mel`.

A bundle holds the windows as a WAV file already, for the phone path. There the `.npz` has in place of `windows` the
name of that file, `stream`, which lies beside it and is the windows one after another, and `shape`, theirs.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from edge_runtime.audio.sample_format import to_floats, to_shorts
from edge_runtime.audio.wav_file import read_wav
from metadata.plural import counted

GOLDEN_FOLDER_NAME = "golden"  # beside the files of a build, `<model>.npz` in it

NUM_REPLAYED_WINDOWS = 24
"""So many of the first windows, which are spread over the labels, make up the stream that the phone path replays."""
_OPTIONAL = ("mel", "truth", "groups", "again", "frame_scores")
_OF_STREAM = ("stream", "shape")  # in place of windows


@dataclass(frozen=True, kw_only=True)
class Golden:
    """What the trained model said about some windows.

    Attributes
    ----------
    windows : ndarray of float32, shape (n_windows, window_length)
    scores : ndarray of float32, shape (n_windows + n_again, n_labels)
        Of the reference: the trained model, in float.
    mel : ndarray of float32, shape (at most n_windows, n_mels, n_frames), or None
        The reference's mel spectrograms of the first windows, before any logarithm.
    truth, groups : ndarray or None
        One entry a window, as `recipe_parity` takes them.
    again : ndarray of int, shape (n_again, 2), or None
        Rotated windows, which begin at another sample: the place of each and that sample. What came before it
        follows the window's end.
    frame_scores : ndarray of float32, shape (n_windows + n_again, num_frames * n_labels), or None
        Of the reference, for a model that has them.
    """

    windows: npt.NDArray[np.float32]
    scores: npt.NDArray[np.float32]
    mel: npt.NDArray[np.float32] | None = None
    truth: npt.NDArray[np.int64] | npt.NDArray[np.bool_] | None = None
    groups: npt.NDArray[np.str_] | None = None
    again: npt.NDArray[np.int32] | None = None
    frame_scores: npt.NDArray[np.float32] | None = None

    def __post_init__(self) -> None:
        count, num_again = len(self.windows), 0 if self.again is None else len(self.again)
        if self.windows.ndim != 2 or self.scores.ndim != 2 or count == 0 or len(self.scores) != count + num_again:
            rotated = f", {num_again} of them rotated" if num_again else ""
            raise ValueError(
                f"golden windows have shape {self.windows.shape}{rotated}, scores {self.scores.shape}; "
                "expected (n_windows, window_length) and (n_windows, n_labels), at least one window"
            )
        for name in ("truth", "groups"):
            values = getattr(self, name)
            if values is not None and len(values) != count:
                raise ValueError(
                    f"golden {name} holds {len(values)} entries for {counted(count, 'window')}; expected one each"
                )
        if self.frame_scores is not None and self.frame_scores.shape[:1] != self.scores.shape[:1]:
            raise ValueError(
                f"golden frame_scores have shape {self.frame_scores.shape}, scores {self.scores.shape}; "
                "expected as many rows"
            )
        if self.mel is not None and not 0 < len(self.mel) <= count:
            raise ValueError(
                f"golden mel holds {len(self.mel)} entries for {counted(count, 'window')}; expected one each at most"
            )
        if self.again is not None:
            self._check_again()

    @property
    def num_compared(self) -> int:
        """How many windows there are, rotated ones included."""
        return len(self.scores)

    def rotated_windows(self) -> Iterator[npt.NDArray[np.float32]]:
        """Yield the rotated windows one by one: all of them at once would fill a small device."""
        for place, begin in () if self.again is None else self.again.tolist():
            yield np.roll(self.windows[place], -begin)

    def places(self) -> npt.NDArray[np.int64]:
        """Return the place of the window that each row of `scores` is of, shape (n_windows + n_again,)."""
        own = np.arange(len(self.windows))
        return own if self.again is None else np.concatenate([own, self.again[:, 0].astype(np.int64)])

    def first(self, num_windows: int) -> Golden:
        """Return the first windows alone, with their rotated copies."""
        count = min(num_windows, len(self.windows))
        kept = self.places() < count
        return Golden(
            windows=self.windows[:count],
            scores=self.scores[kept],
            mel=None if self.mel is None else self.mel[:count],
            truth=None if self.truth is None else self.truth[:count],
            groups=None if self.groups is None else self.groups[:count],
            again=None if self.again is None else self.again[kept[len(self.windows) :]],
            frame_scores=None if self.frame_scores is None else self.frame_scores[kept],
        )

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Return what an `.npz` of it holds: windows of 16-bit samples as such, others as they are."""
        shorts = to_shorts(self.windows)
        is_exact = np.array_equal(to_floats(shorts), self.windows)
        arrays: dict[str, npt.NDArray[Any]] = {"windows": shorts if is_exact else self.windows, "scores": self.scores}
        return arrays | {name: getattr(self, name) for name in _OPTIONAL if getattr(self, name) is not None}

    def _check_again(self) -> None:
        """Refuse rotated copies of windows that do not exist."""
        again = np.asarray(self.again)
        sizes = np.array(self.windows.shape)
        if again.ndim != 2 or again.shape[1] != 2 or not np.issubdtype(again.dtype, np.integer):
            raise ValueError(f"golden again is {again.dtype} of shape {again.shape}; expected integers (n_again, 2)")
        if ((again < 0) | (again >= sizes)).any():
            raise ValueError(f"golden again names a window or a sample that is not there; there are {sizes.tolist()}")


def read_golden(path: str | Path) -> Golden:
    """Read golden vectors; see this module for what the `.npz` file holds.

    Raises
    ------
    FileNotFoundError
        No such file.
    ValueError
        Not such a file, an array missing or unknown, or shapes that do not fit.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
    except (ValueError, EOFError, zipfile.BadZipFile, AttributeError, TypeError) as error:  # the last two: an .npy
        raise ValueError(f"{path} is not an .npz file of arrays: {error}") from error
    wanted = {"scores", *(_OF_STREAM if "stream" in arrays else ("windows",))}
    if not wanted <= set(arrays) <= wanted | set(_OPTIONAL):
        raise ValueError(f"{path} holds {sorted(arrays)}; expected windows, scores and maybe {', '.join(_OPTIONAL)}")
    if "stream" in arrays:
        arrays["windows"] = _windows_of_stream(Path(path), str(arrays.pop("stream")), arrays.pop("shape"))
    if arrays["windows"].dtype == np.int16:
        arrays["windows"] = to_floats(arrays["windows"])
    try:
        return Golden(**arrays)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error


def golden_content(golden: Golden, stream: str = "") -> bytes:
    """Return the `.npz` of golden vectors; see this module.

    Parameters
    ----------
    golden : Golden
    stream : str
        Name of the 16-bit WAV file beside it that is the windows one after another, to leave them out. They stay where
        16 bits do not hold them exactly.
    """
    content = io.BytesIO()
    arrays = golden.arrays()
    if stream and arrays["windows"].dtype == np.int16:
        shape = arrays.pop("windows").shape
        arrays |= {"stream": np.array(stream), "shape": np.array(shape, np.int64)}
    np.savez_compressed(content, **arrays)  # type: ignore[arg-type]
    return content.getvalue()


def _windows_of_stream(path: Path, name: str, shape: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    """Return the windows that a WAV file beside golden vectors holds one after another."""
    if Path(name).name != name or "\\" in name:
        raise ValueError(f"{path} takes its windows from {name!r}; expected the name of a WAV file beside it")
    if not (path.parent / name).is_file():
        raise FileNotFoundError(f"{path} takes its windows from {name}, which is not beside it; copy both")
    samples, _ = read_wav(path.parent / name)
    if shape.shape != (2,) or (shape < 1).any() or int(shape[0]) * int(shape[1]) != len(samples):
        raise ValueError(
            f"{path} takes windows of shape {shape.tolist()} from {name}, which holds "
            f"{counted(len(samples), 'sample')}; were both made together?"
        )
    return samples.reshape(*shape.tolist())
