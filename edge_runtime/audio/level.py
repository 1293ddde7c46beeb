"""How loud sound is, and from where down it is silence.

Notes
-----
dBFS here is 20 log10 of the RMS where 1.0 is full scale: a square wave at full scale has 0, a sine -3.01 (not 0, as
under AES17). Only zeros have minus infinity. What pads a window is not sound: measure the samples that are there.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt


def level_dbfs(samples: npt.ArrayLike) -> float:
    """Return the RMS level of samples in [-1, 1], shape (n_samples,), in dBFS; minus infinity where there are none."""
    values = np.asarray(samples, np.float64)
    power = float(np.square(values).sum()) / max(values.size, 1)
    return 10.0 * math.log10(power) if power > 0.0 else power if math.isnan(power) else -math.inf


def is_silent(level: float, silence_below_dbfs: float | None) -> bool:
    """Whether a level is below the limit; without a limit nothing is silent."""
    return silence_below_dbfs is not None and level < silence_below_dbfs


def check_silence_limit(silence_below_dbfs: float | None) -> None:
    """Refuse a limit that would make everything silent, or nothing.

    Raises
    ------
    ValueError
        Above 0 dBFS, infinite or NaN.
    """
    if silence_below_dbfs is not None and not -math.inf < silence_below_dbfs <= 0.0:
        raise ValueError(f"silence is below {silence_below_dbfs} dBFS; expected a level of 0 or less, such as -60")
