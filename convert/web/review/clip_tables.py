"""The clip indexes that come of a review: one that the next build takes, and those for what it cannot take."""

from __future__ import annotations

import shlex
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from threading import Lock, Timer
from typing import Any

from convert.web.review.decisions import DISCARD, Decision
from convert.web.review.own_files import OwnFiles
from edge_runtime.listen.uncertain_takes import Take
from metadata.labels import listed
from train.recordings.clip import Clip
from train.recordings.clip_index import TABLE_FILE_NAME
from train.recordings.tables.clip_table import clips_content

CLIPS_FILE = "clips.csv"
NEW_LABELS_FILE = "new-labels.csv"
SEVERAL_LABELS_FILE = "several-labels.csv"
SIDES_FILE = TABLE_FILE_NAME  # groups and sides of the takes of detectors, as a folder with annotations has them
# Why what is in the other tables is not in clips.csv, which the next build takes as it is.
ASIDE = {
    NEW_LABELS_FILE: "no model knows these labels yet, and a build needs recordings of each label on every side",
    SEVERAL_LABELS_FILE: "a build learns from recordings of one label each, and mixes them itself",
}
GROUP = "listened {session}"  # its takes share a room and a microphone
SIDE = "train"  # the test side stays that of the run before
_FOR_BUILD = "of classifiers"  # counts what of clips.csv a build can take as it is
_DELAY_S = 1.0  # of the tables behind the decisions, so that no key waits for them


