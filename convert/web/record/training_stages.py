"""How far a build has come, by what it said last."""

from __future__ import annotations

import re
from collections.abc import Sequence

# Where each step begins and ends, as shares of the time of a build of three labels with ten takes each.
_STEPS = (
    (r"decode:", 0.10, 0.14),
    (r"compare:", 0.14, 0.18),
    (r"\[\d+/\d+\] .*: training", 0.18, 0.20),
    (r"\d+%\|.*\| (?P<place>\d+)/(?P<total>\d+) \[.*epoch", 0.20, 0.45),
    (r"features of train", 0.20, 0.24),
    (r"features of val", 0.24, 0.26),
    (r"inner folds", 0.26, 0.30),
    (r"head fitted", 0.30, 0.45),
    (r"converting .*\((?P<place>\d+) of (?P<total>\d+)", 0.45, 0.65),
    (r"running .*\((?P<place>\d+) of (?P<total>\d+)", 0.65, 0.80),
    (r"comparing (with|the front end).*\((?P<place>\d+) of (?P<total>\d+)", 0.80, 0.90),
    (r"timing .*\((?P<place>\d+) of (?P<total>\d+)", 0.90, 0.99),
)
FIRST_STEP = "loading the trainer"


def stage_of(lines: Sequence[str]) -> tuple[float, str]:
    """Return the share of a build that is done, 0 to 1 and a guess, and the line that says so.

    Parameters
    ----------
    lines : sequence of str
        What the build said so far.
    """
    for line in reversed(lines):
        for pattern, begin, end in _STEPS:
            if found := re.match(pattern, line) or re.search(rf"^\w+: +{pattern}", line):
                place, total = found.groupdict().get("place"), found.groupdict().get("total")
                done = (int(place) - 1) / max(int(total), 1) if place and total else 0.0
                return begin + (end - begin) * max(done, 0.0), line.strip()
    return 0.0, FIRST_STEP
