"""Copies of training clips at another pitch, as long as the original: oversampling where recordings are few."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from metadata.labels import LABELS_FILE_NAME, write_labels
from metadata.plural import counted
from metadata.safe_name import safe_part
from train.recordings.clip import Clip
from train.recordings.clip_index import INDEX_FILE_NAME, ClipIndex, write_index
from train.recordings.decoding.sixteen_bits import TurnedDown, write_flac
from train.recordings.loudness import PEAK_LIMIT, peak
from train.recordings.output_folder import claim_folder, refuse_originals
from train.recordings.store.clip_store import LoadedClips
from train.recordings.tables.new_names import check_all_written, unique_paths

# As far as our variation of playback speed goes (`train.batches.augment`), about six of the 177 mel bands of `isocc`.
# The published 9.6 to 11.9 cents are a third of a band: copies that a model can hardly tell from their original.
DEFAULT_MAX_CENTS = 200.0
MOST_CENTS = 1200.0  # an octave; farther, a phase vocoder makes another sound of it
FOLDER_NAME = "pitch_shifted"

Tell = Callable[[int, str], None]


@dataclass(frozen=True)
class Oversampled:
    """What oversampling did.

    Attributes
    ----------
    index : ClipIndex
        The clips there were, where they were, and the copies.
    copies : int
        How many clips are new.
    left_out : list of str
        Training clips of which no copy was made, and why.
    turned_down : str
        Of which recordings copies went above full scale, and by how much they were turned down; '' where none did.
    """

    index: ClipIndex
    copies: int
    left_out: list[str]
    turned_down: str = ""


def shifts(copies: int, max_cents: float = DEFAULT_MAX_CENTS, downward: bool = False) -> list[float]:
    """Return the pitch of each copy against its original in cents, evenly spaced, none of them 0.

    Parameters
    ----------
    copies : int
        1 or more.
    max_cents : float
        Of the farthest copy, above 0 up to an octave.
    downward : bool
        Only lower, as published; else lower and higher by turns.

    Raises
    ------
    ValueError
        A number outside its range.
    """
    if copies < 1:
        raise ValueError(f"{copies} copies were asked for; expected 1 or more")
    if not 0.0 < max_cents <= MOST_CENTS:
        raise ValueError(f"max_cents is {max_cents}; expected above 0 and at most {MOST_CENTS:g}, an octave")
    if downward:
        return [-max_cents * number / copies for number in range(1, copies + 1)]
    steps = (copies + 1) // 2
    return [(-1) ** number * max_cents * (number // 2 + 1) / steps for number in range(copies)]


def shift_pitch(
    waveform: np.ndarray,
    sample_rate: int,
    cents: float,
    turned_down: dict[str, float] | None = None,
    name: str = "",
) -> np.ndarray:
    """Return a waveform at another pitch, as long as before, float32, peak at most 0.999.

    Parameters
    ----------
    waveform : np.ndarray
        float32 (n_samples,).
    sample_rate : int
        Hz.
    cents : float
        Hundredths of a semitone, up or down.
    turned_down : dict, optional
        Is given the factor, under `name`, where the peak had to be turned down.
    name : str
        Of the recording.

    Notes
    -----
    librosa's phase vocoder and soxr, as the published oversampling used them.
    """
    import librosa

    shifted = librosa.effects.pitch_shift(np.asarray(waveform, np.float32), sr=sample_rate, n_steps=cents / 100.0)
    highest = peak(shifted)
    if highest > PEAK_LIMIT:
        shifted = shifted * np.float32(PEAK_LIMIT / highest)
        if turned_down is not None:
            turned_down[name] = min(turned_down.get(name, 1.0), PEAK_LIMIT / highest)
    return shifted.astype(np.float32)


def oversample(
    clips: LoadedClips,
    sample_rate: int,
    cents: Sequence[float],
    folder: Path,
    *,
    force: bool = False,
    tell: Tell | None = None,
) -> Oversampled:
    """Write copies of the training clips of one label, and an index of everything.

    A copy has the group and the side of its original, so that no split drawn later tears them apart, and names it.

    Parameters
    ----------
    clips : LoadedClips
        Each on a side of the split.
    sample_rate : int
        Hz of waveforms and copies.
    cents : sequence of float
        Pitch of each copy, see `shifts`.
    folder : Path
        To be filled.
    force : bool
        Empty the folder first, if earproof filled it.
    tell : callable, optional
        Called with the number of copies done, and the name of the clip of the next; at the end with ''.

    Raises
    ------
    FileExistsError
        The folder has content and `force` is not set, or the content is not earproof's.
    ValueError
        Clips are without a side, no training clip can be copied, or the folder holds the originals.
    """
    chosen, left_out = sources(clips)
    root = clips.index.root
    refuse_originals(folder, (root / clip.path for clip in clips.index.clips))
    claim_folder(folder, force=force)
    copied: list[Clip] = []
    turned_down = TurnedDown()
    wanted = [copy_name(clips.index.clips[place], place, shift) for place in chosen for shift in cents]
    names = iter(unique_paths(wanted))
    for place in chosen:
        clip, waveform = clips.index.clips[place], np.asarray(clips.waveforms[place])  # read once for all copies
        for shift in cents:
            if tell:
                tell(len(copied), clip.path)
            name = next(names)
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shifted = shift_pitch(waveform, sample_rate, shift, turned_down.factors, clip.path)
            _write(folder / name, shifted, sample_rate)
            copied.append(replace(clip, path=name, original=clip.original or clip.path))
    if tell:
        tell(len(copied), "")
    check_all_written(folder, [clip.path for clip in copied])
    kept = [_moved(clip, root, folder) for clip in clips.index.clips]
    index = replace(clips.index, root=folder, clips=(*kept, *copied))
    write_labels(folder / LABELS_FILE_NAME, index.labels)
    write_index(folder / INDEX_FILE_NAME, index)
    return Oversampled(index, len(copied), left_out, turned_down.describe())


def sources(clips: LoadedClips) -> tuple[list[int], list[str]]:
    """Return the positions of the training clips that are copied, and why others of that side are not."""
    sideless = sum(not clip.split for clip in clips.index.clips)
    if sideless:
        raise ValueError(
            f"{counted(sideless, 'clip is', 'clips are')} on no side; only those of the train side are copied: split "
            "them first"
        )
    silent = set(clips.silent())
    left_out, chosen = [], []
    for place in clips.places("train"):
        clip = clips.index.clips[place]
        if len(clip.labels) > 1:
            left_out.append(f"{clip.path} has several labels")
        elif place in silent:
            left_out.append(f"{clip.path} is silent")
        else:
            chosen.append(place)
    if not chosen:
        raise ValueError(
            f"no clip of the train side can be copied ({len(left_out)} left out); expected clips of one label"
        )
    return chosen, left_out


def copy_name(clip: Clip, place: int, cents: float) -> str:
    """Return the path of a copy below its folder: the original's place in the index and its name, and the pitch."""
    return f"{FOLDER_NAME}/{place:05d}-{safe_part(Path(clip.path).stem)}{cents:+.1f}c.flac"


def _write(path: Path, waveform: np.ndarray, sample_rate: int) -> None:
    """Write 16-bit FLAC; the peak is below full scale, so that nothing is turned down here."""
    write_flac(path, waveform, sample_rate, TurnedDown(), path.name)


def _moved(clip: Clip, root: Path, folder: Path) -> Clip:
    """A clip, its path relative to another folder."""
    return replace(clip, path=Path(os.path.relpath((root / clip.path).resolve(), folder.resolve())).as_posix())
