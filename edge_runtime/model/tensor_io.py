"""Between float values and the integers of a quantized tensor: real = scale * (integer - zero_point)."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt


def quantize(values: npt.ArrayLike, scale: float, zero_point: int, dtype: npt.DTypeLike) -> npt.NDArray[Any]:
    """Return the integers nearest to the values, clipped to the range of the type.

    Parameters
    ----------
    values : array_like of float
        Finite.
    scale : float
        Above 0.
    zero_point : int
        The integer that means 0.0.
    dtype : dtype
        An integer type, such as int8.

    Raises
    ------
    ValueError
        NaN or infinity, or a scale that is not positive.

    Notes
    -----
    Without rounding a cast truncates towards zero; without clipping 128 becomes -128.
    """
    numbers = np.asarray(values, np.float64)
    if not np.isfinite(numbers).all():
        raise ValueError("the values hold NaN or infinity; expected finite numbers to quantize")
    if not scale > 0.0:
        raise ValueError(f"scale is {scale}; expected a positive number")
    limits = np.iinfo(np.dtype(dtype))
    rounded = np.rint(numbers / scale) + zero_point
    return np.asarray(np.clip(rounded, limits.min, limits.max), dtype)


def dequantize(integers: npt.ArrayLike, scale: float, zero_point: int) -> npt.NDArray[np.float32]:
    """Return the float values that the integers mean, float32."""
    # Widened first: int8(127) - int8(-128) is -1 in int8.
    wide = np.asarray(integers).astype(np.int64) - zero_point
    return np.asarray(wide * np.float64(scale), np.float32)
