import numpy as np
import pytest

from edge_runtime.audio.downmix import CancellationMeter, channel_place, check_channel, to_mono

RATE = 16_000  # Hz


def noise(seconds=3.0, seed=0, amplitude=0.1):
    return (amplitude * np.random.default_rng(seed).standard_normal(round(seconds * RATE))).astype(np.float32)


def measured(*channels, block=5000):
    frames = np.stack(channels, axis=1).astype(np.float32)
    meter = CancellationMeter(frames.shape[1], RATE)
    for first in range(0, len(frames), block):
        meter.add(frames[first : first + block])
    return meter.result()


def test_one_channel_comes_out_as_it_went_in():
    samples = noise()

    assert to_mono(samples[:, None]).tobytes() == samples.tobytes()


@pytest.mark.parametrize("channels", [2, 3, 32])
def test_channels_are_averaged_in_float64(channels):
    frames = np.random.default_rng(1).standard_normal((1000, channels)).astype(np.float32)
    expected = np.array([sum(map(float, frame)) / channels for frame in frames])

    np.testing.assert_allclose(to_mono(frames), expected, rtol=1e-6, atol=1e-8)
    assert np.array_equal(to_mono(frames, 1), frames[:, 1])


@pytest.mark.parametrize("block", [1, 777, RATE, 10 * RATE])
def test_opposite_phase_cancels_in_every_second_whatever_the_blocks(block):
    samples = noise(1.3 if block == 1 else 3.0)
    found = measured(samples, -0.5 * samples, block=block)

    assert (found.cancelled, found.pieces) == ((2, 2) if block == 1 else (3, 3))
    assert found.mostly
    assert found.loudest == 0
    assert found.lost_db == pytest.approx(20 * np.log10(4), abs=0.01)


@pytest.mark.parametrize(
    "channels",
    [
        (noise(), noise()),
        (noise(), 0.3 * noise()),
        (noise(seed=1), noise(seed=2)),  # nothing in common
        (noise(), np.zeros_like(noise())),  # a microphone on one channel alone
        (noise(), *[np.zeros_like(noise())] * 7),
        (np.zeros_like(noise()), np.zeros_like(noise())),
        (noise(seed=1), 0.7 * noise(seed=2) - 0.5 * noise(seed=1)),  # a correlation of -0.58
        (0.3 + noise(), -0.3 + noise()),  # offsets in opposite directions, the sound in phase
        (noise(amplitude=1e-4), -noise(amplitude=1e-4)),  # what is that quiet has no phase worth keeping
    ],
    ids=["mono", "panned", "apart", "one side", "one of eight", "silence", "wide", "offsets", "nearly silent"],
)
def test_ordinary_channels_do_not_cancel(channels):
    assert measured(*channels).cancelled == 0


def test_a_few_samples_are_no_evidence():
    assert measured(noise(0.05), -noise(0.05)).pieces == 0


def test_a_file_that_cancels_for_a_third_of_its_time_is_averaged_and_told():
    samples = noise(9.0)
    turned = np.r_[-samples[: 3 * RATE], samples[3 * RATE :]]
    found = measured(samples, turned)

    assert (found.cancelled, found.pieces, found.mostly) == (3, 9, False)
    assert found.describe().startswith("its channels cancel when averaged, in 3 of 9 s with sound")


def test_the_loudest_of_three_channels_is_named():
    samples = noise()

    assert measured(0.5 * samples, samples, -1.5 * samples).loudest == 2


@pytest.mark.parametrize(
    ("channel", "place"), [("auto", None), ("mix", None), ("left", 0), ("right", 1), ("1", 0), ("2", 1)]
)
def test_a_channel_is_named_or_counted_from_one(channel, place):
    assert channel_place(channel, 2) == place


@pytest.mark.parametrize("channel", ["", "0", "-1", "middle", "1.5", "99999"])
def test_what_is_no_channel_is_refused(channel):
    with pytest.raises(ValueError, match="expected auto"):
        check_channel(channel)


def test_a_channel_that_is_not_there_is_refused():
    with pytest.raises(ValueError, match="has 1 channel; --channel asks for right"):
        channel_place("right", 1)
