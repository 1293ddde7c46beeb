"""The tables of a C front end, computed by the front end that Python runs, so that the two cannot drift apart."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edge_runtime.front_end.frames import hann_window
from edge_runtime.front_end.mel_filters import mel_filter_bank
from metadata.errors import ModelContractError
from metadata.spec import MelFrontEnd, ModelSpec, StftFrontEnd, frame_count, frame_padding

MIN_N_FFT, MAX_N_FFT = 16, 4096  # bins are numbered and sums are bounded for these
_Q30 = 2**30
_WEIGHT_BITS = 20  # what the energies leave of 64 bits
_SECONDS_BETWEEN_WINDOWS = 0.5  # of the stream, as near as columns allow


@dataclass(frozen=True, kw_only=True)
class FrontEndTables:
    """What the C front end of a model reads.

    Attributes
    ----------
    hann : ndarray of float64, shape (win_length // 2 + 1,)
        Half of the periodic window.
    cosines : ndarray of float64, shape (n_fft // 2,)
        cos(2 pi k / n_fft).
    band_first, band_bins : ndarray of int64, shape (n_mels,), or None
        Of each mel filter the first bin and the number of bins; None of an STFT.
    weights : ndarray of float32
        Of those bins, filter after filter.
    weight_shift : ndarray of int64, shape (n_mels,)
        By which a filter's weights are scaled up to fill 20 bits.
    """

    spec: ModelSpec
    front_end: StftFrontEnd | MelFrontEnd
    hann: npt.NDArray[np.float64]
    cosines: npt.NDArray[np.float64]
    band_first: npt.NDArray[np.int64] | None
    band_bins: npt.NDArray[np.int64] | None
    weights: npt.NDArray[np.float32]
    weight_shift: npt.NDArray[np.int64]

    @property
    def n_bands(self) -> int:
        """Rows of the input."""
        return 1 + self.front_end.n_fft // 2 if self.band_first is None else len(self.band_first)

    @property
    def n_frames(self) -> int:
        """Columns of the input."""
        return frame_count(self.front_end, self.spec.window_length)

    @property
    def log(self) -> str:
        """The compression, "none" of an STFT."""
        return self.front_end.log if isinstance(self.front_end, MelFrontEnd) else "none"

    @property
    def work_bytes(self) -> int:
        """RAM that a frame is computed in."""
        return 8 * (self.front_end.n_fft // 2 + 1)

    @property
    def window_hop(self) -> int:
        """Samples between the windows of a stream: as many columns as come nearest to half a second."""
        hop = self.front_end.hop_length
        columns = max(1, round(_SECONDS_BETWEEN_WINDOWS * self.spec.sample_rate / hop))
        return min(columns, max(1, self.spec.window_length // hop)) * hop

    @property
    def stream_floats(self) -> int:
        """Floats that a stream keeps, as `ep_stream_floats` counts them; 0 where a window is shorter than a frame."""
        if self.spec.window_length < self.front_end.n_fft:
            return 0
        before, _ = frame_padding(self.front_end)
        heads = 0 if self.front_end.pad_mode == "none" else min(-(-before // self.front_end.hop_length), self.n_frames)
        slots = -(-self.spec.window_length // self.window_hop) + 1
        return (self.n_frames + slots * heads) * self.n_bands

    @property
    def recent_samples(self) -> int:
        """16-bit samples that a stream keeps."""
        return 2 * self.front_end.n_fft + self.front_end.hop_length

    def table_bytes(self, fixed: bool) -> int:
        """Return the flash that the tables take, for floating point or for integers."""
        numbers = 4 * (len(self.hann) + len(self.cosines) + len(self.weights))
        bands = 0 if self.band_first is None else 4 * self.n_bands
        return numbers + bands + (len(self.weight_shift) if fixed else 0)


def front_end_tables(spec: ModelSpec) -> FrontEndTables:
    """Return the tables of a model that takes its spectrogram.

    Raises
    ------
    ModelContractError
        The C front end has no such transform or power.
    """
    front_end = spec.front_end
    assert isinstance(front_end, (StftFrontEnd, MelFrontEnd))  # the caller asked `spec.input_is_waveform`
    n_fft = front_end.n_fft
    if n_fft & (n_fft - 1) or not MIN_N_FFT <= n_fft <= MAX_N_FFT:
        raise ModelContractError(
            f"front_end.n_fft is {n_fft}; the C front end takes powers of two from {MIN_N_FFT} to {MAX_N_FFT}"
        )
    if front_end.power not in (1.0, 2.0):
        raise ModelContractError(f"front_end.power is {front_end.power}; the C front end takes 1 and 2")
    left = (n_fft - front_end.win_length) // 2
    first, bins, weights, shifts = _mel_tables(spec, front_end)
    return FrontEndTables(
        spec=spec,
        front_end=front_end,
        hann=hann_window(front_end.win_length, n_fft)[left : left + front_end.win_length // 2 + 1],
        cosines=np.cos(2.0 * np.pi * np.arange(n_fft // 2) / n_fft),
        band_first=first,
        band_bins=bins,
        weights=weights,
        weight_shift=shifts,
    )


def q30(values: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    """Return numbers from -1 to 1 with 30 bits behind the point."""
    return np.rint(values * _Q30).astype(np.int64)


def scaled_weights(tables: FrontEndTables) -> npt.NDArray[np.int64]:
    """Return the mel weights as 20-bit integers, each filter scaled up by its own shift."""
    assert tables.band_bins is not None
    shifts = np.repeat(tables.weight_shift, tables.band_bins)
    scaled = np.rint(np.ldexp(tables.weights.astype(np.float64), shifts))
    return np.asarray(np.minimum(scaled, 2**_WEIGHT_BITS - 1), np.int64)


def _mel_tables(
    spec: ModelSpec, front_end: StftFrontEnd | MelFrontEnd
) -> tuple[npt.NDArray[np.int64] | None, npt.NDArray[np.int64] | None, npt.NDArray[np.float32], npt.NDArray[np.int64]]:
    """First bins, numbers of bins, weights and shifts of the mel filters."""
    if not isinstance(front_end, MelFrontEnd):
        return None, None, np.empty(0, np.float32), np.empty(0, np.int64)
    bank = mel_filter_bank(front_end, spec.sample_rate)
    heard = bank > 0.0
    bins = heard.sum(axis=1)  # a triangle has no gaps
    shifts = np.array(
        [_WEIGHT_BITS - 1 - math.floor(math.log2(peak)) if peak > 0.0 else 0 for peak in bank.max(axis=1)]
    )
    return heard.argmax(axis=1), bins, bank[heard], shifts
