from types import SimpleNamespace

import numpy as np
from many_tones import tones

from convert.report.proof import phone_recordings
from train.evaluation.evaluate import cut_split


def test_of_a_long_recording_the_phone_replays_the_first_two_minutes():
    clips = tones("ab", {"train": 1, "val": 1, "test": 2})
    first, _, third, _ = clips.places("test")
    clips.waveforms[third] = np.tile(clips.waveforms[third], 130)
    run = SimpleNamespace(clips=clips, spec=SimpleNamespace(sample_rate=16_000))
    short, long = phone_recordings(run, cut_split(clips, "test", 16_000))
    np.testing.assert_array_equal(short, np.round(clips.waveforms[first] * 32_768.0))
    assert short.size == 16_000
    assert (long.size, long.dtype) == (120 * 16_000, np.int16)
