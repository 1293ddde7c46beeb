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
        events=found,
    )


def test_events_in_which_another_label_sounds_are_left_out():
    index = events_alone(_loaded((1, 2, "cat"), (2, 3.5, "dog"), (4, 6, "cat"), (5, 7, "dog")).index)
    assert [(event.onset, event.label) for event in index.events["a.wav"]] == [(1, "cat"), (2, "dog")]
    index = events_alone(_loaded((1, 2, "cat"), (4, 6, "cat"), (5, 7, "dog")).index)
    assert index.clips[0].labels == ("cat",)
    with pytest.raises(ValueError, match="in every event of scenes another label sounds"):
        events_alone(_loaded((4, 6, "cat"), (5, 7, "dog")).index)


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
    assert (cut.events, cut.index.events) == (None, None)
