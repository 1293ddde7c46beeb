"""The outline of a recording for a picture, in constant memory."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from edge_runtime.audio.recordings import Decode, open_recording

NUM_COLUMNS = 6000  # of the whole picture, finer than it is printed


def recording_envelope(path: Path, decode: Decode | None, channel: str, seconds: float | None) -> dict[str, Any]:
    """Return `duration_seconds` of what is drawn, and its `lowest` and `highest` sample in each of up to 6000 columns.

    Parameters
    ----------
    path : Path
    decode : callable, optional
    channel : str
        As for `open_recording`.
    seconds : float, optional
        From the beginning; None: all.
    """
    with open_recording(path, decode, channel) as recording:
        size = recording.num_samples
        if seconds is not None:
            size = max(1, min(size, round(seconds * recording.sample_rate)))
        columns = min(NUM_COLUMNS, size)
        lowest, highest = np.full(columns, np.inf), np.full(columns, -np.inf)
        read = 0
        for block in recording.blocks():
            part = block[: size - read]
            column = (np.arange(read, read + part.size) * columns) // size
            np.minimum.at(lowest, column, part)
            np.maximum.at(highest, column, part)
            read += part.size
            if read >= size:
                break
        return {"duration_seconds": size / recording.sample_rate, "lowest": lowest, "highest": highest}
