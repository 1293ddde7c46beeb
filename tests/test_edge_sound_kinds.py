import gzip
import io
import zipfile

import numpy as np
import pytest
from test_edge_wav_file import wav

from edge_runtime.audio.sound_kinds import SNIFFED_BYTES, piped_refusal, recognise, refusal

soundfile = pytest.importorskip("soundfile", reason="soundfile comes with the train extra")
TONE = 0.3 * np.sin(np.arange(48_000) / 8)


def encoded(container, subtype=None, rate=48_000):
    content = io.BytesIO()
    soundfile.write(content, TONE, rate, format=container, subtype=subtype)
    return content.getvalue()


def zipped():
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("a.wav", wav(b"\0\0"))
    return content.getvalue()


@pytest.mark.parametrize(
    ("content", "name", "what"),
    [
        (wav(bytes(100)), "a WAV file", "wav"),
        (encoded("RF64"), "a WAV file", "wav"),
        (encoded("FLAC"), "a FLAC file", "decoded"),
        (encoded("OGG"), "an OGG file", "decoded"),
        (encoded("OGG", "OPUS"), "an Opus file", "decoded"),
        (encoded("MP3"), "an MP3 file", "decoded"),
        (encoded("MP3", rate=16_000), "an MP3 file", "decoded"),
        (encoded("AIFF"), "an AIFF file", "decoded"),
        (encoded("CAF"), "a CAF file", "decoded"),
        (encoded("AU"), "an AU file", "decoded"),
        (encoded("W64"), "a W64 file", "decoded"),
        (b"\0\0\0\x20ftypM4A \0\0\0\0" + bytes(100), "an M4A or MP4 file", "converted"),
        (bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c") + bytes(50), "a WMA or ASF file", "converted"),
        (2 * (bytes.fromhex("fff15080043ffc") + bytes(26)), "an AAC file", "converted"),
        (b"\x1a\x45\xdf\xa3" + bytes(50), "a Matroska or WebM file", "converted"),
        (gzip.compress(wav(bytes(100)), mtime=0), "a gzip archive", "packed"),
        (zipped(), "a ZIP archive", "packed"),
        (b"\n<!DOCTYPE html>\n<html><head>", "an HTML page", "no sound"),
        (b"\xef\xbb\xbf<html lang='en'>", "an HTML page", "no sound"),
        (b'{"error": "not found"}', "a JSON document", "no sound"),
        (b"<?xml version='1.0'?><Error/>", "an XML document", "no sound"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:00\n", "a Git LFS pointer", "no sound"),
        (("Übung für den Hörer, " * 300).encode(), "text", "no sound"),
        ("plain text of Windows".encode("utf-16"), "text", "no sound"),
    ],
)
def test_content_is_known_whatever_its_name(content, name, what):
    kind = recognise(content[:SNIFFED_BYTES])

    assert kind.name.startswith(name)
    assert kind.what == what


def test_an_mp3_without_a_tag_is_known_by_two_frames_and_in_a_file_by_one():
    content = encoded("MP3")
    start = content.index(b"\xff\xfb")

    assert recognise(content[start : start + SNIFFED_BYTES]).name == "an MP3 file"
    assert recognise(content[start : start + 100]) is None
    assert recognise(content[start : start + 100], is_file=True).name == "an MP3 file"


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("amplitude", [0, 1, 3, 300, 30_000])
def test_raw_samples_are_taken_for_nothing_else(seed, amplitude):
    generator = np.random.default_rng(seed)
    raw = (amplitude * generator.uniform(-1, 1, 2048)).round().astype("<i2").tobytes()

    assert recognise(raw) is None
    assert recognise(raw[:12]) is None


def test_a_refusal_names_the_kind_and_the_way_out():
    def told(content):
        return refusal(recognise(content), content), piped_refusal(recognise(content))

    assert told(b"fLaC" + bytes(50))[1] == (
        "is a FLAC file; through a pipe comes WAV; convert it on the way: "
        "ffmpeg -i - -f wav - | earproof listen MODEL -"
    )
    assert "write instead: ffmpeg -i FILE -f wav - |" in told(bytes(4) + b"ftypisom" + bytes(50))[1]
    assert "convert it: ffmpeg -i FILE NEW.wav" in told(bytes(4) + b"ftypisom" + bytes(50))[0]
    assert "gunzip -c |" in told(b"\x1f\x8b\x08" + bytes(50))[1]
    assert told(b"<html>" + b"not found")[0].startswith("is an HTML page, no sound file; was it downloaded")
    assert refusal(None, b"") == ("is empty (0 bytes); expected WAV, FLAC, Ogg Vorbis, Opus, MP3, AIFF, CAF, AU or W64")
