"""The named ways to store a model, and what each may cost."""

from __future__ import annotations

import difflib
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """A quantization setting with its tolerance.

    Attributes
    ----------
    name : str
        As it appears in file names and in the spec.
    description : str
        What is stored and computed how.
    when_not : str
        The reason to take another one.
    needs_calibration : bool
        Whether ranges are measured on real windows first.
    min_decision_agreement : float
        Share of test windows, 0 to 1, whose decision must equal the float model's.
    max_accuracy_loss : float
        How much accuracy, 0 to 1, the candidate may lose against the float model on the test split.
    """

    name: str
    description: str
    when_not: str
    needs_calibration: bool
    min_decision_agreement: float
    max_accuracy_loss: float


RECIPES: dict[str, Recipe] = {
    recipe.name: recipe
    for recipe in (
        Recipe(
            name="float32",
            description="Weights and arithmetic as trained.",
            when_not="Not where download size or battery counts: every other recipe is smaller.",
            needs_calibration=False,
            min_decision_agreement=1.0,
            max_accuracy_loss=0.0,
        ),
        Recipe(
            name="float16",
            description="Weights behind the front end stored in 16-bit floating point, arithmetic in float32.",
            when_not="Not for speed on a CPU: it halves the file and computes as float32 does.",
            needs_calibration=False,
            min_decision_agreement=0.995,
            max_accuracy_loss=0.002,
        ),
        Recipe(
            name="dynamic_int8",
            description=(
                "Weights in 8 bits, activations quantized as they occur, window by window; "
                "front end, first and last layer stay float32."
            ),
            when_not="Not where every window must take the same time or an accelerator demands integers throughout.",
            needs_calibration=False,
            min_decision_agreement=0.98,
            max_accuracy_loss=0.005,
        ),
        Recipe(
            name="int8",
            description=(
                "Weights in 8 bits, activations in 8 bits with ranges measured on calibration windows; "
                "input, front end, first and last layer and output stay float32."
            ),
            when_not="Not without recordings of the sounds the device will hear: ranges measured on others clip.",
            needs_calibration=True,
            min_decision_agreement=0.98,
            max_accuracy_loss=0.005,
        ),
    )
}


def find_recipe(name: str) -> Recipe:
    """Return the recipe of this name.

    Raises
    ------
    ValueError
        There is none; the text offers the nearest name.
    """
    if name in RECIPES:
        return RECIPES[name]
    nearest = difflib.get_close_matches(name.casefold(), RECIPES, n=1, cutoff=0.4)
    hint = f"; did you mean {nearest[0]}?" if nearest else ""
    raise ValueError(f"there is no recipe {name!r}; expected one of {', '.join(RECIPES)}{hint}")
