"""What a model of unknown origin puts out for a few test signals: evidence that costs a handful of runs.

Files of our own are never probed: a first label shall not wait for it.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from edge_runtime.model.classifier import Classifier
from metadata.spec import ModelSpec
from metadata.tflite_file.model_content import ModelContent

FloatArray = npt.NDArray[np.float32]
_SEED = 0
_LEVELS = (0.02, 0.5)  # quiet and loud, of full scale
_TONES = (440.0, 0.2)  # Hz, and as a share of the sample rate


def hear_test_signals(
    model: bytes | ModelContent, spec: ModelSpec, num_threads: int = 1, use_xnnpack: bool = True
) -> list[list[float]]:
    """Return what a model puts out for each test signal, before any transform; NaN stays NaN.

    Parameters
    ----------
    model : bytes or ModelContent
        The whole file.
    spec : ModelSpec
        Says what goes in; its activation does not matter.
    num_threads, use_xnnpack
        As for `open_interpreter`.

    Raises
    ------
    ModelContractError
        The model does not open, or stops while it runs.
    """
    # An interpreter of its own: what a model with a memory remembers of these signals is gone with it.
    classifier = Classifier(model, num_threads, use_xnnpack, spec=spec)
    rows = []
    for signal in make_test_signals(spec.window_length, spec.sample_rate):
        classifier.load_window(signal)
        classifier.invoke()
        rows.append(classifier.read_output().tolist())
    return rows


def make_test_signals(window_length: int, sample_rate: int) -> FloatArray:
    """Return silence, noise at two levels and two tones at two levels, float32 (7, window_length), in [-1, 1]."""
    noise = np.random.default_rng(_SEED).uniform(-1.0, 1.0, window_length)
    seconds = np.arange(window_length) / sample_rate
    tones = [np.sin(2.0 * np.pi * frequency * seconds) for frequency in (_TONES[0], _TONES[1] * sample_rate)]
    sounds = [level * sound for sound in (noise, *tones) for level in _LEVELS]
    return np.asarray([np.zeros(window_length), *sounds], np.float32)
