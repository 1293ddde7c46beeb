"""The largest matching of two sets, of which some pairs may be made."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt


def largest_matching(allowed: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
    """Return as many pairs as can be made when each row and each column may be in one only.

    Parameters
    ----------
    allowed : np.ndarray
        bool (n_rows, n_columns).

    Returns
    -------
    np.ndarray
        int64 (n_pairs, 2): row and column, sorted.
    """
    row_of: dict[int, int] = {}
    for column in _by_first_row(allowed):
        _place(column, allowed, row_of, set())
    pairs = sorted((row, column) for column, row in row_of.items())
    return np.array(pairs, np.int64).reshape(-1, 2)


def _by_first_row(allowed: npt.NDArray[np.bool_]) -> list[int]:
    """The columns that may be in a pair, those with the earlier rows first."""
    columns = np.flatnonzero(allowed.any(axis=0))
    return sorted(columns.tolist(), key=lambda column: (int(allowed[:, column].argmax()), column))


def _place(column: int, allowed: npt.NDArray[np.bool_], row_of: dict[int, int], tried: set[int]) -> bool:
    """Give a column a row, the first that is free; where none is, another column moves. Augmenting paths, Kuhn 1955."""
    owner = {row: other for other, row in row_of.items()}
    rows = np.flatnonzero(allowed[:, column]).tolist()
    for row in rows:
        if row not in owner:
            row_of[column] = row
            return True
    for row in rows:
        if row not in tried:
            tried.add(row)
            if _place(owner[row], allowed, row_of, tried):
                row_of[column] = row
                return True
    return False
