"""What a comparison found, in words: the limit that was missed, what to try, and the verdict."""

import numpy as np
import pytest

from edge_runtime.parity.level_text import describe_failure, format_results, verdict_line, what_to_try
from edge_runtime.parity.levels import recipe_parity, score_parity
from metadata.recipe import RECIPES, find_tolerance


def scores_of(decided, num_labels=3):
    return (0.8 * np.eye(num_labels)[decided] + 0.1).astype(np.float32)


def compared(num_wrong, num_windows=1000, recipe="int8", truth=True):
    decided = np.arange(num_windows) % 3
    other = decided.copy()
    other[:num_wrong] = (other[:num_wrong] + 1) % 3
    groups = (np.arange(num_windows) // 10).astype(str)
    return recipe_parity(
        scores_of(decided),
        scores_of(other),
        decided if truth else None,
        groups if truth else None,
        find_tolerance(recipe),
        f"{recipe} against float",
        labels=("a", "b", "c"),
    )


def test_a_failure_shows_the_limit_and_what_to_try():
    result = compared(24, truth=False)

    assert not result.passed
    told = describe_failure(result.as_dict(), "int8")
    assert told.startswith("decision_agreement 0.976, needed 0.98; ")
    assert told.endswith("; try earproof convert RUN --out DIR --recipe auto")
    assert told in format_results([result], "int8")


def test_only_limits_that_were_missed_are_named():
    told = describe_failure(compared(24).as_dict(), "int8")

    assert "decision_agreement 0.976, needed 0.98" in told
    assert "accuracy_loss 0.024, at most 0.005" in told
    assert "max_abs_error" not in told


def test_a_limit_finer_than_one_window_is_one_window_in_words_too():
    result = compared(2, num_windows=30)

    assert not result.passed
    assert "decision_agreement 0.9333, needed 0.98" in describe_failure(result.as_dict(), "int8")
    assert compared(1, num_windows=30).passed


@pytest.mark.parametrize(
    ("recipe", "tried"),
    [("int8", "auto"), ("dynamic_int8", "auto"), ("auto", "float16"), ("int16x8", "float16"), ("float16", "float32")],
)
def test_each_recipe_has_another_to_try(recipe, tried):
    assert what_to_try(3, recipe) == f"try earproof convert RUN --out DIR --recipe {tried}"


def test_a_float_file_or_one_of_no_recipe_is_to_be_converted_again():
    assert "convert again" in what_to_try(2, "float32")
    assert "convert again" in what_to_try(3, "theirs")


@pytest.mark.parametrize("recipe", [name for name in RECIPES if name != "float32"])
def test_four_windows_in_a_hundred_decided_otherwise_fail_wherever_the_recipe_says_so(recipe):
    assert compared(40, recipe=recipe, truth=False).passed == (RECIPES[recipe].min_decision_agreement <= 0.96)


@pytest.mark.parametrize("thresholds", [None, (0.5, 0.5, 0.5)])
def test_agreement_on_one_and_the_same_answer_says_nothing_and_that_is_said(thresholds):
    flat = scores_of(np.full(20, 1))
    limits = find_tolerance("int8")
    same = recipe_parity(flat, flat, None, None, limits, "x", thresholds, labels=("a", "song", "c"))
    level2 = score_parity(flat, flat, "x", thresholds, ("a", "song", "c"))

    for result in (same, level2):
        assert result.passed
        assert "agreement says nothing: both always decide 'song'" in result.detail
    line = verdict_line({"net.tflite": [same]})
    assert line.startswith("verdict: pass: 1 file")
    assert "of net.tflite that says nothing" in line


def test_two_constant_answers_that_differ_are_no_agreement():
    limits = find_tolerance("int8")
    result = recipe_parity(scores_of(np.zeros(20, int)), scores_of(np.ones(20, int)), None, None, limits)

    assert not result.passed
    assert "says nothing" not in result.detail


def test_the_verdict_names_the_files_that_fail_and_at_which_levels():
    good, bad = compared(0), compared(200)

    assert verdict_line({"a": [good], "b": [good]}) == "verdict: pass: 2 files at every level that was compared"
    assert verdict_line({"a": [good], "b": [good, bad]}) == "verdict: FAIL: 1 of 2 files: b (level 3)"
    assert "FAIL: 1 bundle is not what its manifest says" in verdict_line({}, 1)
