import contextlib
import struct

import numpy as np
import pytest
from tiny_tflite import tiny_classifier, tiny_spec

from edge_runtime.audio.resampling import resample
from edge_runtime.bench.input_audio import STAND_IN, load_bench_audio
from edge_runtime.model.classifier import Classifier
from metadata.packing.packed_model import pack_model


@pytest.fixture
def model(tmp_path):
    path = tmp_path / "tiny.tflite"
    path.write_bytes(pack_model(tiny_classifier(), tiny_spec()))
    return path


def write_wav(path, num_samples, rate):
    samples = np.random.default_rng(rate).normal(0, 3000, num_samples).astype("<i2")
    body = b"WAVEfmt " + struct.pack("<IHHIIHH", 16, 1, 1, rate, 2 * rate, 2, 16)
    body += b"data" + struct.pack("<I", samples.nbytes) + samples.tobytes()
    path.write_bytes(b"RIFF" + struct.pack("<I", len(body)) + body)
    return path, samples / np.float32(32768)


def golden_beside(model, windows):
    (model.parent / "golden").mkdir()
    path = model.parent / "golden" / "tiny classifier.npz"
    np.savez(path, windows=windows, scores=np.full((len(windows), 3), 1 / 3, np.float32))
    return path


def test_a_recording_is_heard_at_its_own_rate(model, tmp_path):
    path, samples = write_wav(tmp_path / "clip.wav", 240_000, 48_000)
    audio = load_bench_audio(model, Classifier(model), [path])

    assert (audio.sample_rate, audio.source) == (48_000, (str(path),))
    assert audio.windows.shape == (3, 96_000)
    assert np.array_equal(audio.windows[0], samples[:96_000])
    assert np.array_equal(audio.windows[2], samples[-96_000:])  # the last one ends with the recording


def test_a_rate_that_is_asked_for_goes_before_the_recordings(model, tmp_path):
    path, samples = write_wav(tmp_path / "clip.wav", 80_000, 16_000)
    audio = load_bench_audio(model, Classifier(model), [path], 44_100)

    assert audio.sample_rate == 44_100
    assert np.array_equal(audio.windows[0], resample(samples, 16_000, 44_100)[:88_200])


def test_recordings_of_several_rates_are_brought_to_that_of_the_first(model, tmp_path):
    paths = [write_wav(tmp_path / f"{rate}.wav", 2 * rate, rate)[0] for rate in (22_050, 48_000)]

    assert load_bench_audio(model, Classifier(model), paths).windows.shape == (2, 44_100)


class Decoded(contextlib.nullcontext):
    """A recording of two seconds at 22,050 Hz, as a decoder opens it."""

    sample_rate, num_samples = 22_050, 44_100

    def __enter__(self):
        return self

    def blocks(self):
        yield np.full(self.num_samples, 0.1, np.float32)


def test_what_a_decoder_reads_comes_at_its_own_rate(model, tmp_path):
    (tmp_path / "clip.flac").write_bytes(b"fLaC")
    audio = load_bench_audio(model, Classifier(model), [tmp_path / "clip.flac"], decode=lambda path: Decoded())

    assert (audio.sample_rate, audio.windows.shape) == (22_050, (1, 44_100))


def test_without_recordings_the_golden_windows_beside_the_file_are_heard(model):
    windows = np.random.default_rng(0).normal(0, 0.1, (4, 32_000)).astype(np.float32)
    path = golden_beside(model, windows)
    audio = load_bench_audio(model, Classifier(model), [])

    assert (audio.sample_rate, audio.source) == (16_000, (str(path),))
    assert np.array_equal(audio.windows, windows)
    assert load_bench_audio(model, Classifier(model), [], 48_000).windows.shape == (4, 96_000)


def test_golden_windows_of_another_model_are_refused(model):
    golden_beside(model, np.zeros((4, 16_000), np.float32))
    with pytest.raises(ValueError, match="was it made for another model"):
        load_bench_audio(model, Classifier(model), [])


def test_with_nothing_to_hear_a_stand_in_is_named(model):
    audio = load_bench_audio(model, Classifier(model), [])

    assert (audio.source, audio.windows.shape) == (STAND_IN, (10, 32_000))


def test_a_rate_below_1_is_refused(model):
    with pytest.raises(ValueError, match="--sample-rate is 0"):
        load_bench_audio(model, Classifier(model), [], 0)
