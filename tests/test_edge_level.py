import math

import numpy as np
import pytest

from edge_runtime.audio.level import check_silence_limit, is_silent, level_dbfs


@pytest.mark.parametrize(
    ("samples", "expected"),
    [
        (np.ones(100), 0.0),
        (np.tile([1.0, -1.0], 50), 0.0),
        (np.sin(2 * np.pi * np.arange(1000) / 100), 10 * math.log10(0.5)),
        (np.full(7, 0.001, np.float32), -60.0),
        (np.array([0.1, 0.0, 0.0, 0.0]), -20 - 10 * math.log10(4)),
    ],
    ids=["full scale", "square", "sine", "a thousandth", "one of four"],
)
def test_levels_known_by_hand(samples, expected):
    assert level_dbfs(samples) == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("samples", [np.zeros(10), np.zeros(0)])
def test_zeros_and_no_samples_have_no_level(samples):
    assert level_dbfs(samples) == -math.inf


def test_a_constant_offset_counts_as_level_and_nan_stays_nan():
    assert level_dbfs(np.full(10, 0.5)) == pytest.approx(-6.0206, abs=1e-4)
    assert math.isnan(level_dbfs([0.1, math.nan]))
    assert not is_silent(math.nan, -60.0)


def test_silence_is_below_the_limit_and_not_at_it():
    assert is_silent(-60.1, -60.0)
    assert not is_silent(-60.0, -60.0)
    assert is_silent(-math.inf, -200.0)
    assert not is_silent(-math.inf, None)


@pytest.mark.parametrize("limit", [60.0, 0.1, math.inf, -math.inf, math.nan])
def test_a_limit_that_makes_no_sense_is_refused(limit):
    with pytest.raises(ValueError, match="silence is below"):
        check_silence_limit(limit)


@pytest.mark.parametrize("limit", [None, 0.0, -60.0])
def test_a_limit_that_does_is_taken(limit):
    check_silence_limit(limit)
    assert is_silent(-100.0, limit) == (limit is not None)
