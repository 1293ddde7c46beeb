"""The named ways to store a model, and what each may cost."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
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
    integer_io : bool
        Whether input and output are integers, which phones and browsers do not take.
    """

    name: str
    description: str
    when_not: str
    needs_calibration: bool
    min_decision_agreement: float
    max_accuracy_loss: float
    integer_io: bool = False


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
        Recipe(
            name="int8_io",
            description=(
                "Integers from the input to the scores, as accelerators and microcontrollers take them: weights, "
                "activations, input and output in 8 bits with measured ranges; only a front end that computes stays "
                "float32."
            ),
            when_not=(
                "Not on Android or the web: MediaPipe refuses an int8 input. Not where quiet sounds count: a waveform "
                "of 8 bits ends 48 dB below its loudest sample, and scores come in steps of 1/256."
            ),
            needs_calibration=True,
            min_decision_agreement=0.95,
            max_accuracy_loss=0.03,
            integer_io=True,
        ),
        Recipe(
            name="int16x8",
            description=(
                "Weights in 8 bits, activations in 16 bits with measured ranges, from the first layer to the scores; "
                "float32 input, front end and output."
            ),
            when_not=(
                "Not on a phone, a Raspberry Pi or the web: these kernels are 25 to 40 times slower than float32 on a "
                "CPU. It is for signal processors with 16-bit arithmetic."
            ),
            needs_calibration=True,
            min_decision_agreement=0.98,
            max_accuracy_loss=0.005,
        ),
        Recipe(
            name="auto",
            description=(
                "As int8, but layers that lose too much take their ranges anew in each window, or stay float32: as few "
                "as make 99 % of the decisions on validation windows those of float32, by XNNPACK and by TensorFlow "
                "Lite's built-in kernels."
            ),
            when_not="Not where int8 decides so by itself: the two are then the same file.",
            needs_calibration=True,
            min_decision_agreement=0.98,
            max_accuracy_loss=0.005,
        ),
    )
}
REFERENCE = "float32"
AUTO = "auto"
DEFAULT_RECIPES = ("float32", "float16", "dynamic_int8", "int8")  # what a build makes without being asked
ALL = "all"  # the word for every recipe


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


def choose_recipes(names: Sequence[str] | None) -> list[Recipe]:
    """Return the recipes of these names and float32, which the others are compared with, in the order of `RECIPES`.

    Parameters
    ----------
    names : sequence of str, optional
        Without any the default ones; "all" stands for every one.

    Raises
    ------
    ValueError
        A name that is none; the text offers the nearest.
    """
    wanted = {find_recipe(name).name for name in names or DEFAULT_RECIPES if name != ALL}
    return [recipe for recipe in RECIPES.values() if recipe.name in wanted | {REFERENCE} or ALL in (names or ())]
