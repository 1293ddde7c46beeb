"""What is in no window at the ends of clips is counted; the test side is cut as `classify` cuts."""

import inspect
from pathlib import Path

import numpy as np
import pytest

from edge_runtime.audio.windows import DEFAULT_TAIL, Windowing, cut_windows, window_starts
from edge_runtime.model.classifier import Classifier
from train.recordings.clip_index import Clip, ClipIndex
from train.recordings.store.clip_store import LoadedClips
from train.recordings.unheard_tails import describe_unheard, unheard_samples
from train.settings import TrainingSettings
from train.tasks.task import OneLabel


@pytest.mark.parametrize(
    ("num_samples", "tail", "unheard"),
    [
        (100, "drop", 0),
        (99, "drop", 0),  # a short clip is one padded window
        (101, "drop", 1),
        (199, "drop", 99),
        (200, "drop", 0),
        (250, "drop", 50),
        (250, "pad", 0),
        (250, "align", 0),
    ],
)
def test_the_samples_behind_the_last_window_are_counted(num_samples, tail, unheard):
    assert unheard_samples(num_samples, 100, 100, tail) == unheard


def _clips(lengths, split="test"):
    rng = np.random.default_rng(0)
    clips = [Clip(f"a/{n}.wav", ("a", "b")[n % 2 :][:1], f"g{n}", split) for n in range(len(lengths))]
    waveforms = [rng.normal(0, 0.1, length).astype(np.float32) for length in lengths]
    index = ClipIndex(Path("."), ("a", "b"), tuple(clips))
    return LoadedClips(index, waveforms, tuple(str(n) for n in range(len(lengths))), [])


def test_seconds_and_share_of_what_is_left_out_are_told_and_nothing_where_all_is_heard():
    clips = _clips([250, 400, 150], "val")

    told = describe_unheard(clips, "val", "validation", 100, 100, 0, "drop")
    assert told.startswith("validation leaves out the last stretch of 2 of 3 clips")
    assert told.endswith("1.0 s, 12.5% of its sound")
    assert describe_unheard(clips, "val", "validation", 100, 100, 0, "pad") == ""
    assert describe_unheard(clips, "val", "validation", 100, 50, 0, "drop") == ""


def test_the_test_side_is_cut_as_classify_cuts_and_validation_as_the_settings_say():
    lengths = [250, 400, 150, 30]
    settings = TrainingSettings()
    test = OneLabel().held_out(_clips(lengths), "test", 100, settings)
    val = OneLabel().held_out(_clips(lengths, "val"), "val", 100, settings)

    assert settings.tail == "drop"
    expected = np.concatenate([cut_windows(one, 100, 100) for one in _clips(lengths).waveforms])
    assert np.array_equal(test.windows, expected)
    assert np.bincount(test.clips).tolist() == [3, 4, 2, 1]
    assert np.bincount(val.clips).tolist() == [2, 4, 1, 1]


@pytest.mark.parametrize(
    "function",
    [
        window_starts,
        cut_windows,
        Classifier.classify,
        Classifier.classify_file,
        Windowing,
    ],
)
def test_whatever_cuts_recordings_has_the_same_rule_for_their_end(function):
    assert inspect.signature(function).parameters["tail"].default == DEFAULT_TAIL
