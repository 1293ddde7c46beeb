"""Embeddings of recordings or of their windows, and the `.npz` file that keeps them.

Axis order: recordings or windows first, features second.
"""

from __future__ import annotations

import dataclasses
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from metadata.atomic_file import open_atomically
from metadata.plural import counted

FORMAT = "earproof embeddings 1"
SUFFIX = ".npz"
_ROWS = ("embeddings", "norms", "names", "starts", "labels", "groups", "sample_sha256")
_MAKE_IT = "expected a file that earproof embed wrote: earproof embed MODEL AUDIO --out EMB.npz"


@dataclass(frozen=True, eq=False, kw_only=True)
class Embeddings:
    """Vectors of recordings, or of their windows, with what they stand for.

    Attributes
    ----------
    embeddings : np.ndarray
        float32 (n, n_features), each row of L2 norm 1, or zeros where the network gave zeros. Of a recording: mean and
        maximum over its windows, side by side; of a window: what the network gave.
    norms : np.ndarray
        float32 (n,), the L2 norms before; `embeddings * norms[:, None]` are the network's own values.
    names : np.ndarray
        str (n,), the recordings' paths below the folder that holds all.
    starts : np.ndarray
        float64 (n,), seconds; where the window begins, 0 for a recording.
    labels, groups : np.ndarray
        str (n,), joined as in a clips.csv; empty where not known.
    sample_sha256 : np.ndarray
        str (n,), of the recording's samples at `sample_rate`.
    model, model_sha256 : str
        What they were made with, as `embedder.Embedder` has it.
    sample_rate, window_length, window_hop : int
        Hz and samples.
    per_window : bool
        Whether a row is a window.
    """

    embeddings: np.ndarray
    norms: np.ndarray
    names: np.ndarray
    starts: np.ndarray
    labels: np.ndarray
    groups: np.ndarray
    sample_sha256: np.ndarray
    model: str
    model_sha256: str
    sample_rate: int
    window_length: int
    window_hop: int
    per_window: bool

    def places(self, name: str) -> np.ndarray:
        """Return the rows of a recording, int (n,)."""
        return np.flatnonzero(self.names == name)


def unit_rows(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return rows of L2 norm 1, and the norms before; a row of zeros stays."""
    norms = np.linalg.norm(values, axis=1).astype(np.float32)
    return values / np.where(norms > 0, norms, 1.0)[:, None], norms


def write_embeddings(path: str | Path, found: Embeddings) -> None:
    """Write a file in one step."""
    arrays: dict[str, Any] = {"format": FORMAT, **vars(found)}
    with open_atomically(path) as file:
        np.savez(file, allow_pickle=False, **arrays)


def read_embeddings(path: str | Path) -> Embeddings:
    """Read a file of `write_embeddings`.

    Raises
    ------
    FileNotFoundError
        No such file.
    ValueError
        It is damaged, or another kind of file.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"{path} is not there; {_MAKE_IT}")
    try:
        with zipfile.ZipFile(path), np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
    except (ValueError, OSError, EOFError, KeyError, zipfile.BadZipFile, zlib.error) as error:
        raise ValueError(f"{path} cannot be read: {error}; {_MAKE_IT}") from error
    if str(arrays.pop("format", "")) != FORMAT:
        raise ValueError(f"{path} holds {', '.join(arrays)} and no {FORMAT!r}; {_MAKE_IT}")
    return _checked(arrays, path)


def _checked(arrays: dict[str, Any], path: Path) -> Embeddings:
    """The arrays as embeddings, after checking that they fit each other."""
    fields = {field.name: field.type for field in dataclasses.fields(Embeddings)}
    if set(arrays) != set(fields):
        odd = ", ".join(sorted(set(arrays) ^ set(fields)))
        raise ValueError(f"{path} lacks arrays or has unknown ones: {odd}; {_MAKE_IT}")
    values = arrays["embeddings"]
    sizes = {name: arrays[name].shape[:1] for name in _ROWS}
    is_sound = values.ndim == 2 and values.dtype == np.float32 and values.size and np.isfinite(values).all()
    if not is_sound or len({*sizes.values()}) != 1:
        shapes = ", ".join(f"{name} {arrays[name].dtype} {arrays[name].shape}" for name in _ROWS)
        raise ValueError(f"{path} is damaged: it holds {shapes}; expected finite float32 rows, and as many of each")
    scalars = {"str": str, "int": int, "bool": bool}
    return Embeddings(
        **{name: scalars[kind](arrays[name]) if kind in scalars else arrays[name] for name, kind in fields.items()}
    )


def describe(found: Embeddings) -> str:
    """Return what a file holds, for people."""
    recordings = counted(len(set(found.names.tolist())), "recording", form=",")
    rows = counted(len(found.names), "window", form=",") + " of " if found.per_window else ""
    return f"{rows}{recordings}, {counted(found.embeddings.shape[1], 'value', form=',')} each, L2 norm 1"
