"""From a data folder to decoded clips on their sides of a split, with notes for people on the way."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from metadata.labels import read_labels
from metadata.plural import counted
from train.annotations.annotated_folder import NO_RECORDING_CALLED_SO, find_annotations, unread_annotations
from train.annotations.annotated_index import annotated_index
from train.progress import note, progress_bar
from train.recordings.clip import SPLITS
from train.recordings.clip_counts import taught_notes
from train.recordings.clip_index import ClipIndex, combine, find_clips
from train.recordings.fold_sides import LEAST_FOLDS, TWO_SIDES, fewest_groups, halves
from train.recordings.left_out import describe_left_out
from train.recordings.missing_sides import draw_missing_sides
from train.recordings.split import check_split, describe_unused_folds, split_by_fold, split_clips, tell_unreadable
from train.recordings.store.clip_store import LoadedClips, load_clips
from train.tasks.task import OneLabel

_ONE_LABEL = OneLabel()


def find_and_split(
    data: str | Path | Sequence[Path],
    labels_file: str | Path | None,
    seed: int,
    *,
    check: Callable[[ClipIndex], None] = _ONE_LABEL.check,
    dataset: str | None = None,
    test_fold: str | None = None,
    val_fold: str | None = None,
    needs_validation: Callable[[ClipIndex], bool] = lambda _: True,
) -> ClipIndex:
    """Return the index of data folders, taken as one, with every clip on a side: by folds where a test fold is given.

    `check` refuses recordings that cannot teach what is to be taught. Where
    `needs_validation` says no, two groups of a label are enough, one to train and one to test.

    Raises
    ------
    ValueError
        The recordings cannot teach the task, or as for `find_clips` and `split_clips`.
    """
    labels = read_labels(labels_file, keep_numbers=True) if labels_file else None
    folders = [data] if isinstance(data, (str, Path)) else data
    index = combine([find_data(folder, labels, dataset) for folder in folders], labels)
    tell_assumptions(index)
    index = replace(index, taught=())  # as was just told; --unlabelled has them labelled anew
    index.check_labels()
    check(index)
    return split_and_say(index, seed, test_fold, val_fold, needs_validation=needs_validation(index))


def find_data(data: str | Path, labels: Sequence[str] | None = None, dataset: str | None = None) -> ClipIndex:
    """Return the index of a data folder or CSV, with the events of its recordings where it has annotations.

    Raises
    ------
    FileNotFoundError, ValueError
        As for `find_clips` and `annotated_index`.
    """
    if dataset is not None or find_annotations(data) is None:
        tell_strays(data)
        return find_clips(data, labels, dataset)
    return annotated_index(data, labels=labels)


def tell_strays(data: str | Path) -> None:
    """Tell which annotations have the name of no recording, where a folder is read as plain clips."""
    unread = unread_annotations(Path(data), ()) if Path(data).is_dir() else ()
    for text in describe_left_out([one for one in unread if one.reason == NO_RECORDING_CALLED_SO]):
        note(text)


def tell_assumptions(index: ClipIndex) -> None:
    """Tell what was assumed of a data folder, and what lies there and is not used."""
    for text in [*index.notes, *taught_notes(index.taught), *describe_left_out(index.left_out)]:
        note(text)


def split_and_say(
    index: ClipIndex,
    seed: int,
    test_fold: str | None = None,
    val_fold: str | None = None,
    shares: Mapping[str, float] | None = None,
    is_counted: bool = False,
    needs_validation: bool = True,
) -> ClipIndex:
    """Return the index with every clip on a side, and tell how they came there, and their number if it is not yet."""
    if test_fold is None and val_fold is not None:
        raise ValueError("--val-fold chooses beside --test-fold; give that too")
    if index.is_partly_sided:
        choices = (test_fold, val_fold, shares, is_counted, needs_validation)
        return _split_the_rest(index, lambda rest: split_and_say(rest, seed, *choices))
    drawn, told = not any(clip.split for clip in index.clips), ""
    if test_fold is not None:
        drawn = False
        index = split_by_fold(index, test_fold, val_fold)
        tested, held_out = (index.of_split(side)[0].fold for side in ("test", "val"))
        origin = f"by folds: {tested} test, {held_out} validation, the others training"
    elif drawn and not needs_validation and fewest_groups(index)[1] < LEAST_FOLDS:
        label, number = fewest_groups(index)
        raise ValueError(
            f"{label} has {counted(number, 'group')}; each label needs at least {LEAST_FOLDS}, one to train and one to "
            "test, because a group (speaker, source recording) stays on one side: add recordings"
            f"{tell_unreadable(index)}"
        )
    elif drawn and not needs_validation and fewest_groups(index)[1] == LEAST_FOLDS:
        index = halves(index, seed)
        origin = f"drawn with seed {seed}: half trains and half tests, for {fewest_groups(index)[0]} has two groups"
    elif not needs_validation and {clip.split for clip in index.clips} == set(TWO_SIDES):
        index = split_clips(replace(index, full_sides=TWO_SIDES), seed)
        origin = "as given, with nothing to validate on"
    else:
        index, added = draw_missing_sides(index, seed)
        index = split_clips(index, seed, shares)
        origin = f"drawn with seed {seed}" if drawn else "as given" + added
        told = describe_unused_folds(index)
    groups = len({group for clip in index.clips for group in clip.groups})
    count = (
        ""
        if is_counted
        else f"{counted(len(index.clips), 'clip')} in {counted(groups, 'group')}, from {index.source}; "
    )
    note(f"{count}split {origin}")
    if told:
        note(told)
    if drawn and groups == len(index.clips):
        table = "a clips.csv (earproof data index DATA --out clips.csv writes one to edit)"
        if index.events is not None:
            table = "a meta.csv beside the annotations, with a row a recording"
        note(
            "every recording is a group of its own; if speakers or sources recur, say so in the group column of "
            f"{table}"
        )
    return index


def _split_the_rest(index: ClipIndex, split: Callable[[ClipIndex], ClipIndex]) -> ClipIndex:
    """Return the index with the sides that some of its DATA came with, and those of the others as if they were alone.

    So the others have the same test side as without the DATA that came with sides, such as takes that were reviewed.
    """
    given = [clip for clip in index.clips if clip.split]
    rest = [clip for clip in index.clips if not clip.split]
    labels = tuple(label for label in index.labels if any(label in clip.labels for clip in rest))
    sides = [f"{count} {side}" for side in SPLITS if (count := sum(clip.split == side for clip in given))]
    note(f"{counted(len(given), 'clip')} came with sides, {', '.join(sides)}; the others as without them:")
    done = split(replace(index, clips=tuple(rest), labels=labels, is_partly_sided=False))
    sided = {clip.path: clip for clip in done.clips}
    index = replace(index, full_sides=done.full_sides, is_partly_sided=False)
    index = index.with_clips(sided.get(clip.path, clip) for clip in index.clips)
    check_split(index)
    return index


def load_with_progress(
    index: ClipIndex, sample_rate: int, cache: str | Path | None, strict: bool | None
) -> LoadedClips:
    """Decode the clips under a progress bar, and name what was left out and what differs from the stored audio.

    A command that has no --strict gives None for it.
    """
    with progress_bar(len(index.clips), "decode", "clip") as bar:

        def say(text: str) -> None:
            if bar.n == bar.total:
                bar.close()  # so that the note begins a line
            note(text)

        clips = load_clips(index, sample_rate, cache, bool(strict), lambda done, _: bar.update(done - bar.n), say)
    for reason in clips.skipped:
        note(f"left out: {reason}")
    if clips.skipped:
        refuse = "" if strict is None else "; --strict refuses them instead"
        note(f"{len(clips.skipped)} of {counted(len(index.clips), 'file')} were left out{refuse}")
    return clips


def load_to_train(index: ClipIndex, sample_rate: int, cache: str | Path | None, strict: bool) -> LoadedClips:
    """Load the clips of a split as `load_with_progress` does, and tell of near copies on two of its sides."""
    from train.checks.near_copies import describe_near_copies

    clips = load_with_progress(index, sample_rate, cache, strict)
    with progress_bar(len(clips.waveforms), "compare", "clip") as bar:
        copies = describe_near_copies(clips, sample_rate, lambda done: bar.update(done - bar.n))
    if copies:
        note(copies)
    return replace(clips, near_copies=copies)
