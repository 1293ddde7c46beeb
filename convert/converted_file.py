"""A file that a conversion made, and what it is."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from convert.graph.rewrite_check import Rewrite
from convert.quantization.mixed_precision import MixedPrecision
from convert.recipes import Recipe
from metadata import ModelSpec
from metadata.safe_name import safe_part

WAVEFORM_FORM = "waveform"
SPECTROGRAM_FORM = "spectrogram"


@dataclass(frozen=True)
class ConvertedFile:
    """One `.tflite` file and what it is.

    Attributes
    ----------
    path : Path
    form : str
        Input form. "waveform": the file takes samples; "spectrogram": it takes what the app computes.
    recipe : Recipe
    spec : ModelSpec
    float_model : bytes
        The float graph that it was made from, without metadata, layers as the recipes find them.
    mixed_precision : MixedPrecision, optional
        What had to stay float32, where the recipe finds that out.
    rewrites : tuple of Rewrite
        What was rewritten on the way, as found in the file itself.
    """

    path: Path
    form: str
    recipe: Recipe
    spec: ModelSpec
    float_model: bytes = field(repr=False)
    mixed_precision: MixedPrecision | None = None
    rewrites: tuple[Rewrite, ...] = ()


def file_name(spec: ModelSpec, form: str, recipe: Recipe) -> str:
    """Return the name of a file: model, form where it is not the waveform, recipe."""
    middle = "" if form == WAVEFORM_FORM else f"-{form}"
    return f"{safe_part(spec.name)}{middle}-{recipe.name}.tflite"
