"""Every reader hears the same of a file, or refuses it in the same words: classify, listen, train, check and import."""

import io
import os
import struct
import threading

import numpy as np
import pytest
import soundfile
from conftest import tone
from test_edge_wav_file import chunk, fmt, long_wav, riff, wav

from edge_runtime.audio.piped_audio import PipedAudio
from edge_runtime.audio.recordings import load_waveform
from edge_runtime.audio.sound_kinds import AUDIO_SUFFIXES
from edge_runtime.audio.wav_file import WavFile
from train.checks.clip_measures import measure_clip
from train.recordings.decoding.decode import AudioError, decode, duration
from train.recordings.decoding.decoded_blocks import DecodedBlocks
from train.recordings.decoding.waveform_blocks import waveform_blocks

RATE = 16_000  # Hz
SAMPLES = np.arange(-3000, 3000, dtype="<i2")
EXPECTED = (SAMPLES / 32768).astype(np.float32)
INFO = b"LIST" + struct.pack("<I", 26) + b"INFOISFT" + struct.pack("<I", 14) + b"Lavf58.45.100\0"
LENGTHS = {
    "as it is": 2 * SAMPLES.size,
    "0": 0,
    "sox to a pipe": 0x7FFFF000,
    "sox, with its header": 0x7FFFF000 + 36,
    "arecord": 0x80000000,
    "arecord, unlimited": 0x7FFFFFFF,
    "2 GiB less the header": 0x7FFFFFFF - 36,
    "ffmpeg": 0xFFFFFFFF,
    "4 GiB less the header": 0xFFFFFFFF - 36,
}


def streamed(length, behind=b""):
    """A WAV file with a data length of the writer's choice, and what lies behind its samples."""
    content = riff(chunk(b"fmt ", fmt()), chunk(b"fact", bytes(4)), chunk(b"data", SAMPLES.tobytes()))
    place = content.rindex(SAMPLES.tobytes()) - 4
    return content[:place] + struct.pack("<I", length) + content[place + 4 :] + behind


def piped(content):
    """What a pipe lets hear of a file."""
    reader, writer = os.pipe()

    def write():
        with os.fdopen(writer, "wb") as end:
            end.write(content)

    threading.Thread(target=write, daemon=True).start()
    try:
        return np.concatenate([*PipedAudio(reader, None).blocks(), np.zeros(0, np.float32)])
    finally:
        os.close(reader)


def heard_by_all(path, rate=RATE):
    """What each reader makes of a file at its own rate."""
    return {
        "classify on a device": load_waveform(path, rate),
        "classify": load_waveform(path, rate, DecodedBlocks),
        "listen": piped(path.read_bytes()),
        "train": decode(path, rate),
        "long files": np.concatenate(list(waveform_blocks(path, rate))),
    }


@pytest.mark.parametrize("behind", [b"", INFO], ids=["", "with a LIST chunk behind"])
@pytest.mark.parametrize("length", LENGTHS.values(), ids=LENGTHS)
def test_a_length_means_the_same_to_every_reader(tmp_path, length, behind):
    path = tmp_path / "a.wav"
    path.write_bytes(streamed(length, behind))

    for name, waveform in heard_by_all(path).items():
        assert np.array_equal(waveform, EXPECTED), name
    assert duration(path) == measure_clip(path).seconds == SAMPLES.size / RATE


@pytest.mark.parametrize(
    "content",
    [
        riff(chunk(b"fmt ", fmt()), chunk(b"data", SAMPLES.tobytes() + b"\x55")),  # half a sample, and its padding
        riff(chunk(b"fmt ", fmt()), chunk(b"data", SAMPLES.tobytes()), chunk(b"LIST", b"INFO" + bytes(20))),
        long_wav(b"RF64", SAMPLES.tobytes() + b"more", 0xFFFFFFFF, 2 * SAMPLES.size),
        long_wav(b"RF64", SAMPLES.tobytes(), 0xFFFFFFFF, 0),
        long_wav(b"BW64", SAMPLES.tobytes(), 0xFFFFFFFF, 2 * SAMPLES.size),
    ],
    ids=["odd data", "LIST behind", "RF64", "RF64 from a pipe", "BW64"],
)
def test_a_container_means_the_same_to_every_reader(tmp_path, content):
    path = tmp_path / "a.wav"
    path.write_bytes(content)

    for name, waveform in heard_by_all(path).items():
        assert np.array_equal(waveform, EXPECTED), name


@pytest.mark.parametrize("length", [2 * SAMPLES.size + 2, 200_000, 0x7FFE0000, 3 * 2**30])
def test_what_is_truncated_is_so_to_every_reader_of_files_in_the_same_words(tmp_path, length):
    path = tmp_path / "a.wav"
    path.write_bytes(streamed(length))
    told = set()
    for read in (load_waveform, decode, lambda path, rate: measure_clip(path), lambda path, rate: WavFile(path)):
        with pytest.raises(ValueError, match=f"{length} bytes and 12000 are there") as refusal:
            read(path, RATE)
        told.add(str(refusal.value))

    assert len(told) == 1


