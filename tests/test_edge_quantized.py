import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_runtime.model.tensor_io import dequantize, quantize


def test_values_are_rounded_and_not_truncated():
    assert quantize([0.9, -0.9, 1.4], 1.0, 0, np.int8).tolist() == [1, -1, 1]


def test_values_beyond_the_range_are_clipped_and_do_not_wrap_around():
    assert quantize([1.0, -1.5, 100.0], 1 / 128, 0, np.int8).tolist() == [127, -128, 127]
    assert quantize([-1.0, 300.0], 1.0, 0, np.uint8).tolist() == [0, 255]


def test_the_zero_point_means_zero():
    assert quantize([0.0], 0.1, -128, np.int8).tolist() == [-128]
    assert dequantize(np.array([-128, 127], np.int8), 1 / 256, -128).tolist() == [0.0, 255 / 256]


def test_widening_keeps_int8_127_minus_minus_128_at_255():
    assert dequantize(np.array([127], np.int8), 1.0, -128).tolist() == [255.0]


@settings(deadline=None)
@given(st.lists(st.floats(-0.99, 0.99), min_size=1, max_size=50))
def test_there_and_back_is_within_half_a_step(values):
    back = dequantize(quantize(values, 1 / 127, 0, np.int8), 1 / 127, 0)

    assert np.abs(back - np.array(values)).max() <= 0.5 / 127 + 1e-6


def test_nan_and_a_scale_of_zero_are_refused():
    with pytest.raises(ValueError, match="NaN"):
        quantize([np.nan], 1.0, 0, np.int8)
    with pytest.raises(ValueError, match=r"scale is 0\.0"):
        quantize([1.0], 0.0, 0, np.int8)
