"""The recipes and how a name finds one."""

from __future__ import annotations

import dataclasses
import subprocess
import sys

import pytest

from convert.recipes import RECIPES, find_recipe


def test_the_recipes_are_listed_under_their_names_from_largest_to_smallest():
    assert list(RECIPES) == ["float32", "float16", "dynamic_int8", "int8"]
    assert all(name == recipe.name for name, recipe in RECIPES.items())


def test_only_int8_needs_calibration():
    assert [name for name, recipe in RECIPES.items() if recipe.needs_calibration] == ["int8"]


def test_every_recipe_says_what_it_does_and_when_not_to_take_it():
    for recipe in RECIPES.values():
        assert recipe.description.endswith(".")
        assert recipe.when_not.startswith("Not ")


def test_tolerances_are_shares_and_int8_may_lose_half_a_point():
    for recipe in RECIPES.values():
        assert 0.9 < recipe.min_decision_agreement <= 1.0
        assert 0.0 <= recipe.max_accuracy_loss <= 0.005


def test_a_recipe_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        find_recipe("int8").name = "int4"


@pytest.mark.parametrize(
    ("wrong", "nearest"), [("int_8", "int8"), ("INT8", "int8"), ("float-16", "float16"), ("dynamic", "dynamic_int8")]
)
def test_a_wrong_name_is_answered_with_the_nearest(wrong, nearest):
    with pytest.raises(ValueError, match=f"did you mean {nearest}") as refusal:
        find_recipe(wrong)
    assert repr(wrong) in str(refusal.value)


def test_a_name_like_no_other_lists_all_recipes():
    with pytest.raises(ValueError, match=r"float32, float16, dynamic_int8, int8$"):
        find_recipe("qqqq")


def test_importing_the_package_loads_nothing_heavy():
    heavy = ("keras", "tensorflow", "ai_edge_litert", "ai_edge_quantizer", "librosa")
    program = f"import convert, sys; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
