"""Whether data are recordings with annotations, and which files hold these."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from edge_runtime.audio.sound_kinds import AUDIO_SUFFIXES
from edge_runtime.segments.forms import form_seen_in
from edge_runtime.segments.read_segments import named_by_file
from train.annotations.tier_files import is_tier_file
from train.recordings.left_out import LeftOut, Reason, describe_left_out

NOT_THE_TABLE = Reason(
    "annotations_beside_table",
    "annotations of single recordings; the table of the folder is read in their place: move it away to read them",
)
NO_RECORDING_CALLED_SO = Reason(
    "annotations_of_nothing",
    "annotations with the name of no recording beside them; expected its name without the ending: a.txt for a.wav",
)
TABLES = ("annotations.csv", "annotations.tsv", "annotations.rttm", "annotations.json")
_BESIDE = ("audacity", "raven")  # forms of which each recording has a file of its own
_NO_CLIP_TABLES = (".rttm", ".json")  # suffixes of files that hold annotations or nothing of ours
_TEXT = ".txt"
_HEAD = 4096  # bytes in which the first line is
_ROW_OF_DCASE = re.compile(r"[^\t]+\t-?[\d.,]+\t-?[\d.,]+\t")


def find_annotations(data: str | Path) -> Path | None:
    """Return where the annotations of data are, None where the data are plain clips.

    Parameters
    ----------
    data : str or Path
        A folder, or a file such as a CSV.

    Returns
    -------
    Path or None
        A folder's table (`TABLES`), else the folder itself where a label track, a selection table, an ELAN document or
        a TextGrid lies beside a recording. A file itself where it holds annotations. `annotated_index(data)` reads
        them.

    Raises
    ------
    ValueError
        A folder has several tables, or files of several kinds beside its recordings.
    """
    data = Path(data)
    if data.is_file():
        return data if _holds_annotations(data) else None
    table = _table(data)
    if table:
        return table
    return data if _beside(data) else None


def annotation_files(folder: Path) -> list[Path]:
    """Return the table of a folder, else the file beside each recording.

    Raises
    ------
    FileNotFoundError
        No annotations.
    ValueError
        Several tables, or files of several kinds beside the recordings.
    """
    table = _table(folder)
    found = [table] if table else _beside(folder)
    if not found:
        strays = "".join(f"\n  {text}" for text in describe_left_out(unread_annotations(folder, ())))
        raise FileNotFoundError(
            f"{folder} holds no annotations; expected {', '.join(TABLES)}, or beside each recording with its name a "
            f"label track or selection table (.txt), an ELAN document (.eaf) or a .TextGrid{strays}"
        )
    return found


def unread_annotations(folder: Path, files: Sequence[Path]) -> tuple[LeftOut, ...]:
    """Return the annotations of single recordings that are not among the files that are read, and why not."""
    by_kind, strays = _of_recordings(folder)
    unread = [file for found in by_kind.values() for file in found if file not in files]
    named = [(file, NOT_THE_TABLE) for file in unread] + [(file, NO_RECORDING_CALLED_SO) for file in strays]
    return tuple(LeftOut(file.relative_to(folder).as_posix(), reason) for file, reason in named)


def _table(folder: Path) -> Path | None:
    """The table of a folder."""
    tables = [folder / name for name in TABLES if (folder / name).is_file()]
    if len(tables) > 1:
        raise ValueError(f"{folder} holds {' and '.join(path.name for path in tables)}; name the one that is meant")
    return tables[0] if tables else None


def _beside(folder: Path) -> list[Path]:
    """The files of annotations that are called as a recording beside them."""
    by_kind, _ = _of_recordings(folder)
    if len(by_kind) > 1:
        named = " and ".join(found[0].relative_to(folder).as_posix() for found in by_kind.values())
        raise ValueError(f"{folder} holds annotations of {len(by_kind)} kinds, such as {named}; leave one kind there")
    return next(iter(by_kind.values()), [])


def _of_recordings(folder: Path) -> tuple[dict[str, list[Path]], list[Path]]:
    """The files of annotations by suffix that are called as a recording beside them, and those that are not.

    All texts that are called so count where one of them holds annotations: an empty label track is one too.
    """
    files = sorted(path for path in folder.rglob("*") if path.suffix.lower() == _TEXT or is_tier_file(path))
    recordings = {place: _recordings(place) for place in {file.parent for file in files}}
    by_kind: dict[str, list[Path]] = {}
    strays = []
    for file in files:
        if named_by_file(file) in recordings[file.parent]:
            by_kind.setdefault(file.suffix.lower(), []).append(file)
        elif _is_of_recording(file):
            strays.append(file)
    if not any(map(_is_of_recording, by_kind.get(_TEXT, []))):
        by_kind.pop(_TEXT, None)
    return by_kind, strays


def _is_of_recording(file: Path) -> bool:
    """Whether a file holds the annotations of a single recording."""
    return is_tier_file(file) or form_seen_in(_head(file)) in _BESIDE


def _recordings(folder: Path) -> set[str]:
    """Names without suffix."""
    return {path.stem for path in folder.iterdir() if path.suffix.lower() in AUDIO_SUFFIXES}


def _holds_annotations(path: Path) -> bool:
    """Whether a file is one of annotations; a table of clips has no column called onset."""
    head = _head(path)
    first = next((line for line in head.splitlines() if line.strip()), "")
    columns = {cell.strip(' "').casefold() for cell in re.split("[,;\t]", first)}
    return (
        path.suffix.lower() in _NO_CLIP_TABLES
        or is_tier_file(path)
        or form_seen_in(head) in _BESIDE
        or "onset" in columns
        or _ROW_OF_DCASE.match(first) is not None
    )


def _head(path: Path) -> str:
    """The begin of a file; what is no UTF-8 is for its reader to refuse."""
    with path.open("rb") as file:
        return file.read(_HEAD).decode("utf-8-sig", errors="replace")
