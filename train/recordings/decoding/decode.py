"""One recording, any format and rate, as the waveform a model takes: float32, mono, at the asked sample rate."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from edge_runtime.audio.downmix import CancellationMeter, to_mono
from edge_runtime.audio.sound_kinds import AUDIO_SUFFIXES, READABLE
from train.recordings.decoding.decoded_blocks import AudioError, DecodedBlocks
from train.recordings.decoding.stream_resampler import RESAMPLE_QUALITY

__all__ = [
    "AUDIO_SUFFIXES",
    "READABLE",
    "RESAMPLE_QUALITY",
    "AudioError",
    "decode",
    "duration",
    "read_file",
    "stored_rate",
    "to_waveform",
]


def decode(path: str | Path, sample_rate: int) -> np.ndarray:
    """Read a recording as one channel at `sample_rate`.

    Parameters
    ----------
    path : str or Path
        Any format that `DecodedBlocks` reads, any rate and channel count.
    sample_rate : int
        Hz of the returned waveform.

    Returns
    -------
    np.ndarray
        float32 (n_samples,), channels made one as `edge_runtime.audio.downmix` has it; integers are scaled as
        libsndfile does (int16 by 1/32768).

    Raises
    ------
    AudioError
        The file is empty, cannot be decoded, is cut off, has no samples, or holds NaN or infinite samples.
    """
    samples, file_rate = read_file(path)
    return to_waveform(samples, file_rate, sample_rate)


def read_file(path: str | Path) -> tuple[np.ndarray, int]:
    """Return the samples as stored, float32 (n_samples, n_channels), and the file's rate in Hz."""
    with DecodedBlocks(path) as recording:
        return np.concatenate(list(recording.frames())), recording.sample_rate


def duration(path: str | Path) -> float:
    """Return the length in seconds that a recording's header tells, without decoding it; raises AudioError."""
    with DecodedBlocks(path) as recording:
        return recording.num_samples / recording.sample_rate


def stored_rate(path: str | Path) -> int:
    """Return the rate in Hz that a recording's header tells, without decoding it; raises AudioError."""
    with DecodedBlocks(path) as recording:
        return recording.sample_rate


def to_waveform(samples: np.ndarray, file_rate: int, sample_rate: int) -> np.ndarray:
    """Make one channel of frames, float32 (n_samples, n_channels), and resample it with soxr, float32 (n_samples,)."""
    mono = to_mono(samples, _loudest_where_they_cancel(samples, file_rate))
    if file_rate != sample_rate:
        import soxr

        mono = soxr.resample(mono, file_rate, sample_rate, quality=RESAMPLE_QUALITY)
    if mono.size == 0:
        raise AudioError(f"nothing is left of {len(samples)} samples at {file_rate} Hz after resampling")
    return np.ascontiguousarray(mono, dtype=np.float32)


def _loudest_where_they_cancel(samples: np.ndarray, file_rate: int) -> int | None:
    """Return the channel that is used of a whole recording, None for the average."""
    if samples.shape[1] == 1:
        return None
    meter = CancellationMeter(samples.shape[1], file_rate)
    meter.add(samples)
    measured = meter.result()
    return measured.loudest if measured.mostly else None
