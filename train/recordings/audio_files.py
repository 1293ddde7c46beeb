"""The recordings that lie below a folder."""

from __future__ import annotations

from pathlib import Path

from train.recordings.decode import AUDIO_SUFFIXES


def audio_files(folder: Path) -> list[Path]:
    """Return the recordings below a folder, sorted, hidden files left out."""
    return sorted(
        path
        for path in folder.rglob("*")
        if path.suffix.lower() in AUDIO_SUFFIXES and path.is_file() and not path.name.startswith(".")
    )
