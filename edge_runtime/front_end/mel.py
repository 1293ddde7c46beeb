"""The front end in NumPy: STFT and mel spectrogram equal to librosa's and JLibrosa's.

Axis order: frequency (or mel band) first, frames second. Everything is computed in float64 and
returned as float32.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from edge_runtime.audio.windows import check_waveform
from edge_runtime.front_end.frames import compute_frames, pad_ends
from edge_runtime.front_end.mel_filters import MelSlopes, mel_filter_bank, mel_slopes
from metadata.spec import MelFrontEnd, ModelSpec, StftFrontEnd

FloatArray = npt.NDArray[np.float32]


def stft_spectrogram(waveform: npt.ArrayLike, front_end: StftFrontEnd | MelFrontEnd) -> FloatArray:
    """Return the magnitude of the STFT to the power of the front end.

    Parameters
    ----------
    waveform : array_like of float, shape (n_samples,)
        In [-1, 1]; with reflect padding at least n_fft // 2 + 1 samples.
    front_end : StftFrontEnd or MelFrontEnd

    Returns
    -------
    ndarray of float32, shape (1 + n_fft // 2, n_frames), n_frames as `metadata.spec.frame_count` says

    Raises
    ------
    ValueError
        A waveform that is not one-dimensional float, is empty, or too short to reflect.
    """
    return _spectrogram(waveform, front_end, None)


def mel_spectrogram(waveform: npt.ArrayLike, front_end: MelFrontEnd, sample_rate: int) -> FloatArray:
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
    result is log10(max(mel, log_floor)), with "ln_plus" ln(mel + log_floor): no floor taken from the clip's own
    maximum.
    """
    return _spectrogram(waveform, front_end, mel_slopes(front_end, sample_rate))


def loudest_bands(windows: npt.ArrayLike, front_end: MelFrontEnd, sample_rate: int) -> npt.NDArray[np.float64]:
    """Return what a mel band would hold of the loudest bin of each window alone, (n_windows,).

    A transform in float32 rounds every bin by a share of the loudest. Magnitudes show it: where low frequencies below
    the first band are 1,000 times louder than the bands, these are not exact to the last digit. In power (2.0) the
    rounding is squared, and what is returned is 0.

    Parameters
    ----------
    windows : array_like
        (n_windows, n_samples).
    front_end : MelFrontEnd
    sample_rate : int
        Hz.
    """
    if front_end.power >= 2.0:
        return np.zeros(len(np.asarray(windows)))
    linear = replace(front_end, log="none")
    highest = float(mel_filter_bank(front_end, sample_rate).max())
    return np.array([highest * stft_spectrogram(window, linear).max() for window in np.asarray(windows)])


def model_input(window: npt.ArrayLike, spec: ModelSpec) -> FloatArray:
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
    samples = check_window(window, spec)
    if spec.input_is_waveform:
        return samples
    return _spectrogram(samples, *outside_front_end(spec))


def check_window(window: npt.ArrayLike, spec: ModelSpec) -> FloatArray:
    """Return a window as float32 after checking that it is as long as the model's.

    Raises
    ------
    ValueError
        Another length, not one-dimensional, or not float.
    """
    samples = check_waveform(window, "the window")
    if samples.size != spec.window_length:
        raise ValueError(
            f"the window has {samples.size} samples; {spec.name} takes {spec.window_length} "
            f"({spec.window_seconds:g} s at {spec.sample_rate} Hz)"
        )
    return samples


def outside_front_end(spec: ModelSpec) -> tuple[StftFrontEnd | MelFrontEnd, MelSlopes | None]:
    """Return the front end of a model that takes its spectrogram, and its mel slopes, None of an STFT.

    Raises
    ------
    ValueError
        The model takes the waveform.
    """
    front_end = spec.front_end
    if spec.input_is_waveform or not isinstance(front_end, (StftFrontEnd, MelFrontEnd)):
        raise ValueError(f"the front end is {front_end!r}; expected mel or stft outside the model")
    return front_end, mel_slopes(front_end, spec.sample_rate) if isinstance(front_end, MelFrontEnd) else None


def _spectrogram(
    waveform: npt.ArrayLike, front_end: StftFrontEnd | MelFrontEnd, slopes: MelSlopes | None
) -> FloatArray:
    """Return every frame of a waveform, frequency first."""
    padded = pad_ends(waveform, front_end)
    which = np.arange(1 + (padded.size - front_end.n_fft) // front_end.hop_length)
    return np.ascontiguousarray(compute_frames(padded, which, front_end, slopes).T)
