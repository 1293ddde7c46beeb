"""The takes of a folder that can be heard, and why others cannot."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from edge_runtime.audio.wav_file import WavFile, is_wav
from edge_runtime.audio.wav_format import UnknownCodecError
from edge_runtime.listen.uncertain_takes import TAKES_FILE, TAKES_FOLDER, Take, read_take_lines
from metadata.labels import check_labels
from metadata.plural import counted

ASSUMED_THRESHOLD = 0.5
_SUMS_TO_ONE = 0.02  # of scores that are rounded


@dataclass(frozen=True)
class TakeModel:
    """A model as its takes tell of it.

    Attributes
    ----------
    name, sha256 : str
    activation : str
    labels : tuple of str
        In the order of its scores.
    thresholds : tuple of float
    is_assumed : bool
        Whether activation and thresholds are assumed, for takes of an earlier version.
    """

    name: str
    sha256: str
    activation: str
    labels: tuple[str, ...]
    thresholds: tuple[float, ...]
    is_assumed: bool = False

    @property
    def tells_several(self) -> bool:
        """Whether a take may have several labels."""
        return self.activation == "sigmoid"

    def said(self, take: Take) -> tuple[str, ...]:
        """Return the labels that the model decided for; with sigmoid maybe none."""
        if not self.tells_several:
            return (take.label,)
        pairs = zip(self.labels, self.thresholds, strict=True)
        return tuple(label for label, threshold in pairs if take.scores[label] >= threshold)


def find_takes(folder: Path) -> tuple[list[Take], list[str]]:
    """Return the takes of a folder whose sound is there, and why the others are left out.

    Raises
    ------
    FileNotFoundError
        No such folder, or none that `earproof listen --save-uncertain` filled.
    NotADirectoryError
        A file.
    ValueError
        It holds no take that can be heard.
    """
    if not folder.exists():
        raise FileNotFoundError(f"{folder} does not exist; expected a folder of earproof listen --save-uncertain")
    if not folder.is_dir():
        raise NotADirectoryError(f"{folder} is a file; expected a folder of earproof listen --save-uncertain")
    if not (folder / TAKES_FILE).exists() and (folder / TAKES_FOLDER).is_dir():
        raise FileNotFoundError(
            f"{folder} holds no {TAKES_FILE}: earproof listen kept no take, as no decision was close; a larger "
            "--uncertain-within keeps more"
        )
    if not (folder / TAKES_FILE).is_file():
        raise FileNotFoundError(
            f"{folder} holds no {TAKES_FILE}; expected a folder of earproof listen --save-uncertain"
        )
    listed, faults = read_take_lines(folder)
    takes: dict[str, Take] = {}
    for take in listed:
        fault = _fault(take, folder) or ("it is listed twice" if take.path in takes else "")
        if fault:
            faults.append(f"{take.path!r}: {fault}")
        else:
            takes[take.path] = take
    if not takes:
        if not faults:
            raise ValueError(f"{folder / TAKES_FILE} is empty; expected a line a take, as earproof listen appends them")
        more = f" (and {counted(len(faults) - 1, 'fault')} more)" if len(faults) > 1 else ""
        raise ValueError(f"{folder} has no take that can be heard: {faults[0]}{more}")
    return list(takes.values()), faults


def sound_path(folder: Path, take: Take) -> Path:
    """Return where the WAV of a take is.

    Raises
    ------
    ValueError
        A path that leaves the folder.
    """
    named = PurePosixPath(take.path)
    path = folder / take.path
    if named.is_absolute() or ".." in named.parts or not path.resolve().is_relative_to(folder.resolve()):
        raise ValueError(f"it leads out of {folder}; expected a path below it")
    return path


def models_of(takes: Iterable[Take]) -> dict[str, TakeModel]:
    """Return the model of each take by its path; those of the same file and thresholds are one."""
    seen: dict[TakeModel, TakeModel] = {}
    return {take.path: seen.setdefault(model := _model(take), model) for take in takes}


def _model(take: Take) -> TakeModel:
    """The model as one take tells of it."""
    is_softmax = abs(sum(take.scores.values()) - 1.0) <= _SUMS_TO_ONE
    return TakeModel(
        name=take.model,
        sha256=take.model_sha256,
        activation=take.activation or ("softmax" if is_softmax else "sigmoid"),
        labels=tuple(take.scores),
        thresholds=tuple(take.thresholds.get(label, ASSUMED_THRESHOLD) for label in take.scores),
        is_assumed=not (take.activation and take.thresholds),
    )


def _fault(take: Take, folder: Path) -> str:
    """Why a take cannot be heard; empty where it can."""
    texts = (take.path, take.session, take.label, take.why, take.model, take.model_sha256, take.activation)
    if not all(isinstance(text, str) for text in texts) or not take.path or not take.session.strip():
        return "its line holds something other than text, or no path or session"
    if not (_are_numbers(take.scores) and _are_numbers(take.thresholds) and _is_number(take.seconds)):
        return "its scores, thresholds or seconds are no numbers"
    if not _is_number(take.margin) or take.label not in take.scores:
        return "its margin is no number, or its label has no score"
    if not isinstance(take.detector, bool):
        return "its detector is neither true nor false"
    try:
        check_labels(tuple(take.scores), "its scores")
        path = sound_path(folder, take)
        if path.is_file() and not is_wav(path):
            return f"{path} is damaged: it does not begin as a WAV file does"
        with WavFile(path):
            return ""
    except UnknownCodecError:
        return f"{path} is damaged, or another file: earproof listen writes PCM of 16 bits"
    except (ValueError, OSError) as error:
        return str(error)


def _is_number(value: object) -> bool:
    """Whether it is a finite number."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def _are_numbers(values: object) -> bool:
    """Whether it is a mapping to finite numbers."""
    return isinstance(values, dict) and all(map(_is_number, values.values()))
