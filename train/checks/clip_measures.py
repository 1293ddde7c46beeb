"""What one recording is like before anything is trained on it: rate, length, level, offset, clipping, bandwidth."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from edge_runtime.audio.downmix import Cancellation, to_mono
from train.checks.bandwidth import BandwidthMeter
from train.checks.fingerprint import SAMPLE_RATE as FINGERPRINT_SAMPLE_RATE
from train.checks.fingerprint import Fingerprint, FingerprintMeter
from train.recordings.decoding.decoded_blocks import DecodedBlocks
from train.recordings.decoding.stream_resampler import StreamResampler
from train.recordings.trim import DEFAULT_THRESHOLD_DBFS as SILENT_DBFS

FULL_SCALE = 0.999  # what counts as touching it: 32767/32768 and every rounding of it
WINDOW_SECONDS = 2.0  # whose level is looked at
SILENCE_FLOOR_DBFS = -120.0  # what a level of nothing at all is given as
_LEAST_FLAT = 3  # samples in a row at full scale are a clipped peak; one or two can be an honest maximum


@dataclass(frozen=True, kw_only=True)
class ClipMeasures:
    """Measures of one recording as stored, its channels made one as in training.

    Attributes
    ----------
    sample_rate : int
        Hz, of the file.
    channels : int
    seconds : float
    peak_dbfs, rms_dbfs : float
        Of the samples without their mean; `SILENCE_FLOOR_DBFS` at least.
    dc : float
        Mean of the samples, -1 to 1.
    clipped_samples : int
        In peaks that are cut off at full scale.
    overshoot_db : float
        How far the samples of any channel go beyond full scale, 0 where they do not.
    windows, silent_windows : int
        Of two seconds, one at least, and those of them whose RMS is below -50 dBFS.
    bandwidth_hz : float
        Above it there is nothing but rounding; half the sample rate where there is something everywhere, 0 for silence.
    cancellation : Cancellation
        Of the channels when averaged.
    digest : str
        SHA-256 of samples and rate.
    fingerprint : Fingerprint
    """

    sample_rate: int
    channels: int
    seconds: float
    peak_dbfs: float
    rms_dbfs: float
    dc: float
    clipped_samples: int
    overshoot_db: float
    windows: int
    silent_windows: int
    bandwidth_hz: float
    cancellation: Cancellation
    digest: str
    fingerprint: Fingerprint


def measure_clip(path: Path) -> ClipMeasures:
    """Decode one recording and measure it, block by block; raises AudioError where it cannot be read."""
    with DecodedBlocks(path) as recording:
        place, rate = recording.used_channel(), recording.sample_rate
        level, band = LevelMeter(rate), BandwidthMeter(rate)
        clipping = ClippingMeter(recording.num_channels)
        resampler, words = StreamResampler(rate, FINGERPRINT_SAMPLE_RATE), FingerprintMeter()
        digest = hashlib.sha256(f"{rate}:".encode())
        for frames in recording.frames():
            mono = to_mono(frames, place)
            level.add(mono)
            band.add(mono)
            clipping.add(frames)
            digest.update(mono.tobytes())
            words.add(resampler.push(mono))
        words.add(resampler.finish())
        windows = level.window_levels()
        return ClipMeasures(
            sample_rate=rate,
            channels=recording.num_channels,
            seconds=recording.num_samples / rate,
            peak_dbfs=to_dbfs(level.peak),
            rms_dbfs=to_dbfs(level.rms),
            dc=level.dc,
            clipped_samples=clipping.result(),
            overshoot_db=20.0 * float(np.log10(max(1.0, clipping.peak))),
            windows=windows.size,
            silent_windows=int((windows < 10.0 ** (SILENT_DBFS / 20.0)).sum()),
            bandwidth_hz=band.result(level.dc),
            cancellation=recording.cancellation(),
            digest=digest.hexdigest(),
            fingerprint=words.result(),
        )


def to_dbfs(amplitude: float) -> float:
    """Return an amplitude in dB relative to full scale."""
    return max(SILENCE_FLOOR_DBFS, 20.0 * float(np.log10(max(amplitude, 1e-12))))


class LevelMeter:
    """Offset, peak and level of a recording that comes in blocks, and the level of its windows of two seconds.

    Sums are taken in float64, around the first sample, so that an offset costs no digits.
    """

    def __init__(self, sample_rate: int) -> None:
        self._length = round(WINDOW_SECONDS * sample_rate)
        self._origin: float | None = None
        self._lowest, self._highest = np.inf, -np.inf
        self._counts, self._sums, self._squares = [0], [0.0], [0.0]  # one a window

    def add(self, mono: np.ndarray) -> None:
        """Take the next samples, float32 (n_samples,)."""
        if self._origin is None:
            self._origin = float(mono[0])
        self._lowest = min(self._lowest, float(mono.min()))
        self._highest = max(self._highest, float(mono.max()))
        first = 0
        while first < mono.size:
            if self._counts[-1] == self._length:
                for sums in (self._counts, self._sums, self._squares):
                    sums.append(0)
            part = mono[first : first + self._length - self._counts[-1]].astype(np.float64) - self._origin
            first += part.size
            self._counts[-1] += part.size
            self._sums[-1] += float(part.sum())
            self._squares[-1] += float(np.einsum("i,i->", part, part))

    @property
    def dc(self) -> float:
        """Mean of the samples."""
        return (self._origin or 0.0) + sum(self._sums) / sum(self._counts)

    @property
    def peak(self) -> float:
        """Largest distance from the mean."""
        return max(self._highest - self.dc, self.dc - self._lowest)

    @property
    def rms(self) -> float:
        """Of the samples without their mean."""
        count = sum(self._counts)
        return float(np.sqrt(max(0.0, sum(self._squares) / count - (sum(self._sums) / count) ** 2)))

    def window_levels(self) -> np.ndarray:
        """RMS of each window without the mean of the recording; a last part of one counts where it is all there is."""
        counts, sums, squares = (np.array(sums, np.float64) for sums in (self._counts, self._sums, self._squares))
        whole = slice(None) if counts.size == 1 else counts == self._length
        mean = self.dc - (self._origin or 0.0)
        power = (squares - 2.0 * mean * sums + counts * mean**2)[whole] / counts[whole]
        return np.sqrt(np.maximum(power, 0.0))


class ClippingMeter:
    """Samples in rows of at least three at full scale, of any channel, of a recording that comes in blocks."""

    def __init__(self, num_channels: int) -> None:
        self.peak = 0.0  # largest absolute sample
        self._count = 0
        self._rows = np.zeros((2, num_channels), np.int64)  # how long the row is that a block ends in, by sign, channel

    def add(self, frames: np.ndarray) -> None:
        """Take the next frames, float32 (n_samples, n_channels)."""
        highest = np.array([channel.max() for channel in frames.T])
        lowest = np.array([channel.min() for channel in frames.T])
        self.peak = max(self.peak, float(highest.max()), -float(lowest.min()))
        for sign, touches in enumerate((highest >= FULL_SCALE, lowest <= -FULL_SCALE)):
            for channel, touched in enumerate(touches):
                if touched:
                    column = frames[:, channel]
                    at_limit = column >= FULL_SCALE if sign == 0 else column <= -FULL_SCALE
                    self._add_rows(at_limit, sign, channel)
                else:
                    self._end_row(sign, channel)

    def result(self) -> int:
        """Return how many samples there were."""
        for sign, channel in np.ndindex(*self._rows.shape):
            self._end_row(sign, channel)
        return self._count

    def _add_rows(self, at_limit: np.ndarray, sign: int, channel: int) -> None:
        """Count the rows of a block; the first may go on from the block before, the last into the next one."""
        edges = np.flatnonzero(np.diff(np.r_[False, at_limit, False].astype(np.int8)))
        starts, lengths = edges[::2], edges[1::2] - edges[::2]
        if starts[0] > 0:
            self._end_row(sign, channel)
        for start, length in zip(starts.tolist(), lengths.tolist(), strict=True):
            self._rows[sign, channel] += length
            if start + length < at_limit.size:
                self._end_row(sign, channel)

    def _end_row(self, sign: int, channel: int) -> None:
        """Count a row that is over."""
        length = int(self._rows[sign, channel])
        self._count += length if length >= _LEAST_FLAT else 0
        self._rows[sign, channel] = 0


def count_clipped(samples: np.ndarray) -> int:
    """Return how many samples, float (n_samples, n_channels), stand in rows of at least three at full scale."""
    meter = ClippingMeter(samples.shape[1])
    if len(samples):
        meter.add(samples)
    return meter.result()
