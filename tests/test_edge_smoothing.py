import math

import numpy as np
import pytest

from edge_runtime.listen.smoothing import ExponentialMean, MovingMean, make_smoother


def push_all(smoother, *scores):
    return [smoother.push([score])[0] for score in scores]


def test_the_mean_is_over_the_last_ticks_and_at_first_over_those_that_were():
    assert push_all(MovingMean(3), 3.0, 0.0, 0.0, 6.0, 0.0, 0.0, 0.0) == [3.0, 1.5, 1.0, 2.0, 2.0, 2.0, 0.0]


def test_a_mean_over_one_tick_is_the_tick():
    scores = np.random.default_rng(0).random(5).tolist()

    assert push_all(MovingMean(1), *scores) == scores


def test_an_unchanging_score_comes_out_unchanged_so_that_it_reaches_its_own_threshold():
    score = np.float32(0.7)

    assert set(push_all(MovingMean(7), *[score] * 50)) == {float(score)}
    assert set(push_all(ExponentialMean(2.5), *[score] * 50)) == {float(score)}


def test_after_a_time_constant_a_step_is_1_minus_1_over_e_there():
    smoothed = push_all(ExponentialMean(4), 0.0, *[1.0] * 4)

    assert smoothed[0] == 0.0
    assert smoothed[-1] == pytest.approx(1 - math.exp(-1))


@pytest.mark.parametrize("smoother", [MovingMean(5), ExponentialMean(3)])
def test_a_ramp_comes_out_late_by_the_delay(smoother):
    ramp = np.arange(200.0)
    smoothed = push_all(smoother, *ramp)

    assert smoothed[-1] == pytest.approx(ramp[-1] - smoother.delay_ticks, abs=1e-9)


def test_labels_are_smoothed_apart():
    smoother = MovingMean(2)
    smoother.push([1.0, 0.0])

    assert smoother.push([0.0, 0.5]).tolist() == [0.5, 0.25]


@pytest.mark.parametrize(("kind", "seconds", "delay"), [("mean", 1.5, 1.0), ("mean", 0, 0), ("exponential", 0, 0)])
def test_a_time_is_turned_into_ticks(kind, seconds, delay):
    assert make_smoother(kind, seconds, 0.5).delay_ticks == delay


@pytest.mark.parametrize(("kind", "seconds"), [("median", 1), ("mean", -1), ("mean", math.nan), ("mean", math.inf)])
def test_what_is_no_smoothing_is_refused(kind, seconds):
    with pytest.raises(ValueError, match="smoothing"):
        make_smoother(kind, seconds, 0.5)
