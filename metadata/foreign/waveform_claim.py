"""Whether what a model takes can be a waveform: its shape, its length in time, and what the graph makes of it."""

from __future__ import annotations

import math
from typing import NamedTuple

from metadata.plural import counted
from metadata.tflite_file.model_content import ModelContent, TensorInfo

SHORTEST_SECONDS = 0.01  # no classifier hears less
SHORT_SECONDS = 0.05  # below it somebody must have said that it is a waveform
_TABLE_SECONDS = 0.5  # below it a table made of the input is taken for a spectrogram
_SHORT_SAMPLES = 400  # SHORT_SECONDS at 8 kHz, where the rate is not known
_TABLE_SIDE = 8  # rows and columns of a table that may be a spectrogram
_SAME_VALUES = ("QUANTIZE", "DEQUANTIZE", "CAST")


class WaveformClaim(NamedTuple):
    """What speaks against an input being a waveform, each empty where nothing does.

    Attributes
    ----------
    refusal : str
        It is none, whatever anybody says.
    doubt : str
        It is none unless the user or the metadata says so.
    is_spectrogram : bool
        It has the shape of one.
    """

    refusal: str = ""
    doubt: str = ""
    is_spectrogram: bool = False


def waveform_claim(content: ModelContent, sample_rate: int | None) -> WaveformClaim:
    """Look at the input of a model of one input.

    Parameters
    ----------
    content : ModelContent
    sample_rate : int, optional
        Hz, above 0, of the waveform that it is said to take.
    """
    graph = content.graphs[0]
    audio = graph.tensors[graph.inputs[0]]
    if audio.is_open and audio.size == 1:
        return WaveformClaim(refusal=f"the model takes {audio} of open length; export it for windows of one length")
    if max(audio.shape, default=0) != audio.size:
        refusal = (
            f"the model takes {audio}; expected a waveform: [1, n], [n] or [1, n, 1]. "
            "Is it a spectrogram, which is no waveform? Nothing says how to compute it"
        )
        return WaveformClaim(refusal=refusal, is_spectrogram=True)
    if sample_rate is None:
        doubt = f"the model takes {counted(audio.size, 'number')}, too few for a waveform"
        return WaveformClaim(doubt=doubt if audio.size < _SHORT_SAMPLES else "")
    seconds = audio.size / sample_rate
    length = f"the model takes {counted(audio.size, 'number')}, {seconds * 1000:.3g} ms at {sample_rate} Hz"
    if seconds < SHORTEST_SECONDS:
        what = "too short for a waveform. Are these features such as MFCC? Nothing here computes those"
        return WaveformClaim(refusal=f"{length}: {what}")
    if seconds < SHORT_SECONDS:
        return WaveformClaim(doubt=f"{length}, which is short for a waveform; are these features such as MFCC?")
    sides = _table_sides(content, audio) if seconds < _TABLE_SECONDS else ()
    table = " x ".join(map(str, sides))
    return WaveformClaim(doubt=f"{length}, and makes a table of {table} of them, as of a spectrogram" if sides else "")


def _table_sides(content: ModelContent, audio: TensorInfo) -> tuple[int, ...]:
    """The sides of the table that the first operator makes of the input, empty where it makes none."""
    graph, place = content.graphs[0], audio.place
    for operator in graph.operators:
        if place not in operator.inputs or not operator.outputs:
            continue
        made = graph.tensors[operator.outputs[0]]
        if operator.name in _SAME_VALUES:
            place = made.place
        elif operator.name == "RESHAPE":
            sides = tuple(length for length in made.shape if length != 1)
            is_table = len(sides) == 2 and min(sides) >= _TABLE_SIDE and math.prod(sides) == audio.size
            return sides if is_table else ()
    return ()
