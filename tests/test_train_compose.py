"""Composed scenes: an event is where its annotation says, as loud as asked, and the same seed makes it again."""

import itertools

import numpy as np
import pytest

from train.annotations.compose import SceneClips, SceneSettings, clips_of_side, compose_scene
from train.recordings.clip import Clip
from train.recordings.clip_index import ClipIndex
from train.recordings.store.clip_store import LoadedClips

RATE = 1000


def _noise(seconds, level=0.01, seed=0):
    return (level * np.random.default_rng(seed).standard_normal(round(seconds * RATE))).astype(np.float32)


def _scenes(settings, count=30, clips=None):
    clips = clips or SceneClips([_noise(5, 0.1, 1), _noise(0.5, 0.1, 2)], ["dog", "cat"], [_noise(20)], RATE)
    rng = np.random.default_rng(5)
    return [compose_scene(rng, clips, settings) for _ in range(count)]


def test_the_same_seed_makes_the_same_scenes():
    first, second = _scenes(SceneSettings(), 3), _scenes(SceneSettings(), 3)
    assert [scene.events for scene in first] == [scene.events for scene in second]
    assert all(np.array_equal(one.waveform, other.waveform) for one, other in zip(first, second, strict=True))


def test_an_event_is_as_much_above_the_background_as_was_asked():
    settings = SceneSettings(seconds=5, num_events=(1, 1), event_seconds=(2, 2), snr_db=(20, 20))
    clips = SceneClips([_noise(5, 0.3, 1)], ["dog"], [_noise(20, 0.002)], RATE)
    for scene in _scenes(settings, clips=clips):
        waveform, (event,) = scene.waveform, scene.events
        assert event.duration == pytest.approx(2.0)
        heard = np.zeros(len(waveform), bool)
        heard[round(event.onset * RATE) : round(event.offset * RATE)] = True
        levels = [float(np.sqrt(np.mean(waveform[which] ** 2))) for which in (heard, ~heard)]
        assert 20 * np.log10(levels[0] / levels[1]) == pytest.approx(20.0, abs=0.6)


def test_no_more_events_sound_together_than_allowed_and_none_beyond_the_end():
    for scene in _scenes(SceneSettings(seconds=6, num_events=(4, 6), max_polyphony=1)):
        events = scene.events
        assert events
        assert all(one.offset <= other.onset + 1e-9 for one, other in itertools.pairwise(events))
        assert events[-1].offset <= 6.0


def test_a_scene_that_would_clip_is_turned_down_and_keeps_its_length():
    for scene in _scenes(SceneSettings(snr_db=(60, 60), num_events=(3, 3))):
        waveform = scene.waveform
        assert scene.gain < 0.1  # two or three events of about 10 times full scale
        assert waveform.dtype == np.float32
        assert waveform.shape == (10 * RATE,)
        assert np.abs(waveform).max() <= 0.9991


def test_onsets_that_are_spread_stand_in_the_parts_of_the_scene():
    settings = SceneSettings(num_events=(4, 4), event_seconds=(0.5, 0.5), onsets="spread")
    clips = SceneClips([_noise(5, 0.1, seed) for seed in range(9)], list("abcdefghi"), [_noise(20)], RATE)
    for scene in _scenes(settings, clips=clips):
        parts = [int(event.onset / (9.5 / 4)) for event in scene.events]
        assert set(parts) == {0, 1, 2, 3}


def test_a_short_sound_in_a_long_clip_of_zeros_is_found():
    clip = np.zeros(60 * RATE, np.float32)
    clip[30 * RATE : 30 * RATE + 200] = 0.5
    clips = SceneClips([clip], ["dog"], [_noise(20)], RATE)
    (found,) = _scenes(SceneSettings(num_events=(1, 1), snr_db=(20, 20)), 1, clips)
    scene, events = found.waveform, found.events
    first, last = (round(seconds * RATE) for seconds in (events[0].onset, events[0].offset))
    assert np.abs(scene[first:last]).max() > 2 * np.abs(np.delete(scene, slice(first, last))).max()


def test_only_clips_of_one_label_and_of_the_side_are_taken():
    rows = [("a", ("dog",), "train"), ("b", ("cat", "dog"), "train"), ("c", ("cat",), "test"), ("d", ("cat",), "train")]
    index = ClipIndex(".", ("cat", "dog"), tuple(Clip(name, labels, name, split) for name, labels, split in rows))
    sounds = [_noise(1, seed=seed) for seed in range(3)] + [np.zeros(RATE, np.float32)]  # d is silent
    loaded = LoadedClips(index, sounds, list("abcd"), [])
    side = clips_of_side(loaded, loaded, "train", RATE)
    assert (side.waveforms, list(side.labels)) == ([sounds[0]], ["dog"])
    assert [clip.path for clip in side.clips] == ["a"]
    with pytest.raises(ValueError, match="0 clips and 0 backgrounds"):
        clips_of_side(loaded, loaded, "val", RATE)


def test_a_scene_tells_which_clips_it_took_and_how_many_found_no_room():
    settings = SceneSettings(seconds=4, num_events=(3, 3), event_seconds=(3, 3), max_polyphony=1)
    clips = SceneClips([_noise(5, 0.1, 1), _noise(5, 0.1, 2)], ["dog", "cat"], [_noise(20), _noise(9)], RATE)
    for scene in _scenes(settings, clips=clips):
        assert scene.num_left_out == 2  # three seconds of four are taken
        assert [clips.labels[place] for place in scene.places] == [event.label for event in scene.events]
    assert {scene.background for scene in _scenes(settings, clips=clips)} == {0, 1}


@pytest.mark.parametrize(
    "wrong",
    [{"num_events": (3, 1)}, {"max_polyphony": 0}, {"event_seconds": (11, 12)}, {"onsets": "early"}],
)
def test_settings_that_cannot_be_are_refused(wrong):
    with pytest.raises(ValueError, match="expected"):
        SceneSettings(**wrong)
