"""The sound of decisions that nearly came out the other way, kept for somebody who knows better.

A folder of takes: `takes/*.wav`, each one window of the model, and `takes.jsonl`, one line a take, appended when its
WAV is whole. Several sessions may fill one folder; each is a group of its own in a clip index, since its takes share a
room and a microphone.
"""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from edge_runtime.audio.sample_format import to_shorts
from edge_runtime.audio.wav_bytes import wav_bytes
from metadata.atomic_file import write_atomically
from metadata.json_lines import read_fields
from metadata.plural import counted
from metadata.spec import ModelSpec

TAKES_FILE, TAKES_FOLDER = "takes.jsonl", "takes"
WITHIN = 0.15  # of a threshold, or of the second highest score
MOST_TAKES = 1000  # of a session: 64 MB of windows of 2 s
_SCORE_DIGITS = 4
_NEAR = "its threshold, or with softmax to the second highest score"


@dataclass(frozen=True, kw_only=True)
class Take:
    """One window that was kept.

    Attributes
    ----------
    path : str
        Of the WAV, relative to the folder.
    session : str
        When its stream began, in UTC.
    seconds : float
        Of that stream at which the window ended.
    label : str
        With the highest score.
    why : str
        In words: which scores are near what.
    margin : float
        How far the decision is from the other one.
    scores : dict of str to float
        Of the window alone, by label.
    model, model_sha256 : str
        Name of the model that heard it, and SHA-256 of its file.
    activation : str
        Of its scores: softmax or sigmoid; empty in a folder of an earlier version.
    thresholds : dict of str to float
        That decided, by label; none in a folder of an earlier version.
    detector : bool
        Whether the model tells when labels sound, see `ModelSpec.is_detector`; false in a folder of an earlier version.
    """

    path: str
    session: str
    seconds: float
    label: str
    why: str
    margin: float
    scores: dict[str, float]
    model: str
    model_sha256: str
    activation: str = ""
    thresholds: dict[str, float] = field(default_factory=dict)
    detector: bool = False

    def as_dict(self) -> dict[str, Any]:
        """Return the take for JSON."""
        return asdict(self)


@dataclass
class UncertainTakes:
    """Keeps windows whose decision is near another one; those that overlap are one take.

    Attributes
    ----------
    folder : Path
    spec : ModelSpec
    on : tuple of float
        The thresholds that decide, one a label.
    within : float
        Above 0 and below 1; a window is kept whose score is nearer than this to what would change its decision, see
        `uncertainty`.
    most : int
        Takes of this session.
    model_sha256 : str
    session : str
    num_kept, num_left_out : int
        So far; takes are left out once there are `most`.
    faults : list of str
        Lines of the folder that are no take; they are passed over.
    """

    folder: Path
    spec: ModelSpec
    on: tuple[float, ...]
    within: float = WITHIN
    most: int = MOST_TAKES
    model_sha256: str = ""
    session: str = field(default_factory=lambda: time.strftime("%Y%m%dT%H%M%SZ", time.gmtime()))
    num_kept: int = 0
    num_left_out: int = 0
    faults: list[str] = field(default_factory=list)
    _free_from: float = 0.0  # seconds at which no sample of the last take is in the window any more

    def __post_init__(self) -> None:
        if not 0.0 < self.within < 1.0:
            raise ValueError(
                f"--uncertain-within is {self.within:g}; expected above 0 and below 1. A window is kept whose score is "
                f"nearer than that to {_NEAR}"
            )
        if self.folder.exists() and not self.folder.is_dir():
            raise NotADirectoryError(f"{self.folder} is a file; expected a folder for uncertain takes")
        if (self.folder / TAKES_FILE).is_dir():
            raise IsADirectoryError(
                f"{self.folder / TAKES_FILE} is a folder; expected a file, or nothing; move it away"
            )
        (self.folder / TAKES_FOLDER).mkdir(parents=True, exist_ok=True)
        takes, self.faults = read_take_lines(self.folder)
        if drop_broken_line(self.folder / TAKES_FILE):
            self.faults[-1] += "; it is taken out of the file, and its WAV stays"
        taken = {take.session for take in takes}
        wanted, number = self.session, 1
        # Begun in the same second. The line of a session may be lost while its sound is there.
        while self.session in taken or (self.folder / self._path(1)).exists():
            number += 1
            self.session = f"{wanted}-{number}"

    def offer(self, window: npt.ArrayLike, scores: npt.ArrayLike, seconds: float) -> None:
        """Keep a window if its decision is uncertain and it shares no sound with the last take.

        Parameters
        ----------
        window : array_like
            float, (window_length,), in [-1, 1].
        scores : array_like
            (n_labels,), of this window.
        seconds : float
            At its end.
        """
        values = np.asarray(scores, np.float64)
        margin, why = uncertainty(values, self.on, self.spec)
        if margin >= self.within or seconds < self._free_from:
            return
        if self.num_kept >= self.most:
            self.num_left_out += 1
            self._free_from = seconds + self.spec.window_seconds
            return
        path = self._path(self.num_kept + 1)
        write_atomically(self.folder / path, wav_bytes(to_shorts(window), self.spec.sample_rate))
        take = Take(
            path=path,
            session=self.session,
            seconds=round(seconds, 3),
            label=self.spec.labels[int(values.argmax())],
            why=why,
            margin=round(margin, _SCORE_DIGITS),
            scores=dict(zip(self.spec.labels, np.round(values, _SCORE_DIGITS).tolist(), strict=True)),
            model=self.spec.name,
            model_sha256=self.model_sha256,
            activation=self.spec.activation,
            thresholds=dict(zip(self.spec.labels, self.on, strict=True)),
            detector=self.spec.is_detector,
        )
        with (self.folder / TAKES_FILE).open("a", encoding="utf-8") as file:
            file.write(json.dumps(take.as_dict(), ensure_ascii=False) + "\n")
        self.num_kept += 1
        self._free_from = seconds + self.spec.window_seconds

    def told(self) -> str:
        """Return what was kept, for people."""
        if not self.num_kept:
            return (
                f"nothing is kept in {self.folder}: no score was nearer than {self.within:g} to {_NEAR}; a larger "
                "--uncertain-within keeps more"
            )
        kept = f"{counted(self.num_kept, 'uncertain take')} of session {self.session} in {self.folder}"
        if self.num_left_out:
            kept += (
                f"; {counted(self.num_left_out, 'more was', 'more were')} left out, {self.most} a session is the most"
            )
        return kept

    def _path(self, number: int) -> str:
        """Of a take of this session, relative to the folder."""
        return f"{TAKES_FOLDER}/{self.session}-{number:04d}.wav"


