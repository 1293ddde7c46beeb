"""What a frozen backbone says of windows: computed once, and kept beside the decoded recordings."""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from metadata.atomic_file import open_atomically
from train.evaluation.evaluate import TestWindows
from train.progress import note, progress_bar
from train.recordings.store.clip_store import LoadedClips, cache_folder

BATCH = 16  # windows


@dataclass(frozen=True, eq=False)
class Features:
    """Windows as a backbone hears them.

    Attributes
    ----------
    values : np.ndarray
        float32 (n_windows, n_features).
    truth : np.ndarray
        int64 (n_windows,), position of the label.
    groups : np.ndarray
        str (n_windows,).
    """

    values: np.ndarray
    truth: np.ndarray
    groups: np.ndarray


def features_of(
    body: Any, sides: dict[str, TestWindows], clips: LoadedClips, parts: dict[str, Any], cache: Path | None
) -> Features:
    """Return the features of the windows of some sides, from the cache where they are there.

    Parameters
    ----------
    body : keras.Model
        From windows to features.
    sides : dict of str to TestWindows
    clips : LoadedClips
        The windows are cut from these.
    parts : dict
        What else makes the features what they are, for JSON: backbone, front end, window, hop.
    cache : Path, optional
        The folder of decoded recordings, the user's own if None.
    """
    found = [
        kept_features(
            cache,
            [[clips.digests[place] for place in clips.places(side)], parts],
            functools.partial(features_of_windows, body, cut.windows, side),
        )
        for side, cut in sides.items()
    ]
    return Features(
        np.concatenate(found),
        np.concatenate([cut.truth for cut in sides.values()]),
        np.concatenate([cut.groups for cut in sides.values()]),
    )


def features_of_windows(body: Any, windows: Any, name: str) -> np.ndarray:
    """Return the features of windows, float32 (n, n_features), batch by batch with progress."""
    batches = (np.asarray(windows[first : first + BATCH]) for first in range(0, len(windows), BATCH))
    return features_of_batches(body, batches, len(windows), name)


def features_of_batches(body: Any, batches: Iterable[np.ndarray], count: int, name: str) -> np.ndarray:
    """Return the features of `count` windows that come in batches, float32 (n, n_features)."""
    rows = []
    with progress_bar(count, f"features of {name}", "window") as bar:
        for some in batches:
            rows.append(np.asarray(body.predict_on_batch(some)))
            bar.update(len(some))
    return np.concatenate(rows)


def kept_features(cache: Path | None, made_of: Any, compute: Callable[[], np.ndarray]) -> np.ndarray:
    """Return features from the cache, else compute them and put them there; a damaged file is told and replaced.

    Parameters
    ----------
    cache : Path, optional
        The folder of decoded recordings, the user's own if None.
    made_of : JSON
        All that makes the features: samples in their order, backbone, and how windows are cut.
    compute : callable
    """
    key = hashlib.sha256(json.dumps(made_of, sort_keys=True).encode()).hexdigest()
    path = (cache or cache_folder()) / "features" / f"{key}.npy"
    if path.is_file():
        try:
            kept: np.ndarray = np.load(path, allow_pickle=False)
            return kept
        except (ValueError, EOFError):
            note(f"{path} is damaged; its features are computed again")
    computed = compute()
    path.parent.mkdir(parents=True, exist_ok=True)
    with open_atomically(path) as file:
        np.save(file, computed)
    return computed
