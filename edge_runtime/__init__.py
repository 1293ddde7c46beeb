"""Everything that runs on the device, on NumPy and a LiteRT interpreter alone.

The names below are imported when they are first asked for: `edge_runtime.machine.doctor` must run where NumPy does not.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from edge_runtime.audio.resampling import Resampler, resample
    from edge_runtime.audio.wav_file import WavFile, read_wav
    from edge_runtime.audio.windows import cut_windows, window_starts
    from edge_runtime.bench.latency import LatencyReport, measure_latency
    from edge_runtime.counting.pipeline import CountedClassification, CountedClassifier, CountedWindow
    from edge_runtime.front_end.mel import mel_spectrogram, stft_spectrogram
    from edge_runtime.front_end.mel_filters import mel_filter_bank
    from edge_runtime.model.classification import Classification, WindowResult
    from edge_runtime.model.classifier import Classifier
    from edge_runtime.model.clip_merge import ClipMerge, merge_windows
    from edge_runtime.model.interpreter import open_interpreter, runtime_name
    from edge_runtime.parity.levels import ParityResult
    from edge_runtime.phone.harness import AudioRecord, PhoneHarness, PhoneRun, TensorAudio
    from edge_runtime.segments.score_grid import ScoreGrid, segments_of
    from edge_runtime.segments.score_stream import recording_scores
    from edge_runtime.segments.segment import Segment
    from edge_runtime.segments.write_segments import write_segments

__all__ = [
    "AudioRecord",
    "Classification",
    "Classifier",
    "ClipMerge",
    "CountedClassification",
    "CountedClassifier",
    "CountedWindow",
    "LatencyReport",
    "ParityResult",
    "PhoneHarness",
    "PhoneRun",
    "Resampler",
    "ScoreGrid",
    "Segment",
    "TensorAudio",
    "WavFile",
    "WindowResult",
    "cut_windows",
    "measure_latency",
    "mel_filter_bank",
    "mel_spectrogram",
    "merge_windows",
    "open_interpreter",
    "read_wav",
    "recording_scores",
    "resample",
    "runtime_name",
    "segments_of",
    "stft_spectrogram",
    "window_starts",
    "write_segments",
]

_MODULES = {
    "audio.resampling": (
        "Resampler",
        "resample",
    ),
    "audio.wav_file": (
        "WavFile",
        "read_wav",
    ),
    "audio.windows": (
        "cut_windows",
        "window_starts",
    ),
    "bench.latency": (
        "LatencyReport",
        "measure_latency",
    ),
    "counting.pipeline": (
        "CountedClassification",
        "CountedClassifier",
        "CountedWindow",
    ),
    "front_end.mel": (
        "mel_spectrogram",
        "stft_spectrogram",
    ),
    "front_end.mel_filters": ("mel_filter_bank",),
    "model.classification": (
        "Classification",
        "WindowResult",
    ),
    "model.classifier": ("Classifier",),
    "model.clip_merge": (
        "ClipMerge",
        "merge_windows",
    ),
    "model.interpreter": (
        "open_interpreter",
        "runtime_name",
    ),
    "parity.levels": ("ParityResult",),
    "phone.harness": (
        "AudioRecord",
        "PhoneHarness",
        "PhoneRun",
        "TensorAudio",
    ),
    "segments.score_grid": (
        "ScoreGrid",
        "segments_of",
    ),
    "segments.score_stream": ("recording_scores",),
    "segments.segment": ("Segment",),
    "segments.write_segments": ("write_segments",),
}
_HOMES = {name: module for module, names in _MODULES.items() for name in names}


def __getattr__(name: str) -> Any:
    """Import a name of this package when it is first asked for."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
