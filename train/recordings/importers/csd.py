"""CSD, Children's Song Dataset: 50 English and 50 Korean songs, each in two keys, `english/wav/en001a.wav`.

All is song, sung by one professional singer, so that all of it is one group: whoever trains on some of it and tests on
the rest tests on a voice that was trained.

Notes
-----
S. Choi et al., "Children's Song Dataset for Singing Voice Research", ISMIR 2020, late-breaking.
"""

from __future__ import annotations

import re
from pathlib import Path

from train.recordings.clip import Clip
from train.recordings.decoding.audio_files import FoundFiles
from train.recordings.importers.importer import Importer, mostly, refuse_names

LICENCE = "CC BY-NC-SA 4.0"
CITATION = "doi:10.5281/zenodo.4785016"
LABEL, GROUP = "song", "csd_singer"
LANGUAGES = ("english", "korean")
_SONG_NAME = re.compile(r"(en|kr)\d{3}[a-z]$")


def _folders(root: Path) -> list[Path]:
    """The folders that hold recordings: <language>/wav, or <language> where there is none."""
    folders = [root / name / "wav" if (root / name / "wav").is_dir() else root / name for name in LANGUAGES]
    return [folder for folder in folders if folder.is_dir()]


def _recognizes(found: FoundFiles) -> str:
    """The songs' names, where no other folder holds recordings."""
    songs = _songs(found)
    if not mostly(songs, _SONG_NAME) or set(found.by_top_folder()) - {*LANGUAGES, ""}:
        return ""
    places = " and ".join(folder.relative_to(found.root).as_posix() for folder in _folders(found.root))
    return f"{places} hold songs named as {songs[0].name}"


def _songs(found: FoundFiles) -> list[Path]:
    """The recordings of both languages."""
    return [path for folder in _folders(found.root) for path in found.below(folder)]


def _read(found: FoundFiles) -> list[Clip]:
    """Every song in every key."""
    files = _songs(found)
    if not mostly(files, _SONG_NAME):
        return []
    refuse_names([path for path in files if not _SONG_NAME.match(path.stem)], "CSD", "en001a.wav")
    return [
        Clip(path.relative_to(found.root).as_posix(), (LABEL,), GROUP, licence=LICENCE, source=CITATION)
        for path in files
    ]


CSD = Importer(
    name="csd",
    title="CSD",
    layout="english/wav/en*.wav and korean/wav/kr*.wav",
    recognizes=_recognizes,
    read=_read,
)
