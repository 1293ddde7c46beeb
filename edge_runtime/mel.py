"""The front end in NumPy: STFT and mel spectrogram equal to librosa's and JLibrosa's.

Axis order: frequency (or mel band) first, frames second. Everything is computed in float64 and
returned as float32.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt

from edge_runtime.windows import check_waveform
from metadata.spec import MelFrontEnd, ModelSpec, StftFrontEnd

# Slaney's mel scale (Auditory Toolbox, 1998): linear below 1 kHz, logarithmic above.
_SLANEY_HZ_PER_MEL = 200.0 / 3.0
_SLANEY_BREAK_HZ = 1000.0
_SLANEY_BREAK_MEL = _SLANEY_BREAK_HZ / _SLANEY_HZ_PER_MEL
_SLANEY_LOG_STEP = np.log(6.4) / 27.0  # natural logarithm of the frequency ratio of one mel
# O'Shaughnessy's formula, as HTK has it.
_HTK_FACTOR = 2595.0
_HTK_CORNER_HZ = 700.0


def hz_to_mel(hertz: npt.ArrayLike, mel_scale: str = "slaney") -> npt.NDArray[np.float64]:
    """Return frequencies in mel; `mel_scale` is "slaney" or "htk"."""
    hz = np.asarray(hertz, np.float64)
    if mel_scale == "htk":
        return np.asarray(_HTK_FACTOR * np.log10(1.0 + hz / _HTK_CORNER_HZ))
    above = np.log(np.maximum(hz, _SLANEY_BREAK_HZ) / _SLANEY_BREAK_HZ) / _SLANEY_LOG_STEP
    return np.where(hz < _SLANEY_BREAK_HZ, hz / _SLANEY_HZ_PER_MEL, _SLANEY_BREAK_MEL + above)


def mel_to_hz(mels: npt.ArrayLike, mel_scale: str = "slaney") -> npt.NDArray[np.float64]:
    """Return mels in Hz; the inverse of `hz_to_mel`."""
    mel = np.asarray(mels, np.float64)
    if mel_scale == "htk":
        return np.asarray(_HTK_CORNER_HZ * (10.0 ** (mel / _HTK_FACTOR) - 1.0))
    above = _SLANEY_BREAK_HZ * np.exp(_SLANEY_LOG_STEP * np.maximum(mel - _SLANEY_BREAK_MEL, 0.0))
    return np.where(mel < _SLANEY_BREAK_MEL, mel * _SLANEY_HZ_PER_MEL, above)


@lru_cache(maxsize=8)
def mel_filter_bank(front_end: MelFrontEnd, sample_rate: int) -> npt.NDArray[np.float32]:
    """Return the triangular mel filters, float32, shape (n_mels, 1 + n_fft // 2), read-only.

    Notes
    -----
    Equal to `librosa.filters.mel` of librosa 0.11 to 1e-7. With norm "slaney" each triangle has area
    1 over Hz; with "none" its peak is 1.
    """
    low, high = hz_to_mel([front_end.fmin, front_end.fmax], front_end.mel_scale)
    corners = mel_to_hz(np.linspace(low, high, front_end.n_mels + 2), front_end.mel_scale)[:, np.newaxis]
    left, centre, right = corners[:-2], corners[1:-1], corners[2:]
    bins = np.arange(1 + front_end.n_fft // 2) * (sample_rate / front_end.n_fft)
    weights = np.maximum(0.0, np.minimum((bins - left) / (centre - left), (right - bins) / (right - centre)))
    if front_end.mel_norm == "slaney":
        weights *= 2.0 / (right - left)
    bank = weights.astype(np.float32)
    bank.flags.writeable = False  # the cache hands the same array to every caller
    return bank


@lru_cache(maxsize=8)
def hann_window(win_length: int, n_fft: int) -> npt.NDArray[np.float64]:
    """Return the periodic Hann window centred in n_fft samples, float64, shape (n_fft,), read-only.

    Raises
    ------
    ValueError
        `win_length` below 1 or above `n_fft`.
    """
    if not 1 <= win_length <= n_fft:
        raise ValueError(f"win_length is {win_length}; expected 1 to n_fft = {n_fft} samples")
    window = np.zeros(n_fft)
    left = (n_fft - win_length) // 2
    window[left : left + win_length] = 0.5 - 0.5 * np.cos(2.0 * np.pi * np.arange(win_length) / win_length)
    window.flags.writeable = False
    return window


def num_frames(num_samples: int, front_end: StftFrontEnd | MelFrontEnd) -> int:
    """Return how many frames a waveform of this length has."""
    return 1 + num_samples // front_end.hop_length


def stft_spectrogram(waveform: npt.ArrayLike, front_end: StftFrontEnd | MelFrontEnd) -> npt.NDArray[np.float32]:
    """Return the magnitude of the STFT to the power of the front end.

    Parameters
    ----------
    waveform : array_like of float, shape (n_samples,)
        In [-1, 1]; with reflect padding at least n_fft // 2 + 1 samples.
    front_end : StftFrontEnd or MelFrontEnd

    Returns
    -------
    ndarray of float32, shape (1 + n_fft // 2, n_frames), n_frames = 1 + n_samples // hop_length

    Raises
    ------
    ValueError
        A waveform that is not one-dimensional float, is empty, or too short to reflect.
    """
    return _spectrogram(waveform, front_end).astype(np.float32)


def mel_spectrogram(waveform: npt.ArrayLike, front_end: MelFrontEnd, sample_rate: int) -> npt.NDArray[np.float32]:
    """Return the mel spectrogram of a waveform, float32, shape (n_mels, n_frames).

    Parameters
    ----------
    waveform : array_like of float, shape (n_samples,)
        In [-1, 1]; with reflect padding at least n_fft // 2 + 1 samples.
    front_end : MelFrontEnd
    sample_rate : int
        Hz of the waveform.

    Raises
    ------
    ValueError
        As for `stft_spectrogram`.

    Notes
    -----
    Equal to `librosa.feature.melspectrogram` of librosa 0.11 with `pad_mode="reflect"` (0.8.1's
    default) and so to JLibrosa on the phone, within 1e-6 of the largest value. With log "log10" the
    result is log10(max(mel, log_floor)): no floor taken from the clip's own maximum.
    """
    mel = mel_filter_bank(front_end, sample_rate).astype(np.float64) @ _spectrogram(waveform, front_end)
    if front_end.log == "log10":
        mel = np.log10(np.maximum(mel, front_end.log_floor))
    return mel.astype(np.float32)


def model_input(window: npt.ArrayLike, spec: ModelSpec) -> npt.NDArray[np.float32]:
    """Return what the model takes for one window: the window itself, or its spectrogram.

    Parameters
    ----------
    window : array_like of float, shape (window_length,)
    spec : ModelSpec
        A spectrogram-form model (front end outside the model) gets shape (n_mels, n_frames), or
        (1 + n_fft // 2, n_frames) of an STFT, whose C order is the mel-major order of JLibrosa.

    Raises
    ------
    ValueError
        A window of another length than the model's, or not float.
    """
    samples = check_waveform(window, "the window")
    if samples.size != spec.window_length:
        raise ValueError(
            f"the window has {samples.size} samples; {spec.name} takes {spec.window_length} "
            f"({spec.window_seconds:g} s at {spec.sample_rate} Hz)"
        )
    front_end = spec.front_end
    if spec.input_is_waveform:
        return samples
    if isinstance(front_end, MelFrontEnd):
        return mel_spectrogram(samples, front_end, spec.sample_rate)
    if isinstance(front_end, StftFrontEnd):
        return stft_spectrogram(samples, front_end)
    raise ValueError(f"the front end is {front_end!r}; expected mel or stft outside the model")


def _spectrogram(waveform: npt.ArrayLike, front_end: StftFrontEnd | MelFrontEnd) -> npt.NDArray[np.float64]:
    """Return |STFT| ** power, shape (1 + n_fft // 2, n_frames)."""
    padded = _pad_ends(check_waveform(waveform), front_end)
    frames = np.lib.stride_tricks.sliding_window_view(padded, front_end.n_fft)[:: front_end.hop_length]
    spectrum = np.fft.rfft(frames * hann_window(front_end.win_length, front_end.n_fft), axis=1)
    power = spectrum.real**2 + spectrum.imag**2
    return np.asarray(power.T if front_end.power == 2.0 else power.T ** (front_end.power / 2.0))


def _pad_ends(samples: npt.NDArray[np.float32], front_end: StftFrontEnd | MelFrontEnd) -> npt.NDArray[np.float64]:
    """Pad n_fft // 2 samples before and after, so that frame t is centred on sample t * hop_length."""
    reach = front_end.n_fft // 2
    shortest = reach + 1 if front_end.pad_mode == "reflect" else 1
    if samples.size < shortest:
        raise ValueError(
            f"the waveform has {samples.size} samples; expected at least {shortest} "
            f"for n_fft {front_end.n_fft} with {front_end.pad_mode} padding"
        )
    wide = samples.astype(np.float64)
    if front_end.pad_mode == "reflect":
        return np.pad(wide, reach, mode="reflect")
    return np.pad(wide, reach)
