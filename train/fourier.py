"""The power spectrum of real frames as two matrix products, after Cooley and Tukey 1965.

With n_fft = rows * columns a frame is a matrix, sample n = columns * a + b in row a, column b, and the bin
k = k1 + rows * k2 is, with w(x) = exp(-2 pi i x),

    X[k] = sum over b of w(b k2 / columns) * w(b k1 / n_fft) * sum over a of w(a k1 / rows) * x[a, b]

so one product along the rows, one multiplication, one product along the columns. Of k1 only 0 to rows // 2 is needed:
a real frame's other bins are mirror images. Bins come out in the order of k1, then k2, some of them twice; whatever
weighs them is put into that order once (`filters_in_order`), so that nothing is sorted at run time.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from keras import ops

MIN_COLUMNS = 8  # with fewer, powers of two below 128, a transform by the runtime's own operator is as fast


@dataclass(frozen=True, eq=False)
class FactoredFourier:
    """The constants of the transform, float32.

    Attributes
    ----------
    first : np.ndarray
        (2 * num_k1, rows): cosines, then minus sines, of the product along the rows.
    cosines, sines : np.ndarray
        (num_k1, columns): of the multiplication between the products.
    second : np.ndarray
        (2 * columns, 2 * columns): of the product along the columns, real parts before imaginary ones.
    """

    first: np.ndarray
    cosines: np.ndarray
    sines: np.ndarray
    second: np.ndarray

    def power(self, frames):
        """Return real**2 + imag**2, (batch, n_frames, num_k1 * columns), of frames (batch, n_frames, n_fft)."""
        num_k1, columns = self.cosines.shape
        num_frames = frames.shape[1]
        rows = ops.matmul(self.first, ops.reshape(frames, (-1, self.first.shape[1], columns)))
        real, imag = rows[:, :num_k1], rows[:, num_k1:]
        turned = ops.concatenate(
            [real * self.cosines - imag * self.sines, real * self.sines + imag * self.cosines], axis=2
        )
        squares = ops.square(ops.matmul(turned, self.second))
        power = squares[:, :, :columns] + squares[:, :, columns:]
        return ops.reshape(power, (-1, num_frames, num_k1 * columns))


def factored_fourier(n_fft: int) -> FactoredFourier | None:
    """Return the transform of frames of this length; None where the runtime's own operator is as good.

    Notes
    -----
    That operator, RFFT2D, takes powers of two only, the products any length: 400 samples run this way alone.
    """
    sides = _sides(n_fft)
    if sides is None:
        return None
    rows, columns = sides
    k1, a, b = np.arange(rows // 2 + 1), np.arange(rows), np.arange(columns)
    first = np.exp(-2j * np.pi * np.outer(k1, a) / rows)
    turn = np.exp(-2j * np.pi * np.outer(k1, b) / n_fft)
    second = np.exp(-2j * np.pi * np.outer(b, b) / columns)
    return FactoredFourier(
        first=np.concatenate([first.real, first.imag]).astype(np.float32),
        cosines=turn.real.astype(np.float32),
        sines=turn.imag.astype(np.float32),
        second=np.block([[second.real, second.imag], [-second.imag, second.real]]).astype(np.float32),
    )


def filters_in_order(filters: np.ndarray, n_fft: int) -> np.ndarray:
    """Return the rows of a filter bank in the order in which `FactoredFourier.power` puts out the bins.

    Parameters
    ----------
    filters : np.ndarray
        (1 + n_fft // 2, n_filters).
    n_fft : int
        One for which `factored_fourier` does not return None.

    Returns
    -------
    np.ndarray
        (num_k1 * columns, n_filters); the second appearance of a bin has zeros.
    """
    rows, columns = _sides(n_fft)
    k = (np.arange(rows // 2 + 1)[:, None] + rows * np.arange(columns)[None, :]).ravel()
    bins = np.minimum(k, n_fft - k)  # above half the sample rate bins mirror those below
    once = np.zeros(len(bins), bool)
    once[np.unique(bins, return_index=True)[1]] = True
    return filters[bins] * once[:, None].astype(filters.dtype)


def _sides(n_fft: int) -> tuple[int, int] | None:
    """Return rows and columns, rows about twice the columns (64 by 32 for 2048), or None."""
    columns = max(one for one in range(1, int((n_fft / 2) ** 0.5) + 1) if n_fft % one == 0)
    is_power_of_two = n_fft & (n_fft - 1) == 0
    return None if is_power_of_two and columns < MIN_COLUMNS else (n_fft // columns, columns)
