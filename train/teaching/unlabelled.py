"""Recordings without labels, for a teacher to label: found, decoded, and kept off every side that is judged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from metadata.plural import counted
from train.checks.near_copies import describe_near_copies
from train.data.prepare import load_with_progress
from train.progress import note, progress_bar
from train.recordings.clip import TEACHER, Clip
from train.recordings.clip_index import ClipIndex, rooted
from train.recordings.decoding.audio_files import find_files
from train.recordings.left_out import NO_SOUND, describe_left_out, name_some
from train.recordings.shared_groups import group_by_name
from train.recordings.store.clip_store import LoadedClips


def load_unlabelled(
    folder: str | Path, clips: LoadedClips, sample_rate: int, cache: str | Path | None, strict: bool
) -> LoadedClips:
    """Return all recordings below a folder but those that are among the labelled clips by their samples.

    Parameters
    ----------
    folder : str or Path
        Folders in it say nothing about labels.
    clips : LoadedClips
        With labels, each on a side.
    sample_rate : int
        Hz of the waveforms, that of the clips.
    cache, strict
        As for `load_clips`.

    Returns
    -------
    LoadedClips
        All on the train side, without labels, marked as a teacher's.

    Raises
    ------
    FileNotFoundError, ValueError
        No such folder, no recording in it, or none that is new.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise FileNotFoundError(f"{folder} is no folder; --unlabelled takes one with recordings")
    found = find_files(folder)
    for text in describe_left_out([one for one in found.left_out if one.reason != NO_SOUND]):
        note(text)
    if not found.recordings:
        raise ValueError(f"there is no recording below {folder}; expected some without labels")
    listed = [Clip(path, (), group_by_name(path), "train", label_source=TEACHER) for path in found.recordings]
    index = ClipIndex(folder, clips.index.labels, tuple(listed), str(folder), full_sides=())
    loaded = load_with_progress(index, sample_rate, cache, strict)
    new = _new_ones(loaded, clips, folder)
    _tell_near_copies(new, clips, sample_rate)
    return new


def _new_ones(loaded: LoadedClips, clips: LoadedClips, folder: Path) -> LoadedClips:
    """Those whose samples are not among the labelled clips, each once; the others are told by side."""
    sides = dict(zip(clips.digests, (clip.split for clip in clips.index.clips), strict=True))
    names: dict[str, list[str]] = {}
    places: list[int] = []
    seen: set[str] = set()
    for place, digest in enumerate(loaded.digests):
        why = sides.get(digest, "again" if digest in seen else "")
        if why:
            names.setdefault(why, []).append(loaded.index.clips[place].path)
        else:
            places.append(place)
        seen.add(digest)
    for why, paths in names.items():
        note(f"left out of {folder}, {len(paths)}: {name_some(paths)} ({_reason(why)})")
    if not places:
        raise ValueError(f"every recording of {folder} is among the labelled ones; expected others")
    note(
        f"{counted(len(places), 'recording')} of {folder} without labels: the student learns what the teacher says of "
        "them; where they are of speakers or sources of the test side its figures promise too much"
    )
    return loaded.chosen(places)


def _tell_near_copies(new: LoadedClips, clips: LoadedClips, sample_rate: int) -> None:
    """Tell of recordings that are nearly the same as one that is held out."""
    held = clips.chosen([*clips.places("val"), *clips.places("test")])
    both = replace(
        held,
        index=held.index.with_clips([*held.index.clips, *rooted(new.index.clips, new.index.root, held.index.root)]),
        waveforms=[*held.waveforms, *new.waveforms],
        digests=[*held.digests, *new.digests],
    )
    with progress_bar(len(both.waveforms), "compare", "clip") as bar:
        copies = describe_near_copies(both, sample_rate, lambda done: bar.update(done - bar.n))
    if copies:
        note(f"without labels or held out: {copies}")


def _reason(why: str) -> str:
    """Why a recording is left out."""
    if why == "again":
        return "the same audio as another of them"
    return f"the same audio is labelled, on the {why} side" + ("" if why == "train" else ", which is never trained on")


def labelled_by(clips: LoadedClips, labels: Sequence[tuple[str, ...]], root: Path) -> tuple[Clip, ...]:
    """Return the clips with a teacher's labels, as rows of an index whose paths are relative to `root`."""
    named = [replace(clip, labels=found) for clip, found in zip(clips.index.clips, labels, strict=True)]
    return tuple(rooted(named, clips.index.root, root))
