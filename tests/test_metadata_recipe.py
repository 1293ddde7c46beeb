"""The recipes as desk and device both read them."""

import pytest

from metadata.recipe import ENDS, EVERYWHERE, RECIPES, UNKNOWN_TOLERANCE, find_tolerance


@pytest.mark.parametrize("name", list(RECIPES))
def test_the_tolerance_of_a_recipe_is_its_own(name):
    recipe = RECIPES[name]
    expected = {"decision_agreement": recipe.min_decision_agreement, "accuracy_loss": recipe.max_accuracy_loss}

    assert find_tolerance(name) == recipe.tolerance == expected


@pytest.mark.parametrize("name", ["", "int4", "INT8"])
def test_a_recipe_that_nobody_knows_has_the_stated_default(name):
    assert find_tolerance(name) == UNKNOWN_TOLERANCE == {"decision_agreement": 0.95, "accuracy_loss": 0.02}


def test_what_a_failed_recipe_falls_back_on_is_a_recipe_and_ends_at_float32():
    for name, recipe in RECIPES.items():
        seen = [name]
        while recipe.instead:
            recipe = RECIPES[recipe.instead]
            assert recipe.name not in seen
            seen.append(recipe.name)
        assert seen[-1] == "float32"


def test_bits_and_what_stays_float_agree_with_the_names():
    assert {name: recipe.weight_bits for name, recipe in RECIPES.items() if recipe.weight_bits != 8} == {
        "float32": 32,
        "float16": 16,
    }
    assert RECIPES["int16x8"].activation_bits == 16
    for recipe in RECIPES.values():
        assert set(recipe.stays_float) <= set(EVERYWHERE)
        assert ("input" not in recipe.stays_float) == recipe.integer_io
        assert ("arithmetic" in recipe.stays_float) == (recipe.activation_bits == 32)
    assert RECIPES["int8"].stays_float == ENDS
