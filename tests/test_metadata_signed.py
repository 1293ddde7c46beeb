"""Numbers as text: no negative zero, whatever it was rounded from."""

import math

import pytest

from metadata.signed import signed


@pytest.mark.parametrize(
    ("value", "digits", "said"),
    [
        (-0.0, 1, "+0.0"),
        (-0.04, 1, "+0.0"),
        (-0.06, 1, "-0.1"),
        (0.0, 2, "+0.00"),
        (-0.4, 0, "+0"),
        (-12.34, 1, "-12.3"),
    ],
)
def test_zero_is_never_negative(value, digits, said):
    assert signed(value, digits) == said


def test_a_plus_can_be_left_out_and_infinity_stays():
    assert signed(-0.001, 2, plus=False) == "0.00"
    assert signed(3.0, 1, plus=False) == "3.0"
    assert signed(-math.inf, 1, plus=False) == "-inf"
