"""The mel spectrogram by librosa, which the other front ends are measured against."""

from __future__ import annotations

import numpy as np

from metadata.spec import MelFrontEnd, frame_padding


def librosa_mel(waveform: np.ndarray, front_end: MelFrontEnd, sample_rate: int) -> np.ndarray:
    """Return the mel spectrogram without its logarithm, float32 (n_mels, n_frames).

    Parameters
    ----------
    waveform : np.ndarray
        float32 (n_samples,) in [-1, 1].
    front_end : MelFrontEnd
    sample_rate : int
        Hz.

    Notes
    -----
    The padding is passed on: librosa fills with zeros by default since 0.9, the phone's JLibrosa reflects. Without
    padding librosa begins with a whole n_fft: zeros before it let the Hann window begin at the first sample.
    """
    import librosa

    return librosa.feature.melspectrogram(
        y=np.pad(waveform, frame_padding(front_end)) if front_end.pad_mode == "none" else waveform,
        sr=sample_rate,
        n_fft=front_end.n_fft,
        hop_length=front_end.hop_length,
        win_length=front_end.win_length,
        window="hann",
        center=front_end.pad_mode != "none",
        pad_mode="constant" if front_end.pad_mode == "none" else front_end.pad_mode,
        power=front_end.power,
        n_mels=front_end.n_mels,
        fmin=front_end.fmin,
        fmax=front_end.fmax,
        htk=front_end.mel_scale == "htk",
        norm=None if front_end.mel_norm == "none" else front_end.mel_norm,
    )
