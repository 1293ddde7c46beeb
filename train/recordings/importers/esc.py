"""ESC-50 and its subset ESC-10: 5 s clips of Freesound recordings, 40 a label, in five official folds.

Two layouts. A table (`meta/esc50.csv`, or a `meta.csv` beside the folder `audio`) with the columns filename, fold and
category; or the older tree, one folder a label, `101 - Dog/1-30226-A.ogg`. A file's name is
`<fold>-<Freesound number>-<take>[-<target>]`: takes of one Freesound recording form a group.

Notes
-----
K. J. Piczak, "ESC: Dataset for Environmental Sound Classification", ACM Multimedia 2015.
"""

from __future__ import annotations

import os
import re
from dataclasses import replace
from pathlib import Path

from metadata.csv_rows import read_rows
from train.recordings.clip import Clip
from train.recordings.decoding.audio_files import FoundFiles
from train.recordings.importers.importer import Importer, mostly, refuse_names
from train.recordings.tables.clip_table import read_clips

LICENCE = "CC BY-NC 3.0"
ESC_10_LICENCE = "CC BY 3.0"
CITATION = "doi:10.1145/2733373.2806390"
# fmt: off
LABELS = (  # in the order of the column `target`, ten in each of the five folders-of-folders 1xx to 5xx
    "dog", "rooster", "pig", "cow", "frog", "cat", "hen", "insects", "sheep", "crow",
    "rain", "sea_waves", "crackling_fire", "crickets", "chirping_birds", "water_drops", "wind", "pouring_water",
    "toilet_flush", "thunderstorm",
    "crying_baby", "sneezing", "clapping", "breathing", "coughing", "footsteps", "laughing", "brushing_teeth",
    "snoring", "drinking_sipping",
    "door_wood_knock", "mouse_click", "keyboard_typing", "door_wood_creaks", "can_opening", "washing_machine",
    "vacuum_cleaner", "clock_alarm", "clock_tick", "glass_breaking",
    "helicopter", "chainsaw", "siren", "car_horn", "engine", "train", "church_bells", "airplane", "fireworks",
    "hand_saw",
)
ESC_10_LABELS = (  # in the order of the older ESC-10's folders 001 to 010
    "dog", "rain", "sea_waves", "crying_baby", "clock_tick", "sneezing", "helicopter", "chainsaw", "rooster",
    "crackling_fire",
)
# fmt: on
_CLIP_NAME = re.compile(r"(?P<fold>\d)-(?P<freesound>\d+)-[A-Z](-\d+)?$")
_LABEL_FOLDER = re.compile(r"(?P<hundred>[0-5])(?P<place>\d\d) - .+$")
_EXAMPLE = "1-30226-A"
_TABLES = ("meta/esc50.csv", "meta.csv")


def label_of_folder(name: str) -> str:
    """Return the label of a folder of the older layout, '' for another folder: `101 - Dog` is dog."""
    match = _LABEL_FOLDER.match(name)
    if not match:
        return ""
    hundred, place = int(match["hundred"]), int(match["place"]) - 1
    if not 0 <= place < 10:
        return ""
    return LABELS[10 * (hundred - 1) + place] if hundred else ESC_10_LABELS[place]


def _recognizes(found: FoundFiles) -> str:
    """The table's columns, or the names of folders and recordings."""
    table = _table(found.root)
    if table and 2 * sum(label in LABELS for label in _categories(table)) > len(_categories(table)):
        place = table.relative_to(found.root).as_posix()
        return f"{place} has the columns filename, fold and category and names files as {_EXAMPLE}"
    folders = {} if table else _whole_tree(found)
    if not folders:
        return ""
    return f"its folders are named as {next(iter(folders)).name} and hold recordings named as {_EXAMPLE}"


def _recognizes_10(found: FoundFiles) -> str:
    """The same, where there are the labels of ESC-10 and no others."""
    table = _table(found.root)
    labels = set(_categories(table) if table else _whole_tree(found).values())
    return (
        f"{reason}, with labels of its ten alone"
        if labels <= set(ESC_10_LABELS) and (reason := _recognizes(found))
        else ""
    )


def _categories(table: Path) -> list[str]:
    """The label of each row of a table."""
    return [row.values["category"] for row in read_rows(table)[1]]


def _whole_tree(found: FoundFiles) -> dict[Path, str]:
    """The folders of the older layout with their labels; none where other folders or names contradict it."""
    folders = _label_folders(found.root)
    files = [Path(path) for path in found.recordings if "/" in path]
    company = set(found.by_top_folder()) - {folder.name for folder in folders} - {""}
    return folders if not company and mostly(files, _CLIP_NAME) else {}


def _read(found: FoundFiles) -> list[Clip]:
    """Every clip of a folder."""
    table = _table(found.root)
    return _read_table(found.root, table) if table else _read_tree(found)


def _read_10(found: FoundFiles) -> list[Clip]:
    """The clips of a folder that belong to ESC-10."""
    return [clip for clip in _read(found) if clip.labels[0] in ESC_10_LABELS]


def _table(root: Path) -> Path | None:
    """The table of the newer layout, where one is there and its files are named as this data set's are."""
    for name in _TABLES:
        if not (root / name).is_file():
            continue
        columns, rows = read_rows(root / name)
        named = {"filename", "fold", "category"} <= set(columns) and bool(rows)
        if named and all(_CLIP_NAME.match(Path(row.values["filename"]).stem) for row in rows):
            return root / name
    return None


def _label_folders(root: Path) -> dict[Path, str]:
    """The folders of the older layout with their labels."""
    folders = {path: label_of_folder(path.name) for path in sorted(root.iterdir()) if path.is_dir()}
    return {path: label for path, label in folders.items() if label}


def _read_table(root: Path, table: Path) -> list[Clip]:
    """The clips of the newer layout; a licence of its own stays with its clip."""
    return [
        _complete(replace(clip, path=Path(os.path.relpath(table.parent / clip.path, root)).as_posix()))
        for clip in read_clips(table, LABELS)
    ]


def _read_tree(found: FoundFiles) -> list[Clip]:
    """The clips of the older layout, whose fold is the first number of the name."""
    files = [(path, label) for folder, label in _label_folders(found.root).items() for path in found.below(folder)]
    refuse_names([path for path, _ in files if not _CLIP_NAME.match(path.stem)], "ESC-50", f"{_EXAMPLE}.ogg")
    return [
        _complete(Clip(path.relative_to(found.root).as_posix(), (label,), "", fold=path.name[0]))
        for path, label in files
    ]


def _complete(clip: Clip) -> Clip:
    """The clip with the group, the licence and the source that its name and label tell."""
    name = _CLIP_NAME.match(Path(clip.path).stem)
    assert name is not None  # the callers have refused other names
    freesound = name["freesound"]
    licence = clip.licence or (ESC_10_LICENCE if clip.labels[0] in ESC_10_LABELS else LICENCE)
    return replace(
        clip, group=f"freesound_{freesound}", licence=licence, source=f"{CITATION} freesound.org/s/{freesound}"
    )


ESC_10 = Importer(
    name="esc10",
    title="ESC-10",
    signs=_TABLES,
    layout="meta/esc50.csv (or meta.csv) with audio/*.wav, or folders as '001 - Dog bark' with *.ogg",
    recognizes=_recognizes_10,
    read=_read_10,
)
ESC_50 = Importer(
    name="esc50",
    title="ESC-50",
    signs=_TABLES,
    layout="meta/esc50.csv with audio/*.wav, or folders as '101 - Dog' with *.ogg",
    recognizes=_recognizes,
    read=_read,
)
