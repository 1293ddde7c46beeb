"""A check that runs on the device: a test signal, what the front end must make of it, and what the model must say."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from edge_runtime.audio.sample_format import to_floats
from edge_runtime.microcontroller.c_text import array, guarded, real

_NUM_PLACES = 64  # of the input, spread over it, that are compared
_SIGNAL = """void {name}_check_signal(int16_t *samples)
{{
    uint32_t state = 1;
    for (int32_t i = 0; i < {length}; ++i) {{
        const int32_t amplitude = 6000 >> (i / {quarter});
        state = state * 1664525u + 1013904223u;
        samples[i] = (int16_t)((int32_t)(state >> 21) - 1024 + (i / 16 % 2 ? amplitude : -amplitude));
    }}
}}"""
_ERROR = """float {name}_check_error(const float *input)
{{
    float error = 0.0f;
    for (int32_t i = 0; i < {places}; ++i) {{
        const float difference = input[i * {last} / {places_less_one}] - expected[i];
        const float size = difference < 0.0f ? -difference : difference;
        error = size > error ? size : error;
    }}
    return error / {unit};
}}"""


def check_signal(window_length: int) -> npt.NDArray[np.int16]:
    """Return a square wave that gets softer in four steps, and noise: what `NAME_check_signal` makes in C."""
    noise, state = [], 1
    for _ in range(window_length):
        state = (state * 1664525 + 1013904223) % 2**32
        noise.append((state >> 21) - 1024)
    place = np.arange(window_length)
    amplitude = 6000 >> (place // _quarter(window_length))
    return (np.array(noise) + np.where(place // 16 % 2, amplitude, -amplitude)).astype(np.int16)


def check_sources(
    name: str, window_length: int, features: npt.NDArray[np.float32] | None, is_log: bool, scores: list[float] | None
) -> dict[str, str]:
    """Return the C files of the check, by name.

    Parameters
    ----------
    name : str
        What names in C begin with.
    window_length : int
    features : ndarray of float32, shape (n_bands, n_frames), or None
        What the front end must make of `check_signal`; None for a model that takes the waveform.
    is_log : bool
        Whether the features are logarithms, which are compared as they are; others in parts of the largest.
    scores : list of float, or None
        What the model must say; None where it could not be run here.
    """
    declared = [f"void {name}_check_signal(int16_t *samples); /* {window_length} of them */"]
    signal = {"name": name, "length": window_length, "quarter": _quarter(window_length)}
    defined = [_SIGNAL.format(**signal)]
    if features is not None:
        unit = "a logarithm" if is_log else "parts of the largest value"
        declared.append(f"float {name}_check_error(const float *input); /* in {unit}; expected: at most 0.0001 */")
        defined = [*defined, *_compared(name, features, is_log)]
    if scores is not None:
        declared.append(f"extern const float {name}_check_scores[{len(scores)}]; /* by LiteRT's reference kernels */")
        defined.append(array("float", f"{name}_check_scores", scores, is_static=False))
    lines = ["#include <stdint.h>", "", "#ifdef __cplusplus", 'extern "C" {', "#endif", "", *declared, ""]
    header = guarded(f"{name.upper()}_CHECK_H", [*lines, "#ifdef __cplusplus", "}", "#endif"])
    return {
        f"{name}_check.h": header,
        f"{name}_check.c": "\n\n".join([f'#include "{name}_check.h"', *defined]) + "\n",
    }


def signal_as_floats(window_length: int) -> npt.NDArray[np.float32]:
    """Return `check_signal` as the front end of Python and the model take it."""
    return to_floats(check_signal(window_length))


def _compared(name: str, features: npt.NDArray[np.float32], is_log: bool) -> list[str]:
    """The expected values, and the function that compares with them."""
    last = features.size - 1
    places = np.arange(_NUM_PLACES) * last // (_NUM_PLACES - 1)
    unit = real(1.0 if is_log else float(np.abs(features).max()))
    error = {"name": name, "places": _NUM_PLACES, "last": last, "places_less_one": _NUM_PLACES - 1, "unit": unit}
    return [array("float", "expected", features.ravel()[places]), _ERROR.format(**error)]


def _quarter(window_length: int) -> int:
    """Samples of one loudness; the last part may be one or two samples longer than three quarters leave."""
    return window_length // 4 + 1
