"""The input of the attention RNN of arXiv 1808.08929, independent of the batch: a log mel with its level evened out.

80 HTK bands of magnitudes between 40 Hz and 8 kHz, a frame every 40 ms; a model may bring frames and bands of its own.
The publication takes mean and deviation over the whole batch; here each window has its own. Frames are centred and the
level is evened out, so that gain does not count as a source.
Axis order of the rows: (batch, time, mel, channels).
"""

from __future__ import annotations

from typing import Any

from metadata import MelFrontEnd

SAMPLE_RATE = 16_000  # Hz
WINDOW_LENGTH = 80_000  # samples
HOP_LENGTH = 640  # samples
NUM_MELS = 80
NUM_FRAMES = 1 + WINDOW_LENGTH // HOP_LENGTH

# Mel magnitudes of a window come to an RMS of 1; 0.03 is that of noise with an RMS amplitude of 2.2e-4.
LEVEL_TARGET, LEVEL_FLOOR = 1.0, 0.03
# 60 dB below the window's level. Lower ones would tell clips that were padded with digital silence, which are single
# sources, from all others, and would leave the sounds themselves a small part of the standard deviation.
LOG_FLOOR = 1e-3

FRONT_END = MelFrontEnd(
    n_fft=1024,
    hop_length=HOP_LENGTH,
    win_length=1024,
    power=1.0,
    pad_mode="reflect",
    n_mels=NUM_MELS,
    fmin=40.0,
    fmax=8000.0,
    mel_scale="htk",
    mel_norm="none",
    log="log10",
    log_floor=LOG_FLOOR,
)


def input_and_rows(keras: Any, front_end: MelFrontEnd = FRONT_END, level_floor: float = LEVEL_FLOOR) -> tuple[Any, Any]:
    """Return the input of a network and the rows that it goes on with, (batch, frames, mel bands, 1).

    With tf_keras, which has no `keras.ops` layers, the front end is left out and the input is the rows themselves.

    Parameters
    ----------
    keras : module
        Namespace to build with.
    front_end : MelFrontEnd
        With centred frames and logarithm as here. Its mel magnitudes are brought to `LEVEL_TARGET`.
    level_floor : float
        RMS of mel magnitudes below which a window is not made louder; it depends on the front end.
    """
    shape = (1 + WINDOW_LENGTH // front_end.hop_length, front_end.n_mels, 1)
    if keras.__name__ == "keras":
        audio = keras.layers.Input((WINDOW_LENGTH,), name="audio")
        return audio, _rows(audio, front_end, level_floor, shape)
    rows = keras.layers.Input(shape, name="rows")
    return rows, rows


def _rows(audio: Any, front_end: MelFrontEnd, level_floor: float, shape: tuple[int, int, int]) -> Any:
    """Return the log mel of the window, standardized by itself.

    The level is evened out behind the mel filters: so the form of the model that is fed with mel does that too.
    """
    from keras import layers

    from train.layers.mel_layers import EvenLevel, LogCompression, WindowStandardization, mel_layer

    num_frames, num_mels, _ = shape
    x = mel_layer(front_end, SAMPLE_RATE)(audio)
    x = layers.Reshape((num_mels * num_frames,), name="values")(x)
    x = EvenLevel(LEVEL_TARGET, level_floor, name="even_level")(x)
    x = LogCompression(front_end.log_floor, name="log_compression")(x)
    x = WindowStandardization(name="standardization")(x)
    x = layers.Reshape((num_mels, num_frames), name="bands")(x)
    x = layers.Permute((2, 1), name="frames")(x)
    return layers.Reshape(shape, name="rows")(x)
