"""What embeddings tell of a data set: clips that sound like those of another label, and copies by likeness."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np

from metadata.plural import counted
from train.checks.duplicates import Duplicate
from train.checks.findings import Finding
from train.recordings.clip import LABEL_SEPARATOR
from train.recordings.clip_index import ClipIndex
from train.recordings.joined_groups import join_groups

NUM_NEIGHBOURS = 5  # all of which must have another label
LIKENESS = 4.0  # a copy is so many times nearer than what is nearest to a clip in another group, on the median
_SHOWN, _NAMED = 10, 3  # clips of a finding on the screen, neighbours of a clip
_LEAST_DISTANCE = 1e-6  # of unit vectors in float32
_BLOCK = 512  # clips compared with all at once


def find_by_embeddings(
    index: ClipIndex, vectors: np.ndarray, duplicates: Sequence[Duplicate], tell: Callable[[int], object] | None = None
) -> list[Finding]:
    """Return clips whose label their neighbours do not have, and near copies.

    Parameters
    ----------
    index : ClipIndex
    vectors : np.ndarray
        float32 (n_clips, n_features), rows of L2 norm 1.
    duplicates : sequence of Duplicate
        What the fingerprint found, which is not told again.
    tell : callable, optional
        Called with the number of clips compared in a step.

    Notes
    -----
    A clip is compared with those of other groups alone: a second one of its source would confirm a wrong label.
    Labels of clips that have several, or none, are not judged: scenes are alike for what else sounds in them.
    """
    labels = [frozenset(clip.labels) for clip in index.clips]
    wrong: list[tuple[float, str]] = []  # how many times nearer they are than the nearest with its label
    pairs: dict[tuple[int, int], float] = {}  # distance of clips that are among each other's nearest
    distances: list[float] = []  # from each clip to its nearest
    alone: list[str] = []
    for place, similarities in _similarities(index, vectors, tell):
        nearest = _nearest(similarities)
        if not nearest:
            continue
        distances.append(1.0 - float(similarities[nearest[0]]))
        pairs |= {(min(place, one), max(place, one)): 1.0 - float(similarities[one]) for one in nearest}
        if len(labels[place]) != 1 or any(labels[place] <= labels[one] for one in nearest):
            continue
        own = [one for one in np.flatnonzero(np.isfinite(similarities)) if labels[place] <= labels[one]]
        if own:
            nearer = (1.0 - similarities[own].max()) / max(1.0 - similarities[nearest].mean(), _LEAST_DISTANCE)
            wrong.append((float(nearer), _describe(index, place, nearest, similarities)))
        else:
            alone.append(index.clips[place].path)
    copies = _copies(index, pairs, float(np.median(distances)) / LIKENESS if distances else 0.0, duplicates)
    return list(_findings([text for _, text in sorted(wrong, key=lambda one: -one[0])], alone, copies))


def _findings(wrong: Sequence[str], alone: Sequence[str], copies: Sequence[str]) -> Iterable[Finding]:
    """The findings, of those that there are."""
    if wrong:
        what = counted(len(wrong), "clip sounds like a clip", "clips sound like clips")
        yield Finding(
            "warning",
            "label_unlike_neighbours",
            f"{what} of another label: the {NUM_NEIGHBOURS} nearest clips of other groups all have another one. "
            "The likeliest errors come first; listen to them",
            tuple(wrong),
            _SHOWN,
        )
    if copies:
        what = counted(len(copies), "pair of clips in two groups sounds", "pairs of clips in two groups sound")
        yield Finding(
            "warning",
            "alike_in_two_groups",
            f"{what} nearly the same without a fingerprint in common: copies, or one source? Give each pair one group",
            tuple(copies),
            _SHOWN,
        )
    if alone:
        yield Finding(
            "note",
            "label_of_one_group",
            f"{counted(len(alone), 'clip has a label', 'clips have a label')} that no other group has, so that "
            "neighbours cannot confirm it",
            tuple(alone),
        )


def _similarities(
    index: ClipIndex, vectors: np.ndarray, tell: Callable[[int], object] | None
) -> Iterator[tuple[int, np.ndarray]]:
    """Each clip with its similarity to all, minus infinity to those that share a group with it."""
    members = defaultdict(list)
    for place, clip in enumerate(index.clips):
        for group in clip.groups:
            members[group].append(place)
    for first in range(0, len(vectors), _BLOCK):
        block = vectors[first : first + _BLOCK] @ vectors.T
        for place, row in enumerate(block, start=first):
            row[[place, *(one for group in index.clips[place].groups for one in members[group])]] = -np.inf
            yield place, row
        if tell:
            tell(len(block))


def _nearest(similarities: np.ndarray) -> list[int]:
    """The positions of the nearest clips, the nearest first."""
    found = np.argpartition(-similarities, min(NUM_NEIGHBOURS, similarities.size) - 1)[:NUM_NEIGHBOURS]
    found = found[np.isfinite(similarities[found])]
    return [int(one) for one in found[np.argsort(-similarities[found], kind="stable")]]


def _describe(index: ClipIndex, place: int, nearest: Sequence[int], similarities: np.ndarray) -> str:
    """A clip with its label, and those of its neighbours."""
    found = Counter(_label(index, one) for one in nearest)
    votes = ", ".join(f"{label} {count}" for label, count in found.most_common())
    named = ", ".join(
        f"{index.clips[one].path} ({_label(index, one)} {similarities[one]:.3f})" for one in nearest[:_NAMED]
    )
    return f"{index.clips[place].path} ({_label(index, place)}): neighbours are {votes}; nearest {named}"


def _copies(
    index: ClipIndex, pairs: dict[tuple[int, int], float], limit: float, duplicates: Sequence[Duplicate]
) -> list[str]:
    """The pairs nearer than a limit that the fingerprint does not join, the nearest first."""
    bonds = [[str(place)] for place in range(len(index.clips))]
    joined = join_groups([*bonds, *([str(pair.first), str(pair.second)] for pair in duplicates)])
    near = sorted((distance, pair) for pair, distance in pairs.items() if distance < limit)
    return [
        f"{index.clips[one].path} ({_label(index, one)}) ~ {index.clips[other].path} ({_label(index, other)}), "
        f"similarity {1.0 - distance:.4f}"
        for distance, (one, other) in near
        if joined[str(one)] != joined[str(other)]
    ]


def _label(index: ClipIndex, place: int) -> str:
    """The labels of a clip as text."""
    return LABEL_SEPARATOR.join(index.clips[place].labels) or "no label"
