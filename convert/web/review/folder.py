"""A folder of takes while it is reviewed: takes, models, decisions, and the clip indexes that come of them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from threading import Lock
from typing import Any

from convert.web.given_name import LONGEST_NAME, checked_name
from convert.web.review.clip_tables import CLIPS_FILE, SIDE, ClipTables
from convert.web.review.decisions import CORRECT, DECISIONS_FILE, DISCARD, KEEP, UNDO, Decision, Decisions
from convert.web.review.takes import TakeModel, find_takes, models_of, sound_path
from edge_runtime.listen.uncertain_takes import Take
from metadata.labels import check_labels, listed
from metadata.plural import counted
from train.recordings.tables.clip_table import spelled_label

NONE_OF_THESE = "none of these"  # a label that no model knows yet
_LONG_THRESHOLD = re.compile(r"(?<=near its threshold )\d\.\d{4,}$")  # as an earlier version wrote all its digits


class DecidedElsewhereError(ValueError):
    """A take was decided on another page since this page last asked."""


class ReviewFolder:
    """The takes of a folder and what was decided about them.

    Parameters
    ----------
    folder : Path
    force : bool
        Write over tables that somebody else wrote.

    Attributes
    ----------
    takes : dict of str to Take
        Those that can be heard, by path.
    models : dict of str to TakeModel
        Of each take, by its path.
    decisions : Decisions

    Raises
    ------
    FileNotFoundError, NotADirectoryError, ValueError
        As for `find_takes`.
    FileExistsError
        The folder has a table that somebody else wrote.
    """

    def __init__(self, folder: Path, force: bool = False) -> None:
        self.folder = folder
        takes, self._take_faults = find_takes(folder)
        self.takes = {take.path: take for take in takes}
        self.models = models_of(takes)
        self.known = tuple(dict.fromkeys(label for model in self.models.values() for label in model.labels))
        self.decisions = Decisions(folder / DECISIONS_FILE, self._fault_of)
        self.tables = ClipTables(folder, self.takes, frozenset(self.known), self.decisions.in_force, force)
        self.tables.write()
        self._lock = Lock()

    @property
    def faults(self) -> list[str]:
        """Takes that cannot be heard, and lines that are no take or no decision, those that came up since too."""
        return [*self._take_faults, *self.decisions.faults]

    def state(self) -> dict[str, Any]:
        """Return all that the page shows, for JSON."""
        with self._lock:
            self.decisions.refresh()
            models = list(dict.fromkeys(self.models.values()))
            return {
                "folder": str(self.folder),
                "none": NONE_OF_THESE,
                "longest_label": LONGEST_NAME,
                "models": [_describe(model) for model in models],
                "takes": [self._described(take, models) for take in self.takes.values()],
                "order": [path for path in self.decisions.order if path in self.takes],
                **self._news(0),
            }

    def decide(self, path: str, action: str, labels: Sequence[str] = (), revision: int | None = None) -> dict[str, Any]:
        """Save one decision; return what changed since a revision, for JSON.

        Parameters
        ----------
        path : str
            Of a take.
        action : str
            keep, correct, discard or undo.
        labels : sequence of str
            Of a correction.
        revision : int, optional
            Up to which the page knows the decisions.

        Raises
        ------
        DecidedElsewhereError
            Somebody decided about the take since.
        ValueError
            No such take, an unknown action, or labels that cannot be.
        OSError
            The decision cannot be written; it counts for nothing then.
        """
        if path not in self.takes:
            raise ValueError(f"there is no take {path!r} here; load the page again")
        decision = Decision(take=path, action=action, labels=self._labels(path, action, labels))
        with self._lock:
            self.decisions.refresh()
            if revision is not None and self.decisions.changed_at.get(path, 0) > revision:
                raise DecidedElsewhereError(
                    f"this take was decided on another page meanwhile ({self._in_words(path)}); nothing was changed. "
                    "Decide again to overrule that"
                )
            try:
                self.decisions.append(decision)
            except OSError as error:
                raise OSError(f"the decision is not saved: {self.decisions.path}: {error.strerror or error}") from error
            self.tables.write_soon()
            return self._news(revision or 0)

    def news(self, revision: int) -> dict[str, Any]:
        """Return what changed since a revision, for JSON; the tables are written by then."""
        with self._lock:
            self.decisions.refresh()
            self.tables.flush()
            return self._news(revision)

    def sound(self, path: str) -> bytes:
        """Return the WAV of a take.

        Raises
        ------
        ValueError
            No such take.
        OSError
            Its file is gone, or cannot be read.
        """
        if path not in self.takes:
            raise ValueError(f"there is no take {path!r} here; load the page again")
        try:
            return sound_path(self.folder, self.takes[path]).read_bytes()
        except OSError as error:
            raise OSError(f"{path} cannot be read: {error.strerror}; it can be passed over") from error

    def told(self) -> list[str]:
        """Return what came of the review so far, for people, a line each."""
        with self._lock:
            self.decisions.refresh()
        self.tables.flush()
        table, left = self.tables.described(), len(self.takes) - len(self._in_force())
        decided = f"{counted(len(self._in_force()), 'take', form=',')} of {len(self.takes):,} decided"
        if not self._in_force():
            return [f"{decided}, so there is no {CLIPS_FILE}"]
        lines = [f"{decided}, {counted(table['discarded'], 'discarded', 'discarded')}; {left:,} are undecided"]
        if table["clips"]:
            lines.append(f"{_placed(table)}, all on the {SIDE} side")
        for aside in table["aside"]:
            lines.append(f"{_placed(aside)} ({', '.join(listed(aside['labels']))}): {aside['why']}")
        lines += [self.tables.fault] if self.tables.fault else []
        if table["commands"] and not table["written"]:
            lines.append(f"the commands take {table['path']} as it is, without what was decided since")
        lines += [f"next: {command}" for command in table["commands"]]
        return lines + (_detector_lines(table["detectors"]) if table["detectors"] else [])

    def _labels(self, path: str, action: str, labels: Sequence[str]) -> tuple[str, ...]:
        """The labels of a decision, checked."""
        model = self.models[path]
        if action in (DISCARD, UNDO):
            return ()
        if action == KEEP:
            return model.said(self.takes[path]) or (NONE_OF_THESE,)
        if action != CORRECT:
            raise ValueError(f"the action is {action!r}; expected keep, correct, discard or undo")
        spelled = tuple(self._spelled(label) for label in labels)
        if fault := self._fault_of(Decision(take=path, action=action, labels=spelled)):
            raise ValueError(fault)
        return check_labels(spelled, "this take") if spelled else (NONE_OF_THESE,)

    def _spelled(self, label: str) -> str:
        """A label as the models spell it; a new one is checked as any name that somebody types."""
        known = spelled_label(label, self.known)
        return known if known in self.known else checked_name(label, "label")

    def _fault_of(self, decision: Decision) -> str:
        """Why a line cannot be a decision on its take; empty where it can."""
        model = self.models.get(decision.take)
        if model is None or model.tells_several or len(decision.labels) < 2:
            return ""
        return f"{model.name} tells one label a window; expected one, not {', '.join(listed(decision.labels))}"

    def _in_force(self) -> dict[str, Decision]:
        """The decisions about takes that are here."""
        return {path: one for path, one in self.decisions.in_force.items() if path in self.takes}

    def _in_words(self, path: str) -> str:
        """What is decided about a take."""
        decision = self.decisions.in_force.get(path)
        if decision is None:
            return "undone"
        return "discarded" if decision.action == DISCARD else ", ".join(listed(decision.labels))

    def _news(self, revision: int) -> dict[str, Any]:
        """What changed since a revision."""
        changed = [path for path, line in self.decisions.changed_at.items() if line > revision and path in self.takes]
        in_force = self.decisions.in_force
        return {
            "revision": self.decisions.num_lines,
            "decisions": {
                path: {"action": in_force[path].action, "labels": in_force[path].labels} if path in in_force else None
                for path in changed
            },
            "table": self.tables.described(),
            "warning": self.tables.fault,
            "faults": self.faults,
        }

    def _described(self, take: Take, models: Sequence[TakeModel]) -> dict[str, Any]:
        """A take for JSON; its scores are in the order of its model's labels."""
        model = self.models[take.path]
        return {
            "path": take.path,
            "session": take.session,
            "seconds": take.seconds,
            "why": _LONG_THRESHOLD.sub(lambda found: f"{float(found[0]):.3g}", take.why),
            "margin": take.margin,
            "model": models.index(model),
            "said": model.said(take),
            "scores": list(take.scores.values()),
        }


def _placed(table: dict[str, Any]) -> str:
    """How many clips are in a table, or are not since it is not written."""
    where = "in" if table["written"] else "decided, but not written to"
    return f"{counted(table['clips'], 'clip', form=',')} {where} {table['path']}"


def _detector_lines(detectors: dict[str, Any]) -> list[str]:
    """What the takes of detectors need, for people."""
    commands = [f"next: {command}" for command in detectors["commands"]]
    otherwise = [detectors["otherwise"]] if detectors["otherwise"] else []
    return [detectors["why"], *detectors["steps"], *commands, *otherwise]


def _describe(model: TakeModel) -> dict[str, Any]:
    """A model for JSON."""
    return {
        "name": model.name,
        "sha256": model.sha256,
        "activation": model.activation,
        "labels": model.labels,
        "thresholds": model.thresholds,
        "assumed": model.is_assumed,
    }
