"""The named ways to store a model, and what each may cost: the contract that desk and device both read.

How a recipe is carried out is `convert`'s; what a file of it may lose against the float file is judged by what stands
here, by `earproof convert` and by `earproof parity` alike.
"""

from __future__ import annotations

from dataclasses import dataclass

ENDS = ("input", "front end", "first layer", "last layer", "output")
EVERYWHERE = (*ENDS, "arithmetic")


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """A quantization setting with its tolerance.

    Attributes
    ----------
    name : str
        As it appears in file names and in the spec.
    description : str
        What is stored and computed how.
    weight_bits, activation_bits : int
        Of the layers that the recipe names; 32 and 16 are floating point but for `int16x8`, whose activations are
        integers.
    stays_float : tuple of str
        What keeps its floating point; `arithmetic` where nothing is computed in integers.
    when_not : str
        The reason to take another one.
    needs_calibration : bool
        Whether ranges are measured on real windows first.
    min_decision_agreement : float
        Share of test windows, 0 to 1, whose decision must equal the float model's.
    max_accuracy_loss : float
        How much accuracy, 0 to 1, the candidate may lose against the float model on the test split.
    instead : str
        The recipe to try where a file fails its parity; empty for float32, which has nothing to fall back on.
    integer_io : bool
        Whether input and output are integers, which phones and browsers do not take.
    """

    name: str
    description: str
    when_not: str
    weight_bits: int
    activation_bits: int
    stays_float: tuple[str, ...]
    needs_calibration: bool
    min_decision_agreement: float
    max_accuracy_loss: float
    instead: str = ""
    integer_io: bool = False

    @property
    def tolerance(self) -> dict[str, float]:
        """The limits of parity level 3."""
        return {
            "decision_agreement": self.min_decision_agreement,
            "accuracy_loss": self.max_accuracy_loss,
        }


RECIPES: dict[str, Recipe] = {
    recipe.name: recipe
    for recipe in (
        Recipe(
            name="float32",
            description="Weights and arithmetic as trained.",
            when_not="Not where download size or battery counts: every other recipe is smaller.",
            weight_bits=32,
            activation_bits=32,
            stays_float=EVERYWHERE,
            needs_calibration=False,
            min_decision_agreement=1.0,
            max_accuracy_loss=0.0,
        ),
        Recipe(
            name="float16",
            description="Weights behind the front end stored in 16-bit floating point, arithmetic in float32.",
            when_not="Not for speed on a CPU: it halves the file and computes as float32 does.",
            weight_bits=16,
            activation_bits=32,
            stays_float=EVERYWHERE,
            needs_calibration=False,
            min_decision_agreement=0.995,
            max_accuracy_loss=0.002,
            instead="float32",
        ),
        Recipe(
            name="dynamic_int8",
            description=(
                "Weights in 8 bits, activations quantized as they occur, window by window; "
                "front end, first and last layer stay float32."
            ),
            when_not="Not where every window must take the same time or an accelerator demands integers throughout.",
            weight_bits=8,
            activation_bits=8,
            stays_float=ENDS,
            needs_calibration=False,
            min_decision_agreement=0.98,
            max_accuracy_loss=0.005,
            instead="auto",
        ),
        Recipe(
            name="int8",
            description=(
                "Weights in 8 bits, activations in 8 bits with ranges measured on calibration windows; "
                "input, front end, first and last layer and output stay float32."
            ),
            when_not="Not without recordings of the sounds the device will hear: ranges measured on others clip.",
            weight_bits=8,
            activation_bits=8,
            stays_float=ENDS,
            needs_calibration=True,
            min_decision_agreement=0.98,
            max_accuracy_loss=0.005,
            instead="auto",
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
            weight_bits=8,
            activation_bits=8,
            stays_float=("front end",),
            needs_calibration=True,
            min_decision_agreement=0.95,
            max_accuracy_loss=0.03,
            instead="int8",
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
            weight_bits=8,
            activation_bits=16,
            stays_float=("input", "front end", "output"),
            needs_calibration=True,
            min_decision_agreement=0.98,
            max_accuracy_loss=0.005,
            instead="float16",
        ),
        Recipe(
            name="auto",
            description=(
                "As int8, but layers that lose too much take their ranges anew in each window, or stay float32: as few "
                "as make 99 % of the decisions on validation windows those of float32, by XNNPACK and by TensorFlow "
                "Lite's built-in kernels."
            ),
            when_not="Not where int8 decides so by itself: the two are then the same file.",
            weight_bits=8,
            activation_bits=8,
            stays_float=ENDS,
            needs_calibration=True,
            min_decision_agreement=0.98,
            max_accuracy_loss=0.005,
            instead="float16",
        ),
    )
}
UNKNOWN_TOLERANCE = {"decision_agreement": 0.95, "accuracy_loss": 0.02}
"""Level 3 of a file whose recipe nobody here knows: somebody else's, or of a later version."""


def find_tolerance(recipe: str) -> dict[str, float]:
    """Return the limits of parity level 3 for a recipe, those of an unknown one for any other name.

    Returns
    -------
    dict of str to float
        `decision_agreement`: at least this share of the windows; `accuracy_loss`: at most this much, both 0 to 1.
    """
    return RECIPES[recipe].tolerance if recipe in RECIPES else dict(UNKNOWN_TOLERANCE)
