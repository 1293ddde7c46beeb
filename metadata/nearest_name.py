"""The name that was probably meant, for messages about one that is unknown."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

CUTOFF = 0.4  # of difflib's likeness, 0 to 1: `qat` for `quat`, but nothing for `xyz`


def did_you_mean(name: str, names: Iterable[str], cutoff: float = CUTOFF) -> str:
    """Return "; did you mean X?" for the nearest of some names, capitals aside; empty where none is near."""
    by_folded = {known.casefold(): known for known in names}
    nearest = difflib.get_close_matches(name.casefold(), by_folded, n=1, cutoff=cutoff)
    return f"; did you mean {by_folded[nearest[0]]}?" if nearest else ""
