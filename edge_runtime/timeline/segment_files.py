"""The files of segments that `earproof timeline` writes beside its table."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from edge_runtime.classify.output_files import Line
from edge_runtime.options import check_out_file
from edge_runtime.segments.forms import form_to_write
from edge_runtime.segments.segment import Segment
from edge_runtime.segments.write_segments import write_segments

LABEL_TRACK = "audacity"  # has no place for a recording's name


def segment_files(given: Sequence[str], one_recording: bool, force: bool) -> dict[Path, str]:
    """Return the form of each file that `--segments [FORM=]FILE` names.

    Raises
    ------
    ValueError
        No such form, a suffix that stands for none, or a label track of several recordings.
    FileExistsError, FileNotFoundError
        As for `check_out_file`.
    """
    found = {}
    for text in given:
        form, equals, name = text.partition("=")
        named = equals and form.isidentifier()
        path = Path(name if named else text)
        found[path] = form_to_write(path, form if named else None)
        check_out_file(path, force)
        if found[path] == LABEL_TRACK and not one_recording:
            raise ValueError(f"{path}: a label track is of one recording; expected one AUDIO that is a file, or .csv")
    return found


def write_segment_files(files: dict[Path, str], lines: Iterable[Line]) -> None:
    """Write the segments of all recordings that could be read, and tell each file; those lie in memory together.

    Raises
    ------
    ValueError
        A name or a label that the form cannot hold.
    """
    recordings, name = {}, ""
    for line in lines:
        if "recording" in line:
            name = line["recording"]
        elif "clip" in line:
            recordings[name] = [Segment(**segment) for segment in line["clip"]["segments"]]
    for path, form in files.items():
        write_segments(path, recordings, form)
        print(f"wrote {path}", file=sys.stderr)
