"""A gammatone filter bank as the fixed first layer of a waveform network."""

from __future__ import annotations

import numpy as np

EAR_Q = 9.26449  # Glasberg and Moore 1990: bandwidth = fmin_bandwidth + frequency / EAR_Q
MIN_BANDWIDTH = 24.7  # Hz, bandwidth of the lowest auditory filter
BANDWIDTH_FACTOR = 1.019  # gammatone bandwidth over ERB for order 4


def erb_space(fmin: float, fmax: float, num_filters: int) -> np.ndarray:
    """Return centre frequencies in Hz, float64 (num_filters,), ascending, evenly spaced on the ERB-rate scale.

    Notes
    -----
    Slaney 1993 (Apple technical report 35): the highest lies one step below `fmax`, the lowest at `fmin`.
    """
    corner = EAR_Q * MIN_BANDWIDTH
    steps = np.arange(1, num_filters + 1) / num_filters
    return (-corner + (fmax + corner) * np.exp(steps * np.log((fmin + corner) / (fmax + corner))))[::-1]


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
    g(t) = t^(order-1) exp(-2 pi b t) cos(2 pi f t), b = 1.019 ERB(f): Patterson et al. 1992. The published
    network (arXiv 1904.08990) has 64 filters of 512 taps from 100 Hz to 8 kHz.
    """
    if num_filters < 1 or num_taps < 2 or not 0 < fmin < fmax <= sample_rate / 2:
        raise ValueError(
            f"cannot make {num_filters} gammatone filters of {num_taps} taps from {fmin} to {fmax} Hz at "
            f"{sample_rate} Hz; expected at least 1 filter, 2 taps and 0 < fmin < fmax <= {sample_rate / 2} Hz"
        )
    frequencies = erb_space(fmin, fmax, num_filters)[:, None]
    seconds = np.arange(num_taps)[None, :] / sample_rate
    bandwidths = BANDWIDTH_FACTOR * (frequencies / EAR_Q + MIN_BANDWIDTH)
    envelope = seconds ** (order - 1) * np.exp(-2 * np.pi * bandwidths * seconds)
    responses = envelope * np.cos(2 * np.pi * frequencies * seconds)
    gains = np.abs(np.sum(responses * np.exp(-2j * np.pi * frequencies * seconds), axis=1, keepdims=True))
    return (responses / gains)[:, ::-1].astype(np.float32)
