"""Mixtures as recordings: 16-bit FLAC, one file a mixture, with a clip index of both labels and both groups."""

from __future__ import annotations

import hashlib
import io
import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from metadata.atomic_file import write_atomically
from metadata.labels import LABELS_FILE_NAME, write_labels
from train.mixtures.arrangement import ARRANGEMENTS, TOGETHER, Arranged, arrange, arranged_part
from train.mixtures.mixing import NORMALIZATIONS
from train.mixtures.mixture_index import label_kinds
from train.recordings.clip import Clip, group_of
from train.recordings.clip_index import INDEX_FILE_NAME, ClipIndex, write_index
from train.recordings.loudness import peak
from train.recordings.output_folder import claim_folder, refuse_originals
from train.recordings.pair_index import MixtureIndex
from train.recordings.store.packed_waveform import Waveform, waveform_blocks_of

SETTINGS_FILE_NAME = "mixing.json"
_NO_SIDE = "all"  # the folder of mixtures without a side
_NUM_SAMPLED = 24  # mixtures that the size of all is estimated from
_JOINED = " | "  # sources and licences of two parts

Tell = Callable[[int], None]


@dataclass(frozen=True, kw_only=True)
class MixtureSettings:
    """How the parts of a mixture are put together.

    Attributes
    ----------
    sample_rate : int
        Hz.
    normalization : str
        One of `train.mixtures.mixing.NORMALIZATIONS`.
    arrangement : str
        `train.mixtures.arrangement.TOGETHER` or one of `ARRANGEMENTS`.
    """

    sample_rate: int
    normalization: str = "pair"
    arrangement: str = TOGETHER

    def __post_init__(self) -> None:
        for name, known in (("normalization", NORMALIZATIONS), ("arrangement", (TOGETHER, *ARRANGEMENTS))):
            if getattr(self, name) not in known:
                raise ValueError(f"{name} is {getattr(self, name)!r}; expected {', '.join(known)}")


class MixtureSounds:
    """What mixtures sound like.

    Parameters
    ----------
    mixtures : MixtureIndex
    waveforms : sequence of np.ndarray
        float32 (n_samples,), one a clip of `mixtures.clips`, none of them silent.
    settings : MixtureSettings
    """

    def __init__(self, mixtures: MixtureIndex, waveforms: Sequence[Waveform], settings: MixtureSettings):
        self.mixtures, self.settings = mixtures, settings
        self._waveforms = waveforms
        self._set_peak = max(peak(waveform) for waveform in waveforms)

    def __getitem__(self, place: int) -> Arranged:
        chosen = self.settings
        one, other = (
            arranged_part(self._waveforms[part], chosen.arrangement, chosen.sample_rate)
            for part in self.mixtures.parts[place]
        )
        return arrange(one, other, chosen.arrangement, chosen.sample_rate, chosen.normalization, self._set_peak)

    def estimated_bytes(self) -> int:
        """Return about how much room the files of all mixtures take, from a few spread over them."""
        count = len(self.mixtures)
        places = np.unique(np.linspace(0, count - 1, min(count, _NUM_SAMPLED)).astype(int))
        sizes = [len(_flac(self[place].waveform, self.settings.sample_rate)) for place in places]
        return int(np.mean(sizes) * count)

    def digest(self) -> str:
        """Return a hash of everything that the files are made of."""
        digest = hashlib.sha256(json.dumps(asdict(self.settings), sort_keys=True).encode())
        digest.update(self.mixtures.parts.astype("<i4").tobytes() + "\n".join(self.mixtures.splits).encode())
        for waveform in self._waveforms:
            for block in waveform_blocks_of(waveform):
                digest.update(block.astype("<f4", copy=False).tobytes())
        return digest.hexdigest()


