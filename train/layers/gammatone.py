"""A gammatone filter bank as the fixed first layer of a waveform network."""

from __future__ import annotations

import numpy as np

EAR_Q = 9.26449  # Glasberg and Moore 1990: bandwidth = fmin_bandwidth + frequency / EAR_Q
MIN_BANDWIDTH = 24.7  # Hz, bandwidth of the lowest auditory filter


def erb_space(fmin: float, fmax: float, num_filters: int) -> np.ndarray:
    """Return centre frequencies in Hz, float64 (num_filters,), ascending, evenly spaced on the ERB-rate scale.

    Notes
    -----
    Slaney 1993 (Apple technical report 35): the highest lies one step below `fmax`, the lowest at `fmin`.
    """
    corner = EAR_Q * MIN_BANDWIDTH
    steps = np.arange(1, num_filters + 1) / num_filters
    return np.asarray(-corner + (fmax + corner) * np.exp(steps * np.log((fmin + corner) / (fmax + corner))))[::-1]


def gammatone_filters(
    num_filters: int,
    num_taps: int,
    sample_rate: int,
    fmin: float = 100.0,
    fmax: float = 8000.0,
    order: int = 4,
) -> np.ndarray:
    """Return impulse responses, float32 (num_filters, num_taps), in the order a correlation layer needs.

    Each filter has unit gain at its centre frequency. Keras convolutions do not flip their kernel, so the
    impulse responses are reversed in time here.

    Notes
    -----
    The published network (arXiv 1904.08990) has 64 filters of 512 taps from 100 Hz to 8 kHz.
    """
    if num_filters < 1 or num_taps < 2 or not 0 < fmin < fmax <= sample_rate / 2:
        raise ValueError(
            f"cannot make {num_filters} gammatone filters of {num_taps} taps from {fmin} to {fmax} Hz at "
            f"{sample_rate} Hz; expected at least 1 filter, 2 taps and 0 < fmin < fmax <= {sample_rate / 2} Hz"
        )
    from scipy import signal  # here, for it takes longer to load than all else of this module

    frequencies = erb_space(fmin, fmax, num_filters)
    responses = np.stack([signal.gammatone(one, "fir", order, num_taps, sample_rate)[0] for one in frequencies])
    turns = frequencies[:, None] * np.arange(num_taps) / sample_rate
    gains = np.abs(np.sum(responses * np.exp(-2j * np.pi * turns), axis=1, keepdims=True))
    return np.asarray((responses / gains)[:, ::-1], np.float32)