class ClipTables:
    """The tables of a folder, written a moment after a decision.

    Parameters
    ----------
    folder : Path
    takes : mapping of str to Take
        By path, in the order of the rows.
    known : collection of str
        The labels that models know.
    in_force : mapping of str to Decision
        By take; it may change at any time.
    force : bool
        Write over tables that somebody else wrote.
    """

    def __init__(
        self,
        folder: Path,
        takes: Mapping[str, Take],
        known: frozenset[str],
        in_force: Mapping[str, Decision],
        force: bool = False,
    ) -> None:
        self.folder = folder
        self.fault = ""
        self._unwritten: frozenset[str] = frozenset()  # tables that are not as the decisions have them
        self._takes, self._known, self._in_force = takes, known, in_force
        self._files = OwnFiles(folder)
        self._writing, self._scheduling = Lock(), Lock()
        self._timer: Timer | None = None
        has_detectors = any(take.detector for take in takes.values())
        self._tables = (CLIPS_FILE, *ASIDE, *((SIDES_FILE,) if has_detectors else ()))
        if force:
            _raise_all(_errors_of(self._tables, self._claim))

    def write_soon(self) -> None:
        """Write the tables in a moment, unless that is to come anyway; `fault` says whether it went wrong."""
        with self._scheduling:
            if self._timer is None:
                self._timer = Timer(_DELAY_S, self.flush)
                self._timer.daemon = True
                self._timer.start()

    def flush(self) -> None:
        """Write the tables where they are to be written; keep what goes wrong in `fault`."""
        with self._scheduling:
            waits, self._timer = self._timer, None
        if waits is None:
            return
        waits.cancel()
        try:
            self.write()
        except (OSError, ValueError) as error:
            what = "the tables" if len(self._unwritten) > 1 else "the table"
            self.fault = f"the decisions are saved, but not {what} of them: {error}"

    def write(self) -> None:
        """Write the tables as the decisions have them; one without a row is taken away.

        A table that cannot be written does not keep the others from it; the error names all of them.

        Raises
        ------
        FileExistsError
            Tables are not as they were written here.
        OSError
            The folder cannot be written.
        """
        with self._writing:
            rows: dict[str, list[Clip]] = {name: [] for name in self._tables}
            for path, decision in dict(self._in_force).items():
                name = self._table_of(decision)
                if path in self._takes and name and (self.folder / path).is_file():
                    clip = self._clip(self._takes[path], decision)
                    rows[name].append(clip)
                    if self._takes[path].detector:
                        rows[SIDES_FILE].append(clip)
            order = {path: place for place, path in enumerate(self._takes)}

            def write_one(name: str) -> None:
                clips = sorted(rows[name], key=lambda clip: order[clip.path])
                self._files.write(name, clips_content(self.folder / name, clips, self.folder) if clips else None)

            errors = _errors_of(rows, write_one)
            self._unwritten = frozenset(errors)
            _raise_all(errors)
            self.fault = ""

    def described(self) -> dict[str, Any]:
        """Return what is in the tables, and how to go on, for JSON."""
        labels: dict[str, set[str]] = defaultdict(set)
        clips: Counter[str] = Counter()
        of_detectors: dict[str, Take] = {}
        for path, decision in self._in_force.items():
            if path in self._takes:
                name = self._table_of(decision)
                clips[name] += 1
                if name and self._takes[path].detector:
                    of_detectors[path] = self._takes[path]
                elif name == CLIPS_FILE:
                    clips[_FOR_BUILD] += 1
                if name in ASIDE:
                    labels[name].update(decision.labels)
        table = self.folder / CLIPS_FILE
        is_written = CLIPS_FILE not in self._unwritten
        return {
            "clips": clips[CLIPS_FILE],
            "path": str(table),
            "written": is_written,
            "aside": [
                {
                    "path": str(self.folder / name),
                    "written": name not in self._unwritten,
                    "clips": clips[name],
                    "labels": sorted(labels[name]),
                    "why": why,
                }
                for name, why in ASIDE.items()
                if clips[name]
            ],
            "discarded": clips[""],
            # What is there in place of a table that is not written can be built from; a missing one cannot.
            "commands": _commands(table) if clips[_FOR_BUILD] and (is_written or table.is_file()) else [],
            "detectors": self._described_detectors(of_detectors, bool(clips[CLIPS_FILE])) if of_detectors else None,
        }

    def _described_detectors(self, takes: Mapping[str, Take], has_clips: bool) -> dict[str, Any]:
        """What the takes of detectors need before a build with annotations can learn from them, for JSON."""
        names = listed(sorted({take.model for take in takes.values()}))
        sound, table = Path(next(iter(takes))), self.folder / CLIPS_FILE
        return {
            "path": str(self.folder / SIDES_FILE),
            "written": SIDES_FILE not in self._unwritten,
            "clips": len(takes),
            "why": (
                f"{'The model' if len(names) == 1 else 'The models'} {' and '.join(names)} "
                f"{'is a detector' if len(names) == 1 else 'are detectors'}. A build of recordings with annotations "
                "refuses the tables of labels, which say no times."
            ),
            "steps": [
                "Mark in Audacity from when to when each label sounds, and export the label track beside the WAV, with "
                f"its name: {self.folder / sound.with_suffix('.txt')} for {sound.name}.",
                "Where no label sounds, make an empty file of that name. A take without a file is left out.",
                f"The file {SIDES_FILE} keeps each session a group of its own, on the side {SIDE}.",
            ],
            "commands": _commands(self.folder),
            "otherwise": (
                f"Where FOLDER has one folder a label, the commands take {table} in place of {self.folder}."
                if has_clips
                else ""
            ),
        }

    def _claim(self, name: str) -> None:
        """Take a table that somebody else wrote for one to write over."""
        if not self._files.is_own(name):
            self._files.claim(name)

    def _table_of(self, decision: Decision) -> str:
        """The table that a decision puts a take in; none where it is discarded."""
        if decision.action == DISCARD:
            return ""
        if not self._known.issuperset(decision.labels):
            return NEW_LABELS_FILE
        return CLIPS_FILE if len(decision.labels) == 1 else SEVERAL_LABELS_FILE

    @staticmethod
    def _clip(take: Take, decision: Decision) -> Clip:
        """A take as a row."""
        return Clip(
            take.path,
            decision.labels,
            group=GROUP.format(session=take.session),
            split=SIDE,
            source=f"earproof listen, {take.session}, to second {take.seconds:g}",
        )


def _errors_of(names: Iterable[str], act: Callable[[str], None]) -> dict[str, OSError | ValueError]:
    """Do something with each of the tables; return what went wrong, by table."""
    errors: dict[str, OSError | ValueError] = {}
    for name in names:
        try:
            act(name)
        except (OSError, ValueError) as error:
            errors[name] = error
    return errors


def _raise_all(errors: Mapping[str, OSError | ValueError]) -> None:
    """Raise what went wrong with tables as one error that names all of them."""
    told = {str(error): error for error in errors.values()}  # a fault of the folder is that of each table
    if len(told) == 1:
        raise next(iter(told.values()))
    if told:
        is_known = all(isinstance(error, FileExistsError) for error in told.values())
        raise (FileExistsError if is_known else OSError)("; ".join(told))


def _commands(recordings: Path) -> list[str]:
    """What to do with recordings: those of a table, or a folder of them."""
    quoted = shlex.quote(str(recordings))
    return [
        f"earproof data check FOLDER {quoted}",
        f"earproof build FOLDER {quoted} --out runs/after",
        "earproof compare runs/before runs/after --out compare.html",
    ]
