"""The annotations of a training are kept beside its split, and its hash of the data tells them apart."""

from dataclasses import replace

import numpy as np
import pytest

from edge_runtime.segments.segment import Segment
from train.annotations.event_file import with_events, write_events
from train.recordings.clip import Clip
from train.recordings.clip_index import ClipIndex
from train.recordings.store.clip_store import LoadedClips

DOG, CAT = Segment(onset=0.25, offset=1 / 3, label="dog"), Segment(onset=0.5, offset=1.0, label="cat")


def _clips(tmp_path, events):
    index = ClipIndex(
        tmp_path / "data", ("cat", "dog"), tuple(Clip(name, ("dog",), name) for name in ("a", "b, c")), events=events
    )
    return LoadedClips(index, [np.zeros(8, np.float32)] * 2, ["0", "1"], [])


def test_events_read_back_to_the_microsecond_with_the_same_hash(tmp_path):
    clips = _clips(tmp_path, {"a": (DOG, CAT), "b, c": ()})
    write_events(tmp_path / "events.csv", clips)
    read = with_events(replace(clips, index=replace(clips.index, events=None)), tmp_path / "events.csv")
    assert read.events == {"a": (replace(DOG, offset=0.333333), CAT), "b, c": ()}
    assert read.data_sha256() == clips.data_sha256()


def test_the_hash_of_the_data_tells_other_events_and_none(tmp_path):
    sets = [None, {"a": (DOG,), "b, c": ()}, {"a": (CAT,), "b, c": ()}, {"a": (), "b, c": (DOG,)}]
    assert len({_clips(tmp_path, events).data_sha256() for events in sets}) == 4


def test_chosen_clips_keep_their_events(tmp_path):
    assert _clips(tmp_path, {"a": (DOG,), "b, c": (CAT,)}).chosen([1]).events["b, c"] == (CAT,)


def test_a_table_that_lacks_a_recording_and_clips_without_annotations_are_refused(tmp_path):
    (tmp_path / "events.csv").write_text("filename,onset,offset,event_label\ndata/a,0,1,dog\n")
    with pytest.raises(ValueError, match="does not name b, c"):
        with_events(_clips(tmp_path, None), tmp_path / "events.csv")
    with pytest.raises(ValueError, match="have none"):
        write_events(tmp_path / "other.csv", _clips(tmp_path, None))
