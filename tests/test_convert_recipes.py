"""The recipes and how a name finds one."""

from __future__ import annotations

import dataclasses
import subprocess
import sys

import pytest

from convert.recipes import DEFAULT_RECIPES, RECIPES, choose_recipes, find_recipe


def test_the_recipes_are_listed_under_their_names_the_default_ones_first():
    assert list(RECIPES)[:4] == list(DEFAULT_RECIPES) == ["float32", "float16", "dynamic_int8", "int8"]
    assert {"int8_io", "int16x8", "auto"} < set(RECIPES)
    assert all(name == recipe.name for name, recipe in RECIPES.items())


def test_recipes_with_fixed_ranges_need_calibration_and_the_others_do_not():
    static = [name for name in ("int8", "int8_io", "int16x8", "auto") if RECIPES[name].needs_calibration]
    assert static == ["int8", "int8_io", "int16x8", "auto"]
    assert not any(RECIPES[name].needs_calibration for name in ("float32", "float16", "dynamic_int8"))


def test_integer_input_and_output_are_said_to_be_refused_by_mediapipe():
    assert [name for name, recipe in RECIPES.items() if recipe.integer_io] == ["int8_io"]
    assert "MediaPipe refuses an int8 input" in RECIPES["int8_io"].when_not


def test_int16x8_says_that_it_is_slow_on_a_cpu():
    assert "25 to 40 times slower" in RECIPES["int16x8"].when_not


def test_every_recipe_says_what_it_does_and_when_not_to_take_it():
    for recipe in RECIPES.values():
        assert recipe.description.endswith(".")
        assert recipe.when_not.startswith("Not ")


def test_tolerances_are_shares_and_only_integer_input_may_lose_more_than_half_a_point():
    for recipe in RECIPES.values():
        assert 0.9 < recipe.min_decision_agreement <= 1.0
        assert 0.0 <= recipe.max_accuracy_loss <= (0.03 if recipe.integer_io else 0.005)


def test_without_names_the_default_recipes_are_made():
    assert tuple(recipe.name for recipe in choose_recipes(None)) == DEFAULT_RECIPES


def test_float32_is_always_made_because_the_others_are_compared_with_it():
    assert [recipe.name for recipe in choose_recipes(["int16x8"])] == ["float32", "int16x8"]


def test_all_stands_for_every_recipe():
    assert [recipe.name for recipe in choose_recipes(["all"])] == list(RECIPES)


def test_a_wrong_name_beside_all_is_still_refused():
    with pytest.raises(ValueError, match="did you mean int8"):
        choose_recipes(["all", "int_8"])


def test_a_recipe_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        find_recipe("int8").name = "int4"


@pytest.mark.parametrize(
    ("wrong", "nearest"),
    [("int_8", "int8"), ("INT8", "int8"), ("float-16", "float16"), ("dynamic", "dynamic_int8"), ("int16_8", "int16x8")],
)
def test_a_wrong_name_is_answered_with_the_nearest(wrong, nearest):
    with pytest.raises(ValueError, match=f"did you mean {nearest}") as refusal:
        find_recipe(wrong)
    assert repr(wrong) in str(refusal.value)


def test_a_name_like_no_other_lists_all_recipes():
    with pytest.raises(ValueError, match=r"float32, float16, dynamic_int8, int8, int8_io"):
        find_recipe("qqqq")


def test_importing_the_package_loads_nothing_heavy():
    heavy = ("keras", "tensorflow", "ai_edge_litert", "ai_edge_quantizer", "librosa")
    program = f"import convert, sys; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
