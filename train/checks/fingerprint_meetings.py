"""Which recordings may be one, by words that their fingerprints share: few pairs out of billions, in linear memory.

A word is linked with its next few places alone, so that there are never more pairs than a few a word. Of a hundred
copies each meets the next ones, which is enough to find them all.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence

import numpy as np

from train.checks.fingerprint import FRAMES_PER_SECOND, Fingerprint

LEAST_SECONDS = 1.0  # that two recordings must have in common
LEAST_FRAMES = int(LEAST_SECONDS * FRAMES_PER_SECOND)
_MOST_PLACES = 64  # of one word; a word that stands everywhere (hum, steady noise) points nowhere
_LINKS = 8  # later places of a word that one is compared with
_REACH = 32  # frames before and after a meeting by which it is judged
_MOST_BIT_ERRORS_NEAR = 0.45  # share there; unrelated recordings give 0.5
_FEWEST_COMPARED = 8  # frames; of fewer no share is told
_MEETINGS_AT_ONCE = 4_096
_WORDS_AT_ONCE = 1 << 17

Shifts = dict[tuple[int, int], set[int]]


class _Words:
    """The words of all recordings that are long enough, one after the other."""

    def __init__(self, fingerprints: Sequence[Fingerprint], left_out: Collection[int]) -> None:
        # Recordings below a second in common cannot agree on a second.
        places = [
            place
            for place, one in enumerate(fingerprints)
            if one.words.size >= LEAST_FRAMES and one.telling.any() and place not in left_out
        ]
        self.places = np.array(places, np.int64)
        chosen = [fingerprints[place] for place in places]
        self.lengths = np.array([one.words.size for one in chosen], np.int64)
        self.starts = np.r_[0, np.cumsum(self.lengths)][:-1].astype(np.int64)
        self.words = np.concatenate([np.zeros(0, np.uint32), *(one.words for one in chosen)])
        self.telling = np.concatenate([np.zeros(0, bool), *(one.telling for one in chosen)])


def meetings(fingerprints: Sequence[Fingerprint], left_out: Collection[int] = ()) -> Shifts:
    """Return pairs of recordings that sound alike somewhere, and how far apart they do so, in frames.

    Parameters
    ----------
    fingerprints : sequence of Fingerprint
    left_out : collection of int
        Positions of those that others stand for.
    """
    held = _Words(fingerprints, left_out)
    found: Shifts = defaultdict(set)
    for linked in _linked(held):
        for first, second, shift in _alike(held, *linked):
            found[int(held.places[first]), int(held.places[second])].add(shift)
    return found


def _linked(held: _Words) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Places in the row of all words at which two recordings share a word: the earlier, the later one, and the pair.

    They come in parts of so many words, so that millions of words need no more memory than that; within a part each
    pair comes once at each distance.
    """
    frames = np.flatnonzero(held.telling)
    words = held.words[frames]
    order = np.argsort(words, kind="stable")  # so that places of one word stay in the order of the recordings
    frames, words = frames[order], words[order]
    clips = np.searchsorted(held.starts, frames, side="right") - 1
    begins = np.flatnonzero(np.r_[True, words[1:] != words[:-1]]) if words.size else np.zeros(0, np.int64)
    counts = np.diff(np.r_[begins, words.size])
    rare = np.repeat(counts <= _MOST_PLACES, counts)
    for start in range(0, words.size, _WORDS_AT_ONCE):
        stop = min(words.size, start + _WORDS_AT_ONCE)
        pairs = [np.zeros((4, 0), np.int64)]
        for step in range(1, _LINKS + 1):
            here = np.arange(start, min(stop, words.size - step))
            there = here + step
            here = here[(words[here] == words[there]) & rare[here] & (clips[here] != clips[there])]
            pairs.append(np.stack([frames[here], frames[here + step], clips[here], clips[here + step]]))
        yield _distinct(held, *np.concatenate(pairs, axis=1))


def _distinct(
    held: _Words, ours: np.ndarray, theirs: np.ndarray, one: np.ndarray, other: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of the meetings of the same recordings at the same distance one, if they can have a second in common."""
    shift = (theirs - held.starts[other]) - (ours - held.starts[one])
    order = np.lexsort((shift, other, one))
    ours, theirs, one, other, shift = (values[order] for values in (ours, theirs, one, other, shift))
    common = np.minimum(held.lengths[one], held.lengths[other] - shift) - np.maximum(0, -shift)
    is_new = np.ones(ours.size, bool)
    is_new[1:] = (np.diff(one) != 0) | (np.diff(other) != 0) | (np.diff(shift) != 0)
    kept = is_new & (common >= LEAST_FRAMES)
    return ours[kept], theirs[kept], one[kept] * held.lengths.size + other[kept]


def _alike(held: _Words, ours: np.ndarray, theirs: np.ndarray, pairs: np.ndarray) -> Iterator[tuple[int, int, int]]:
    """Those meetings around which the words agree more than by chance: both recordings, and their distance."""
    bits = np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1).sum(axis=1)
    around = np.arange(-_REACH, _REACH + 1)
    one, other = np.divmod(pairs, max(1, held.lengths.size))
    for start in range(0, ours.size, _MEETINGS_AT_ONCE):
        some = slice(start, start + _MEETINGS_AT_ONCE)
        first, in_first = _neighbours(held, ours[some], one[some], around)
        second, in_second = _neighbours(held, theirs[some], other[some], around)
        compared = in_first & in_second & held.telling[first] & held.telling[second]
        differing = (held.words[first] ^ held.words[second])[..., None].view(np.uint8)
        wrong = np.where(compared, bits[differing].sum(axis=2), 0).sum(axis=1)
        count = compared.sum(axis=1)
        likely = (count < _FEWEST_COMPARED) | (wrong <= _MOST_BIT_ERRORS_NEAR * 32 * count)
        for place in np.flatnonzero(likely) + start:
            a, b = int(one[place]), int(other[place])
            yield a, b, int(theirs[place] - held.starts[b] - ours[place] + held.starts[a])


def _neighbours(
    held: _Words, frames: np.ndarray, clips: np.ndarray, around: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Places of the words around some, and whether they are of the same recording."""
    wanted = frames[:, None] + around
    first, last = held.starts[clips][:, None], (held.starts + held.lengths)[clips][:, None]
    return np.clip(wanted, first, last - 1), (wanted >= first) & (wanted < last)