def test_an_empty_data_chunk_before_another_chunk_is_no_stream(tmp_path):
    path = tmp_path / "a.wav"
    path.write_bytes(riff(chunk(b"fmt ", fmt()), chunk(b"data", b""), chunk(b"LIST", b"INFO" + bytes(20))))

    for read in (load_waveform, decode):
        with pytest.raises(ValueError, match="holds no samples"):
            read(path, RATE)
    assert piped(path.read_bytes()).size == 0


CODECS = ["PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE", "ALAW", "ULAW"]
PACKED = ["IMA_ADPCM", "MS_ADPCM", "GSM610", "G721_32"]


@pytest.mark.parametrize("channels", [1, 2, 32])
@pytest.mark.parametrize("container", ["WAV", "WAVEX", "RF64"])
@pytest.mark.parametrize("subtype", CODECS)
def test_a_codec_that_a_device_reads_gives_what_libsndfile_gives(tmp_path, subtype, container, channels):
    path = tmp_path / "a.wav"
    samples = np.random.default_rng(0).uniform(-1, 1, (500, channels))
    soundfile.write(path, samples, RATE, subtype=subtype, format=container)
    stored, _ = soundfile.read(path, dtype="float32", always_2d=True)

    for name, waveform in heard_by_all(path).items():
        assert np.array_equal(waveform, stored.mean(axis=1, dtype=np.float64).astype(np.float32)), name


@pytest.mark.parametrize("subtype", PACKED)
def test_a_codec_that_needs_a_decoder_is_heard_with_one_and_named_without(tmp_path, subtype):
    path = tmp_path / "a.wav"
    soundfile.write(path, tone(440, 1.0), RATE, subtype=subtype, format="WAV")
    stored, _ = soundfile.read(path, dtype="float32")

    assert np.array_equal(decode(path, RATE), stored)
    assert np.array_equal(load_waveform(path, RATE, DecodedBlocks), stored)
    assert measure_clip(path).seconds == stored.size / RATE
    with pytest.raises(ValueError, match=r"ffmpeg -i FILE .*setup\.sh"):
        load_waveform(path, RATE)
    with pytest.raises(ValueError, match="standard input has format tag"):
        piped(path.read_bytes())


def test_a_packed_codec_that_is_cut_off_is_refused(tmp_path):
    path = tmp_path / "a.wav"
    soundfile.write(path, tone(440, 1.0), RATE, subtype="IMA_ADPCM", format="WAV")
    path.write_bytes(path.read_bytes()[:-2000])
    for read in (decode, lambda path, rate: load_waveform(path, rate, DecodedBlocks)):
        with pytest.raises(ValueError, match="is truncated: its data chunk should have"):
            read(path, RATE)


CONTAINERS = {
    ".wav": "WAV", ".wave": "WAV", ".rf64": "RF64", ".w64": "W64", ".flac": "FLAC", ".ogg": "OGG", ".oga": "OGG",
    ".opus": "OGG", ".mp3": "MP3", ".aiff": "AIFF", ".aif": "AIFF", ".aifc": "AIFF", ".caf": "CAF", ".au": "AU",
    ".snd": "AU",
}  # fmt: skip
LOSSY = (".ogg", ".oga", ".opus", ".mp3")


@pytest.mark.parametrize("suffix", AUDIO_SUFFIXES)
def test_every_suffix_is_of_a_format_that_libsndfile_decodes(tmp_path, suffix):
    path, rate = tmp_path / f"a{suffix}", 48_000
    written = tone(440, 1.0, sample_rate=rate)
    subtype = "OPUS" if suffix == ".opus" else None
    assert CONTAINERS[suffix] in soundfile.available_formats()
    soundfile.write(path, written, rate, format=CONTAINERS[suffix], subtype=subtype)

    with DecodedBlocks(path) as recording:
        decoded = np.concatenate(list(recording.blocks()))
        assert recording.sample_rate == rate
    middle = slice(10_000, 40_000)  # lossy coders ring at the ends
    assert np.abs(decoded[: written.size][middle] - written[middle]).max() < (0.05 if suffix in LOSSY else 1e-4)


@pytest.mark.parametrize("suffix", [".aiff", ".aifc", ".caf", ".au", ".w64", ".flac", ".ogg", ".rf64"])
def test_a_cut_off_file_of_every_container_is_refused(tmp_path, suffix):
    path = tmp_path / f"a{suffix}"
    soundfile.write(path, tone(440, 2.0), RATE, format=CONTAINERS[suffix])
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])
    with pytest.raises(AudioError, match=r"truncated|cannot be decoded"):
        decode(path, RATE)


