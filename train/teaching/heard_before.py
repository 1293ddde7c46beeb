"""What a teacher heard before: whether recordings that are held out here trained it, so that its scores give them away.

A teacher that was trained on the test side tells the student what it is tested on, and the figures are worth nothing:
that is refused. One that was trained on the validation side leaves the test side sound, and makes the choice of the
epoch a little too sure of itself: that is told.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from metadata.csv_rows import read_rows
from metadata.plural import counted
from train.recordings.clip import Clip
from train.recordings.left_out import name_some
from train.recordings.shared_groups import names_the_file
from train.recordings.split import LeakError
from train.recordings.store.clip_store import LoadedClips, cache_folder, load_waveform
from train.recordings.store.packed_store import PackedStore
from train.teaching.teacher import Teacher

Tell = Callable[[str], None]
_SHAPED = ("train", "val")  # sides that shape a model


@dataclass(frozen=True, kw_only=True)
class HeardBefore:
    """What is known of one teacher.

    Attributes
    ----------
    is_known : bool
        Whether it is known what the teacher was trained on.
    validation : int
        How many recordings of the validation side trained it or chose its epoch, 0 where that is not known.
    """

    is_known: bool
    validation: int = 0

    def as_dict(self) -> dict[str, Any]:
        """Return it for JSON: no number where nothing is known."""
        return {
            "heard_of_test_side": 0 if self.is_known else None,
            "heard_of_validation_side": self.validation if self.is_known else None,
        }


def check_heard_before(
    teacher: Teacher, clips: LoadedClips, sample_rate: int, cache: Path | None, tell: Tell
) -> HeardBefore:
    """Return what is known of a teacher's training, and tell what is not or should be known by people.

    Parameters
    ----------
    teacher : Teacher
    clips : LoadedClips
        Of the student, each on a side. For a file they are at the teacher's own rate, as its digests are.
    sample_rate : int
        Hz of the clips.
    cache : Path, optional
        The folder of decoded recordings, the user's own if None.
    tell : callable

    Raises
    ------
    LeakError
        A recording of the test side, or another one of its group, trained the teacher.
    """
    told_by = teacher.spec.provenance.training.get("teacher")
    if told_by:
        tell(f"{teacher.path} was itself taught, by {told_by}; what that one was trained on is not known here")
    if teacher.split_file is None:
        return _of_file(teacher, clips, tell)
    return _of_run(teacher, teacher.split_file, clips, sample_rate, cache, tell)


def _of_file(teacher: Teacher, clips: LoadedClips, tell: Tell) -> HeardBefore:
    """A file knows the digests of its recordings and of their split, and no single one."""
    recorded = teacher.spec.provenance
    if recorded.split_sha256 and recorded.split_sha256 == clips.split_sha256():
        tell(f"{teacher.path} was trained on this very split, so not on its test side")
        return HeardBefore(is_known=True, validation=len(clips.places("val")))
    if recorded.data_sha256 and recorded.data_sha256 == clips.data_sha256():
        raise LeakError(
            f"{teacher.path} was trained on another split of these recordings, so that the test side may have trained "
            "it; give --test-fold, --val-fold or --seed as in its training, or its run folder, which says more"
        )
    tell(
        f"{teacher.path} does not say which recordings it was trained on; where those of the test side are among them "
        "the figures promise too much (a run folder says)"
    )
    return HeardBefore(is_known=False)


def _of_run(
    teacher: Teacher, split_file: Path, clips: LoadedClips, sample_rate: int, cache: Path | None, tell: Tell
) -> HeardBefore:
    """A run lists its recordings: those that are held out here are found by their samples and by their group."""
    _, rows = read_rows(split_file)
    shaped = [row for row in rows if row.values["split"] in _SHAPED]
    paths = [split_file.parent / row.exact["path"] for row in shaped]
    gone = [str(path) for path in paths if not path.is_file()]
    with PackedStore(cache or cache_folder()) as store:
        digests = {load_waveform(path, sample_rate, store)[0].digest for path in paths if path.is_file()}
    groups = {group for row in shaped for group in _groups(_clip(row))}

    def shaped_it(place: int) -> bool:
        return clips.digests[place] in digests or bool(_groups(clips.index.clips[place]) & groups)

    leaked = [clips.index.clips[place].path for place in clips.places("test") if shaped_it(place)]
    if leaked:
        raise LeakError(
            f"{counted(len(leaked), 'recording')} of the test side shaped the teacher {teacher.path}, or another of "
            f"the same group did: {name_some(leaked)}; the student would "
            "be told what it is tested on. Take a teacher that was trained without them, or the split of its training"
        )
    shared = sum(map(shaped_it, clips.places("val")))
    if shared:
        tell(
            f"{counted(shared, 'recording')} of the validation side shaped the teacher {teacher.path}: the epoch is "
            "chosen a little too surely, and the test side is sound"
        )
    if gone:
        tell(
            f"{counted(len(gone), 'recording')} of {len(paths)} that shaped the teacher {teacher.path} are gone, such "
            f"as {gone[0]}; whether they are held out here is judged by their groups alone"
        )
    return HeardBefore(is_known=not gone, validation=shared)


def _clip(row: Any) -> Clip:
    """A row of split.csv as far as its group needs it."""
    return Clip(row.exact["path"], (), row.values["group"], original=row.values.get("original", ""))


def _groups(clip: Clip) -> set[str]:
    """The groups of a clip, but for one that is no more than the name of its file."""
    return {group for group in clip.groups if not names_the_file(clip, group)}
