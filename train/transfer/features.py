"""What a frozen backbone says of windows: computed once, and kept beside the decoded recordings."""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from metadata.atomic_file import open_atomically
from train.evaluation.evaluate import TestWindows
from train.progress import progress_bar
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
        kept(cache, _key(clips, side, parts), functools.partial(_computed, body, cut, side))
        for side, cut in sides.items()
    ]
    return Features(
        np.concatenate(found),
        np.concatenate([cut.truth for cut in sides.values()]),
        np.concatenate([cut.groups for cut in sides.values()]),
    )


def _computed(body: Any, cut: TestWindows, side: str) -> np.ndarray:
    """The features, batch by batch with progress."""
    rows = []
    with progress_bar(len(cut.windows), f"features of {side}", "window") as bar:
        for first in range(0, len(cut.windows), BATCH):
            some = np.asarray(cut.windows[first : first + BATCH])
            rows.append(np.asarray(body.predict_on_batch(some)))
            bar.update(len(some))
    return np.concatenate(rows)


def kept(cache: Path | None, key: str, compute: Callable[[], np.ndarray]) -> np.ndarray:
    """Return features from the cache, else computed and put there."""
    path = (cache or cache_folder()) / "features" / f"{key}.npy"
    if path.is_file():
        known: np.ndarray = np.load(path, allow_pickle=False)
        return known
    computed = compute()
    path.parent.mkdir(parents=True, exist_ok=True)
    with open_atomically(path) as file:
        np.save(file, computed)
    return computed


def _key(clips: LoadedClips, side: str, parts: dict[str, Any]) -> str:
    """A digest of all that makes the features: samples in their order, backbone, and how windows are cut."""
    digests = [clips.digests[place] for place in clips.places(side)]
    return hashlib.sha256(json.dumps([digests, parts], sort_keys=True).encode()).hexdigest()
