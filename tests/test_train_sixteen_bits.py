from dataclasses import replace

import numpy as np
import pytest
import soundfile
from conftest import SAMPLE_RATE, tone

from edge_runtime.audio.wav_file import read_wav
from train.recordings.clip_index import find_clips
from train.recordings.decoding import sixteen_bits
from train.recordings.decoding.sixteen_bits import TurnedDown, to_steps, write_flac
from train.recordings.import_clips import import_clips
from train.recordings.pitch_shift import oversample
from train.recordings.store.clip_store import load_clips
from train.recordings.trim import TrimSettings, trim_clips

LOUD = 4.0  # above full scale by 12 dB


def loud_folder(tmp_path, subtype="FLOAT"):
    folder = tmp_path / "data"
    for label in "ab":
        (folder / label).mkdir(parents=True)
        for number in range(3):
            amplitude = LOUD if (label, number) == ("a", 1) else 0.25
            samples = tone(300 + 100 * number, 1.0, amplitude=amplitude)
            soundfile.write(folder / label / f"{number}.wav", samples, SAMPLE_RATE, subtype=subtype)
    return folder


def shape(samples):
    return samples / np.abs(samples).max()


def test_import_turns_down_as_a_whole_and_says_which_file_by_how_much(tmp_path):
    told = []
    clips = load_clips(find_clips(loud_folder(tmp_path)), SAMPLE_RATE, tmp_path / "cache")
    import_clips(clips, SAMPLE_RATE, tmp_path / "out", say=told.append)
    written, _ = soundfile.read(tmp_path / "out" / "a" / "1.flac")
    quiet, _ = soundfile.read(tmp_path / "out" / "b" / "1.flac")

    assert np.abs(shape(written) - shape(tone(400, 1.0, amplitude=LOUD))).max() < 1e-4
    assert np.abs(quiet - tone(400, 1.0, amplitude=0.25)).max() <= 2.0**-16
    assert len(told) == 1
    assert told[0].startswith("1 recording went above full scale, turned down as a whole: a/1.wav by a factor of 0.25")
    assert "(-12.0 dB)" in told[0]


def test_trim_turns_down_as_a_whole_and_says_so(tmp_path):
    told = []
    trim_clips(find_clips(loud_folder(tmp_path)), tmp_path / "out", TrimSettings(), say=told.append)
    written, _ = soundfile.read(tmp_path / "out" / "a" / "1.flac")

    assert np.abs(shape(written) - shape(tone(400, 1.0, amplitude=LOUD))).max() < 1e-4
    assert told[0].startswith("1 recording went above full scale, turned down as a whole: a/1.wav by a factor of 0.25")


def test_copies_of_another_pitch_that_were_turned_down_are_told(tmp_path):
    clips = load_clips(find_clips(loud_folder(tmp_path)), SAMPLE_RATE, tmp_path / "cache")
    train = clips.index.with_clips(replace(clip, split="train") for clip in clips.index.clips)
    clips = replace(clips, index=train)
    done = oversample(clips.chosen([0, 1]), SAMPLE_RATE, [50.0], tmp_path / "out")

    assert done.copies == 2
    assert done.turned_down.startswith("1 recording went above full scale, turned down as a whole: a/1.wav by")


def test_nothing_is_told_where_nothing_is_turned_down(tmp_path):
    told = []
    index = find_clips(loud_folder(tmp_path, subtype="PCM_16"))
    clips = load_clips(index, SAMPLE_RATE, tmp_path / "cache")
    import_clips(clips, SAMPLE_RATE, tmp_path / "out", say=told.append)
    trim_clips(index, tmp_path / "trimmed", TrimSettings(), say=told.append)

    assert told == []


def test_full_scale_itself_is_kept():
    assert to_steps(np.array([-1.0, -(2.0**-15), 0.0, 32767 / 32768, 1.0])).tolist() == [-32768, -1, 0, 32767, 32767]


def test_a_long_recording_is_written_in_blocks_as_in_one(tmp_path, monkeypatch):
    waveform = np.random.default_rng(0).uniform(-3, 3, 10_000).astype(np.float32)
    write_flac(tmp_path / "whole.flac", waveform, SAMPLE_RATE, TurnedDown(), "a")
    monkeypatch.setattr(sixteen_bits, "BLOCK_LENGTH", 999)
    turned_down = TurnedDown()
    write_flac(tmp_path / "blocks.flac", waveform, SAMPLE_RATE, turned_down, "a")
    whole, blocks = (soundfile.read(tmp_path / f"{name}.flac", dtype="int16")[0] for name in ("whole", "blocks"))

    assert np.array_equal(whole, blocks)
    assert np.abs(whole.astype(int)).max() == 32_767
    assert turned_down.factors["a"] == pytest.approx(1 / np.abs(waveform).max(), rel=1e-4)


def test_many_recordings_are_counted_and_the_worst_named():
    turned_down = TurnedDown()
    for number in range(1, 6):
        turned_down.gain(f"{number}.wav", float(number))

    assert turned_down.describe().startswith("4 recordings went above full scale, turned down as a whole: 5.wav by")
    assert turned_down.describe().endswith("and 1 more")


@pytest.mark.parametrize("seconds", [0.5, 31.0])
def test_trim_in_blocks_keeps_every_sample_of_a_long_stereo_recording(tmp_path, seconds):
    folder = tmp_path / "data" / "a"
    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    sound = rng.integers(-9000, 9000, (round(seconds * SAMPLE_RATE), 2)).astype(np.int16)
    quiet = np.zeros((round(12.345 * SAMPLE_RATE), 2), np.int16)
    soundfile.write(folder / "a.wav", np.concatenate([quiet, sound, quiet]), SAMPLE_RATE)
    done = trim_clips(find_clips(tmp_path / "data"), tmp_path / "out", TrimSettings(margin_seconds=0.0))
    written, _ = soundfile.read(tmp_path / "out" / "a" / "a.flac", dtype="int16")
    (clip,) = done.index.clips
    first = round(float(clip.start_s) * SAMPLE_RATE)

    assert first <= len(quiet) < first + 320  # to a frame of 20 ms
    assert np.array_equal(written[len(quiet) - first :][: len(sound)], sound)
    assert read_wav(folder / "a.wav")[0].size == 2 * len(quiet) + len(sound)
