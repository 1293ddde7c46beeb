"""The same audio under two names: every sample equal, or one recording at another rate, format, gain or cut."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from metadata.joined_names import join_names, split_names
from train.checks.fingerprint import (
    FRAMES_PER_SECOND,
    Fingerprint,
    aligned_correlation,
    bit_error_rate,
    common_stretch,
)
from train.checks.fingerprint_meetings import LEAST_FRAMES, meetings
from train.recordings.clip import GROUP_SEPARATOR
from train.recordings.joined_groups import join_groups

LEAST_CORRELATION = 0.3  # as `aligned_correlation` has it
_MOST_BIT_ERRORS = 0.40  # share, of what is looked at closer; unrelated recordings give 0.5

_MOST_PAIRS = 8  # of one clip, behind which those that join nothing new are not compared: many copies make no square

Load = Callable[[int, int, int], np.ndarray]


@dataclass(frozen=True)
class Duplicate:
    """Two clips that hold the same audio.

    Attributes
    ----------
    first, second : int
        Positions of the clips, first < second.
    exact : bool
        Whether every sample is equal.
    correlation : float
        Of the two where they agree, `LEAST_CORRELATION` to 1.
    seconds : float
        How much they have in common, as far as the fingerprint tells; 0 where exact.
    shift_seconds : float
        How much later the second clip has it.
    """

    first: int
    second: int
    exact: bool
    correlation: float = 1.0
    seconds: float = 0.0
    shift_seconds: float = 0.0


def find_duplicates(
    digests: Sequence[str],
    fingerprints: Sequence[Fingerprint],
    load: Load,
    is_wanted: Callable[[int, int], bool] | None = None,
) -> list[Duplicate]:
    """Return the pairs of clips with the same audio, exact ones first, each pair once.

    Parameters
    ----------
    digests : sequence of str
        A hash of the decoded samples, one a clip.
    fingerprints : sequence of Fingerprint
        One a clip.
    load : callable
        Returns the waveform of the clip at a position from one sample up to before another, at the fingerprint's sample
        rate; called for those pairs whose fingerprints agree.
    is_wanted : callable, optional
        Whether two clips at these positions are to be compared. Scenes composed of the same clips share audio in very
        many pairs, which take long.

    Notes
    -----
    A copy is found if at least one word of its fingerprint survived, so that a copy under heavy noise, at another
    speed or pitch, or a clip that is part of a mixture is not; nor one without structure (see `fingerprint`), but for
    exact copies. Of a clip with many near copies not every pair is listed, but those that are join all of them.
    """
    exact = list(_equal_pairs(digests))
    # Of several equal clips the first one stands for all, so that a thousand copies make no million of pairs.
    same = {pair.second for pair in exact}
    near: list[Duplicate] = []
    known = _Joined(len(fingerprints))
    for (first, second), shifts in sorted(meetings(fingerprints, same).items()):
        if known.says_enough(first, second) or not (is_wanted is None or is_wanted(first, second)):
            continue
        errors, shift, frames = min(_compare(fingerprints[first], fingerprints[second], shifts))
        if frames >= LEAST_FRAMES and errors <= _MOST_BIT_ERRORS:
            ours, theirs = common_stretch(fingerprints[first], fingerprints[second], shift)
            correlation = aligned_correlation(load(first, *ours), load(second, *theirs), 0)
            if correlation >= LEAST_CORRELATION:
                common = {"seconds": frames / FRAMES_PER_SECOND, "shift_seconds": shift / FRAMES_PER_SECOND}
                near.append(Duplicate(first, second, False, min(1.0, correlation), **common))
                known.join(first, second)
    return exact + near


class _Joined:
    """Which clips hang together by the pairs so far, and in how many pairs each stands."""

    def __init__(self, count: int) -> None:
        self._parents = list(range(count))
        self._pairs = [0] * count

    def says_enough(self, first: int, second: int) -> bool:
        """Whether a pair joins nothing new, of two clips that stand in many."""
        many = min(self._pairs[first], self._pairs[second]) >= _MOST_PAIRS
        return many and self._root(first) == self._root(second)

    def join(self, first: int, second: int) -> None:
        """Take a pair in."""
        for place in (first, second):
            self._pairs[place] += 1
        self._parents[self._root(second)] = self._root(first)

    def _root(self, place: int) -> int:
        while self._parents[place] != place:
            self._parents[place] = place = self._parents[self._parents[place]]
        return place


def groups_with_duplicates(groups: Sequence[str], duplicates: Sequence[Duplicate]) -> list[str]:
    """Return the groups with those joined that share audio; a joined group has the name of its first one.

    A mixture has the groups of its parts; which of them sounds in its duplicate is not known, so all are joined.
    """
    parts = [split_names(group, GROUP_SEPARATOR) for group in groups]
    joined = join_groups(
        [*([group] for own in parts for group in own), *(parts[p.first] + parts[p.second] for p in duplicates)]
    )
    return [join_names(dict.fromkeys(joined[group] for group in own), GROUP_SEPARATOR) for own in parts]


def _equal_pairs(digests: Sequence[str]) -> Iterator[Duplicate]:
    """Pairs of equal clips: the first one of each kind with every later one."""
    first: dict[str, int] = {}
    for place, digest in enumerate(digests):
        earlier = first.setdefault(digest, place)
        if earlier != place:
            yield Duplicate(earlier, place, True)


def _compare(one: Fingerprint, other: Fingerprint, shifts: Iterable[int]) -> Iterator[tuple[float, int, int]]:
    """Bit errors, shift and compared frames for each shift; too short a stretch counts as all wrong."""
    for shift in shifts:
        errors, frames = bit_error_rate(one, other, shift)
        yield (errors if frames >= LEAST_FRAMES else 1.0), shift, frames