@pytest.mark.parametrize("suffix", [".wav", ".au", ".snd", ".vox", ".gsm", ".mp3", ".flac"])
@pytest.mark.parametrize(
    ("content", "what"),
    [(b"<!DOCTYPE html><title>404</title>" * 9, "an HTML page"), (bytes(range(256)) * 9, "begins with")],
)
def test_what_is_no_sound_is_refused_whatever_its_suffix(tmp_path, suffix, content, what):
    path = tmp_path / f"a{suffix}"
    path.write_bytes(content)
    with pytest.raises(AudioError, match=rf"{what}|cannot be decoded"):
        decode(path, RATE)
    with pytest.raises(ValueError, match=rf"{what}"):
        load_waveform(path, RATE)


@pytest.mark.parametrize("rate", [1, 99, 2_000_001, 2**32 - 1])
def test_a_rate_that_no_sound_has_is_refused_by_every_reader(tmp_path, rate):
    path = tmp_path / "a.wav"
    head = struct.pack("<HHIIHH", 1, 1, rate, 2 * rate % 2**32, 2, 16)
    path.write_bytes(riff(chunk(b"fmt ", head), chunk(b"data", SAMPLES.tobytes())))
    for read in (load_waveform, decode, lambda path, _: piped(path.read_bytes())):
        with pytest.raises(ValueError, match=f"a sample rate of {rate} Hz; expected 100 to 2000000"):
            read(path, RATE)


@pytest.mark.parametrize("rate", [8_000, 192_000, 384_000])
def test_rates_of_telephones_and_bats_are_heard(tmp_path, rate):
    path = tmp_path / "a.wav"
    soundfile.write(path, tone(440, 0.5, sample_rate=rate), rate, subtype="FLOAT")
    expected = tone(440, 0.5)
    for waveform in (load_waveform(path, RATE), decode(path, RATE)):
        assert np.abs(waveform[1000:7000] - expected[1000:7000]).max() < 2e-3


def test_channels_in_opposite_phase_are_heard_alike_by_train_and_classify(tmp_path):
    path, sound = tmp_path / "a.wav", tone(440, 1.0)
    soundfile.write(path, np.stack([0.5 * sound, -sound], axis=1), RATE, subtype="FLOAT")
    heard = heard_by_all(path)
    streamed = heard.pop("listen")

    for name, waveform in heard.items():
        assert np.array_equal(waveform, -sound), name
    assert np.allclose(streamed, -0.25 * sound)  # a pipe cannot know beforehand: it averages, and tells


def test_the_choice_of_a_channel_is_told_with_its_figures(tmp_path):
    path, sound = tmp_path / "a.flac", tone(440, 3.0)
    soundfile.write(path, np.stack([0.5 * sound, -sound], axis=1), RATE)
    with DecodedBlocks(path) as recording:
        list(recording.blocks())

        assert recording.remarks() == [
            "its channels cancel when averaged, in 3 of 3 s with sound (12 dB below the loudest channel); "
            "channel 2, the loudest, is used instead (--channel chooses)"
        ]


def test_float_samples_above_full_scale_stay_and_are_told(tmp_path):
    path, loud = tmp_path / "a.wav", 4.0 * tone(440, 1.0, amplitude=0.5)
    soundfile.write(path, loud, RATE, subtype="FLOAT")
    with DecodedBlocks(path) as recording:
        assert np.array_equal(np.concatenate(list(recording.blocks())), loud)
        assert "6.0 dB above full scale and are used as they are" in recording.remarks()[0]
        assert "clipped there, as a microphone does" in recording.remarks(as_shorts=True)[0]


def test_ordinary_recordings_have_no_remarks(tmp_path):
    content = io.BytesIO()
    soundfile.write(content, np.stack([tone(440, 1.0)] * 2, axis=1), RATE, format="WAV")
    (tmp_path / "a.wav").write_bytes(content.getvalue())
    (tmp_path / "b.wav").write_bytes(wav(SAMPLES.tobytes()))
    for name in ("a.wav", "b.wav"):
        with DecodedBlocks(tmp_path / name) as recording:
            list(recording.blocks())
            assert recording.remarks() == []


def test_mp3_inside_a_wav_file_is_decoded(tmp_path):
    frames = io.BytesIO()
    soundfile.write(frames, tone(440, 1.0), RATE, format="MP3")
    head = struct.pack("<HHIIHHHHIHHH", 0x55, 1, RATE, 4000, 1, 0, 12, 1, 2, 576, 1, 0)
    path = tmp_path / "a.wav"
    path.write_bytes(
        riff(chunk(b"fmt ", head), chunk(b"fact", struct.pack("<I", RATE)), chunk(b"data", frames.getvalue()))
    )

    assert np.abs(decode(path, RATE)[3000:13_000] - tone(440, 1.0)[3000:13_000]).max() < 0.05
    with pytest.raises(ValueError, match=r"0x0055 \(MP3\)"):
        WavFile(path)
