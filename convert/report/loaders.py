"""Which of the loaders that apps use refuse a file; `tests/test_clients.py` opens every other one in them."""

from __future__ import annotations

from convert.recipes import Recipe
from metadata import ModelSpec

TASK_LIBRARY, MEDIAPIPE = "the Task library", "MediaPipe"


def refused_by(spec: ModelSpec, recipe: Recipe) -> tuple[str, ...]:
    """Return the loaders that do not open a file.

    Notes
    -----
    Tried with tflite-support 0.4.4 and MediaPipe 1.2.2. Both ask for the audio properties of an input, which a
    spectrogram has none of; MediaPipe takes no integers.
    """
    if not spec.input_is_waveform:
        return TASK_LIBRARY, MEDIAPIPE
    return (MEDIAPIPE,) if recipe.integer_io else ()
