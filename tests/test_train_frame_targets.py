"""Frame targets are 1 where events cover at least half of a frame."""

import numpy as np
import pytest

from edge_runtime.segments.segment import Segment
from train.annotations.frame_targets import covered_shares, frame_targets, merged


def _event(onset, offset, label="dog"):
    return Segment(onset=onset, offset=offset, label=label)


def test_half_a_frame_counts_and_less_does_not():
    events = [_event(0.05, 0.3), _event(0.44, 0.51, "cat")]
    targets = frame_targets(events, ["cat", "dog"], 0.0, 6, 0.1)
    assert targets.dtype == np.float32
    assert targets.T.tolist() == [[0, 0, 0, 0, 1, 0], [1, 1, 1, 0, 0, 0]]


def test_a_window_is_cut_from_the_middle_and_may_begin_before_the_recording():
    assert frame_targets([_event(5.0, 6.0)], ["dog"], 4.5, 4, 0.5).ravel().tolist() == [0, 1, 1, 0]
    assert frame_targets([_event(0.0, 0.5)], ["dog"], -0.5, 3, 0.5).ravel().tolist() == [0, 1, 0]


def test_events_of_one_label_that_overlap_count_once():
    overlapping = [_event(0.0, 0.3), _event(0.1, 0.4), _event(0.2, 0.25)]
    assert covered_shares(overlapping, ["dog"], 0.0, 1, 1.0)[0, 0] == pytest.approx(0.4)
    assert merged([*overlapping, _event(0.4, 0.5), _event(0.1, 0.2, "cat")]) == (
        _event(0.0, 0.5),
        _event(0.1, 0.2, "cat"),
    )


def test_an_unknown_label_and_frames_of_no_length_are_refused():
    with pytest.raises(ValueError, match="labelled 'dog', but the labels are cat"):
        frame_targets([_event(0, 1)], ["cat"], 0.0, 2, 0.5)
    with pytest.raises(ValueError, match=r"2 frames of 0\.0 s"):
        frame_targets([], ["cat"], 0.0, 2, 0.0)
