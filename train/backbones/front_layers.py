"""The Keras layers between samples and what patches are cut from.

Axis order: rows (batch, frames, bands) of a spectrogram, (batch, samples) of a waveform.
"""

from __future__ import annotations

from typing import Any

from metadata import MelFrontEnd, WaveformFrontEnd


def rows_of(audio: Any, front_end: MelFrontEnd | WaveformFrontEnd, sample_rate: int, log_is_inside: bool) -> Any:
    """Return what patches are cut from.

    Parameters
    ----------
    audio : Keras tensor
        (batch, samples).
    front_end : MelFrontEnd or WaveformFrontEnd
    sample_rate : int
        Hz.
    log_is_inside : bool
        The logarithm is left to the network.
    """
    from keras import layers

    from train.layers.mel_layers import LogCompression, NaturalLog, mel_layer

    if isinstance(front_end, WaveformFrontEnd):
        return audio
    x = mel_layer(front_end, sample_rate)(audio)
    log: Any = None if log_is_inside else {"log10": LogCompression, "ln_plus": NaturalLog}.get(front_end.log)
    if log is not None:
        x = log(front_end.log_floor, name="log_compression")(x)
    return layers.Permute((2, 1), name="rows")(x)
