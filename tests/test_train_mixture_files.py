"""Mixtures as recordings: what is heard in the files, and what their index says."""

from dataclasses import replace

import numpy as np
import pytest
import soundfile
from conftest import SAMPLE_RATE
from many_tones import heard, tones

from train.mixtures.mixture_files import (
    MixtureSettings,
    MixtureSounds,
    mixture_clips,
    mixture_names,
    refuse_full_disk,
    write_sounds,
)
from train.mixtures.mixture_index import pair_clips
from train.recordings.clip_index import read_index
from train.recordings.split import LeakError, check_split

TOGETHER = MixtureSettings(sample_rate=SAMPLE_RATE)


@pytest.fixture
def clips():
    return tones("ab", {"train": 2, "val": 1, "test": 1})


def _sounds(clips, settings=TOGETHER):
    return MixtureSounds(pair_clips(clips.index), clips.waveforms, settings)


def test_each_file_holds_its_two_tones(tmp_path, clips):
    sounds = _sounds(clips)
    columns = write_sounds(sounds, tmp_path / "out")
    assert columns["path"] == [
        "train/1.flac",
        "train/2.flac",
        "train/3.flac",
        "train/4.flac",
        "val/1.flac",
        "test/1.flac",
    ]
    frequencies = [{1000, 2000}, {1000, 2010}, {1010, 2000}, {1010, 2010}, {1300, 2300}, {1600, 2600}]
    for name, expected in zip(columns["path"], frequencies, strict=True):
        samples, rate = soundfile.read(tmp_path / "out" / name)
        assert (rate, soundfile.info(tmp_path / "out" / name).subtype) == (SAMPLE_RATE, "PCM_16")
        assert heard(samples) == expected


def test_gains_and_peak_that_are_told_are_those_of_the_file(tmp_path, clips):
    sounds = _sounds(clips, MixtureSettings(sample_rate=SAMPLE_RATE, normalization="set"))
    columns = write_sounds(sounds, tmp_path / "out")
    for place, (one, other) in enumerate(sounds.mixtures.parts):
        samples, _ = soundfile.read(tmp_path / "out" / columns["path"][place])
        gains = float(columns["first_gain"][place]), float(columns["second_gain"][place])
        expected = gains[0] * clips.waveforms[one] + gains[1] * clips.waveforms[other]
        np.testing.assert_allclose(samples, expected, atol=2e-5)
        assert np.abs(samples).max() == pytest.approx(float(columns["peak"][place]), abs=2e-5)


def test_arranged_files_tell_when_each_part_sounds(tmp_path):
    clips = tones("ab", {"train": 1}, seconds=5.0)
    columns = write_sounds(_sounds(clips, replace(TOGETHER, arrangement="gap", normalization="none")), tmp_path / "out")
    samples, _ = soundfile.read(tmp_path / "out" / "train/1.flac")
    assert samples.size == 12 * SAMPLE_RATE
    assert not samples[5 * SAMPLE_RATE : 7 * SAMPLE_RATE].any()
    spans = [columns[name] for name in ("first_start_s", "first_end_s", "second_start_s", "second_end_s")]
    assert spans == [["0"], ["5"], ["7"], ["12"]]
    assert columns["first_gain"] == ["0.75"]


def test_two_full_scale_parts_are_written_without_a_wrap(tmp_path):
    clips = tones("ab", {"train": 1})
    clips = replace(clips, waveforms=[np.ones(800, np.float32), np.ones(800, np.float32)])
    write_sounds(_sounds(clips), tmp_path / "out")
    samples, _ = soundfile.read(tmp_path / "out" / "train/1.flac")
    np.testing.assert_allclose(samples, 0.999, atol=1e-4)


