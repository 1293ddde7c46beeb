"""Speech Commands: one word a second, `<word>/<speaker>_nohash_<take>.wav`, and two lists that name the official split.

A speaker's takes form a group over all words; files in `validation_list.txt` are the validation side, those in
`testing_list.txt` the test side, all others are to train on. `_background_noise_` holds six long recordings that are
no word; it is not read.

Notes
-----
P. Warden, "Speech Commands: A Dataset for Limited-Vocabulary Speech Recognition", arXiv 1804.03209.
"""

from __future__ import annotations

import re
from pathlib import Path

from train.recordings.audio_files import audio_files
from train.recordings.clip import Clip
from train.recordings.importers.importer import MOST_NAMED, Importer, refuse_names

LICENCE = "CC BY 4.0"
CITATION = "arXiv:1804.03209"
LISTS = {"val": "validation_list.txt", "test": "testing_list.txt"}
_TAKE_NAME = re.compile(r"(?P<speaker>[0-9a-f]{8})_nohash_\d+$")


def _recognizes(root: Path) -> bool:
    """Whether both lists are there."""
    return all((root / name).is_file() for name in LISTS.values())


def _read(root: Path) -> list[Clip]:
    """Every take of every word."""
    if not _recognizes(root):
        return []
    words = [path for path in sorted(root.iterdir()) if path.is_dir() and not path.name.startswith((".", "_"))]
    files = [path for word in words for path in audio_files(word)]
    refuse_names(
        [path for path in files if not _TAKE_NAME.match(path.stem)], "Speech Commands", "0a7c2a8d_nohash_0.wav"
    )
    sides = _sides(root)
    _refuse_missing(root, sides)
    return [_clip(path.relative_to(root).as_posix(), path, sides) for path in files]


def _sides(root: Path) -> dict[str, str]:
    """The side of each listed file."""
    return {
        line.strip(): split
        for split, name in LISTS.items()
        for line in (root / name).read_text().splitlines()
        if line.strip()
    }


def _refuse_missing(root: Path, sides: dict[str, str]) -> None:
    """Refuse lists that name files which are not there."""
    missing = [name for name in sides if not (root / name).is_file()]
    if missing:
        raise ValueError(
            f"{root}: {len(missing)} files of {' and '.join(LISTS.values())} are not there: "
            f"{', '.join(missing[:MOST_NAMED])}; unpack the data set again"
        )


def _clip(name: str, path: Path, sides: dict[str, str]) -> Clip:
    """One take as a clip."""
    speaker = _TAKE_NAME.match(path.stem)["speaker"]
    split = sides.get(name, "train")
    return Clip(name, (path.parent.name,), f"speech_commands_{speaker}", split, licence=LICENCE, source=CITATION)


SPEECH_COMMANDS = Importer(
    name="speech_commands",
    title="Speech Commands, without _background_noise_",
    layout="one folder a word, validation_list.txt and testing_list.txt",
    recognizes=_recognizes,
    read=_read,
)
