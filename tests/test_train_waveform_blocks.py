import numpy as np
import pytest
import soundfile
import soxr

from train.recordings.decoding.decode import decode
from train.recordings.decoding.waveform_blocks import waveform_blocks


@pytest.mark.parametrize("file_rate", [8_000, 16_000, 22_050, 44_100, 48_000])
def test_a_recording_in_blocks_is_the_recording_as_a_whole(tmp_path, file_rate):
    samples = np.random.default_rng(1).uniform(-0.5, 0.5, 5 * 65_536 + 17).astype(np.float32)
    soundfile.write(tmp_path / "noise.wav", samples, file_rate, subtype="FLOAT")
    blocks = list(waveform_blocks(tmp_path / "noise.wav", 16_000))
    whole = samples if file_rate == 16_000 else soxr.resample(samples, file_rate, 16_000, quality="HQ")
    assert all(block.size and block.dtype == np.float32 for block in blocks)
    assert len(blocks) > 1
    np.testing.assert_array_equal(np.concatenate(blocks), whole)
    np.testing.assert_array_equal(np.concatenate(blocks), decode(tmp_path / "noise.wav", 16_000))
