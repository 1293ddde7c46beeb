"""The labels as a loader reads them out of a label file."""

from __future__ import annotations

import re


def task_library_labels(content: bytes) -> list[str]:
    """Return the lines as the Task library splits them: at LF alone, what stands before it is kept."""
    return _without_last(content.decode("utf-8", "replace").split("\n"))


def mediapipe_labels(content: bytes) -> list[str]:
    """Return the lines as MediaPipe splits them: at LF, CR LF or CR, one blank line at the end left out."""
    return _without_last(_without_last(re.split(r"\r\n|\r|\n", content.decode("utf-8", "replace"))))


def _without_last(lines: list[str]) -> list[str]:
    return lines[:-1] if lines and not lines[-1] else lines
