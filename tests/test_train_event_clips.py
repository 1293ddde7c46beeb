"""Events of annotated recordings are cut out as clips where they sound alone."""

from pathlib import Path

import numpy as np
import pytest

from edge_runtime.segments.segment import Segment
from train.annotations.event_clips import cut_events, events_alone
from train.recordings.clip import Clip
from train.recordings.clip_index import ClipIndex
from train.recordings.store.clip_store import LoadedClips


def _loaded(*events):
    clip = Clip("a.wav", ("cat", "dog"), "kitchen", "train")
    found = {"a.wav": tuple(Segment(onset=on, offset=off, label=label) for on, off, label in events)}
    return LoadedClips(
        ClipIndex(Path("scenes"), ("cat", "dog"), (clip,), events=found),
        [np.arange(100, dtype=np.float32)],
        ["x"],
        [],
    )


@pytest.mark.parametrize(
    ("others", "expected"),
    [
        ([], (2, 6)),
        ([(0, 2), (6, 8)], (2, 6)),
        ([(1, 3)], (3, 6)),
        ([(5, 9)], (2, 5)),
        ([(2.6, 3), (4, 4.5)], (4.5, 6)),
        ([(2.5, 5.8)], (2, 2.5)),
        ([(2.4, 5.8)], None),
        ([(0, 9)], None),
        ([(0, 9), (3, 4)], None),
    ],
)
def test_the_longest_stretch_of_an_event_in_which_no_other_label_sounds_is_kept(others, expected):
    index = events_alone(_loaded((2, 6, "cat"), *((on, off, "dog") for on, off in others), (9, 9.1, "dog")).index)
    kept = [(event.onset, event.offset) for event in index.events["a.wav"] if event.label == "cat"]
    assert kept == ([expected] if expected else [])
    assert ("cat" in index.clips[0].labels) == bool(expected)
    assert (9, 9.1) in [(event.onset, event.offset) for event in index.events["a.wav"]]  # short, but all of it alone


def test_recordings_in_which_nothing_sounds_alone_are_refused():
    with pytest.raises(ValueError, match="in every event of scenes another label sounds"):
        events_alone(_loaded((4, 6, "cat"), (4.1, 6.1, "dog")).index)


def test_every_event_is_cut_out_as_a_clip_that_says_where_it_was():
    cut = cut_events(_loaded((1, 2, "cat"), (2, 3.5, "dog")), 10)
    assert [(clip.labels, clip.split, clip.group) for clip in cut.index.clips] == [
        (("cat",), "train", "kitchen"),
        (("dog",), "train", "kitchen"),
    ]
    assert [(clip.original, clip.start_s, clip.end_s) for clip in cut.index.clips] == [
        ("a.wav", "1.000000", "2.000000"),
        ("a.wav", "2.000000", "3.500000"),
    ]
    assert [waveform.tolist() for waveform in cut.waveforms] == [list(range(10, 20)), list(range(20, 35))]
    assert len(set(cut.digests)) == 2
    assert cut.events is None
