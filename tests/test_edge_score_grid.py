"""Frame scores of a recording become segments by thresholds, a median filter, a least duration and closed gaps."""

import numpy as np
import pytest

from edge_runtime.segments.score_grid import ScoreGrid, segments_of
from edge_runtime.segments.segment import Segment


def _grid(*columns, hop=0.1):
    return ScoreGrid(
        hop_seconds=hop,
        labels=tuple("ab"[: len(columns)]),
        scores=np.array(columns, np.float32).T.reshape(-1, len(columns)),
    )


def _times(segments):
    return [(round(one.onset, 6), round(one.offset, 6), one.label) for one in segments]


def test_a_segment_reaches_from_the_first_frame_over_the_threshold_to_the_end_of_the_last():
    found = segments_of(_grid([0.1, 0.6, 0.9, 0.2, 0.5]), (0.5,))
    assert _times(found) == [(0.1, 0.3, "a"), (0.4, 0.5, "a")]
    assert [one.score for one in found] == [pytest.approx(0.9), 0.5]


def test_each_label_has_its_own_threshold_and_segments_may_overlap():
    found = segments_of(_grid([0.4, 0.4, 0.0], [0.0, 0.6, 0.6]), (0.3, 0.5))
    assert _times(found) == [(0.0, 0.2, "a"), (0.1, 0.3, "b")]


def test_a_gap_of_just_the_given_length_is_closed_before_short_segments_are_left_out():
    grid = _grid([1, 0, 0, 0, 1, 0, 0, 0, 0, 1])
    assert _times(segments_of(grid, (0.5,), gap_seconds=0.3)) == [(0.0, 0.5, "a"), (0.9, 1.0, "a")]
    assert _times(segments_of(grid, (0.5,), gap_seconds=0.3, min_seconds=0.5)) == [(0.0, 0.5, "a")]
    assert segments_of(grid, (0.5,), gap_seconds=0.3, min_seconds=0.6) == ()


def test_a_median_of_three_takes_out_single_frames_and_keeps_edges():
    grid = _grid([0, 1, 0, 0, 1, 1, 1, 0, 1, 1])
    assert _times(segments_of(grid, (0.5,), median_frames=3)) == [(0.4, 1.0, "a")]


def test_a_recording_without_frames_has_no_segments():
    assert segments_of(_grid([]), (0.5,), median_frames=5) == ()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"thresholds": (0.5, 0.5)}, "2 thresholds for 1 label"),
        ({"median_frames": 2}, "median_frames is 2; expected an odd number"),
        ({"gap_seconds": -1.0}, "expected 0 or more"),
    ],
)
def test_settings_that_make_no_sense_are_refused(changes, said):
    with pytest.raises(ValueError, match=said):
        segments_of(_grid([0.5]), **{"thresholds": (0.5,), **changes})


def test_a_grid_that_is_none_is_refused():
    with pytest.raises(ValueError, match="hop_seconds is 0"):
        _grid([0.5], hop=0.0)
    with pytest.raises(ValueError, match="NaN"):
        _grid([np.nan])
    with pytest.raises(ValueError, match="one a label"):
        ScoreGrid(hop_seconds=0.1, labels=("a", "b"), scores=np.zeros((3, 1), np.float32))
    assert segments_of(_grid([0.5]), (0.5,)) == (Segment(onset=0.0, offset=0.1, label="a", score=0.5),)
