"""Tables of what the contract says: the recipes, and how far a file may be from the trained model."""

from __future__ import annotations

from collections.abc import Iterable

from edge_runtime.parity.levels import FRONT_END_TOLERANCE, SCORES_TOLERANCE
from edge_runtime.parity.other_machines import MIN_INTEGER_AGREEMENT
from metadata.recipe import RECIPES, UNKNOWN_TOLERANCE, Recipe


def recipe_table() -> str:
    """Return the recipes as a Markdown table."""
    header = (
        "recipe",
        "what it is",
        "bits of weights / activations",
        "stays float32",
        "calibration",
        "when not",
        "instead",
    )
    return _table(header, (_recipe_row(recipe) for recipe in RECIPES.values()))


def parity_table() -> str:
    """Return the five levels of parity with their limits, level 3 recipe by recipe, as a Markdown table."""
    unknown = (UNKNOWN_TOLERANCE["decision_agreement"], UNKNOWN_TOLERANCE["accuracy_loss"])
    rows = [
        (
            "1",
            "front end: NumPy, the Keras layer and the exported graph, with librosa",
            f"relative error {_power(FRONT_END_TOLERANCE)}",
        ),
        (
            "2",
            "float `.tflite` with Keras, every test window",
            f"scores within {_power(SCORES_TOLERANCE)}, all decisions equal",
        ),
        *(
            (
                "3",
                f"`{name}` with float32, every test window",
                _limits(recipe.min_decision_agreement, recipe.max_accuracy_loss),
            )
            for name, recipe in RECIPES.items()
            if name != "float32"
        ),
        ("3", "a recipe of another tool or version", _limits(*unknown)),
        ("4", "the phone's path with the same windows cut offline", "equal bit for bit"),
        ("5", "levels 2 and 3 on TensorFlow Lite's built-in kernels", "as levels 2 and 3"),
        (
            "5",
            "float files on two machines, same windows",
            f"scores within {_power(SCORES_TOLERANCE)}, all decisions equal",
        ),
        ("5", "8-bit files on two machines, same windows", f"decisions {MIN_INTEGER_AGREEMENT:.1%} equal"),
    ]
    return _table(("level", "what is compared", "limit"), rows)


def _recipe_row(recipe: Recipe) -> tuple[str, ...]:
    """Return a recipe as the cells of a row."""
    stays = "everything" if "arithmetic" in recipe.stays_float else ", ".join(recipe.stays_float)
    return (
        f"`{recipe.name}`",
        recipe.description,
        f"{recipe.weight_bits} / {recipe.activation_bits}",
        stays,
        "yes" if recipe.needs_calibration else "no",
        recipe.when_not,
        f"`{recipe.instead}`" if recipe.instead else "",
    )


def _limits(agreement: float, loss: float) -> str:
    """Return the limits of level 3 in words."""
    return f"decisions at least {agreement:.1%} equal, accuracy at most {100 * loss:g} points lower"


def _power(value: float) -> str:
    """Return 1e-05 as 1e-5."""
    mantissa, exponent = f"{value:.0e}".split("e")
    return f"{mantissa}e{int(exponent)}"


def _table(header: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    """Return a Markdown table."""
    lines = [header, tuple("---" for _ in header), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)
