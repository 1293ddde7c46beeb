"""The clip indexes that come of a review: one that the next build takes, and those for what it cannot take."""

from __future__ import annotations

import shlex
from collections import Counter, defaultdict
from collections.abc import Mapping
from pathlib import Path
from threading import Lock, Timer
from typing import Any

from convert.web.review.decisions import DISCARD, Decision
from convert.web.review.own_files import OwnFiles
from edge_runtime.listen.uncertain_takes import Take
from train.recordings.clip import Clip
from train.recordings.tables.clip_table import clips_content

CLIPS_FILE = "clips.csv"
NEW_LABELS_FILE = "new-labels.csv"
SEVERAL_LABELS_FILE = "several-labels.csv"
# Why what is in the other tables is not in clips.csv, which the next build takes as it is.
ASIDE = {
    NEW_LABELS_FILE: "no model knows these labels yet, and a build needs recordings of each label on every side",
    SEVERAL_LABELS_FILE: "a build learns from recordings of one label each, and mixes them itself",
}
GROUP = "listened {session}"  # its takes share a room and a microphone
SIDE = "train"  # the test side stays that of the run before
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
        for name in (CLIPS_FILE, *ASIDE):
            if force and not self._files.is_own(name):
                self._files.claim(name)

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
            self.fault = f"the decisions are saved, but not the table of them: {error}"

    def write(self) -> None:
        """Write the tables as the decisions have them; one without a row is taken away.

        A table that cannot be written does not keep the others from it.

        Raises
        ------
        FileExistsError
            A table is not as it was written here.
        OSError
            The folder cannot be written.
        """
        with self._writing:
            rows: dict[str, list[Clip]] = {name: [] for name in (CLIPS_FILE, *ASIDE)}
            for path, decision in dict(self._in_force).items():
                name = self._table_of(decision)
                if path in self._takes and name and (self.folder / path).is_file():
                    rows[name].append(self._clip(self._takes[path], decision))
            order = {path: place for place, path in enumerate(self._takes)}
            errors: dict[str, OSError | ValueError] = {}
            for name, clips in rows.items():
                clips.sort(key=lambda clip: order[clip.path])
                try:
                    content = clips_content(self.folder / name, clips, self.folder) if clips else None
                    self._files.write(name, content)
                except (OSError, ValueError) as error:
                    errors[name] = error
            self._unwritten = frozenset(errors)
            if errors:
                raise next(iter(errors.values()))
            self.fault = ""

    def described(self) -> dict[str, Any]:
        """Return what is in the tables, and how to go on, for JSON."""
        labels: dict[str, set[str]] = defaultdict(set)
        clips: Counter[str] = Counter()
        for path, decision in self._in_force.items():
            if path in self._takes:
                name = self._table_of(decision)
                clips[name] += 1
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
            "commands": _commands(str(table)) if clips[CLIPS_FILE] and (is_written or table.is_file()) else [],
        }

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


def _commands(path: str) -> list[str]:
    """What to do with the table."""
    quoted = shlex.quote(path)
    return [
        f"earproof data check FOLDER {quoted}",
        f"earproof build FOLDER {quoted} --out runs/after",
        "earproof compare runs/before runs/after --out compare.html",
    ]
