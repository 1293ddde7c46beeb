"""Data sets whose layout earproof knows, one file each: labels, groups, folds and licences as their makers gave
them."""

from __future__ import annotations

import difflib
from pathlib import Path

from train.recordings.decoding.audio_files import FoundFiles
from train.recordings.importers.csd import CSD
from train.recordings.importers.esc import ESC_10, ESC_50
from train.recordings.importers.flickr8k import FLICKR8K
from train.recordings.importers.importer import Importer
from train.recordings.importers.musan import MUSAN
from train.recordings.importers.speech_commands import SPEECH_COMMANDS
from train.recordings.importers.urbansound8k import URBANSOUND8K
from train.recordings.importers.vocalset import VOCALSET

# ESC-10 before ESC-50, whose layout it shares: the narrower one is recognized first.
_ALL = (ESC_10, ESC_50, URBANSOUND8K, MUSAN, FLICKR8K, VOCALSET, CSD, SPEECH_COMMANDS)
IMPORTERS: dict[str, Importer] = {importer.name: importer for importer in _ALL}


def recognize(found: FoundFiles) -> tuple[str, str]:
    """Return the name of the data set whose layout a folder has and why so, both empty where it has none we know."""
    for name, importer in IMPORTERS.items():
        reason = importer.recognizes(found)
        if reason:
            return name, reason
    return "", ""


def tell_unrecognized(root: Path) -> list[str]:
    """Return a note for each data set whose files lie in a folder that was not recognized as it."""
    there = {
        " and ".join(sign for sign in importer.signs if (root / sign).is_file()): importer
        for importer in IMPORTERS.values()
    }
    return [
        f"{signs} is not read: the recordings are not as in {importer.title} ({importer.layout})"
        for signs, importer in there.items()
        if signs
    ]


def choose_importer(name: str) -> Importer:
    """Return the importer of that name, or raise ValueError naming those there are."""
    if name not in IMPORTERS:
        near = difflib.get_close_matches(name, IMPORTERS, n=1)
        hint = f"did you mean {near[0]}?" if near else f"expected {', '.join(IMPORTERS)}, or none for plain folders"
        raise ValueError(f"{name!r} is no data set that earproof knows; {hint}")
    return IMPORTERS[name]
