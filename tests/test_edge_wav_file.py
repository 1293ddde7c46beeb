import struct
from pathlib import Path

import numpy as np
import pytest

from edge_runtime.audio.sound_frames import SoundFrames
from edge_runtime.audio.wav_file import WavFile, is_wav, read_wav

PCM_TAIL = bytes.fromhex("000000001000800000aa00389b71")
RECORDINGS = Path(__file__).parents[1] / "../shared/data/android_app"


def chunk(name, content):
    return name + struct.pack("<I", len(content)) + content + b"\0" * (len(content) % 2)


def fmt(tag=1, channels=1, rate=16_000, bits=16):
    frame = channels * bits // 8
    return struct.pack("<HHIIHH", tag, channels, rate, rate * frame, frame, bits)


def extensible(tag, bits, tail=PCM_TAIL):
    return fmt(0xFFFE, bits=bits) + struct.pack("<HHI", 22, bits, 4) + struct.pack("<H", tag) + tail


def riff(*chunks):
    body = b"WAVE" + b"".join(chunks)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def wav(data, **settings):
    return riff(chunk(b"fmt ", fmt(**settings)), chunk(b"data", data))


def ds64(data_bytes, riff_bytes=0):
    return chunk(b"ds64", struct.pack("<QQQI", riff_bytes, data_bytes, 0, 0))


def long_wav(kind, data, length, data_bytes=None):
    """RF64 or BW64 whose data chunk gives `length` in 32 bits, and whose ds64 chunk gives `data_bytes`."""
    extra = b"" if data_bytes is None else ds64(data_bytes)
    body = b"WAVE" + extra + chunk(b"fmt ", fmt()) + b"data" + struct.pack("<I", length) + data
    return kind + struct.pack("<I", 0xFFFFFFFF) + body


@pytest.fixture
def write(tmp_path):
    def write_file(content, name="clip.wav"):
        path = tmp_path / name
        path.write_bytes(content)
        return path

    return write_file


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (wav(bytes([0, 128, 255]) + b"", bits=8), [-1.0, 0.0, 127 / 128]),
        (wav(struct.pack("<3h", -32768, 16384, 32767)), [-1.0, 0.5, 32767 / 32768]),
        (wav(b"\x00\x00\x80\x00\x00\x40\xff\xff\xff\x01\x00\x00", bits=24), [-1.0, 0.5, -(2.0**-23), 2.0**-23]),
        (wav(struct.pack("<2i", -(2**31), 2**30), bits=32), [-1.0, 0.5]),
        (wav(struct.pack("<2f", -0.25, 1.5), tag=3, bits=32), [-0.25, 1.5]),
        (wav(struct.pack("<2d", -0.25, 1.5), tag=3, bits=64), [-0.25, 1.5]),
        (riff(chunk(b"fmt ", extensible(1, 16)), chunk(b"data", struct.pack("<h", 16384))), [0.5]),
        (riff(chunk(b"fmt ", extensible(3, 32)), chunk(b"data", struct.pack("<f", 0.125))), [0.125]),
    ],
)
def test_every_encoding_gives_the_values_counted_by_hand(write, content, expected):
    waveform, sample_rate = read_wav(write(content))

    assert waveform.dtype == np.float32
    assert waveform.tolist() == expected
    assert sample_rate == 16_000


def test_channels_are_averaged(write):
    waveform, sample_rate = read_wav(write(wav(struct.pack("<4h", 100, 300, -32768, 32767), channels=2, rate=44_100)))

    assert (waveform * 32768).tolist() == [200.0, -0.5]
    assert sample_rate == 44_100


def test_an_odd_chunk_before_the_data_is_stepped_over_with_its_padding(write):
    path = write(riff(chunk(b"LIST", b"odd"), chunk(b"fmt ", fmt()), chunk(b"x", b"1")[:0], chunk(b"data", b"\0\x40")))

    assert read_wav(path)[0].tolist() == [0.5]


def test_chunks_after_the_data_are_not_samples(write):
    path = write(riff(chunk(b"fmt ", fmt()), chunk(b"data", b"\0\x40"), chunk(b"LIST", b"comment")))

    assert read_wav(path)[0].size == 1


@pytest.mark.parametrize("kind", [b"RF64", b"BW64"])
def test_the_length_of_a_long_file_is_that_of_its_ds64_chunk(write, kind):
    path = write(long_wav(kind, b"\0\x40\0\xc0" + b"LIST", 0xFFFFFFFF, 4))

    assert is_wav(path)
    assert read_wav(path)[0].tolist() == [0.5, -0.5]


@pytest.mark.parametrize(
    "content",
    [
        long_wav(b"RIFF", b"\0\x40\0\xc0", 0xFFFFFFFF),
        long_wav(b"RF64", b"\0\x40\0\xc0\x01", 0xFFFFFFFF, 0),
        long_wav(b"RF64", b"\0\x40\0\xc0", 0xFFFFFFFF, 2**64 - 1),
        long_wav(b"RF64", b"\0\x40\0\xc0", 4, 99),
    ],
    ids=["RIFF from a pipe", "RF64 never finished, half a sample", "RF64 from a pipe", "short RF64"],
)
def test_a_length_that_was_never_filled_in_means_all_that_follows(write, content):
    assert read_wav(write(content))[0].tolist() == [0.5, -0.5]


def sparse(path, head, num_bytes, last):
    """A file of holes, with the last two bytes set."""
    with path.open("wb") as file:
        file.write(head)
        file.seek(num_bytes - 2)
        file.write(last)
    return path


def test_five_gibibytes_are_counted_in_64_bits(tmp_path):
    head = long_wav(b"RF64", b"", 0xFFFFFFFF, 5 * 2**30)
    path = sparse(tmp_path / "long.wav", head, len(head) + 5 * 2**30, b"\0\x40")
    with WavFile(path) as clip:
        assert clip.num_samples == 5 * 2**29
        assert not next(clip.blocks()).any()


