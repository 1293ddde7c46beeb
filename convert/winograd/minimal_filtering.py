"""Several outputs of a filter from fewer multiplications, after Winograd 1980 and Lavin and Gray 2016.

For m outputs y[i] = sum over k of g[k] * d[i + k] of a filter with r taps, the plain way multiplies m * r times. With
the polynomials of d and g taken at n = m + r - 1 points, infinity among them, n products are enough:

    y = output_side @ ((kernel_side @ g) * (input_side @ d))

What is multiplied may be whole convolutions over the other axis and the channels, which is where this pays.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from metadata.plural import counted

POINTS = (0.0, 1.0, -1.0, 2.0, -2.0, 0.5, -0.5)  # their differences are small and their powers exact in binary


@dataclass(frozen=True, eq=False)
class MinimalFiltering:
    """The matrices of one pair of sizes, float64, with m outputs, r taps and n = m + r - 1 products.

    Attributes
    ----------
    input_side : np.ndarray
        (n, n), exact in float32.
    kernel_side : np.ndarray
        (n, r); it is applied once, at export.
    output_side : np.ndarray
        (m, n), exact in float32.
    """

    input_side: np.ndarray
    kernel_side: np.ndarray
    output_side: np.ndarray

    @property
    def num_products(self) -> int:
        """Products that give all outputs, n."""
        return len(self.input_side)


def minimal_filtering(num_outputs: int, num_taps: int) -> MinimalFiltering:
    """Return the matrices for some outputs of a filter.

    Parameters
    ----------
    num_outputs, num_taps : int
        At least 1 each; their sum at most 9, as float32 loses digits with more points.

    Raises
    ------
    ValueError
        Fewer or more than that.
    """
    finite = num_outputs + num_taps - 2
    if min(num_outputs, num_taps) < 1 or finite > len(POINTS):
        raise ValueError(
            f"{counted(num_outputs, 'output')} of {num_taps} taps; expected at least 1 each and {len(POINTS) + 2} "
            "together at most"
        )
    points = np.array(POINTS[:finite])
    input_side = np.zeros((finite + 1, finite + 1))
    kernel_side = np.vstack([points[:, None] ** np.arange(num_taps), np.eye(num_taps)[-1]])
    output_side = np.vstack([points[:, None] ** np.arange(num_outputs), np.eye(num_outputs)[-1]]).T
    for number, point in enumerate(points):
        others = np.delete(points, number)
        input_side[number, :finite] = np.atleast_1d(np.poly(others))[::-1]
        kernel_side[number] /= np.prod(point - others)
    input_side[finite] = np.atleast_1d(np.poly(points))[::-1]
    # A power of two moved from one side to the other changes no digit and keeps the products at the size of the input.
    scale = 2.0 ** np.round(np.log2(np.abs(input_side).max(axis=1, keepdims=True)))
    return MinimalFiltering(input_side / scale, kernel_side * scale, output_side)
