import sqlite3
from contextlib import closing

import numpy as np
import pytest
import soundfile
from conftest import tone

from edge_runtime.audio.source_counts import describe_sources
from train.recordings.clip_index import find_clips
from train.recordings.decoding import waveform_blocks
from train.recordings.store import clip_store
from train.recordings.store.clip_store import load_clips
from train.recordings.store.packed_store import INDEX_NAME

ABOVE = (
    "samples above full scale, which train and classify use as they are and no microphone delivers; "
    "`earproof data import` and `data trim` turn them down as a whole"
)


def write(path, channels=1, rate=16_000, turned=False, gain=1.0, frequency=440):
    sound = gain * tone(frequency, 1.0, sample_rate=rate)
    other = [-sound if turned else sound] * (channels - 1)
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, np.stack([sound, *other], axis=1), rate, subtype="FLOAT")
    return path


def heard(root, cache):
    said = []
    load_clips(find_clips(root), 16_000, cache, say=said.append)
    return said


@pytest.fixture
def told_of(tmp_path):
    """A folder with a recording of each kind, and what is told of them."""
    root = tmp_path / "data"
    write(root / "a" / "plain.wav")
    write(root / "a" / "stereo.wav", channels=2, rate=44_100, frequency=500)
    turned = write(root / "b" / "turned.wav", channels=2, turned=True, frequency=600)
    loud = write(root / "b" / "loud.wav", gain=10.0, frequency=700)  # a peak of 3, 20 lg 3 = 9.5 dB
    write(root / "b" / "a little.wav", gain=3.6, frequency=800)  # 0.7 dB, what codecs make
    return root, [
        "of 5 recordings: 1 resampled to 16000 Hz (44100 Hz: 1); 2 of several channels made one (2 channels: 2)",
        f"1 recording has channels that cancel when averaged, so that the loudest is used: {turned} (channel 1)",
        f"1 recording has {ABOVE}: {loud} (9.5 dB)",
    ]


def test_rates_and_channels_are_counted_in_one_line():
    assert describe_sources([(16_000, 1)] * 3, 16_000) == ""
    assert describe_sources([(16_000, 1), (44_100, 2), (44_100, 1), (8_000, 1)], 16_000) == (
        "of 4 recordings: 3 resampled to 16000 Hz (8000 Hz: 1, 44100 Hz: 2); 1 of several channels made one "
        "(2 channels: 1)"
    )


def test_plain_recordings_are_not_talked_about(tmp_path):
    write(tmp_path / "data" / "a" / "1.wav")
    assert heard(tmp_path / "data", tmp_path / "cache") == []


def test_what_is_heard_otherwise_is_told_with_the_cache_cold_and_warm(told_of, tmp_path, monkeypatch):
    root, expected = told_of
    assert heard(root, tmp_path / "cache") == expected

    for module in (clip_store, waveform_blocks):  # no file is decoded, nor opened for its header
        for name in ("waveform_blocks", "measure_source", "DecodedBlocks"):
            if hasattr(module, name):
                monkeypatch.setattr(module, name, lambda *_: pytest.fail("a file was opened again"))
    assert heard(root, tmp_path / "cache") == expected


def test_a_cache_of_an_earlier_version_learns_what_it_did_not_keep(told_of, tmp_path):
    root, expected = told_of
    heard(root, tmp_path / "cache")
    with closing(sqlite3.connect(tmp_path / "cache" / INDEX_NAME)) as index:
        index.execute("DROP TABLE sources")

    assert heard(root, tmp_path / "cache") == expected
    with closing(sqlite3.connect(tmp_path / "cache" / INDEX_NAME)) as index:
        assert index.execute("SELECT count(*) FROM sources").fetchone() == (5,)
