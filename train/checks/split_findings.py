"""Faults of groups, sides and folds: leaks, labels that a side lacks, the same audio under two labels."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence

from metadata.plural import counted
from train.checks.duplicates import Duplicate
from train.checks.findings import Finding
from train.recordings.clip import SPLITS, Clip
from train.recordings.clip_index import ClipIndex
from train.recordings.joined_groups import join_groups
from train.recordings.split import MIN_TEST_GROUPS

Side = Callable[[Clip], str]
SIDES: dict[str, Side] = {"split": lambda clip: clip.split, "fold": lambda clip: clip.fold}


def find_split_faults(index: ClipIndex, duplicates: Sequence[Duplicate]) -> list[Finding]:
    """Return what is wrong with groups and sides.

    Parameters
    ----------
    index : ClipIndex
        With a split, with folds, with both or with neither.
    duplicates : sequence of Duplicate
        Their positions are those of the index' clips.
    """
    findings = [*_one_label(index), *_label_conflicts(index, duplicates), *_half_filled(index)]
    divided = [name for name, side in SIDES.items() if any(side(clip) for clip in index.clips)]
    for name in divided:
        findings += _group_leaks(index, name)
        findings += _duplicate_leaks(index, duplicates, name)
    findings += [*_missing_labels(index), *_few_test_groups(index)] if "split" in divided else _few_groups(index)
    findings += _duplicates_apart(index, duplicates) if not divided else []
    return findings + list(_duplicates_together(index, duplicates))


def _one_label(index: ClipIndex) -> Iterable[Finding]:
    """Data of a single label, which teach nothing."""
    labels = sorted({label for clip in index.clips for label in clip.labels})
    if len(labels) == 1:
        yield Finding("error", "one_label", f"the only label is {labels[0]}; a classifier needs at least two", ())


def _half_filled(index: ClipIndex) -> Iterable[Finding]:
    """Clips without a side beside others that have one; of several DATA, those of one may all have none."""
    without = [clip.path for clip in index.clips if not clip.split]
    if 0 < len(without) < len(index.clips) and not index.is_partly_sided:
        yield Finding(
            "error",
            "split_half_filled",
            f"{len(without)} of {counted(len(index.clips), 'clip')} have no split, and the others have one; give one "
            "to all of them, or leave the column empty",
            tuple(without),
        )


def _group_leaks(index: ClipIndex, name: str) -> Iterable[Finding]:
    """Groups on several sides, or in several folds."""
    sides = defaultdict(set)
    for clip in index.clips:
        for group in clip.groups:
            sides[group].add(SIDES[name](clip) or "none")
    leaks = [f"{group}: {', '.join(sorted(held))}" for group, held in sorted(sides.items()) if len(held) > 1]
    if leaks:
        yield Finding(
            "error",
            f"group_in_two_{name}s",
            f"{counted(len(leaks), 'group stands', 'groups stand')} in more than one {name}",
            tuple(leaks),
        )


def _duplicate_leaks(index: ClipIndex, duplicates: Sequence[Duplicate], name: str) -> Iterable[Finding]:
    """The same audio on several sides, or in several folds."""
    side = SIDES[name]
    leaks = [pair for pair in duplicates if side(index.clips[pair.first]) != side(index.clips[pair.second])]
    if leaks:
        yield Finding(
            "error",
            f"same_audio_in_two_{name}s",
            f"{_same_audio(leaks, 'stands', 'stand')} in different {name}s; put both of a pair "
            f"in one {name}, or remove one",
            tuple(describe_pair(index, pair, side) for pair in leaks),
        )


def _duplicates_apart(index: ClipIndex, duplicates: Sequence[Duplicate]) -> Iterable[Finding]:
    """The same audio in several groups, which a split yet to be drawn may part."""
    apart = [pair for pair in duplicates if not _share_group(index, pair)]
    if apart:
        yield Finding(
            "warning",
            "same_audio_in_two_groups",
            f"{_same_audio(apart, 'is', 'are')} in different groups, so that a split may part them; "
            "`earproof data duplicates --out` gives each pair one group",
            tuple(describe_pair(index, pair) for pair in apart),
        )


def _duplicates_together(index: ClipIndex, duplicates: Sequence[Duplicate]) -> Iterable[Finding]:
    """The same audio within a group, which counts it twice."""
    together = [pair for pair in duplicates if _share_group(index, pair)]
    if together:
        yield Finding(
            "note",
            "same_audio_in_a_group",
            f"{_same_audio(together, 'is', 'are')} in one group: they count twice",
            tuple(describe_pair(index, pair) for pair in together),
        )


def _label_conflicts(index: ClipIndex, duplicates: Sequence[Duplicate]) -> Iterable[Finding]:
    """The same audio under different labels; scenes of several sounds may share some of it and rightly differ."""
    wrong = [pair for pair in duplicates if set(index.clips[pair.first].labels) != set(index.clips[pair.second].labels)]
    scenes = [pair for pair in wrong if not pair.exact and _has_several_labels(index, pair)]
    conflicts = [pair for pair in wrong if pair not in scenes]
    common = "an event" if index.events is not None else "a background"
    for level, pairs, one, several, why in (
        ("error", conflicts, "holds the same audio and has", "hold the same audio and have", ""),
        ("note", scenes, "shares audio and has", "share audio and have", f", several at once: {common} in common?"),
    ):
        if pairs:
            yield Finding(
                level,
                "same_audio_under_two_labels",
                f"{counted(len(pairs), f'pair of clips {one}', f'pairs of clips {several}')} different labels{why}",
                tuple(describe_pair(index, pair, lambda clip: ";".join(clip.labels)) for pair in pairs),
            )


def _share_group(index: ClipIndex, pair: Duplicate) -> bool:
    """Whether the two have a group in common."""
    return not set(index.clips[pair.first].groups).isdisjoint(index.clips[pair.second].groups)


def _has_several_labels(index: ClipIndex, pair: Duplicate) -> bool:
    """Whether one of the two has more than one label."""
    return max(len(index.clips[place].labels) for place in (pair.first, pair.second)) > 1


def _missing_labels(index: ClipIndex) -> Iterable[Finding]:
    """Labels that a side lacks."""
    for split in SPLITS:
        present = {label for clip in index.of_split(split) for label in clip.labels}
        absent = [label for label in index.labels if label not in present]
        if absent:
            yield Finding("error", "label_missing", f"the {split} side has no clip of {', '.join(absent)}")


def _few_test_groups(index: ClipIndex) -> Iterable[Finding]:
    """Labels that a build would not judge on the test side, of single sounds where it has any with the label."""
    few = []
    for label in index.labels:
        clips = [clip for clip in index.of_split("test") if label in clip.labels]
        single = [clip for clip in clips if len(clip.groups) == 1] or clips
        groups = {group for clip in single for group in clip.groups}
        few += [f"{label}: {counted(len(groups), 'group')}"] if 0 < len(groups) < MIN_TEST_GROUPS else []
    if few:
        yield Finding(
            "warning",
            "few_test_groups",
            f"{counted(len(few), 'label has', 'labels have')} fewer than {counted(MIN_TEST_GROUPS, 'group')} on the "
            "test side; `earproof build` recommends no file on so few",
            tuple(few),
        )


def _few_groups(index: ClipIndex) -> Iterable[Finding]:
    """Labels whose groups cannot reach every side, a label with a single clip among them."""
    bound = join_groups(clip.groups for clip in index.clips)
    for label in index.labels:
        clips = [clip for clip in index.clips if label in clip.labels]
        if not clips:
            yield Finding(
                "error", "label_missing", f"{label} has no recording that can be read; add some, or mend those it has"
            )
            continue
        groups = sorted({bound[group] for clip in clips for group in clip.groups})
        if len(groups) < len(SPLITS):
            yield Finding(
                "error",
                "few_groups",
                f"{label} has {counted(len(clips), 'clip')} in {counted(len(groups), 'group')}; {', '.join(SPLITS)} "
                "need a group each, "
                f"at least {len(SPLITS)}",
                tuple(groups),
            )


def _same_audio(pairs: Sequence[Duplicate], verb: str, verbs: str) -> str:
    """How many pairs with the same audio there are, with the verb that goes on."""
    what = "of clips with the same audio"
    return counted(len(pairs), f"pair {what} {verb}", f"pairs {what} {verbs}")


def describe_pair(index: ClipIndex, pair: Duplicate, side: Side | None = None) -> str:
    """Return a pair as text, with what sets the two apart."""
    one, other = (index.clips[place] for place in (pair.first, pair.second))
    likeness = "every sample" if pair.exact else f"correlation {pair.correlation:.2f} over {pair.seconds:.1f} s"
    if side is None:
        return f"{one.path} = {other.path}, {likeness}"
    return f"{one.path} ({side(one) or 'none'}) = {other.path} ({side(other) or 'none'}), {likeness}"
