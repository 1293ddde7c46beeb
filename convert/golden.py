"""Golden vectors: real windows with the scores of the trained model, for a device that has no Keras.

One `.npz` a model: `windows` float32 (n, window_length), `scores` float32 (n, n_labels) of the Keras model, `truth`
int64 (n,), for a sigmoid model bool (n, n_labels), `groups` str (n,), of mixtures (n, k), and for a mel model `mel`
float32 (n, n_mels, n_frames) by librosa.
"""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np

from convert.calibration import choose_calibration
from convert.proof import librosa_mels
from metadata.atomic_file import write_atomically
from train.finished_run import FinishedRun
from train.predict import predict

NUM_GOLDEN_WINDOWS = 24


def write_golden(run: FinishedRun, path: Path, seed: int = 0, num_windows: int | None = NUM_GOLDEN_WINDOWS) -> None:
    """Write golden vectors from test windows, evenly over the labels, in one step; all where the number is None."""
    cut = run.test_windows()
    places = choose_calibration(cut.windows, cut.truth, num_windows or len(cut.windows), seed).indices
    windows = cut.windows[places]
    arrays = {
        "windows": windows,
        "scores": predict(run.model, windows),
        "truth": cut.truth[places],
        "groups": cut.groups[places],
    }
    mels = librosa_mels(run, windows)
    if mels is not None:
        arrays["mel"] = mels
    content = io.BytesIO()
    np.savez_compressed(content, **arrays)
    write_atomically(path, content.getbuffer())
