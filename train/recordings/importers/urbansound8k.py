"""UrbanSound8K: 8732 slices of Freesound recordings, ten labels, ten official folds.

`metadata/UrbanSound8K.csv` with the columns slice_file_name, fsID, fold and class; `audio/fold<n>/<slice_file_name>`.
Slices of one Freesound recording (fsID) form a group.

Notes
-----
J. Salamon, C. Jacoby and J. P. Bello, "A Dataset and Taxonomy for Urban Sound Research", ACM Multimedia 2014.
"""

from __future__ import annotations

from metadata.csv_rows import Row, read_rows
from train.recordings.clip import Clip, group_of
from train.recordings.decoding.audio_files import FoundFiles
from train.recordings.importers.importer import Importer
from train.recordings.tables.clip_table import refuse_faults

LICENCE = "CC BY-NC 3.0"
CITATION = "doi:10.1145/2647868.2655045"
TABLE = "metadata/UrbanSound8K.csv"
_COLUMNS = ("slice_file_name", "fsID", "fold", "class")


def _recognizes(found: FoundFiles) -> str:
    """The table's name and columns."""
    root = found.root
    if not (root / TABLE).is_file() or not set(_COLUMNS) <= set(read_rows(root / TABLE)[0]):
        return ""
    return f"{TABLE} has the columns {', '.join(_COLUMNS)}"


def _read(found: FoundFiles) -> list[Clip]:
    """Every slice of the table."""
    root = found.root
    if not (root / TABLE).is_file():
        return []
    columns, rows = read_rows(root / TABLE)
    missing = [name for name in _COLUMNS if name not in columns]
    if missing:
        raise ValueError(f"{root / TABLE} has no column {', '.join(missing)}; it has {', '.join(columns)}")
    clips = [(row.line, _clip(row)) for row in rows]
    refuse_faults(root / TABLE, clips, root)
    return [clip for _, clip in clips]


def _clip(row: Row) -> Clip:
    """One row as a clip."""
    values = row.values
    return Clip(
        f"audio/fold{values['fold']}/{values['slice_file_name']}",
        (values["class"],) if values["class"] else (),
        group_of(f"freesound_{values['fsID']}"),
        fold=values["fold"],
        licence=LICENCE,
        source=f"{CITATION} freesound.org/s/{values['fsID']}",
    )


URBANSOUND8K = Importer(
    name="urbansound8k",
    title="UrbanSound8K",
    layout=f"{TABLE} and audio/fold1 to audio/fold10",
    recognizes=_recognizes,
    signs=(TABLE,),
    read=_read,
)