def uncertainty(scores: npt.NDArray[np.float64], on: tuple[float, ...], spec: ModelSpec) -> tuple[float, str]:
    """Return how far a decision is from another one, and which scores say so.

    With sigmoid each label is decided on its own: the nearest threshold counts. With softmax the highest score decides,
    and is an event from its threshold on: what is nearer counts, the second highest score or that threshold.

    Parameters
    ----------
    scores : ndarray of float64
        (n_labels,).
    on : tuple of float
        Thresholds.
    spec : ModelSpec
    """
    highest = int(scores.argmax())
    judged = np.arange(scores.size) if spec.activation == "sigmoid" else np.array([highest])
    from_threshold = np.abs(scores[judged] - np.asarray(on)[judged])
    nearest = int(judged[from_threshold.argmin()])
    margin = float(from_threshold.min())
    why = f"{spec.labels[nearest]} {scores[nearest]:.2f} is near its threshold {on[nearest]:.3g}"
    if spec.activation == "sigmoid" or scores.size < 2:
        return margin, why
    second = int(np.argsort(-scores, kind="stable")[1])
    lead = float(scores[highest] - scores[second])
    if lead >= margin:
        return margin, why
    return lead, f"{spec.labels[highest]} {scores[highest]:.2f} and {spec.labels[second]} {scores[second]:.2f}"


def read_take_lines(folder: Path) -> tuple[list[Take], list[str]]:
    """Return the takes of a folder in the order in which they were kept, and which lines of its list are none.

    An empty line is passed over. A last line without its end, left by a power failure, counts for nothing.
    """
    path = folder / TAKES_FILE
    takes: list[Take] = []
    faults: list[str] = []
    lines = path.read_bytes().splitlines(keepends=True) if path.exists() else []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        if not line.endswith(b"\n"):
            faults.append(f"{path}, line {number} has no end, so it is no take: what wrote it was stopped")
            break
        try:
            takes.append(Take(**read_fields(line, Take)))
        except ValueError as error:
            faults.append(f"{path}, line {number} is no take: {error}")
    return takes, faults


def drop_broken_line(path: Path) -> bool:
    """Take a last line without its end out of a file of lines, so that what is appended stands on its own.

    Returns
    -------
    bool
        Whether anything but blanks was taken out.
    """
    content = path.read_bytes() if path.exists() else b""
    end = content.rfind(b"\n") + 1
    if content[end:]:
        write_atomically(path, content[:end])
    return bool(content[end:].strip())
