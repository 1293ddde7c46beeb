import numpy as np
import soundfile
from conftest import tone

from edge_runtime.source_counts import describe_sources
from train.recordings import heard_sources
from train.recordings.heard_sources import describe_heard


def write(path, channels=1, rate=16_000, turned=False):
    sound = tone(440, 1.0, sample_rate=rate)
    other = [-sound if turned else sound] * (channels - 1)
    soundfile.write(path, np.stack([sound, *other], axis=1), rate)
    return path


def test_rates_and_channels_are_counted_in_one_line():
    assert describe_sources([(16_000, 1)] * 3, 16_000) == ""
    assert describe_sources([(16_000, 1), (44_100, 2), (44_100, 1), (8_000, 1)], 16_000) == (
        "of 4 recordings: 3 resampled to 16000 Hz (8000 Hz: 1, 44100 Hz: 2); 1 of several channels made one "
        "(2 channels: 1)"
    )


def test_files_whose_channels_cancel_are_named(tmp_path):
    plain, stereo = write(tmp_path / "a.wav"), write(tmp_path / "b.wav", channels=2)
    turned = write(tmp_path / "c.wav", channels=2, turned=True)

    assert describe_heard([plain], 16_000) == []
    assert describe_heard([plain, stereo], 16_000) == [
        "of 2 recordings: 1 of several channels made one (2 channels: 1)"
    ]
    assert describe_heard([stereo, turned], 16_000)[1:] == [
        f"1 recording has channels that cancel when averaged, so that the loudest is heard: {turned} (channel 1)"
    ]


def test_of_many_hours_it_is_said_who_tells(tmp_path, monkeypatch):
    monkeypatch.setattr(heard_sources, "MOST_SCANNED_SECONDS", 1.5)
    paths = [write(tmp_path / f"{name}.wav", channels=2, turned=True) for name in "ab"]

    assert "earshot data check says in which" in describe_heard(paths, 16_000)[1]
