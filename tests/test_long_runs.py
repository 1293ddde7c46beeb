"""Twenty minutes where a day would do: memory stays, no tick is lost. benchmarks/long_runs.py runs the day."""

import gc
import json
import tracemalloc

import numpy as np
import pytest
import soundfile
from test_edge_command import run, write_wav
from tiny_tflite import tiny_classifier, tiny_spec

from edge_runtime.listen.listener import Listener
from edge_runtime.model.classifier import Classifier
from metadata import MelFrontEnd
from metadata.packing.packed_model import pack_model
from train.recordings.decoding.decoded_blocks import DecodedBlocks

RATE = 16_000
SHORT, LONG = 120, 1200  # seconds
ALLOWED = 100_000  # bytes more at the peak; ten times the sound as float32 would be 70 million


@pytest.fixture
def model(tmp_path):
    path = tmp_path / "tiny.tflite"
    path.write_bytes(pack_model(tiny_classifier(), tiny_spec()))
    return path


def peak_memory(work):
    """Most bytes that Python and NumPy held while `work` ran, beyond those before."""
    tracemalloc.start()
    work()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


@pytest.mark.parametrize(
    "options",
    [[], ["--merge", "union", "--silence-below", "-60"], ["--merge", "maximum"], ["--phone"]],
    ids=["windows", "union", "maximum", "phone"],
)
def test_twenty_minutes_are_classified_in_the_memory_of_two(model, tmp_path, options, capsys):
    clips = {seconds: write_wav(tmp_path / f"{seconds}.wav", seconds * RATE) for seconds in (SHORT, LONG)}
    run("classify", model, clips[SHORT], *options)  # what is imported late is imported here
    peaks = []
    for seconds, clip in clips.items():
        out = tmp_path / f"{seconds}.json"
        peaks.append(peak_memory(lambda clip=clip, out=out: run("classify", model, clip, *options, "--out", out)))
        (recording,) = json.loads(out.read_text())["recordings"]
        rows = len(recording.get("windows", recording.get("ticks")))

        assert rows == (2 * seconds + 1 if "--phone" in options else seconds // 2)
    assert peaks[1] < peaks[0] + ALLOWED


@pytest.mark.parametrize("suffix", ["flac", "ogg"])
def test_other_formats_are_decoded_in_constant_memory_too(model, tmp_path, suffix, capsys):
    peaks = []
    for seconds in (20, 60, 300):
        path = tmp_path / f"{seconds}.{suffix}"
        with soundfile.SoundFile(str(path), "w", 8000, 1) as file:
            for _ in range(seconds // 20):
                file.write(np.random.default_rng(0).normal(0, 0.1, 20 * 8000))
        peaks.append(peak_memory(lambda path=path: run("classify", model, path, decode=DecodedBlocks)))
    assert "clip (mean of 150)" in capsys.readouterr().out
    assert peaks[2] < peaks[1] + ALLOWED


@pytest.mark.parametrize("minutes", [LONG // 60, 5], ids=["twenty minutes", "five minutes of spectrograms"])
def test_listening_loses_no_tick_and_keeps_no_memory(minutes):
    if minutes == 5:
        spec = tiny_spec(
            front_end=MelFrontEnd(inside_model=False, n_fft=512, hop_length=250, win_length=512, n_mels=20)
        )
        classifier = Classifier(pack_model(tiny_classifier(input_shape=(1, 20, 129, 1)), spec))
    else:
        classifier = Classifier(pack_model(tiny_classifier(), tiny_spec()))
    generator = np.random.default_rng(0)
    minute = generator.integers(-3000, 3000, 60 * RATE).astype(np.int16)
    listener = Listener(classifier)
    held, num_ticks = [], 0
    tracemalloc.start()
    for _ in range(minutes):
        # Pieces of any length, as a pipe delivers them.
        for piece in np.split(minute, np.sort(generator.integers(0, minute.size, 30))):
            num_ticks += len(listener.push(piece, classifier.spec.sample_rate))
        gc.collect()  # Python keeps two thousand freed tuples for later
        held.append(tracemalloc.get_traced_memory()[0])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert num_ticks == listener.num_ticks == 120 * minutes
    assert listener.finish()[0] == []
    assert max(held[2:]) < held[1] + 20_000
    assert peak < 10_000_000


def test_a_stream_of_whole_seconds_at_another_rate_has_two_ticks_a_second_to_the_sample(model, tmp_path, capsys):
    run("listen", model, write_wav(tmp_path / "clip.wav", 22_050 * 300, 22_050))

    assert "300.00 s heard, 600 ticks" in capsys.readouterr().err
