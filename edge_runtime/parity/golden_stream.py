"""Golden streams: what the microphone delivers, and what a model said elsewhere at each tick of the phone.

A replay here that gives the same scores there is parity level 5. Axis order: ticks first.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from edge_runtime.audio.sample_format import to_shorts
from edge_runtime.audio.wav_file import read_wav
from edge_runtime.bundle.manifest import Bundle, BundledModel
from edge_runtime.front_end.mel import model_input
from edge_runtime.parity.levels import LEVELS, NO_TRUTH, ParityResult, front_end_parity, recipe_parity, score_parity
from edge_runtime.phone.harness import PhoneHarness

if TYPE_CHECKING:
    from edge_runtime.model.classifier import Classifier

FLOAT_RECIPES = ("float32", "float16")  # weights may be smaller, the arithmetic is float32
MIN_INTEGER_AGREEMENT = 0.995  # share of ticks; integer kernels of two processors round differently
NUM_SPECTROGRAMS = 24  # of the first ticks go along in a bundle; all of them were its largest file, 2.6 MB
_LEVEL = 5


@dataclass(frozen=True, kw_only=True)
class GoldenStream:
    """A recording with what the phone harness and a model file made of it.

    Attributes
    ----------
    recording : ndarray of int16, shape (n_samples,)
    sample_rate : int
        Hz, of the recording.
    times_seconds : ndarray of float64, shape (n_ticks,)
    scores : ndarray of float32, shape (n_ticks, n_labels)
    spectrograms : ndarray of float32, shape (at most n_ticks, n_bands, n_frames), or None
        What the app feeds the model at the first ticks, where it computes that itself.
    """

    recording: npt.NDArray[np.int16]
    sample_rate: int
    times_seconds: npt.NDArray[np.float64]
    scores: npt.NDArray[np.float32]
    spectrograms: npt.NDArray[np.float32] | None = None


def record_stream(classifier: Classifier, recording: npt.NDArray[np.int16], sample_rate: int) -> GoldenStream:
    """Replay a recording through the phone harness and keep what the model said, and what it was fed."""
    run = PhoneHarness(classifier=classifier).run(recording, sample_rate, keep_windows=True)
    if run.lost_samples:
        raise ValueError(
            f"the phone harness lost {run.lost_samples} samples: twice the window of "
            f"{classifier.spec.window_seconds:g} s does not last from tick to tick, so there is no stream to replay"
        )
    spectrograms = None
    if not classifier.spec.input_is_waveform:
        spectrograms = np.stack([model_input(window, classifier.spec) for window in np.asarray(run.windows)])
    return GoldenStream(
        recording=recording,
        sample_rate=sample_rate,
        times_seconds=run.times_seconds,
        scores=run.scores,
        spectrograms=spectrograms,
    )


def stream_parity(classifier: Classifier, golden: GoldenStream) -> list[ParityResult]:
    """Replay a golden stream here: level 5, and level 1 where there are spectrograms.

    Float files: scores within 1e-5 and every decision equal. Others: 99.5 % of the decisions, or all but one.

    Raises
    ------
    ValueError
        A stream of another model.
    """
    found = record_stream(classifier, golden.recording, golden.sample_rate)
    if found.scores.shape != golden.scores.shape or not np.array_equal(found.times_seconds, golden.times_seconds):
        raise ValueError(
            f"the golden stream has scores of shape {golden.scores.shape}; {classifier.spec.name} gives "
            f"{found.scores.shape} for it: was it recorded with another model?"
        )
    results = []
    if golden.spectrograms is not None and found.spectrograms is not None:
        name = f"{LEVELS[1]}: spectrograms at the first ticks, here against the machine that made the bundle"
        results.append(front_end_parity(golden.spectrograms, found.spectrograms[: len(golden.spectrograms)], name))
    spec = classifier.spec
    name = "golden stream: every tick, here against the machine that made the bundle"
    thresholds = spec.thresholds if spec.activation == "sigmoid" else None
    if spec.recipe in FLOAT_RECIPES:
        return [
            *results,
            replace(score_parity(golden.scores, found.scores, name, thresholds, spec.labels), level=_LEVEL),
        ]
    limits = {"decision_agreement": MIN_INTEGER_AGREEMENT, "accuracy_loss": 0.0}
    result = recipe_parity(golden.scores, found.scores, None, None, limits, name, thresholds, spec.labels)
    return [
        *results,
        replace(
            result,
            level=_LEVEL,
            tolerance={"decision_agreement": MIN_INTEGER_AGREEMENT},
            # There is no truth to lose accuracy against, and so nothing to say about it.
            detail=result.detail.removeprefix(NO_TRUTH).removeprefix("; "),
        ),
    ]


def read_golden_stream(bundle: Bundle, model: BundledModel) -> GoldenStream:
    """Read the golden stream of one model of a bundle.

    Raises
    ------
    FileNotFoundError, ValueError
        A file that is not there or not what it should be.
    """
    expected = _read_arrays(bundle.folder / model.expected, ("times_seconds", "scores"))
    spectrograms = None
    if model.spectrograms is not None:
        spectrograms = _read_arrays(bundle.folder / model.spectrograms, ("spectrograms",))["spectrograms"]
    waveform, sample_rate = read_wav(bundle.folder / model.stream)
    return GoldenStream(recording=to_shorts(waveform), sample_rate=sample_rate, spectrograms=spectrograms, **expected)


def expected_content(golden: GoldenStream) -> bytes:
    """Return the `.npz` with times and scores of every tick."""
    return _npz({"times_seconds": golden.times_seconds, "scores": golden.scores})


def spectrograms_content(golden: GoldenStream) -> bytes:
    """Return the `.npz` with the spectrograms of the first ticks."""
    if golden.spectrograms is None:
        raise ValueError("the stream has no spectrograms; expected one of a model that takes them")
    return _npz({"spectrograms": golden.spectrograms[:NUM_SPECTROGRAMS]})


def _npz(arrays: Mapping[str, npt.NDArray[Any]]) -> bytes:
    """Return an `.npz`, which NumPy dates 1980, so that the same arrays give the same bytes."""
    content = io.BytesIO()
    np.savez_compressed(content, **arrays)  # type: ignore[arg-type]
    return content.getvalue()


def _read_arrays(path: Path, names: tuple[str, ...]) -> dict[str, npt.NDArray[Any]]:
    """Return the arrays of an `.npz` after checking that they are all there."""
    try:
        with np.load(path, allow_pickle=False) as file:
            return {name: file[name] for name in names}
    except (ValueError, EOFError, KeyError, zipfile.BadZipFile, AttributeError, TypeError) as error:
        raise ValueError(f"{path} is not an .npz file with {' and '.join(names)}: {error}") from error
