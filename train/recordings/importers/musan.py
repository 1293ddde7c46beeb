"""MUSAN: music, noise and speech, `<label>/<collection>/<label>-<collection>-<number>.wav`.

Each collection has a file LICENSE, blocks between lines of `=` that name the recordings they speak of, and most a file
ANNOTATIONS: a line a recording, for music `<recording> <genres> <vocals> <artist>`. One artist's recordings form a
group; every other recording is a group of its own, because its speaker is not named.

Notes
-----
D. Snyder, G. Chen and D. Povey, "MUSAN: A Music, Speech, and Noise Corpus", arXiv 1510.08484. The collection is given
out under CC BY 4.0, its recordings are in the public domain or under Creative Commons licences of their own, some of
them without commercial use: a clip carries what its block says.
"""

from __future__ import annotations

import re
from pathlib import Path

from train.recordings.clip import Clip, group_of
from train.recordings.decoding.audio_files import FoundFiles
from train.recordings.importers.importer import Importer, mostly

CITATION = "arXiv:1510.08484"
LABELS = ("music", "noise", "speech")
LICENCE_FILE_NAME, ANNOTATIONS_FILE_NAME = "LICENSE", "ANNOTATIONS"
_RULE = re.compile(r"^=+\s*$", re.MULTILINE)
_RECORDING = re.compile(r"\b(?:music|noise|speech)-[\w-]+-\d+\b")
_LICENCE_ADDRESS = re.compile(r"creativecommons\.org/licenses/([a-z-]+)/(\d\.\d)", re.IGNORECASE)
_ARTIST_COLUMN = 3


def licences_of(text: str, otherwise: str) -> dict[str, str]:
    """Return the licence of each recording that a LICENSE file names, `otherwise` where its block tells none."""
    licences = {}
    for block in _RULE.split(text):
        for recording in _RECORDING.findall(block):
            licences[recording] = _licence(block) or otherwise
    return licences


def artists_of(text: str) -> dict[str, str]:
    """Return the artist of each recording of a music ANNOTATIONS file."""
    lines = [line.split() for line in text.splitlines()]
    return {
        words[0]: words[_ARTIST_COLUMN]
        for words in lines
        if len(words) > _ARTIST_COLUMN and words[0].startswith("music")
    }


def _licence(block: str) -> str:
    """The licence that a block tells, '' where it tells none or several."""
    told = {f"CC {kind.upper()} {version}" for kind, version in _LICENCE_ADDRESS.findall(block)}
    if re.search(r"public\s*domain|creativecommons\.org/publicdomain", block, re.IGNORECASE):
        told.add("public domain")
    return told.pop() if len(told) == 1 else ""


def _recognizes(found: FoundFiles) -> str:
    """The collections' licences and the recordings' names, where no other folder holds recordings."""
    root = found.root
    collections = _collections(root)
    licensed = [folder for folder in collections if (folder / LICENCE_FILE_NAME).is_file()]
    if not licensed or not all((root / label).is_dir() for label in LABELS):
        return ""
    files = [path for folder in collections for path in found.below(folder)]
    if not mostly(files, _RECORDING) or set(found.by_top_folder()) - {*LABELS, ""}:
        return ""
    place = licensed[0].relative_to(root).as_posix()
    return f"{place}/{LICENCE_FILE_NAME} is there and the recordings have names as {files[0].name}"


def _collections(root: Path) -> list[Path]:
    """The folders within the three labels' folders."""
    return [folder for label in LABELS for folder in sorted(root.glob(f"{label}/*")) if folder.is_dir()]


def _read(found: FoundFiles) -> list[Clip]:
    """Every recording of the three trees, where at least one collection has its licence."""
    collections = _collections(found.root)
    if not any((folder / LICENCE_FILE_NAME).is_file() for folder in collections):
        return []
    return [clip for folder in collections for clip in _read_collection(found, folder)]


def _read_collection(found: FoundFiles, folder: Path) -> list[Clip]:
    """The recordings of one collection."""
    place = folder.relative_to(found.root).as_posix()
    unknown = f"see {place}/{LICENCE_FILE_NAME}"
    licences = licences_of(_text(folder / LICENCE_FILE_NAME), unknown)
    artists = artists_of(_text(folder / ANNOTATIONS_FILE_NAME))
    return [
        Clip(
            path.relative_to(found.root).as_posix(),
            (folder.parent.name,),
            group_of(f"musan_{artists.get(path.stem, path.stem)}"),
            licence=licences.get(path.stem, unknown),
            source=f"{CITATION} {place}",
        )
        for path in found.below(folder)
    ]


def _text(path: Path) -> str:
    """A text file's content, '' where there is none; names of artists come in any encoding."""
    return path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""


MUSAN = Importer(
    name="musan",
    title="MUSAN",
    layout="music, noise and speech with collections of *.wav and a LICENSE each",
    recognizes=_recognizes,
    read=_read,
)
