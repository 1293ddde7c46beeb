"""Numbers as text without a negative zero: -0.04 with one digit is 0.0."""

from __future__ import annotations


def signed(value: float, digits: int, plus: bool = True) -> str:
    """Return a number with so many digits behind the point and its sign, a zero never as -0.0.

    Parameters
    ----------
    value : float
    digits : int
    plus : bool
        Whether a number that is not negative begins with a plus.
    """
    return f"{round(value, digits) + 0.0:{'+' if plus else ''}.{digits}f}"
