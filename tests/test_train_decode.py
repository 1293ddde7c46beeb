import numpy as np
import pytest
import soundfile
from conftest import tone

from train.recordings.decoding.decode import AudioError, decode

RATE = 16_000  # Hz


@pytest.mark.parametrize(("suffix", "error"), [("wav", 1e-4), ("flac", 1e-4), ("ogg", 0.05), ("mp3", 0.05)])
def test_every_format_gives_the_samples_that_were_written(tmp_path, suffix, error):
    path, samples = tmp_path / f"clip.{suffix}", tone(440, 1.0)
    soundfile.write(path, samples, RATE)
    decoded = decode(path, RATE)
    assert decoded.dtype == np.float32
    middle = slice(4000, 12_000)  # lossy coders ring at the ends
    assert np.abs(decoded[: samples.size][middle] - samples[middle]).max() < error


@pytest.mark.parametrize("rate", [8_000, 11_025, 22_050, 44_100, 48_000])
def test_another_rate_is_resampled_to_the_same_tone(tmp_path, rate):
    path = tmp_path / "clip.wav"
    soundfile.write(path, tone(440, 1.0, sample_rate=rate), rate, subtype="FLOAT")
    decoded, expected = decode(path, RATE), tone(440, 1.0)
    assert abs(decoded.size - expected.size) <= 1
    assert np.abs(decoded[1000:15_000] - expected[1000:15_000]).max() < 1e-3


def test_channels_are_averaged(tmp_path):
    path = tmp_path / "clip.wav"
    soundfile.write(path, np.stack([np.full(100, 0.5), np.full(100, -0.25)], axis=1), RATE, subtype="FLOAT")
    assert np.allclose(decode(path, RATE), 0.125)


def test_sixteen_bit_integers_are_scaled_by_32768(tmp_path):
    path = tmp_path / "clip.wav"
    soundfile.write(path, np.array([-32768, -1, 0, 1, 32767], np.int16), RATE)
    assert decode(path, RATE).tolist() == [-1.0, -1 / 32768, 0.0, 1 / 32768, 32767 / 32768]


def _write(path, content):
    path.write_bytes(content)
    return path


def _cut(path, samples, keep):
    soundfile.write(path, samples, RATE)
    return _write(path, path.read_bytes()[:keep])


BROKEN = {
    "zero length": (lambda folder: _write(folder / "a.wav", b""), "empty"),
    "text": (lambda folder: _write(folder / "a.wav", b"not audio at all " * 10), "is text, no sound file"),
    "no samples": (lambda folder: _cut(folder / "a.wav", np.zeros(0, np.float32), None), "no samples"),
    "wav cut off": (
        lambda folder: _cut(folder / "a.wav", tone(440, 1.0), 9_000),
        "is truncated: its data chunk should have 32000 bytes and 8956 are there",
    ),
    "wav header only": (lambda folder: _cut(folder / "a.wav", tone(440, 1.0), 20), "fmt chunk of 0 bytes"),
    "flac cut off": (lambda folder: _cut(folder / "a.flac", tone(440, 1.0), 3_000), "a.flac"),
    "ogg cut off": (
        lambda folder: _cut(folder / "a.ogg", tone(440, 3.0), 4_500),
        "is truncated: its last page is missing",
    ),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_file_is_refused_with_its_name(tmp_path, case):
    make, reason = BROKEN[case]
    path = make(tmp_path)
    with pytest.raises(AudioError, match=reason) as refusal:
        decode(path, RATE)
    assert str(path) in str(refusal.value)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_samples_that_are_not_finite_are_refused(tmp_path, value):
    path = tmp_path / "a.wav"
    soundfile.write(path, np.array([0.0, value, 0.0], np.float32), RATE, subtype="FLOAT")
    with pytest.raises(AudioError, match="NaN or infinity at sample 1"):
        decode(path, RATE)


def test_a_wav_written_to_a_pipe_without_a_length_is_read(tmp_path):
    path = tmp_path / "a.wav"
    soundfile.write(path, tone(440, 0.1), RATE)
    content = bytearray(path.read_bytes())
    place = content.index(b"data") + 4
    content[place : place + 4] = b"\xff\xff\xff\xff"
    assert decode(_write(path, bytes(content)), RATE).size == 1600