def write_sounds(
    sounds: MixtureSounds, folder: Path, *, force: bool = False, resume: bool = False, tell: Tell | None = None
) -> dict[str, list[Any]]:
    """Write every mixture as FLAC and a clip index beside them.

    Parameters
    ----------
    sounds : MixtureSounds
    folder : Path
        To be filled.
    force : bool
        Empty the folder first, if earproof filled it.
    resume : bool
        Keep the files that an interrupted call has written.
    tell : callable, optional
        Called with the number of mixtures done.

    Returns
    -------
    dict
        The columns that this adds to a table of mixtures: path, gain of each part, peak, onsets and offsets.

    Raises
    ------
    FileExistsError
        The folder has content and neither was asked, or the content is not earproof's.
    ValueError
        The folder holds the parts, or `resume` is set and it was begun with other recordings or settings.
    """
    mixtures, rate = sounds.mixtures, sounds.settings.sample_rate
    refuse_originals(folder, (mixtures.clips.root / clip.path for clip in mixtures.clips.clips))
    claim_folder(folder, force=force, resume=resume)
    _check_same_mixtures(folder, sounds)
    names = mixture_names(mixtures)
    for parent in sorted({Path(name).parent for name in names}):
        (folder / parent).mkdir(exist_ok=True)
    columns: dict[str, list[Any]] = {name: [] for name in ("path", *_MEASURED)}
    for place, name in enumerate(names):
        sound = sounds[place]
        if not (folder / name).is_file():
            write_atomically(folder / name, _flac(sound.waveform, rate))
        values = (*sound.gains, peak(sound.waveform), *sound.spans[0], *sound.spans[1])
        for column, value in zip(_MEASURED, values, strict=True):
            columns[column].append(f"{value:.6g}")
        if tell:
            tell(place + 1)
    columns["path"] = names
    write_labels(folder / LABELS_FILE_NAME, mixtures.clips.labels)
    write_index(folder / INDEX_FILE_NAME, mixture_clips(mixtures, folder, names))
    return columns


_MEASURED = (
    "first_gain",
    "second_gain",
    "peak",
    "first_start_s",
    "first_end_s",
    "second_start_s",
    "second_end_s",
)


def mixture_names(mixtures: MixtureIndex) -> list[str]:
    """Return the path of each mixture's file below the folder: its side, and its number on that side."""
    digits = len(str(len(mixtures)))
    counts: dict[str, int] = {}
    names = []
    for split in mixtures.splits.tolist():
        counts[split] = counts.get(split, 0) + 1
        names.append(f"{split or _NO_SIDE}/{counts[split]:0{digits}d}.flac")
    return names


def mixture_clips(mixtures: MixtureIndex, folder: Path, names: Sequence[str]) -> ClipIndex:
    """Return the clip index of written mixtures.

    A mixture has the groups of both its parts, so that `train.recordings.split` and `earproof data check` see a source
    recording that stands on two sides; folds it has none, because its parts may come from two.
    """
    labels = np.asarray(mixtures.clips.labels)
    kinds, kind = label_kinds(mixtures)
    clips = []
    for path, number, pair, split in zip(names, kind, mixtures.parts, mixtures.splits.tolist(), strict=True):
        parts = [mixtures.clips.clips[place] for place in pair]
        groups = dict.fromkeys(group for part in parts for group in part.groups)
        told = {
            name: _JOINED.join(dict.fromkeys(getattr(part, name) for part in parts if getattr(part, name)))
            for name in ("licence", "source")
        }
        told["original"] = _JOINED.join(part.original or part.path for part in parts)
        clips.append(Clip(path, tuple(labels[kinds[number]].tolist()), group_of(*groups), split, **told))
    return replace(mixtures.clips, root=folder, clips=tuple(clips))


def refuse_full_disk(folder: Path, needed: int) -> int:
    """Return the free bytes where a folder is or will be; raise OSError if they are fewer than are needed."""
    there = next(parent for parent in (folder.absolute(), *folder.absolute().parents) if parent.is_dir())
    free = shutil.disk_usage(there).free
    if free < needed:
        raise OSError(
            f"the mixtures take about {needed / 1e9:.1f} GB and {folder} has {free / 1e9:.1f} GB left; choose another "
            "folder, or fewer mixtures with --undersample or --pairs-per-label-pair"
        )
    return free


def _flac(waveform: np.ndarray, sample_rate: int) -> bytes:
    """The bytes of a 16-bit FLAC file; the waveform's peak is below full scale, so that nothing wraps."""
    import soundfile

    content = io.BytesIO()
    with soundfile.SoundFile(content, "w", sample_rate, 1, format="FLAC", subtype="PCM_16") as file:
        for block in waveform_blocks_of(waveform):  # a long one in float64 takes four times its memory
            file.write(np.round(block.astype(np.float64) * 32768.0).astype(np.int16))
    return content.getvalue()


def _check_same_mixtures(folder: Path, sounds: MixtureSounds) -> None:
    """Record what the folder is filled with, or refuse to go on in one that was begun with something else."""
    path = folder / SETTINGS_FILE_NAME
    document = {**asdict(sounds.settings), "mixtures": len(sounds.mixtures), "sha256": sounds.digest()}
    if path.is_file() and json.loads(path.read_text()) != document:
        raise ValueError(
            f"{folder} was begun with other recordings, mixtures or settings ({path.name}); resume with the same, or "
            "start again with --force"
        )
    write_atomically(path, (json.dumps(document, indent=2) + "\n").encode())
