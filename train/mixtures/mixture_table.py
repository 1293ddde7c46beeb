"""Mixtures as a CSV table: a row a mixture, read with every fault listed at once, and written.

Columns: first and second (paths of the parts, relative to the file), first_label and second_label, labels (the pair,
joined by ;), first_group and second_group, and split. Where the sounds are written too
(`train.mixtures.mixture_files`): path, the gain of each part, the peak, and onset and offset of each part in seconds.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from metadata.atomic_file import write_atomically
from metadata.csv_line import csv_line
from metadata.csv_rows import Row, raise_faults, read_rows
from metadata.joined_names import join_names
from metadata.labels import check_labels
from metadata.plural import counted
from train.mixtures.mixture_index import label_kinds
from train.recordings.clip import LABEL_SEPARATOR, SPLITS, Clip, group_of
from train.recordings.clip_index import ClipIndex
from train.recordings.pair_index import MixtureIndex
from train.recordings.tables.clip_table import labels_of, spelled_label
from train.recordings.tables.spelling import SpelledFiles, composed

MIXTURES_FILE_NAME = "mixtures.csv"
PARTS = ("first", "second")
_NAMED_SIDES = 5  # of the mixtures on another side
COLUMNS = ("first", "second", "first_label", "second_label", "labels", "first_group", "second_group", "split")


def write_mixtures(
    path: str | Path, mixtures: MixtureIndex, more: Mapping[str, Sequence[str | float]] | None = None
) -> None:
    """Write mixtures as CSV, replacing the file in one step.

    Parameters
    ----------
    path : str or Path
    mixtures : MixtureIndex
    more : mapping of str to sequence, optional
        Further columns, one value a mixture.
    """
    path, clips, more = Path(path), mixtures.clips, more or {}
    folder = Path(os.path.abspath(path.parent))
    root = Path(os.path.abspath(clips.root))
    names = [Path(os.path.relpath(root / clip.path, folder)).as_posix() for clip in clips.clips]
    labels = [join_names(clip.labels, LABEL_SEPARATOR) for clip in clips.clips]
    kinds, kind = label_kinds(mixtures)
    heard = [join_names(np.asarray(clips.labels)[row].tolist(), LABEL_SEPARATOR) for row in kinds]
    lines = [csv_line([*COLUMNS, *more])]
    rows = zip(mixtures.parts.tolist(), kind.tolist(), mixtures.splits.tolist(), *more.values(), strict=True)
    for (one, other), number, split, *values in rows:
        groups = clips.clips[one].group, clips.clips[other].group
        cells = (names[one], names[other], labels[one], labels[other], heard[number], *groups, split)
        lines.append(csv_line([*cells, *values]))
    write_atomically(path, "".join(lines).encode())


def read_mixtures(path: str | Path, data: ClipIndex | None = None, labels: Sequence[str] | None = None) -> MixtureIndex:
    """Return the mixtures that a table lists.

    Parameters
    ----------
    path : str or Path
        A CSV with the columns first and second, and first_label and second_label unless `data` is given.
    data : ClipIndex, optional
        The recordings that the parts are among, with their labels, groups and sides; the clips of the index that is
        returned are then these, in their order. Else the table's own columns say all.
    labels : sequence of str, optional
        The only labels that may occur, those of `data` by default.

    Raises
    ------
    ValueError
        The table has faults: missing files, unknown labels, a mixture given twice (in either order), a clip mixed with
        itself or with one of its label, parts or groups on two sides, ... The first ten are named.
    """
    path = Path(path)
    names, rows = read_rows(path)
    needed = PARTS if data else (*PARTS, *(f"{part}_label" for part in PARTS))
    missing = [name for name in needed if name not in names]
    if missing:
        raise ValueError(
            f"{path} has no column {', '.join(missing)} among {', '.join(names) or '(none)'}; expected the columns "
            f"{', '.join(COLUMNS)} as earproof data mix writes them"
        )
    known = tuple(labels) if labels is not None else data.labels if data else None
    reader = _Reader(path.parent, data, known)
    faults = [f"line {row.line}: {fault}" for row in rows for fault in reader.read(row)]
    reader.refuse_other_sides(path)
    raise_faults(path, [*faults, *reader.divided_groups()])
    if not rows:
        raise ValueError(f"{path} lists no mixtures; expected rows under the columns {', '.join(COLUMNS)}")
    parts = np.sort(np.array(reader.parts, np.int32), axis=1)
    return MixtureIndex(reader.index(str(path)), parts, np.array(reader.splits), 0)


@dataclass
class _Reader:
    """The rows of a table, one after the other, and the recordings seen in them."""

    folder: Path
    data: ClipIndex | None
    labels: tuple[str, ...] | None
    clips: list[Clip] = field(default_factory=list)
    parts: list[tuple[int, int]] = field(default_factory=list)
    splits: list[str] = field(default_factory=list)
    _place: dict[str, int] = field(default_factory=dict)  # of a recording, by its full path
    _full: dict[str, str] = field(default_factory=dict)  # path of a name in the table, empty where no file is there
    _named: dict[str, str] = field(default_factory=dict)  # how a name of the table is spelled on the disk
    _groups: dict[str, str] = field(default_factory=dict)
    _files: SpelledFiles = field(default_factory=SpelledFiles)
    _line: dict[tuple[int, int], int] = field(default_factory=dict)  # on which a mixture stands
    _other_sides: list[str] = field(default_factory=list)  # rows whose side is not that of the data

    def __post_init__(self) -> None:
        if self.data is None:
            return
        for clip in self.data.clips:
            self._place[os.path.realpath(self.data.root / clip.path)] = len(self.clips)
            self.clips.append(clip)

    def index(self, source: str) -> ClipIndex:
        """Return the recordings."""
        if self.data:
            return self.data
        found = sorted({label for clip in self.clips for label in clip.labels})
        return ClipIndex(self.folder, check_labels(self.labels or found), tuple(self.clips), source)

    def read(self, row: Row) -> list[str]:
        """Take in a row; return what is wrong with it."""
        split = row.values.get("split", "")
        faults = [] if split in ("", *SPLITS) else [f"split {split!r}; expected {', '.join(SPLITS)} or nothing"]
        places = []
        for part in PARTS:
            place, found = self._part(row, part)
            faults += found
            places += [] if place is None else [place]
        if len(places) < 2:
            return faults
        faults += self._pair_faults(places[0], places[1], row.line)
        one, other = (self.clips[place] for place in places)
        if one.split != other.split:
            faults.append(
                "its parts are on two sides: "
                + " and ".join(f"{clip.path} ({clip.split or 'none'})" for clip in (one, other))
            )
        if self.data and split and {one.split, other.split} != {split}:
            sides = one.split if one.split == other.split else f"{one.split} and {other.split}"
            self._other_sides.append(f"line {row.line}: {split} here, {sides} in the data")
        self.parts.append((places[0], places[1]))
        self.splits.append(one.split)
        return faults

    def refuse_other_sides(self, path: Path) -> None:
        """Raise ValueError where many rows stand on other sides than the data, as one wrong option makes them."""
        if len(self._other_sides) > _NAMED_SIDES:
            rows = counted(len(self._other_sides), "mixture stands", "mixtures stand", form=",")
            named = "".join(f"\n  {fault}" for fault in self._other_sides[:_NAMED_SIDES])
            raise ValueError(
                f"{path}: {rows} on another side than the clips of {self.data.source if self.data else 'the data'}. "
                "Give the --test-fold, --val-fold or --seed that the table was made with, or make it anew by earproof "
                f"data mix with those given here. The first:{named}"
            )

    def divided_groups(self) -> Iterator[str]:
        """Yield the groups that stand on several sides."""
        sides: dict[str, set[str]] = defaultdict(set)
        for place in {place for pair in self.parts for place in pair}:
            for group in self.clips[place].groups:
                sides[group].add(self.clips[place].split or "none")
        for group in sorted(group for group, held in sides.items() if len(held) > 1):
            yield f"the group {group} is on {counted(len(sides[group]), 'side')}: {', '.join(sorted(sides[group]))}"

    def _part(self, row: Row, part: str) -> tuple[int | None, list[str]]:
        """Which recording one part of a row is, and what is wrong with it."""
        name = row.exact[part]
        if name not in self._full:
            found = self._files.find(self.folder, name)
            self._full[name] = os.path.realpath(self.folder / found) if found else ""
            self._named[name] = found or name
        if not self._full[name]:
            return None, [f"no file {name!r}"]
        full, name = self._full[name], self._named[name]
        labels = tuple(spelled_label(label, self.labels) for label in labels_of(row.values.get(f"{part}_label", "")))
        faults = [
            f"unknown label {label!r}; the labels are {', '.join(self.labels)}"
            for label in labels
            if self.labels is not None and label not in self.labels
        ]
        place = self._place.get(full)
        if place is None and self.data:
            return None, [
                *faults,
                f"{name!r} is not among the {counted(len(self.data.clips), 'clip')} of {self.data.source}",
            ]
        clip = Clip(name, labels, self._group(row, part, name), row.values.get("split", ""))
        if place is None:
            place = self._place[full] = len(self.clips)
            self.clips.append(clip)
            return place, faults if labels else [*faults, f"{name!r} has no label"]
        return place, faults or _contradictions(clip, self.clips[place], bool(self.data))

    def _group(self, row: Row, part: str, name: str) -> str:
        """The group of one part, spelled as in the first row that has it; without one the recording is its own."""
        group = row.values.get(f"{part}_group") or group_of(name)
        return self._groups.setdefault(composed(group), group)

    def _pair_faults(self, one: int, other: int, line: int) -> list[str]:
        """What is wrong with two recordings as a mixture."""
        name = self.clips[one].path
        if one == other:
            return [f"{name!r} is mixed with itself"]
        faults = []
        key = (min(one, other), max(one, other))
        if key in self._line:
            faults.append(f"{name!r} with {self.clips[other].path!r} is already on line {self._line[key]}")
        self._line.setdefault(key, line)
        shared = sorted(set(self.clips[one].labels) & set(self.clips[other].labels))
        if shared:
            faults.append(f"both parts are {', '.join(shared)}: {name!r} and {self.clips[other].path!r}")
        return faults


def _contradictions(row: Clip, known: Clip, from_data: bool) -> list[str]:
    """Where a row contradicts what is known of a recording; an empty cell contradicts nothing."""
    where = "in the data" if from_data else "before"
    faults = []
    if row.labels and row.labels != known.labels:
        faults.append(f"{row.path!r} is {';'.join(row.labels)} here and {';'.join(known.labels)} {where}")
    if row.split != known.split and (row.split or not from_data):
        faults.append(f"{row.path!r} is on the side {row.split or 'none'} here and {known.split or 'none'} {where}")
    return faults
