"""The power spectrum of real frames as two matrix products, after Cooley and Tukey 1965.

With n_fft = rows * columns a frame is a matrix, sample n = columns * a + b in row a, column b, and the bin
k = k1 + rows * k2 is, with w(x) = exp(-2 pi i x),

    X[k] = sum over b of w(b k2 / columns) * w(b k1 / n_fft) * sum over a of w(a k1 / rows) * x[a, b]

so one product along the rows, one multiplication, one product along the columns. Of k1 only 0 to rows // 2 is needed:
a real frame's other bins are mirror images, and some bins come out twice. Each column k2 holds a band of neighbouring
bins; the columns are put in the order of their frequency, for nothing, by the order of the second product's constants.
A mel filter then weighs neighbouring columns only, and a group of neighbouring filters is a product with these alone
(`grouped_filters`): of librosa's 128 filters over 1025 bins, which are nearly all zeros, a third is left to store.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from keras import ops

NUM_GROUPS = 4  # of filters: more store fewer zeros and take more operations; on x86 four are the fastest for 128
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
        (2 * columns, 2 * columns): of the product along the columns, real parts before imaginary ones, each in the
        order of rising frequency.
    """

    first: np.ndarray
    cosines: np.ndarray
    sines: np.ndarray
    second: np.ndarray

    def power(self, frames: Any) -> Any:
        """Return real**2 + imag**2, (batch, n_frames, num_k1, columns), of frames (batch, n_frames, n_fft)."""
        num_k1, columns = self.cosines.shape
        num_frames = frames.shape[1]
        rows = ops.matmul(self.first, ops.reshape(frames, (-1, self.first.shape[1], columns)))
        real, imag = rows[:, :num_k1], rows[:, num_k1:]
        turned = ops.concatenate(
            [real * self.cosines - imag * self.sines, real * self.sines + imag * self.cosines], axis=2
        )
        squares = ops.square(ops.matmul(turned, self.second))
        power = squares[:, :, :columns] + squares[:, :, columns:]
        return ops.reshape(power, (-1, num_frames, num_k1, columns))


@dataclass(frozen=True, eq=False)
class FilterGroup:
    """Neighbouring filters, and the columns of the power that they weigh.

    Attributes
    ----------
    first_column, stop_column : int
    weights : np.ndarray
        float32 (num_k1 * (stop_column - first_column), n_filters).
    """

    first_column: int
    stop_column: int
    weights: np.ndarray

    def apply(self, power: Any) -> Any:
        """Return the filters' output (batch, n_frames, n_filters) for power (batch, n_frames, num_k1, columns)."""
        weighed = power[:, :, :, self.first_column : self.stop_column]
        return ops.matmul(ops.reshape(weighed, (-1, power.shape[1], len(self.weights))), self.weights)


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
    second = np.exp(-2j * np.pi * np.outer(b, b) / columns)[:, _column_order(n_fft)]
    return FactoredFourier(
        first=np.concatenate([first.real, first.imag]).astype(np.float32),
        cosines=turn.real.astype(np.float32),
        sines=turn.imag.astype(np.float32),
        second=np.block([[second.real, second.imag], [-second.imag, second.real]]).astype(np.float32),
    )


def grouped_filters(filters: np.ndarray, n_fft: int, num_groups: int = NUM_GROUPS) -> list[FilterGroup]:
    """Return a filter bank as groups that weigh what `FactoredFourier.power` puts out.

    Parameters
    ----------
    filters : np.ndarray
        (1 + n_fft // 2, n_filters), in the order of their frequency.
    n_fft : int
        One for which `factored_fourier` does not return None.
    num_groups : int
        At most; their outputs, one after the other, are those of all filters.
    """
    bins, columns = _bins(n_fft), _column_order(n_fft)
    once = np.zeros(bins.size, bool)
    once[np.unique(bins, return_index=True)[1]] = True
    weights = (filters[bins] * once.reshape(bins.shape)[..., None].astype(filters.dtype))[:, columns]
    groups = []
    for members in np.array_split(np.arange(filters.shape[1]), min(num_groups, filters.shape[1])):
        heard = np.flatnonzero(weights[:, :, members].any(axis=(0, 2)))
        first, stop = (heard[0], heard[-1] + 1) if heard.size else (0, 1)
        kept = np.ascontiguousarray(weights[:, first:stop][:, :, members])
        groups.append(FilterGroup(int(first), int(stop), kept.reshape(-1, len(members))))
    return groups


def bin_places(n_fft: int) -> np.ndarray:
    """Return where each bin stands among the num_k1 * columns values of `FactoredFourier.power`, int (n_bins,).

    Parameters
    ----------
    n_fft : int
        One for which `factored_fourier` does not return None.
    """
    return np.unique(_bins(n_fft)[:, _column_order(n_fft)], return_index=True)[1].astype(np.int32)


def _bins(n_fft: int) -> np.ndarray:
    """Return the bin of each k1 and k2, (num_k1, columns); above half the sample rate they mirror those below."""
    sides = _sides(n_fft)
    assert sides is not None  # `factored_fourier` was asked first
    rows, columns = sides
    k = np.arange(rows // 2 + 1)[:, None] + rows * np.arange(columns)[None, :]
    bins: np.ndarray = np.minimum(k, n_fft - k)
    return bins


def _column_order(n_fft: int) -> np.ndarray:
    """Return the columns k2 in the order of the frequencies they hold."""
    return np.argsort(_bins(n_fft).mean(axis=0), kind="stable")


def _sides(n_fft: int) -> tuple[int, int] | None:
    """Return rows and columns, rows about twice the columns (64 by 32 for 2048), or None."""
    columns = max(one for one in range(1, int((n_fft / 2) ** 0.5) + 1) if n_fft % one == 0)
    is_power_of_two = n_fft & (n_fft - 1) == 0
    return None if is_power_of_two and columns < MIN_COLUMNS else (n_fft // columns, columns)
