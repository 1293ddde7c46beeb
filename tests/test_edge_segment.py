"""Labelled stretches of a recording."""

import pytest

from edge_runtime.segments.segment import Segment


def test_segments_sort_by_their_onset():
    later, earlier = Segment(onset=1.0, offset=2.0, label="a"), Segment(onset=0.5, offset=3.0, label="b")

    assert sorted([later, earlier]) == [earlier, later]
    assert later.duration == 1.0


@pytest.mark.parametrize(
    ("onset", "offset", "label", "score"),
    [
        (1.0, 1.0, "a", None),
        (2.0, 1.0, "a", None),
        (-0.1, 1.0, "a", None),
        (float("nan"), 1.0, "a", None),
        (0.0, float("inf"), "a", None),
        (0.0, 1.0, "", None),
        (0.0, 1.0, "a", 1.5),
        (0.0, 1.0, "a", float("nan")),
    ],
)
def test_a_segment_that_is_none_is_refused(onset, offset, label, score):
    with pytest.raises(ValueError, match="segment"):
        Segment(onset=onset, offset=offset, label=label, score=score)
