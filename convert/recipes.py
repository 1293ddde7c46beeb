"""Which recipes a build makes, and those that the command line asks for; what they are is `metadata.recipe`."""

from __future__ import annotations

from collections.abc import Sequence

from metadata.nearest_name import did_you_mean
from metadata.recipe import RECIPES, Recipe

__all__ = ["ALL", "AUTO", "DEFAULT_RECIPES", "RECIPES", "REFERENCE", "Recipe", "choose_recipes", "find_recipe"]

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
    raise ValueError(f"there is no recipe {name!r}; expected one of {', '.join(RECIPES)}{did_you_mean(name, RECIPES)}")


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
