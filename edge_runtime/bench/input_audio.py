"""What a benchmark listens to: recordings, the golden windows beside a model, or a stand-in."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from edge_runtime.audio.recordings import Decode, load_waveform, open_recording
from edge_runtime.audio.resampling import resample
from edge_runtime.audio.windows import cut_windows
from edge_runtime.bench.latency import input_length
from edge_runtime.bench.test_signal import speech_like
from edge_runtime.model.classifier import Classifier
from edge_runtime.parity.golden_vectors import GOLDEN_FOLDER_NAME, read_golden
from metadata.safe_name import safe_part
from metadata.spec import ModelSpec

FloatArray = npt.NDArray[np.float32]
STAND_IN = "synthetic speech-like signal"
_STAND_IN_WINDOWS = 10
_MAX_WINDOWS = 100  # that take turns; more only cost memory


@dataclass(frozen=True, kw_only=True)
class BenchAudio:
    """Windows as they come in.

    Attributes
    ----------
    windows : ndarray of float32, shape (n_windows, n_samples)
        `n_samples` is `edge_runtime.bench.latency.input_length` at this rate.
    sample_rate : int
        Hz.
    source : str or tuple of str
        The files they are cut from, or `STAND_IN`.
    """

    windows: FloatArray
    sample_rate: int
    source: str | tuple[str, ...]


def load_bench_audio(
    model: Path,
    classifier: Classifier,
    recordings: list[Path],
    sample_rate: int | None = None,
    decode: Decode | None = None,
) -> BenchAudio:
    """Return what to measure a model with: recordings, else the golden windows beside it, else a stand-in.

    Parameters
    ----------
    model : Path
        The model's file.
    classifier : Classifier
    recordings : list of Path
    sample_rate : int, optional
        Hz at which samples shall come in; by default that of the first recording, without any that of the model.
    decode : callable, optional
        Opens what is no WAV file.

    Raises
    ------
    ValueError, FileNotFoundError
        A sample rate below 1, a recording that cannot be read, or golden windows of another model.
    """
    spec = classifier.spec
    if sample_rate is not None and sample_rate < 1:
        raise ValueError(f"--sample-rate is {sample_rate} Hz; expected at least 1")
    golden = model.parent / GOLDEN_FOLDER_NAME / f"{safe_part(spec.name)}.npz"
    if recordings:
        rate = sample_rate or _rate_of(recordings[0], decode)
        clips = [load_waveform(path, rate, decode) for path in recordings]
        return BenchAudio(windows=_cut(clips, spec, rate), sample_rate=rate, source=tuple(map(str, recordings)))
    rate = sample_rate or spec.sample_rate
    if golden.is_file():
        clips = [resample(_golden_windows(golden, spec).reshape(-1), spec.sample_rate, rate)]
        return BenchAudio(windows=_cut(clips, spec, rate), sample_rate=rate, source=(str(golden),))
    clips = [speech_like(_STAND_IN_WINDOWS * spec.window_seconds, rate)]
    return BenchAudio(windows=_cut(clips, spec, rate), sample_rate=rate, source=STAND_IN)


def _cut(clips: list[FloatArray], spec: ModelSpec, sample_rate: int) -> FloatArray:
    """Return windows of the clips."""
    length = input_length(spec.window_length, spec.sample_rate, sample_rate)
    return np.concatenate([cut_windows(clip, length, length, "align") for clip in clips])[:_MAX_WINDOWS]


def _rate_of(path: Path, decode: Decode | None) -> int:
    """Return the rate of a recording in Hz."""
    with open_recording(path, decode) as recording:
        return recording.sample_rate


def _golden_windows(path: Path, spec: ModelSpec) -> FloatArray:
    """Return the windows of a golden file."""
    windows = read_golden(path).windows
    if windows.shape[1] != spec.window_length:
        raise ValueError(
            f"{path} holds windows of {windows.shape[1]} samples and {spec.name} takes {spec.window_length}; "
            "was it made for another model? Name recordings with --audio"
        )
    return windows
