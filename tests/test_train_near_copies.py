"""A slightly changed copy on another side of a split is told where it is trained on."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
from conftest import SAMPLE_RATE

from edge_runtime.segments.segment import Segment
from train.checks.near_copies import describe_near_copies
from train.data import prepare
from train.recordings.clip import Clip
from train.recordings.clip_index import ClipIndex
from train.recordings.store.clip_store import LoadedClips

SIDES = ("train", "train", "val", "test")


def noise(seed: int) -> np.ndarray:
    """Three seconds of noise whose level wanders, as that of a recording does."""
    rng = np.random.default_rng(seed)
    sound = rng.standard_normal(3 * SAMPLE_RATE) * np.repeat(rng.uniform(0.2, 1.0, 30), SAMPLE_RATE // 10)
    return (0.1 * sound).astype(np.float32)


def loaded(waveforms) -> LoadedClips:
    clips = tuple(Clip(f"a/{n}.wav", ("a",), f"a/{n}", side) for n, side in enumerate(SIDES))
    return LoadedClips(ClipIndex(Path(), ("a",), clips), waveforms, [str(n) for n in range(len(SIDES))], [])


@pytest.mark.parametrize("copy", [2, 3])
def test_a_quieter_copy_on_another_side_is_named(copy):
    waveforms = [noise(seed) for seed in range(4)]
    waveforms[copy] = 0.5 * waveforms[1] + 0.001 * noise(9)

    told = describe_near_copies(loaded(waveforms), SAMPLE_RATE)

    assert told.startswith(
        "1 pair of clips on different sides of the split hold nearly the same audio, so that the scores promise too "
        f"much, such as a/1.wav (train) = a/{copy}.wav ({SIDES[copy]}), correlation "
    )
    assert told.endswith("`earproof data check DATA` names all, `data duplicates --out` gives each pair one group")


def test_a_copy_on_the_same_side_and_other_recordings_are_not_told():
    waveforms = [noise(seed) for seed in range(4)]
    assert describe_near_copies(loaded(waveforms), SAMPLE_RATE) == ""
    waveforms[1] = 0.5 * waveforms[0]
    assert describe_near_copies(loaded(waveforms), SAMPLE_RATE) == ""


@pytest.mark.parametrize(("onset", "expected"), [(1.0, "share audio but no event"), (0.5, "hold nearly the same")])
def test_annotated_recordings_on_one_background_are_told_apart_from_those_that_share_an_event(onset, expected):
    waveforms = [noise(seed) for seed in range(4)]
    waveforms[3] = 0.5 * waveforms[0]
    events = {
        "a/0.wav": (Segment(onset=0.5, offset=1.5, label="a"),),
        "a/3.wav": (Segment(onset=onset, offset=onset + 1.0, label="a"),),
    }
    clips = loaded(waveforms)
    annotated = replace(clips, index=replace(clips.index, events=events))
    assert expected in describe_near_copies(annotated, SAMPLE_RATE)


def test_what_is_loaded_to_train_on_is_looked_at(tmp_path, capsys):
    sounds = [noise(seed) for seed in range(6)]
    sounds[5] = 0.7 * sounds[0]
    clips = []
    for number, sound in enumerate(sounds):
        label, side = "ab"[number % 2], ("train", "val", "test")[number // 2]
        soundfile.write(tmp_path / f"{number}.wav", sound, SAMPLE_RATE)
        clips.append(Clip(f"{number}.wav", (label,), str(number), side))
    index = ClipIndex(tmp_path, ("a", "b"), tuple(clips))

    found = prepare.load_to_train(index, SAMPLE_RATE, tmp_path / "cache", strict=True).near_copies

    assert "such as 0.wav (train) = 5.wav (test), correlation" in found
    assert found in capsys.readouterr().err
