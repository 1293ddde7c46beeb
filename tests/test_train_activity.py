"""When labels sound: by hand for a few parts, and learned beside what they are."""

import numpy as np
import pytest

from train.batches.activity import BLOCK_LENGTH, ActivitySteps, part_activity, window_activity

STEPS = ActivitySteps(num_steps=5, first=-BLOCK_LENGTH, hop=10 * BLOCK_LENGTH, length=10 * BLOCK_LENGTH)


def _beep(first_block, past_block, num_blocks=50, amplitude=0.5):
    part = np.zeros(num_blocks * BLOCK_LENGTH, np.float32)
    part[first_block * BLOCK_LENGTH : past_block * BLOCK_LENGTH] = amplitude
    return part


@pytest.mark.parametrize(
    ("first_block", "past_block", "expected"),
    [
        (0, 1, [1, 0, 0, 0, 0]),
        (8, 9, [1, 0, 0, 0, 0]),
        (9, 10, [0, 1, 0, 0, 0]),  # the first stretch begins a block before the window
        (8, 10, [1, 1, 0, 0, 0]),
        (20, 35, [0, 0, 1, 1, 0]),
        (49, 50, [0, 0, 0, 0, 0]),  # behind the last stretch
        (0, 50, [1, 1, 1, 1, 1]),
    ],
)
def test_a_beep_sounds_in_the_steps_whose_stretch_holds_it(first_block, past_block, expected):
    assert part_activity(_beep(first_block, past_block), STEPS).tolist() == expected


def test_what_is_35_db_below_the_loudest_block_does_not_sound():
    part = _beep(0, 5) + _beep(20, 25, amplitude=0.5 * 10 ** (-34.9 / 20)) + _beep(40, 45, amplitude=0.5 / 60)
    assert part_activity(part, STEPS).tolist() == [1, 0, 1, 0, 0]


def test_volume_does_not_matter_and_silence_sounds_nowhere():
    part = _beep(3, 25)
    assert np.array_equal(part_activity(part, STEPS), part_activity(part * np.float32(1e-4), STEPS))
    assert part_activity(np.zeros_like(part), STEPS).tolist() == [0] * 5


def test_a_short_part_sounds_no_longer_than_it_is():
    assert part_activity(_beep(0, 12, num_blocks=12), STEPS).tolist() == [1, 1, 0, 0, 0]
    assert part_activity(np.zeros(3, np.float32), STEPS).tolist() == [0] * 5


def test_each_label_of_a_mixture_has_its_own_times():
    activity = window_activity([_beep(0, 5), _beep(40, 49)], [2, 0], 3, STEPS)
    assert activity.T.tolist() == [[0, 0, 0, 0, 1], [0] * 5, [1, 0, 0, 0, 0]]