def test_more_than_a_riff_header_can_describe_is_refused(tmp_path):
    head = wav(b"")[:-4] + struct.pack("<I", 2**30)  # five gibibytes, counted in 32 bits
    path = sparse(tmp_path / "over.wav", head, len(head) + 5 * 2**30, b"\0\x40")
    with pytest.raises(ValueError, match=r"its RIFF header cannot describe .* write RF64"):
        WavFile(path)


@pytest.mark.parametrize("block_length", [1, 3, 10, 11])
def test_blocks_put_together_are_the_file(write, block_length):
    path = write(wav(np.arange(-50, 50, 10, dtype="<i2").tobytes()))
    with WavFile(path) as clip:
        blocks = list(clip.blocks(block_length))

        assert (clip.num_samples, clip.num_channels, clip.sample_rate) == (10, 1, 16_000)
    assert max(block.size for block in blocks) <= block_length
    assert np.array_equal(np.concatenate(blocks), read_wav(path)[0])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"RIFF", "not a WAV file"),
        (b"hello, this is text", "is text, no sound file"),
        (b"<!DOCTYPE html><title>404</title>", "is an HTML page, no sound file; was it downloaded"),
        (b"\x1f\x8b\x08" + bytes(30), "is a gzip archive, no sound file; unpack it first"),
        (bytes(4) + b"ftypM4A " + bytes(30), "is an M4A or MP4 file, which is not decoded here; convert it: ffmpeg"),
        (b"fLaC" + bytes(30), r"a FLAC file.*setup\.sh"),
        (b"OggS" + bytes(30), r"an OGG file.*setup\.sh"),
        (b"ID3\x04" + bytes(30), r"an MP3 file.*convert it"),
        (b"\xff\xfb\x90\x64" + bytes(30), "an MP3 file"),
        (riff(), "no fmt chunk"),
        (riff(chunk(b"fmt ", fmt())), "no data chunk"),
        (riff(chunk(b"data", b"\0\0"), chunk(b"fmt ", fmt())), "before any fmt"),
        (riff(chunk(b"fmt ", fmt()[:10]), chunk(b"data", b"\0\0")), "fmt chunk of 10 bytes"),
        (wav(b""), "holds no samples"),
        (wav(b"\0"), "holds no samples"),
        (wav(b"\0" * 40)[:-7], "truncated: its data chunk should have 40 bytes and 33 are there"),
        (long_wav(b"RF64", b"\0\0", 0xFFFFFFFF, 2**33), "truncated: its data chunk should have 8589934592 bytes and 2"),
        (b"RF64" + bytes(4) + b"WAVE" + chunk(b"ds64", bytes(20)), "ds64 chunk of 20 bytes"),
        (wav(b"\0\0", tag=0x11, bits=4), r"0x0011 \(IMA ADPCM\)"),
        (wav(b"\0\0", tag=2, bits=4), r"0x0002 \(Microsoft ADPCM\).* install what decodes it"),
        (wav(b"\0\0", tag=0x1234), r"0x1234 \(unknown codec\)"),
        (wav(b"\0\0", bits=12), r"\(PCM\) with 12 bits"),
        (wav(b"\0\0", channels=0), "0 channels"),
        (wav(b"\0\0", rate=0), "a sample rate of 0 Hz; expected 100 to 2000000"),
        (
            riff(chunk(b"fmt ", extensible(1, 16, b"\1" * 14)), chunk(b"data", b"\0\0")),
            "EXTENSIBLE without a known subtype",
        ),
        (wav(struct.pack("<3f", 0.0, 0.0, np.nan), tag=3, bits=32), "NaN or infinity at sample 2"),
        (wav(struct.pack("<4f", 0.0, 0.0, -np.inf, 0.0), tag=3, bits=32, channels=2), "at sample 1"),
    ],
)
def test_a_faulty_file_is_refused_with_its_name_and_fault(write, content, message):
    path = write(content, "faulty.wav")
    with pytest.raises(ValueError, match=message) as caught:
        read_wav(path)

    assert str(caught.value).startswith(str(path))


def test_a_missing_file_is_not_found(tmp_path):
    with pytest.raises(FileNotFoundError):
        WavFile(tmp_path / "none.wav")


def test_a_file_that_shrinks_while_it_is_read_is_an_error(write):
    path = write(wav(bytes(200_000)))  # more than Python reads ahead
    with WavFile(path) as clip:
        path.write_bytes(path.read_bytes()[:500])
        with pytest.raises(ValueError, match="ended while it was read"):
            list(clip.blocks(50_000))


def test_a_wav_is_told_from_other_files_by_its_first_bytes(write):
    assert is_wav(write(wav(b"\0\0"), "sound.bin"))
    assert not is_wav(write(b"fLaC" + bytes(30), "sound.wav"))
    assert not is_wav(write(b"", "nothing.wav"))


def test_real_wav_files_decode_as_libsndfile_decodes_them():
    soundfile = pytest.importorskip("soundfile", reason="soundfile comes with the train extra")
    paths = sorted(RECORDINGS.glob("*/*.wav"))
    if not paths:
        pytest.skip("the real recordings are not beside this checkout")
    for path in paths:
        waveform, sample_rate = read_wav(path)
        expected, expected_rate = soundfile.read(path, dtype="float32", always_2d=True)

        assert sample_rate == expected_rate
        assert np.array_equal(waveform, expected.mean(axis=1))


def test_a_reader_that_yields_no_frames_cannot_be_made():
    class Mute(SoundFrames):
        pass

    with pytest.raises(TypeError, match="abstract method"):
        Mute()
