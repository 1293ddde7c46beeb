import os
import struct
import threading

import numpy as np
import pytest
from test_edge_wav_file import chunk, fmt, long_wav, riff, wav

from edge_runtime.audio.piped_audio import PipedAudio

SAMPLES = np.arange(-30_000, 30_000, dtype="<i2")


@pytest.fixture
def pipe():
    """Return a function that feeds bytes into a pipe in pieces and returns the end to read from."""
    ends = []

    def feed(content, piece=10_000):
        reader, writer = os.pipe()
        ends.append(reader)

        def write():
            for first in range(0, len(content), piece):
                os.write(writer, content[first : first + piece])
            os.close(writer)

        threading.Thread(target=write, daemon=True).start()
        return reader

    yield feed
    for end in ends:
        os.close(end)


def heard(audio):
    return np.concatenate([*audio.blocks(), np.zeros(0, np.float32)])


def streamed(data, length):
    """A WAV file as a program writes it that does not know how long it gets."""
    return wav(data)[: -len(data) - 4] + struct.pack("<I", length) + data


@pytest.mark.parametrize("piece", [7, 10_000])
@pytest.mark.parametrize(
    "content",
    [
        wav(SAMPLES.tobytes()),
        riff(
            chunk(b"LIST", bytes(70_001)),
            chunk(b"fmt ", fmt()),
            chunk(b"data", SAMPLES.tobytes()),
            chunk(b"LIST", b"x"),
        ),
        streamed(SAMPLES.tobytes(), 0),
        streamed(SAMPLES.tobytes(), 0x7FFFFFFF - 36),
        streamed(SAMPLES.tobytes(), 0x80000000),
        streamed(SAMPLES.tobytes(), 0xFFFFFFFF),
        long_wav(b"RF64", SAMPLES.tobytes() + b"more", 0xFFFFFFFF, 2 * SAMPLES.size),
        SAMPLES.tobytes() + b"\0",
    ],
    ids=["WAV", "chunks around", "length 0", "sox", "arecord", "ffmpeg", "RF64", "raw, half a sample at the end"],
)
def test_what_goes_into_the_pipe_comes_out(pipe, content, piece):
    audio = PipedAudio(pipe(content, piece), 16_000)

    assert audio.sample_rate == 16_000
    assert np.array_equal(heard(audio), SAMPLES.astype(np.float32) / 32768)


def test_raw_samples_have_the_rate_and_channels_that_were_said(pipe):
    audio = PipedAudio(pipe(SAMPLES.tobytes()), 48_000, 2)

    assert audio.sample_rate == 48_000
    assert np.array_equal(heard(audio), SAMPLES.reshape(-1, 2).mean(axis=1).astype(np.float32) / 32768)


def test_a_wav_file_that_stops_early_is_heard_as_far_as_it_goes(pipe):
    assert heard(PipedAudio(pipe(wav(SAMPLES.tobytes())[:1044]), 16_000)).size == 500


def test_while_nothing_comes_there_are_empty_blocks():
    reader, writer = os.pipe()
    os.write(writer, SAMPLES[:100].tobytes())
    blocks = PipedAudio(reader, 16_000).blocks()

    assert [next(blocks).size for _ in range(3)] == [100, 0, 0]
    os.close(writer)
    assert list(blocks) == []
    os.close(reader)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "ended without a sample"),
        (b"fLaC" + bytes(100), r"is a FLAC file; .* convert it on the way: ffmpeg -i - -f wav - \| earproof"),
        (wav(b"\0\0", tag=2, bits=4), "standard input has format tag 0x0002"),
        (riff(chunk(b"LIST", b"only")), "standard input has no fmt chunk"),
    ],
)
def test_what_is_no_sound_is_refused(pipe, content, message):
    with pytest.raises(ValueError, match=message):
        PipedAudio(pipe(content), 16_000)


def test_nan_in_a_pipe_is_named(pipe):
    content = wav(struct.pack("<3f", 0.0, 0.5, np.nan), tag=3, bits=32)
    with pytest.raises(ValueError, match="standard input holds NaN or infinity at sample 2"):
        heard(PipedAudio(pipe(content), 16_000))


@pytest.mark.parametrize(("rate", "channels"), [(0, 1), (16_000, 0)])
def test_raw_samples_without_rate_or_channel_are_refused(rate, channels):
    with pytest.raises(ValueError, match="expected at least 1, and 100 to 2000000 Hz"):
        PipedAudio(0, rate, channels)