def test_the_index_has_both_labels_both_groups_and_where_the_parts_come_from(tmp_path, clips):
    credited = [replace(clip, licence="CC0", source=f"by {clip.group}", fold="1") for clip in clips.index.clips]
    clips = replace(clips, index=clips.index.with_clips(credited))
    write_sounds(_sounds(clips), tmp_path / "out")
    index = read_index(tmp_path / "out" / "clips.csv")
    assert index.labels == ("a", "b")
    first = index.clips[0]
    assert (first.labels, first.split, first.fold) == (("a", "b"), "train", "")
    assert first.groups == ("a-train0", "b-train0")
    assert first.source == "by a-train0 | by b-train0"
    assert (first.licence, first.original) == ("CC0", "a/train0.wav | b/train0.wav")
    check_split(index)


def test_a_mixture_moved_to_another_side_is_a_leak(tmp_path, clips):
    mixtures = pair_clips(clips.index)
    index = mixture_clips(mixtures, tmp_path, mixture_names(mixtures))
    moved = index.with_clips([replace(index.clips[0], split="test"), *index.clips[1:]])
    with pytest.raises(LeakError, match="a-train0"):
        check_split(moved)


def test_an_interrupted_call_goes_on_and_makes_the_same(tmp_path, clips):
    whole = write_sounds(_sounds(clips), tmp_path / "whole")

    def stop(done):
        if done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_sounds(_sounds(clips), tmp_path / "out", tell=stop)
    assert len(list((tmp_path / "out").rglob("*.flac"))) == 3
    assert not (tmp_path / "out" / "clips.csv").exists()
    before = (tmp_path / "out" / "train" / "1.flac").stat().st_mtime_ns
    assert write_sounds(_sounds(clips), tmp_path / "out", resume=True) == whole
    assert (tmp_path / "out" / "train" / "1.flac").stat().st_mtime_ns == before
    for path in (tmp_path / "whole").rglob("*.flac"):
        assert path.read_bytes() == (tmp_path / "out" / path.relative_to(tmp_path / "whole")).read_bytes()


@pytest.mark.parametrize("change", ["normalization", "recordings"])
def test_going_on_with_something_else_is_refused(tmp_path, clips, change):
    write_sounds(_sounds(clips), tmp_path / "out")
    settings = replace(TOGETHER, normalization="set") if change == "normalization" else TOGETHER
    waveforms = [waveform * np.float32(0.5) for waveform in clips.waveforms]
    other = replace(clips, waveforms=waveforms) if change == "recordings" else clips
    with pytest.raises(ValueError, match="begun with other recordings, mixtures or settings"):
        write_sounds(_sounds(other, settings), tmp_path / "out", resume=True)
    with pytest.raises(FileExistsError, match="--resume"):
        write_sounds(_sounds(clips), tmp_path / "out")
    assert len(write_sounds(_sounds(other, settings), tmp_path / "out", force=True)["path"]) == 6


def test_a_folder_that_holds_the_parts_is_never_emptied(tmp_path, clips):
    (tmp_path / ".earproof").write_text("ours")
    inside = replace(clips, index=replace(clips.index, root=tmp_path))
    with pytest.raises(ValueError, match="holds the originals"):
        write_sounds(_sounds(inside), tmp_path, force=True)
    assert (tmp_path / ".earproof").exists()


def test_the_room_they_take_is_told_before(tmp_path, clips):
    sounds = _sounds(clips)
    write_sounds(sounds, tmp_path / "out")
    taken = sum(path.stat().st_size for path in (tmp_path / "out").rglob("*.flac"))
    assert sounds.estimated_bytes() == pytest.approx(taken, rel=0.01)
    assert refuse_full_disk(tmp_path / "not" / "yet", taken) > taken
    with pytest.raises(OSError, match="--undersample"):
        refuse_full_disk(tmp_path, 10**18)


@pytest.mark.parametrize("change", [{"normalization": "loudest"}, {"arrangement": "reversed"}])
def test_settings_that_mean_nothing_are_refused(change):
    with pytest.raises(ValueError, match="expected"):
        replace(TOGETHER, **change)
