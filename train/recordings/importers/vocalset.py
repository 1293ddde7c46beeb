"""VocalSet: 20 singers, `<singer>/<exercise>/<technique>/*.wav` below the folder, `FULL` or `data_by_singer`.

All is song, but for the excerpts spoken (technique `spoken`), which are speech. A singer's recordings form a group.
`data_by_technique` and `data_by_vowel` hold the same recordings again and are not read.

Notes
-----
J. Wilkins, P. Seetharaman, A. Wahl and B. Pardo, "VocalSet: A Singing Voice Dataset", ISMIR 2018.
"""

from __future__ import annotations

import re
from pathlib import Path

from train.recordings.audio_files import audio_files
from train.recordings.clip import Clip
from train.recordings.importers.importer import Importer

LICENCE = "CC BY 4.0"
CITATION = "doi:10.5281/zenodo.1193957"
LABEL, SPOKEN_LABEL, SPOKEN_TECHNIQUE = "song", "speech", "spoken"
_SINGER = re.compile(r"(female|male)\d+$")
_PLACES = ("FULL", "data_by_singer", ".")  # the first that holds singers


def _singers(root: Path) -> list[Path]:
    """The singers' folders."""
    for place in _PLACES:
        folder = root / place
        singers = [path for path in sorted(folder.glob("*")) if path.is_dir() and _SINGER.match(path.name)]
        if singers:
            return singers
    return []


def _read(root: Path) -> list[Clip]:
    """Every recording of every singer."""
    return [_clip(root, singer, path) for singer in _singers(root) for path in audio_files(singer)]


def _clip(root: Path, singer: Path, path: Path) -> Clip:
    """One recording as a clip."""
    label = SPOKEN_LABEL if SPOKEN_TECHNIQUE in path.relative_to(singer).parts[:-1] else LABEL
    located = path.relative_to(root).as_posix()
    return Clip(located, (label,), f"vocalset_{singer.name}", licence=LICENCE, source=CITATION)


VOCALSET = Importer(
    name="vocalset",
    title="VocalSet",
    layout="FULL or data_by_singer with female1 to female9 and male1 to male11",
    recognizes=lambda root: bool(_singers(root)),
    read=_read,
)
