import numpy as np
import pytest
import soundfile
from conftest import tone
from test_train_decode import BROKEN

from edge_runtime.audio.recordings import load_waveform
from edge_runtime.audio.wav_file import read_wav
from train.recordings.decoding.decode import AudioError
from train.recordings.decoding.decoded_blocks import DecodedBlocks


def noise(num_samples, channels, bits):
    """Integers, so that both files hold the same; soundfile takes their highest bits."""
    return (
        np.random.default_rng(0).integers(-(2**31), 2**31, (num_samples, channels), np.int64).astype(np.int32)
        >> (32 - bits)
        << (32 - bits)
    )


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("bits", [16, 24])
def test_a_flac_file_gives_bit_for_bit_what_its_wav_gives(tmp_path, channels, bits):
    for suffix in ("wav", "flac"):
        soundfile.write(tmp_path / f"a.{suffix}", noise(100_000, channels, bits), 44_100, subtype=f"PCM_{bits}")
    with DecodedBlocks(tmp_path / "a.flac") as file:
        decoded = np.concatenate(list(file.blocks()))

        assert (file.sample_rate, file.num_samples) == (44_100, 100_000)
    assert decoded.tobytes() == read_wav(tmp_path / "a.wav")[0].tobytes()
    resampled = load_waveform(tmp_path / "a.flac", 16_000, DecodedBlocks)
    assert resampled.tobytes() == load_waveform(tmp_path / "a.wav", 16_000).tobytes()


@pytest.mark.parametrize("suffix", ["flac", "ogg", "mp3"])
@pytest.mark.parametrize("block_length", [1000, 4096, 60_000])
def test_blocks_put_together_are_what_libsndfile_reads_at_once(tmp_path, suffix, block_length):
    path = tmp_path / f"a.{suffix}"
    soundfile.write(path, tone(440, 3.0), 16_000)
    expected, _ = soundfile.read(path, dtype="float32")
    with DecodedBlocks(path) as file:
        blocks = list(file.blocks(block_length))

    assert max(block.size for block in blocks) <= block_length
    np.testing.assert_allclose(np.concatenate(blocks), expected, atol=1e-6)


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_file_is_refused_with_its_name(tmp_path, case):
    path = BROKEN[case][0](tmp_path)
    with pytest.raises(AudioError) as refusal, DecodedBlocks(path) as file:
        list(file.blocks())

    assert str(path) in str(refusal.value)


def test_samples_that_are_not_finite_are_refused(tmp_path):
    soundfile.write(tmp_path / "a.wav", np.array([0.0, np.nan], np.float32), 16_000, subtype="FLOAT")
    with pytest.raises(AudioError, match="NaN or infinity at sample 1"), DecodedBlocks(tmp_path / "a.wav") as file:
        list(file.blocks())


def test_a_missing_file_is_not_found(tmp_path):
    with pytest.raises(FileNotFoundError):
        DecodedBlocks(tmp_path / "none.flac")


def test_a_flac_file_that_does_not_say_its_length_is_refused(tmp_path):
    path = tmp_path / "a.flac"
    soundfile.write(path, tone(440, 1.0), 16_000)
    content = bytearray(path.read_bytes())
    content[21] &= 0xF0  # the 36 bits of STREAMINFO that count the samples
    content[22:26] = bytes(4)
    path.write_bytes(bytes(content))
    with pytest.raises(AudioError, match="does not say how many"):
        DecodedBlocks(path)


def _variable_mp3(folder, sample_rate, channels=1):
    """Ten quiet seconds and four loud ones as an MP3 of variable bit rate, with its frame count and without."""
    rng = np.random.default_rng(0)
    loudness = np.repeat([0.001, 0.3], [10 * sample_rate, 4 * sample_rate])[:, None]
    sound = loudness * rng.standard_normal((len(loudness), channels))
    counted, plain = folder / "counted.mp3", folder / "plain.mp3"
    soundfile.write(counted, sound, sample_rate, bitrate_mode="VARIABLE", compression_level=0.5)
    content = counted.read_bytes()
    assert content.find(b"Xing") > 0
    plain.write_bytes(content[content.index(content[:2], content.index(b"Xing")) :])
    return counted, plain


@pytest.mark.parametrize(("sample_rate", "channels"), [(16_000, 1), (44_100, 2)])
def test_an_mp3_without_a_frame_count_is_read_to_its_end(tmp_path, sample_rate, channels):
    counted, plain = _variable_mp3(tmp_path, sample_rate, channels)
    assert soundfile.info(plain).frames < 0.9 * 14 * sample_rate  # what libsndfile takes it for
    whole, samples = _read(counted), _read(plain)
    assert abs(len(samples) - len(whole)) <= 3 * 1152  # the delays of coder and decoder, which the count tells
    delay = int(np.argmax(np.correlate(samples[-sample_rate:, 0], whole[-sample_rate : -sample_rate // 2, 0], "valid")))
    assert delay <= 3 * 1152
    with DecodedBlocks(plain) as recording:
        twice = [np.concatenate(list(recording.frames())) for _ in range(2)]
    np.testing.assert_array_equal(*twice)


def test_tags_around_an_mp3_without_a_frame_count_are_no_frames(tmp_path):
    _, plain = _variable_mp3(tmp_path, 16_000)
    content = plain.read_bytes()
    spoilt = tmp_path / "tagged.mp3"
    tag = b"ID3\x04\x00\x00\x00\x00\x00\x10" + bytes(16) + bytes(100)  # and room that nothing fills
    spoilt.write_bytes(tag + content + b"TAG" + b"\xff" * 125)
    assert len(_read(spoilt)) == len(_read(plain))


def _read(path):
    with DecodedBlocks(path) as recording:
        return np.concatenate(list(recording.frames()))
