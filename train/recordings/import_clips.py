"""Write clips into a folder of our own layout: `<label>/*.flac`, 16 bit, mono, with a `clips.csv` beside them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from train.recordings.clip_index import INDEX_FILE_NAME, Clip, write_index
from train.recordings.clip_store import LoadedClips
from train.recordings.output_folder import claim_folder
from train.recordings.sixteen_bits import TurnedDown, write_flac

KEPT_ENTRIES = ("README.md",)  # a folder that holds only this counts as empty: data_long is shipped so


def import_clips(
    clips: LoadedClips,
    sample_rate: int,
    folder: Path,
    *,
    force: bool = False,
    say: Callable[[str], None] | None = None,
) -> Path:
    """Write every clip as FLAC and the index; return the index' path.

    Parameters
    ----------
    clips : LoadedClips
    sample_rate : int
        Hz of the waveforms.
    folder : Path
        To be filled; a README.md in it stays.
    force : bool
        Empty the folder first, if earshot filled it.
    say : callable, optional
        Called with which recordings were turned down, as they went above full scale.

    Raises
    ------
    FileExistsError
        The folder has content and `force` is not set, or the content is not earshot's.
    """
    claim_folder(folder, force=force, keep=KEPT_ENTRIES)
    turned_down = TurnedDown()
    written = [
        _write_clip(clip, waveform, sample_rate, folder, turned_down)
        for clip, waveform in zip(clips.index.clips, clips.waveforms, strict=True)
    ]
    if say and turned_down.factors:
        say(turned_down.describe())
    write_index(folder / INDEX_FILE_NAME, replace(clips.index, root=folder, clips=tuple(written)))
    return folder / INDEX_FILE_NAME


def _write_clip(clip: Clip, waveform: np.ndarray, sample_rate: int, folder: Path, turned_down: TurnedDown) -> Clip:
    """Write one clip under its label; its old path becomes its name, so that no two collide."""
    place = Path(clip.path).with_suffix(".flac")
    parts = place.parts[1:] if place.parts[0] == clip.labels[0] and len(place.parts) > 1 else place.parts
    target = Path(clip.labels[0]) / "-".join(part for part in parts if part not in ("..", "/"))
    (folder / target.parent).mkdir(exist_ok=True)
    write_flac(folder / target, waveform, sample_rate, turned_down, clip.path)
    return replace(clip, path=target.as_posix())
