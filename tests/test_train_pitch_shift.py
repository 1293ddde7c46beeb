from dataclasses import replace

import numpy as np
import pytest
import soundfile
from conftest import SAMPLE_RATE, tone
from many_tones import tones

from train.recordings.clip_index import write_index
from train.recordings.pitch_shift import oversample, shift_pitch, shifts, sources
from train.recordings.split import split_clips


def _frequency(samples):
    """The strongest frequency in Hz, between the bins of the Fourier transform."""
    inner = samples[2000:-2000] * np.hanning(samples.size - 4000)
    levels = np.abs(np.fft.rfft(inner, 8 * inner.size))
    return levels.argmax() * SAMPLE_RATE / (8 * inner.size)


@pytest.mark.parametrize("cents", [-1200.0, -200.0, -12.0, 50.0, 200.0])
def test_a_tone_is_moved_by_the_cents_asked_for_and_lasts_as_long(cents):
    original = tone(1000.0, 2.0)
    shifted = shift_pitch(original, SAMPLE_RATE, cents)
    assert (shifted.size, shifted.dtype) == (original.size, np.float32)
    assert 1200 * np.log2(_frequency(shifted) / _frequency(original)) == pytest.approx(cents, abs=1.5)


def test_a_loud_tone_stays_below_full_scale():
    assert np.abs(shift_pitch(tone(500.0, 1.0, amplitude=1.0), SAMPLE_RATE, 150.0)).max() <= 0.9991


def test_copies_are_lower_and_higher_by_turns_and_never_the_original():
    assert shifts(1) == [200.0]
    assert shifts(4) == [100.0, -100.0, 200.0, -200.0]
    assert shifts(3, 90.0) == [45.0, -45.0, 90.0]


def test_published_copies_go_downward_by_a_few_cents():
    assert shifts(5, 12.0, downward=True) == pytest.approx([-2.4, -4.8, -7.2, -9.6, -12.0])


@pytest.mark.parametrize("arguments", [(0,), (1, 0.0), (1, -5.0), (1, 1201.0), (1, float("nan"))])
def test_shifts_out_of_range_are_refused(arguments):
    with pytest.raises(ValueError, match="expected"):
        shifts(*arguments)


def _stored(tmp_path, clips):
    """The clips with files behind them."""
    index = replace(clips.index, root=tmp_path / "in")
    for clip, waveform in zip(index.clips, clips.waveforms, strict=True):
        path = index.root / clip.path
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, waveform, SAMPLE_RATE)
    return replace(clips, index=index)


def test_only_training_clips_are_copied_and_group_side_and_original_stay(tmp_path):
    clips = _stored(tmp_path, tones("ab", {"train": 2, "val": 1, "test": 1}))
    done = oversample(clips, SAMPLE_RATE, [100.0, -100.0], tmp_path / "out")
    assert done.copies == 8
    kept, copies = done.index.clips[:8], done.index.clips[8:]
    assert [clip.group for clip in kept] == [clip.group for clip in clips.index.clips]
    assert {clip.original for clip in copies} == {"a/train0.wav", "a/train1.wav", "b/train0.wav", "b/train1.wav"}
    for clip in copies:
        assert clip.split == "train"
        assert clip.group == clip.original.replace("/", "-")[:-4]
    samples, rate = soundfile.read(tmp_path / "out" / copies[0].path)
    assert (rate, copies[0].path) == (SAMPLE_RATE, "pitch_shifted/00000-train0+100.0c.flac")
    assert _frequency(samples) == pytest.approx(1000 * 2 ** (1 / 12), rel=0.002)
    for clip in done.index.clips:
        assert (tmp_path / "out" / clip.path).is_file()


def test_a_split_drawn_anew_keeps_copies_with_their_original(tmp_path):
    clips = _stored(tmp_path, tones("ab", {"train": 2, "val": 2, "test": 2}))
    done = oversample(clips, SAMPLE_RATE, [30.0], tmp_path / "out")
    write_index(tmp_path / "again.csv", done.index)
    for seed in range(5):
        split = split_clips(done.index.without_split(), seed)
        sides = {}
        for clip in split.clips:
            sides.setdefault(clip.group, set()).add(clip.split)
        assert all(len(held) == 1 for held in sides.values())


def test_silent_clips_and_scenes_are_not_copied_and_named():
    clips = tones("ab", {"train": 3, "val": 1, "test": 1})
    waveforms = [np.zeros(100, np.float32), *clips.waveforms[1:]]
    scenes = [clips.index.clips[0], replace(clips.index.clips[1], labels=("a", "b")), *clips.index.clips[2:]]
    clips = replace(clips, waveforms=waveforms, index=clips.index.with_clips(scenes))
    chosen, left_out = sources(clips)
    assert chosen == [2, 5, 6, 7]
    assert left_out == ["a/train0.wav is silent", "a/train1.wav has several labels"]


def test_clips_without_a_side_are_refused():
    with pytest.raises(ValueError, match="split them first"):
        sources(tones("ab", {"": 2}))
    with pytest.raises(ValueError, match="no clip of the train side"):
        sources(tones("ab", {"val": 2}))
