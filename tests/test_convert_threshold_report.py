"""Thresholds for longer recordings: chosen on validation recordings, judged on others, worked out by hand."""

import numpy as np
import pytest

from convert.held_out.threshold_report import ArrangedScores, describe_thresholds, format_thresholds

RIGHT = np.array([[True, False], [False, True], [True, True]])


def _heard(true_scores, false_score, num_windows=2, levels=-20.0, truth=RIGHT):
    """Recordings whose true labels have one of the scores in one window only, all else the false score or 0.1."""
    scores = np.full((len(truth), num_windows, truth.shape[1]), 0.1, np.float32)
    scores[:, 0][~truth] = false_score
    scores[:, -1][truth] = true_scores
    groups = np.array([[f"a{row}", f"b{row}"] for row in range(len(truth))])
    return ArrangedScores(scores, np.full(scores.shape[:2], levels), truth, groups)


def _describe(validation, test, **changes):
    settings = {"thresholds": (0.5, 0.5), "silence_below_dbfs": None, **changes}
    return describe_thresholds(validation, test, **settings)


def test_a_threshold_that_one_wrong_window_does_not_pass_is_chosen_on_validation_recordings():
    validation = {"overlap": _heard(0.9, 0.6), "gap": _heard(0.9, 0.7)}
    # On the test side 0.85 would be right for both, which nobody may look at.
    test = {"overlap": _heard(0.86, 0.6), "gap": _heard(0.86, 0.84)}
    report = _describe(validation, test)
    assert report["chosen"]["merge"] == "maximum"
    assert report["chosen"]["threshold"] == pytest.approx(0.80, abs=0.011)  # the middle of 0.7 to 0.9
    assert report["chosen"]["exact_match"] == pytest.approx(1.0)
    rows = {(row["arrangement"], row["merge"]): row for row in report["recordings"]}
    overlap, gap = rows["overlap", "maximum"], rows["gap", "maximum"]
    assert overlap["thresholds"]["own"] == pytest.approx(0.75, abs=0.011)
    assert [overlap[name]["share"] for name in ("file", "common", "own")] == [pytest.approx(1 / 3), 1.0, 1.0]
    assert overlap["difference"]["points"] == pytest.approx(200 / 3)
    assert gap["common"]["share"] == pytest.approx(1 / 3)
    assert (gap["seconds"], gap["num_windows"], gap["num_recordings"]) == (12.0, 2, 3)


def test_under_the_mean_a_sound_in_few_windows_has_a_lower_threshold():
    report = _describe({"gap": _heard(0.9, 0.1, 5)}, {"gap": _heard(0.9, 0.1, 5)})
    (mean,) = [row for row in report["recordings"] if row["merge"] == "mean"]
    assert mean["thresholds"]["common"] == pytest.approx((0.1 + 0.26) / 2, abs=0.011)
    assert mean["file"]["share"] == 0.0
    assert mean["common"]["share"] == 1.0


def test_silent_windows_do_not_count():
    loud = _heard(0.9, 0.1)
    levels = loud.levels_dbfs.copy()
    scores = loud.scores.copy()
    levels[:, 0], scores[:, 0] = -80.0, 1.0
    noisy = ArrangedScores(scores, levels, loud.truth, loud.groups)
    assert np.array_equal(noisy.merged("maximum", -60.0), np.where(RIGHT, np.float32(0.9), np.float32(0.1)))
    assert (noisy.merged("maximum", None) == 1.0).all()


def test_recordings_of_a_single_speaker_tell_nothing_of_others():
    one = _heard(0.9, 0.6)
    alone = ArrangedScores(one.scores, one.levels_dbfs, one.truth, np.array([["a", "a"]] * len(one.truth)))
    report = _describe({"overlap": alone}, {"overlap": alone})
    assert report["recordings"][0]["difference"]["interval"] == [-100.0, 100.0]


def test_the_table_has_a_line_an_arrangement_and_rule():
    report = _describe({"overlap": _heard(0.9, 0.6)}, {"overlap": _heard(0.9, 0.6)})
    text = "\n".join(format_thresholds(report))
    assert text.count("8 s (overlap)") == 2
    assert "+66.7 [" in text
    assert "Best on validation recordings of these lengths together: `union, maximum` from 0.75 on, 100.0%" in text
