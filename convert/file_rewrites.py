"""All that was rewritten on the way from a float model to a file, found in the file."""

from __future__ import annotations

from collections.abc import Mapping

from convert.graph.rewrite_check import Rewrite
from convert.quantization.quantize import rewritten
from convert.recipes import Recipe
from convert.winograd.fast_convolution import fast_rewrite


def all_rewrites(
    float_model: bytes, source: bytes, content: bytes, recipe: Recipe, kept: Mapping[str, str] | None = None
) -> tuple[Rewrite, ...]:
    """Return what a file has of all that its recipe claims, read from its bytes.

    Parameters
    ----------
    float_model : bytes
        With plain convolutions.
    source : bytes
        What was quantized: the same model, with fast convolutions where they pay.
    content : bytes
        What came out of that.
    recipe : Recipe
    kept : mapping of str to str, optional
        The exceptions that `quantize` was given.

    Raises
    ------
    RecipeUnfitError
        Not one layer is as the recipe says.
    """
    fast = fast_rewrite(float_model, content) if source is not float_model else None
    found = (fast, rewritten(source, content, recipe, kept))
    return tuple(one for one in found if one is not None)
