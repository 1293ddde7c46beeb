"""A recording as the bytes of a WAV file: 16 bits, mono."""

from __future__ import annotations

import io
import wave

from edge_runtime.audio.sample_format import ShortArray


def wav_bytes(shorts: ShortArray, sample_rate: int) -> bytes:
    """Return a 16-bit mono WAV file.

    Parameters
    ----------
    shorts : ndarray of int16
        See `edge_runtime.audio.sample_format.to_shorts` for samples that are floats.
    sample_rate : int
        Hz.
    """
    content = io.BytesIO()
    with wave.open(content, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(sample_rate)
        file.writeframes(shorts.astype("<i2").tobytes())
    return content.getvalue()
