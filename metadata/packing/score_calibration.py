"""Score calibration: the parameters that the Task library and MediaPipe apply to the scores of a model.

A line a label: scale, slope, offset and maybe a least score. A score x becomes

    scale / (1 + exp(-(slope * g(x) + offset)))

and, where it is under its least score or its line is empty, the default score. g is x, log(x) or log(x) - log(1 - x).

Notes
-----
Measured in tflite-support 0.4.4 and MediaPipe 1.2.2. The number of lines must be that of the labels, so no line end may
follow the last line. A negative scale is refused by MediaPipe alone, and a scale above 1 gives scores above 1. The Task
library hides negative scores: its score threshold is 0 where the app sets none, whatever the file says. MediaPipe shows
them unless the file states a threshold. So -1 as default score, and a threshold of 0, hide a label in both.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from metadata.errors import ModelContractError
from metadata.plural import counted

CALIBRATION_FILE = "TENSOR_AXIS_SCORE_CALIBRATION"  # the type of the file with the parameters
TRANSFORMATIONS = ("IDENTITY", "LOG", "INVERSE_LOGISTIC")
HIDDEN = -1.0  # a default score that no loader shows
_MOST_SHOWN = 10  # numbers of lines in a note
_KEEPS = [1.0, 1.0, 0.0]  # scale, slope and offset that keep a score, after INVERSE_LOGISTIC
_NEAREST_ONE = 1.0 - 2.0**-25  # what a float32 rounds to 1


class Calibration(NamedTuple):
    """What the metadata says about the calibration of one output."""

    transformation: str
    default_score: float
    content: bytes  # of the parameter file

    def lines(self) -> list[list[float]]:
        """Return the numbers of each line; none for an empty line or one that is not numbers."""
        return [_numbers(line) for line in self.content.decode("utf-8", errors="replace").split("\n")]


def threshold_calibration(thresholds: Sequence[float | None], score_transform: str = "none") -> Calibration:
    """Return the calibration that hides every score under its threshold and keeps the others.

    Parameters
    ----------
    thresholds : sequence of float or None
        One a label, from 0 to 1; None for a label that is always shown.
    score_transform : {"none", "sigmoid"}
        What makes scores of what the model puts out; the loaders then show sigmoid of logits, not the logits.

    Raises
    ------
    ModelContractError
        Another transform, which no calibration computes.

    Notes
    -----
    sigmoid(log(x) - log(1 - x)) is x: scale 1, slope 1 and offset 0 change a score by rounding alone (2e-7 at most).
    """
    if score_transform not in ("none", "sigmoid"):
        raise ModelContractError(
            f"the model puts out numbers that {score_transform} makes scores of, which no calibration computes; the "
            "thresholds cannot be written into this file. Let the app apply them"
        )
    lines = ["1,1,0" + _least(threshold, score_transform) for threshold in thresholds]
    transformation = "INVERSE_LOGISTIC" if score_transform == "none" else "IDENTITY"
    return Calibration(transformation, HIDDEN, "\n".join(lines).encode("ascii"))


def read_calibration(content: bytes, count: int, source: str) -> tuple[bytes, list[str]]:
    """Return the parameter file that the loaders take, and a note on each thing that was mended.

    Parameters
    ----------
    content : bytes
        As a user gives it.
    count : int
        Labels of the output.
    source : str
        Name of the file, for error texts.

    Raises
    ------
    ModelContractError
        Another number of lines, or a line with other than 0, 3 or 4 numbers, or a negative scale.
    """
    text, notes = content.decode("utf-8", errors="replace"), []
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
        notes.append(f"{source} has CR line ends; written with LF")
    lines = text.split("\n")
    if len(lines) == count + 1 and not lines[-1]:
        lines.pop()
        notes.append(f"{source} ends with a line end, which the loaders count as one more line; left out")
    if len(lines) != count:
        raise ModelContractError(
            f"{source} has {counted(len(lines), 'line')} but the output has {counted(count, 'label')}; expected a line "
            "a label: scale,slope,offset and maybe a least score, or nothing for a label that is never shown"
        )
    for number, line in enumerate(lines, start=1):
        _check_line(line, f"{source}, line {number}")
    empty = [str(number) for number, line in enumerate(lines, start=1) if not line]
    if empty:
        shown = ", ".join(empty[:_MOST_SHOWN]) + (" ..." if len(empty) > _MOST_SHOWN else "")
        notes.append(f"{source} has no parameters in line {shown}; such a label gets the default score")
    return "\n".join(lines).encode("utf-8"), notes


def stated_thresholds(calibration: Calibration, count: int) -> tuple[float | None, ...] | None:
    """Return the thresholds that a calibration as `threshold_calibration` makes it holds, one a label.

    None stands for a label that is always shown; instead of all of them, for a calibration that does anything else.
    """
    lines = calibration.lines()
    keeps = (calibration.transformation, [line[:3] for line in lines]) == ("INVERSE_LOGISTIC", [_KEEPS] * count)
    if not keeps or calibration.default_score != HIDDEN or any(len(line) > 4 for line in lines):
        return None
    return tuple(line[3] if len(line) > 3 and 0.0 <= line[3] <= 1.0 else None for line in lines)


def describe_calibration(calibration: Calibration) -> str:
    """Return in words what a calibration does to scores."""
    lines = calibration.lines()
    least, empty = sum(len(line) == 4 for line in lines), sum(not line for line in lines)
    stays = calibration.transformation == "INVERSE_LOGISTIC" and all(line[:3] in ([], _KEEPS) for line in lines)
    return (
        ("scores as they are" if stays else f"scores by sigmoid, {calibration.transformation} before it")
        + (f"; {counted(least, 'label')} with a least score" if least else "")
        + (f"; {counted(empty, 'label')} without parameters" if empty else "")
        + ("; else not shown" if calibration.default_score < 0.0 else f"; else {calibration.default_score:g}")
    )


def _least(threshold: float | None, score_transform: str) -> str:
    """The least score behind the other parameters, in the model's own numbers; empty where there is none."""
    if threshold is None or threshold <= 0.0:
        return ""
    if score_transform == "none":
        return f",{threshold!r}"
    inside = min(threshold, _NEAREST_ONE)
    return f",{math.log(inside / (1.0 - inside))!r}"


def _check_line(line: str, source: str) -> None:
    """Refuse a line that a loader refuses."""
    if not line:
        return
    numbers = _numbers(line)
    if len(numbers) not in (3, 4) or not all(map(math.isfinite, numbers)):
        raise ModelContractError(
            f"{source} is {line!r}; expected scale,slope,offset and maybe a least score: 3 or 4 numbers"
        )
    if not 0.0 <= numbers[0] <= 1.0:
        raise ModelContractError(f"{source} has the scale {numbers[0]}; expected 0 to 1: it is the highest score")


def _numbers(line: str) -> list[float]:
    """The numbers of a line, none where it is empty or holds anything else."""
    try:
        return [float(part) for part in line.split(",")]
    except ValueError:
        return []
