"""Write clips into a folder of our own layout: `<label>/*.flac`, 16 bit, mono, with a `clips.csv` beside them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from train.recordings.clip_index import INDEX_FILE_NAME, Clip, write_index
from train.recordings.decoding.sixteen_bits import TurnedDown, write_flac
from train.recordings.output_folder import claim_folder, refuse_originals
from train.recordings.store.clip_store import LoadedClips
from train.recordings.store.packed_waveform import Waveform
from train.recordings.tables.import_names import new_names
from train.recordings.tables.new_names import check_all_written, refuse_shared_folders

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
        Empty the folder first, if earproof filled it.
    say : callable, optional
        Called with which recordings were turned down, as they went above full scale.

    Raises
    ------
    FileExistsError
        The folder has content and `force` is not set, or the content is not earproof's.
    ValueError
        Two labels would share a folder, or the folder holds the recordings.
    """
    refuse_originals(folder, (clips.index.root / clip.path for clip in clips.index.clips))
    refuse_shared_folders(clips.index.labels)
    names = new_names(clips.index.clips)
    claim_folder(folder, force=force, keep=KEPT_ENTRIES)
    turned_down = TurnedDown()
    written = [
        _write_clip(clip, waveform, sample_rate, folder, name, turned_down)
        for clip, waveform, name in zip(clips.index.clips, clips.waveforms, names, strict=True)
    ]
    check_all_written(folder, names)
    if say and turned_down.factors:
        say(turned_down.describe())
    write_index(folder / INDEX_FILE_NAME, replace(clips.index, root=folder, clips=tuple(written)))
    return folder / INDEX_FILE_NAME


def _write_clip(
    clip: Clip, waveform: Waveform, sample_rate: int, folder: Path, name: str, turned_down: TurnedDown
) -> Clip:
    """Write one clip."""
    target = Path(name)
    (folder / target.parent).mkdir(exist_ok=True)
    write_flac(folder / target, waveform, sample_rate, turned_down, clip.path)
    return replace(clip, path=target.as_posix())
